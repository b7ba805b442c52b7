/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *const verbs[] = {"join", "ask",    "chat",     "crisis",
                                    "send", "status", "retention"};
enum { VERBS = sizeof verbs / sizeof verbs[0] };

static void nearest__finds__a_word_with_one_slip(void **state)
{
    (void)state;
    assert_string_equal(nearest("asc", verbs, VERBS), "ask");
    assert_string_equal(nearest("jion", verbs, VERBS), "join");
    assert_string_equal(nearest("crisi", verbs, VERBS), "crisis");
    assert_string_equal(nearest("retension", verbs, VERBS), "retention");
    assert_string_equal(nearest("stats", verbs, VERBS), "status");
}

static void nearest__says_nothing__when_nothing_is_close(void **state)
{
    (void)state;
    assert_null(nearest("", verbs, VERBS));
    assert_null(nearest("xyz", verbs, VERBS));
    assert_null(nearest("wibblewobble", verbs, VERBS));
    assert_null(nearest("a-word-that-is-far-longer-than-any-verb", verbs, VERBS));
    assert_null(nearest("ask", verbs, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nearest__finds__a_word_with_one_slip),
        cmocka_unit_test(nearest__says_nothing__when_nothing_is_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
