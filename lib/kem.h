/* SPDX-License-Identifier: Apache-2.0 */
/* kem: X-Wing, the one key agreement (SPEC 1; draft-connolly-cfrg-xwing-kem-10).
 * Everything else in the tree names KEM_*, never the primitive.  Threads: any. */
#ifndef KITH_LIB_KEM_H
#define KITH_LIB_KEM_H

#include "lib/err.h"

#include <stdint.h>

enum {
    KEM_PK_BYTES = 1216,
    KEM_SK_BYTES = 32,
    KEM_CT_BYTES = 1120,
    KEM_SS_BYTES = 32,
    KEM_ESEED_BYTES = 64
};

enum { KEM_E_REFUSED = 1 /* a key or ciphertext of low order, or an unreduced key */ };

/* A fresh pair from rand_bytes().  Returns 0 or -EIO. */
MUST_USE int kem_keypair(uint8_t pk[KEM_PK_BYTES], uint8_t sk[KEM_SK_BYTES]);
/* The pair of a seed (the seed is the secret key).  Vectors, and pk from a stored sk. */
MUST_USE int kem_keypair_from(const uint8_t seed[KEM_SK_BYTES], uint8_t pk[KEM_PK_BYTES],
                              uint8_t sk[KEM_SK_BYTES]);
/* Returns 0, KEM_E_REFUSED (a bad pk) or -EIO. */
MUST_USE int kem_enc(const uint8_t pk[KEM_PK_BYTES], uint8_t ct[KEM_CT_BYTES],
                     uint8_t ss[KEM_SS_BYTES]);
/* The same with the randomness given (ML-KEM 32, then X25519 32). */
MUST_USE int kem_enc_from(const uint8_t pk[KEM_PK_BYTES],
                          const uint8_t eseed[KEM_ESEED_BYTES], uint8_t ct[KEM_CT_BYTES],
                          uint8_t ss[KEM_SS_BYTES]);
/* Returns 0 or KEM_E_REFUSED.  A damaged ML-KEM part gives another ss and 0: callers must
 * end both ways alike for the peer (SPEC 1). On failure ss is zeroed. */
MUST_USE int kem_dec(const uint8_t sk[KEM_SK_BYTES], const uint8_t ct[KEM_CT_BYTES],
                     uint8_t ss[KEM_SS_BYTES]);

/* Would kem_enc take this pk?  The same verdict about fifty times faster: nothing is
 * drawn or multiplied.  Returns 0 or KEM_E_REFUSED. */
MUST_USE int kem_pk_check(const uint8_t pk[KEM_PK_BYTES]);

#endif
