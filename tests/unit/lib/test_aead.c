/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/support.h"

#include "lib/aead.h"
#include "lib/secret.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t key[32] = {1, 2, 3};
static const uint8_t nonce[32] = {9, 8, 7};

/* Both ciphers behind one shape, so that each claim is shown of both. */
struct cipher {
    size_t tag;
    void (*seal)(struct bytes ad, struct bytes pt, uint8_t *out);
    int (*open)(struct bytes ad, struct bytes ct, uint8_t *out);
};

static void words_seal(struct bytes ad, struct bytes pt, uint8_t *out)
{
    aead_seal(key, ad, pt, out);
}

static int words_open(struct bytes ad, struct bytes ct, uint8_t *out)
{
    return aead_open(key, ad, ct, out);
}

static void transport_seal(struct bytes ad, struct bytes pt, uint8_t *out)
{
    aegis_seal(key, nonce, ad, pt, out);
}

static int transport_open(struct bytes ad, struct bytes ct, uint8_t *out)
{
    return aegis_open(key, nonce, ad, ct, out);
}

static const struct cipher ciphers[] = {
    {AEAD_TAG_BYTES, words_seal, words_open},
    {AEGIS_TAG_BYTES, transport_seal, transport_open},
};

static void seal_then_open__gives_back__every_length(void **state)
{
    uint8_t text[300], sealed[300 + 32], opened[300];

    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)i;
    for (size_t c = 0; c < COUNT(ciphers); c++)
        for (size_t n = 0; n <= sizeof text; n++) {
            struct bytes ad = {text, n % 40};
            size_t ct_n = n + ciphers[c].tag;

            ciphers[c].seal(ad, (struct bytes){text, n}, sealed);
            assert_int_equal(ciphers[c].open(ad, (struct bytes){sealed, ct_n}, opened),
                             0);
            assert_memory_equal(opened, text, n);
        }
}

static void seal_and_open__work__in_place(void **state)
{
    uint8_t text[500], a[500 + 32], b[500 + 32];

    (void)state;
    for (size_t c = 0; c < COUNT(ciphers); c++) {
        struct bytes ad = BYTES(key);

        memset(a, 0x61, sizeof a);
        memcpy(text, a, sizeof text);
        ciphers[c].seal(ad, (struct bytes){a, sizeof text}, a);
        ciphers[c].seal(ad, BYTES(text), b);
        assert_memory_equal(a, b, sizeof text + ciphers[c].tag);
        assert_int_equal(
            ciphers[c].open(ad, (struct bytes){a, sizeof text + ciphers[c].tag}, a), 0);
        for (size_t i = 0; i < sizeof text; i++)
            assert_int_equal(a[i], 0x61);
    }
}

static void open__refuses__every_flipped_bit_and_zeroes(void **state)
{
    uint8_t text[40], sealed[40 + 32], opened[40];

    (void)state;
    memset(text, 0x33, sizeof text);
    for (size_t c = 0; c < COUNT(ciphers); c++) {
        struct bytes ct = {sealed, sizeof text + ciphers[c].tag};
        uint8_t ad[8] = {5};

        ciphers[c].seal(BYTES(ad), BYTES(text), sealed);
        for (size_t bit = 0; bit < ct.n * 8; bit++) {
            sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
            memset(opened, 0xaa, sizeof opened);
            assert_int_equal(ciphers[c].open(BYTES(ad), ct, opened), AEAD_E_FORGED);
            assert_true(secret_is_zero(opened, sizeof opened));
            sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t bit = 0; bit < sizeof ad * 8; bit++) {
            ad[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(ciphers[c].open(BYTES(ad), ct, opened), AEAD_E_FORGED);
            ad[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        assert_int_equal(ciphers[c].open(BYTES(ad), ct, opened), 0);
    }
}

static void open__refuses__every_truncation(void **state)
{
    uint8_t text[20] = {1}, sealed[20 + 32], opened[20];

    (void)state;
    for (size_t c = 0; c < COUNT(ciphers); c++) {
        struct bytes none = {NULL, 0};

        ciphers[c].seal(none, BYTES(text), sealed);
        for (size_t n = 0; n < sizeof text + ciphers[c].tag; n++) {
            struct bytes exact = support_exact(sealed, n);

            assert_int_equal(ciphers[c].open(none, exact, opened), AEAD_E_FORGED);
            support_drop(exact);
        }
    }
}

/* draft-irtf-cfrg-aegis-aead, AEGIS-256, test vector 1. */
static void aegis_seal__gives__the_drafts_vector(void **state)
{
    struct bytes k = support_hex("10010000000000000000000000000000"
                                 "00000000000000000000000000000000");
    struct bytes n = support_hex("10000200000000000000000000000000"
                                 "00000000000000000000000000000000");
    struct bytes want = support_hex("754fc3d8c973246dcc6d741412a4b236"
                                    "1181a1d18091082bf0266f66297d167d"
                                    "2e68b845f61a3b0527d31fc7b7b89f13");
    uint8_t text[16] = {0}, sealed[48];

    (void)state;
    aegis_seal(k.p, n.p, (struct bytes){NULL, 0}, BYTES(text), sealed);
    support_equal(BYTES(sealed), want);
    support_drop(k);
    support_drop(n);
    support_drop(want);
}

static void aead_seal__is__the_nonce_form_with_zeros(void **state)
{
    uint8_t zeros[AEAD_NONCE_BYTES] = {0}, text[10] = {4}, a[26], b[26];
    struct bytes none = {NULL, 0};

    (void)state;
    aead_seal(key, none, BYTES(text), a);
    aead_seal_nonce(key, zeros, none, BYTES(text), b);
    assert_memory_equal(a, b, sizeof a);
    zeros[11] = 1;
    aead_seal_nonce(key, zeros, none, BYTES(text), b);
    assert_memory_not_equal(a, b, sizeof a);
}

static int start(void **state)
{
    (void)state;
    return secret_start();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seal_then_open__gives_back__every_length),
        cmocka_unit_test(seal_and_open__work__in_place),
        cmocka_unit_test(open__refuses__every_flipped_bit_and_zeroes),
        cmocka_unit_test(open__refuses__every_truncation),
        cmocka_unit_test(aegis_seal__gives__the_drafts_vector),
        cmocka_unit_test(aead_seal__is__the_nonce_form_with_zeros),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
