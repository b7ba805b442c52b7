/* SPDX-License-Identifier: Apache-2.0 */
/* prompt: questions on the terminal, and text from standard input.
 * Flow     terminal, standard input -> prompt -> app, cmd_*
 * Owns     the terminal's settings while a passphrase is typed; always put back
 * Threads  the loop's, which stands still meanwhile */
#ifndef KITH_CLIENT_PROMPT_H
#define KITH_CLIENT_PROMPT_H

#include "lib/buf.h"

enum {
    PROMPT_E_NONE = 1,    /* end of input, nothing typed */
    PROMPT_E_INTERRUPTED, /* Ctrl-C, or asked to end */
    PROMPT_E_NO_TTY,      /* nobody to ask */
    PROMPT_E_OPEN,        /* passphrase file: others can read it */
};
enum {
    PROMPT_LINE_BYTES_MAX = 4096,
    /* How often a person at a terminal is asked the same: who is sent away after one slip
     * types the next try into the shell. */
    PROMPT_TRIES = 3,
};

/* Catch SIGINT, SIGTERM and SIGHUP: prompts then end with PROMPT_E_INTERRUPTED, and wake
 * runs (from the handler: only what a signal handler may do). */
void prompt_catch_signals(void (*wake)(void));
/* The signal that came, or 0. */
int prompt_signal(void);

/* Ask with echo off on the terminal itself, not on standard input; out is a growing
 * buffer. 0, PROMPT_E_NONE, _INTERRUPTED, _NO_TTY or -errno. */
MUST_USE int prompt_secret(const char *question, struct buf *out);
/* The first line of a file; "-" is standard input.  0, PROMPT_E_NONE, PROMPT_E_OPEN,
 * -errno. */
MUST_USE int prompt_secret_file(const char *path, struct buf *out);
/* Ask, and read one line of standard input.  The question goes to standard error, and
 * only when standard input is a terminal.  0, PROMPT_E_NONE, _INTERRUPTED, -EFBIG or
 * -errno. */
MUST_USE int prompt_line(const char *question, struct buf *out);
/* The same for a question that y or n answers, asked again on a terminal.  0,
 * PROMPT_E_NONE (neither), _INTERRUPTED or -errno. */
MUST_USE int prompt_yes(const char *question, bool *yes);
/* All of standard input; -EFBIG beyond cap. */
MUST_USE int prompt_all(size_t cap, struct buf *out);

bool prompt_stdin_is_terminal(void);
/* Drop what was typed and not read, so that it does not end up in the shell. */
void prompt_drop_typed(void);

#endif
