/* SPDX-License-Identifier: Apache-2.0 */
/* db_messages: the history, the parts of long texts, and the ids that came.
 * Flow     core/history, core/receive -> db_messages -> db
 * Owns     nothing.
 * Threads  as db.  Not found is DB_E_NONE. */
#ifndef KITH_CORE_DB_MESSAGES_H
#define KITH_CORE_DB_MESSAGES_H

#include "client/core/db.h"
#include "client/core/model.h"
#include "client/core/node.h"
#include "proto/payload.h"

struct message_row {
    int64_t id, conv;
    uint8_t mid[MESSAGE_ID_BYTES];
    bool mine;
    enum message_kind kind;
    enum message_state state;
    enum message_why why;
    uint32_t order;
    uint32_t side; /* 0 the taker's, 1 the inviter's: breaks ties of order */
    uint32_t minute, resent;
    uint64_t stored_s;
    struct bytes text; /* put: borrowed; get: not filled */
};

MUST_USE int db_messages_add(struct db *db, struct message_row *m); /* fills id */
MUST_USE int db_messages_get(struct db *db, int64_t id, struct message_row *out);
/* Its text, appended. */
MUST_USE int db_messages_text(struct db *db, int64_t id, struct buf *out);
MUST_USE int db_messages_state(struct db *db, int64_t id, enum message_state state,
                               enum message_why why);
/* The oldest text of ours that is only on this device; DB_E_NONE. */
MUST_USE int db_messages_queued(struct db *db, int64_t *conv, int64_t *id);
MUST_USE int db_messages_resent(struct db *db, int64_t id); /* one more */
MUST_USE int db_messages_delete(struct db *db, int64_t id);
/* The highest order number of a conversation, 0 if it is empty (SPEC 7.4). */
MUST_USE int db_messages_order(struct db *db, int64_t conv, uint32_t *highest);
/* held: an alarm holds posts; trouble: the relay's last temporary refusal.  They explain
 * QUEUED. */
MUST_USE int db_messages_each(struct db *db, const struct node_history *q, bool held,
                              uint32_t trouble, node_message_fn *visit, void *arg);
MUST_USE int db_messages_one(struct db *db, int64_t id, bool held, uint32_t trouble,
                             node_message_fn *visit, void *arg);
MUST_USE int db_messages_mark(struct db *db, int64_t conv, int64_t upto, bool *changed);
struct message_totals {
    uint32_t queued, undelivered, unread;
};
MUST_USE int db_messages_totals(struct db *db, struct message_totals *out);

/* Remember that (conv, mid, part) came; *fresh: it had not. */
MUST_USE int db_messages_seen(struct db *db, int64_t conv,
                              const uint8_t mid[MESSAGE_ID_BYTES], uint32_t part,
                              uint64_t now_s, bool *fresh);

/* ---- parts of theirs -------------------------------------------------------------- */
/* Keeps one part; DB_E_NONE when its count contradicts the parts that came before. */
MUST_USE int db_messages_put_part(struct db *db, int64_t conv, const struct payload *p,
                                  uint32_t order, uint64_t now_s);
/* When all are there: the joined text appended, the lowest order and minute, the parts
 * gone. DB_E_NONE while some are missing. */
MUST_USE int db_messages_join(struct db *db, int64_t conv,
                              const uint8_t mid[MESSAGE_ID_BYTES], struct buf *text,
                              uint32_t *order, uint32_t *minute);
/* One long text with missing parts whose newest part is older than before_s: its place;
 * the parts are dropped.  DB_E_NONE: none left. */
MUST_USE int db_messages_overdue(struct db *db, uint64_t before_s,
                                 struct message_row *out);
/* Drop remembered ids older than this day (unix days). */
MUST_USE int db_messages_tidy(struct db *db, uint64_t before_day);

#endif
