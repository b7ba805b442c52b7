/* SPDX-License-Identifier: Apache-2.0 */
/* mp_read: a strict MessagePack cursor over hostile bytes.  SPEC 3.2, 3.3.
 * Flow     proto/frame, msg, payload, descriptor; kith-vec -> mp_read
 * Owns     nothing: views point into the caller's bytes; nothing is allocated
 * Sticky: the first failure is kept, later reads return zeros; mp_end() tells.  Only
 * shortest forms are taken; strings must be UTF-8; lengths are compared with what is left
 * before use. */
#ifndef KITH_PROTO_MP_READ_H
#define KITH_PROTO_MP_READ_H

#include "lib/buf.h"
#include "proto/limits.h"

enum { MP_E_MALFORMED = 1 };

enum mp_type {
    MP_NIL,
    MP_BOOL,
    MP_INT,
    MP_FLOAT,
    MP_STR,
    MP_BIN,
    MP_ARRAY,
    MP_MAP,
    MP_EXT,
    MP_BAD
};

struct mp {
    const uint8_t *p; /* next byte */
    size_t left;
    int depth; /* levels still allowed */
    int rc;    /* 0 or MP_E_MALFORMED */
};

struct mp mp_over(struct bytes in);
/* 0, or MP_E_MALFORMED for anything bad so far or bytes left over. */
MUST_USE int mp_end(const struct mp *r);
void mp_fail(struct mp *r);

/* Type of the next value without moving; MP_BAD at the end or at 0xc1. */
enum mp_type mp_peek(const struct mp *r);

void mp_nil(struct mp *r);
bool mp_bool(struct mp *r);
uint64_t mp_uint(struct mp *r, uint64_t least, uint64_t most);
int64_t mp_int(struct mp *r, int64_t least, int64_t most);
struct bytes mp_str(struct mp *r, size_t least, size_t most); /* bytes of length */
struct bytes mp_bin(struct mp *r, size_t least, size_t most);
void mp_bin_copy(struct mp *r, uint8_t *out,
                 size_t n); /* exactly n; zeros out on failure */

/* Array of least..most elements; returns the count (0 on failure).  Each level entered
 * counts against MP_DEPTH_MAX and is left by mp_leave() after its last element. */
size_t mp_array(struct mp *r, size_t least, size_t most);
void mp_leave(struct mp *r);

/* Maps with str keys: begin, then mp_key() until it returns false.
 *     struct mp_map m = mp_map(r);
 *     struct bytes key;
 *     while (mp_key(r, &m, &key))
 *         if (mp_is(key, "b")) out->bucket = ...; else mp_skip(r);
 * mp_key() refuses repeated and non-str keys and leaves the level after the last one. */
struct mp_map {
    size_t left;
    size_t seen;
    struct bytes keys[MP_MAP_KEYS_MAX];
};
struct mp_map mp_map(struct mp *r);
bool mp_key(struct mp *r, struct mp_map *m, struct bytes *key);
bool mp_is(struct bytes key, const char *name);

/* Skip one whole value, checking it as strictly as if it were read (SPEC 3.3's data
 * rules). */
void mp_skip(struct mp *r);

/* For kith-vec's inspect, and differential tests: one value of any type, without
 * descending. For str, bin, ext: view; array, map: count (pairs); ints as sign and
 * magnitude.  It does not see repeated or odd keys: run mp_skip() over the same bytes
 * first. */
struct mp_value {
    enum mp_type type;
    bool boolean;
    bool negative;
    uint64_t magnitude; /* of an int */
    double number;
    struct bytes view;
    int8_t ext;
    size_t count;
};
struct mp_value mp_any(struct mp *r); /* arrays and maps: the level is entered */

#endif
