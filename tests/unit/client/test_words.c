/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the sentences of ui/words as its source has them, and holds them to the rules: no
 * diagnosis words, no promises that nobody can keep, no blame, nothing that a screen
 * reader or a translator trips over.  A second reader is still needed: this only finds
 * the known traps. */
#include "tests/support/support.h"

#include "client/args.h"
#include "client/ui/words.h"
#include "lib/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SOURCE_MAX = 200 * 1024, SENTENCE_MAX = 2048, SENTENCES_LEAST = 150 };

typedef void check_fn(const char *sentence);

static char *load(const char *name)
{
    const char *root = getenv("KITH_SOURCE");
    char path[1024];
    char *text = calloc(1, SOURCE_MAX);
    FILE *f;

    (void)snprintf(path, sizeof path, "%s/client/ui/%s", root ? root : ".", name);
    f = fopen(path, "rb");
    if (f == NULL)
        fail_msg("cannot open %s", path);
    assert_non_null(text);
    assert_true(fread(text, 1, SOURCE_MAX - 1, f) > 0);
    (void)fclose(f);
    return text;
}

/* Adjacent string literals are one sentence; #include lines are none. */
static size_t each_sentence(const char *source, check_fn *check)
{
    char s[SENTENCE_MAX];
    size_t n = 0, count = 0;
    const char *p = source;

    while (*p) {
        if (*p == '#' && strncmp(p, "#include", 8) == 0) {
            p += strcspn(p, "\n");
        } else if (p[0] == '/' && p[1] == '*') {
            p = strstr(p, "*/") + 2;
        } else if (*p == '"') {
            for (p++; *p != '"'; p++) {
                assert_true(n + 1 < sizeof s);
                if (*p == '\\')
                    p++;
                s[n++] = *p;
            }
            p++;
        } else {
            if (n > 0 && !isspace((unsigned char)*p) && *p != '\\') {
                s[n] = '\0';
                check(s);
                count++;
                n = 0;
            }
            p++;
        }
    }
    return count;
}

static void each(check_fn *check)
{
    char *header = load("words.h"), *source = load("words.c");

    assert_true(each_sentence(header, check) + each_sentence(source, check) >
                SENTENCES_LEAST);
    free(header);
    free(source);
}

static bool has_word(const char *s, const char *word)
{
    size_t n = strlen(word);

    for (const char *p = s; *p; p++)
        if ((p == s || !isalpha((unsigned char)p[-1])) && strncasecmp(p, word, n) == 0)
            return true;
    return false;
}

static void has_none_of(const char *s, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (has_word(s, words[i]))
            fail_msg("\"%s\" in: %s", words[i], s);
}

static void no_diagnosis(const char *s)
{
    static const char *const words[] = {
        "depress",       "anxi",    "bipolar",    "psycho",    "schizo",
        "disorder",      "diagnos", "symptom",    "patient",   "mental illness",
        "mental health", "suicid",  "commit",     "self-harm", "overdose",
        "addict",        "trauma",  "risk level", "score",     "therapy",
    };

    has_none_of(s, words, COUNT(words));
}

static void no_promise(const char *s)
{
    static const char *const words[] = {
        "100%",         "guarantee",        "completely",
        "totally",      "fully anonymous",  "untraceable",
        "unbreakable",  "military",         "help is on",
        "someone will", "will be with you", "it gets better",
        "always there", "you are safe",     "never be known",
        "secure",
    };

    has_none_of(s, words, COUNT(words));
}

static void no_blame(const char *s)
{
    static const char *const words[] = {
        "invalid",     "illegal",    "fatal",    "abort",     "terminated", "abandoned",
        "your fault",  "you failed", "must not", "forbidden", "oops",       "sorry",
        "please wait", "rejected",   "denied",   "malformed",
    };

    has_none_of(s, words, COUNT(words));
}

static void is_plain_text(const char *s)
{
    for (const char *p = s; *p; p++)
        if ((unsigned char)*p >= 0x80 || (unsigned char)*p < 0x20)
            fail_msg("a character beyond plain text in: %s", s);
    if (strchr(s, '!'))
        fail_msg("an exclamation mark in: %s", s);
    if (strstr(s, "^G") || strstr(s, "^Q"))
        fail_msg("write Ctrl-G: a screen reader says \"G\" for ^G: %s", s);
}

static void words__say__no_diagnosis(void **state)
{
    (void)state;
    each(no_diagnosis);
}

static void words__promise__nothing_that_nobody_can_keep(void **state)
{
    (void)state;
    each(no_promise);
}

static void words__blame__nobody(void **state)
{
    (void)state;
    each(no_blame);
}

static void words__are__plain_text(void **state)
{
    (void)state;
    each(is_plain_text);
}

static size_t count_lines(enum words_page page, size_t widest)
{
    size_t n = 0;
    const char *line;

    while ((line = words_line(page, n)) != NULL) {
        if (strlen(line) > widest)
            fail_msg("wider than %zu: %s", widest, line);
        n++;
    }
    return n;
}

static bool page_has(enum words_page page, const char *what)
{
    const char *line;

    for (size_t i = 0; (line = words_line(page, i)) != NULL; i++)
        if (strstr(line, what))
            return true;
    return false;
}

static void words_line__fits__a_terminal_of_80_by_24(void **state)
{
    (void)state;
    assert_in_range(count_lines(PAGE_HELP, 85), 10, 23);
    assert_in_range(count_lines(PAGE_CRISIS, 85), 5, 20);
    assert_in_range(count_lines(PAGE_LIMITS, 85), 10, 30);
    assert_in_range(count_lines(PAGE_JOIN, 85), 4, 12);
    assert_in_range(count_lines(PAGE_KEYS, 85), 4, 20);
}

static void words_line__says__what_must_never_be_left_out(void **state)
{
    (void)state;
    assert_true(page_has(PAGE_CRISIS, "112"));
    assert_true(page_has(PAGE_CRISIS, "cannot find you"));
    assert_true(page_has(PAGE_JOIN, "not therapists"));
    assert_true(page_has(PAGE_JOIN, "kith crisis"));
    assert_true(page_has(PAGE_LIMITS, "member key"));
    assert_true(page_has(PAGE_LIMITS, "address"));
    assert_true(page_has(PAGE_LIMITS, "court"));
    assert_true(page_has(PAGE_HELP, "kith crisis"));
}

static void words_example__has__one_for_every_verb(void **state)
{
    (void)state;
    for (int v = 0; v < VERB_COUNT; v++) {
        const char *name = args_verb_name((enum verb)v);

        if (words_example(name, 0) == NULL || words_example(name, 1) == NULL)
            fail_msg("no two examples of: kith %s", name);
    }
    assert_null(words_example("nothing", 0));
}

static void words_count__knows__one_from_many(void **state)
{
    char out[96], small[8];

    (void)state;
    words_count(COUNT_UNREAD, 1, out, sizeof out);
    assert_string_equal(out, "1 new message");
    words_count(COUNT_UNREAD, 0, out, sizeof out);
    assert_string_equal(out, "0 new messages");
    words_count(COUNT_DAYS_AGO, 12345, out, sizeof out);
    assert_string_equal(out, "12345 days ago");
    words_count(COUNT_QUEUED, 5, small, sizeof small);
    assert_int_equal(strlen(small), sizeof small - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words__say__no_diagnosis),
        cmocka_unit_test(words__promise__nothing_that_nobody_can_keep),
        cmocka_unit_test(words__blame__nobody),
        cmocka_unit_test(words__are__plain_text),
        cmocka_unit_test(words_line__fits__a_terminal_of_80_by_24),
        cmocka_unit_test(words_line__says__what_must_never_be_left_out),
        cmocka_unit_test(words_example__has__one_for_every_verb),
        cmocka_unit_test(words_count__knows__one_from_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
