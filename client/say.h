/* SPDX-License-Identifier: Apache-2.0 */
/* say: how results and failures reach a person or a script.
 * Flow     app, cmd_* -> say -> stdout, stderr
 * Owns     nothing
 * Threads  the loop's
 * stdout has results, stderr has talk; with --json one object a line on either, "v":1
 * first. */
#ifndef KITH_CLIENT_SAY_H
#define KITH_CLIENT_SAY_H

#include "client/app.h"
#include "client/json.h"

/* One line on stderr: "kith: ..." or an error object; returns exit.  code: for scripts,
 * never translated.  fmt and what follows are the message, already translated. */
int say_fail(const struct app *a, enum exit_code exit, const char *code, const char *fmt,
             ...) __attribute__((format(printf, 4, 5)));
/* The same with a hint: what to do next. */
int say_fail_hint(const struct app *a, enum exit_code exit, const char *code,
                  const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* What -errno or a node_error that no command expects means to a person. */
int say_rc(const struct app *a, int rc);
/* Why the relay could not be reached, as a sentence. */
void say_trouble(const struct app *a, char *out, size_t room);
/* Exit 69 with that sentence; kept: what stays on this device. */
int say_relay(const struct app *a, const char *kept);
/* What app_wait() said when it was not 0 and not a timeout. */
int say_stopped(const struct app *a, int exit);
/* Talk on stderr; silent with -q and with --json. */
void say_talk(const struct app *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* A line of result on stdout. */
void say_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Write the object as a line on stdout; 0 or an exit code. */
int say_json(const struct app *a, json_t *o);
/* 0 when all of standard output has been taken; else EXIT_DISK, said. */
int say_written(const struct app *a);

/* ---- names of things -------------------------------------------------------------- */

/* "quiet-otter", made safe, or "link c3". */
void say_name(const struct conversation *c, char out[APP_NAME_ROOM]);
/* "c3", "m9", or a name of exactly one conversation.  0 or an exit code (said already).
 */
int say_find_conv(struct app *a, const char *word, struct conversation *out);
/* "m9" -> 9; 0 when it is not of that form. */
int64_t say_id(char kind, const char *word);
/* Words for scripts: never translated. */
const char *say_state_key(enum message_state s);
const char *say_conv_key(const struct conversation *c);
const char *say_relay_key(enum relay_state s);
/* Words for people. */
void say_message_state(const struct message *m, char *out, size_t room);
/* The same in a word or two, for a line of its own in a history. */
void say_message_mark(const struct message *m, char *out, size_t room);
void say_conv_state(const struct conversation *c, char *out, size_t room);
void say_ago(uint64_t then_s, uint64_t now_s, char *out, size_t room);
/* Local date and time of the locale. */
void say_when(uint64_t unix_s, char *out, size_t room);
/* Write a message's text, safe for a terminal, after its writer's name. */
int say_message(const struct message *m, const char *name, bool with_state);
/* What happened, what was kept, what to do. */
void say_alarm(const struct alarm *m);
const char *say_alarm_key(enum alarm_kind kind);

#endif
