/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/support.h"

#include "lib/group.h"
#include "lib/secret.h"

#include <errno.h>
#include <string.h>

/* The order, L = 2^252 + 27742317777372353535851937790883648493. */
static const struct group_scalar order = {{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                           0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
                                           0x14, [31] = 0x10}};
static const struct group_scalar zero, one = {{1}};
static const struct group_element identity;

static void group_scalar_check__takes__one_to_order_less_one(void **state)
{
    struct group_scalar s = order;

    (void)state;
    assert_int_equal(group_scalar_check(&one), 0);
    s.b[0]--;
    assert_int_equal(group_scalar_check(&s), 0);
    assert_int_equal(group_scalar_check(&order), GROUP_E_REFUSED);
    s.b[0] += 2;
    assert_int_equal(group_scalar_check(&s), GROUP_E_REFUSED);
    assert_int_equal(group_scalar_check(&zero), GROUP_E_REFUSED);
    for (unsigned bit = 253; bit < 256; bit++) {
        s = one;
        s.b[31] = (uint8_t)(1u << (bit - 248));
        assert_int_equal(group_scalar_check(&s), GROUP_E_REFUSED);
    }
    memset(&s, 0xff, sizeof s);
    assert_int_equal(group_scalar_check(&s), GROUP_E_REFUSED);
}

static void group_element_check__takes__canonical_encodings_only(void **state)
{
    struct group_element e, bad;

    (void)state;
    assert_int_equal(group_element_check(&identity), GROUP_E_REFUSED);
    assert_int_equal(group_mul_base(&e, &one), 0);
    assert_int_equal(group_element_check(&e), 0);
    bad = e;
    bad.b[31] |= 0x80;
    assert_int_equal(group_element_check(&bad), GROUP_E_REFUSED);
    bad = (struct group_element){{1}}; /* negative */
    assert_int_equal(group_element_check(&bad), GROUP_E_REFUSED);
    memset(&bad, 0xff, sizeof bad);
    bad.b[31] = 0x7f; /* from here on: p + x, the second spelling of x */
    for (unsigned x = 0; x < 19; x++) {
        bad.b[0] = (uint8_t)(0xed + x);
        assert_int_equal(group_element_check(&bad), GROUP_E_REFUSED);
    }
}

static void assert_refused(int rc, const struct group_element *out)
{
    assert_int_equal(rc, GROUP_E_REFUSED);
    assert_true(secret_is_zero(out, sizeof *out));
}

static void group_mul__refuses__what_libsodium_would_take(void **state)
{
    struct group_scalar s = order;
    struct group_element e, out;

    (void)state;
    assert_int_equal(group_mul_base(&e, &one), 0);
    assert_refused(group_mul(&out, &zero, &e), &out);
    assert_refused(group_mul_base(&out, &zero), &out);
    s.b[0] += 3; /* 3, unreduced */
    assert_refused(group_mul(&out, &s, &e), &out);
    assert_refused(group_mul_base(&out, &s), &out);
    s = one;
    s.b[31] = 0x80; /* the bit that libsodium drops */
    assert_refused(group_mul(&out, &s, &e), &out);
    assert_refused(group_mul_base(&out, &s), &out);
    assert_refused(group_mul(&out, &one, &identity), &out);
    e.b[31] |= 0x80;
    assert_refused(group_mul(&out, &one, &e), &out);
}

static void group_add__refuses__the_identity_on_each_side(void **state)
{
    struct group_scalar minus;
    struct group_element g, opposite, out;

    (void)state;
    group_scalar_sub(&minus, &zero, &one);
    assert_int_equal(group_mul_base(&g, &one), 0);
    assert_int_equal(group_mul_base(&opposite, &minus), 0);
    assert_refused(group_add(&out, &g, &opposite), &out);
    assert_refused(group_add(&out, &g, &identity), &out);
    assert_refused(group_add(&out, &identity, &g), &out);
    opposite.b[31] |= 0x80;
    assert_refused(group_add(&out, &opposite, &g), &out);
    assert_refused(group_add(&out, &g, &opposite), &out);
}

static void group__keeps__the_laws_of_a_group(void **state)
{
    struct group_scalar a, b, sum, product;
    struct group_element ag, bg, left, right;

    (void)state;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(group_scalar_random(&a), 0);
        assert_int_equal(group_scalar_random(&b), 0);
        assert_int_equal(group_mul_base(&ag, &a), 0);
        assert_int_equal(group_mul_base(&bg, &b), 0);
        group_scalar_add(&sum, &a, &b);
        assert_int_equal(group_mul_base(&left, &sum), 0);
        assert_int_equal(group_add(&right, &ag, &bg), 0);
        assert_memory_equal(&left, &right, sizeof left);
        group_scalar_mul(&product, &a, &b);
        assert_int_equal(group_mul_base(&left, &product), 0);
        assert_int_equal(group_mul(&right, &b, &ag), 0);
        assert_memory_equal(&left, &right, sizeof left);
        group_scalar_sub(&sum, &sum, &b); /* in place */
        assert_memory_equal(&sum, &a, sizeof a);
    }
}

static void group_scalars_invert__inverts__each_of_many(void **state)
{
    struct group_scalar in[9], out[9], product;

    (void)state;
    for (size_t n = 1; n < COUNT(in); n++) {
        for (size_t i = 0; i <= n; i++)
            assert_int_equal(group_scalar_random(&in[i]), 0);
        out[n] = one;
        assert_int_equal(group_scalars_invert(out, in, n), 0);
        assert_memory_equal(&out[n], &one, sizeof one); /* nothing beyond */
        for (size_t i = 0; i < n; i++) {
            group_scalar_mul(&product, &in[i], &out[i]);
            assert_memory_equal(&product, &one, sizeof one);
        }
        in[n / 2] = zero;
        assert_int_equal(group_scalars_invert(out, in, n), GROUP_E_REFUSED);
        assert_true(secret_is_zero(out, n * sizeof *out));
    }
}

static int all_zeros(void *p, size_t n, void *arg)
{
    (void)arg;
    memset(p, 0, n);
    return 0;
}

static void group_scalar_random__stops__without_randomness(void **state)
{
    struct group_scalar s = one;
    struct support_fault fault;
    int rc;

    (void)state;
    support_fail_nth(&fault, SEAM_RANDOM, 1, -EIO);
    rc = group_scalar_random(&s);
    support_fail_none();
    assert_int_equal(rc, -EIO);
    assert_true(secret_is_zero(&s, sizeof s));
    s = one;
    rand_set(all_zeros, NULL); /* a source that is broken, and does not know it */
    rc = group_scalar_random(&s);
    rand_set(NULL, NULL);
    assert_int_equal(rc, -EIO);
    assert_true(secret_is_zero(&s, sizeof s));
}

/* Where one part ends and the next begins does not count; tags do. */
static void group_hash__depends__on_bytes_and_tag_alone(void **state)
{
    const struct bytes whole = {(const uint8_t *)"abcdef", 6};
    const struct bytes split[] = {
        {whole.p, 1}, {NULL, 0}, {whole.p + 1, 3}, {whole.p + 4, 2}};
    uint8_t longest[GROUP_DST_BYTES_MAX] = {7};
    const struct bytes tag = {(const uint8_t *)"tag", 3};
    struct group_element e, f;
    struct group_scalar s, t;

    (void)state;
    assert_int_equal(group_hash_to_element(&e, tag, &whole, 1), 0);
    assert_int_equal(group_element_check(&e), 0);
    assert_int_equal(group_hash_to_element(&f, tag, split, COUNT(split)), 0);
    assert_memory_equal(&e, &f, sizeof e);
    assert_int_equal(group_hash_to_element(&f, BYTES(longest), &whole, 1), 0);
    assert_memory_not_equal(&e, &f, sizeof e);
    group_hash_to_scalar(&s, tag, &whole, 1);
    assert_int_equal(group_scalar_check(&s), 0);
    group_hash_to_scalar(&t, tag, split, COUNT(split));
    assert_memory_equal(&s, &t, sizeof s);
    group_hash_to_scalar(&t, BYTES(longest), &whole, 1);
    assert_memory_not_equal(&s, &t, sizeof s);
}

static int start(void **state)
{
    (void)state;
    return secret_start();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(group_scalar_check__takes__one_to_order_less_one),
        cmocka_unit_test(group_element_check__takes__canonical_encodings_only),
        cmocka_unit_test(group_mul__refuses__what_libsodium_would_take),
        cmocka_unit_test(group_add__refuses__the_identity_on_each_side),
        cmocka_unit_test(group__keeps__the_laws_of_a_group),
        cmocka_unit_test(group_scalars_invert__inverts__each_of_many),
        cmocka_unit_test(group_scalar_random__stops__without_randomness),
        cmocka_unit_test(group_hash__depends__on_bytes_and_tag_alone),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
