/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/support.h"

#include "client/ui/text.h"

#include <string.h>
#include <utf8proc.h>

static void assert_safe(enum text_shape shape, const char *in, size_t in_n,
                        const char *want)
{
    struct bytes exact = support_exact(in, in_n);
    struct buf out;

    buf_init(&out, 1 << 16);
    text_safe(exact, shape, &out);
    assert_int_equal(out.rc, 0);
    buf_put(&out, "", 1);
    assert_string_equal((const char *)out.p, want);
    buf_free(&out);
    support_drop(exact);
}
#define SAFE(shape, in, want) assert_safe(shape, in, sizeof(in) - 1, want)

static void text_safe__keeps__letters_of_every_script(void **state)
{
    (void)state;
    SAFE(TEXT_LINE,
         "na\u00efve \u4f60\u597d \u0939\u093f\u0928\u094d\u0926\u0940 \U0001F600",
         "na\u00efve \u4f60\u597d \u0939\u093f\u0928\u094d\u0926\u0940 \U0001F600");
    SAFE(TEXT_LINE, "e\u0301", "e\u0301");
    SAFE(TEXT_LINE, "", "");
}

static void text_safe__drops__control_characters(void **state)
{
    (void)state;
    SAFE(TEXT_LINE, "a\x1b[31mb\x07\x7f\0c", "a[31mbc");
    SAFE(TEXT_LINE,
         "a\xc2\x9b"
         "31mb",
         "a31mb"); /* C1: a one-byte escape */
    SAFE(TEXT_LINE, "a\tb", "a b");
}

static void text_safe__drops__direction_characters(void **state)
{
    (void)state;
    SAFE(TEXT_LINE, "a\u202eb\u202d\u202a\u202b\u202c", "ab");
    SAFE(TEXT_LINE, "a\u2066\u2067\u2068\u2069\u200e\u200f\u061c", "a");
    SAFE(TEXT_NAME, "bob\u202egpj.exe", "bobgpj.exe");
}

static void text_safe__drops__what_is_invisible(void **state)
{
    (void)state;
    SAFE(TEXT_LINE, "a\u200b\u2060\ufeff\u00ad\u180e\u3164\u115f\u2800\U000E0041z", "az");
    SAFE(TEXT_NAME, "heron\u200d", "heron");
    SAFE(TEXT_LINE, "b\u200dob", "bob"); /* between ASCII a joiner only hides something */
    SAFE(TEXT_LINE, "a\ue000\U000F0000", "a");
}

static void text_safe__keeps__joiners_where_they_spell(void **state)
{
    (void)state;
    SAFE(TEXT_LINE, "\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937");
    SAFE(TEXT_NAME, "\u0915\u094d\u200d\u0937", "\u0915\u094d\u0937");
    SAFE(TEXT_LINE, "\u0915\u200d\u200d\u200d\u0937",
         "\u0915\u200d\u0937"); /* one will do */
}

static void text_safe__isolates__right_to_left_text(void **state)
{
    (void)state;
    SAFE(TEXT_LINE, "\u05e9\u05dc\u05d5\u05dd", "\u2068\u05e9\u05dc\u05d5\u05dd\u2069");
    SAFE(TEXT_LINE, "a \u0645\u202e b", "\u2068a \u0645 b\u2069");
}

static void text_safe__indents__every_line_after_the_first(void **state)
{
    (void)state;
    SAFE(TEXT_BLOCK, "one\ntwo\r\nthree", "one\n  two\n  three");
    SAFE(TEXT_BLOCK,
         "one\u2028two\x0b"
         "three\xc2\x85"
         "four",
         "one\n  two\n  three\n  four");
    SAFE(TEXT_BLOCK, "one\n\n\n\n\n\ntwo\n\n", "one\n\n  two");
    SAFE(TEXT_BLOCK, "\n\nyou: hello", "you: hello");
    SAFE(TEXT_LINE, "one\n\ntwo\n", "one two");
}

static void text_safe__cuts__piles_of_marks(void **state)
{
    char in[1 + 2 * 100 + 1] = "e", want[1 + 2 * TEXT_MARKS_MAX + 1] = "e";

    (void)state;
    for (int i = 0; i < 100; i++)
        strcat(in, "\u0301");
    for (int i = 0; i < TEXT_MARKS_MAX; i++)
        strcat(want, "\u0301");
    assert_safe(TEXT_LINE, in, strlen(in), want);
}

static void text_safe__replaces__what_is_not_utf8(void **state)
{
    (void)state;
    SAFE(TEXT_LINE,
         "a\xff"
         "b",
         "a\ufffd"
         "b");
    SAFE(TEXT_LINE, "a\xed\xa0\x80", "a\ufffd\ufffd\ufffd"); /* a surrogate */
    SAFE(TEXT_LINE, "a\xc0\xaf", "a\ufffd\ufffd");           /* an overlong slash */
    SAFE(TEXT_LINE, "a\xf0\x9f\x98", "a\ufffd\ufffd\ufffd"); /* cut short */
}

/* Whatever comes in, nothing that steers a terminal comes out, and it is UTF-8. */
static void text_safe__never_lets_through__steering_in_any_bytes(void **state)
{
    struct support_random r;
    uint8_t in[64];

    (void)state;
    support_random_start(&r, 2);
    for (int round = 0; round < 20000; round++) {
        size_t n = support_random_below(&r, sizeof in);
        struct buf out;
        utf8proc_int32_t c;

        support_random_fill(&r, in, n);
        for (size_t i = 0; i < n; i++) /* mostly beginnings and ends of real characters */
            if (support_random_below(&r, 2))
                in[i] = (uint8_t) "\xe2\x80\xae\xaa\xc2\x9b\x1b[\na"[in[i] % 10];
        buf_init(&out, 4096);
        text_safe((struct bytes){in, n}, TEXT_LINE, &out);
        assert_int_equal(out.rc, 0);
        for (size_t at = 0; at < out.n;) {
            utf8proc_ssize_t k = utf8proc_iterate(out.p + at,
                                                  (utf8proc_ssize_t)(out.n - at), &c);

            assert_true(k > 0);
            assert_true(c >= 0x20 && c != 0x7F && !(c >= 0x80 && c < 0xA0));
            assert_false(c >= 0x202A && c <= 0x202E);
            assert_false(c == 0x2066 || c == 0x2067);
            at += (size_t)k;
        }
        buf_free(&out);
    }
}

static void text_name__cuts__between_characters(void **state)
{
    char out[6];

    (void)state;
    text_name((struct bytes){(const uint8_t *)"ab\u4f60\u597d", 8}, out, sizeof out);
    assert_string_equal(out, "ab\u4f60");
    text_name((struct bytes){(const uint8_t *)"", 0}, out, sizeof out);
    assert_string_equal(out, "");
}

static void text_name_misleads__knows__own_words_and_ids(void **state)
{
    static const char *const bad[] = {
        "you",       "You",    "ME",   " you ", "\u00a0me",     "kith",
        "c1",        "C1",     "m007", " ",     "\u3000\u2003", "\uff59\uff4f\uff55",
        "y\u200bou", "\u2800", "",
    };
    static const char *const good[] = {
        "bob", "your", "yo",    "melissa",     "c",      "m",   "cm1",
        "c1x", "1c",   "kithy", "Quiet Otter", "\u4f60", "c 1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct bytes exact = support_exact(bad[i], strlen(bad[i]));
        assert_true(text_name_misleads(exact));
        support_drop(exact);
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct bytes exact = support_exact(good[i], strlen(good[i]));
        assert_false(text_name_misleads(exact));
        support_drop(exact);
    }
}

static void text_width__counts__columns(void **state)
{
    (void)state;
    assert_int_equal(text_width((struct bytes){(const uint8_t *)"a\u4f60e\u0301", 7}), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_safe__keeps__letters_of_every_script),
        cmocka_unit_test(text_safe__drops__control_characters),
        cmocka_unit_test(text_safe__drops__direction_characters),
        cmocka_unit_test(text_safe__drops__what_is_invisible),
        cmocka_unit_test(text_safe__keeps__joiners_where_they_spell),
        cmocka_unit_test(text_safe__isolates__right_to_left_text),
        cmocka_unit_test(text_safe__indents__every_line_after_the_first),
        cmocka_unit_test(text_safe__cuts__piles_of_marks),
        cmocka_unit_test(text_safe__replaces__what_is_not_utf8),
        cmocka_unit_test(text_safe__never_lets_through__steering_in_any_bytes),
        cmocka_unit_test(text_name__cuts__between_characters),
        cmocka_unit_test(text_name_misleads__knows__own_words_and_ids),
        cmocka_unit_test(text_width__counts__columns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
