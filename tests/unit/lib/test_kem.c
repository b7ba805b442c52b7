/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/support.h"

#include "lib/kem.h"
#include "lib/secret.h"

#include <string.h>

static void kem__agrees__on_both_sides(void **state)
{
    uint8_t pk[KEM_PK_BYTES], sk[KEM_SK_BYTES], ct[KEM_CT_BYTES];
    uint8_t ours[KEM_SS_BYTES], theirs[KEM_SS_BYTES], pk_again[KEM_PK_BYTES];

    (void)state;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(kem_keypair(pk, sk), 0);
        assert_int_equal(kem_enc(pk, ct, ours), 0);
        assert_int_equal(kem_dec(sk, ct, theirs), 0);
        assert_memory_equal(ours, theirs, sizeof ours);
        assert_int_equal(kem_keypair_from(sk, pk_again, sk),
                         0); /* in place: sk is the seed */
        assert_memory_equal(pk, pk_again, sizeof pk);
    }
}

/* The ML-KEM part fails in silence, the X25519 part changes the secret too: no flipped
 * bit leaves the secret as it was. */
static void kem_dec__gives_another_secret__for_a_damaged_ciphertext(void **state)
{
    uint8_t pk[KEM_PK_BYTES], sk[KEM_SK_BYTES], ct[KEM_CT_BYTES];
    uint8_t ours[KEM_SS_BYTES], theirs[KEM_SS_BYTES];

    (void)state;
    assert_int_equal(kem_keypair(pk, sk), 0);
    assert_int_equal(kem_enc(pk, ct, ours), 0);
    for (size_t i = 0; i < sizeof ct; i += 7) {
        int rc;

        ct[i] ^= 4;
        rc = kem_dec(sk, ct, theirs);
        assert_true(rc == 0 || rc == KEM_E_REFUSED);
        assert_memory_not_equal(ours, theirs, sizeof ours);
        ct[i] ^= 4;
    }
}

static void kem__refuses__parts_of_low_order(void **state)
{
    uint8_t pk[KEM_PK_BYTES], sk[KEM_SK_BYTES], ct[KEM_CT_BYTES], ss[KEM_SS_BYTES];

    (void)state;
    assert_int_equal(kem_keypair(pk, sk), 0);
    assert_int_equal(kem_enc(pk, ct, ss), 0);
    memset(ct + KEM_CT_BYTES - 32, 0, 32);
    assert_int_equal(kem_dec(sk, ct, ss), KEM_E_REFUSED);
    assert_true(secret_is_zero(ss, sizeof ss));
    memset(pk + KEM_PK_BYTES - 32, 0, 32);
    memset(ss, 1, sizeof ss);
    assert_int_equal(kem_enc(pk, ct, ss), KEM_E_REFUSED);
    assert_true(secret_is_zero(ss, sizeof ss));
    assert_true(secret_is_zero(ct, sizeof ct));
}

static void kem_enc__refuses__an_unreduced_key(void **state)
{
    uint8_t pk[KEM_PK_BYTES], sk[KEM_SK_BYTES], ct[KEM_CT_BYTES], ss[KEM_SS_BYTES];

    (void)state;
    assert_int_equal(kem_keypair(pk, sk), 0);
    pk[0] = 0xff; /* a first coefficient of 4095, above 3328 */
    pk[1] |= 0x0f;
    assert_int_equal(kem_enc(pk, ct, ss), KEM_E_REFUSED);
}

static int start(void **state)
{
    (void)state;
    return secret_start();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kem__agrees__on_both_sides),
        cmocka_unit_test(kem_dec__gives_another_secret__for_a_damaged_ciphertext),
        cmocka_unit_test(kem__refuses__parts_of_low_order),
        cmocka_unit_test(kem_enc__refuses__an_unreduced_key),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
