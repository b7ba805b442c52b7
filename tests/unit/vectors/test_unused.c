/* SPDX-License-Identifier: Apache-2.0 */
/* The shared vectors that no function of kith's can be put against, skipped by name, each
 * with its reason, so that nobody takes silence for a pass. */
#include "tests/support/vectors.h"

static void unused(const char *files, const char *why)
{
    print_message("%s: %s\n", files, why);
    skip();
}

static void x25519__has_no_wrapper__of_its_own(void **state)
{
    (void)state;
    unused("wycheproof/x25519_test.json", "kith has X25519 only inside X-Wing (lib/kem)");
}

static void mlkem768__has_no_wrapper__of_its_own(void **state)
{
    (void)state;
    unused("mlkem768-acvp.json, wycheproof/mlkem_768_*.json",
           "kith has ML-KEM-768 only inside X-Wing (lib/kem)");
}

static void xchacha20_poly1305__is_not_used(void **state)
{
    (void)state;
    unused("wycheproof/xchacha20_poly1305_test.json",
           "a key of kith's seals one text, so no long nonce is needed");
}

static void crypto_kdf__is_not_used(void **state)
{
    (void)state;
    unused("kdf-generated.json, crypto_kdf", "kith derives by HKDF and keyed BLAKE2b");
}

static void noise__has_no_vectors__for_pqnk(void **state)
{
    (void)state;
    unused("noise-cacophony.json",
           "no pattern there has KEM tokens; tests/vectors/ has our own");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(x25519__has_no_wrapper__of_its_own),
        cmocka_unit_test(mlkem768__has_no_wrapper__of_its_own),
        cmocka_unit_test(xchacha20_poly1305__is_not_used),
        cmocka_unit_test(crypto_kdf__is_not_used),
        cmocka_unit_test(noise__has_no_vectors__for_pqnk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
