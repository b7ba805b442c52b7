/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/support.h"

#include "lib/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct seen {
    unsigned lines;
    enum log_level level;
    char line[2048];
};

static void note(enum log_level level, const char *line, void *arg)
{
    struct seen *s = arg;

    s->lines++;
    s->level = level;
    (void)snprintf(s->line, sizeof s->line, "%s", line);
}

static void log_write__drops__what_is_below_the_level(void **state)
{
    struct seen s = {0};

    (void)state;
    log_start("kithd", LOG_LEVEL_NOTICE);
    log_set_sink(note, &s);
    log_info("no");
    log_debug("no");
    log_notice("envelopes %d", 3);
    assert_int_equal(s.lines, 1);
    assert_int_equal(s.level, LOG_LEVEL_NOTICE);
    assert_string_equal(s.line, "envelopes 3");
    log_set_level(LOG_LEVEL_DEBUG);
    log_debug("yes");
    log_set_level(LOG_LEVEL_ERROR);
    log_warn("no");
    log_error("yes");
    assert_int_equal(s.lines, 3);
    log_set_sink(NULL, NULL);
}

static void log_write__replaces__what_steers_a_terminal(void **state)
{
    struct seen s = {0};

    (void)state;
    log_start("kithd", LOG_LEVEL_INFO);
    log_set_sink(note, &s);
    log_info("a\nb\x1b[31mc\x7f\td\xc2\x9b"
             "e\xc3\xa9");
    assert_string_equal(s.line, "a?b?[31mc??d??e\xc3\xa9");
    log_set_sink(NULL, NULL);
}

static void log_write__cuts__a_line_that_is_too_long(void **state)
{
    struct seen s = {0};
    char text[5000];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    log_set_sink(note, &s);
    log_error("%s", text);
    assert_int_equal(s.lines, 1);
    assert_in_range(strlen(s.line), 500, 1100);
    log_set_sink(NULL, NULL);
}

/* What reaches standard error, with JOURNAL_STREAM naming it (or something else). */
static void written(bool journal, char out[128])
{
    char *dir = support_dir();
    const char *path = support_path(dir, "err");
    int saved = dup(STDERR_FILENO);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    char stream[64];
    struct stat st;
    ssize_t n;

    assert_int_equal(fstat(fd, &st), 0);
    (void)snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)st.st_dev,
                   (uintmax_t)st.st_ino + (journal ? 0 : 1));
    setenv("JOURNAL_STREAM", stream, 1);
    dup2(fd, STDERR_FILENO);
    log_start("kithd", LOG_LEVEL_INFO);
    log_warn("disk full");
    dup2(saved, STDERR_FILENO);
    n = pread(fd, out, 127, 0);
    assert_true(n >= 0);
    out[n] = 0;
    close(saved);
    close(fd);
    unsetenv("JOURNAL_STREAM");
    log_start("kithd", LOG_LEVEL_INFO);
    support_dir_drop(dir);
}

static void log_write__numbers_lines__only_for_the_journal(void **state)
{
    char line[128];

    (void)state;
    written(true, line);
    assert_string_equal(line, "<4>disk full\n");
    written(false, line);
    assert_string_equal(line, "kithd: disk full\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_write__drops__what_is_below_the_level),
        cmocka_unit_test(log_write__replaces__what_steers_a_terminal),
        cmocka_unit_test(log_write__cuts__a_line_that_is_too_long),
        cmocka_unit_test(log_write__numbers_lines__only_for_the_journal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
