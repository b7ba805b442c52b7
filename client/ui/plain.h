/* SPDX-License-Identifier: Apache-2.0 */
/* plain: lines in, lines out: the screen for a terminal, a screen reader, a pipe.
 * Flow     terminal -> plain -> client/cmd_chat; client/cmd_chat -> plain -> terminal
 * Owns     the terminal's mode while open; always put back
 * Threads  the loop's
 * libedit edits; bytes are cut into keys here first, so that pasted text, Ctrl-G and
 * Ctrl-Q are seen before it, and Ctrl-C keeps its place among them.  Nothing is printed
 * into a half-typed line: look at plain_busy() first. History of lines is not kept, on
 * disk or elsewhere. */
#ifndef KITH_UI_PLAIN_H
#define KITH_UI_PLAIN_H

#include "lib/buf.h"

enum plain_key {
    PLAIN_CRISIS,  /* Ctrl-G */
    PLAIN_HIDE,    /* Ctrl-Q */
    PLAIN_DROPPED, /* Ctrl-C: what was typed or pasted is gone, unsent */
    PLAIN_STOP,    /* Ctrl-C on an empty line */
};

struct plain;
struct plain_events {
    void (*line)(struct bytes text,
                 void *arg); /* without its end; several lines if pasted */
    void (*key)(enum plain_key key, void *arg);
    void (*pasted)(size_t lines, void *arg); /* shown; goes out with the next Enter */
    void (*ended)(void *arg); /* Ctrl-D on an empty line, or end of input */
};

/* Standard input and output; terminal: they are one, and plain is to edit.  0 or -errno.
 */
MUST_USE int plain_open(bool terminal, const struct plain_events *events, void *arg,
                        struct plain **out);
/* There is something to read on standard input (or its end). */
void plain_input(struct plain *p);
/* What stands before the line from now on; shown at once when nothing is typed. */
void plain_prompt(struct plain *p, const char *prompt);
/* Something is typed and not sent: printing would tear it. */
bool plain_busy(const struct plain *p);
/* Around printing whole lines to standard output. */
void plain_print_begin(struct plain *p);
void plain_print_end(struct plain *p);
void plain_bell(struct plain *p);
/* Wipe screen and scrollback. */
void plain_wipe_screen(struct plain *p);
void plain_close(struct plain *p); /* NULL is fine */

#endif
