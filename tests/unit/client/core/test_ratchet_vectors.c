/* SPDX-License-Identifier: Apache-2.0 */
/* A whole session frozen by the tests' second implementation (tests/vectors/session.json): the
 * ratchet, given the same random bytes, makes the same envelopes and opens them. */
#include "client/core/contact.h"
#include "client/core/verify.h"
#include "client/core/words_eff.h"
#include "lib/secret.h"
#include "tests/support/vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *session;
static struct ratchet *taker, *inviter;

static int start(void **state)
{
    const char *source = getenv("KITH_SOURCE");
    char path[4096];

    (void)state;
    (void)snprintf(path, sizeof path, "%s/tests/vectors/session.json", source ? source : ".");
    session = json_load_file(path, 0, NULL);
    assert_non_null(session);
    return secret_start();
}

static int stop(void **state)
{
    (void)state;
    rand_set(NULL, NULL);
    ratchet_free(taker);
    ratchet_free(inviter);
    json_decref(session);
    return 0;
}

/* ---- random bytes as the vectors have them, in the order in which they are drawn ---- */

static struct bytes draws[3];
static size_t draws_next, draws_n;

static int from_vectors(void *p, size_t n, void *arg)
{
    (void)arg;
    assert_true(draws_next < draws_n);
    assert_int_equal(draws[draws_next].n, n);
    memcpy(p, draws[draws_next++].p, n);
    return 0;
}

static void drawn(void)
{
    assert_int_equal(draws_next, draws_n);
    while (draws_n > 0)
        support_drop(draws[--draws_n]);
    draws_next = 0;
}

static const json_t *turn_of(json_int_t turn)
{
    return json_array_get(vectors_array(session, "turns"), (size_t)turn - 1);
}

static const json_t *message_of(json_int_t turn, json_int_t n)
{
    const json_t *messages = vectors_array(turn_of(turn), "messages");

    for (size_t i = 0; i < json_array_size(messages); i++)
        if (vectors_number(json_array_get(messages, i), "n") == n)
            return json_array_get(messages, i);
    fail_msg("no message %d.%d", (int)turn, (int)n);
    return NULL;
}

static void equal_hex(struct bytes got, const json_t *o, const char *key)
{
    struct bytes want = vectors_hex(o, key);

    support_equal(got, want);
    support_drop(want);
}

static void copy_hex(uint8_t *out, size_t n, const json_t *o, const char *key)
{
    struct bytes b = vectors_hex(o, key);

    assert_int_equal(b.n, n);
    memcpy(out, b.p, n);
    support_drop(b);
}

/* ---- the story ---- */

static void link_up(void)
{
    const json_t *link = json_object_get(session, "link");
    struct contact_offer offer;
    uint8_t cohort[HASH_BYTES], envelope[ENVELOPE_BYTES], payload[PAYLOAD_BYTES_MAX], rs[32];
    struct bytes said = vectors_hex(link, "offer_payload");
    size_t n;

    copy_hex(cohort, sizeof cohort, link, "cohort");
    draws[draws_n++] = vectors_hex(link, "secret");
    draws[draws_n++] = vectors_hex(link, "pair_seed");
    assert_int_equal(contact_offer_new(&offer), 0);
    drawn();
    equal_hex(BYTES(offer.pk), link, "pk");
    draws[draws_n++] = vectors_hex(link, "offer_salt");
    assert_int_equal(contact_offer_seal(&offer, said, envelope), 0);
    drawn();
    equal_hex(BYTES(envelope), link, "offer");
    support_drop(said);

    draws[draws_n++] = vectors_hex(turn_of(1), "seed");
    draws[draws_n++] = vectors_hex(turn_of(1), "eseed");
    assert_int_equal(contact_take_start(offer.secret, cohort, offer.pk, &taker), 0);
    drawn();
    said = vectors_hex(link, "take_payload");
    draws[draws_n++] = vectors_hex(link, "take_salt");
    assert_int_equal(contact_take_seal(taker, offer.secret, said, envelope), 0);
    drawn();
    equal_hex(BYTES(envelope), link, "take");
    assert_int_equal(contact_accept(&offer, cohort, envelope, 0, payload, &n, &inviter), 0);
    support_equal((struct bytes){payload, n}, said);
    support_drop(said);
    ratchet_reset_secret(taker, rs);
    equal_hex(BYTES(rs), link, "rs");
    ratchet_reset_secret(inviter, rs);
    equal_hex(BYTES(rs), link, "rs");
}

static void send(json_int_t turn, json_int_t n)
{
    const json_t *m = message_of(turn, n);
    struct bytes payload = vectors_hex(m, "payload");
    uint8_t envelope[ENVELOPE_BYTES];
    struct ratchet_sent at;

    if (n == 0) {
        draws[draws_n++] = vectors_hex(turn_of(turn), "seed");
        draws[draws_n++] = vectors_hex(turn_of(turn), "eseed");
    }
    draws[draws_n++] = vectors_hex(m, "salt");
    assert_int_equal(ratchet_seal(turn % 2 ? taker : inviter, payload, envelope, &at), 0);
    drawn();
    assert_int_equal(at.turn, turn);
    assert_int_equal(at.n, n);
    assert_int_equal(at.began, n == 0);
    equal_hex(BYTES(envelope), m, "envelope");
    support_drop(payload);
}

static int is_the_last(const uint8_t tag[ENVELOPE_TAG_BYTES], uint32_t turn, uint32_t n,
                       void *arg)
{
    (void)arg;
    if (n == 255)
        equal_hex((struct bytes){tag, ENVELOPE_TAG_BYTES}, turn_of(turn), "tag_255");
    return 0;
}

static void receive(json_int_t turn, json_int_t n)
{
    struct ratchet *r = turn % 2 ? inviter : taker;
    const json_t *m = message_of(turn, n);
    struct bytes envelope = vectors_hex(m, "envelope");
    uint8_t payload[PAYLOAD_BYTES_MAX];
    struct ratchet_opened opened;
    size_t payload_n;

    assert_int_equal(ratchet_tags(r, (uint32_t)turn, is_the_last, NULL), 0);
    assert_int_equal(ratchet_open(r, envelope.p, (uint32_t)turn, (uint32_t)n, 0, payload,
                                  &payload_n, &opened),
                     0);
    equal_hex((struct bytes){payload, payload_n}, m, "payload");
    support_drop(envelope);
}

static void ratchet__makes_the_same_bytes__as_the_second_implementation(void **state)
{
    const json_t *script = vectors_array(session, "script");
    uint8_t th_2[HASH_BYTES];

    (void)state;
    rand_set(from_vectors, NULL);
    link_up();
    for (size_t i = 0; i < json_array_size(script); i++) {
        const json_t *step = json_array_get(script, i);
        json_int_t turn = vectors_number(step, "turn"), n = vectors_number(step, "n");

        if (!strcmp(vectors_text(step, "do"), "send"))
            send(turn, n);
        else
            receive(turn, n);
    }
    assert_int_equal(ratchet_verify_input(taker, th_2), 0);
    equal_hex(BYTES(th_2), json_object_get(session, "verify"), "th_2");
    assert_int_equal(ratchet_verify_input(inviter, th_2), 0);
    equal_hex(BYTES(th_2), json_object_get(session, "verify"), "th_2");
}

static void verify_words__are_the_same__as_the_second_implementations(void **state)
{
    const json_t *verify = json_object_get(session, "verify");
    const json_t *want = vectors_array(verify, "words");
    const char *words[VERIFY_WORDS];
    uint8_t th_2[HASH_BYTES];

    (void)state;
    copy_hex(th_2, sizeof th_2, verify, "th_2");
    assert_int_equal(verify_words(th_2, words), 0);
    assert_int_equal(json_array_size(want), VERIFY_WORDS);
    for (size_t i = 0; i < VERIFY_WORDS; i++)
        assert_string_equal(
            words[i],
            words_eff((uint32_t)json_integer_value(json_array_get(want, i))));
}

int main(void)
{
    const struct CMUnitTest claims[] = {
        cmocka_unit_test(ratchet__makes_the_same_bytes__as_the_second_implementation),
        cmocka_unit_test(verify_words__are_the_same__as_the_second_implementations),
    };

    return cmocka_run_group_tests(claims, start, stop);
}
