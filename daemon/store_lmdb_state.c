/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store_lmdb_state.h"

#include "daemon/store_lmdb_folder.h"
#include "daemon/store_ops.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum {
    FORMAT = 1,
    COHORT_BYTES = 32,
    NUMBER_BYTES = 4,
    INVITE_BYTES = INVITE_ID_BYTES + 4 + 4 + 1 + SIGN_PK_BYTES + 4,
    PUTS_MAX = 4, /* in one commit */
};
#define MAP_BYTES (256ull * 1024 * 1024) /* a million invites; sparse */

static MDB_val val(const void *p, size_t n)
{
    return (MDB_val){n,
                     (void *)(uintptr_t)p}; /* LMDB never writes through a key or a put */
}

/* Written in the row's order; be_put gives LMDB the order of numbers. */
static void invite_write(const struct store_invite *i, uint8_t out[INVITE_BYTES])
{
    memcpy(out, i->id, INVITE_ID_BYTES);
    out += INVITE_ID_BYTES;
    le_put(out, i->made_hour, 4);
    le_put(out + 4, i->last_hour, 4);
    out[8] = (uint8_t)i->state;
    memcpy(out + 9, i->key, SIGN_PK_BYTES);
    le_put(out + 9 + SIGN_PK_BYTES, i->enrolled_hour, 4);
}

static int invite_read(MDB_val k, MDB_val v, struct store_invite *out)
{
    const uint8_t *p = v.mv_data;

    if (k.mv_size != NUMBER_BYTES || v.mv_size != INVITE_BYTES)
        return STORE_E_CORRUPT;
    out->number = (uint32_t)be_get(k.mv_data, NUMBER_BYTES);
    memcpy(out->id, p, INVITE_ID_BYTES);
    p += INVITE_ID_BYTES;
    out->made_hour = (uint32_t)le_get(p, 4);
    out->last_hour = (uint32_t)le_get(p + 4, 4);
    if (p[8] > INVITE_REVOKED)
        return STORE_E_CORRUPT;
    out->state = (enum invite_state)p[8];
    memcpy(out->key, p + 9, SIGN_PK_BYTES);
    out->enrolled_hour = (uint32_t)le_get(p + 9 + SIGN_PK_BYTES, 4);
    return 0;
}

/* ---- open ------------------------------------------------------------------------- */

static int begin_write(struct store_lmdb_state *s, MDB_txn **txn)
{
    return store_lmdb_env_rc(mdb_txn_begin(s->env.mdb, NULL, 0, txn));
}

/* rc of the work done so far: commit, or take it all back. */
static int end_write(struct store_lmdb_state *s, MDB_txn *txn, int rc)
{
    uint64_t pages;

    if (rc) {
        mdb_txn_abort(txn);
        return rc;
    }
    pages = store_lmdb_env_growth(txn, s->invites, PUTS_MAX) +
            store_lmdb_env_growth(txn, s->ids, PUTS_MAX) +
            store_lmdb_env_growth(txn, s->keys, PUTS_MAX) + PUTS_MAX;
    return store_lmdb_env_commit(&s->env, txn, pages);
}

static int open_databases(struct store_lmdb_state *s, MDB_txn *txn, unsigned flags)
{
    int rc = mdb_dbi_open(txn, "about", flags, &s->about);

    if (!rc)
        rc = mdb_dbi_open(txn, "invites", flags, &s->invites);
    if (!rc)
        rc = mdb_dbi_open(txn, "ids", flags, &s->ids);
    if (!rc)
        rc = mdb_dbi_open(txn, "keys", flags, &s->keys);
    return rc == MDB_NOTFOUND ? STORE_E_CORRUPT : store_lmdb_env_rc(rc);
}

static int put_about(struct store_lmdb_state *s, MDB_txn *txn,
                     const uint8_t cohort[COHORT_BYTES])
{
    uint8_t format[4] = {0};
    MDB_val k = val("format", 6), v = val(format, sizeof format);
    int rc;

    le_put(format, FORMAT, sizeof format);
    rc = mdb_put(txn, s->about, &k, &v, 0);
    k = val("cohort", 6);
    v = val(cohort, COHORT_BYTES);
    if (!rc)
        rc = mdb_put(txn, s->about, &k, &v, 0);
    return store_lmdb_env_rc(rc);
}

static int check_about(struct store_lmdb_state *s, MDB_txn *txn,
                       const uint8_t cohort[COHORT_BYTES])
{
    MDB_val k = val("format", 6), v;
    int rc = mdb_get(txn, s->about, &k, &v);

    if (rc || v.mv_size != 4)
        return STORE_E_CORRUPT;
    if (le_get(v.mv_data, 4) != FORMAT)
        return -ENOTSUP;
    k = val("cohort", 6);
    rc = mdb_get(txn, s->about, &k, &v);
    if (rc || v.mv_size != COHORT_BYTES)
        return STORE_E_CORRUPT;
    return memcmp(v.mv_data, cohort, COHORT_BYTES) ? -EXDEV : 0;
}

static int make(struct store_lmdb_state *s, const char *dir,
                const uint8_t cohort[COHORT_BYTES])
{
    char path[PATH_MAX];
    MDB_txn *txn;
    int rc = store_lmdb_folder_begin(dir, "state");

    if (!rc)
        rc = store_lmdb_folder_path(dir, "state", ".new", path);
    if (!rc)
        rc = store_lmdb_env_open(&s->env, path, MAP_BYTES, STORE_LMDB_WRITE);
    if (!rc)
        rc = begin_write(s, &txn);
    if (rc)
        return rc;
    rc = open_databases(s, txn, MDB_CREATE);
    if (!rc)
        rc = put_about(s, txn, cohort);
    rc = end_write(s, txn, rc);
    return rc ? rc : store_lmdb_folder_keep(dir, "state");
}

static int open_made(struct store_lmdb_state *s, const char *path,
                     const uint8_t cohort[COHORT_BYTES])
{
    MDB_txn *txn;
    int rc = store_lmdb_env_open(&s->env, path, MAP_BYTES, STORE_LMDB_WRITE);

    if (!rc)
        rc = store_lmdb_env_rc(mdb_txn_begin(s->env.mdb, NULL, MDB_RDONLY, &txn));
    if (rc)
        return rc;
    rc = open_databases(s, txn, 0);
    if (!rc)
        rc = check_about(s, txn, cohort);
    if (rc) {
        mdb_txn_abort(txn);
        return rc;
    }
    return store_lmdb_env_rc(mdb_txn_commit(txn)); /* keeps the database handles */
}

int store_lmdb_state_open(struct store_lmdb_state *s, const char *dir,
                          const uint8_t cohort[32])
{
    char path[PATH_MAX];
    struct stat st;
    int rc = store_lmdb_folder_path(dir, "state", "", path);

    *s = (struct store_lmdb_state){0};
    if (!rc && stat(path, &st))
        rc = errno == ENOENT ? make(s, dir, cohort) : -errno;
    else if (!rc)
        rc = open_made(s, path, cohort);
    if (rc)
        store_lmdb_state_close(s);
    return rc;
}

void store_lmdb_state_close(struct store_lmdb_state *s)
{
    store_lmdb_env_close(&s->env);
}

/* ---- invites ---------------------------------------------------------------------- */

static int put_invite(struct store_lmdb_state *s, MDB_txn *txn,
                      const struct store_invite *i)
{
    uint8_t number[NUMBER_BYTES] = {0}, row[INVITE_BYTES] = {0};
    MDB_val k = val(number, sizeof number), v = val(row, sizeof row);

    be_put(number, i->number, sizeof number);
    invite_write(i, row);
    return store_lmdb_env_rc(mdb_put(txn, s->invites, &k, &v, 0));
}

static int get_invite(struct store_lmdb_state *s, MDB_txn *txn, uint32_t number,
                      struct store_invite *out)
{
    uint8_t key[NUMBER_BYTES] = {0};
    MDB_val k = val(key, sizeof key), v;
    int rc;

    be_put(key, number, sizeof key);
    rc = store_lmdb_env_rc(mdb_get(txn, s->invites, &k, &v));
    return rc ? rc : invite_read(k, v, out);
}

/* Which invite has this id, or this key? */
static int get_number(MDB_txn *txn, MDB_dbi dbi, const uint8_t *name, size_t n,
                      uint32_t *number)
{
    MDB_val k = val(name, n), v;
    int rc = store_lmdb_env_rc(mdb_get(txn, dbi, &k, &v));

    if (rc)
        return rc;
    if (v.mv_size != NUMBER_BYTES)
        return STORE_E_CORRUPT;
    *number = (uint32_t)be_get(v.mv_data, NUMBER_BYTES);
    return 0;
}

static int put_number(MDB_txn *txn, MDB_dbi dbi, const uint8_t *name, size_t n,
                      uint32_t number)
{
    uint8_t value[NUMBER_BYTES] = {0};
    MDB_val k = val(name, n), v = val(value, sizeof value);

    be_put(value, number, sizeof value);
    return store_lmdb_env_rc(mdb_put(txn, dbi, &k, &v, MDB_NOOVERWRITE));
}

static int last_number(struct store_lmdb_state *s, MDB_txn *txn, uint32_t *number)
{
    MDB_cursor *cursor;
    MDB_val k, v;
    int rc = mdb_cursor_open(txn, s->invites, &cursor);

    *number = 0;
    if (rc)
        return store_lmdb_env_rc(rc);
    rc = mdb_cursor_get(cursor, &k, &v, MDB_LAST);
    mdb_cursor_close(cursor);
    if (rc == MDB_NOTFOUND)
        return 0;
    if (rc)
        return store_lmdb_env_rc(rc);
    if (k.mv_size != NUMBER_BYTES)
        return STORE_E_CORRUPT;
    *number = (uint32_t)be_get(k.mv_data, NUMBER_BYTES);
    return *number < UINT32_MAX ? 0 : STORE_E_FULL;
}

int store_lmdb_state_add(struct store_lmdb_state *s, struct store_invite *invite)
{
    struct store_invite added = *invite;
    MDB_txn *txn;
    int rc = begin_write(s, &txn);

    if (rc)
        return rc;
    rc = last_number(s, txn, &added.number);
    added.number++;
    added.state = INVITE_OPEN;
    if (!rc)
        rc = put_invite(s, txn, &added);
    if (!rc)
        rc = put_number(txn, s->ids, added.id, INVITE_ID_BYTES, added.number);
    rc = end_write(s, txn, rc);
    if (!rc)
        *invite = added;
    return rc;
}

static int bind(struct store_lmdb_state *s, MDB_txn *txn,
                const uint8_t id[INVITE_ID_BYTES], const uint8_t key[SIGN_PK_BYTES],
                uint32_t now_hour, struct store_invite *out, bool *change)
{
    uint32_t number, other;
    int rc = get_number(txn, s->ids, id, INVITE_ID_BYTES, &number);

    if (!rc)
        rc = get_invite(s, txn, number, out);
    if (!rc)
        rc = store_invite_bind(out, key, now_hour, change);
    if (rc || !*change)
        return rc;
    rc = get_number(txn, s->keys, key, SIGN_PK_BYTES, &other);
    if (rc != STORE_E_ABSENT)
        return rc ? rc : STORE_E_USED;
    rc = put_number(txn, s->keys, key, SIGN_PK_BYTES, number);
    return rc ? rc : put_invite(s, txn, out);
}

int store_lmdb_state_enrol(struct store_lmdb_state *s, const uint8_t id[INVITE_ID_BYTES],
                           const uint8_t key[SIGN_PK_BYTES], uint32_t now_hour,
                           struct store_invite *out)
{
    bool change = false;
    MDB_txn *txn;
    int rc = begin_write(s, &txn);

    if (rc)
        return rc;
    rc = bind(s, txn, id, key, now_hour, out, &change);
    if (rc || !change) {
        mdb_txn_abort(txn);
        return rc;
    }
    return end_write(s, txn, 0);
}

int store_lmdb_state_revoke(struct store_lmdb_state *s, uint32_t number)
{
    struct store_invite invite;
    MDB_txn *txn;
    int rc = begin_write(s, &txn);

    if (rc)
        return rc;
    rc = get_invite(s, txn, number, &invite);
    if (!rc) {
        invite.state = INVITE_REVOKED;
        rc = put_invite(s, txn, &invite);
    }
    return end_write(s, txn, rc);
}

static int visit_all(struct store_lmdb_state *s, MDB_txn *txn, store_invite_visit *visit,
                     void *arg)
{
    struct store_invite invite;
    MDB_cursor *cursor;
    MDB_val k, v;
    int rc = store_lmdb_env_rc(mdb_cursor_open(txn, s->invites, &cursor));

    if (rc)
        return rc;
    for (;;) {
        rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
        if (rc) {
            rc = rc == MDB_NOTFOUND ? 0 : store_lmdb_env_rc(rc);
            break;
        }
        rc = invite_read(k, v, &invite);
        if (rc || !visit(&invite, arg))
            break;
    }
    mdb_cursor_close(cursor);
    return rc;
}

int store_lmdb_state_visit(struct store_lmdb_state *s, store_invite_visit *visit,
                           void *arg)
{
    MDB_txn *txn;
    int rc = store_lmdb_env_rc(mdb_txn_begin(s->env.mdb, NULL, MDB_RDONLY, &txn));

    if (rc)
        return rc;
    rc = visit_all(s, txn, visit, arg);
    mdb_txn_abort(txn);
    return rc;
}
