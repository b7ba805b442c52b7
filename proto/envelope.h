/* SPDX-License-Identifier: Apache-2.0 */
/* envelope: the three shapes of SPEC 6, sealed and opened under keys that others derive.
 * Flow     core/ratchet, core/contact -> envelope -> core/outbox; and back
 * Owns     nothing; wipes its intermediates.  Threads: any.
 * Openers write to out only on success. */
#ifndef KITH_PROTO_ENVELOPE_H
#define KITH_PROTO_ENVELOPE_H

#include "lib/aead.h"
#include "lib/kdf.h"
#include "lib/kem.h"
#include "proto/limits.h"

enum {
    ENVELOPE_TAG_BYTES = 16,
    ENVELOPE_SALT_BYTES = 16,
    ENVELOPE_HEADER_BYTES = KEM_PK_BYTES + KEM_CT_BYTES + 4 + 4 +
                            AEAD_TAG_BYTES, /* 2360, sealed */
    ENVELOPE_COMMIT_BYTES = 32,
    ENVELOPE_BODY_BYTES = AEAD_TAG_BYTES + ENVELOPE_COMMIT_BYTES + 2 +
                          PAYLOAD_BYTES_MAX, /* 1672 */
    ENVELOPE_LINK_BYTES = ENVELOPE_BYTES - ENVELOPE_TAG_BYTES -
                          ENVELOPE_SALT_BYTES, /* 4032 */
};
_Static_assert(ENVELOPE_TAG_BYTES + ENVELOPE_SALT_BYTES + ENVELOPE_HEADER_BYTES +
                       ENVELOPE_BODY_BYTES ==
                   ENVELOPE_BYTES,
               "a mail envelope is 4,064 bytes");

enum { ENVELOPE_E_REFUSED = 1 /* forged, damaged, or padding that is not zero */ };
enum envelope_link_kind { ENVELOPE_OFFER = 0, ENVELOPE_TAKE = 1 };

struct envelope_header {
    uint8_t pk[KEM_PK_BYTES];
    uint8_t ct[KEM_CT_BYTES];
    uint32_t n, pn;
};

/* Mail.  tag, salt and the two keys come from the ratchet.  out: ENVELOPE_BYTES.
 * Returns 0 or -EMSGSIZE when the payload is over PAYLOAD_BYTES_MAX. */
MUST_USE int envelope_mail_seal(const uint8_t tag[16], const uint8_t salt[16],
                                const uint8_t k_hdr[32],
                                const struct envelope_header *header,
                                const uint8_t k_body[32], const uint8_t th[32],
                                struct bytes payload, uint8_t *out);
MUST_USE int envelope_header_open(const uint8_t *envelope, const uint8_t k_hdr[32],
                                  struct envelope_header *out);
/* payload: PAYLOAD_BYTES_MAX bytes of room; *payload_n gets its length. */
MUST_USE int envelope_body_open(const uint8_t *envelope, const uint8_t k_body[32],
                                const uint8_t th[32], uint8_t *payload,
                                size_t *payload_n);

/* Link keys, SPEC 6.2. */
void envelope_link_keys(const uint8_t secret[32], enum envelope_link_kind kind,
                        const uint8_t salt[16], uint8_t tag[16], uint8_t key[32]);
/* True if this envelope's tag is of that kind under that secret (constant time compare).
 */
bool envelope_link_is(const uint8_t secret[32], enum envelope_link_kind kind,
                      const uint8_t *envelope);
MUST_USE int envelope_offer_seal(const uint8_t secret[32], const uint8_t salt[16],
                                 const uint8_t pk[KEM_PK_BYTES], struct bytes payload,
                                 uint8_t *out);
MUST_USE int envelope_offer_open(const uint8_t secret[32], const uint8_t *envelope,
                                 uint8_t pk[KEM_PK_BYTES], uint8_t *payload,
                                 size_t *payload_n);
/* The outer layer of a take; body is sealed and opened by the two below it. */
MUST_USE int envelope_take_seal(const uint8_t secret[32], const uint8_t salt[16],
                                const uint8_t ct[KEM_CT_BYTES],
                                const uint8_t pk[KEM_PK_BYTES], const uint8_t k_body[32],
                                const uint8_t th_1[32], struct bytes payload,
                                uint8_t *out);
MUST_USE int envelope_take_open(const uint8_t secret[32], const uint8_t *envelope,
                                uint8_t ct[KEM_CT_BYTES], uint8_t pk[KEM_PK_BYTES],
                                uint8_t body[ENVELOPE_BODY_BYTES]);
MUST_USE int envelope_take_body_open(const uint8_t *envelope,
                                     const uint8_t body[ENVELOPE_BODY_BYTES],
                                     const uint8_t k_body[32], const uint8_t th_1[32],
                                     uint8_t *payload, size_t *payload_n);

#endif
