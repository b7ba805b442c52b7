/* SPDX-License-Identifier: Apache-2.0 */
/* expire: lets go of days past the retention (SPEC 4.4), at start and every 10 minutes.
 * Flow     timer -> expire -> commit -> store_expire
 * Owns     its timer; DIR/expire-clock
 * Threads  the loop's; the work runs on the commit thread
 *
 * A clock that jumps ahead must not take everything away, and one that was wrong must not
 * keep anything for long.  So expiry remembers where the clock was (in DIR/expire-clock,
 * over restarts) and compares at each check:
 *   - within a day of where it should be: expire, and give days that a faster clock had
 * put into the future today's name (store_redate);
 *   - behind by more than a day: expire, which is never too early; rename nothing;
 *   - ahead by more than a day (a jump, or kithd was off that long): warn, and drop
 * nothing until the clock has run evenly for 24 hours of monotonic time, counted over
 * restarts; then it is believed.  After an outage expiry is thus at most a day of running
 * time late. "Evenly": wall and monotonic clock agree from check to check, within a day.
 */
#ifndef KITH_DAEMON_EXPIRE_H
#define KITH_DAEMON_EXPIRE_H

#include "daemon/commit.h"

enum {
    EXPIRE_EVERY_MS = 10 * 60 * 1000,
    EXPIRE_JUMP_S = 24 * 60 *
                    60, /* more than any suspended night; less than a retention */
    EXPIRE_STEADY_S = 24 * 60 * 60, /* time for an admin to read the warning */
};

struct expire;

/* dir: the relay's folder; NULL: nothing is remembered (a store in memory).  The first
 * check is queued before it returns.  0 or -errno. */
MUST_USE int expire_start(uv_loop_t *loop, struct store *s, struct commit *c,
                          const struct clock *clock, const char *dir,
                          uint64_t retention_s, struct expire **out);
void expire_set_retention(struct expire *e, uint64_t retention_s);
/* Check now, too; does nothing while a check is under way. */
void expire_now(struct expire *e);
/* Waiting for a clock that has jumped ahead to prove steady? */
bool expire_holds(const struct expire *e);
/* Before commit_stop().  Frees itself when its timer is closed and its work has ended:
 * the loop must turn until then.  NULL is fine. */
void expire_stop(struct expire *e);

#endif
