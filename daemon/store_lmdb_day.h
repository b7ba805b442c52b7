/* SPDX-License-Identifier: Apache-2.0 */
/* store_lmdb_day: the envelopes of one UTC day, an LMDB environment of their own, so that
 * letting go of a day is unlinking two files (SPEC 4.4).  Databases:
 *   log    u32 bucket | u64 seq, big-endian  ->  le32 receipt hour | le32 flags (0) | 8
 * zeros | envelope: 4,080 bytes, one overflow page heads  the same key ->  head after it,
 * 32 tails  u32 bucket                        ->  le64 first | le64 next | head before
 * first 32 | head after next - 1, 32 first: the seq that this day began with; so days can
 * be dropped without a word to the rest. Flow     store_lmdb -> store_lmdb_day ->
 * store_lmdb_env Owns     the environment, the rows Threads  append on the commit thread;
 * the reading functions on one thread beside it; publish, retire and whoever reads rows:
 * under store_lmdb's lock */
#ifndef KITH_DAEMON_STORE_LMDB_DAY_H
#define KITH_DAEMON_STORE_LMDB_DAY_H

#include "daemon/store_lmdb_env.h"

struct store_lmdb_row { /* one bucket on one day */
    uint64_t first, next;
    uint8_t first_head[HASH_BYTES]; /* before first */
    uint8_t head[HASH_BYTES];       /* after next - 1 */
};

struct store_lmdb_day {
    uint32_t day; /* unix day */
    bool lost;    /* its map is gone: reads fail */
    struct store_lmdb_row
        *rows; /* as committed, [STORE_BUCKETS_MAX]: buckets may come later */
    struct store_lmdb_row
        *draft; /* as the transaction under way leaves them; newest day only */
    struct store_lmdb_env env;
    MDB_dbi log, heads, tails;
    MDB_txn *reader; /* reset between reads: it holds no page back */
    MDB_cursor *cursor;
};

/* Make the environment in this empty folder; it begins where `rows`
 * ([STORE_BUCKETS_MAX]) end.  0, STORE_E_*, -errno. */
MUST_USE int store_lmdb_day_make(const char *folder, uint32_t day,
                                 const struct store_lmdb_row *rows, uint64_t map_bytes,
                                 struct store_lmdb_day **out);
/* Open one that exists.  rows: the day before's, or NULL when this is the oldest: it must
 * begin where they end (STORE_E_CORRUPT); cohort: where a new bucket begins. */
MUST_USE int store_lmdb_day_open(const char *folder, uint32_t day,
                                 const struct store_lmdb_row *rows,
                                 const uint8_t cohort[32], uint64_t map_bytes,
                                 enum store_lmdb_mode mode, struct store_lmdb_day **out);
/* It is the newest no more: give back what only writing needs.  No read may be under way.
 */
void store_lmdb_day_retire(struct store_lmdb_day *d);
void store_lmdb_day_close(struct store_lmdb_day *d); /* NULL is fine */

/* All posts in one synced transaction, or none.  Readers see them once published. */
MUST_USE int store_lmdb_day_append(struct store_lmdb_day *d, struct store_post *posts,
                                   size_t n, uint32_t hour);
void store_lmdb_day_publish(struct store_lmdb_day *d);

/* Copy count envelopes from seq `from` on; all of them must be of this day.
 * 0, STORE_E_CORRUPT, -errno. */
MUST_USE int store_lmdb_day_range(struct store_lmdb_day *d, uint32_t bucket,
                                  uint64_t from, size_t count, uint8_t *out);
/* Head after seq, which must be of this day. */
MUST_USE int store_lmdb_day_head(struct store_lmdb_day *d, uint32_t bucket, uint64_t seq,
                                 uint8_t head[HASH_BYTES]);
uint64_t store_lmdb_day_count(
    const struct store_lmdb_day *d); /* envelopes, all buckets */

#endif
