/* SPDX-License-Identifier: Apache-2.0 */
/* db_log: how far each bucket was read, which heads were seen, which heads contacts
 * spoke of.
 * Flow     core/board, core/receive -> db_log -> db
 * Owns     nothing.
 * Threads  as db.  Not found is DB_E_NONE. */
#ifndef KITH_CORE_DB_LOG_H
#define KITH_CORE_DB_LOG_H

#include "client/core/db.h"
#include "lib/kdf.h"
#include "proto/payload.h"

struct cursor {
    uint32_t bucket;
    uint64_t next; /* the first sequence number not read; 0: the log is read anew from its
                      oldest */
    uint8_t head[HASH_BYTES]; /* before next */
    uint64_t
        anchor; /* the first one known at or after the start of next's block (SPEC 4.3) */
    uint8_t anchor_head[HASH_BYTES];
    uint64_t
        quiet;    /* below it repeated envelopes are no surprise: the log is read again */
    bool stopped; /* an alarm stands: not read */
    uint64_t read_s; /* when it last moved or was seen to be at its end */
};
MUST_USE int db_log_cursor(struct db *db, uint32_t bucket, struct cursor *out);
MUST_USE int db_log_put_cursor(struct db *db, const struct cursor *c);
MUST_USE int db_log_put_head(struct db *db, uint32_t bucket, uint64_t seq,
                             const uint8_t head[HASH_BYTES], uint64_t day);
MUST_USE int db_log_prefix(struct db *db, uint32_t bucket, uint64_t seq,
                           uint8_t prefix[HEAD_PREFIX_BYTES]);
/* Forget this bucket's heads, and what was said about them. */
MUST_USE int db_log_drop_heads(struct db *db, uint32_t bucket);
MUST_USE int db_log_tidy(struct db *db, uint64_t before_day);

struct claim {
    int64_t conv;
    uint32_t bucket;
    uint64_t seq;
    uint8_t prefix[HEAD_PREFIX_BYTES];
};
/* Replaces the claim of this conversation about this bucket. */
MUST_USE int db_log_put_claim(struct db *db, const struct claim *c);
/* A head that the relay named for an envelope it took from us. */
MUST_USE int db_log_put_answer(struct db *db, uint32_t bucket, uint64_t seq,
                               const uint8_t head[HASH_BYTES]);
/* The oldest of them at or below seq, taken out; conv is 0.  DB_E_NONE: none. */
MUST_USE int db_log_take_answer(struct db *db, uint32_t bucket, uint64_t seq,
                                struct claim *out);
/* One claim about this bucket at or below seq, taken out.  DB_E_NONE: none. */
MUST_USE int db_log_take_claim(struct db *db, uint32_t bucket, uint64_t seq,
                               struct claim *out);

#endif
