/* SPDX-License-Identifier: Apache-2.0 */
/* db_notes: alarms that a person has to see, and events that other processes have to
 * hear.
 * Flow     every flow of core -> db_notes -> core/node -> the callback
 * Owns     nothing.
 * Threads  as db.  Not found is DB_E_NONE. */
#ifndef KITH_CORE_DB_NOTES_H
#define KITH_CORE_DB_NOTES_H

#include "client/core/db.h"
#include "client/core/node.h"

enum { EVENTS_KEPT = 4096 };

/* Stores the event of this transaction. */
MUST_USE int db_notes_event(struct db *db, enum event_kind kind, int64_t conv,
                            int64_t message, uint32_t state);
/* Events above since, oldest first. */
MUST_USE int db_notes_events(struct db *db, int64_t since, struct event *out, size_t most,
                             size_t *count);
MUST_USE int db_notes_range(struct db *db, int64_t *oldest,
                            int64_t *newest); /* 0, 0: none */
MUST_USE int db_notes_tidy(struct db *db);

/* Raise an alarm, or count it again when one of this kind, conversation and bucket is
 * open; adds the event.  since_s: 0 means now. */
MUST_USE int db_notes_alarm(struct db *db, const struct alarm *a, uint64_t now_s);
MUST_USE int db_notes_alarms(struct db *db, bool all, node_alarm_fn *visit, void *arg);
MUST_USE int db_notes_get(struct db *db, int64_t id, struct alarm *out);
MUST_USE int db_notes_accept(struct db *db, int64_t id);
MUST_USE int db_notes_open(struct db *db, uint32_t *open, bool *held);

#endif
