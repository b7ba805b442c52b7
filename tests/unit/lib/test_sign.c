/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/support.h"

#include "lib/kdf.h"
#include "lib/secret.h"
#include "lib/sign.h"

#include <errno.h>

static uint8_t pk[SIGN_PK_BYTES], sk[SIGN_SK_BYTES];

static void sign_check__takes__what_sign_parts_made(void **state)
{
    struct bytes parts[] = {LABEL("one"), LABEL(""), LABEL("two")};
    struct bytes joined[] = {LABEL("onetwo")};
    uint8_t sig[SIGN_BYTES], again[SIGN_BYTES];

    (void)state;
    assert_int_equal(sign_parts(sk, LABEL("kith1 test"), parts, 3, sig), 0);
    assert_int_equal(sign_check(pk, LABEL("kith1 test"), parts, 3, sig), 0);
    /* The parts are joined as they stand: fixed sizes make them unambiguous (SPEC 3.5).
     */
    assert_int_equal(sign_parts(sk, LABEL("kith1 test"), joined, 1, again), 0);
    assert_memory_equal(sig, again, sizeof sig);
    assert_int_equal(sign_parts(sk, LABEL("kith1 test"), NULL, 0, sig), 0);
    assert_int_equal(sign_check(pk, LABEL("kith1 test"), NULL, 0, sig), 0);
}

static void sign_check__refuses__every_flipped_bit(void **state)
{
    uint8_t text[12] = "hello there", sig[SIGN_BYTES], other[SIGN_PK_BYTES];
    struct bytes part = BYTES(text);

    (void)state;
    assert_int_equal(sign_parts(sk, LABEL("kith1 test"), &part, 1, sig), 0);
    for (size_t bit = 0; bit < sizeof sig * 8; bit++) {
        sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(sign_check(pk, LABEL("kith1 test"), &part, 1, sig),
                         SIGN_E_FORGED);
        sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < sizeof text * 8; bit++) {
        text[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(sign_check(pk, LABEL("kith1 test"), &part, 1, sig),
                         SIGN_E_FORGED);
        text[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(sign_check(pk, LABEL("kith1 tesu"), &part, 1, sig), SIGN_E_FORGED);
    assert_int_equal(rand_bytes(other, sizeof other), 0);
    assert_int_equal(sign_check(other, LABEL("kith1 test"), &part, 1, sig),
                     SIGN_E_FORGED);
}

static void sign__passes_on__the_lack_of_memory(void **state)
{
    struct support_fault f;
    struct bytes part = LABEL("x");
    uint8_t sig[SIGN_BYTES];

    (void)state;
    support_fail_nth(&f, SEAM_ALLOC, 1, -ENOMEM);
    assert_int_equal(sign_parts(sk, LABEL("kith1 test"), &part, 1, sig), -ENOMEM);
    support_fail_none();
    assert_int_equal(sign_parts(sk, LABEL("kith1 test"), &part, 1, sig), 0);
    support_fail_nth(&f, SEAM_ALLOC, 1, -ENOMEM);
    assert_int_equal(sign_check(pk, LABEL("kith1 test"), &part, 1, sig), -ENOMEM);
    support_fail_none();
}

/* RFC 8032, 7.1, TEST 2: the label is empty there. */
static void sign_parts__gives__the_rfcs_vector(void **state)
{
    struct bytes seed = support_hex("4ccd089b28ff96da9db6c346ec114e0f"
                                    "5b8a319f35aba624da8cf6ed4fb8a6fb");
    struct bytes want = support_hex("92a009a9f0d4cab8720e820b5f642540"
                                    "a2b27b5416503f8fb3762223ebdb69da"
                                    "085ac1e43e15996e458f3613d0f11d8c"
                                    "387b2eaeb4302aeeb00d291612bb0c00");
    uint8_t p[SIGN_PK_BYTES], s[SIGN_SK_BYTES], sig[SIGN_BYTES];
    struct bytes part = LABEL("\x72");

    (void)state;
    sign_keypair_from(seed.p, p, s);
    assert_int_equal(sign_parts(s, LABEL(""), &part, 1, sig), 0);
    support_equal(BYTES(sig), want);
    support_drop(seed);
    support_drop(want);
}

static int start(void **state)
{
    (void)state;
    return secret_start() || sign_keypair(pk, sk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sign_check__takes__what_sign_parts_made),
        cmocka_unit_test(sign_check__refuses__every_flipped_bit),
        cmocka_unit_test(sign__passes_on__the_lack_of_memory),
        cmocka_unit_test(sign_parts__gives__the_rfcs_vector),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
