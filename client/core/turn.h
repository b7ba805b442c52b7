/* SPDX-License-Identifier: Apache-2.0 */
/* turn: the keys of one turn, and the peer's turns as we read them.  SPEC 8.1, 8.2, 8.4.
 * Flow     core/ratchet -> turn -> lib/kdf.  No randomness, no KEM, no envelope here.
 * Owns     nothing: the structs live in struct ratchet's guarded memory
 * Threads  any: no state outside the arguments */
#ifndef KITH_CORE_TURN_H
#define KITH_CORE_TURN_H

#include "lib/buf.h"
#include "lib/kdf.h"
#include "lib/kem.h"
#include "proto/limits.h"
#include "proto/mp_read.h"
#include "proto/payload.h"

enum { TURN_KEY_BYTES = 32, TURN_MAP_BYTES = TURN_ENVELOPES_MAX / 8 };

enum {
    TURN_E_USED = 1, /* this n was opened */
    TURN_E_GONE,     /* its key was forgotten, or the peer never sent it */
};

/* ---- deriving ----------------------------------------------------------------------------- */

/* What one turn hands to the next. */
struct turn_root {
    uint8_t rk[TURN_KEY_BYTES];
    uint8_t th[HASH_BYTES];
    uint8_t hk_next[TURN_KEY_BYTES]; /* HK_{t+1}; in th_0's root unused */
};
/* All that turn t makes: the next root, its chain key, and in turn 1 also HK_1 and RS. */
struct turn_secrets {
    struct turn_root root;
    uint8_t ck[TURN_KEY_BYTES];
    uint8_t hk_1[TURN_KEY_BYTES];
    uint8_t rs[TURN_KEY_BYTES];
};
/* th_0 and RK_0 of a contact link. */
void turn_link_root(struct turn_root *out, const uint8_t secret[TURN_KEY_BYTES],
                    const uint8_t cohort[HASH_BYTES], const uint8_t pk[KEM_PK_BYTES]);
/* Turn t >= 1 from the root before it; pk is the one encapsulated to. */
void turn_derive(struct turn_secrets *out, const struct turn_root *before, uint32_t turn,
                 const uint8_t pk[KEM_PK_BYTES], const uint8_t ct[KEM_CT_BYTES],
                 const uint8_t ss[KEM_SS_BYTES]);

/* TK and HE, which is all that a header key HK is for. */
struct turn_heads {
    uint8_t tk[TURN_KEY_BYTES];
    uint8_t he[TURN_KEY_BYTES];
};
void turn_heads(struct turn_heads *out, const uint8_t hk[TURN_KEY_BYTES]);
void turn_tag(uint8_t tag[PRF16_BYTES], const struct turn_heads *heads, uint32_t n);
void turn_header_key(uint8_t key[PRF_BYTES], const struct turn_heads *heads, uint32_t n,
                     const uint8_t salt[16]);
/* MK_n from CK_n; ck becomes CK_{n+1}. */
void turn_step(uint8_t ck[TURN_KEY_BYTES], uint8_t mk[TURN_KEY_BYTES]);
void turn_body_key(uint8_t key[PRF_BYTES], const uint8_t mk[TURN_KEY_BYTES],
                   const uint8_t salt[16]);

/* ---- reading a turn of the peer ------------------------------------------------------------ */

struct turn_read {
    uint32_t turn;   /* 0: nothing here */
    uint32_t next;   /* each n below was opened or skipped */
    uint32_t minute; /* when something was last opened */
    bool closed;     /* the peer's next turn said how many there were: next; ck is gone */
    bool changed;    /* not told to the peer yet */
    uint8_t th[HASH_BYTES];
    struct turn_heads heads;
    uint8_t ck[TURN_KEY_BYTES]; /* CK_next */
    uint8_t opened[TURN_MAP_BYTES];
    uint8_t kept[TURN_MAP_BYTES]; /* skipped, and the key still here */
    uint8_t skipped[TURN_ENVELOPES_MAX][TURN_KEY_BYTES];
};
/* What opening n would leave behind; nothing of it is kept before the body verified. */
struct turn_peek {
    uint8_t mk[TURN_KEY_BYTES];
    uint8_t ck[TURN_KEY_BYTES]; /* CK_{n+1} when n is the newest */
};

void turn_read_begin(struct turn_read *t, uint32_t turn, const uint8_t th[HASH_BYTES],
                     const struct turn_heads *heads, const uint8_t ck[TURN_KEY_BYTES]);
/* MK_n of a chain at CK_from, n >= from. */
void turn_walk(struct turn_peek *out, const uint8_t ck[TURN_KEY_BYTES], uint32_t from,
               uint32_t n);
/* Returns 0, TURN_E_USED or TURN_E_GONE. */
MUST_USE int turn_read_peek(const struct turn_read *t, uint32_t n, struct turn_peek *out);
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
