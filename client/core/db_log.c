/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/db_log.h"

int db_log_cursor(struct db *db, uint32_t bucket, struct cursor *out)
{
    struct db_rows r = db_ask(
        db,
        "SELECT next, head, anchor, anchor_head, quiet, stopped, read_s"
        " FROM cursors WHERE bucket = ?",
        "i", (int64_t)bucket);
    bool found = db_next(&r);
    int rc;

    *out = (struct cursor){.bucket = bucket};
    if (found) {
        out->next = (uint64_t)db_int(&r, 0);
        db_copy(&r, 1, out->head, sizeof out->head);
        out->anchor = (uint64_t)db_int(&r, 2);
        db_copy(&r, 3, out->anchor_head, sizeof out->anchor_head);
        out->quiet = (uint64_t)db_int(&r, 4);
        out->stopped = db_int(&r, 5) != 0;
        out->read_s = (uint64_t)db_int(&r, 6);
    }
    rc = db_done(&r);
    return rc || found ? rc : DB_E_NONE;
}

int db_log_put_cursor(struct db *db, const struct cursor *c)
{
    return db_run(
        db,
        "INSERT OR REPLACE INTO cursors(bucket, next, head, anchor, anchor_head, quiet,"
        " stopped, read_s) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
        "iibibiii", (int64_t)c->bucket, (int64_t)c->next, BYTES(c->head),
        (int64_t)c->anchor, BYTES(c->anchor_head), (int64_t)c->quiet, (int64_t)c->stopped,
        (int64_t)c->read_s);
}

int db_log_put_head(struct db *db, uint32_t bucket, uint64_t seq,
                    const uint8_t head[HASH_BYTES], uint64_t day)
{
    return db_run(
        db, "INSERT OR REPLACE INTO heads(bucket, seq, prefix, day) VALUES(?, ?, ?, ?)",
        "iibi", (int64_t)bucket, (int64_t)seq, (struct bytes){head, HEAD_PREFIX_BYTES},
        (int64_t)day);
}

int db_log_prefix(struct db *db, uint32_t bucket, uint64_t seq,
                  uint8_t prefix[HEAD_PREFIX_BYTES])
{
    struct db_rows r = db_ask(db, "SELECT prefix FROM heads WHERE bucket = ? AND seq = ?",
                              "ii", (int64_t)bucket, (int64_t)seq);
    bool found = db_next(&r);
    int rc;

    if (found)
        db_copy(&r, 0, prefix, HEAD_PREFIX_BYTES);
    rc = db_done(&r);
    return rc || found ? rc : DB_E_NONE;
}

int db_log_drop_heads(struct db *db, uint32_t bucket)
{
    int rc = db_run(db, "DELETE FROM claims WHERE bucket = ?", "i", (int64_t)bucket);

    if (!rc)
        rc = db_run(db, "DELETE FROM answers WHERE bucket = ?", "i", (int64_t)bucket);
    if (rc)
        return rc;
    return db_run(db, "DELETE FROM heads WHERE bucket = ?", "i", (int64_t)bucket);
}

int db_log_tidy(struct db *db, uint64_t before_day)
{
    return db_run(db, "DELETE FROM heads WHERE day < ?", "i", (int64_t)before_day);
}

int db_log_put_claim(struct db *db, const struct claim *c)
{
    return db_run(
        db, "INSERT OR REPLACE INTO claims(conv, bucket, seq, prefix) VALUES(?, ?, ?, ?)",
        "iiib", c->conv, (int64_t)c->bucket, (int64_t)c->seq, BYTES(c->prefix));
}

int db_log_take_claim(struct db *db, uint32_t bucket, uint64_t seq, struct claim *out)
{
    struct db_rows r = db_ask(
        db,
        "SELECT conv, seq, prefix FROM claims WHERE bucket = ? AND seq <= ?"
        " LIMIT 1",
        "ii", (int64_t)bucket, (int64_t)seq);
    bool found = db_next(&r);
    int rc;

    *out = (struct claim){.bucket = bucket};
    if (found) {
        out->conv = db_int(&r, 0);
        out->seq = (uint64_t)db_int(&r, 1);
        db_copy(&r, 2, out->prefix, sizeof out->prefix);
    }
    rc = db_done(&r);
    if (rc || !found)
        return rc ? rc : DB_E_NONE;
    return db_run(db, "DELETE FROM claims WHERE conv = ? AND bucket = ?", "ii", out->conv,
                  (int64_t)bucket);
}

int db_log_put_answer(struct db *db, uint32_t bucket, uint64_t seq,
                      const uint8_t head[HASH_BYTES])
{
    return db_run(
        db, "INSERT OR REPLACE INTO answers(bucket, seq, prefix) VALUES(?, ?, ?)", "iib",
        (int64_t)bucket, (int64_t)seq, (struct bytes){head, HEAD_PREFIX_BYTES});
}

int db_log_take_answer(struct db *db, uint32_t bucket, uint64_t seq, struct claim *out)
{
    struct db_rows r = db_ask(
        db,
        "SELECT seq, prefix FROM answers WHERE bucket = ? AND seq <= ?"
        " ORDER BY seq LIMIT 1",
        "ii", (int64_t)bucket, (int64_t)seq);
    bool found = db_next(&r);
    int rc;

    *out = (struct claim){.bucket = bucket};
    if (found) {
        out->seq = (uint64_t)db_int(&r, 0);
        db_copy(&r, 1, out->prefix, sizeof out->prefix);
    }
    rc = db_done(&r);
    if (rc || !found)
        return rc ? rc : DB_E_NONE;
    return db_run(db, "DELETE FROM answers WHERE bucket = ? AND seq = ?", "ii",
                  (int64_t)bucket, (int64_t)out->seq);
}
