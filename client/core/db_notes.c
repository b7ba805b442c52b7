/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/db_notes.h"

/* ---- events ----------------------------------------------------------------------- */

static int event(struct db *db, enum event_kind kind, int64_t conv, int64_t message,
                 int64_t alarm, uint32_t state)
{
    return db_run(
        db, "INSERT INTO events(kind, conv, message, alarm, state) VALUES(?, ?, ?, ?, ?)",
        "iiiii", (int64_t)kind, conv, message, alarm, (int64_t)state);
}

int db_notes_event(struct db *db, enum event_kind kind, int64_t conv, int64_t message,
                   uint32_t state)
{
    return event(db, kind, conv, message, 0, state);
}

int db_notes_events(struct db *db, int64_t since, struct event *out, size_t most,
                    size_t *count)
{
    struct db_rows r = db_ask(db,
                              "SELECT seq, kind, conv, message, alarm, state FROM events"
                              " WHERE seq > ? ORDER BY seq LIMIT ?",
                              "ii", since, (int64_t)most);

    for (*count = 0; *count < most && db_next(&r); (*count)++)
        out[*count] = (struct event){
            .seq = db_int(&r, 0),
            .kind = (enum event_kind)db_int(&r, 1),
            .conv = db_int(&r, 2),
            .message = db_int(&r, 3),
            .alarm = db_int(&r, 4),
            .state = (uint32_t)db_int(&r, 5),
        };
    return db_done(&r);
}

int db_notes_range(struct db *db, int64_t *oldest, int64_t *newest)
{
    struct db_rows r = db_ask(
        db, "SELECT ifnull(min(seq), 0), ifnull(max(seq), 0) FROM events", "");

    *oldest = *newest = 0;
    if (db_next(&r)) {
        *oldest = db_int(&r, 0);
        *newest = db_int(&r, 1);
    }
    return db_done(&r);
}

int db_notes_tidy(struct db *db)
{
    return db_run(
        db,
        "DELETE FROM events WHERE seq <= (SELECT ifnull(max(seq), 0) FROM events) - ?",
        "i", (int64_t)EVENTS_KEPT);
}

/* ---- alarms ----------------------------------------------------------------------- */

static bool kind_holds(enum alarm_kind kind)
{
    switch (kind) {
    case ALARM_LOG_BROKEN:
    case ALARM_LOG_CHANGED:
    case ALARM_LOG_SHORTER:
    case ALARM_PEER_LOG:
    case ALARM_OMITTED:
    case ALARM_DESCRIPTOR_FORGED:
    case ALARM_DESCRIPTOR_OTHER:
    case ALARM_DESCRIPTOR_OLDER:
        return true;
    default:
        return false;
    }
}

static int again(struct db *db, const struct alarm *a, uint64_t now_s, int64_t *id)
{
    int rc = db_number(db, id,
                       "SELECT id FROM alarms WHERE kind = ? AND conv = ? AND bucket = ?"
                       " AND open = 1",
                       "iii", (int64_t)a->kind, a->conv, (int64_t)a->bucket);

    if (rc)
        return rc;
    return db_run(
        db, "UPDATE alarms SET times = times + 1, until_s = ?, a = ?, b = ? WHERE id = ?",
        "iiii", (int64_t)now_s, (int64_t)a->a, (int64_t)a->b, *id);
}

int db_notes_alarm(struct db *db, const struct alarm *a, uint64_t now_s)
{
    uint64_t since_s = a->since_s ? a->since_s : now_s;
    int64_t id;
    int rc = again(db, a, now_s, &id);

    if (rc == DB_E_NONE) {
        rc = db_run(
            db,
            "INSERT INTO alarms(kind, holds, open, conv, message, bucket, a, b, since_s,"
            " until_s, times) VALUES(?, ?, 1, ?, ?, ?, ?, ?, ?, ?, 1)",
            "iiiiiiiii", (int64_t)a->kind, (int64_t)kind_holds(a->kind), a->conv,
            a->message, (int64_t)a->bucket, (int64_t)a->a, (int64_t)a->b,
            (int64_t)since_s, (int64_t)now_s);
        id = rc ? 0 : db_last_id(db);
    }
    if (rc)
        return rc;
    return event(db, EVENT_ALARM, a->conv, a->message, id, 0);
}

#define ALARM                                                                            \
    "SELECT id, kind, holds, open, conv, message, bucket, a, b, since_s, until_s, times" \
    " FROM alarms "

static struct alarm alarm_of(const struct db_rows *r)
{
    return (struct alarm){
        .id = db_int(r, 0),
        .kind = (enum alarm_kind)db_int(r, 1),
        .holds = db_int(r, 2) != 0,
        .open = db_int(r, 3) != 0,
        .conv = db_int(r, 4),
        .message = db_int(r, 5),
        .bucket = (uint32_t)db_int(r, 6),
        .a = (uint64_t)db_int(r, 7),
        .b = (uint64_t)db_int(r, 8),
        .since_s = (uint64_t)db_int(r, 9),
        .until_s = (uint64_t)db_int(r, 10),
        .times = (uint32_t)db_int(r, 11),
    };
}

int db_notes_alarms(struct db *db, bool all, node_alarm_fn *visit, void *arg)
{
    struct db_rows r = db_ask(db, ALARM "WHERE open >= ? ORDER BY id", "i",
                              (int64_t)(all ? 0 : 1));

    while (db_next(&r)) {
        struct alarm a = alarm_of(&r);
        visit(&a, arg);
    }
    return db_done(&r);
}

int db_notes_get(struct db *db, int64_t id, struct alarm *out)
{
    struct db_rows r = db_ask(db, ALARM "WHERE id = ?", "i", id);
    bool found = db_next(&r);
    int rc;

    if (found)
        *out = alarm_of(&r);
    rc = db_done(&r);
    return rc || found ? rc : DB_E_NONE;
}

int db_notes_accept(struct db *db, int64_t id)
{
    int rc = db_run(db, "UPDATE alarms SET open = 0 WHERE id = ?", "i", id);

    return rc ? rc : event(db, EVENT_ALARM, 0, 0, id, 0);
}

int db_notes_open(struct db *db, uint32_t *open, bool *held)
{
    struct db_rows r = db_ask(
        db, "SELECT count(*), ifnull(sum(holds), 0) FROM alarms WHERE open = 1", "");

    *open = 0;
    *held = false;
    if (db_next(&r)) {
        *open = (uint32_t)db_int(&r, 0);
        *held = db_int(&r, 1) > 0;
    }
    return db_done(&r);
}
