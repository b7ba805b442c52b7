/* SPDX-License-Identifier: Apache-2.0 */
/* turn: the keys of one turn, whoever sends it.  SPEC 8.1, 8.2.
 * Flow     core/ratchet, turn_own, turn_read -> turn -> lib/kdf, proto/envelope
 * Owns     nothing: the structs live in struct ratchet's guarded memory, or are wiped by
 *          whoever asked for them
 * Threads  any: no state outside the arguments */
#ifndef KITH_CORE_TURN_H
#define KITH_CORE_TURN_H

#include "lib/buf.h"
#include "lib/kdf.h"
#include "lib/kem.h"
#include "proto/envelope.h"
#include "proto/limits.h"

enum { TURN_KEY_BYTES = 32 };

enum { TURN_E_REFUSED = 1 /* damaged, forged, or beyond the bounds of SPEC 8.6 */ };

/* ---- deriving --------------------------------------------------------------------- */

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

/* ---- one envelope (SPEC 6) -------------------------------------------------------- */

/* header->n says which; mk is its message key.  Returns 0 or -EMSGSIZE. */
MUST_USE int turn_seal(const struct turn_heads *heads,
                       const struct envelope_header *header,
                       const uint8_t mk[TURN_KEY_BYTES], const uint8_t th[HASH_BYTES],
                       const uint8_t salt[ENVELOPE_SALT_BYTES], struct bytes payload,
                       uint8_t envelope[ENVELOPE_BYTES]);
/* Returns 0 or TURN_E_REFUSED (also when n is not the header's, or pn is over 256). */
MUST_USE int turn_open_header(const struct turn_heads *heads, uint32_t n,
                              const uint8_t envelope[ENVELOPE_BYTES],
                              struct envelope_header *header);
/* Returns 0 or TURN_E_REFUSED. */
MUST_USE int turn_open_body(const uint8_t mk[TURN_KEY_BYTES],
                            const uint8_t th[HASH_BYTES],
                            const uint8_t envelope[ENVELOPE_BYTES], uint8_t *payload,
                            size_t *payload_n);

#endif
