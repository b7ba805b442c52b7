/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/db_messages.h"

#include "lib/secret.h"

#include <errno.h>
#include <string.h>

enum { DAY_S = 24 * 60 * 60 };

/* ---- rows ------------------------------------------------------------------------- */

int db_messages_add(struct db *db, struct message_row *m)
{
    int rc = db_run(
        db,
        "INSERT INTO messages(conv, mid, mine, kind, state, why, ord, side, minute,"
        " stored_s, text) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "ibiiiiiiiit", m->conv, BYTES(m->mid), (int64_t)m->mine, (int64_t)m->kind,
        (int64_t)m->state, (int64_t)m->why, (int64_t)m->order, (int64_t)m->side,
        (int64_t)m->minute, (int64_t)m->stored_s, m->text);

    m->id = rc ? 0 : db_last_id(db);
    return rc;
}

int db_messages_get(struct db *db, int64_t id, struct message_row *out)
{
    struct db_rows r = db_ask(
        db,
        "SELECT id, conv, mid, mine, kind, state, why, ord, side, minute,"
        " stored_s, resent FROM messages WHERE id = ?",
        "i", id);
    bool found = db_next(&r);
    int rc;

    *out = (struct message_row){0};
    if (found) {
        out->id = db_int(&r, 0);
        out->conv = db_int(&r, 1);
        db_copy(&r, 2, out->mid, sizeof out->mid);
        out->mine = db_int(&r, 3) != 0;
        out->kind = (enum message_kind)db_int(&r, 4);
        out->state = (enum message_state)db_int(&r, 5);
        out->why = (enum message_why)db_int(&r, 6);
        out->order = (uint32_t)db_int(&r, 7);
        out->side = (uint32_t)db_int(&r, 8);
        out->minute = (uint32_t)db_int(&r, 9);
        out->stored_s = (uint64_t)db_int(&r, 10);
        out->resent = (uint32_t)db_int(&r, 11);
    }
    rc = db_done(&r);
    return rc || found ? rc : DB_E_NONE;
}

int db_messages_text(struct db *db, int64_t id, struct buf *out)
{
    struct db_rows r = db_ask(db, "SELECT text FROM messages WHERE id = ?", "i", id);
    bool found = db_next(&r);
    int rc;

    if (found) {
        struct bytes view = db_blob(&r, 0);
        buf_put(out, view.p, view.n);
    }
    rc = db_done(&r);
    if (!rc)
        rc = out->rc;
    return rc || found ? rc : DB_E_NONE;
}

int db_messages_state(struct db *db, int64_t id, enum message_state state,
                      enum message_why why)
{
    return db_run(db, "UPDATE messages SET state = ?, why = ? WHERE id = ?", "iii",
                  (int64_t)state, (int64_t)why, id);
}

int db_messages_queued(struct db *db, int64_t *conv, int64_t *id)
{
    struct db_rows r = db_ask(
        db, "SELECT conv, id FROM messages WHERE state = ? ORDER BY id LIMIT 1", "i",
        (int64_t)MESSAGE_QUEUED);
    bool found = db_next(&r);
    int rc;

    if (found) {
        *conv = db_int(&r, 0);
        *id = db_int(&r, 1);
    }
    rc = db_done(&r);
    return rc || found ? rc : DB_E_NONE;
}

int db_messages_resent(struct db *db, int64_t id)
{
    return db_run(db, "UPDATE messages SET resent = resent + 1 WHERE id = ?", "i", id);
}

int db_messages_delete(struct db *db, int64_t id)
{
    int rc = db_run(db, "DELETE FROM messages WHERE id = ?", "i", id);

    if (!rc && db_changes(db) == 0)
        rc = DB_E_NONE;
    return rc;
}

int db_messages_order(struct db *db, int64_t conv, uint32_t *highest)
{
    int64_t ord, held;
    int rc = db_number(
        db, &ord, "SELECT ifnull(max(ord), 0) FROM messages WHERE conv = ?", "i", conv);

    if (rc)
        return rc;
    rc = db_number(db, &held, "SELECT ifnull(max(ord), 0) FROM parts WHERE conv = ?", "i",
                   conv);
    *highest = (uint32_t)(held > ord ? held : ord);
    return rc;
}

/* ---- as screens see them ---------------------------------------------------------- */

#define SHOW                                                                          \
    "SELECT m.id, m.conv, m.kind, m.state, m.why, m.mine, m.ord, m.minute, m.resent," \
    " m.stored_s, m.text, m.id <= c.read_upto, c.state, c.waits"                      \
    " FROM messages m JOIN convs c ON c.id = m.conv "

static enum message_why waiting_for(const struct db_rows *r, bool held, uint32_t trouble)
{
    enum conv_state conv = (enum conv_state)db_int(r, 12);

    if (conv < CONV_TAKEN || conv == CONV_FAILED)
        return WHY_LINKING;
    if (held)
        return WHY_ALARM;
    if (db_int(r, 13))
        return WHY_PEER;
    if (trouble == CODE_STORAGE_FULL)
        return WHY_STORAGE_FULL;
    if (code_ends_member((enum code)trouble))
        return WHY_NO_MEMBER;
    return trouble ? WHY_UNAVAILABLE : WHY_RELAY;
}

static void show(const struct db_rows *r, bool held, uint32_t trouble,
                 node_message_fn *visit, void *arg)
{
    static const char none[] = "";
    struct bytes text = db_blob(r, 10);
    struct message m = {
        .id = db_int(r, 0),
        .conv = db_int(r, 1),
        .kind = (enum message_kind)db_int(r, 2),
        .state = (enum message_state)db_int(r, 3),
        .why = (enum message_why)db_int(r, 4),
        .mine = db_int(r, 5) != 0,
        .order = (uint32_t)db_int(r, 6),
        .minute = (uint32_t)db_int(r, 7),
        .resent = (uint32_t)db_int(r, 8),
        .stored_s = (uint64_t)db_int(r, 9),
        .read = db_int(r, 5) == 0 && db_int(r, 11) != 0,
        /* A text column ends in a zero (SQLite's word for it). */
        .text = text.n ? (const char *)text.p : none,
        .text_n = text.n,
    };

    if (m.state == MESSAGE_QUEUED)
        m.why = waiting_for(r, held, trouble);
    visit(&m, arg);
}

static int show_all(struct db_rows r, bool held, uint32_t trouble, node_message_fn *visit,
                    void *arg, bool *found)
{
    *found = false;
    while (db_next(&r)) {
        *found = true;
        show(&r, held, trouble, visit, arg);
    }
    return db_done(&r);
}

int db_messages_each(struct db *db, const struct node_history *q, bool held,
                     uint32_t trouble, node_message_fn *visit, void *arg)
{
    int64_t skip = 0;
    bool found;
    int rc;

    if (q->after_id)
        return show_all(db_ask(db, SHOW "WHERE m.conv = ? AND m.id > ? ORDER BY m.id",
                               "ii", q->conv, q->after_id),
                        held, trouble, visit, arg, &found);
    if (q->last) {
        rc = db_number(db, &skip, "SELECT count(*) FROM messages WHERE conv = ?", "i",
                       q->conv);
        if (rc)
            return rc;
        skip = skip > q->last ? skip - q->last : 0;
    }
    return show_all(db_ask(db,
                           SHOW "WHERE m.conv = ? ORDER BY m.ord, m.side, m.id"
                                " LIMIT -1 OFFSET ?",
                           "ii", q->conv, skip),
                    held, trouble, visit, arg, &found);
}

int db_messages_one(struct db *db, int64_t id, bool held, uint32_t trouble,
                    node_message_fn *visit, void *arg)
{
    bool found;
    int rc = show_all(db_ask(db, SHOW "WHERE m.id = ?", "i", id), held, trouble, visit,
                      arg, &found);

    return rc || found ? rc : DB_E_NONE;
}

int db_messages_mark(struct db *db, int64_t conv, int64_t upto, bool *changed)
{
    int rc = db_run(db, "UPDATE convs SET read_upto = ? WHERE id = ? AND read_upto < ?",
                    "iii", upto, conv, upto);

    *changed = !rc && db_changes(db) > 0;
    return rc;
}

int db_messages_totals(struct db *db, struct message_totals *out)
{
    int64_t queued, sent, unread;
    int rc = db_number(db, &queued, "SELECT count(*) FROM messages WHERE state = ?", "i",
                       (int64_t)MESSAGE_QUEUED);

    if (!rc)
        rc = db_number(db, &sent, "SELECT count(*) FROM messages WHERE state = ?", "i",
                       (int64_t)MESSAGE_SENT);
    if (!rc)
        rc = db_number(db, &unread,
                       "SELECT count(*) FROM messages m JOIN convs c ON c.id = m.conv"
                       " WHERE m.mine = 0 AND m.id > c.read_upto",
                       "");
    if (!rc)
        *out = (struct message_totals){(uint32_t)queued, (uint32_t)sent,
                                       (uint32_t)unread};
    return rc;
}

/* ---- ids -------------------------------------------------------------------------- */

int db_messages_seen(struct db *db, int64_t conv, const uint8_t mid[MESSAGE_ID_BYTES],
                     uint32_t part, uint64_t now_s, bool *fresh)
{
    int rc = db_run(db,
                    "INSERT OR IGNORE INTO seen(conv, mid, part, day) VALUES(?, ?, ?, ?)",
                    "ibii", conv, (struct bytes){mid, MESSAGE_ID_BYTES}, (int64_t)part,
                    (int64_t)(now_s / DAY_S));

    *fresh = !rc && db_changes(db) > 0;
    return rc;
}

int db_messages_tidy(struct db *db, uint64_t before_day)
{
    return db_run(db, "DELETE FROM seen WHERE day < ?", "i", (int64_t)before_day);
}

/* ---- parts ------------------------------------------------------------------------ */

int db_messages_put_part(struct db *db, int64_t conv, const struct payload *p,
                         uint32_t order, uint64_t now_s)
{
    int64_t count;
    int rc = db_number(db, &count,
                       "SELECT count FROM parts WHERE conv = ? AND mid = ? LIMIT 1", "ib",
                       conv, BYTES(p->id));

    if (rc && rc != DB_E_NONE)
        return rc;
    if (!rc && count != (int64_t)p->parts)
        return DB_E_NONE;
    return db_run(
        db,
        "INSERT OR IGNORE INTO parts(conv, mid, part, count, ord, minute, stored_s,"
        " text) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
        "ibiiiiit", conv, BYTES(p->id), (int64_t)p->part, (int64_t)p->parts,
        (int64_t)order, (int64_t)p->minute, (int64_t)now_s, p->text);
}

static int drop_parts(struct db *db, int64_t conv, struct bytes mid)
{
    return db_run(db, "DELETE FROM parts WHERE conv = ? AND mid = ?", "ib", conv, mid);
}

int db_messages_join(struct db *db, int64_t conv, const uint8_t mid[MESSAGE_ID_BYTES],
                     struct buf *text, uint32_t *order, uint32_t *minute)
{
    struct bytes id = {mid, MESSAGE_ID_BYTES};
    int64_t missing;
    struct db_rows r;
    bool first = true;
    int rc = db_number(
        db, &missing,
        "SELECT max(count) - count(*) FROM parts WHERE conv = ? AND mid = ?", "ib", conv,
        id);

    if (rc)
        return rc;
    if (missing)
        return DB_E_NONE;
    r = db_ask(
        db,
        "SELECT text, ord, minute FROM parts WHERE conv = ? AND mid = ? ORDER BY part",
        "ib", conv, id);
    while (db_next(&r)) {
        struct bytes view = db_blob(&r, 0);
        buf_put(text, view.p, view.n);
        if (first) {
            *order = (uint32_t)db_int(&r, 1);
            *minute = (uint32_t)db_int(&r, 2);
        }
        first = false;
    }
    rc = db_done(&r);
    if (!rc)
        rc = text->rc;
    return rc ? rc : drop_parts(db, conv, id);
}

int db_messages_overdue(struct db *db, uint64_t before_s, struct message_row *out)
{
    struct db_rows r = db_ask(
        db,
        "SELECT p.conv, p.mid, min(p.ord), min(p.minute), c.taker"
        " FROM parts p JOIN convs c ON c.id = p.conv"
        " GROUP BY p.conv, p.mid HAVING max(p.stored_s) < ? LIMIT 1",
        "i", (int64_t)before_s);
    bool found = db_next(&r);
    int rc;

    *out = (struct message_row){.kind = MESSAGE_INCOMPLETE, .state = MESSAGE_RECEIVED};
    if (found) {
        out->conv = db_int(&r, 0);
        db_copy(&r, 1, out->mid, sizeof out->mid);
        out->order = (uint32_t)db_int(&r, 2);
        out->minute = (uint32_t)db_int(&r, 3);
        out->side = db_int(&r, 4) ? 1 : 0; /* theirs: the inviter's if we are the taker */
        out->text = LABEL("");
    }
    rc = db_done(&r);
    if (rc || !found)
        return rc ? rc : DB_E_NONE;
    return drop_parts(db, out->conv, BYTES(out->mid));
}
