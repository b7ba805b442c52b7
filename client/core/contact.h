/* SPDX-License-Identifier: Apache-2.0 */
/* contact: how two people who share a link get a conversation.  Offer, take, accept.
 * SPEC 6.2, 6.3, 8.1.  Pure: bytes and rand_bytes() in, bytes out; the link's text is
 * proto/invite's, posting is core/outbox's, the payloads' content is core/compose's.
 *
 *   inviter                                          taker
 *   contact_offer_new, contact_offer_seal -- offer -> contact_is, contact_offer_open
 *   contact_is, contact_accept           <-- take --  contact_take_start,
 *                                                    contact_take_seal
 *   ratchet_seal of an `accept` payload -- mail -->  ratchet_open
 *
 * Flow     core/compose -> contact -> core/outbox; core/receive -> contact ->
 *          core/ratchet
 * Owns     nothing but what it hands out
 * Threads  any
 * Random bytes: contact_offer_new 32 secret | 32 key pair; contact_offer_seal 16 salt;
 * contact_take_start 32 key pair | 64 encapsulation; contact_take_seal 16 salt. */
#ifndef KITH_CORE_CONTACT_H
#define KITH_CORE_CONTACT_H

#include "client/core/ratchet.h"
#include "proto/invite.h"

enum {
    CONTACT_E_REFUSED = 1, /* damaged, forged, or not of this link */
    CONTACT_E_TAKEN,       /* take_seal: the take is done with */
};

/* The inviter's half of an open link.  Secret all of it but pk: keep it in the profile,
 * wipe other copies.  Once a take was accepted, wipe sk and keep `secret` until the link
 * is over, for contact_take_id(). */
struct contact_offer {
    uint8_t secret[LINK_SECRET_BYTES]; /* S: goes into struct link */
    uint8_t sk[KEM_SK_BYTES];
    uint8_t pk[KEM_PK_BYTES];
};

/* A new link.  Returns 0 or -EIO (out is then wiped). */
MUST_USE int contact_offer_new(struct contact_offer *out);
/* The offer's envelope, under a fresh salt each time it is asked for.  payload:
 * PAYLOAD_OFFER, borrowed.  Returns 0, -EMSGSIZE or -EIO. */
MUST_USE int contact_offer_seal(const struct contact_offer *offer, struct bytes payload,
                                uint8_t envelope[ENVELOPE_BYTES]);

/* Is this envelope's tag one of that kind of this link?  Two hashes; constant time. */
bool contact_is(const uint8_t secret[LINK_SECRET_BYTES], enum envelope_link_kind kind,
                const uint8_t envelope[ENVELOPE_BYTES]);

/* Taker: open the offer.  payload: PAYLOAD_BYTES_MAX bytes of room.
 * Returns 0 or CONTACT_E_REFUSED. */
MUST_USE int contact_offer_open(const uint8_t secret[LINK_SECRET_BYTES],
                                const uint8_t envelope[ENVELOPE_BYTES],
                                uint8_t pk[KEM_PK_BYTES], uint8_t *payload,
                                size_t *payload_n);
/* Taker: begin the conversation.  *out is the caller's, saved before the take is posted.
 * Returns 0, CONTACT_E_REFUSED (the offer's pk is no good), -ENOMEM or -EIO. */
MUST_USE int contact_take_start(const uint8_t secret[LINK_SECRET_BYTES],
                                const uint8_t cohort[HASH_BYTES],
                                const uint8_t pk[KEM_PK_BYTES], struct ratchet **out);
/* Taker: the take's envelope, under a fresh salt.  After a lost answer it is sealed anew
 * from the same ratchet and is still the same take; after a durable one call
 * ratchet_take_posted(). Returns 0, CONTACT_E_TAKEN, -EMSGSIZE or -EIO. */
MUST_USE int contact_take_seal(const struct ratchet *r,
                               const uint8_t secret[LINK_SECRET_BYTES],
                               struct bytes payload, uint8_t envelope[ENVELOPE_BYTES]);

/* Inviter: open a take and begin the conversation; the caller answers by ratchet_seal()
 * of an `accept` payload.  All or nothing.  minute: unix minutes, now. *out is the
 * caller's.  Returns 0, CONTACT_E_REFUSED or -ENOMEM. */
MUST_USE int contact_accept(const struct contact_offer *offer,
                            const uint8_t cohort[HASH_BYTES],
                            const uint8_t envelope[ENVELOPE_BYTES], uint32_t minute,
                            uint8_t *payload, size_t *payload_n, struct ratchet **out);

/* Whose take is it?  An id that stays the same when one taker seals its take again and
 * differs between takers: another id than the accepted one (inviter) or one's own (taker)
 * means that somebody else has this link.  Needs only the link's secret.  The id is not
 * secret. Returns 0 or CONTACT_E_REFUSED. */
MUST_USE int contact_take_id(const uint8_t secret[LINK_SECRET_BYTES],
                             const uint8_t envelope[ENVELOPE_BYTES],
                             uint8_t id[HASH_BYTES]);

#endif
