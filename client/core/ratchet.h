/* SPDX-License-Identifier: Apache-2.0 */
/* ratchet: one conversation's keys.  Turns by X-Wing, a hash chain inside each turn,
 * sealed headers.  SPEC 6 (mail), 8.2 to 8.6.  Pure: bytes, minutes and rand_bytes() in,
 * bytes out.
 * Flow     core/compose -> ratchet_seal -> proto/envelope -> core/outbox
 *          core/receive (tag looked up) -> ratchet_open -> payload; core/contact starts
 *          one
 * Owns     its state, in guarded memory; everything in between is wiped
 * Threads  one at a time per struct ratchet; different ones are independent
 *
 * Each call either does the whole step or changes nothing: when it returns other than 0,
 * ratchet_save() would write the same bytes as before (SPEC 8.6).  Whoever seals or opens
 * saves the state in the transaction that also keeps the envelope or the message: then a
 * crash can neither lose words nor use a key twice.
 *
 * Random bytes are drawn in this order (tests seed them through rand_set):
 *   ratchet_start_taker     32 key pair | 64 encapsulation
 *   ratchet_seal            32 key pair | 64 encapsulation, only when it begins a turn;
 *                           16 salt
 *   all others              none */
#ifndef KITH_CORE_RATCHET_H
#define KITH_CORE_RATCHET_H

#include "lib/buf.h"
#include "lib/kem.h"
#include "proto/envelope.h"
#include "proto/limits.h"
#include "proto/payload.h"

enum {
    RATCHET_E_WAIT = 1, /* seal: this turn is full (SPEC 8.3); wait to hear the peer */
    RATCHET_E_REFUSED,  /* open, start: not what the peer would have made, or its key is
                           gone */
    RATCHET_E_REPEATED, /* open: this turn and n was opened before */
    RATCHET_E_EARLY,    /* verify_input: the peer has not answered yet */
    RATCHET_E_TAKEN,    /* take_parts: the take is done with, its key is gone */
    RATCHET_E_BLOB,     /* load: not a saved ratchet of a version we know */
};

enum {
    RATCHET_KEY_BYTES = 32,
    RATCHET_BLOB_BYTES_MAX = 44 * 1024, /* 4 turns of 255 skipped keys, and the rest */
};

struct ratchet;

/* Wipes.  NULL is fine. */
void ratchet_free(struct ratchet *r);
/* A second state, byte for byte.  Returns 0 or -ENOMEM. */
MUST_USE int ratchet_copy(const struct ratchet *r, struct ratchet **out);

/* ---- start (SPEC 8.1); core/contact calls these ----------------------------------- */

/* The taker's side: secret and the inviter's pk come from link and offer.  Turn 1 is the
 * taker's, its message n = 0 is the take.
 * Returns 0; RATCHET_E_REFUSED (pk fails to encapsulate); -ENOMEM; -EIO (no random
 * bytes). */
MUST_USE int ratchet_start_taker(const uint8_t secret[RATCHET_KEY_BYTES],
                                 const uint8_t cohort[HASH_BYTES],
                                 const uint8_t pk[KEM_PK_BYTES], struct ratchet **out);

/* The inviter's side, from a take's outer layer: pk and sk are the offer's, ct and
 * peer_pk the take's.  Not to be kept before the take's body opened
 * (ratchet_take_open_key, then ratchet_take_opened).  Returns 0; RATCHET_E_REFUSED (ct or
 * peer_pk no good); -ENOMEM. */
MUST_USE int ratchet_start_inviter(const uint8_t secret[RATCHET_KEY_BYTES],
                                   const uint8_t cohort[HASH_BYTES],
                                   const uint8_t pk[KEM_PK_BYTES],
                                   const uint8_t sk[KEM_SK_BYTES],
                                   const uint8_t ct[KEM_CT_BYTES],
                                   const uint8_t peer_pk[KEM_PK_BYTES],
                                   struct ratchet **out);

/* What envelope_take_seal() needs; secret: the caller wipes it. */
struct ratchet_take {
    uint8_t ct[KEM_CT_BYTES];
    uint8_t pk[KEM_PK_BYTES];
    uint8_t k_body[AEAD_KEY_BYTES];
    uint8_t th_1[HASH_BYTES];
};
/* Taker: the parts of the take for a fresh salt.  May be asked again, with another salt,
 * while no durable answer came (SPEC 8.7).  Returns 0 or RATCHET_E_TAKEN. */
MUST_USE int ratchet_take_parts(const struct ratchet *r,
                                const uint8_t salt[ENVELOPE_SALT_BYTES],
                                struct ratchet_take *out);
/* Taker: the take is durable; its message key is wiped.  The first open does the same. */
void ratchet_take_posted(struct ratchet *r);

/* Inviter: the key of a take's body.  Returns 0 or RATCHET_E_TAKEN (opened before). */
MUST_USE int ratchet_take_open_key(const struct ratchet *r,
                                   const uint8_t salt[ENVELOPE_SALT_BYTES],
                                   uint8_t k_body[AEAD_KEY_BYTES],
                                   uint8_t th_1[HASH_BYTES]);
/* Inviter: the body opened; message n = 0 of turn 1 counts as received, its key is wiped.
 */
void ratchet_take_opened(struct ratchet *r, uint32_t minute);

/* ---- send and receive ------------------------------------------------------------- */

struct ratchet_sent {
    uint32_t turn, n; /* keep with the message: acks name them */
    bool began;       /* first of a turn: register the tags of turn + 1 (ratchet_tags) */
};
/* Seal a payload (at most PAYLOAD_BYTES_MAX bytes, borrowed) into a mail envelope. Begins
 * a turn by itself when something of the peer's newest turn was opened. Returns 0;
 * RATCHET_E_WAIT; -EMSGSIZE; -EIO. */
MUST_USE int ratchet_seal(struct ratchet *r, struct bytes payload,
                          uint8_t envelope[ENVELOPE_BYTES], struct ratchet_sent *sent);

struct ratchet_opened {
    uint32_t turn, n;
    bool began; /* first of a turn: tags of turns below ratchet_oldest() are over */
};
/* Open a mail envelope whose tag was found to be (turn, n).  minute: unix minutes, now;
 * kept for ratchet_forget_before().  payload: PAYLOAD_BYTES_MAX bytes of room, written
 * only on success.  Returns 0, RATCHET_E_REFUSED or RATCHET_E_REPEATED. */
MUST_USE int ratchet_open(struct ratchet *r, const uint8_t envelope[ENVELOPE_BYTES],
                          uint32_t turn, uint32_t n, uint32_t minute, uint8_t *payload,
                          size_t *payload_n, struct ratchet_opened *opened);

/* ---- tags, for the reader's table (SPEC 8.4) -------------------------------------- */

/* Return other than 0 to stop. */
typedef int ratchet_tag(const uint8_t tag[ENVELOPE_TAG_BYTES], uint32_t turn, uint32_t n,
                        void *arg);
/* All 256 tags of one turn of the peer, or of each live one when turn is 0: the newest 4,
 * and the next one as soon as we have begun our own turn before it.  A turn that is not
 * live has none.  Returns 0 or what `each` returned.  About 50 us a turn. */
MUST_USE int ratchet_tags(const struct ratchet *r, uint32_t turn, ratchet_tag *each,
                          void *arg);
/* The lowest turn of the peer whose tags are live. */
uint32_t ratchet_oldest(const struct ratchet *r);

/* ---- acks (SPEC 8.5) -------------------------------------------------------------- */

/* One ack for each of the peer's kept turns that changed since last told, oldest first;
 * writes and returns their number.  Changes nothing: call ratchet_acks_told() once a
 * payload with them has been sealed, before saving. */
size_t ratchet_acks(const struct ratchet *r, struct payload_ack out[ACKS_MAX]);
void ratchet_acks_told(struct ratchet *r);
/* The peer reports something of ours missing, so it may have held our acks: tell all
 * again. */
void ratchet_acks_retell(struct ratchet *r);

/* An ack from the peer: 0 if it speaks of what we did send, RATCHET_E_REFUSED if not
 * (another side's turn, or more than we sent): ignore that ack. */
MUST_USE int ratchet_ack_check(const struct ratchet *r, const struct payload_ack *ack);
enum ratchet_fate { RATCHET_UNTOLD, RATCHET_DELIVERED, RATCHET_MISSING };
/* What an ack says of the envelope (turn, n).  UNTOLD: nothing.  Acks may come in any
 * order: what was once delivered stays so, whatever an older ack says. */
enum ratchet_fate ratchet_ack_fate(const struct payload_ack *ack, uint32_t turn,
                                   uint32_t n);

/* ---- counts ----------------------------------------------------------------------- */

struct ratchet_counts {
    uint32_t own_turn;  /* our newest turn, 0 before the first */
    uint32_t own_sent;  /* envelopes sealed in it, the take included */
    uint32_t peer_turn; /* the peer's newest opened turn, 0 before the first */
    uint32_t peer_upto; /* highest n known in it + 1 */
    bool turn_due;      /* the next seal begins a turn */
    /* Our turn is full: seal gives RATCHET_E_WAIT until the peer is heard. */
    bool awaiting;
    /* peer_upto >= TURN_ANSWER_AT and unanswered: an `empty` turn is due within a random
     * hour (SPEC 8.3). */
    bool answer_wanted;
};
void ratchet_count(const struct ratchet *r, struct ratchet_counts *out);

/* Forget the keys of skipped envelopes in turns in which nothing was opened since
 * `minute` (unix minutes).  Returns the number of keys wiped; save if it is not 0. */
size_t ratchet_forget_before(struct ratchet *r, uint32_t minute);

/* ---- what else a session is good for ---------------------------------------------- */

/* th_2, for verify_words() (SPEC 8.8).  Returns 0 or RATCHET_E_EARLY. */
MUST_USE int ratchet_verify_input(const struct ratchet *r, uint8_t th_2[HASH_BYTES]);
/* RS: the secret a restored profile re-opens this conversation with (SPEC 8.2). */
void ratchet_reset_secret(const struct ratchet *r, uint8_t rs[RATCHET_KEY_BYTES]);

/* ---- keeping it ------------------------------------------------------------------- */

/* Append the state, at most RATCHET_BLOB_BYTES_MAX bytes (5 KB unless much was skipped);
 * failure is in b->rc.  All of it is secret: buf_free() wipes.  The same state gives the
 * same bytes. */
void ratchet_save(const struct ratchet *r, struct buf *b);
/* Strict: a blob that ratchet_save() would not have written is refused, whoever damaged
 * it. Returns 0, RATCHET_E_BLOB or -ENOMEM. */
MUST_USE int ratchet_load(struct bytes blob, struct ratchet **out);

#endif
