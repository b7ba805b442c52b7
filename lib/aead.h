/* SPDX-License-Identifier: Apache-2.0 */
/* aead: ChaCha20-Poly1305-IETF for words, AEGIS-256 for transport (SPEC 1).  Threads:
 * any. */
#ifndef KITH_LIB_AEAD_H
#define KITH_LIB_AEAD_H

#include "lib/buf.h"

enum { AEAD_KEY_BYTES = 32, AEAD_TAG_BYTES = 16, AEAD_NONCE_BYTES = 12 };
enum { AEGIS_KEY_BYTES = 32, AEGIS_TAG_BYTES = 32, AEGIS_NONCE_BYTES = 32 };
enum { AEAD_E_FORGED = 1 };

/* Seal pt under a key used once: nonce of zeros.  out has pt.n + AEAD_TAG_BYTES; may
 * overlap pt only if out == pt.p. */
void aead_seal(const uint8_t key[AEAD_KEY_BYTES], struct bytes ad, struct bytes pt,
               uint8_t *out);
/* out has ct.n - AEAD_TAG_BYTES bytes.  Returns 0 or AEAD_E_FORGED (out zeroed; also when
 * ct is shorter than a tag). */
MUST_USE int aead_open(const uint8_t key[AEAD_KEY_BYTES], struct bytes ad,
                       struct bytes ct, uint8_t *out);
/* With a nonce: vectors only. */
void aead_seal_nonce(const uint8_t key[AEAD_KEY_BYTES],
                     const uint8_t nonce[AEAD_NONCE_BYTES], struct bytes ad,
                     struct bytes pt, uint8_t *out);
MUST_USE int aead_open_nonce(const uint8_t key[AEAD_KEY_BYTES],
                             const uint8_t nonce[AEAD_NONCE_BYTES], struct bytes ad,
                             struct bytes ct, uint8_t *out);

/* AEGIS-256; out has pt.n + AEGIS_TAG_BYTES; out == pt.p is allowed (in place). */
void aegis_seal(const uint8_t key[AEGIS_KEY_BYTES],
                const uint8_t nonce[AEGIS_NONCE_BYTES], struct bytes ad, struct bytes pt,
                uint8_t *out);
MUST_USE int aegis_open(const uint8_t key[AEGIS_KEY_BYTES],
                        const uint8_t nonce[AEGIS_NONCE_BYTES], struct bytes ad,
                        struct bytes ct, uint8_t *out);

#endif
