/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store_lmdb_day.h"

#include "lib/log.h"
#include "lib/mem.h"
#include "proto/chain.h"

#include <errno.h>
#include <string.h>

enum {
    RECORD_BYTES = RECORD_HEADER_BYTES + ENVELOPE_BYTES,
    PAGE_HEADER_BYTES = 16, /* LMDB's */
    KEY_BYTES = 4 + 8,
    TAIL_KEY_BYTES = 4,
    TAIL_BYTES = 8 + 8 + HASH_BYTES + HASH_BYTES,
    ROWS_BYTES = STORE_BUCKETS_MAX * sizeof(struct store_lmdb_row),
};
_Static_assert(PAGE_HEADER_BYTES + RECORD_BYTES == 4096, "a record is one overflow page");

static void put_key(uint8_t key[KEY_BYTES], uint32_t bucket, uint64_t seq)
{
    be_put(key, bucket, 4);
    be_put(key + 4, seq, 8);
}

static MDB_val val(void *p, size_t n)
{
    return (MDB_val){n, p};
}

/* ---- tails ------------------------------------------------------------------------ */

static int put_tail(struct store_lmdb_day *d, MDB_txn *txn, uint32_t bucket,
                    const struct store_lmdb_row *row)
{
    uint8_t key[TAIL_KEY_BYTES], tail[TAIL_BYTES];
    MDB_val k = val(key, sizeof key), v = val(tail, sizeof tail);

    be_put(key, bucket, sizeof key);
    le_put(tail, row->first, 8);
    le_put(tail + 8, row->next, 8);
    memcpy(tail + 16, row->first_head, HASH_BYTES);
    memcpy(tail + 16 + HASH_BYTES, row->head, HASH_BYTES);
    return store_lmdb_env_rc(mdb_put(txn, d->tails, &k, &v, 0));
}

/* A bucket without a row begins where it ended the day before. */
static void begin_row(struct store_lmdb_row *row, const struct store_lmdb_row *before,
                      const uint8_t cohort[32], uint32_t bucket)
{
    row->first = row->next = before ? before->next : 1;
    if (before)
        memcpy(row->head, before->head, HASH_BYTES);
    else
        chain_first(cohort, bucket, row->head);
    memcpy(row->first_head, row->head, HASH_BYTES);
}

static int get_tail(const struct store_lmdb_day *d, MDB_txn *txn, uint32_t bucket,
                    struct store_lmdb_row *row)
{
    uint8_t key[TAIL_KEY_BYTES];
    MDB_val k = val(key, sizeof key), v;
    const uint8_t *tail;
    int rc;

    be_put(key, bucket, sizeof key);
    rc = store_lmdb_env_rc(mdb_get(txn, d->tails, &k, &v));
    if (rc)
        return rc;
    if (v.mv_size != TAIL_BYTES)
        return STORE_E_CORRUPT;
    tail = v.mv_data;
    row->first = le_get(tail, 8);
    row->next = le_get(tail + 8, 8);
    memcpy(row->first_head, tail + 16, HASH_BYTES);
    memcpy(row->head, tail + 16 + HASH_BYTES, HASH_BYTES);
    return row->first >= 1 && row->next >= row->first ? 0 : STORE_E_CORRUPT;
}

static int load_row(struct store_lmdb_day *d, MDB_txn *txn, uint32_t bucket,
                    const struct store_lmdb_row *before, const uint8_t cohort[32])
{
    struct store_lmdb_row *row = &d->rows[bucket], begin;
    int rc = get_tail(d, txn, bucket, row);

    begin_row(&begin, before, cohort, bucket);
    if (rc == STORE_E_ABSENT) {
        *row = begin;
        return 0;
    }
    if (rc)
        return rc;
    if (row->first == row->next && memcmp(row->first_head, row->head, HASH_BYTES))
        return STORE_E_CORRUPT;
    if (!before && row->first > 1) /* the day before it has expired */
        return 0;
    if (row->first != begin.first || memcmp(row->first_head, begin.head, HASH_BYTES))
        return STORE_E_CORRUPT;
    return 0;
}

/* ---- make, open, close ------------------------------------------------------------ */

static int day_new(uint32_t day, enum store_lmdb_mode mode, struct store_lmdb_day **out)
{
    struct store_lmdb_day *d = mem_zalloc(sizeof *d);

    *out = d;
    if (!d)
        return -ENOMEM;
    d->day = day;
    d->rows = mem_array(STORE_BUCKETS_MAX, sizeof *d->rows);
    if (mode == STORE_LMDB_WRITE)
        d->draft = mem_array(STORE_BUCKETS_MAX, sizeof *d->draft);
    return d->rows && (d->draft || mode == STORE_LMDB_READ) ? 0 : -ENOMEM;
}

static int open_databases(struct store_lmdb_day *d, MDB_txn *txn, unsigned flags)
{
    int rc = mdb_dbi_open(txn, "log", flags, &d->log);

    if (!rc)
        rc = mdb_dbi_open(txn, "heads", flags, &d->heads);
    if (!rc)
        rc = mdb_dbi_open(txn, "tails", flags, &d->tails);
    return rc == MDB_NOTFOUND ? STORE_E_CORRUPT : store_lmdb_env_rc(rc);
}

static int open_reader(struct store_lmdb_day *d)
{
    int rc = mdb_txn_begin(d->env.mdb, NULL, MDB_RDONLY, &d->reader);

    if (!rc)
        rc = mdb_cursor_open(d->reader, d->log, &d->cursor);
    if (!rc)
        mdb_txn_reset(d->reader);
    return store_lmdb_env_rc(rc);
}

static int make_databases(struct store_lmdb_day *d)
{
    MDB_txn *txn;
    int rc = store_lmdb_env_rc(mdb_txn_begin(d->env.mdb, NULL, 0, &txn));

    if (rc)
        return rc;
    rc = open_databases(d, txn, MDB_CREATE);
    for (uint32_t b = 0; !rc && b < STORE_BUCKETS_MAX; b++)
        rc = put_tail(d, txn, b, &d->rows[b]);
    if (rc) {
        mdb_txn_abort(txn);
        return rc;
    }
    return store_lmdb_env_commit(&d->env, txn,
                                 store_lmdb_env_growth(txn, d->tails, STORE_BUCKETS_MAX));
}

int store_lmdb_day_make(const char *folder, uint32_t day,
                        const struct store_lmdb_row *rows, uint64_t map_bytes,
                        struct store_lmdb_day **out)
{
    int rc = day_new(day, STORE_LMDB_WRITE, out);

    if (rc)
        goto out;
    for (uint32_t b = 0; b < STORE_BUCKETS_MAX; b++)
        begin_row(&(*out)->rows[b], &rows[b], NULL, b);
    memcpy((*out)->draft, (*out)->rows, ROWS_BYTES);
    rc = store_lmdb_env_open(&(*out)->env, folder, map_bytes, STORE_LMDB_WRITE);
    if (!rc)
        rc = make_databases(*out);
    if (!rc)
        rc = open_reader(*out);
out:
    if (rc) {
        store_lmdb_day_close(*out);
        *out = NULL;
    }
    return rc;
}

/* As many records as the rows say: what tails and log say was written together. */
static int check_counts(const struct store_lmdb_day *d, MDB_txn *txn)
{
    uint64_t count = store_lmdb_day_count(d);
    MDB_stat log, heads;

    if (mdb_stat(txn, d->log, &log) || mdb_stat(txn, d->heads, &heads))
        return STORE_E_CORRUPT;
    return log.ms_entries == count && heads.ms_entries == count ? 0 : STORE_E_CORRUPT;
}

static int load(struct store_lmdb_day *d, const struct store_lmdb_row *rows,
                const uint8_t cohort[32])
{
    MDB_txn *txn;
    int rc = store_lmdb_env_rc(mdb_txn_begin(d->env.mdb, NULL, MDB_RDONLY, &txn));

    if (rc)
        return rc;
    rc = open_databases(d, txn, 0);
    for (uint32_t b = 0; !rc && b < STORE_BUCKETS_MAX; b++)
        rc = load_row(d, txn, b, rows ? &rows[b] : NULL, cohort);
    if (!rc)
        rc = check_counts(d, txn);
    if (rc) {
        mdb_txn_abort(txn);
        return rc;
    }
    return store_lmdb_env_rc(mdb_txn_commit(txn)); /* keeps the database handles */
}

int store_lmdb_day_open(const char *folder, uint32_t day,
                        const struct store_lmdb_row *rows, const uint8_t cohort[32],
                        uint64_t map_bytes, enum store_lmdb_mode mode,
                        struct store_lmdb_day **out)
{
    int rc = day_new(day, mode, out);

    if (!rc)
        rc = store_lmdb_env_open(&(*out)->env, folder, map_bytes, mode);
    if (!rc)
        rc = load(*out, rows, cohort);
    if (!rc)
        rc = open_reader(*out);
    if (rc) {
        store_lmdb_day_close(*out);
        *out = NULL;
        return rc;
    }
    if ((*out)->draft)
        memcpy((*out)->draft, (*out)->rows, ROWS_BYTES);
    return 0;
}

void store_lmdb_day_retire(struct store_lmdb_day *d)
{
    int rc = store_lmdb_env_shrink(&d->env);

    mem_free(d->draft);
    d->draft = NULL;
    if (rc) {
        d->lost = true;
        log_error("store: a past day can't be read until kithd is started again");
    }
}

void store_lmdb_day_close(struct store_lmdb_day *d)
{
    if (!d)
        return;
    if (d->cursor)
        mdb_cursor_close(d->cursor);
    if (d->reader)
        mdb_txn_abort(d->reader);
    store_lmdb_env_close(&d->env);
    mem_free(d->rows);
    mem_free(d->draft);
    mem_free(d);
}

/* ---- append ----------------------------------------------------------------------- */

static int put_post(struct store_lmdb_day *d, MDB_txn *txn, struct store_post *p,
                    uint32_t hour)
{
    struct store_lmdb_row *row = &d->draft[p->bucket];
    uint8_t key[KEY_BYTES], *record;
    MDB_val k = val(key, sizeof key), v = val(NULL, RECORD_BYTES);
    int rc;

    p->seq = row->next;
    put_key(key, p->bucket, p->seq);
    rc = mdb_put(txn, d->log, &k, &v, MDB_NOOVERWRITE | MDB_RESERVE);
    if (rc)
        return rc;
    record = v.mv_data;
    memset(record, 0, RECORD_HEADER_BYTES);
    le_put(record, hour, 4);
    memcpy(record + RECORD_HEADER_BYTES, p->envelope, ENVELOPE_BYTES);

    chain_next(row->head, p->seq, p->envelope);
    row->next++;
    memcpy(p->head, row->head, HASH_BYTES);
    v = val(p->head, HASH_BYTES);
    return mdb_put(txn, d->heads, &k, &v, MDB_NOOVERWRITE);
}

static int put_posts(struct store_lmdb_day *d, MDB_txn *txn, struct store_post *posts,
                     size_t n, uint32_t hour)
{
    int rc = 0;

    for (size_t i = 0; !rc && i < n; i++)
        rc = put_post(d, txn, &posts[i], hour);
    if (rc)
        return rc == MDB_KEYEXIST ? STORE_E_CORRUPT : store_lmdb_env_rc(rc);
    for (uint32_t b = 0; !rc && b < STORE_BUCKETS_MAX; b++)
        if (d->draft[b].next != d->rows[b].next)
            rc = put_tail(d, txn, b, &d->draft[b]);
    return rc;
}

int store_lmdb_day_append(struct store_lmdb_day *d, struct store_post *posts, size_t n,
                          uint32_t hour)
{
    MDB_txn *txn;
    uint64_t pages;
    int rc = store_lmdb_env_rc(mdb_txn_begin(d->env.mdb, NULL, 0, &txn));

    if (rc)
        return rc;
    rc = put_posts(d, txn, posts, n, hour);
    if (rc) {
        mdb_txn_abort(txn);
        goto out;
    }
    pages = n + store_lmdb_env_growth(txn, d->log, n) +
            store_lmdb_env_growth(txn, d->heads, n) +
            store_lmdb_env_growth(txn, d->tails, n);
    rc = store_lmdb_env_commit(&d->env, txn, pages);
out:
    if (rc)
        memcpy(d->draft, d->rows, ROWS_BYTES);
    return rc;
}

void store_lmdb_day_publish(struct store_lmdb_day *d)
{
    for (uint32_t b = 0; b < STORE_BUCKETS_MAX; b++)
        if (d->draft[b].next != d->rows[b].next)
            d->rows[b] = d->draft[b];
}

/* ---- reads ------------------------------------------------------------------------ */

static int begin_read(struct store_lmdb_day *d)
{
    return d->lost ? -EIO : store_lmdb_env_rc(mdb_txn_renew(d->reader));
}

static int copy_records(struct store_lmdb_day *d, uint32_t bucket, uint64_t from,
                        size_t count, uint8_t *out)
{
    uint8_t key[KEY_BYTES], want[KEY_BYTES];
    MDB_val k = val(key, sizeof key), v;
    MDB_cursor_op op = MDB_SET_KEY;

    put_key(key, bucket, from);
    for (size_t i = 0; i < count; i++, op = MDB_NEXT) {
        int rc = mdb_cursor_get(d->cursor, &k, &v, op);

        if (rc)
            return rc == MDB_NOTFOUND ? STORE_E_CORRUPT : store_lmdb_env_rc(rc);
        put_key(want, bucket, from + i);
        if (k.mv_size != KEY_BYTES || memcmp(k.mv_data, want, KEY_BYTES) ||
            v.mv_size != RECORD_BYTES)
            return STORE_E_CORRUPT;
        memcpy(out + i * ENVELOPE_BYTES, (const uint8_t *)v.mv_data + RECORD_HEADER_BYTES,
               ENVELOPE_BYTES);
    }
    return 0;
}

int store_lmdb_day_range(struct store_lmdb_day *d, uint32_t bucket, uint64_t from,
                         size_t count, uint8_t *out)
{
    int rc = begin_read(d);

    if (rc)
        return rc;
    rc = store_lmdb_env_rc(mdb_cursor_renew(d->reader, d->cursor));
    if (!rc)
        rc = copy_records(d, bucket, from, count, out);
    mdb_txn_reset(d->reader);
    return rc;
}

int store_lmdb_day_head(struct store_lmdb_day *d, uint32_t bucket, uint64_t seq,
                        uint8_t head[HASH_BYTES])
{
    uint8_t key[KEY_BYTES];
    MDB_val k = val(key, sizeof key), v;
    int rc = begin_read(d);

    if (rc)
        return rc;
    put_key(key, bucket, seq);
    rc = store_lmdb_env_rc(mdb_get(d->reader, d->heads, &k, &v));
    if (rc == STORE_E_ABSENT || (!rc && v.mv_size != HASH_BYTES))
        rc = STORE_E_CORRUPT;
    if (!rc)
        memcpy(head, v.mv_data, HASH_BYTES);
    mdb_txn_reset(d->reader);
    return rc;
}

uint64_t store_lmdb_day_count(const struct store_lmdb_day *d)
{
    uint64_t count = 0;

    for (uint32_t b = 0; b < STORE_BUCKETS_MAX; b++)
        count += d->rows[b].next - d->rows[b].first;
    return count;
}
