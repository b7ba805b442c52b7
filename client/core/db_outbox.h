/* SPDX-License-Identifier: Apache-2.0 */
/* db_outbox: what is to be posted in conversations, and where each piece was sealed.
 * Flow     core/compose -> db_outbox -> core/outbox; core/receive (acks) -> db_outbox
 * Owns     nothing.
 * Threads  as db.  Not found is DB_E_NONE.
 *
 *   READY --outbox_next, sealed--> SEALED --durable answer--> STORED --ack--> the row
 * goes
 *     ^-------- lost, refused for now --+                        |
 *     +-------- reported missing, a log that forked, 80 % of the retention --+ */
#ifndef KITH_CORE_DB_OUTBOX_H
#define KITH_CORE_DB_OUTBOX_H

#include "client/core/db.h"
#include "proto/payload.h"

enum outbox_kind { OUTBOX_ACCEPT = 1, OUTBOX_TEXT, OUTBOX_CLOSE };
enum outbox_state { OUTBOX_READY = 1, OUTBOX_SEALED, OUTBOX_STORED };

struct outbox_row {
    int64_t id, conv;
    int64_t message; /* 0: none */
    enum outbox_kind kind;
    uint8_t mid[MESSAGE_ID_BYTES];
    uint32_t part, parts; /* parts 1: whole */
    enum outbox_state state;
    uint32_t turn, n;  /* newest place it was sealed at; turn 0: never */
    uint64_t stored_s; /* of the newest durable answer; 0: never */
    bool late;         /* sent again at 80 % of the retention */
    uint32_t missed;   /* times reported missing though durable */
};

MUST_USE int db_outbox_add(struct db *db, const struct outbox_row *o);
MUST_USE int db_outbox_get(struct db *db, int64_t id, struct outbox_row *out);
/* The first READY row of this conversation: accept, then texts as written, close last. */
MUST_USE int db_outbox_next(struct db *db, int64_t conv, struct outbox_row *out);
/* SEALED at (turn, n); remembers the place. */
MUST_USE int db_outbox_sealed(struct db *db, const struct outbox_row *o, uint32_t turn,
                              uint32_t n);
/* Writes state, stored_s, late and missed. */
MUST_USE int db_outbox_put(struct db *db, const struct outbox_row *o);
MUST_USE int db_outbox_delete(struct db *db, int64_t id);
/* Every SEALED row is READY again: nobody knows what became of it. */
MUST_USE int db_outbox_lost(struct db *db);
/* How many rows of a message are left, and how many of them are not STORED. */
MUST_USE int db_outbox_left(struct db *db, int64_t message, uint32_t *rows,
                            uint32_t *unstored);
MUST_USE int db_outbox_delete_message(struct db *db, int64_t message);
MUST_USE int db_outbox_delete_conv(struct db *db, int64_t conv);
/* Rows that were sealed in this turn, by n: at most TURN_ENVELOPES_MAX. */
struct outbox_place {
    int64_t outbox;
    uint32_t n;
};
MUST_USE int db_outbox_places(struct db *db, int64_t conv, uint32_t turn,
                              struct outbox_place out[TURN_ENVELOPES_MAX], size_t *count);
/* STORED rows whose newest answer is older than before_s, with this mark of `late`; ids.
 */
MUST_USE int db_outbox_older(struct db *db, uint64_t before_s, bool late, int64_t *ids,
                             size_t most, size_t *count);
/* STORED rows, ids above after, oldest first. */
MUST_USE int db_outbox_stored(struct db *db, int64_t after, int64_t *ids, size_t most,
                              size_t *count);
/* The earliest stored_s of STORED rows with this mark; DB_E_NONE. */
MUST_USE int db_outbox_earliest(struct db *db, bool late, uint64_t *stored_s);

#endif
