/* SPDX-License-Identifier: Apache-2.0 */
/* board: envelopes and checks for the store's tests. */
#ifndef KITH_TESTS_STORE_BOARD_H
#define KITH_TESTS_STORE_BOARD_H

#include "daemon/store.h"
#include "proto/chain.h"
#include "tests/support/support.h"

#include <stdlib.h>
#include <string.h>

enum { BOARD_BUCKETS = 6, BOARD_MAP_BYTES = 64 * 1024 * 1024, BOARD_DAY_S = 86400 };
#define BOARD_NOW 1700000000ull /* 2023-11-14 22:13:20 UTC */

static const uint8_t board_cohort[32] = {1, 2, 3, 4, 5};

/* An envelope that can only be number n of bucket b. */
static inline void board_envelope(uint32_t b, uint64_t n, uint8_t out[ENVELOPE_BYTES])
{
    memset(out, (int)(n * 7 + b), ENVELOPE_BYTES);
    le_put(out, b, 4);
    le_put(out + 4, n, 8);
    le_put(out + ENVELOPE_BYTES - 8, n * b + 1, 8);
}

/* Append the next n envelopes of a bucket in one call; what store_append returned. */
static inline int board_append(struct store *s, uint32_t bucket, size_t n, uint64_t now_s)
{
    struct store_post *posts = calloc(n, sizeof *posts);
    uint8_t *envelopes = malloc(n * ENVELOPE_BYTES);
    struct store_tail tail;
    int rc;

    assert_true(posts && envelopes);
    assert_int_equal(store_tail(s, bucket, &tail), 0);
    for (size_t i = 0; i < n; i++) {
        board_envelope(bucket, tail.next + i, envelopes + i * ENVELOPE_BYTES);
        posts[i].bucket = bucket;
        posts[i].envelope = envelopes + i * ENVELOPE_BYTES;
    }
    rc = store_append(s, posts, n, now_s);
    for (size_t i = 0; !rc && i < n; i++)
        assert_int_equal(posts[i].seq, tail.next + i);
    free(posts);
    free(envelopes);
    return rc;
}

/* Everything kept in this bucket is what was appended, its chain holds, and it goes from
 * oldest to next. */
static inline void board_check(struct store *s, uint32_t bucket, uint64_t oldest,
                               uint64_t next)
{
    uint8_t *got_bytes = malloc(ENVELOPES_PER_RECORD_MAX * ENVELOPE_BYTES);
    uint8_t want[ENVELOPE_BYTES], head[HASH_BYTES], after[HASH_BYTES];
    struct store_tail tail;
    size_t got;

    assert_non_null(got_bytes);
    assert_int_equal(store_tail(s, bucket, &tail), 0);
    assert_int_equal(tail.oldest, oldest);
    assert_int_equal(tail.next, next);
    chain_first(board_cohort, bucket, head);
    for (uint64_t seq = 1; seq < oldest;
         seq++) { /* what has expired is still in the chain */
        board_envelope(bucket, seq, want);
        chain_next(head, seq, want);
    }
    for (uint64_t seq = oldest; seq < next;) {
        assert_int_equal(store_head_before(s, bucket, seq, after), 0);
        assert_memory_equal(after, head, HASH_BYTES);
        assert_int_equal(
            store_range(s, bucket, seq, ENVELOPES_PER_RECORD_MAX, got_bytes, &got, after),
            0);
        assert_true(got > 0);
        for (size_t i = 0; i < got; i++, seq++) {
            board_envelope(bucket, seq, want);
            assert_memory_equal(got_bytes + i * ENVELOPE_BYTES, want, ENVELOPE_BYTES);
            chain_next(head, seq, want);
        }
        assert_memory_equal(after, head, HASH_BYTES);
    }
    assert_memory_equal(tail.head, head, HASH_BYTES);
    free(got_bytes);
}

#endif
