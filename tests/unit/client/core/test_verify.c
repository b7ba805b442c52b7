/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/names.h"
#include "client/core/verify.h"
#include "client/core/words_eff.h"
#include "lib/secret.h"
#include "tests/support/support.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static int start(void **state)
{
    (void)state;
    return secret_start();
}

/* ---- words ------------------------------------------------------------------------ */

static void words_eff__is_the_list__sorted_and_unlike_in_three_letters(void **state)
{
    (void)state;
    assert_string_equal(words_eff(0), "aardvark");
    assert_string_equal(words_eff(1295), "zucchini");
    for (uint32_t i = 0; i < WORDS_EFF; i++) {
        assert_in_range(strlen(words_eff(i)), 3, 10);
        for (const char *c = words_eff(i); *c; c++)
            assert_true(islower((unsigned char)*c) || *c == '-');
        if (i > 0)
            assert_true(strncmp(words_eff(i - 1), words_eff(i), 3) < 0);
    }
}

static void verify_words__depends_on_each_side_of_the_session(void **state)
{
    const char *one[VERIFY_WORDS], *again[VERIFY_WORDS], *other[VERIFY_WORDS];
    uint8_t th_2[HASH_BYTES] = {1, 2, 3};
    int same = 0;

    (void)state;
    assert_int_equal(verify_words(th_2, one), 0);
    assert_int_equal(verify_words(th_2, again), 0);
    th_2[31] ^= 1;
    assert_int_equal(verify_words(th_2, other), 0);
    for (size_t i = 0; i < VERIFY_WORDS; i++) {
        assert_string_equal(one[i], again[i]);
        same += !strcmp(one[i], other[i]);
    }
    assert_true(same < 2);
}

static void verify_words__says_so__when_memory_is_out(void **state)
{
    const char *words[VERIFY_WORDS];
    uint8_t th_2[HASH_BYTES] = {0};
    struct support_fault fault;

    (void)state;
    support_fail_nth(&fault, SEAM_ALLOC, 1, -ENOMEM);
    assert_int_equal(verify_words(th_2, words), -ENOMEM);
    support_fail_none();
}

/* ---- names ------------------------------------------------------------------------ */

static void names_suggest__offers_three_names__with_no_word_twice(void **state)
{
    char names[NAMES_SUGGESTED][NAMES_CHARS_MAX + 1];

    (void)state;
    for (int round = 0; round < 2000; round++) {
        const char *words[2 * NAMES_SUGGESTED];

        assert_int_equal(names_suggest(names), 0);
        for (size_t i = 0; i < NAMES_SUGGESTED; i++) {
            char *space = strchr(names[i], ' ');

            assert_non_null(space);
            *space = '\0';
            words[2 * i] = names[i];
            words[2 * i + 1] = space + 1;
            assert_true(isupper((unsigned char)names[i][0]));
            assert_true(isupper((unsigned char)space[1]));
        }
        for (size_t i = 0; i < COUNT(words); i++)
            for (size_t k = 0; k < i; k++)
                assert_string_not_equal(words[i], words[k]);
    }
}

static int all_zeros(void *p, size_t n, void *arg)
{
    uint32_t *calls = arg;

    memset(p, 0, n);
    if (++*calls > 4 && n > 0) /* the first name, and then each word once more */
        *(uint8_t *)p = (uint8_t)*calls;
    return 0;
}

static void names_suggest__draws_again__when_a_word_came_before(void **state)
{
    char names[NAMES_SUGGESTED][NAMES_CHARS_MAX + 1];
    uint32_t calls = 0;

    (void)state;
    rand_set(all_zeros, &calls);
    assert_int_equal(names_suggest(names), 0);
    rand_set(NULL, NULL);
    assert_true(calls > 6);
    assert_string_not_equal(names[0], names[1]);
    assert_string_not_equal(names[1], names[2]);
}

static void names_suggest__says_so__without_randomness(void **state)
{
    char names[NAMES_SUGGESTED][NAMES_CHARS_MAX + 1];
    struct support_fault fault;

    (void)state;
    for (unsigned nth = 1; nth <= 6; nth++) {
        support_fail_nth(&fault, SEAM_RANDOM, nth, -EIO);
        assert_int_equal(names_suggest(names), -EIO);
        support_fail_none();
    }
}

int main(void)
{
    const struct CMUnitTest claims[] = {
        cmocka_unit_test(words_eff__is_the_list__sorted_and_unlike_in_three_letters),
        cmocka_unit_test(verify_words__depends_on_each_side_of_the_session),
        cmocka_unit_test(verify_words__says_so__when_memory_is_out),
        cmocka_unit_test(names_suggest__offers_three_names__with_no_word_twice),
        cmocka_unit_test(names_suggest__draws_again__when_a_word_came_before),
        cmocka_unit_test(names_suggest__says_so__without_randomness),
    };

    return cmocka_run_group_tests(claims, start, NULL);
}
