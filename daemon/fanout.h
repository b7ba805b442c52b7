/* SPDX-License-Identifier: Apache-2.0 */
/* fanout: live delivery and catching up, one path.  SPEC 3.5, 4.
 * Flow     commit -> fanout_grown -> wake -> conn -> session_fill -> fanout_fill ->
 *          store_range
 * Owns     a cursor for each subscription, and the ranges read last, which other
 *          readers at the same place take without asking the store again
 * Threads  the loop's
 * No queue anywhere: what a reader is owed is the distance from its cursor to the log's
 * end. */
#ifndef KITH_DAEMON_FANOUT_H
#define KITH_DAEMON_FANOUT_H

#include "daemon/store.h"

struct fanout;
struct subscription;

/* A subscription of this owner has something to send. */
typedef void fanout_wake(void *owner);

/* 0, -ENOMEM, or what store_tail() says. */
MUST_USE int fanout_new(struct store *s, uint32_t buckets, fanout_wake *wake,
                        struct fanout **out);
void fanout_free(struct fanout *f); /* no subscription is left; NULL is fine */

/* Read from seq `first` on (oldest..next); credit at most CREDIT_MAX.  NULL: no memory.
 */
MUST_USE struct subscription *fanout_add(struct fanout *f, uint32_t bucket,
                                         uint64_t first, uint32_t credit, void *owner);
void fanout_remove(struct subscription *sub); /* NULL is fine */
uint32_t fanout_bucket(const struct subscription *sub);
/* More credit, up to CREDIT_MAX in all.  Wakes. */
void fanout_credit(struct subscription *sub, uint32_t more);
/* The bucket's log has grown (or lost its oldest part).  Wakes who has credit. */
void fanout_grown(struct fanout *f, uint32_t bucket);
/* Has it credit, and the log something for it? */
bool fanout_owes(const struct subscription *sub);

/* Append one `gap` or `envelopes` notification, as large as credit, log and room in
 * frames allow; nothing when not even one envelope fits.  0, or -errno when the store
 * can't be read. */
MUST_USE int fanout_fill(struct subscription *sub, struct buf *frames);

#endif
