/* SPDX-License-Identifier: Apache-2.0 */
/* turn_own: a turn of our own, from its key pair to its last envelope.  SPEC 8.2, 8.3.
 * Flow     core/ratchet -> turn_own -> turn; lib/kem
 * Owns     nothing: the struct lives in struct ratchet's guarded memory
 * Threads  any: no state outside the arguments */
#ifndef KITH_CORE_TURN_OWN_H
#define KITH_CORE_TURN_OWN_H

#include "client/core/turn.h"
#include "proto/mp_read.h"

struct turn_own {
    uint32_t turn; /* 0: none yet */
    uint32_t sent;
    /* From here on only while the turn is the newest of both sides. */
    uint8_t sk[KEM_SK_BYTES];
    uint8_t ck[TURN_KEY_BYTES]; /* CK_sent */
    struct turn_heads heads;
    struct envelope_header header; /* n is set by each seal */
    uint32_t granted;              /* of the reserve, by what the peer sent since */
    bool has_take;                 /* turn 1, until the take is durable */
    uint8_t take_mk[TURN_KEY_BYTES];
};

/* A fresh pair and an encapsulation to pk; the caller sets heads from HK_t and keeps what
 * was made.  On failure the caller wipes own. Returns 0, KEM_E_REFUSED (pk is no good) or
 * -EIO. */
MUST_USE int turn_own_begin(struct turn_own *own, uint32_t turn, uint32_t pn,
                            const struct turn_root *before,
                            const uint8_t pk[KEM_PK_BYTES], struct turn_secrets *made);
/* May one more go out in this turn?  Of the last TURN_RESERVED only as many as granted.
 */
bool turn_own_full(const struct turn_own *own);
/* The peer was heard while the turn was full: one more may go out (SPEC 8.3). */
void turn_own_grant(struct turn_own *own);
/* Seal message n = own->sent of a turn that is not full, under the turn's th; then it
 * counts as sent. Returns 0, -EMSGSIZE or -EIO, and only 0 changes the turn. */
MUST_USE int turn_own_seal(struct turn_own *own, const uint8_t th[HASH_BYTES],
                           struct bytes payload, uint8_t envelope[ENVELOPE_BYTES]);

/* One msgpack array: [turn, sent], and while it is the newest turn [turn, sent, pn,
 * granted, sk, ck, tk, he, pk, ct, take key or nil].  Load knows which turn it must be,
 * and whether it is the newest; r becomes bad for anything that save would not have
 * written. */
void turn_own_save(const struct turn_own *own, bool newest, struct buf *b);
void turn_own_load(struct mp *r, uint32_t turn, bool newest, struct turn_own *own);

#endif
