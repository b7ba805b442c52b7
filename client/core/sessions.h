/* SPDX-License-Identifier: Apache-2.0 */
/* sessions: the conversations' ratchets in memory, and the table of tags by which
 * envelopes are recognised (SPEC 8.4).  Only the holder has one.
 * Flow     core/receive: tag -> sessions -> ratchet;  core/outbox: conv -> sessions ->
 *          ratchet
 * Owns     the ratchets and the tags
 * Threads  the node's
 *
 * A step is done on the ratchet in memory, then saved by sessions_save() inside the
 * database transaction; sessions_settle() ends both the same way. */
#ifndef KITH_CORE_SESSIONS_H
#define KITH_CORE_SESSIONS_H

#include "client/core/db.h"
#include "client/core/ratchet.h"

struct sessions;

struct session {
    int64_t conv;
    struct ratchet *ratchet;
    /* Monotonic ms at which a post is due by itself; 0: none.  Random once, then kept. */
    uint64_t ack_due, empty_due, accept_due;
    uint32_t flight; /* posts on their way */
    bool dirty;      /* stepped since the last commit */
};

enum { SESSIONS_MAX = 4096 };

/* All that the database has. */
MUST_USE int sessions_open(struct db *db, struct sessions **out);
void sessions_free(struct sessions *s); /* wipes; NULL is fine */
/* Add those that are new in the database, drop those that are gone from it. */
MUST_USE int sessions_sync(struct sessions *s, struct db *db);

struct session *sessions_get(struct sessions *s, int64_t conv); /* NULL: none */
size_t sessions_count(const struct sessions *s);
struct session *sessions_at(struct sessions *s, size_t i);
/* Takes the ratchet over, also on failure; saved to the database here; taken back by
 * sessions_settle() if the transaction fails. */
MUST_USE int sessions_add(struct sessions *s, struct db *db, int64_t conv,
                          struct ratchet *r, struct session **out);
void sessions_drop(struct sessions *s, int64_t conv);

/* Whose tag is it?  False: nobody's. */
struct sessions_hit {
    struct session *session;
    uint32_t turn, n;
};
bool sessions_find(const struct sessions *s, const uint8_t tag[ENVELOPE_TAG_BYTES],
                   struct sessions_hit *out);
/* After a seal or an open: writes the state and brings the tags up to date.
 * DB_E_NONE: the conversation was forgotten by another process. */
MUST_USE int sessions_save(struct sessions *s, struct db *db, struct session *one);
/* After commit (kept) or rollback (the moved ones are read again from the database; one
 * that cannot be read is dropped from memory until sessions_sync()). */
void sessions_settle(struct sessions *s, struct db *db, bool kept);

#endif
