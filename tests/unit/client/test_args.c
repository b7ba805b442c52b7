/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/support.h"

#include "client/args.h"

#include <stdio.h>
#include <string.h>

enum { WORDS = 12 };

/* Split at spaces; "" stands for no words at all. */
static int read_words(const char *line, struct args *a, struct args_problem *p)
{
    static char copy[256];
    char *argv[WORDS] = {(char *)"kith"}, *rest = NULL;
    int argc = 1;

    (void)snprintf(copy, sizeof copy, "%s", line);
    for (char *w = strtok_r(copy, " ", &rest); w && argc < WORDS;
         w = strtok_r(NULL, " ", &rest))
        argv[argc++] = w;
    return args_read(argc, argv, a, p);
}

static void args_read__takes__flags_before_and_after_the_verb(void **state)
{
    static const char *const lines[] = {"--json --timeout 5 read c1 --follow",
                                        "read --follow c1 --json --timeout=5",
                                        "read c1 --json --follow --timeout 5s"};

    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct args a;
        struct args_problem p;

        assert_int_equal(read_words(lines[i], &a, &p), 0);
        assert_int_equal(a.verb, VERB_READ);
        assert_true(a.json && a.follow && a.has_timeout);
        assert_int_equal(a.timeout_s, 5);
        assert_int_equal(a.words_n, 1);
        assert_string_equal(a.words[0], "c1");
    }
}

static void args_read__means_chat__without_a_verb(void **state)
{
    struct args a;
    struct args_problem p;

    (void)state;
    assert_int_equal(read_words("-qvv --plain", &a, &p), 0);
    assert_int_equal(a.verb, VERB_CHAT);
    assert_true(!a.has_verb && a.plain && a.quiet);
    assert_int_equal(a.verbose, 2);
}

static void assert_problem(const char *line, enum args_error e, const char *what,
                           const char *guess)
{
    struct args a;
    struct args_problem p;

    assert_int_equal(read_words(line, &a, &p), e);
    assert_int_equal(p.error, e);
    assert_string_equal(p.what, what);
    if (guess)
        assert_string_equal(p.guess, guess);
    else
        assert_null(p.guess);
}

static void args_read__names__the_nearest_match(void **state)
{
    (void)state;
    assert_problem("raed", ARGS_E_VERB, "raed", "read");
    assert_problem("acept-link", ARGS_E_VERB, "acept-link", "accept-link");
    assert_problem("zzzzzzzz", ARGS_E_VERB, "zzzzzzzz", NULL);
    assert_problem("--passphrase-fil x list", ARGS_E_FLAG, "--passphrase-fil",
                   "--passphrase-file");
}

static void args_read__abbreviates__nothing(void **state)
{
    struct args a;
    struct args_problem p;

    (void)state;
    assert_int_equal(read_words("--pro x list", &a, &p), ARGS_E_FLAG);
    assert_int_equal(read_words("statu", &a, &p), ARGS_E_VERB);
    assert_problem("-qj list", ARGS_E_FLAG, "-qj", NULL);
}

static void args_read__refuses__a_value_that_looks_like_a_flag(void **state)
{
    (void)state;
    assert_problem("--timeout -o list", ARGS_E_NO_VALUE, "--timeout", NULL);
    assert_problem("--profile --json", ARGS_E_NO_VALUE, "--profile", NULL);
    assert_problem("list --passphrase-file", ARGS_E_NO_VALUE, "--passphrase-file", NULL);
    assert_problem("--json=1 list", ARGS_E_HAS_VALUE, "--json", NULL);
}

static void args_read__takes__a_dash_as_a_value_and_as_standard_input(void **state)
{
    struct args a;
    struct args_problem p;

    (void)state;
    assert_int_equal(read_words("send c1 - --passphrase-file -", &a, &p), 0);
    assert_string_equal(a.passphrase_file, "-");
    assert_int_equal(a.words_n, 1);
    assert_int_equal(read_words("join -", &a, &p), 0);
    assert_int_equal(a.words_n, 0);
}

static void args_read__refuses__text_in_its_place(void **state)
{
    (void)state;
    assert_problem("send c1 hello", ARGS_E_TEXT_INSIDE, "hello", NULL);
    assert_problem("join KITH:AAAA", ARGS_E_TEXT_INSIDE, "KITH:AAAA", NULL);
    assert_problem("accept-link KITH-C:AAAA", ARGS_E_TEXT_INSIDE, "KITH-C:AAAA", NULL);
    assert_problem("send c1 -- --hello", ARGS_E_TEXT_INSIDE, "--hello", NULL);
}

static void args_read__knows__which_flags_belong_to_which_verb(void **state)
{
    (void)state;
    assert_problem("list --follow", ARGS_E_NOT_HERE, "--follow", NULL);
    assert_problem("--guest send c1", ARGS_E_NOT_HERE, "--guest", NULL);
    assert_problem("read c1 --expires 7d", ARGS_E_NOT_HERE, "--expires", NULL);
    assert_problem("read", ARGS_E_MISSING, "read", NULL);
    assert_problem("list x", ARGS_E_EXTRA, "x", NULL);
}

static void args_read__forgives__everything_when_help_is_asked(void **state)
{
    struct args a;
    struct args_problem p;

    (void)state;
    assert_int_equal(read_words("read --help", &a, &p), 0);
    assert_true(a.help && a.verb == VERB_READ);
    assert_int_equal(read_words("-h", &a, &p), 0);
    assert_true(a.help && !a.has_verb);
}

static void args_duration__takes__units_and_nothing_else(void **state)
{
    static const char *const bad[] = {"",    "d",   "7x", "-1", "1.5",
                                      "7dd", " 7d", "0",  "0d", "99999999999999999999"};
    uint64_t s;

    (void)state;
    assert_int_equal(args_duration("7d", 0, &s), 0);
    assert_int_equal(s, 7 * 86400);
    assert_int_equal(args_duration("36h", 0, &s), 0);
    assert_int_equal(s, 36 * 3600);
    assert_int_equal(args_duration("45", 1, &s), 0);
    assert_int_equal(s, 45);
    assert_true(args_duration("45", 0, &s) != 0);
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_true(args_duration(bad[i], 1, &s) != 0);
}

static void args_read__bounds__timeout_and_expiry(void **state)
{
    struct args a;
    struct args_problem p;

    (void)state;
    assert_int_equal(read_words("link --expires 30d", &a, &p), 0);
    assert_int_equal(a.expires_hours, 720);
    assert_problem("link --expires 31d", ARGS_E_VALUE, "31d", "--expires");
    assert_problem("link --expires 59m", ARGS_E_VALUE, "59m", "--expires");
    assert_problem("list --timeout 2d", ARGS_E_VALUE, "2d", "--timeout");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(args_read__takes__flags_before_and_after_the_verb),
        cmocka_unit_test(args_read__means_chat__without_a_verb),
        cmocka_unit_test(args_read__names__the_nearest_match),
        cmocka_unit_test(args_read__abbreviates__nothing),
        cmocka_unit_test(args_read__refuses__a_value_that_looks_like_a_flag),
        cmocka_unit_test(args_read__takes__a_dash_as_a_value_and_as_standard_input),
        cmocka_unit_test(args_read__refuses__text_in_its_place),
        cmocka_unit_test(args_read__knows__which_flags_belong_to_which_verb),
        cmocka_unit_test(args_read__forgives__everything_when_help_is_asked),
        cmocka_unit_test(args_duration__takes__units_and_nothing_else),
        cmocka_unit_test(args_read__bounds__timeout_and_expiry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
