/* SPDX-License-Identifier: Apache-2.0 */
/* request: the parameters of one line, for the operations.  Whoever refuses says why in
 * q->why; the first reason stays.
 * Flow     ops -> request; voprf -> request */
#ifndef KITH_TESTS_VEC_REQUEST_H
#define KITH_TESTS_VEC_REQUEST_H

#include "lib/buf.h"

#include <jansson.h>

/* Parameters stand in "params" or "args", or beside the operation's name. */
struct request {
    const json_t *all;
    const json_t *params; /* may be NULL */
    const char *why;      /* set by whoever refuses */
};

extern const char request_missing[]; /* the reason "a parameter is missing" */

/* The parameter, or NULL: it is not there, or null. */
const json_t *request_param(const struct request *q, const char *name);

/* Hex digits of least..most bytes into a heap block for request_drop(), also on failure.
 * Missing is the same as empty where optional is true, with p NULL.  False: refused. */
MUST_USE bool request_hex(struct request *q, const char *name, size_t least, size_t most,
                          bool optional, struct bytes *out);
void request_drop(struct bytes b);

/* A list of such, all.n of them; p NULL where it is missing and optional.  For
 * request_list_drop(), also on failure. */
struct request_list {
    struct bytes *p;
    size_t n;
};
MUST_USE bool request_hexes(struct request *q, const char *name, bool optional,
                            struct request_list *out);
void request_list_drop(struct request_list list);

/* A name without what people write differently: "SHA-256" and "sha256" are one. */
enum { REQUEST_NAME_BYTES = 32 };
MUST_USE bool request_name(struct request *q, const char *name,
                           char out[REQUEST_NAME_BYTES]);

#endif
