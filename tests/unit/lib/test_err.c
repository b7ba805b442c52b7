/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/support.h"

#include "lib/err.h"
#include "lib/mem.h"

#include <errno.h>
#include <string.h>

static void err_fold__turns__conditions_into_eproto(void **state)
{
    (void)state;
    assert_int_equal(err_fold(0), 0);
    assert_int_equal(err_fold(-ENOSPC), -ENOSPC);
    assert_int_equal(err_fold(1), -EPROTO);
    assert_int_equal(err_fold(77), -EPROTO);
}

static void err_text__says__something_for_every_code(void **state)
{
    (void)state;
    assert_string_equal(err_text(-ENOMEM), "out of memory");
    assert_string_equal(err_text(-ENOSPC), "no space left");
    for (int code = 0; code < 200; code++)
        assert_true(strlen(err_text(-code)) > 2);
    assert_string_equal(err_text(-99999), err_text(-99998));
}

static int refuse_reads(enum seam kind, void *arg)
{
    ++*(int *)arg;
    return kind == SEAM_READ ? -EIO : 0;
}

static void seam_check__asks__the_hook_only_while_it_is_set(void **state)
{
    int asked = 0;

    (void)state;
    assert_int_equal(seam_check(SEAM_READ), 0);
    seam_set(refuse_reads, &asked);
    assert_int_equal(seam_check(SEAM_READ), -EIO);
    assert_int_equal(seam_check(SEAM_WRITE), 0);
    seam_set(NULL, NULL);
    assert_int_equal(seam_check(SEAM_READ), 0);
    assert_int_equal(asked, 2);
}

static void mem__fails__every_call_when_told(void **state)
{
    struct support_fault f;
    void *p = mem_alloc(8);

    (void)state;
    assert_non_null(p);
    support_fail_nth(&f, SEAM_ALLOC, 1, -ENOMEM);
    assert_null(mem_alloc(1));
    support_fail_nth(&f, SEAM_ALLOC, 1, -ENOMEM);
    assert_null(mem_zalloc(1));
    support_fail_nth(&f, SEAM_ALLOC, 1, -ENOMEM);
    assert_null(mem_array(1, 1));
    support_fail_nth(&f, SEAM_ALLOC, 1, -ENOMEM);
    assert_null(mem_realloc(p, 16)); /* p stays ours: freed below */
    support_fail_nth(&f, SEAM_ALLOC, 1, -ENOMEM);
    assert_null(mem_strdup("x"));
    support_fail_none();
    mem_free(p);
    mem_free(NULL);
}

static void mem__gives__zeros_copies_and_no_overflow(void **state)
{
    unsigned char *z = mem_zalloc(64);
    char *s = mem_strdup("palpation");
    size_t huge = SIZE_MAX / 2;

    (void)state;
    assert_non_null(z);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(z[i], 0);
    assert_string_equal(s, "palpation");
    assert_null(mem_array(huge, 3));
    mem_free(z);
    mem_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(err_fold__turns__conditions_into_eproto),
        cmocka_unit_test(err_text__says__something_for_every_code),
        cmocka_unit_test(seam_check__asks__the_hook_only_while_it_is_set),
        cmocka_unit_test(mem__fails__every_call_when_told),
        cmocka_unit_test(mem__gives__zeros_copies_and_no_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
