/* SPDX-License-Identifier: Apache-2.0 */
/* ChaCha20-Poly1305 and Ed25519 against Wycheproof. */
#include "tests/support/vectors.h"

#include "lib/aead.h"
#include "lib/secret.h"
#include "lib/sign.h"

#include <stdlib.h>
#include <string.h>

typedef void check_test(const json_t *group, const json_t *test);

static void check_file(const char *name, check_test *check)
{
    json_t *file = vectors_load(name), *group, *test;
    size_t i, j, seen = 0;

    json_array_foreach(vectors_array(file, "testGroups"), i, group)
        json_array_foreach(vectors_array(group, "tests"), j, test)
    {
        check(group, test);
        seen++;
    }
    assert_int_equal(seen, vectors_number(file, "numberOfTests"));
    json_decref(file);
}

/* No case may be one that a library is free to refuse or take: then kith would have to
 * say. */
static bool valid(const json_t *test)
{
    const char *result = vectors_text(test, "result");

    if (strcmp(result, "valid") == 0)
        return true;
    if (strcmp(result, "invalid") != 0)
        fail_msg("case %lld is %s: decide it", (long long)vectors_number(test, "tcId"),
                 result);
    return false;
}

static struct bytes joined(struct bytes a, struct bytes b)
{
    uint8_t *p = malloc(a.n + b.n);

    assert_true(p || a.n + b.n == 0);
    if (a.n)
        memcpy(p, a.p, a.n);
    if (b.n)
        memcpy(p + a.n, b.p, b.n);
    return (struct bytes){p, a.n + b.n};
}

/* Other nonce sizes, all of them invalid there, cannot be said in C: the size is in the
 * type. */
static void check_aead(const json_t *group, const json_t *test)
{
    struct bytes key = vectors_hex(test, "key"), nonce = vectors_hex(test, "iv");
    struct bytes ad = vectors_hex(test, "aad"), msg = vectors_hex(test, "msg");
    struct bytes ct = vectors_hex(test, "ct"), tag = vectors_hex(test, "tag");
    struct bytes whole = joined(ct, tag);
    uint8_t *out = malloc(whole.n + AEAD_TAG_BYTES);
    bool ok = valid(test);

    assert_non_null(out);
    assert_int_equal(vectors_number(group, "keySize"), 256);
    if (nonce.n != AEAD_NONCE_BYTES) {
        assert_false(ok);
    } else if (ok) {
        assert_int_equal(aead_open_nonce(key.p, nonce.p, ad, whole, out), 0);
        support_equal((struct bytes){out, msg.n}, msg);
        aead_seal_nonce(key.p, nonce.p, ad, msg, out);
        support_equal((struct bytes){out, whole.n}, whole);
    } else {
        assert_int_equal(aead_open_nonce(key.p, nonce.p, ad, whole, out), AEAD_E_FORGED);
    }
    free(out);
    support_drop(key);
    support_drop(nonce);
    support_drop(ad);
    support_drop(msg);
    support_drop(ct);
    support_drop(tag);
    support_drop(whole);
}

static void aead__decides__wycheproofs_chacha20_poly1305_cases(void **state)
{
    (void)state;
    check_file("wycheproof/chacha20_poly1305_test.json", check_aead);
}

static void check_signature(const json_t *group, const json_t *test)
{
    struct bytes pk = vectors_hex(json_object_get(group, "publicKey"), "pk");
    struct bytes msg = vectors_hex(test, "msg"), sig = vectors_hex(test, "sig");
    struct bytes no_label = {NULL, 0};
    int want = valid(test) ? 0 : SIGN_E_FORGED;

    assert_int_equal(pk.n, SIGN_PK_BYTES);
    if (sig.n != SIGN_BYTES)
        assert_int_equal(want, SIGN_E_FORGED);
    else if (sign_check(pk.p, no_label, &msg, 1, sig.p) != want)
        fail_msg("case %lld", (long long)vectors_number(test, "tcId"));
    support_drop(pk);
    support_drop(msg);
    support_drop(sig);
}

static void sign_check__decides__wycheproofs_ed25519_cases(void **state)
{
    (void)state;
    check_file("wycheproof/ed25519_test.json", check_signature);
}

static int start(void **state)
{
    (void)state;
    return secret_start();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aead__decides__wycheproofs_chacha20_poly1305_cases),
        cmocka_unit_test(sign_check__decides__wycheproofs_ed25519_cases),
    };

    return support_vectors() ? cmocka_run_group_tests(tests, start, NULL)
                             : SUPPORT_SKIPPED;
}
