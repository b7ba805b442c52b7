/* SPDX-License-Identifier: Apache-2.0 */
/* turn_read: a turn of the peer as we read it: what was opened, what was skipped and may
 * still come, what to tell the peer about it.  SPEC 8.2, 8.4, 8.5.
 * Flow     core/ratchet -> turn_read -> turn
 * Owns     nothing: the struct lives in struct ratchet's guarded memory
 * Threads  any: no state outside the arguments */
#ifndef KITH_CORE_TURN_READ_H
#define KITH_CORE_TURN_READ_H

#include "client/core/turn.h"
#include "proto/mp_read.h"
#include "proto/payload.h"

enum { TURN_READ_MAP_BYTES = TURN_ENVELOPES_MAX / 8 };

enum {
    TURN_READ_E_USED = 1, /* this n was opened */
    TURN_READ_E_GONE,     /* its key was forgotten, or the peer never sent it */
};

struct turn_read {
    uint32_t turn;   /* 0: nothing here */
    uint32_t next;   /* each n below was opened or skipped */
    uint32_t minute; /* when something was last opened */
    bool closed;     /* the peer's next turn said how many there were: next; ck is gone */
    bool changed;    /* not told to the peer yet */
    uint8_t th[HASH_BYTES];
    struct turn_heads heads;
    uint8_t ck[TURN_KEY_BYTES]; /* CK_next */
    uint8_t opened[TURN_READ_MAP_BYTES];
    uint8_t kept[TURN_READ_MAP_BYTES]; /* skipped, and the key still here */
    uint8_t skipped[TURN_ENVELOPES_MAX][TURN_KEY_BYTES];
};
/* What opening n would leave behind; nothing of it is kept before the body verified. */
struct turn_peek {
    uint8_t mk[TURN_KEY_BYTES];
    uint8_t ck[TURN_KEY_BYTES]; /* CK_{n+1} when n is the newest */
};

void turn_read_begin(struct turn_read *t, uint32_t turn, const uint8_t th[HASH_BYTES],
                     const struct turn_heads *heads, const uint8_t ck[TURN_KEY_BYTES]);
/* The key of message n, n < TURN_ENVELOPES_MAX.  Returns 0, TURN_READ_E_USED or
 * TURN_READ_E_GONE. */
MUST_USE int turn_read_peek(const struct turn_read *t, uint32_t n, struct turn_peek *out);
/* The same in a turn of which nothing was opened yet, from its CK_0. */
void turn_read_peek_first(const uint8_t ck[TURN_KEY_BYTES], uint32_t n,
                          struct turn_peek *out);
/* n opened under what peek gave: its key goes, those skipped on the way stay. */
void turn_read_took(struct turn_read *t, uint32_t n, const struct turn_peek *peek,
                    uint32_t minute);
/* The peer sent `end` in this turn (end >= next) and is done with it. */
void turn_read_close(struct turn_read *t, uint32_t end);
/* Wipe the skipped keys; returns how many there were. */
size_t turn_read_forget(struct turn_read *t);
void turn_read_ack(const struct turn_read *t, struct payload_ack *out);

/* One msgpack array; load refuses what save would not have written (r becomes bad). */
void turn_read_save(const struct turn_read *t, struct buf *b);
void turn_read_load(struct mp *r, struct turn_read *t);

#endif
