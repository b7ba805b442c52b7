/* SPDX-License-Identifier: Apache-2.0 */
/* json: one object a line on a stream, "v":1 first.  jansson behind a fence of four
 * functions' worth of habits: values that are not UTF-8 are replaced, never dropped.
 * Flow     cmd_* -> json -> stdout; app -> json -> stderr
 * Owns     nothing: json_line() consumes the object.
 * Threads  the loop's */
#ifndef KITH_CLIENT_JSON_H
#define KITH_CLIENT_JSON_H

#include "lib/buf.h"

#include <jansson.h>
#include <stdio.h>

/* jansson allocates through lib/mem.  Once, first. */
void json_start(void);

/* {"v":1}, NULL when out of memory (the setters and json_line take that). */
MUST_USE json_t *json_begin(void);
void json_text(json_t *o, const char *key, const char *value); /* NULL: null */
void json_bytes(json_t *o, const char *key,
                struct bytes utf8); /* bad bytes become U+FFFD */
void json_number(json_t *o, const char *key, uint64_t value);
void json_flag(json_t *o, const char *key, bool value);
/* "c12": kind is one letter.  0: null */
void json_id(json_t *o, const char *key, char kind, int64_t id);
/* RFC 3339, UTC, from unix seconds.  0: null */
void json_time(json_t *o, const char *key, uint64_t unix_s);

/* Write and flush the line; frees o.  0, -ENOMEM (o was NULL) or -EIO. */
MUST_USE int json_line(FILE *to, json_t *o);

#endif
