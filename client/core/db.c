/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/db.h"

#include "lib/log.h"
#include "lib/map.h"
#include "lib/mem.h"
#include "lib/seam.h"
#include "lib/secret.h"
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlcipher/sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SETTLE_BUSY_MS = 200 };

struct db {
    sqlite3 *handle;
    struct map *statements; /* by the address of their text */
    bool inside;
};

/* ---- SQLite's codes become ours --------------------------------------------------- */

static int io_errno(sqlite3 *handle, int extended)
{
    if (extended == SQLITE_IOERR_NOMEM)
        return -ENOMEM;
    return sqlite3_system_errno(handle) == ENOSPC ? -ENOSPC : -EIO;
}

static int translate(struct db *db, int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_IOERR:
        return io_errno(db->handle, sqlite3_extended_errcode(db->handle));
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return -EACCES;
    case SQLITE_CANTOPEN:
        return sqlite3_system_errno(db->handle) == ENOENT ? -ENOENT : -EACCES;
    case SQLITE_NOTADB:
        return DB_E_KEY;
    case SQLITE_CORRUPT:
        log_error("the profile's database is damaged");
        return -EIO;
    default:
        log_error("the profile's database refused a statement (%d)", code);
        return -EINVAL;
    }
}

static int plain(struct db *db, const char *sql)
{
    return translate(db, sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

/* ---- statements ------------------------------------------------------------------- */

/* A statement still in use (a visit that asks the same question inside) stays as it is;
 * the second one is a spare, for this one use. */
static int prepare(struct db *db, const char *sql, sqlite3_stmt **out, bool *spare)
{
    int rc;

    *out = map_get(db->statements, &sql);
    *spare = *out != NULL;
    if (*out && !sqlite3_stmt_busy(*out)) {
        *spare = false;
        return 0;
    }
    rc = translate(db, sqlite3_prepare_v2(db->handle, sql, -1, out, NULL));
    if (rc || *spare)
        return rc;
    rc = map_put(db->statements, &sql, *out, NULL);
    if (rc) {
        (void)sqlite3_finalize(*out);
        *out = NULL;
    }
    return rc;
}

static int bind(struct db *db, sqlite3_stmt *s, const char *kinds, va_list args)
{
    int rc = SQLITE_OK;

    for (int i = 1; rc == SQLITE_OK && kinds[i - 1]; i++) {
        struct bytes view;
        switch (kinds[i - 1]) {
        case 'i':
            rc = sqlite3_bind_int64(s, i, va_arg(args, int64_t));
            break;
        case 's':
            rc = sqlite3_bind_text(s, i, va_arg(args, const char *), -1,
                                   SQLITE_TRANSIENT);
            break;
        case 'b':
        case 't':
            view = va_arg(args, struct bytes);
            if (!view.p)
                rc = sqlite3_bind_null(s, i);
            else if (kinds[i - 1] == 'b')
                rc = sqlite3_bind_blob64(s, i, view.p, view.n, SQLITE_TRANSIENT);
            else
                rc = sqlite3_bind_text64(s, i, (const char *)view.p, view.n,
                                         SQLITE_TRANSIENT, SQLITE_UTF8);
            break;
        default:
            rc = SQLITE_MISUSE;
        }
    }
    return translate(db, rc);
}

static struct db_rows ask(struct db *db, const char *sql, const char *kinds, va_list args)
{
    struct db_rows r = {.db = db};
    sqlite3_stmt *s = NULL;

    r.rc = prepare(db, sql, &s, &r.spare);
    r.statement = s;
    if (!r.rc)
        r.rc = bind(db, s, kinds, args);
    return r;
}

struct db_rows db_ask(struct db *db, const char *sql, const char *kinds, ...)
{
    struct db_rows r;
    va_list args;

    va_start(args, kinds);
    r = ask(db, sql, kinds, args);
    va_end(args);
    return r;
}

bool db_next(struct db_rows *r)
{
    int code;

    if (r->rc)
        return false;
    code = sqlite3_step(r->statement);
    if (code == SQLITE_ROW)
        return true;
    r->rc = translate(r->db, code);
    return false;
}

int64_t db_int(const struct db_rows *r, int column)
{
    return sqlite3_column_int64(r->statement, column);
}

struct bytes db_blob(const struct db_rows *r, int column)
{
    static const uint8_t none[1];
    struct bytes view = {NULL, 0};

    if (sqlite3_column_type(r->statement, column) == SQLITE_NULL)
        return view;
    /* Asked for as text, a text ends in a zero. */
    if (sqlite3_column_type(r->statement, column) == SQLITE_TEXT)
        view.p = sqlite3_column_text(r->statement, column);
    else
        view.p = sqlite3_column_blob(r->statement, column);
    view.n = (size_t)sqlite3_column_bytes(r->statement, column);
    if (!view.p)
        view.p = none; /* SQLite has no address for zero bytes */
    return view;
}

void db_copy(struct db_rows *r, int column, void *out, size_t n)
{
    struct bytes view = db_blob(r, column);

    memset(out, 0, n);
    if (view.p && view.n == n)
        memcpy(out, view.p, n);
    else
        r->rc = -EIO;
}

void db_text(const struct db_rows *r, int column, char *out, size_t room)
{
    struct bytes view = db_blob(r, column);
    size_t n = view.p ? utf8_prefix(view, room - 1) : 0;

    if (n)
        memcpy(out, view.p, n);
    out[n] = 0;
}

int db_done(struct db_rows *r)
{
    sqlite3_stmt *s = r->statement;
    int rc = r->rc;

    r->statement = NULL;
    if (!s)
        return rc;
    if (r->spare) {
        (void)sqlite3_finalize(s);
        return rc;
    }
    (void)sqlite3_reset(s);
    (void)sqlite3_clear_bindings(s);
    return rc;
}

int db_run(struct db *db, const char *sql, const char *kinds, ...)
{
    struct db_rows r;
    va_list args;

    va_start(args, kinds);
    r = ask(db, sql, kinds, args);
    va_end(args);
    while (db_next(&r))
        ;
    return db_done(&r);
}

int db_number(struct db *db, int64_t *out, const char *sql, const char *kinds, ...)
{
    struct db_rows r;
    va_list args;
    bool found;
    int rc;

    va_start(args, kinds);
    r = ask(db, sql, kinds, args);
    va_end(args);
    found = db_next(&r);
    *out = found ? db_int(&r, 0) : 0;
    rc = db_done(&r);
    if (rc)
        return rc;
    return found ? 0 : DB_E_NONE;
}

int64_t db_last_id(const struct db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

int64_t db_changes(const struct db *db)
{
    return sqlite3_changes(db->handle);
}

/* ---- transactions ----------------------------------------------------------------- */

int db_begin(struct db *db)
{
    int rc;

    if (db->inside)
        return -EINVAL;
    rc = plain(db, "BEGIN IMMEDIATE");
    db->inside = !rc;
    return rc;
}

int db_commit(struct db *db)
{
    int rc;

    if (!db->inside)
        return -EINVAL;
    rc = seam_check(SEAM_SYNC);
    if (!rc)
        rc = plain(db, "COMMIT");
    if (rc)
        db_rollback(db);
    db->inside = false;
    return rc;
}

void db_rollback(struct db *db)
{
    /* SQLite may have rolled back by itself (disk full); a second time is an error to
     * ignore. */
    if (db->inside && !sqlite3_get_autocommit(db->handle))
        (void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    db->inside = false;
}

bool db_inside(const struct db *db)
{
    return db->inside;
}

int db_version(struct db *db, int64_t *out)
{
    return db_number(db, out, "PRAGMA data_version", "");
}

int db_settle(struct db *db)
{
    int64_t busy = 0;
    int rc;

    /* Somebody who reads just then may take their time; this can wait for another day. */
    (void)sqlite3_busy_timeout(db->handle, SETTLE_BUSY_MS);
    rc = db_number(db, &busy, "PRAGMA wal_checkpoint(TRUNCATE)", "");
    (void)sqlite3_busy_timeout(db->handle, DB_BUSY_MS);
    return !rc && busy ? -EBUSY : rc;
}

/* ---- opening ---------------------------------------------------------------------- */

static bool in_memory(const char *path)
{
    return strcmp(path, ":memory:") == 0;
}

/* SQLite would make the file readable for the group; its journals copy the file's mode.
 */
static int make_private(const char *path, bool create)
{
    int rc = seam_check(SEAM_OPEN);
    int fd;

    if (rc)
        return rc;
    if (in_memory(path))
        return 0;
    fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0), 0600);
    if (fd < 0)
        return -errno;
    return close(fd) ? -errno : 0;
}

static int unlock(struct db *db, const uint8_t key[DB_KEY_BYTES])
{
    static const char head[] = "PRAGMA key = \"x'";
    char *sql = secret_alloc(sizeof head + 2 * DB_KEY_BYTES + 3);
    size_t at = sizeof head - 1;
    int rc;

    if (!sql)
        return -ENOMEM;
    memcpy(sql, head, at);
    hex_encode((struct bytes){key, DB_KEY_BYTES}, sql + at);
    memcpy(sql + at + (size_t)2 * DB_KEY_BYTES, "'\"", 3);
    rc = plain(db, sql);
    secret_free(sql);
    if (rc)
        return rc;
    /* One format for both; what a version does not know it ignores. */
    rc = plain(db, "PRAGMA cipher_compatibility = 3; PRAGMA cipher_page_size = 4096;"
                   "PRAGMA cipher_log_level = NONE");
    if (rc)
        return rc;
    /* The first read tells whether the key fits. */
    return plain(db, "SELECT count(*) FROM sqlite_master");
}

static int settings(struct db *db, bool quick)
{
    int rc = plain(db, "PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;"
                       "PRAGMA foreign_keys = ON; PRAGMA journal_mode = WAL");

    if (rc)
        return rc;
    return plain(db, quick ? "PRAGMA synchronous = OFF" : "PRAGMA synchronous = FULL");
}

int db_open(const char *path, const uint8_t key[DB_KEY_BYTES], bool create, bool quick,
            struct db **out)
{
    struct db *db = mem_zalloc(sizeof *db);
    int rc;

    *out = NULL;
    if (!db)
        return -ENOMEM;
    rc = -ENOMEM;
    db->statements = map_new(sizeof(const char *));
    if (!db->statements)
        goto out;
    rc = make_private(path, create);
    if (rc)
        goto out;
    rc = translate(db, sqlite3_open_v2(path, &db->handle,
                                       SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL));
    if (rc)
        goto out;
    (void)sqlite3_busy_timeout(db->handle, DB_BUSY_MS);
    rc = unlock(db, key);
    if (rc)
        goto out;
    rc = settings(db, quick);
    if (rc)
        goto out;
    rc = db_schema(db);
    if (rc)
        goto out;
    *out = db;
    db = NULL;
out:
    db_close(db);
    return rc;
}

static void finalize(const void *key, void *value, void *arg)
{
    (void)key;
    (void)arg;
    (void)sqlite3_finalize(value);
}

void db_close(struct db *db)
{
    if (!db)
        return;
    db_rollback(db);
    if (db->statements)
        map_each(db->statements, finalize, NULL);
    map_free(db->statements, NULL);
    (void)sqlite3_close_v2(db->handle); /* empties the journal if it is the last one */
    mem_free(db);
}
