/* SPDX-License-Identifier: Apache-2.0 */
/* HKDF, BLAKE2b and Argon2id: RFC 5869, Wycheproof and generated vectors. */
#include "tests/support/vectors.h"

#include "lib/kdf.h"
#include "lib/secret.h"

#include <stdlib.h>
#include <string.h>

enum { OKM256_MAX = 255 * 32, OKM512_MAX = 255 * 64 };

static void check_hkdf(const json_t *c, const char *hash, size_t n)
{
    struct bytes ikm = vectors_hex(c, "ikm"), salt = vectors_hex(c, "salt");
    struct bytes info = vectors_hex(c, "info"), want = vectors_hex(c, "okm");
    bool large = strcmp(hash, "SHA-512") == 0;
    uint8_t prk[PRK_BYTES], *okm = malloc(n);

    assert_true(large || strcmp(hash, "SHA-256") == 0);
    assert_non_null(okm);
    if (large) {
        hkdf_extract(prk, salt, ikm);
        hkdf_expand(prk, info, okm, n);
    } else {
        hkdf256_extract(prk, salt, ikm);
        hkdf256_expand(prk, info, okm, n);
    }
    support_equal((struct bytes){okm, n}, want);
    if (json_object_get(c, "prk")) {
        struct bytes want_prk = vectors_hex(c, "prk");

        support_equal((struct bytes){prk, large ? 64 : 32}, want_prk);
        support_drop(want_prk);
    }
    free(okm);
    support_drop(ikm);
    support_drop(salt);
    support_drop(info);
    support_drop(want);
}

static void hkdf__gives__the_rfcs_vectors(void **state)
{
    json_t *cases = vectors_load("hkdf-rfc5869.json"), *c;
    size_t i;

    (void)state;
    json_array_foreach(cases, i, c)
        check_hkdf(c, vectors_text(c, "hash"), (size_t)vectors_number(c, "L"));
    assert_int_equal(i, 3);
    json_decref(cases);
}

/* The invalid ones ask for more than HKDF can give: the header's bound, the caller's
 * duty. */
static void check_wycheproof(const char *name, const char *hash, size_t most)
{
    json_t *file = vectors_load(name), *group, *c;
    size_t i, j, seen = 0;

    json_array_foreach(vectors_array(file, "testGroups"), i, group)
        json_array_foreach(vectors_array(group, "tests"), j, c)
    {
        size_t n = (size_t)vectors_number(c, "size");

        seen++;
        if (strcmp(vectors_text(c, "result"), "valid") != 0)
            assert_true(n > most);
        else
            check_hkdf(c, hash, n);
    }
    assert_int_equal(seen, vectors_number(file, "numberOfTests"));
    json_decref(file);
}

static void hkdf__decides__wycheproofs_sha256_cases(void **state)
{
    (void)state;
    check_wycheproof("wycheproof/hkdf_sha256_test.json", "SHA-256", OKM256_MAX);
}

static void hkdf__decides__wycheproofs_sha512_cases(void **state)
{
    (void)state;
    check_wycheproof("wycheproof/hkdf_sha512_test.json", "SHA-512", OKM512_MAX);
}

static void hkdf__gives__the_generated_vectors(void **state)
{
    json_t *file = vectors_load("kdf-generated.json"), *c;
    size_t i;

    (void)state;
    json_array_foreach(vectors_array(file, "hkdf"), i, c)
        check_hkdf(c, vectors_text(c, "hash"), (size_t)vectors_number(c, "L"));
    assert_true(i > 0);
    json_decref(file);
}

/* H is 32 bytes without a key, B 32 and B16 16 with one; other lengths are not kith's. */
static bool check_blake2b(const json_t *c)
{
    struct bytes msg = vectors_hex(c, "msg"), key = vectors_hex(c, "key");
    struct bytes want = vectors_hex(c, "out");
    uint8_t out[PRF_BYTES];
    bool ours = true;

    if (key.n == 0 && want.n == HASH_BYTES)
        HASH(out, msg);
    else if (key.n > 0 && want.n == PRF_BYTES)
        PRF(out, key, msg);
    else if (key.n > 0 && want.n == PRF16_BYTES)
        PRF16(out, key, msg);
    else
        ours = false;
    if (ours)
        support_equal((struct bytes){out, want.n}, want);
    support_drop(msg);
    support_drop(key);
    support_drop(want);
    return ours;
}

static void hash_and_prf__give__the_generated_blake2b_vectors(void **state)
{
    json_t *file = vectors_load("kdf-generated.json"), *c;
    size_t i, ours = 0;

    (void)state;
    json_array_foreach(vectors_array(file, "blake2b"), i, c) ours += check_blake2b(c);
    print_message("blake2b: %zu of %zu have a length that kith uses\n", ours, i);
    assert_true(ours > 0);
    json_decref(file);
}

static void pw_derive__gives__the_generated_argon2id_vectors(void **state)
{
    json_t *file = vectors_load("kdf-generated.json"), *c;
    size_t i;

    (void)state;
    json_array_foreach(vectors_array(file, "argon2id"), i, c)
    {
        struct bytes password = vectors_hex(c, "password"), salt = vectors_hex(c, "salt");
        struct bytes want = vectors_hex(c, "out");
        uint8_t out[256];

        assert_int_equal(vectors_number(c, "p"), 1);
        assert_int_equal(salt.n, PW_SALT_BYTES);
        assert_true(want.n <= sizeof out);
        assert_int_equal(pw_derive(password, salt.p, (uint32_t)vectors_number(c, "m_kib"),
                                   (uint32_t)vectors_number(c, "t"), out, want.n),
                         0);
        support_equal((struct bytes){out, want.n}, want);
        support_drop(password);
        support_drop(salt);
        support_drop(want);
    }
    assert_true(i > 0);
    json_decref(file);
}

static int start(void **state)
{
    (void)state;
    return secret_start();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hkdf__gives__the_rfcs_vectors),
        cmocka_unit_test(hkdf__decides__wycheproofs_sha256_cases),
        cmocka_unit_test(hkdf__decides__wycheproofs_sha512_cases),
        cmocka_unit_test(hkdf__gives__the_generated_vectors),
        cmocka_unit_test(hash_and_prf__give__the_generated_blake2b_vectors),
        cmocka_unit_test(pw_derive__gives__the_generated_argon2id_vectors),
    };

    return support_vectors() ? cmocka_run_group_tests(tests, start, NULL)
                             : SUPPORT_SKIPPED;
}
