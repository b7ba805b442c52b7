/* SPDX-License-Identifier: Apache-2.0 */
/* log: one line on standard error.  Never an address, a key, an id or a person's text, at
 * any level: arguments are counts, states, file names of our own and fixed phrases.
 * Under systemd (JOURNAL_STREAM set) lines begin with <N>; on a terminal they are plain.
 */
#ifndef KITH_LIB_LOG_H
#define KITH_LIB_LOG_H

enum log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARN,
    LOG_LEVEL_NOTICE,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG
};

/* program: the prefix ("kithd"), static storage. */
void log_start(const char *program, enum log_level most);
void log_set_level(enum log_level most);
/* Tests: lines go to sink instead of standard error (NULL: back). */
typedef void log_sink(enum log_level level, const char *line, void *arg);
void log_set_sink(log_sink *sink, void *arg);

void log_write(enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_notice(...) log_write(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
