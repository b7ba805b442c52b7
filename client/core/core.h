/* SPDX-License-Identifier: Apache-2.0 */
/* core: what the flows of one member share: the database, the clock, the sessions in
 * memory, and the frame of every change: begin, do, commit, tell.
 * Flow     core/node -> member, linking, compose, outbox, receive, board -> core -> db,
 *          sessions
 * Owns     nothing itself: core/node opens and frees the parts
 * Threads  the node's
 *
 *     rc = core_begin(c);
 *     if (!rc)
 *         rc = ...;                      what is to change, on c->db
 *     return core_end(c, rc);            commits and tells, or takes everything back */
#ifndef KITH_CORE_CORE_H
#define KITH_CORE_CORE_H

#include "client/core/db_convs.h"
#include "client/core/db_notes.h"
#include "client/core/node.h"
#include "client/core/sessions.h"

enum {
    CORE_LINKS_MAX = 64
}; /* links open at a time; each costs two hashes an envelope */

struct core {
    struct db *db;
    const struct clock *clock;
    struct sessions *sessions; /* NULL unless holder */
    node_event_fn *event;
    void *event_arg;
    int64_t told;    /* the last event that was reported */
    int64_t version; /* db_version() when memory last agreed with the database */
    bool telling;
    uint32_t ack_least_ms, ack_most_ms, accept_most_ms, empty_most_ms;
    uint8_t cohort[HASH_BYTES];
    bool has_cohort;
    uint32_t home;           /* bucket; 0 before the descriptor */
    uint32_t retention_days; /* 0 before the descriptor */
    uint32_t mail_buckets;
    size_t links_n;         /* holder: as in the database */
    struct link_row *links; /* CORE_LINKS_MAX, guarded: secrets */
};

/* Begin a change.  Inside it what other processes did is already taken into account. */
MUST_USE int core_begin(struct core *c);
/* rc 0: commit, then report the events.  Else: take back the database and the sessions
 * that had moved.  Returns rc, or why the commit failed.  Positive rc takes back as well.
 */
MUST_USE int core_end(struct core *c, int rc);
/* Report events not reported yet. */
MUST_USE int core_tell(struct core *c);
/* Read profile, links and the list of sessions again. */
MUST_USE int core_reload(struct core *c);
MUST_USE int core_reload_links(struct core *c);

uint64_t core_now_s(const struct core *c);
uint32_t core_minute(const struct core *c);
uint64_t core_mono_ms(const struct core *c);
/* Now plus a uniform span, on the monotonic clock. */
MUST_USE int core_due(const struct core *c, uint32_t least_ms, uint32_t most_ms,
                      uint64_t *due);

/* Short forms for flows. */
MUST_USE int core_event(struct core *c, enum event_kind kind, int64_t conv,
                        int64_t message, uint32_t state);
MUST_USE int core_alarm(struct core *c, enum alarm_kind kind, int64_t conv,
                        uint32_t bucket, uint64_t a, uint64_t b);
MUST_USE int core_conv_state(struct core *c, int64_t conv, enum conv_state state,
                             enum conv_why why);
MUST_USE int core_message_state(struct core *c, int64_t conv, int64_t message,
                                enum message_state state, enum message_why why);
/* DB_E_NONE becomes none, other conditions of db fold to -EPROTO. */
MUST_USE int core_fold(int rc, int none);

#endif
