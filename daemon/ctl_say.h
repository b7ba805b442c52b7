/* SPDX-License-Identifier: Apache-2.0 */
/* ctl_say: what kithctl puts on the screen: results on standard output, talk and errors
 * on standard error; with --json one object a line. Threads  the only one */
#ifndef KITH_DAEMON_CTL_SAY_H
#define KITH_DAEMON_CTL_SAY_H

#include "daemon/ctl.h"

#include <jansson.h>

enum { CTL_TIME_CHARS = 32, CTL_SIZE_CHARS = 32 };

/* An error, as a sentence or as JSON; returns `exit` so that verbs can end with it.
 * code: the word for scripts. */
int ctl_fail(const struct ctl *c, int exit, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* A result for people, on standard output; silent with --json. */
void ctl_say(const struct ctl *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Talk, on standard error; silent with --json and -q. */
void ctl_note(const struct ctl *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Print an object with "v":1 first; takes the reference.  Returns CTL_DONE, or CTL_BUG.
 */
int ctl_json(json_t *object);
/* Array of str (msgpack) as lines of fmt (one %s), or into a JSON array. */
void ctl_lines(struct bytes array, const char *fmt, FILE *to);
json_t *ctl_json_lines(struct bytes array);

/* A text from the relay without control characters, cut to room, closed with a zero. */
void ctl_clean(struct bytes text, char *out, size_t room);
/* Dates for people: "2026-11-22" and "2026-11-22 14:00", UTC.  For machines: RFC 3339. */
void ctl_date(uint64_t unix_s, char out[CTL_TIME_CHARS]);
void ctl_minute(uint64_t unix_s, char out[CTL_TIME_CHARS]);
void ctl_rfc3339(uint64_t unix_s, char out[CTL_TIME_CHARS]);
/* "12.3 MB". */
void ctl_size(uint64_t bytes, char out[CTL_SIZE_CHARS]);
/* A QR code of this text, when it can be drawn; nothing otherwise. */
void ctl_qr(const char *text);

#endif
