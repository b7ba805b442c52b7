/* SPDX-License-Identifier: Apache-2.0 */
/* kem_pk_check says beforehand what kem_enc would say: here both are asked. */
#include "lib/kem.h"
#include "lib/secret.h"
#include "tests/support/support.h"

#include <string.h>

enum { POINT_AT = KEM_PK_BYTES - 32 };

static uint8_t good[KEM_PK_BYTES];

static int start(void **state)
{
    uint8_t sk[KEM_SK_BYTES];

    (void)state;
    return secret_start() || kem_keypair(good, sk);
}

static int both_say(const uint8_t pk[KEM_PK_BYTES])
{
    uint8_t ct[KEM_CT_BYTES], ss[KEM_SS_BYTES];
    int rc = kem_enc(pk, ct, ss);

    assert_int_equal(kem_pk_check(pk), rc);
    return rc;
}

static void kem_pk_check__takes__a_good_key(void **state)
{
    (void)state;
    assert_int_equal(both_say(good), 0);
}

static void kem_pk_check__refuses__numbers_not_below_q(void **state)
{
    uint8_t pk[KEM_PK_BYTES];

    (void)state;
    for (size_t i = 0; i < 768; i++)
        for (unsigned value = 3328; value <= 3329; value++) {
            uint8_t *at = pk + i / 2 * 3;

            memcpy(pk, good, sizeof pk);
            if (i % 2 == 0) {
                at[0] = (uint8_t)value;
                at[1] = (uint8_t)((at[1] & 0xf0) | value >> 8);
            } else {
                at[1] = (uint8_t)((at[1] & 0x0f) | (value & 0x0f) << 4);
                at[2] = (uint8_t)(value >> 4);
            }
            assert_int_equal(both_say(pk), value == 3329 ? KEM_E_REFUSED : 0);
        }
}

static void kem_pk_check__refuses__each_point_of_low_order(void **state)
{
    static const char *const small[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    uint8_t pk[KEM_PK_BYTES];

    (void)state;
    memcpy(pk, good, sizeof pk);
    for (size_t i = 0; i < COUNT(small); i++) {
        struct bytes point = support_hex(small[i]);

        memcpy(pk + POINT_AT, point.p, point.n);
        assert_int_equal(both_say(pk), KEM_E_REFUSED);
        pk[KEM_PK_BYTES - 1] |= 0x80; /* a bit that X25519 does not look at */
        assert_int_equal(both_say(pk), KEM_E_REFUSED);
        for (size_t k = 0; k < 32; k++) { /* and all their neighbours */
            memcpy(pk + POINT_AT, point.p, point.n);
            pk[POINT_AT + k] ^= 0x10;
            (void)!both_say(pk);
        }
        support_drop(point);
    }
    for (unsigned first = 0; first < 256; first++) {
        memset(pk + POINT_AT, 0xff, 32);
        pk[POINT_AT] = (uint8_t)first;
        (void)!both_say(pk);
        memset(pk + POINT_AT, 0, 32);
        pk[POINT_AT] = (uint8_t)first;
        (void)!both_say(pk);
    }
}

static void kem_pk_check__agrees__on_random_damage(void **state)
{
    struct support_random random;
    uint8_t pk[KEM_PK_BYTES];

    (void)state;
    support_random_start(&random, 8);
    for (int i = 0; i < 1000; i++) {
        memcpy(pk, good, sizeof pk);
        for (int k = 0; k < 8; k++)
            pk[support_random_below(&random, KEM_PK_BYTES)] ^= (uint8_t)
                support_random_below(&random, 256);
        (void)!both_say(pk);
    }
}

int main(void)
{
    const struct CMUnitTest claims[] = {
        cmocka_unit_test(kem_pk_check__takes__a_good_key),
        cmocka_unit_test(kem_pk_check__refuses__numbers_not_below_q),
        cmocka_unit_test(kem_pk_check__refuses__each_point_of_low_order),
        cmocka_unit_test(kem_pk_check__agrees__on_random_damage),
    };

    return cmocka_run_group_tests(claims, start, NULL);
}
