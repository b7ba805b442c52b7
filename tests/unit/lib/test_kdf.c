/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/support.h"

#include "lib/kdf.h"
#include "lib/secret.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void is(const uint8_t *got, size_t n, const char *hex)
{
    struct bytes want = support_hex(hex);

    support_equal((struct bytes){got, n}, want);
    support_drop(want);
}

/* BLAKE2b of 32 bytes over "abc": from another implementation of RFC 7693. */
static void hash_parts__is__blake2b_of_the_parts_joined(void **state)
{
    static const char want[] =
        "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319";
    uint8_t out[HASH_BYTES];

    (void)state;
    HASH(out, LABEL("abc"));
    is(out, sizeof out, want);
    HASH(out, LABEL("a"), LABEL(""), LABEL("bc"), ((struct bytes){NULL, 0}));
    is(out, sizeof out, want);
}

static void prf__depends_on__key_parts_and_length(void **state)
{
    uint8_t key[64] = {1}, a[PRF_BYTES], b[PRF_BYTES], c[PRF16_BYTES];

    (void)state;
    PRF(a, BYTES(key), LABEL("x"));
    PRF(b, ((struct bytes){key, 32}), LABEL("x"));
    assert_memory_not_equal(a, b, sizeof a);
    PRF(b, BYTES(key), LABEL("y"));
    assert_memory_not_equal(a, b, sizeof a);
    PRF16(c, BYTES(key), LABEL("x"));
    assert_memory_not_equal(a, c, sizeof c); /* the length is part of the hash */
    HASH(b, LABEL("x"));
    assert_memory_not_equal(a, b, sizeof a);
}

/* libsodium takes an empty key for "no key": that would be a hash anybody can make. */
static void prf__never_runs__without_a_key(void **state)
{
    int status;
    pid_t child = fork();

    (void)state;
    assert_true(child >= 0);
    if (child == 0) {
        uint8_t out[PRF_BYTES];

        signal(SIGABRT, SIG_DFL);
        PRF(out, ((struct bytes){out, 0}), LABEL("x"));
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void sha512_parts__gives__the_published_digest(void **state)
{
    struct bytes parts[] = {LABEL("a"), LABEL("bc")};
    uint8_t out[SHA512_BYTES];

    (void)state;
    sha512_parts(out, parts, 2);
    is(out, sizeof out,
       "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
       "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

static void hkdf_expand__is_a_prefix__of_a_longer_one(void **state)
{
    uint8_t prk[PRK_BYTES], most[16320], few[100];

    (void)state;
    hkdf_extract(prk, LABEL("salt"), LABEL("ikm"));
    hkdf_expand(prk, LABEL("info"), most, sizeof most);
    hkdf_expand(prk, LABEL("info"), few, sizeof few);
    assert_memory_equal(most, few, sizeof few);
    hkdf_expand(prk, LABEL("infp"), few, sizeof few);
    assert_memory_not_equal(most, few, sizeof few);
}

static void pw_derive__fails__when_memory_runs_out(void **state)
{
    struct support_fault f;
    uint8_t salt[PW_SALT_BYTES] = {3}, out[32], again[32];

    (void)state;
    assert_int_equal(pw_derive(LABEL("pw"), salt, 8, 1, out, sizeof out), 0);
    assert_int_equal(pw_derive(LABEL("pw"), salt, 8, 1, again, sizeof again), 0);
    assert_memory_equal(out, again, sizeof out);
    assert_int_equal(pw_derive(LABEL("pW"), salt, 8, 1, again, sizeof again), 0);
    assert_memory_not_equal(out, again, sizeof out);
    support_fail_nth(&f, SEAM_ALLOC, 1, -ENOMEM);
    assert_int_equal(pw_derive(LABEL("pw"), salt, 8, 1, out, sizeof out), -ENOMEM);
    support_fail_none();
    assert_true(secret_is_zero(out, sizeof out));
}

static int start(void **state)
{
    (void)state;
    return secret_start();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_parts__is__blake2b_of_the_parts_joined),
        cmocka_unit_test(prf__depends_on__key_parts_and_length),
        cmocka_unit_test(prf__never_runs__without_a_key),
        cmocka_unit_test(sha512_parts__gives__the_published_digest),
        cmocka_unit_test(hkdf_expand__is_a_prefix__of_a_longer_one),
        cmocka_unit_test(pw_derive__fails__when_memory_runs_out),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
