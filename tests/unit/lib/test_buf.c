/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/support.h"

#include "lib/kdf.h"

#include <errno.h>
#include <string.h>

static void buf_put__appends__up_to_the_cap_and_sticks(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 5);
    buf_put(&b, "abc", 3);
    buf_put(&b, "de", 2);
    assert_int_equal(b.rc, 0);
    buf_put(&b, "f", 1);
    assert_int_equal(b.rc, -ENOSPC);
    assert_int_equal(b.n, 5);
    buf_put(&b, "", 0);
    assert_null(buf_grow(&b, 0)); /* sticky */
    support_equal(buf_view(&b), LABEL("abcde"));
    buf_free(&b);
    assert_null(b.p);
    assert_int_equal(b.rc, 0);
    buf_free(NULL);
}

static void buf__never_allocates__more_than_its_cap(void **state)
{
    static const size_t caps[] = {0, 1, 63, 64, 65, 1000, 4096, 100001};

    (void)state;
    for (size_t i = 0; i < COUNT(caps); i++) {
        struct buf b;

        buf_init(&b, caps[i]);
        while (!b.rc) {
            buf_put(&b, "x", 1);
            assert_true(b.room <= caps[i]);
        }
        assert_int_equal(b.n, caps[i]);
        assert_int_equal(b.rc, -ENOSPC);
        buf_free(&b);
    }
}

static void buf_grow__refuses__a_length_that_would_wrap(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, SIZE_MAX);
    buf_put(&b, "0123456789", 10);
    assert_null(buf_grow(&b, SIZE_MAX - 5));
    assert_int_equal(b.rc, -ENOSPC);
    assert_int_equal(b.n, 10);
    buf_free(&b);
}

static void buf_grow__ends__for_any_length_and_cap(void **state)
{
    static const size_t lengths[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2 + 1,
                                     SIZE_MAX / 2};
    struct support_fault f;
    struct buf b;

    (void)state;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        buf_init(&b, SIZE_MAX);
        support_fail_nth(&f, SEAM_ALLOC, 1, -ENOMEM); /* nobody has that much */
        assert_null(buf_grow(&b, lengths[i]));
        support_fail_none();
        assert_int_equal(b.rc, -ENOMEM);
    }
}

static void buf_put__keeps_what_it_has__when_memory_runs_out(void **state)
{
    struct support_fault f;
    struct buf b;

    (void)state;
    for (unsigned nth = 1; nth <= 3; nth++) {
        size_t put = 0;

        buf_init(&b, 10000);
        support_fail_nth(&f, SEAM_ALLOC, nth, -ENOMEM);
        for (; !b.rc && put < 1000; put++)
            buf_put(&b, "q", 1);
        support_fail_none();
        assert_true(f.fired);
        assert_int_equal(b.rc, -ENOMEM);
        assert_int_equal(b.n, put - 1);
        for (size_t i = 0; i < b.n; i++)
            assert_int_equal(b.p[i], 'q');
        buf_free(&b);
    }
}

static void buf_over__uses__the_callers_bytes_and_no_heap(void **state)
{
    struct support_fault f;
    uint8_t room[4] = {9, 9, 9, 9};
    struct buf b = BUF_OVER(room);

    (void)state;
    support_fail_nth(&f, SEAM_ALLOC, 1, -ENOMEM);
    buf_put_le(&b, 0x0403, 2);
    buf_put(&b, "\x05\x06", 2);
    buf_put(&b, "\x07", 1);
    support_fail_none();
    assert_false(f.fired);
    assert_int_equal(b.rc, -ENOSPC);
    assert_memory_equal(room, "\x03\x04\x05\x06", 4);
    buf_free(&b);
    assert_memory_equal(room, "\0\0\0\0", 4);
    assert_ptr_equal(b.p, room);
}

static void buf_eat__moves__the_rest_to_the_front(void **state)
{
    uint8_t room[8];
    struct buf b = BUF_OVER(room);

    (void)state;
    buf_put(&b, "abcdef", 6);
    buf_eat(&b, 2);
    support_equal(buf_view(&b), LABEL("cdef"));
    buf_eat(&b, 0);
    buf_eat(&b, 4);
    assert_int_equal(b.n, 0);
}

static void integers__round_trip__in_every_width(void **state)
{
    uint8_t p[8];

    (void)state;
    for (size_t width = 1; width <= 8; width++) {
        uint64_t v = 0x0123456789abcdefu >> (64 - 8 * width);

        le_put(p, v, width);
        assert_true(le_get(p, width) == v);
        assert_int_equal(p[0], v & 0xff);
        be_put(p, v, width);
        assert_true(be_get(p, width) == v);
        assert_int_equal(p[width - 1], v & 0xff);
    }
    le_put(p, UINT64_MAX, 8);
    assert_true(le_get(p, 8) == UINT64_MAX && be_get(p, 8) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buf_put__appends__up_to_the_cap_and_sticks),
        cmocka_unit_test(buf__never_allocates__more_than_its_cap),
        cmocka_unit_test(buf_grow__refuses__a_length_that_would_wrap),
        cmocka_unit_test(buf_grow__ends__for_any_length_and_cap),
        cmocka_unit_test(buf_put__keeps_what_it_has__when_memory_runs_out),
        cmocka_unit_test(buf_over__uses__the_callers_bytes_and_no_heap),
        cmocka_unit_test(buf_eat__moves__the_rest_to_the_front),
        cmocka_unit_test(integers__round_trip__in_every_width),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
