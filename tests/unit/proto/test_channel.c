/* SPDX-License-Identifier: Apache-2.0 */
/* The handshake.  Records are in test_channel_records.c. */
#include "tests/support/feed.h"

#include "lib/secret.h"
#include "proto/channel.h"

#include <errno.h>
#include <string.h>

enum {
    X25519_BYTES = 32, /* the last of an X-Wing key and of a ciphertext */
    TAG_1_AT = KEM_CT_BYTES + KEM_PK_BYTES,
};

static uint8_t relay_pk[KEM_PK_BYTES], relay_sk[KEM_SK_BYTES];

struct meeting {
    struct channel client, relay;
    uint8_t es[KEM_SK_BYTES];
    uint8_t msg1[CHANNEL_MSG1_BYTES], msg2[CHANNEL_MSG2_BYTES];
};

static void begin(struct meeting *m)
{
    assert_int_equal(channel_client_start(&m->client, relay_pk, m->es, m->msg1), 0);
}

static int answer(struct meeting *m)
{
    return channel_relay_answer(&m->relay, relay_pk, relay_sk, m->msg1, m->msg2);
}

static int finish(struct meeting *m)
{
    return channel_client_finish(&m->client, m->es, m->msg2);
}

static void meet(struct meeting *m)
{
    begin(m);
    assert_int_equal(answer(m), 0);
    assert_int_equal(finish(m), 0);
}

static void assert_same_channel(const struct channel *client, const struct channel *relay)
{
    assert_true(client->open && relay->open);
    assert_memory_equal(client->h, relay->h, CHANNEL_HASH_BYTES);
    assert_memory_equal(client->send_key, relay->recv_key, AEGIS_KEY_BYTES);
    assert_memory_equal(client->recv_key, relay->send_key, AEGIS_KEY_BYTES);
    assert_memory_not_equal(client->send_key, client->recv_key, AEGIS_KEY_BYTES);
}

static void assert_wiped(const struct channel *c)
{
    assert_true(secret_is_zero(c, sizeof *c));
}

/* ---- what works ------------------------------------------------------------------- */

static void channel_handshake__gives_both_ends_one_hash_and_two_keys(void **state)
{
    struct meeting m;

    (void)state;
    meet(&m);
    assert_same_channel(&m.client, &m.relay);
    assert_true(m.relay.relay);
    assert_false(m.client.relay);
}

static void channel_handshake__leaves_no_handshake_secret_behind(void **state)
{
    struct meeting m;

    (void)state;
    meet(&m);
    assert_true(secret_is_zero(m.es, sizeof m.es));
    assert_true(secret_is_zero(m.client.ck, sizeof m.client.ck));
    assert_true(secret_is_zero(m.relay.ck, sizeof m.relay.ck));
    assert_true(secret_is_zero(m.client.k, sizeof m.client.k));
    assert_true(secret_is_zero(m.relay.k, sizeof m.relay.k));
}

static void channel_handshake__is_never_the_same_twice(void **state)
{
    struct meeting a, b;

    (void)state;
    meet(&a);
    meet(&b);
    assert_memory_not_equal(a.msg1, b.msg1, sizeof a.msg1);
    assert_memory_not_equal(a.msg2, b.msg2, sizeof a.msg2);
    assert_memory_not_equal(a.client.h, b.client.h, CHANNEL_HASH_BYTES);
    assert_memory_not_equal(a.client.send_key, b.client.send_key, AEGIS_KEY_BYTES);
}

static void channel_from__repeats_itself_when_the_randomness_is_given(void **state)
{
    const uint8_t seed[KEM_SK_BYTES] = {1}, to_relay[KEM_ESEED_BYTES] = {2};
    const uint8_t to_client[KEM_ESEED_BYTES] = {3};
    struct meeting m[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(channel_client_start_from(&m[i].client, relay_pk, seed, to_relay,
                                                   m[i].es, m[i].msg1),
                         0);
        assert_int_equal(channel_relay_answer_from(&m[i].relay, relay_pk, relay_sk,
                                                   m[i].msg1, to_client, m[i].msg2),
                         0);
        assert_int_equal(finish(&m[i]), 0);
        assert_same_channel(&m[i].client, &m[i].relay);
    }
    assert_memory_equal(m[0].msg1, m[1].msg1, sizeof m[0].msg1);
    assert_memory_equal(m[0].msg2, m[1].msg2, sizeof m[0].msg2);
    assert_memory_equal(&m[0].client, &m[1].client, sizeof m[0].client);
    assert_memory_equal(&m[0].relay, &m[1].relay, sizeof m[0].relay);
}

/* ---- damaged messages ------------------------------------------------------------- */

static int relay_takes(struct bytes msg1, void *arg)
{
    uint8_t msg2[CHANNEL_MSG2_BYTES];
    struct channel c;
    int rc;

    (void)arg;
    if (msg1.n != CHANNEL_MSG1_BYTES) /* the connection collects exactly this many */
        return CHANNEL_E_REFUSED;
    rc = channel_relay_answer(&c, relay_pk, relay_sk, msg1.p, msg2);
    if (rc) {
        assert_int_equal(rc, CHANNEL_E_REFUSED);
        assert_wiped(&c);
    }
    return rc;
}

static void channel_relay_answer__refuses__every_damaged_message_1(void **state)
{
    struct meeting m;

    (void)state;
    begin(&m);
    feed_refuses(BYTES(m.msg1), relay_takes, NULL, 1);
}

static int client_takes(struct bytes msg2, void *arg)
{
    struct meeting m = *(const struct meeting *)arg;
    int rc;

    if (msg2.n != CHANNEL_MSG2_BYTES)
        return CHANNEL_E_REFUSED;
    rc = channel_client_finish(&m.client, m.es, msg2.p);
    assert_true(secret_is_zero(m.es, sizeof m.es));
    if (rc) {
        assert_int_equal(rc, CHANNEL_E_REFUSED);
        assert_wiped(&m.client);
    }
    return rc;
}

static void channel_client_finish__refuses__every_damaged_message_2(void **state)
{
    struct meeting m;

    (void)state;
    begin(&m);
    assert_int_equal(answer(&m), 0);
    feed_refuses(BYTES(m.msg2), client_takes, &m, 2);
}

/* ---- others' keys, others' messages ----------------------------------------------- */

static void channel_relay_answer__refuses__when_either_key_is_another(void **state)
{
    uint8_t other_pk[KEM_PK_BYTES], other_sk[KEM_SK_BYTES];
    struct meeting m;

    (void)state;
    assert_int_equal(kem_keypair(other_pk, other_sk), 0);
    begin(&m);
    /* with its own pair, with ours as pk, and with its own pk before our secret */
    assert_int_equal(channel_relay_answer(&m.relay, other_pk, other_sk, m.msg1, m.msg2),
                     CHANNEL_E_REFUSED);
    assert_int_equal(channel_relay_answer(&m.relay, relay_pk, other_sk, m.msg1, m.msg2),
                     CHANNEL_E_REFUSED);
    assert_int_equal(channel_relay_answer(&m.relay, other_pk, relay_sk, m.msg1, m.msg2),
                     CHANNEL_E_REFUSED);
}

/* What a relay without the key can still do is encapsulate to e, and guess the rest. */
static void channel_client_finish__refuses__an_answer_to_e_alone(void **state)
{
    uint8_t ss[KEM_SS_BYTES];
    struct meeting m;

    (void)state;
    begin(&m);
    assert_int_equal(kem_enc(m.msg1 + KEM_CT_BYTES, m.msg2, ss), 0);
    memset(m.msg2 + KEM_CT_BYTES, 0, AEGIS_TAG_BYTES);
    assert_int_equal(finish(&m), CHANNEL_E_REFUSED);
}

static void channel_client_finish__refuses__the_answer_to_another_message_1(void **state)
{
    struct meeting a, b;

    (void)state;
    begin(&a);
    begin(&b);
    assert_int_equal(answer(&a), 0);
    assert_int_equal(answer(&b), 0);
    assert_int_equal(channel_client_finish(&a.client, a.es, b.msg2), CHANNEL_E_REFUSED);
}

static void channel_client_finish__refuses__an_old_answer(void **state)
{
    struct meeting old, m;

    (void)state;
    meet(&old);
    begin(&m);
    memcpy(m.msg2, old.msg2, sizeof m.msg2);
    assert_int_equal(finish(&m), CHANNEL_E_REFUSED);
}

/* Each part of message 1 from one handshake, the rest from another. */
static void channel_relay_answer__refuses__mixed_transcripts(void **state)
{
    const size_t parts[] = {0, KEM_CT_BYTES, TAG_1_AT, CHANNEL_MSG1_BYTES};
    struct meeting a, b;

    (void)state;
    begin(&a);
    begin(&b);
    for (size_t i = 0; i < 3; i++) {
        struct meeting m = a;

        memcpy(m.msg1 + parts[i], b.msg1 + parts[i], parts[i + 1] - parts[i]);
        assert_int_equal(answer(&m), CHANNEL_E_REFUSED);
        m = a;
        memcpy(m.msg1, b.msg1, sizeof m.msg1);
        memcpy(m.msg1 + parts[i], a.msg1 + parts[i], parts[i + 1] - parts[i]);
        assert_int_equal(answer(&m), CHANNEL_E_REFUSED);
    }
}

/* A replayed message 1 is answered, as nobody can tell, but gives the one who replays
 * nothing: the answer is fresh, and only e's owner can use it. */
static void channel_relay_answer__gives_a_replayed_message_1_other_keys(void **state)
{
    struct meeting first, again;
    uint8_t record[CHANNEL_RECORD_BYTES] = {0};
    struct bytes frames;

    (void)state;
    meet(&first);
    assert_int_equal(channel_seal(&first.client, record, 10), 0);
    again = first;
    assert_int_equal(answer(&again), 0);
    assert_memory_not_equal(again.msg2, first.msg2, sizeof first.msg2);
    assert_memory_not_equal(again.relay.h, first.relay.h, CHANNEL_HASH_BYTES);
    assert_memory_not_equal(again.relay.recv_key, first.relay.recv_key, AEGIS_KEY_BYTES);
    assert_int_equal(channel_open(&again.relay, record, sizeof record, &frames),
                     CHANNEL_E_REFUSED);
}

static void channel_client_finish__refuses__a_second_time(void **state)
{
    struct meeting m;

    (void)state;
    meet(&m);
    assert_int_equal(finish(&m), CHANNEL_E_REFUSED);
    assert_wiped(&m.client);
}

static void channel__refuses__records_before_the_handshake_is_done(void **state)
{
    uint8_t record[CHANNEL_RECORD_BYTES] = {0};
    struct bytes frames;
    struct meeting m;

    (void)state;
    begin(&m);
    assert_int_equal(channel_seal(&m.client, record, 0), -EINVAL);
    le_put(record, CHANNEL_RECORD_BYTES - 2, 2);
    assert_int_equal(channel_open(&m.client, record, sizeof record, &frames),
                     CHANNEL_E_REFUSED);
}

/* ---- the two ways in which a KEM says no (SPEC 1) --------------------------------- */

static void channel_relay_answer__ends_alike__for_low_order_and_damaged_parts(
    void **state)
{
    struct meeting m, low, damaged;

    (void)state;
    begin(&m);
    low = damaged = m;
    memset(low.msg1 + KEM_CT_BYTES - X25519_BYTES, 0, X25519_BYTES);
    damaged.msg1[0] ^= 1;
    assert_int_equal(answer(&low), CHANNEL_E_REFUSED);
    assert_int_equal(answer(&damaged), CHANNEL_E_REFUSED);
    assert_wiped(&low.relay);
    assert_wiped(&damaged.relay);
}

static void channel_client_finish__ends_alike__for_low_order_and_damaged_parts(
    void **state)
{
    struct meeting m, low, damaged;

    (void)state;
    begin(&m);
    assert_int_equal(answer(&m), 0);
    low = damaged = m;
    memset(low.msg2 + KEM_CT_BYTES - X25519_BYTES, 0, X25519_BYTES);
    damaged.msg2[0] ^= 1;
    assert_int_equal(finish(&low), CHANNEL_E_REFUSED);
    assert_int_equal(finish(&damaged), CHANNEL_E_REFUSED);
    assert_memory_equal(&low.client, &damaged.client, sizeof low.client);
}

/* The handshake once more, as somebody writes it who chooses all of it. */
struct forger {
    uint8_t h[64], ck[64], k[32];
};

static void forge_hash(struct forger *f, const uint8_t *p, size_t n)
{
    const struct bytes parts[] = {BYTES(f->h), {p, n}};
    uint8_t h[64];

    sha512_parts(h, parts, 2);
    memcpy(f->h, h, sizeof h);
}

static void forge_key(struct forger *f, const uint8_t ss[32])
{
    uint8_t prk[PRK_BYTES], okm[128];

    hkdf_extract(prk, BYTES(f->ck), (struct bytes){ss, 32});
    hkdf_expand(prk, LABEL(""), okm, sizeof okm);
    memcpy(f->ck, okm, 64);
    memcpy(f->k, okm + 64, 32);
}

static void forge_message_1(uint8_t msg1[CHANNEL_MSG1_BYTES], const uint8_t ss[32])
{
    static const char name[64] = "Noise_pqNK_XWing_AEGIS256_SHA512";
    const uint8_t nonce[AEGIS_NONCE_BYTES] = {0};
    struct forger f;

    memcpy(f.h, name, 64);
    memcpy(f.ck, name, 64);
    forge_hash(&f, (const uint8_t *)"kith/1", 6);
    forge_hash(&f, relay_pk, sizeof relay_pk);
    forge_hash(&f, msg1, KEM_CT_BYTES);
    forge_key(&f, ss);
    forge_hash(&f, msg1 + KEM_CT_BYTES, KEM_PK_BYTES);
    aegis_seal(f.k, nonce, BYTES(f.h), LABEL(""), msg1 + TAG_1_AT);
}

static void channel_relay_answer__takes__a_forged_message_1_that_is_right(void **state)
{
    uint8_t ss[KEM_SS_BYTES];
    struct meeting m;

    (void)state;
    begin(&m);
    assert_int_equal(kem_enc(relay_pk, m.msg1, ss), 0);
    forge_message_1(m.msg1, ss); /* so the forger below fails for the right reason */
    assert_int_equal(answer(&m), 0);
}

/* Everybody knows what a refused ciphertext leaves as ss: a tag made with that must not
 * do. */
static void channel_relay_answer__refuses__a_tag_made_with_a_refused_secret(void **state)
{
    const uint8_t zeros[KEM_SS_BYTES] = {0};
    struct meeting m;

    (void)state;
    begin(&m);
    memset(m.msg1 + KEM_CT_BYTES - X25519_BYTES, 0, X25519_BYTES);
    forge_message_1(m.msg1, zeros);
    assert_int_equal(answer(&m), CHANNEL_E_REFUSED);
}

static void channel_relay_answer__refuses__a_bad_e_in_a_good_message(void **state)
{
    uint8_t ss[KEM_SS_BYTES];
    struct meeting m, low, unreduced;

    (void)state;
    begin(&m);
    assert_int_equal(kem_enc(relay_pk, m.msg1, ss), 0);
    low = unreduced = m;
    memset(low.msg1 + TAG_1_AT - X25519_BYTES, 0, X25519_BYTES);
    forge_message_1(low.msg1, ss);
    assert_int_equal(answer(&low), CHANNEL_E_REFUSED);
    memset(unreduced.msg1 + KEM_CT_BYTES, 0xff, 3);
    forge_message_1(unreduced.msg1, ss);
    assert_int_equal(answer(&unreduced), CHANNEL_E_REFUSED);
    assert_wiped(&low.relay);
    assert_wiped(&unreduced.relay);
}

static void channel_client_start__refuses__a_bad_relay_key(void **state)
{
    uint8_t bad[KEM_PK_BYTES];
    struct meeting m;

    (void)state;
    memcpy(bad, relay_pk, sizeof bad);
    memset(bad + KEM_PK_BYTES - X25519_BYTES, 0, X25519_BYTES);
    assert_int_equal(channel_client_start(&m.client, bad, m.es, m.msg1),
                     CHANNEL_E_REFUSED);
    assert_wiped(&m.client);
    memcpy(bad, relay_pk, sizeof bad);
    memset(bad, 0xff, 3);
    assert_int_equal(channel_client_start(&m.client, bad, m.es, m.msg1),
                     CHANNEL_E_REFUSED);
    assert_wiped(&m.client);
}

/* ---- no randomness ---------------------------------------------------------------- */

static void channel__stops__when_there_is_no_randomness(void **state)
{
    struct support_fault fault;
    struct meeting m;
    unsigned nth;
    int rc;

    (void)state;
    for (nth = 1;; nth++) {
        support_fail_nth(&fault, SEAM_RANDOM, nth, -EIO);
        rc = channel_client_start(&m.client, relay_pk, m.es, m.msg1);
        support_fail_none();
        if (!fault.fired)
            break;
        assert_int_equal(rc, -EIO);
        assert_wiped(&m.client);
    }
    assert_true(nth > 1);
    begin(&m);
    support_fail_nth(&fault, SEAM_RANDOM, 1, -EIO);
    rc = answer(&m);
    support_fail_none();
    assert_int_equal(rc, -EIO);
    assert_wiped(&m.relay);
}

/* ---- fingerprint ------------------------------------------------------------------ */

static void channel_fingerprint__covers_key_and_cohort(void **state)
{
    uint8_t cohort[CHANNEL_COHORT_BYTES] = {7}, key_hash[HASH_BYTES];
    uint8_t one[CHANNEL_FINGERPRINT_BYTES], other[CHANNEL_FINGERPRINT_BYTES];
    uint8_t pk[KEM_PK_BYTES];

    (void)state;
    channel_fingerprint(relay_pk, cohort, one);
    HASH(key_hash, BYTES(relay_pk));
    channel_fingerprint_of_hash(key_hash, cohort, other);
    assert_memory_equal(one, other, sizeof one);
    cohort[31] ^= 1;
    channel_fingerprint(relay_pk, cohort, other);
    assert_memory_not_equal(one, other, sizeof one);
    cohort[31] ^= 1;
    memcpy(pk, relay_pk, sizeof pk);
    pk[KEM_PK_BYTES - 1] ^= 1;
    channel_fingerprint(pk, cohort, other);
    assert_memory_not_equal(one, other, sizeof one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(channel_handshake__gives_both_ends_one_hash_and_two_keys),
        cmocka_unit_test(channel_handshake__leaves_no_handshake_secret_behind),
        cmocka_unit_test(channel_handshake__is_never_the_same_twice),
        cmocka_unit_test(channel_from__repeats_itself_when_the_randomness_is_given),
        cmocka_unit_test(channel_relay_answer__refuses__every_damaged_message_1),
        cmocka_unit_test(channel_client_finish__refuses__every_damaged_message_2),
        cmocka_unit_test(channel_relay_answer__refuses__when_either_key_is_another),
        cmocka_unit_test(channel_client_finish__refuses__an_answer_to_e_alone),
        cmocka_unit_test(channel_client_finish__refuses__the_answer_to_another_message_1),
        cmocka_unit_test(channel_client_finish__refuses__an_old_answer),
        cmocka_unit_test(channel_relay_answer__refuses__mixed_transcripts),
        cmocka_unit_test(channel_relay_answer__gives_a_replayed_message_1_other_keys),
        cmocka_unit_test(channel_client_finish__refuses__a_second_time),
        cmocka_unit_test(channel__refuses__records_before_the_handshake_is_done),
        cmocka_unit_test(
            channel_relay_answer__ends_alike__for_low_order_and_damaged_parts),
        cmocka_unit_test(
            channel_client_finish__ends_alike__for_low_order_and_damaged_parts),
        cmocka_unit_test(channel_relay_answer__takes__a_forged_message_1_that_is_right),
        cmocka_unit_test(channel_relay_answer__refuses__a_tag_made_with_a_refused_secret),
        cmocka_unit_test(channel_relay_answer__refuses__a_bad_e_in_a_good_message),
        cmocka_unit_test(channel_client_start__refuses__a_bad_relay_key),
        cmocka_unit_test(channel__stops__when_there_is_no_randomness),
        cmocka_unit_test(channel_fingerprint__covers_key_and_cohort),
    };

    if (secret_start() || kem_keypair(relay_pk, relay_sk))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
