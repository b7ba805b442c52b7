/* SPDX-License-Identifier: Apache-2.0 */
/* text: makes text from others safe to put on a terminal.
 * Flow     core/model -> text -> ui/plain, client/cmd_*
 * Owns     nothing
 * Threads  any
 * What goes: control characters (C0, DEL, C1), everything that steers direction
 * (overrides, embeddings, isolates, marks), what is invisible (zero width, fillers, tags,
 * private use), and the third and later marks piled on one letter after the eighth.  What
 * stays: every letter of every script, and the joiners that some scripts need between
 * their letters. */
#ifndef KITH_UI_TEXT_H
#define KITH_UI_TEXT_H

#include "lib/buf.h"

enum text_shape {
    TEXT_NAME,  /* one line, no joiners at all: names are compared by eye */
    TEXT_LINE,  /* one line: line ends become a space */
    TEXT_BLOCK, /* several lines: each one after the first is indented by two spaces, so
                   that no message can draw a line that looks like somebody else's */
};
enum { TEXT_MARKS_MAX = 8 /* on one letter; the longest seen in real spelling is 4 */ };

/* Append the safe form of in to out (failure in out->rc).  Bytes that are not UTF-8
 * become U+FFFD.  Text that holds a right-to-left letter is wrapped in a first-strong
 * isolate, so that it cannot move what stands around it. */
void text_safe(struct bytes in, enum text_shape shape, struct buf *out);

/* Columns that the (already safe) text takes. */
size_t text_width(struct bytes in);

/* The same as text_safe() with TEXT_NAME, into a caller's string of room bytes, cut
 * between characters, always ended by a zero. */
void text_name(struct bytes in, char *out, size_t room);

/* True for a name that could be taken for the person's own words or for an id: blank,
 * "you", "me", "kith", or c or m with digits; whatever the case, the width of its
 * letters, and the blanks around it.  Also true for what is not UTF-8. */
bool text_name_misleads(struct bytes name);

#endif
