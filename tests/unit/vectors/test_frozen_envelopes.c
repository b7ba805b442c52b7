/* SPDX-License-Identifier: Apache-2.0 */
/* Envelopes as the second implementation made them, each layer under its given key:
 * tests/vectors/session.json and two_keys.json.  What derives the keys has its own test,
 * tests/unit/client/core/test_ratchet_frozen.c. */
#include "tests/support/frozen.h"

#include "lib/secret.h"
#include "proto/envelope.h"

#include <string.h>

static json_t *root;

static uint8_t envelope[ENVELOPE_BYTES], payload[PAYLOAD_BYTES_MAX];
static size_t payload_n;

static void assert_payload(const json_t *o, const char *key)
{
    frozen_equal(o, key, payload, payload_n);
}

static void envelope_offer__is_the_frozen_one(void **state)
{
    const json_t *o = json_object_get(root, "link");
    struct bytes said = vectors_hex(o, "offer_payload");
    uint8_t secret[32], salt[16], pk[KEM_PK_BYTES], opened_pk[KEM_PK_BYTES];

    (void)state;
    frozen_copy(o, "secret", secret, 32);
    frozen_copy(o, "offer_salt", salt, 16);
    frozen_copy(o, "pk", pk, sizeof pk);
    assert_int_equal(envelope_offer_seal(secret, salt, pk, said, envelope), 0);
    frozen_equal(o, "offer", envelope, sizeof envelope);
    assert_int_equal(
        envelope_offer_open(secret, envelope, opened_pk, payload, &payload_n), 0);
    assert_memory_equal(opened_pk, pk, sizeof pk);
    assert_payload(o, "offer_payload");
    support_drop(said);
}

static void envelope_take__is_the_frozen_one(void **state)
{
    const json_t *o = json_object_get(root, "link");
    const json_t *turn = json_array_get(vectors_array(root, "turns"), 0);
    struct bytes said = vectors_hex(o, "take_payload");
    uint8_t secret[32], salt[16], k_body[32], th_1[32];
    uint8_t ct[KEM_CT_BYTES], pk[KEM_PK_BYTES], body[ENVELOPE_BODY_BYTES];

    (void)state;
    frozen_copy(o, "secret", secret, 32);
    frozen_copy(o, "take_salt", salt, 16);
    frozen_copy(o, "take_k_body", k_body, 32);
    frozen_copy(turn, "th", th_1, 32);
    frozen_copy(turn, "ct", ct, sizeof ct);
    frozen_copy(turn, "pk", pk, sizeof pk);
    assert_int_equal(
        envelope_take_seal(secret, salt, ct, pk, k_body, th_1, said, envelope), 0);
    frozen_equal(o, "take", envelope, sizeof envelope);
    assert_int_equal(envelope_take_open(secret, envelope, ct, pk, body), 0);
    frozen_equal(turn, "ct", ct, sizeof ct);
    frozen_equal(turn, "pk", pk, sizeof pk);
    assert_int_equal(
        envelope_take_body_open(envelope, body, k_body, th_1, payload, &payload_n), 0);
    assert_payload(o, "take_payload");
    support_drop(said);
}

static void check_mail(const json_t *turn, const json_t *o)
{
    uint8_t tag[16], salt[16], k_hdr[32], k_body[32], th[32];
    struct bytes said = vectors_hex(o, "payload");
    struct envelope_header in, out;

    frozen_copy(o, "tag", tag, 16);
    frozen_copy(o, "salt", salt, 16);
    frozen_copy(o, "k_hdr", k_hdr, 32);
    frozen_copy(o, "k_body", k_body, 32);
    frozen_copy(turn, "th", th, 32);
    frozen_copy(turn, "pk", in.pk, sizeof in.pk);
    frozen_copy(turn, "ct", in.ct, sizeof in.ct);
    in.n = (uint32_t)vectors_number(o, "n");
    in.pn = (uint32_t)vectors_number(o, "pn");
    assert_int_equal(
        envelope_mail_seal(tag, salt, k_hdr, &in, k_body, th, said, envelope), 0);
    frozen_equal(o, "envelope", envelope, sizeof envelope);
    assert_int_equal(envelope_header_open(envelope, k_hdr, &out), 0);
    assert_memory_equal(&out, &in, sizeof in);
    assert_int_equal(envelope_body_open(envelope, k_body, th, payload, &payload_n), 0);
    assert_payload(o, "payload");
    support_drop(said);
}

static void envelope_mail__is_the_frozen_one_in_each_turn(void **state)
{
    size_t i, j, count = 0;
    json_t *turn, *o;

    (void)state;
    json_array_foreach(vectors_array(root, "turns"), i, turn)
    {
        json_array_foreach(vectors_array(turn, "messages"), j, o)
        {
            check_mail(turn, o);
            count++;
        }
    }
    assert_true(count >= 15);
}

/* A ciphertext made to verify under two keys: the commitment lets one of them open it. */
static void envelope_body_open__refuses__the_second_key_of_a_two_key_body(void **state)
{
    enum { BODY_AT = 32 + ENVELOPE_HEADER_BYTES };
    json_t *o = frozen_load("two_keys.json");
    uint8_t key_1[32], key_2[32], th[32], ad[32 + BODY_AT];
    uint8_t plain[ENVELOPE_BODY_BYTES - AEAD_TAG_BYTES];
    const struct bytes body = {envelope + BODY_AT, ENVELOPE_BODY_BYTES};

    (void)state;
    frozen_copy(o, "key_1", key_1, 32);
    frozen_copy(o, "key_2", key_2, 32);
    frozen_copy(o, "th", th, 32);
    frozen_copy(o, "envelope", envelope, sizeof envelope);
    memcpy(ad, th, 32);
    memcpy(ad + 32, envelope, BODY_AT);
    assert_int_equal(aead_open(key_1, BYTES(ad), body, plain), 0);
    assert_int_equal(aead_open(key_2, BYTES(ad), body, plain), 0); /* the trap is set */
    assert_int_equal(envelope_body_open(envelope, key_1, th, payload, &payload_n), 0);
    assert_payload(o, "payload");
    assert_int_equal(envelope_body_open(envelope, key_2, th, payload, &payload_n),
                     ENVELOPE_E_REFUSED);
    json_decref(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(envelope_offer__is_the_frozen_one),
        cmocka_unit_test(envelope_take__is_the_frozen_one),
        cmocka_unit_test(envelope_mail__is_the_frozen_one_in_each_turn),
        cmocka_unit_test(envelope_body_open__refuses__the_second_key_of_a_two_key_body),
    };
    int failed;

    if (secret_start())
        return 1;
    root = frozen_load("session.json");
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_decref(root);
    return failed;
}
