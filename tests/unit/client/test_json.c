/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/support.h"

#include "client/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void json_line__writes__nothing_that_steers_a_terminal(void **state)
{
    /* U+009B, U+202E, U+2028 and one letter outside the first plane. */
    static const char text[] = "a\xC2\x9B"
                               "b\xE2\x80\xAE"
                               "c\xE2\x80\xA8"
                               "d\xF0\x9F\x92\x9A";
    char line[256];
    json_t *o = json_begin(), *back;
    FILE *f = tmpfile();

    (void)state;
    assert_non_null(f);
    json_bytes(o, "text", (struct bytes){(const uint8_t *)text, sizeof text - 1});
    assert_int_equal(json_line(f, o), 0);
    rewind(f);
    assert_non_null(fgets(line, sizeof line, f));
    assert_int_equal(fclose(f), 0);
    for (const char *p = line; *p != '\n'; p++)
        assert_in_range(*p, 0x20, 0x7e);
    back = json_loads(line, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(back, "text")), text);
    json_decref(back);
}

static void json_line__fails__when_nothing_can_be_written(void **state)
{
    FILE *f = fopen("/dev/full", "w");

    (void)state;
    if (f == NULL)
        skip();
    assert_int_equal(json_line(f, json_begin()), -EIO);
    (void)fclose(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_line__writes__nothing_that_steers_a_terminal),
        cmocka_unit_test(json_line__fails__when_nothing_can_be_written),
    };

    json_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
