/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/feed.h"

#include "lib/secret.h"
#include "proto/envelope.h"

#include <errno.h>
#include <string.h>

enum { BODY_AT = 32 + ENVELOPE_HEADER_BYTES, HEAD_BYTES = 32 };

/* Everything that goes into an envelope, different in each byte. */
static struct {
    uint8_t tag[16], salt[16], k_hdr[32], k_body[32], th[32], secret[32];
    uint8_t pk[KEM_PK_BYTES], ct[KEM_CT_BYTES], payload[PAYLOAD_BYTES_MAX];
} in;
static uint8_t envelope[ENVELOPE_BYTES];

static struct bytes payload_of(size_t n)
{
    return (struct bytes){in.payload, n};
}

static void seal_mail(uint32_t n, uint32_t pn, size_t payload_n)
{
    struct envelope_header h = {.n = n, .pn = pn};

    memcpy(h.pk, in.pk, sizeof h.pk);
    memcpy(h.ct, in.ct, sizeof h.ct);
    assert_int_equal(envelope_mail_seal(in.tag, in.salt, in.k_hdr, &h, in.k_body, in.th,
                                        payload_of(payload_n), envelope),
                     0);
}

static void seal_offer(size_t payload_n)
{
    assert_int_equal(
        envelope_offer_seal(in.secret, in.salt, in.pk, payload_of(payload_n), envelope),
        0);
}

static void seal_take(size_t payload_n)
{
    assert_int_equal(envelope_take_seal(in.secret, in.salt, in.ct, in.pk, in.k_body,
                                        in.th, payload_of(payload_n), envelope),
                     0);
}

/* Fails the test unless out, filled with 0x5a before, is untouched. */
static void assert_untouched(const void *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(((const uint8_t *)out)[i], 0x5a);
}

/* ---- openers as the feeder wants them --------------------------------------------- */

static int opens_header(struct bytes e, void *arg)
{
    struct envelope_header h;
    int rc;

    (void)arg;
    if (e.n != ENVELOPE_BYTES) /* msg_post and msg_envelopes see to it */
        return ENVELOPE_E_REFUSED;
    memset(&h, 0x5a, sizeof h);
    rc = envelope_header_open(e.p, in.k_hdr, &h);
    if (rc)
        assert_untouched(&h, sizeof h);
    return rc;
}

static int opens_body(struct bytes e, void *arg)
{
    uint8_t payload[PAYLOAD_BYTES_MAX];
    size_t n = SIZE_MAX;
    int rc;

    (void)arg;
    if (e.n != ENVELOPE_BYTES)
        return ENVELOPE_E_REFUSED;
    memset(payload, 0x5a, sizeof payload);
    rc = envelope_body_open(e.p, in.k_body, in.th, payload, &n);
    if (rc) {
        assert_untouched(payload, sizeof payload);
        assert_int_equal(n, SIZE_MAX);
    }
    return rc;
}

static int opens_offer(struct bytes e, void *arg)
{
    uint8_t payload[PAYLOAD_BYTES_MAX], pk[KEM_PK_BYTES];
    size_t n = SIZE_MAX;
    int rc;

    (void)arg;
    if (e.n != ENVELOPE_BYTES)
        return ENVELOPE_E_REFUSED;
    memset(payload, 0x5a, sizeof payload);
    memset(pk, 0x5a, sizeof pk);
    rc = envelope_offer_open(in.secret, e.p, pk, payload, &n);
    if (rc) {
        assert_untouched(payload, sizeof payload);
        assert_untouched(pk, sizeof pk);
        assert_int_equal(n, SIZE_MAX);
    }
    return rc;
}

static int opens_take(struct bytes e, void *arg)
{
    uint8_t ct[KEM_CT_BYTES], pk[KEM_PK_BYTES], body[ENVELOPE_BODY_BYTES];
    int rc;

    (void)arg;
    if (e.n != ENVELOPE_BYTES)
        return ENVELOPE_E_REFUSED;
    memset(ct, 0x5a, sizeof ct);
    memset(pk, 0x5a, sizeof pk);
    memset(body, 0x5a, sizeof body);
    rc = envelope_take_open(in.secret, e.p, ct, pk, body);
    if (rc) {
        assert_untouched(ct, sizeof ct);
        assert_untouched(pk, sizeof pk);
        assert_untouched(body, sizeof body);
    }
    return rc;
}

/* The body alone, under a right head. */
static int opens_take_body(struct bytes body, void *arg)
{
    uint8_t payload[PAYLOAD_BYTES_MAX];
    size_t n;

    (void)arg;
    if (body.n != ENVELOPE_BODY_BYTES)
        return ENVELOPE_E_REFUSED;
    return envelope_take_body_open(envelope, body.p, in.k_body, in.th, payload, &n);
}

static struct bytes whole(void)
{
    return (struct bytes){envelope, sizeof envelope};
}

/* ---- what works ------------------------------------------------------------------- */

static void envelope_mail__opens__to_what_was_sealed(void **state)
{
    uint8_t payload[PAYLOAD_BYTES_MAX];
    struct envelope_header h;

    (void)state;
    for (size_t n = 0; n <= PAYLOAD_BYTES_MAX; n += n < 3 || n > 1618 ? 1 : 405) {
        size_t got = SIZE_MAX;

        seal_mail(255, 256, n);
        assert_int_equal(envelope_header_open(envelope, in.k_hdr, &h), 0);
        assert_memory_equal(h.pk, in.pk, sizeof h.pk);
        assert_memory_equal(h.ct, in.ct, sizeof h.ct);
        assert_int_equal(h.n, 255);
        assert_int_equal(h.pn, 256);
        assert_int_equal(envelope_body_open(envelope, in.k_body, in.th, payload, &got),
                         0);
        assert_int_equal(got, n);
        assert_memory_equal(payload, in.payload, n);
        assert_memory_equal(envelope, in.tag, 16);
        assert_memory_equal(envelope + 16, in.salt, 16);
    }
}

static void envelope_offer__opens__to_what_was_sealed(void **state)
{
    uint8_t payload[PAYLOAD_BYTES_MAX], pk[KEM_PK_BYTES];
    size_t got;

    (void)state;
    for (size_t n = 0; n <= PAYLOAD_BYTES_MAX; n += 811) {
        seal_offer(n);
        assert_true(envelope_link_is(in.secret, ENVELOPE_OFFER, envelope));
        assert_false(envelope_link_is(in.secret, ENVELOPE_TAKE, envelope));
        assert_int_equal(envelope_offer_open(in.secret, envelope, pk, payload, &got), 0);
        assert_int_equal(got, n);
        assert_memory_equal(payload, in.payload, n);
        assert_memory_equal(pk, in.pk, sizeof pk);
    }
}

static void envelope_take__opens__to_what_was_sealed(void **state)
{
    uint8_t ct[KEM_CT_BYTES], pk[KEM_PK_BYTES], body[ENVELOPE_BODY_BYTES];
    uint8_t payload[PAYLOAD_BYTES_MAX];
    size_t got;

    (void)state;
    for (size_t n = 0; n <= PAYLOAD_BYTES_MAX; n += 811) {
        seal_take(n);
        assert_true(envelope_link_is(in.secret, ENVELOPE_TAKE, envelope));
        assert_false(envelope_link_is(in.secret, ENVELOPE_OFFER, envelope));
        assert_int_equal(envelope_take_open(in.secret, envelope, ct, pk, body), 0);
        assert_memory_equal(ct, in.ct, sizeof ct);
        assert_memory_equal(pk, in.pk, sizeof pk);
        assert_int_equal(
            envelope_take_body_open(envelope, body, in.k_body, in.th, payload, &got), 0);
        assert_int_equal(got, n);
        assert_memory_equal(payload, in.payload, n);
    }
}

static void envelope_seal__refuses__a_payload_over_1622_bytes(void **state)
{
    const struct bytes long_one = {in.payload, PAYLOAD_BYTES_MAX + 1};
    struct envelope_header h = {.n = 0};

    (void)state;
    assert_int_equal(envelope_mail_seal(in.tag, in.salt, in.k_hdr, &h, in.k_body, in.th,
                                        long_one, envelope),
                     -EMSGSIZE);
    assert_int_equal(envelope_offer_seal(in.secret, in.salt, in.pk, long_one, envelope),
                     -EMSGSIZE);
    assert_int_equal(envelope_take_seal(in.secret, in.salt, in.ct, in.pk, in.k_body,
                                        in.th, long_one, envelope),
                     -EMSGSIZE);
}

/* How long the words are shows nowhere: only the encrypted part differs. */
static void envelope_mail__is_one_size_whatever_it_says(void **state)
{
    uint8_t guard[ENVELOPE_BYTES + 64];
    struct envelope_header h = {.n = 0};

    (void)state;
    for (size_t n = 0; n <= PAYLOAD_BYTES_MAX; n += PAYLOAD_BYTES_MAX) {
        memset(guard, 0x5a, sizeof guard);
        assert_int_equal(envelope_mail_seal(in.tag, in.salt, in.k_hdr, &h, in.k_body,
                                            in.th, payload_of(n), guard),
                         0);
        assert_untouched(guard + ENVELOPE_BYTES, 64);
        assert_false(secret_is_zero(guard + ENVELOPE_BYTES - 16, 16));
    }
}

/* ---- damage ----------------------------------------------------------------------- */

static void envelope_header_open__refuses__a_change_in_head_or_header(void **state)
{
    struct bytes part = {envelope, BODY_AT};
    uint8_t damaged[ENVELOPE_BYTES];

    (void)state;
    seal_mail(3, 0, 100);
    assert_int_equal(opens_header(whole(), NULL), 0);
    for (size_t i = 0; i < part.n; i++) {
        memcpy(damaged, envelope, sizeof damaged);
        damaged[i] ^= (uint8_t)(1u << i % 8);
        assert_int_equal(opens_header(BYTES(damaged), NULL), ENVELOPE_E_REFUSED);
    }
}

/* The body's ad covers all before it, so that one check speaks for the whole envelope. */
static void envelope_body_open__refuses__every_damaged_envelope(void **state)
{
    (void)state;
    seal_mail(3, 0, 100);
    feed_refuses(whole(), opens_body, NULL, 1);
}

static void envelope_offer_open__refuses__every_damaged_envelope(void **state)
{
    (void)state;
    seal_offer(100);
    feed_refuses(whole(), opens_offer, NULL, 2);
}

static void envelope_take_open__refuses__every_damaged_envelope(void **state)
{
    (void)state;
    seal_take(100);
    feed_refuses(whole(), opens_take, NULL, 3);
}

static void envelope_take_body_open__refuses__every_damaged_body(void **state)
{
    uint8_t ct[KEM_CT_BYTES], pk[KEM_PK_BYTES], body[ENVELOPE_BODY_BYTES];

    (void)state;
    seal_take(100);
    assert_int_equal(envelope_take_open(in.secret, envelope, ct, pk, body), 0);
    feed_refuses(BYTES(body), opens_take_body, NULL, 4);
    envelope[0] ^= 1; /* another tag */
    assert_int_equal(opens_take_body(BYTES(body), NULL), ENVELOPE_E_REFUSED);
    envelope[0] ^= 1;
    envelope[31] ^= 1; /* another salt */
    assert_int_equal(opens_take_body(BYTES(body), NULL), ENVELOPE_E_REFUSED);
}

static void envelope__refuses__every_changed_key(void **state)
{
    uint8_t *const keys[] = {in.k_hdr, in.k_body, in.th, in.secret};

    (void)state;
    for (size_t i = 0; i < 4; i++)
        for (size_t bit = 0; bit < 256; bit++) {
            bool of_mail = keys[i] != in.secret;
            int rc;

            keys[i][bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (of_mail)
                seal_mail(1, 1, 10);
            else
                seal_offer(10);
            keys[i][bit / 8] ^= (uint8_t)(1u << bit % 8);
            rc = keys[i] == in.k_hdr ? opens_header(whole(), NULL)
                 : of_mail           ? opens_body(whole(), NULL)
                                     : opens_offer(whole(), NULL);
            assert_int_equal(rc, ENVELOPE_E_REFUSED);
        }
}

static void envelope__takes__no_shape_for_another(void **state)
{
    (void)state;
    seal_offer(100);
    assert_int_equal(opens_take(whole(), NULL), ENVELOPE_E_REFUSED);
    assert_int_equal(opens_body(whole(), NULL), ENVELOPE_E_REFUSED);
    seal_take(100);
    assert_int_equal(opens_offer(whole(), NULL), ENVELOPE_E_REFUSED);
    assert_int_equal(opens_body(whole(), NULL), ENVELOPE_E_REFUSED);
    seal_mail(1, 1, 100);
    assert_int_equal(opens_offer(whole(), NULL), ENVELOPE_E_REFUSED);
    assert_int_equal(opens_take(whole(), NULL), ENVELOPE_E_REFUSED);
}

static void envelope_body_open__refuses__another_envelopes_body(void **state)
{
    uint8_t first[ENVELOPE_BYTES];

    (void)state;
    seal_mail(1, 0, 100);
    memcpy(first, envelope, sizeof first);
    seal_mail(2, 0, 100);
    memcpy(envelope + BODY_AT, first + BODY_AT, ENVELOPE_BODY_BYTES);
    assert_int_equal(opens_header(whole(), NULL), 0);
    assert_int_equal(opens_body(whole(), NULL), ENVELOPE_E_REFUSED);
}

/* ---- sealed right, said wrong (SPEC 6.1) ------------------------------------------ */

/* The body of the mail in `envelope` again, with one plaintext byte set. */
static void reseal_body(size_t at, uint8_t value)
{
    uint8_t plain[ENVELOPE_BODY_BYTES - AEAD_TAG_BYTES], ad[32 + BODY_AT];

    memcpy(ad, in.th, 32);
    memcpy(ad + 32, envelope, BODY_AT);
    memset(plain, 0, sizeof plain);
    le_put(plain + ENVELOPE_COMMIT_BYTES, 100, 2);
    memset(plain + ENVELOPE_COMMIT_BYTES + 2, 7, 100);
    plain[at] = value;
    aead_seal(in.k_body, BYTES(ad), BYTES(plain), envelope + BODY_AT);
}

static void envelope_body_open__refuses__a_commitment_that_is_not_zero(void **state)
{
    (void)state;
    seal_mail(1, 0, 100);
    reseal_body(ENVELOPE_COMMIT_BYTES + 2, 9); /* a byte of the payload: fine */
    assert_int_equal(opens_body(whole(), NULL), 0);
    for (size_t at = 0; at < ENVELOPE_COMMIT_BYTES; at++) {
        reseal_body(at, 1);
        assert_int_equal(opens_body(whole(), NULL), ENVELOPE_E_REFUSED);
    }
}

static void envelope_body_open__refuses__padding_that_is_not_zero(void **state)
{
    const size_t end = ENVELOPE_BODY_BYTES - AEAD_TAG_BYTES;

    (void)state;
    seal_mail(1, 0, 100);
    for (size_t at = ENVELOPE_COMMIT_BYTES + 2 + 100; at < end; at++) {
        reseal_body(at, 1);
        assert_int_equal(opens_body(whole(), NULL), ENVELOPE_E_REFUSED);
    }
}

static void envelope_body_open__refuses__a_length_beyond_the_body(void **state)
{
    (void)state;
    seal_mail(1, 0, 100);
    reseal_body(ENVELOPE_COMMIT_BYTES + 1, 0xff); /* 100 becomes 65,380 */
    assert_int_equal(opens_body(whole(), NULL), ENVELOPE_E_REFUSED);
    reseal_body(ENVELOPE_COMMIT_BYTES + 1, 0x06); /* 1,636: in reach, but over 1,622 */
    assert_int_equal(opens_body(whole(), NULL), ENVELOPE_E_REFUSED);
    reseal_body(ENVELOPE_COMMIT_BYTES + 1, 0x05); /* 1,380: just more zeros */
    assert_int_equal(opens_body(whole(), NULL), 0);
}

/* A link envelope whose plaintext is chosen whole. */
static void seal_link(enum envelope_link_kind kind, const uint8_t *plain)
{
    uint8_t key[32];

    memcpy(envelope + 16, in.salt, 16);
    envelope_link_keys(in.secret, kind, in.salt, envelope, key);
    aead_seal(key, (struct bytes){envelope, HEAD_BYTES},
              (struct bytes){plain, ENVELOPE_LINK_BYTES - AEAD_TAG_BYTES}, envelope + 32);
}

static void envelope_offer_open__refuses__padding_and_lengths(void **state)
{
    uint8_t plain[ENVELOPE_LINK_BYTES - AEAD_TAG_BYTES] = {0};

    (void)state;
    le_put(plain + KEM_PK_BYTES, PAYLOAD_BYTES_MAX, 2);
    seal_link(ENVELOPE_OFFER, plain);
    assert_int_equal(opens_offer(whole(), NULL), 0);
    for (size_t at = KEM_PK_BYTES + 2 + PAYLOAD_BYTES_MAX; at < sizeof plain; at++) {
        plain[at] = 1;
        seal_link(ENVELOPE_OFFER, plain);
        assert_int_equal(opens_offer(whole(), NULL), ENVELOPE_E_REFUSED);
        plain[at] = 0;
    }
    for (size_t n = PAYLOAD_BYTES_MAX + 1; n <= UINT16_MAX; n += 61) {
        le_put(plain + KEM_PK_BYTES, n, 2);
        seal_link(ENVELOPE_OFFER, plain);
        assert_int_equal(opens_offer(whole(), NULL), ENVELOPE_E_REFUSED);
    }
}

static void envelope_take_open__refuses__its_last_eight_bytes_not_zero(void **state)
{
    uint8_t plain[ENVELOPE_LINK_BYTES - AEAD_TAG_BYTES] = {0};

    (void)state;
    seal_link(ENVELOPE_TAKE, plain);
    assert_int_equal(opens_take(whole(), NULL), 0);
    for (size_t at = sizeof plain - 8; at < sizeof plain; at++) {
        plain[at] = 1;
        seal_link(ENVELOPE_TAKE, plain);
        assert_int_equal(opens_take(whole(), NULL), ENVELOPE_E_REFUSED);
        plain[at] = 0;
    }
}

/* ---- link keys, SPEC 6.2 ---------------------------------------------------------- */

static void envelope_link_keys__differ__by_secret_kind_and_salt(void **state)
{
    uint8_t secret[32] = {0}, salt[16] = {0}, tags[4][16], keys[4][32];

    (void)state;
    envelope_link_keys(secret, ENVELOPE_OFFER, salt, tags[0], keys[0]);
    envelope_link_keys(secret, ENVELOPE_TAKE, salt, tags[1], keys[1]);
    salt[15] = 1;
    envelope_link_keys(secret, ENVELOPE_OFFER, salt, tags[2], keys[2]);
    salt[15] = 0;
    secret[31] = 1;
    envelope_link_keys(secret, ENVELOPE_OFFER, salt, tags[3], keys[3]);
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(tags[i], tags[j], 16);
            assert_memory_not_equal(keys[i], keys[j], 32);
        }
}

static void envelope_link_is__finds__its_own_among_noise(void **state)
{
    struct support_random random;
    uint8_t noise[ENVELOPE_BYTES];

    (void)state;
    support_random_start(&random, 5);
    for (int i = 0; i < 2000; i++) {
        support_random_fill(&random, noise, sizeof noise);
        assert_false(envelope_link_is(in.secret, ENVELOPE_OFFER, noise));
        assert_false(envelope_link_is(in.secret, ENVELOPE_TAKE, noise));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(envelope_mail__opens__to_what_was_sealed),
        cmocka_unit_test(envelope_offer__opens__to_what_was_sealed),
        cmocka_unit_test(envelope_take__opens__to_what_was_sealed),
        cmocka_unit_test(envelope_seal__refuses__a_payload_over_1622_bytes),
        cmocka_unit_test(envelope_mail__is_one_size_whatever_it_says),
        cmocka_unit_test(envelope_header_open__refuses__a_change_in_head_or_header),
        cmocka_unit_test(envelope_body_open__refuses__every_damaged_envelope),
        cmocka_unit_test(envelope_offer_open__refuses__every_damaged_envelope),
        cmocka_unit_test(envelope_take_open__refuses__every_damaged_envelope),
        cmocka_unit_test(envelope_take_body_open__refuses__every_damaged_body),
        cmocka_unit_test(envelope__refuses__every_changed_key),
        cmocka_unit_test(envelope__takes__no_shape_for_another),
        cmocka_unit_test(envelope_body_open__refuses__another_envelopes_body),
        cmocka_unit_test(envelope_body_open__refuses__a_commitment_that_is_not_zero),
        cmocka_unit_test(envelope_body_open__refuses__padding_that_is_not_zero),
        cmocka_unit_test(envelope_body_open__refuses__a_length_beyond_the_body),
        cmocka_unit_test(envelope_offer_open__refuses__padding_and_lengths),
        cmocka_unit_test(envelope_take_open__refuses__its_last_eight_bytes_not_zero),
        cmocka_unit_test(envelope_link_keys__differ__by_secret_kind_and_salt),
        cmocka_unit_test(envelope_link_is__finds__its_own_among_noise),
    };
    struct support_random random;

    if (secret_start())
        return 1;
    support_random_start(&random, 1);
    support_random_fill(&random, &in, sizeof in);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
