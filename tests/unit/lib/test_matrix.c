/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/matrix.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static size_t lines_of(const struct buf *b)
{
    size_t lines = 0;

    for (size_t i = 0; i < b->n; i++)
        lines += b->p[i] == '\n';
    return lines;
}

static void matrix_draw__sets__both_colours_on_each_line(void **state)
{
    static const uint8_t modules[] = {1, 0, 1, 0, 1, 0, 1, 0, 1};
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    matrix_draw(modules, 3, MATRIX_BLOCKS, &out);
    assert_int_equal(out.rc, 0);
    assert_int_equal(lines_of(&out), (3 + 2 * MATRIX_QUIET + 1) / 2);
    buf_put(&out, "", 1);
    for (const char *line = (const char *)out.p; *line != '\0';
         line = strchr(line, '\n') + 1)
        assert_memory_equal(line, "\033[30;107m", 9);
    buf_free(&out);
}

static void matrix_draw__shows__each_dark_module_once(void **state)
{
    static const uint8_t modules[] = {1, 0, 0, 1};
    static const char expected[] = "############\n############\n"
                                   "####  ######\n######  ####\n"
                                   "############\n############\n";
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    matrix_draw(modules, 2, MATRIX_ASCII, &out);
    assert_int_equal(out.n, sizeof expected - 1);
    assert_memory_equal(out.p, expected, out.n);
    buf_free(&out);
}

static void matrix_draw__refuses__sides_no_code_has(void **state)
{
    static const uint8_t one = 1;
    struct buf out;

    (void)state;
    buf_init(&out, 64);
    matrix_draw(&one, 0, MATRIX_ASCII, &out);
    assert_int_equal(out.rc, -EINVAL);
    out.rc = 0;
    matrix_draw(&one, MATRIX_SIDE_MAX + 1, MATRIX_BLOCKS, &out);
    assert_int_equal(out.rc, -EINVAL);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matrix_draw__sets__both_colours_on_each_line),
        cmocka_unit_test(matrix_draw__shows__each_dark_module_once),
        cmocka_unit_test(matrix_draw__refuses__sides_no_code_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
