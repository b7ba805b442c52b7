/* SPDX-License-Identifier: Apache-2.0 */
/* A conversation of six turns as the second implementation had it, with envelopes that
 * come late or never: tests/vectors/session.json.  Both sides of ours make and open the
 * same bytes. */
#include "tests/support/frozen.h"

#include "client/core/ratchet.h"
#include "client/core/verify.h"
#include "client/core/words_eff.h"
#include "lib/secret.h"

#include <string.h>

enum { MINUTE = 31000000, TURNS = 6 };

static json_t *root;

/* Random values in the order in which they are wanted: the frozen ones. */
static struct {
    struct bytes parts[3];
    size_t n, next;
} given;

static int give(void *p, size_t n, void *arg)
{
    struct bytes b;

    (void)arg;
    assert_true(given.next < given.n);
    b = given.parts[given.next++];
    assert_int_equal(n, b.n);
    memcpy(p, b.p, n);
    return 0;
}

static void give_field(const json_t *o, const char *key)
{
    given.parts[given.n++] = vectors_hex(o, key);
}

static void take_back(void)
{
    assert_int_equal(given.next, given.n); /* all of it was used */
    for (size_t i = 0; i < given.n; i++)
        support_drop(given.parts[i]);
    given.n = given.next = 0;
}

static const json_t *turn_of(json_int_t number)
{
    const json_t *turn = json_array_get(vectors_array(root, "turns"), (size_t)number - 1);

    assert_int_equal(vectors_number(turn, "turn"), number);
    return turn;
}

static const json_t *message_of(json_int_t turn, json_int_t n)
{
    size_t i;
    json_t *m;

    json_array_foreach(vectors_array(turn_of(turn), "messages"), i, m)
    {
        if (vectors_number(m, "n") == n)
            return m;
    }
    fail_msg("no message %d of turn %d", (int)n, (int)turn);
    return NULL;
}

/* ---- the two sides ---------------------------------------------------------------- */

struct story {
    struct ratchet *taker, *inviter;
};

static void start(struct story *s)
{
    const json_t *link = json_object_get(root, "link");
    uint8_t secret[32], cohort[32], pk[KEM_PK_BYTES], seed[32], made_pk[KEM_PK_BYTES],
        sk[32];
    uint8_t ct[KEM_CT_BYTES], peer_pk[KEM_PK_BYTES];

    frozen_copy(link, "secret", secret, 32);
    frozen_copy(link, "cohort", cohort, 32);
    frozen_copy(link, "pk", pk, sizeof pk);
    frozen_copy(link, "pair_seed", seed, 32);
    assert_int_equal(kem_keypair_from(seed, made_pk, sk), 0);
    assert_memory_equal(made_pk, pk, sizeof pk);

    give_field(turn_of(1), "seed");
    give_field(turn_of(1), "eseed");
    assert_int_equal(ratchet_start_taker(secret, cohort, pk, &s->taker), 0);
    take_back();
    frozen_copy(turn_of(1), "ct", ct, sizeof ct);
    frozen_copy(turn_of(1), "pk", peer_pk, sizeof peer_pk);
    assert_int_equal(
        ratchet_start_inviter(secret, cohort, pk, sk, ct, peer_pk, &s->inviter), 0);
}

static void take(struct story *s)
{
    const json_t *link = json_object_get(root, "link");
    uint8_t salt[16], k_body[32], th_1[32], rs[32];
    struct ratchet_take parts;

    frozen_copy(link, "take_salt", salt, 16);
    assert_int_equal(ratchet_take_parts(s->taker, salt, &parts), 0);
    frozen_equal(turn_of(1), "ct", parts.ct, sizeof parts.ct);
    frozen_equal(turn_of(1), "pk", parts.pk, sizeof parts.pk);
    frozen_equal(turn_of(1), "th", parts.th_1, sizeof parts.th_1);
    frozen_equal(link, "take_k_body", parts.k_body, sizeof parts.k_body);
    ratchet_take_posted(s->taker);

    assert_int_equal(ratchet_take_open_key(s->inviter, salt, k_body, th_1), 0);
    assert_memory_equal(k_body, parts.k_body, 32);
    assert_memory_equal(th_1, parts.th_1, 32);
    ratchet_take_opened(s->inviter, MINUTE);

    ratchet_reset_secret(s->taker, rs);
    frozen_equal(link, "rs", rs, sizeof rs);
    ratchet_reset_secret(s->inviter, rs);
    frozen_equal(link, "rs", rs, sizeof rs);
}

static void send_one(struct story *s, json_int_t turn, json_int_t n)
{
    struct ratchet *r = turn % 2 ? s->taker : s->inviter;
    const json_t *m = message_of(turn, n);
    struct bytes said = vectors_hex(m, "payload");
    uint8_t envelope[ENVELOPE_BYTES];
    struct ratchet_counts counts;
    struct ratchet_sent sent;

    ratchet_count(r, &counts);
    assert_int_equal(counts.turn_due, n == 0);
    if (n == 0) {
        give_field(turn_of(turn), "seed");
        give_field(turn_of(turn), "eseed");
    }
    give_field(m, "salt");
    assert_int_equal(ratchet_seal(r, said, envelope, &sent), 0);
    take_back();
    frozen_equal(m, "envelope", envelope, sizeof envelope);
    assert_int_equal(sent.turn, turn);
    assert_int_equal(sent.n, n);
    support_drop(said);
}

/* ---- tags: what the reader looks up ----------------------------------------------- */

struct look_up {
    uint8_t tag[16];
    uint32_t turn, n;
    bool found;
};

static int look(const uint8_t tag[ENVELOPE_TAG_BYTES], uint32_t turn, uint32_t n,
                void *arg)
{
    struct look_up *l = arg;

    if (memcmp(tag, l->tag, sizeof l->tag) != 0)
        return 0;
    l->turn = turn;
    l->n = n;
    l->found = true;
    return 1;
}

static void open_one(struct story *s, json_int_t turn, json_int_t n)
{
    struct ratchet *r = turn % 2 ? s->inviter : s->taker;
    const json_t *m = message_of(turn, n);
    uint8_t envelope[ENVELOPE_BYTES], payload[PAYLOAD_BYTES_MAX];
    struct ratchet_opened opened;
    struct look_up l = {.found = false};
    size_t payload_n;

    frozen_copy(m, "envelope", envelope, sizeof envelope);
    memcpy(l.tag, envelope, sizeof l.tag);
    assert_int_equal(ratchet_tags(r, 0, look, &l), 1);
    assert_int_equal(l.turn, turn);
    assert_int_equal(l.n, n);
    assert_int_equal(
        ratchet_open(r, envelope, l.turn, l.n, MINUTE, payload, &payload_n, &opened), 0);
    frozen_equal(m, "payload", payload, payload_n);
    assert_int_equal(
        ratchet_open(r, envelope, l.turn, l.n, MINUTE, payload, &payload_n, &opened),
        RATCHET_E_REPEATED);
    frozen_copy(turn_of(turn), "tag_255", l.tag, sizeof l.tag);
    assert_int_equal(ratchet_tags(r, (uint32_t)turn, look, &l), 1);
    assert_int_equal(l.n, 255);
}

static void check_verify(const struct ratchet *r)
{
    const json_t *verify = json_object_get(root, "verify");
    uint8_t th_2[HASH_BYTES];

    assert_int_equal(ratchet_verify_input(r, th_2), 0);
    frozen_equal(verify, "th_2", th_2, sizeof th_2);
}

static void ratchet__has_the_frozen_conversation(void **state)
{
    struct story s;
    size_t i, turns = 0;
    json_t *step;

    (void)state;
    rand_set(give, NULL);
    start(&s);
    take(&s);
    json_array_foreach(vectors_array(root, "script"), i, step)
    {
        json_int_t turn = vectors_number(step, "turn"), n = vectors_number(step, "n");

        if (!strcmp(vectors_text(step, "do"), "send"))
            send_one(&s, turn, n);
        else
            open_one(&s, turn, n);
        turns = (size_t)turn > turns ? (size_t)turn : turns;
    }
    rand_set(NULL, NULL);
    assert_int_equal(turns, TURNS);
    check_verify(s.taker);
    check_verify(s.inviter);
    ratchet_free(s.taker);
    ratchet_free(s.inviter);
}

static void ratchet__has_it_too_when_saved_and_loaded_at_each_step(void **state)
{
    struct story s;
    size_t i;
    json_t *step;

    (void)state;
    rand_set(give, NULL);
    start(&s);
    take(&s);
    json_array_foreach(vectors_array(root, "script"), i, step)
    {
        struct ratchet **both[] = {&s.taker, &s.inviter};

        for (size_t k = 0; k < 2; k++) {
            struct buf b;

            buf_init(&b, RATCHET_BLOB_BYTES_MAX);
            ratchet_save(*both[k], &b);
            assert_int_equal(b.rc, 0);
            ratchet_free(*both[k]);
            assert_int_equal(ratchet_load(buf_view(&b), both[k]), 0);
            buf_free(&b);
        }
        (strcmp(vectors_text(step, "do"), "send") ? open_one : send_one)(
            &s, vectors_number(step, "turn"), vectors_number(step, "n"));
    }
    rand_set(NULL, NULL);
    ratchet_free(s.taker);
    ratchet_free(s.inviter);
}

static void verify_words__are_those_of_the_frozen_th_2(void **state)
{
    const json_t *verify = json_object_get(root, "verify");
    uint8_t th_2[HASH_BYTES], salt[PW_SALT_BYTES] = "kith1 verify", out[16];
    const char *words[VERIFY_WORDS];

    (void)state;
    frozen_copy(verify, "th_2", th_2, sizeof th_2);
    assert_int_equal(pw_derive(BYTES(th_2), salt, 64 * 1024, 3, out, sizeof out), 0);
    frozen_equal(verify, "bytes", out, sizeof out);
    assert_int_equal(verify_words(th_2, words), 0);
    for (size_t i = 0; i < VERIFY_WORDS; i++) {
        const json_t *number = json_array_get(vectors_array(verify, "words"), i);

        assert_string_equal(words[i], words_eff((uint32_t)json_integer_value(number)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ratchet__has_the_frozen_conversation),
        cmocka_unit_test(ratchet__has_it_too_when_saved_and_loaded_at_each_step),
        cmocka_unit_test(verify_words__are_those_of_the_frozen_th_2),
    };
    int failed;

    if (secret_start())
        return 1;
    root = frozen_load("session.json");
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_decref(root);
    return failed;
}
