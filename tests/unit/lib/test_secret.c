/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/support.h"

#include "lib/kem.h"
#include "lib/secret.h"
#include "lib/sign.h"

#include <errno.h>
#include <string.h>

static void rand_bytes__gives__different_bytes_each_time(void **state)
{
    uint8_t a[32], b[32];

    (void)state;
    assert_int_equal(rand_bytes(a, sizeof a), 0);
    assert_int_equal(rand_bytes(b, sizeof b), 0);
    assert_memory_not_equal(a, b, sizeof a);
    assert_int_equal(rand_bytes(NULL, 0), 0);
}

static int refuse(void *p, size_t n, void *arg)
{
    memset(p, 0x55, n);
    return *(int *)arg;
}

static void rand_bytes__leaves_zeros__when_there_is_no_randomness(void **state)
{
    struct support_fault f;
    uint8_t a[16];
    int other = -EAGAIN;

    (void)state;
    memset(a, 7, sizeof a);
    support_fail_nth(&f, SEAM_RANDOM, 1, -EIO);
    assert_int_equal(rand_bytes(a, sizeof a), -EIO);
    support_fail_none();
    assert_true(secret_is_zero(a, sizeof a));
    rand_set(refuse, &other);
    assert_int_equal(rand_bytes(a, sizeof a), -EIO);
    rand_set(NULL, NULL);
    assert_true(secret_is_zero(a, sizeof a));
}

static void rand_below__stays__below_and_reaches_all(void **state)
{
    unsigned seen[7] = {0};
    uint32_t v;

    (void)state;
    for (int i = 0; i < 7000; i++) {
        assert_int_equal(rand_below(7, &v), 0);
        assert_true(v < 7);
        seen[v]++;
    }
    for (size_t i = 0; i < COUNT(seen); i++)
        assert_in_range(seen[i], 800, 1200); /* 1,000 and 6 standard deviations */
    assert_int_equal(rand_below(1, &v), 0);
    assert_int_equal(v, 0);
}

static int scripted(void *p, size_t n, void *arg)
{
    const uint32_t **next = arg;

    assert_int_equal(n, 4);
    memcpy(p, (*next)++, n);
    return 0;
}

/* 2^32 mod 3 = 1: a draw of 0 has no partner and must be drawn again. */
static void rand_below__draws_again__where_some_answers_would_be_likelier(void **state)
{
    static const uint32_t draws[] = {0, 0, 5, 1};
    const uint32_t *next = draws;
    uint32_t v;

    (void)state;
    rand_set(scripted, (void *)&next);
    assert_int_equal(rand_below(3, &v), 0);
    rand_set(NULL, NULL);
    assert_int_equal(v, 5 % 3);
    assert_ptr_equal(next, draws + 3);
}

static void rand_below__passes_on__a_failure(void **state)
{
    struct support_fault f;
    uint32_t v = 9;

    (void)state;
    support_fail_nth(&f, SEAM_RANDOM, 1, -EIO);
    assert_int_equal(rand_below(10, &v), -EIO);
    support_fail_none();
    assert_int_equal(v, 0);
}

static void keypairs__come_from__the_same_replaceable_source(void **state)
{
    struct support_random r;
    uint8_t pk[2][KEM_PK_BYTES], sk[2][KEM_SK_BYTES], ct[2][KEM_CT_BYTES];
    uint8_t ss[2][KEM_SS_BYTES], spk[2][SIGN_PK_BYTES], ssk[2][SIGN_SK_BYTES];

    (void)state;
    for (int i = 0; i < 2; i++) {
        support_random_start(&r, 42);
        support_random_install(&r);
        assert_int_equal(kem_keypair(pk[i], sk[i]), 0);
        assert_int_equal(kem_enc(pk[i], ct[i], ss[i]), 0);
        assert_int_equal(sign_keypair(spk[i], ssk[i]), 0);
        support_random_release();
    }
    assert_memory_equal(pk[0], pk[1], sizeof pk[0]);
    assert_memory_equal(ct[0], ct[1], sizeof ct[0]);
    assert_memory_equal(spk[0], spk[1], sizeof spk[0]);
}

static void keypairs__fail__without_randomness(void **state)
{
    struct support_fault f;
    uint8_t pk[KEM_PK_BYTES], sk[SIGN_SK_BYTES], ct[KEM_CT_BYTES], ss[KEM_SS_BYTES];

    (void)state;
    assert_int_equal(kem_keypair(pk, sk), 0);
    support_fail_nth(&f, SEAM_RANDOM, 1, -EIO);
    assert_int_equal(kem_enc(pk, ct, ss), -EIO);
    support_fail_nth(&f, SEAM_RANDOM, 1, -EIO);
    assert_int_equal(kem_keypair(pk, sk), -EIO);
    support_fail_nth(&f, SEAM_RANDOM, 1, -EIO);
    assert_int_equal(sign_keypair(pk, sk), -EIO);
    support_fail_none();
}

static void secret_alloc__is__zeroed_and_may_fail(void **state)
{
    struct support_fault f;
    void *p = secret_alloc(100);

    (void)state;
    assert_non_null(p);
    assert_true(secret_is_zero(p, 100));
    secret_free(p);
    secret_free(NULL);
    support_fail_nth(&f, SEAM_ALLOC, 1, -ENOMEM);
    assert_null(secret_alloc(100));
    support_fail_none();
}

static void secret_equal__tells__one_bit_apart(void **state)
{
    uint8_t a[32] = {1}, b[32] = {1};

    (void)state;
    assert_true(secret_equal(a, b, sizeof a));
    b[31] ^= 0x80;
    assert_false(secret_equal(a, b, sizeof a));
    assert_true(secret_equal(a, b, 31));
    assert_false(secret_is_zero(a, sizeof a));
    secret_wipe(a, sizeof a);
    assert_true(secret_is_zero(a, sizeof a));
}

static int start(void **state)
{
    int rc = secret_start();

    (void)state;
    return rc ? rc : secret_start(); /* a second time is harmless */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rand_bytes__gives__different_bytes_each_time),
        cmocka_unit_test(rand_bytes__leaves_zeros__when_there_is_no_randomness),
        cmocka_unit_test(rand_below__stays__below_and_reaches_all),
        cmocka_unit_test(rand_below__draws_again__where_some_answers_would_be_likelier),
        cmocka_unit_test(rand_below__passes_on__a_failure),
        cmocka_unit_test(keypairs__come_from__the_same_replaceable_source),
        cmocka_unit_test(keypairs__fail__without_randomness),
        cmocka_unit_test(secret_alloc__is__zeroed_and_may_fail),
        cmocka_unit_test(secret_equal__tells__one_bit_apart),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
