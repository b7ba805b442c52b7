/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/db_outbox.h"

#include "client/core/model.h"

#include <errno.h>

_Static_assert(MESSAGE_EXPIRED == 6, "statements below leave expired messages out");

int db_outbox_add(struct db *db, const struct outbox_row *o)
{
    if (!o->message)
        return db_run(db,
                      "INSERT INTO outbox(conv, kind, mid, part, parts, state)"
                      " VALUES(?, ?, ?, ?, ?, ?)",
                      "iibiii", o->conv, (int64_t)o->kind, BYTES(o->mid),
                      (int64_t)o->part, (int64_t)o->parts, (int64_t)OUTBOX_READY);
    return db_run(db,
                  "INSERT INTO outbox(conv, message, kind, mid, part, parts, state)"
                  " VALUES(?, ?, ?, ?, ?, ?, ?)",
                  "iiibiii", o->conv, o->message, (int64_t)o->kind, BYTES(o->mid),
                  (int64_t)o->part, (int64_t)o->parts, (int64_t)OUTBOX_READY);
}

#define ROW                                                                        \
    "SELECT id, conv, ifnull(message, 0), kind, mid, part, parts, state, turn, n," \
    " stored_s, late, missed FROM outbox "

static int one(struct db_rows r, struct outbox_row *out)
{
    bool found = db_next(&r);
    int rc;

    *out = (struct outbox_row){0};
    if (found) {
        out->id = db_int(&r, 0);
        out->conv = db_int(&r, 1);
        out->message = db_int(&r, 2);
        out->kind = (enum outbox_kind)db_int(&r, 3);
        db_copy(&r, 4, out->mid, sizeof out->mid);
        out->part = (uint32_t)db_int(&r, 5);
        out->parts = (uint32_t)db_int(&r, 6);
        out->state = (enum outbox_state)db_int(&r, 7);
        out->turn = (uint32_t)db_int(&r, 8);
        out->n = (uint32_t)db_int(&r, 9);
        out->stored_s = (uint64_t)db_int(&r, 10);
        out->late = db_int(&r, 11) != 0;
        out->missed = (uint32_t)db_int(&r, 12);
    }
    rc = db_done(&r);
    return rc || found ? rc : DB_E_NONE;
}

int db_outbox_get(struct db *db, int64_t id, struct outbox_row *out)
{
    return one(db_ask(db, ROW "WHERE id = ?", "i", id), out);
}

int db_outbox_next(struct db *db, int64_t conv, struct outbox_row *out)
{
    /* kind sorts accept, text, close; id is the order written. */
    return one(db_ask(db, ROW "WHERE state = ? AND conv = ? ORDER BY kind, id LIMIT 1",
                      "ii", (int64_t)OUTBOX_READY, conv),
               out);
}

int db_outbox_sealed(struct db *db, const struct outbox_row *o, uint32_t turn, uint32_t n)
{
    int rc = db_run(db, "UPDATE outbox SET state = ?, turn = ?, n = ? WHERE id = ?",
                    "iiii", (int64_t)OUTBOX_SEALED, (int64_t)turn, (int64_t)n, o->id);

    if (rc)
        return rc;
    return db_run(db, "INSERT INTO seals(conv, turn, n, outbox) VALUES(?, ?, ?, ?)",
                  "iiii", o->conv, (int64_t)turn, (int64_t)n, o->id);
}

int db_outbox_put(struct db *db, const struct outbox_row *o)
{
    return db_run(
        db,
        "UPDATE outbox SET state = ?, stored_s = ?, late = ?, missed = ? WHERE id = ?",
        "iiiii", (int64_t)o->state, (int64_t)o->stored_s, (int64_t)o->late,
        (int64_t)o->missed, o->id);
}

int db_outbox_delete(struct db *db, int64_t id)
{
    return db_run(db, "DELETE FROM outbox WHERE id = ?", "i", id);
}

int db_outbox_lost(struct db *db)
{
    return db_run(db, "UPDATE outbox SET state = ? WHERE state = ?", "ii",
                  (int64_t)OUTBOX_READY, (int64_t)OUTBOX_SEALED);
}

int db_outbox_left(struct db *db, int64_t message, uint32_t *rows, uint32_t *unstored)
{
    struct db_rows r = db_ask(db,
                              "SELECT count(*), ifnull(sum(state != ?), 0) FROM outbox"
                              " WHERE message = ?",
                              "ii", (int64_t)OUTBOX_STORED, message);

    *rows = *unstored = 0;
    if (db_next(&r)) {
        *rows = (uint32_t)db_int(&r, 0);
        *unstored = (uint32_t)db_int(&r, 1);
    }
    return db_done(&r);
}

int db_outbox_delete_message(struct db *db, int64_t message)
{
    return db_run(db, "DELETE FROM outbox WHERE message = ?", "i", message);
}

int db_outbox_delete_conv(struct db *db, int64_t conv)
{
    return db_run(db, "DELETE FROM outbox WHERE conv = ?", "i", conv);
}

int db_outbox_places(struct db *db, int64_t conv, uint32_t turn,
                     struct outbox_place out[TURN_ENVELOPES_MAX], size_t *count)
{
    struct db_rows r = db_ask(db,
                              "SELECT outbox, n FROM seals WHERE conv = ? AND turn = ?",
                              "ii", conv, (int64_t)turn);

    for (*count = 0; *count < TURN_ENVELOPES_MAX && db_next(&r); (*count)++)
        out[*count] = (struct outbox_place){db_int(&r, 0), (uint32_t)db_int(&r, 1)};
    return db_done(&r);
}

static int ids_of(struct db_rows r, int64_t *ids, size_t most, size_t *count)
{
    *count = 0;
    while (*count < most && db_next(&r))
        ids[(*count)++] = db_int(&r, 0);
    return db_done(&r);
}

int db_outbox_older(struct db *db, uint64_t before_s, bool late, int64_t *ids,
                    size_t most, size_t *count)
{
    return ids_of(
        db_ask(db,
               "SELECT o.id FROM outbox o LEFT JOIN messages m ON m.id = o.message"
               " WHERE o.state = ? AND o.stored_s < ? AND o.late = ?"
               " AND ifnull(m.state, 0) != 6 ORDER BY o.id",
               "iii", (int64_t)OUTBOX_STORED, (int64_t)before_s, (int64_t)late),
        ids, most, count);
}

int db_outbox_stored(struct db *db, int64_t after, int64_t *ids, size_t most,
                     size_t *count)
{
    return ids_of(db_ask(db,
                         "SELECT id FROM outbox WHERE state = ? AND id > ? ORDER BY id",
                         "ii", (int64_t)OUTBOX_STORED, after),
                  ids, most, count);
}

int db_outbox_earliest(struct db *db, bool late, uint64_t *stored_s)
{
    int64_t least;
    int rc = db_number(db, &least,
                       "SELECT min(o.stored_s) FROM outbox o LEFT JOIN messages m"
                       " ON m.id = o.message WHERE o.state = ? AND o.late = ?"
                       " AND ifnull(m.state, 0) != 6",
                       "ii", (int64_t)OUTBOX_STORED, (int64_t)late);

    *stored_s = (uint64_t)least;
    if (rc)
        return rc;
    return least ? 0 : DB_E_NONE;
}
