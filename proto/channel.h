/* SPDX-License-Identifier: Apache-2.0 */
/* channel: handshake and records of one connection.  SPEC 2; PQNoise pqNK.
 * Flow     daemon/conn, client/net/link -> channel -> proto/frame
 * Owns     its keys, in memory it wipes on channel_wipe()
 * Threads  one at a time per channel; the two slow steps may run in a pool thread
 * Takes bytes and gives bytes: no socket, no clock. */
#ifndef KITH_PROTO_CHANNEL_H
#define KITH_PROTO_CHANNEL_H

#include "lib/aead.h"
#include "lib/kdf.h"
#include "lib/kem.h"
#include "proto/limits.h"

enum {
    CHANNEL_MSG1_BYTES = KEM_CT_BYTES + KEM_PK_BYTES + AEGIS_TAG_BYTES, /* 2368 */
    CHANNEL_MSG2_BYTES = KEM_CT_BYTES + AEGIS_TAG_BYTES,                /* 1152 */
    CHANNEL_HASH_BYTES = SHA512_BYTES,
    CHANNEL_PREAMBLE_GO = 0x00,
    CHANNEL_PREAMBLE_ASK = 0x01,
    CHANNEL_FINGERPRINT_BYTES = 16,
    CHANNEL_COHORT_BYTES = 32,
    CHANNEL_ASK_ANSWER_BYTES = KEM_PK_BYTES + CHANNEL_COHORT_BYTES,
};

enum {
    CHANNEL_E_REFUSED = 1, /* forged, damaged or out of order: close without a word */
    CHANNEL_E_MORE,        /* not all of it is here yet */
};

/* Keys of a channel once split, plus the state of a handshake under way. */
struct channel {
    uint8_t h[CHANNEL_HASH_BYTES];
    uint8_t ck[CHANNEL_HASH_BYTES];
    uint8_t k[AEGIS_KEY_BYTES];
    uint64_t n;
    uint8_t send_key[AEGIS_KEY_BYTES], recv_key[AEGIS_KEY_BYTES];
    uint64_t send_count, recv_count;
    bool relay; /* this end is the relay */
    bool open;  /* handshake done */
};
void channel_wipe(struct channel *c);

/* Client.  es (the ephemeral secret) is kept by the caller between the two calls and
 * wiped by channel_client_finish().  0, -EIO (no randomness), CHANNEL_E_REFUSED (a bad
 * relay key). */
MUST_USE int channel_client_start(struct channel *c, const uint8_t relay_pk[KEM_PK_BYTES],
                                  uint8_t es[KEM_SK_BYTES],
                                  uint8_t msg1[CHANNEL_MSG1_BYTES]);
MUST_USE int channel_client_finish(struct channel *c, uint8_t es[KEM_SK_BYTES],
                                   const uint8_t msg2[CHANNEL_MSG2_BYTES]);
/* Relay: both messages in one slow step (about 0.3 ms): run it off the loop. */
MUST_USE int channel_relay_answer(struct channel *c, const uint8_t relay_pk[KEM_PK_BYTES],
                                  const uint8_t relay_sk[KEM_SK_BYTES],
                                  const uint8_t msg1[CHANNEL_MSG1_BYTES],
                                  uint8_t msg2[CHANNEL_MSG2_BYTES]);
/* Deterministic forms for frozen vectors: all randomness given.  seed: the client's e
 * pair; eseed: the encapsulation's. */
MUST_USE int channel_client_start_from(struct channel *c,
                                       const uint8_t relay_pk[KEM_PK_BYTES],
                                       const uint8_t seed[KEM_SK_BYTES],
                                       const uint8_t eseed[KEM_ESEED_BYTES],
                                       uint8_t es[KEM_SK_BYTES],
                                       uint8_t msg1[CHANNEL_MSG1_BYTES]);
MUST_USE int channel_relay_answer_from(struct channel *c,
                                       const uint8_t relay_pk[KEM_PK_BYTES],
                                       const uint8_t relay_sk[KEM_SK_BYTES],
                                       const uint8_t msg1[CHANNEL_MSG1_BYTES],
                                       const uint8_t eseed[KEM_ESEED_BYTES],
                                       uint8_t msg2[CHANNEL_MSG2_BYTES]);

/* Records (SPEC 2.4).  Room for frames in a record of `record_bytes`: */
#define CHANNEL_FRAMES_ROOM(record_bytes) ((record_bytes)-2 - AEGIS_TAG_BYTES - 2)
/* The size on the wire of a relay's record with this many bytes of frames; 0 if too many.
 */
size_t channel_record_bytes(bool relay, size_t frames);

/* Seal a record in place: the caller has put `used` bytes of frames at record + 4 in a
 * buffer of channel_record_bytes(c->relay, used) bytes; this writes length, count, zeros,
 * and encrypts. Rekeys when due (SPEC 2.5).  Returns 0 or -EINVAL (not open, or too
 * long). */
enum { CHANNEL_FRAMES_AT = 4 };
MUST_USE int channel_seal(struct channel *c, uint8_t *record, size_t used);

/* How long is the record that begins with these bytes?  0 and *size; CHANNEL_E_MORE under
 * 2 bytes; CHANNEL_E_REFUSED for a length this side never accepts. */
MUST_USE int channel_record_size(const struct channel *c, struct bytes in, size_t *size);
/* Open a whole record in place; *frames borrows from it.  0 or CHANNEL_E_REFUSED: the
 * channel is then wiped, and nothing more can be opened or sealed (SPEC 2.4). */
MUST_USE int channel_open(struct channel *c, uint8_t *record, size_t size,
                          struct bytes *frames);

/* SPEC 2.1, 5.2. */
void channel_fingerprint(const uint8_t relay_pk[KEM_PK_BYTES],
                         const uint8_t cohort[CHANNEL_COHORT_BYTES],
                         uint8_t out[CHANNEL_FINGERPRINT_BYTES]);
void channel_fingerprint_of_hash(const uint8_t key_hash[HASH_BYTES],
                                 const uint8_t cohort[CHANNEL_COHORT_BYTES],
                                 uint8_t out[CHANNEL_FINGERPRINT_BYTES]);

#endif
