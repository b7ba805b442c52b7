/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/db_convs.h"

#include <errno.h>
#include <string.h>

/* ---- conversations ---------------------------------------------------------------- */

int db_convs_add(struct db *db, enum conv_state state, bool taker, uint64_t now_s,
                 uint64_t until_s, int64_t *id)
{
    int rc = db_run(db,
                    "INSERT INTO convs(state, taker, created_s, changed_s, until_s)"
                    " VALUES(?, ?, ?, ?, ?)",
                    "iiiii", (int64_t)state, (int64_t)taker, (int64_t)now_s,
                    (int64_t)now_s, (int64_t)until_s);

    *id = rc ? 0 : db_last_id(db);
    return rc;
}

int db_convs_get(struct db *db, int64_t id, struct conv_row *out)
{
    struct db_rows r = db_ask(
        db,
        "SELECT id, state, why, taker, second, waits, words, greeted, home,"
        " owed, prev_bucket, prev_seq, prev_head FROM convs WHERE id = ?",
        "i", id);
    bool found = db_next(&r);
    int rc;

    *out = (struct conv_row){0};
    if (found) {
        out->id = db_int(&r, 0);
        out->state = (enum conv_state)db_int(&r, 1);
        out->why = (enum conv_why)db_int(&r, 2);
        out->taker = db_int(&r, 3) != 0;
        out->second = db_int(&r, 4) != 0;
        out->waits = db_int(&r, 5) != 0;
        out->words = db_int(&r, 6) != 0;
        out->greeted = db_int(&r, 7) != 0;
        out->home = (uint32_t)db_int(&r, 8);
        out->owed = (uint32_t)db_int(&r, 9);
        out->prev_bucket = (uint32_t)db_int(&r, 10);
        out->prev_seq = (uint64_t)db_int(&r, 11);
        out->has_prev = db_blob(&r, 12).p != NULL;
        if (out->has_prev)
            db_copy(&r, 12, out->prev_head, sizeof out->prev_head);
    }
    rc = db_done(&r);
    return rc || found ? rc : DB_E_NONE;
}

int db_convs_state(struct db *db, int64_t id, enum conv_state state, enum conv_why why,
                   uint64_t now_s)
{
    return db_run(db, "UPDATE convs SET state = ?, why = ?, changed_s = ? WHERE id = ?",
                  "iiii", (int64_t)state, (int64_t)why, (int64_t)now_s, id);
}

int db_convs_peer(struct db *db, int64_t id, struct bytes name, uint32_t home)
{
    int rc = 0;

    if (name.p)
        rc = db_run(db, "UPDATE convs SET name = ? WHERE id = ?", "ti", name, id);
    if (!rc)
        rc = db_run(db, "UPDATE convs SET home = ? WHERE id = ?", "ii", (int64_t)home,
                    id);
    return rc;
}

int db_convs_owed(struct db *db, int64_t id, uint32_t owed)
{
    return db_run(db, "UPDATE convs SET owed = ? WHERE id = ?", "ii", (int64_t)owed, id);
}

int db_convs_waits(struct db *db, int64_t id, bool waits)
{
    return db_run(db, "UPDATE convs SET waits = ? WHERE id = ?", "ii", (int64_t)waits,
                  id);
}

int db_convs_words(struct db *db, int64_t id)
{
    return db_run(db, "UPDATE convs SET words = 1 WHERE id = ?", "i", id);
}

int db_convs_second(struct db *db, int64_t id)
{
    return db_run(db, "UPDATE convs SET second = 1 WHERE id = ?", "i", id);
}

int db_convs_verified(struct db *db, int64_t id, bool verified)
{
    return db_run(db, "UPDATE convs SET verified = ? WHERE id = ?", "ii",
                  (int64_t)verified, id);
}

int db_convs_prev(struct db *db, int64_t id, uint32_t bucket, uint64_t seq,
                  const uint8_t head[HASH_BYTES])
{
    return db_run(
        db, "UPDATE convs SET prev_bucket = ?, prev_seq = ?, prev_head = ? WHERE id = ?",
        "iibi", (int64_t)bucket, (int64_t)seq, (struct bytes){head, 8}, id);
}

int db_convs_drop_prev(struct db *db)
{
    return db_run(
        db, "UPDATE convs SET prev_bucket = NULL, prev_seq = NULL, prev_head = NULL", "");
}

int db_convs_touch(struct db *db, int64_t id, uint64_t now_s)
{
    return db_run(db, "UPDATE convs SET changed_s = ? WHERE id = ?", "ii", (int64_t)now_s,
                  id);
}

int db_convs_delete(struct db *db, int64_t id)
{
    int rc = db_run(db, "DELETE FROM alarms WHERE conv = ?", "i", id);

    if (!rc)
        rc = db_run(db, "DELETE FROM convs WHERE id = ?", "i", id);
    if (!rc && db_changes(db) == 0)
        rc = DB_E_NONE;
    return rc;
}

/* ---- as screens see them ---------------------------------------------------------- */

#define SHOW                                                                         \
    "SELECT id, state, why, taker, verified, words, second, waits, name, created_s," \
    " until_s, changed_s,"                                                           \
    " (SELECT count(*) FROM messages m WHERE m.conv = c.id AND m.mine = 0"           \
    "  AND m.id > c.read_upto),"                                                     \
    " (SELECT count(*) FROM messages m WHERE m.conv = c.id AND m.state = 2)"         \
    " FROM convs c"

_Static_assert(MESSAGE_QUEUED == 2, "the statement above counts queued messages");

static void show(const struct db_rows *r, struct conversation *out)
{
    *out = (struct conversation){
        .id = db_int(r, 0),
        .state = (enum conv_state)db_int(r, 1),
        .why = (enum conv_why)db_int(r, 2),
        .taker = db_int(r, 3) != 0,
        .verified = db_int(r, 4) != 0,
        .words_ready = db_int(r, 5) != 0,
        .second_taker = db_int(r, 6) != 0,
        .waits = db_int(r, 7) != 0,
        .created_s = (uint64_t)db_int(r, 9),
        .link_until_s = (uint64_t)db_int(r, 10),
        .changed_s = (uint64_t)db_int(r, 11),
        .unread = (uint32_t)db_int(r, 12),
        .queued = (uint32_t)db_int(r, 13),
    };
    db_text(r, 8, out->name, sizeof out->name);
}

int db_convs_show(struct db *db, int64_t id, struct conversation *out)
{
    struct db_rows r = db_ask(db, SHOW " WHERE c.id = ?", "i", id);
    bool found = db_next(&r);
    int rc;

    if (found)
        show(&r, out);
    rc = db_done(&r);
    return rc || found ? rc : DB_E_NONE;
}

int db_convs_each(struct db *db, node_conv_fn *visit, void *arg)
{
    struct db_rows r = db_ask(db, SHOW " ORDER BY changed_s DESC, id DESC", "");

    while (db_next(&r)) {
        struct conversation c;
        show(&r, &c);
        visit(&c, arg);
    }
    return db_done(&r);
}

static int ids_of(struct db_rows *r, int64_t *ids, size_t most, size_t *count)
{
    *count = 0;
    while (*count < most && db_next(r))
        ids[(*count)++] = db_int(r, 0);
    return db_done(r);
}

int db_convs_sessions(struct db *db, int64_t *ids, size_t most, size_t *count)
{
    struct db_rows r = db_ask(db, "SELECT conv FROM sessions ORDER BY conv", "");

    return ids_of(&r, ids, most, count);
}

/* ---- sessions --------------------------------------------------------------------- */

int db_convs_session(struct db *db, int64_t id, struct buf *out)
{
    struct db_rows r = db_ask(db, "SELECT state FROM sessions WHERE conv = ?", "i", id);
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

int db_convs_drop_session(struct db *db, int64_t id)
{
    return db_run(db, "DELETE FROM sessions WHERE conv = ?", "i", id);
}

int db_convs_put_session(struct db *db, int64_t id, struct bytes state)
{
    int64_t there;
    int rc = db_number(db, &there, "SELECT 1 FROM convs WHERE id = ?", "i", id);

    if (rc)
        return rc;
    rc = db_run(db, "UPDATE sessions SET state = ? WHERE conv = ?", "bi", state, id);
    if (!rc && db_changes(db) == 0)
        rc = db_run(db, "INSERT INTO sessions(conv, state) VALUES(?, ?)", "ib", id,
                    state);
    return rc;
}

/* ---- links ------------------------------------------------------------------------ */

static struct bytes if_has(bool has, const uint8_t *p, size_t n)
{
    return has ? (struct bytes){p, n} : (struct bytes){NULL, 0};
}

int db_convs_add_link(struct db *db, const struct link_row *l)
{
    return db_run(db,
                  "INSERT INTO links(conv, secret, sk, pk, bucket, start, last_hour)"
                  " VALUES(?, ?, ?, ?, ?, ?, ?)",
                  "ibbbiii", l->conv, BYTES(l->secret),
                  if_has(l->has_sk, l->sk, sizeof l->sk),
                  if_has(l->has_pk, l->pk, sizeof l->pk), (int64_t)l->bucket,
                  (int64_t)l->start, (int64_t)l->last_hour);
}

#define LINK                                                                    \
    "SELECT l.conv, c.state, c.taker, l.secret, l.sk, l.pk, l.bucket, l.start," \
    " l.last_hour, l.take_id, l.posted FROM links l JOIN convs c ON c.id = l.conv"

static void link_of(struct db_rows *r, struct link_row *out)
{
    *out = (struct link_row){
        .conv = db_int(r, 0),
        .state = (enum conv_state)db_int(r, 1),
        .taker = db_int(r, 2) != 0,
        .has_sk = db_blob(r, 4).p != NULL,
        .has_pk = db_blob(r, 5).p != NULL,
        .bucket = (uint32_t)db_int(r, 6),
        .start = (uint64_t)db_int(r, 7),
        .last_hour = (uint32_t)db_int(r, 8),
        .has_take = db_blob(r, 9).p != NULL,
        .posted = db_int(r, 10) != 0,
    };
    db_copy(r, 3, out->secret, sizeof out->secret);
    if (out->has_sk)
        db_copy(r, 4, out->sk, sizeof out->sk);
    if (out->has_pk)
        db_copy(r, 5, out->pk, sizeof out->pk);
    if (out->has_take)
        db_copy(r, 9, out->take_id, sizeof out->take_id);
}

static int one_link(struct db_rows *r, struct link_row *out)
{
    bool found = db_next(r);
    int rc;

    if (found)
        link_of(r, out);
    rc = db_done(r);
    return rc || found ? rc : DB_E_NONE;
}

int db_convs_link(struct db *db, int64_t conv, struct link_row *out)
{
    struct db_rows r = db_ask(db, LINK " WHERE l.conv = ?", "i", conv);

    return one_link(&r, out);
}

int db_convs_link_by_secret(struct db *db, const uint8_t secret[LINK_SECRET_BYTES],
                            struct link_row *out)
{
    struct db_rows r = db_ask(db, LINK " WHERE l.secret = ?", "b",
                              (struct bytes){secret, LINK_SECRET_BYTES});

    return one_link(&r, out);
}

int db_convs_put_link(struct db *db, const struct link_row *l)
{
    return db_run(db,
                  "UPDATE links SET sk = ?, pk = ?, start = ?, take_id = ?, posted = ?"
                  " WHERE conv = ?",
                  "bbibii", if_has(l->has_sk, l->sk, sizeof l->sk),
                  if_has(l->has_pk, l->pk, sizeof l->pk), (int64_t)l->start,
                  if_has(l->has_take, l->take_id, sizeof l->take_id), (int64_t)l->posted,
                  l->conv);
}

int db_convs_drop_link(struct db *db, int64_t conv)
{
    return db_run(db, "DELETE FROM links WHERE conv = ?", "i", conv);
}

int db_convs_links(struct db *db, struct link_row *out, size_t most, size_t *count)
{
    struct db_rows r = db_ask(db, LINK " ORDER BY l.conv", "");

    *count = 0;
    while (*count < most && db_next(&r))
        link_of(&r, &out[(*count)++]);
    return db_done(&r);
}

int db_convs_count_links(struct db *db, int64_t *count)
{
    return db_number(db, count, "SELECT count(*) FROM links", "");
}

int db_convs_links_over(struct db *db, uint64_t hour, int64_t *ids, size_t most,
                        size_t *count)
{
    struct db_rows r = db_ask(db, "SELECT conv FROM links WHERE last_hour < ?", "i",
                              (int64_t)hour);

    return ids_of(&r, ids, most, count);
}
