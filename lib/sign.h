/* SPDX-License-Identifier: Apache-2.0 */
/* sign: Ed25519 over a label and the bytes as received (SPEC 1).  Threads: any. */
#ifndef KITH_LIB_SIGN_H
#define KITH_LIB_SIGN_H

#include "lib/buf.h"

enum { SIGN_PK_BYTES = 32, SIGN_SK_BYTES = 64, SIGN_SEED_BYTES = 32, SIGN_BYTES = 64 };
enum { SIGN_E_FORGED = 1 };

MUST_USE int sign_keypair(uint8_t pk[SIGN_PK_BYTES],
                          uint8_t sk[SIGN_SK_BYTES]); /* 0 or -EIO */
void sign_keypair_from(const uint8_t seed[SIGN_SEED_BYTES], uint8_t pk[SIGN_PK_BYTES],
                       uint8_t sk[SIGN_SK_BYTES]);
/* Sign label | parts... (count <= 7). Returns 0 or -ENOMEM. */
MUST_USE int sign_parts(const uint8_t sk[SIGN_SK_BYTES], struct bytes label,
                        const struct bytes *parts, size_t count, uint8_t sig[SIGN_BYTES]);
/* Returns 0, SIGN_E_FORGED or -ENOMEM. */
MUST_USE int sign_check(const uint8_t pk[SIGN_PK_BYTES], struct bytes label,
                        const struct bytes *parts, size_t count,
                        const uint8_t sig[SIGN_BYTES]);

#endif
