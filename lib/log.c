/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_BYTES = 1024, SYSLOG_ERROR = 3 };

static const char *program_name = "kith";
static enum log_level most_shown = LOG_LEVEL_NOTICE;
static bool to_journal;
static log_sink *other_sink;
static void *other_sink_arg;

/* A terminal that was itself started by systemd passes JOURNAL_STREAM on: only when it
 * names our own standard error does the journal read us. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    char own[64];
    struct stat st;

    if (!stream || fstat(STDERR_FILENO, &st))
        return false;
    (void)snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)st.st_dev,
                   (uintmax_t)st.st_ino);
    return strcmp(stream, own) == 0;
}

void log_start(const char *program, enum log_level most)
{
    program_name = program;
    most_shown = most;
    to_journal = stderr_is_journal();
}

void log_set_level(enum log_level most)
{
    most_shown = most;
}

void log_set_sink(log_sink *sink, void *arg)
{
    other_sink = sink;
    other_sink_arg = arg;
}

/* One call, one line, nothing that steers a terminal: C0, DEL, and C1 as UTF-8 has it. */
static void strip_controls(char *s)
{
    for (unsigned char *c = (unsigned char *)s; *c; c++) {
        if (*c < 0x20 || *c == 0x7f)
            *c = '?';
        else if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)
            c[0] = c[1] = '?';
    }
}

void log_write(enum log_level level, const char *fmt, ...)
{
    char text[LINE_BYTES], line[LINE_BYTES + 64];
    va_list args;
    int n;

    if (level > most_shown)
        return;
    va_start(args, fmt);
    n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (n < 0)
        return;
    strip_controls(text);
    if (other_sink) {
        other_sink(level, text, other_sink_arg);
        return;
    }
    if (to_journal) /* which adds the program's name by itself */
        n = snprintf(line, sizeof line, "<%d>%s\n", SYSLOG_ERROR + (int)level, text);
    else
        n = snprintf(line, sizeof line, "%.32s: %s\n", program_name, text);
    /* One write, so that lines of several threads do not mix.  Nowhere to complain to. */
    if (n > 0 && write(STDERR_FILENO, line, strlen(line)) < 0)
        return;
}
