/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/db_profile.h"

#include <errno.h>

static bool copy_if(struct db_rows *r, int column, void *out, size_t n)
{
    if (!db_blob(r, column).p)
        return false;
    db_copy(r, column, out, n);
    return true;
}

int db_profile_get(struct db *db, struct profile *out)
{
    struct db_rows r = db_ask(
        db,
        "SELECT member, name, seed, secret, host, port, fingerprint, relay_pk, cohort_id,"
        " descriptor IS NOT NULL, version, home, relay, reached_s, checked_s, behind,"
        " trouble FROM profile WHERE id = 1",
        "");
    bool found;

    *out = (struct profile){0};
    found = db_next(&r);
    if (found) {
        out->member = (enum member_state)db_int(&r, 0);
        db_text(&r, 1, out->name, sizeof out->name);
        out->has_seed = copy_if(&r, 2, out->seed, sizeof out->seed);
        out->has_secret = copy_if(&r, 3, out->secret, sizeof out->secret);
        db_text(&r, 4, out->address.host, sizeof out->address.host);
        out->address.port = (uint16_t)db_int(&r, 5);
        (void)copy_if(&r, 6, out->fingerprint, sizeof out->fingerprint);
        out->has_relay = copy_if(&r, 7, out->relay_pk, sizeof out->relay_pk);
        (void)copy_if(&r, 8, out->cohort, sizeof out->cohort);
        out->has_descriptor = db_int(&r, 9) != 0;
        out->version = (uint32_t)db_int(&r, 10);
        out->home = (uint32_t)db_int(&r, 11);
        out->relay = (enum relay_state)db_int(&r, 12);
        out->reached_s = (uint64_t)db_int(&r, 13);
        out->checked_s = (uint64_t)db_int(&r, 14);
        out->behind = (uint64_t)db_int(&r, 15);
        out->trouble = (uint32_t)db_int(&r, 16);
    }
    int rc = db_done(&r);
    return rc || found ? rc : -EIO;
}

static struct bytes blob_if(bool has, const uint8_t *p, size_t n)
{
    return has ? (struct bytes){p, n} : (struct bytes){NULL, 0};
}

int db_profile_put_member(struct db *db, const struct profile *p)
{
    return db_run(
        db,
        "UPDATE profile SET member = ?, name = ?, seed = ?, secret = ?, host = ?,"
        " port = ?, fingerprint = ? WHERE id = 1",
        "isbbsib", (int64_t)p->member, p->name,
        blob_if(p->has_seed, p->seed, sizeof p->seed),
        blob_if(p->has_secret, p->secret, sizeof p->secret), p->address.host,
        (int64_t)p->address.port, BYTES(p->fingerprint));
}

int db_profile_put_relay(struct db *db, const uint8_t pk[KEM_PK_BYTES],
                         const uint8_t cohort[HASH_BYTES])
{
    return db_run(db, "UPDATE profile SET relay_pk = ?, cohort_id = ? WHERE id = 1", "bb",
                  (struct bytes){pk, KEM_PK_BYTES}, (struct bytes){cohort, HASH_BYTES});
}

int db_profile_reset_cohort(struct db *db)
{
    int rc = db_run(db, "DELETE FROM descriptors", "");

    if (rc)
        return rc;
    return db_run(
        db,
        "UPDATE profile SET relay_pk = NULL, cohort_id = NULL, descriptor = NULL,"
        " version = 0, home = 0 WHERE id = 1",
        "");
}

int db_profile_put_home(struct db *db, uint32_t home)
{
    return db_run(db, "UPDATE profile SET home = ? WHERE id = 1", "i", (int64_t)home);
}

int db_profile_put_link(struct db *db, const struct profile *p)
{
    return db_run(db,
                  "UPDATE profile SET relay = ?, reached_s = ?, checked_s = ?, behind = ?"
                  " WHERE id = 1",
                  "iiii", (int64_t)p->relay, (int64_t)p->reached_s, (int64_t)p->checked_s,
                  (int64_t)p->behind);
}

int db_profile_put_trouble(struct db *db, uint32_t code)
{
    return db_run(db, "UPDATE profile SET trouble = ? WHERE id = 1", "i", (int64_t)code);
}

int db_profile_descriptor(struct db *db, struct buf *out)
{
    struct db_rows r = db_ask(
        db, "SELECT descriptor FROM profile WHERE descriptor IS NOT NULL", "");
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

int db_profile_put_descriptor(struct db *db, struct bytes signed_, uint32_t version,
                              const uint8_t hash[HASH_BYTES])
{
    int rc = db_run(db, "INSERT INTO descriptors(version, hash) VALUES(?, ?)", "ib",
                    (int64_t)version, (struct bytes){hash, HASH_BYTES});

    if (rc)
        return rc;
    return db_run(db, "UPDATE profile SET descriptor = ?, version = ? WHERE id = 1", "bi",
                  signed_, (int64_t)version);
}

int db_profile_hash(struct db *db, uint32_t version, uint8_t hash[HASH_BYTES])
{
    struct db_rows r = db_ask(db, "SELECT hash FROM descriptors WHERE version = ?", "i",
                              (int64_t)version);
    bool found = db_next(&r);
    int rc;

    if (found)
        db_copy(&r, 0, hash, HASH_BYTES);
    rc = db_done(&r);
    return rc || found ? rc : DB_E_NONE;
}

int db_profile_knows(struct db *db, const uint8_t prefix[8], bool *known)
{
    int64_t n;
    int rc = db_number(db, &n,
                       "SELECT count(*) FROM descriptors WHERE substr(hash, 1, 8) = ?",
                       "b", (struct bytes){prefix, 8});

    *known = n > 0;
    return rc;
}
