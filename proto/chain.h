/* SPDX-License-Identifier: Apache-2.0 */
/* chain: the heads that make a bucket's log one history.  SPEC 4.2.
 * Flow     daemon/store (grows it), client/core/receive (checks it) -> chain -> lib/kdf
 * Owns     nothing.  Threads: any. */
#ifndef KITH_PROTO_CHAIN_H
#define KITH_PROTO_CHAIN_H

#include "lib/kdf.h"
#include "proto/limits.h"

/* head_0 of a bucket: before its first envelope. */
void chain_first(const uint8_t cohort[32], uint32_t bucket, uint8_t head[HASH_BYTES]);
/* head_{seq-1} in, head_seq out, in place.  envelope: ENVELOPE_BYTES. */
void chain_next(uint8_t head[HASH_BYTES], uint64_t seq, const uint8_t *envelope);

#endif
