/* SPDX-License-Identifier: Apache-2.0 */
/* db: the profile's database: opened, locked, asked and written.  The fence around
 * SQLCipher: no other file includes its header, and its codes stop here.
 *
 * Flow     db_profile, db_convs, db_messages, db_outbox, db_log, db_notes -> db -> the
 *          file
 * Owns     the handle and its prepared statements
 * Threads  one handle on one thread; several handles, also of several processes, on one
 *          file
 *
 * File     SQLCipher, raw key, format 3 with pages of 4,096 bytes, which 3.4 and 4.x both
 * read. Journal WAL with synchronous FULL: a commit that returned survives power loss,
 * and other processes read while one writes.  secure_delete overwrites what is deleted;
 *          db_settle() then empties the journal too.  SQL is SQLite 3.15's.
 * Errors   0, -errno, or positive enum db_error where said */
#ifndef KITH_CORE_DB_H
#define KITH_CORE_DB_H

#include "lib/buf.h"

struct db;

enum db_error {
    DB_E_NONE = 1, /* no such row */
    DB_E_KEY,      /* the key does not open it, or it is no database */
    DB_E_NEWER,    /* a schema of a later kith */
    DB_E_FOREIGN,  /* opens, and is not a kith profile */
};
enum { DB_KEY_BYTES = 32, DB_BUSY_MS = 10 * 1000 };

/* path       or ":memory:"
 * create     make an absent file, mode 0600 (its folder is the caller's); else -ENOENT
 * quick      tests: nothing is synced
 * Returns 0, DB_E_KEY, DB_E_NEWER, DB_E_FOREIGN, -EBUSY or another -errno. */
MUST_USE int db_open(const char *path, const uint8_t key[DB_KEY_BYTES], bool create,
                     bool quick, struct db **out);
void db_close(struct db *db); /* NULL is fine */

/* A write transaction; waits DB_BUSY_MS for other processes, then -EBUSY.  They do not
 * nest. */
MUST_USE int db_begin(struct db *db);
/* On failure the transaction has been rolled back. */
MUST_USE int db_commit(struct db *db);
void db_rollback(struct db *db); /* fine without a transaction */
bool db_inside(const struct db *db);

/* Changes when another handle has committed since this one last looked. */
MUST_USE int db_version(struct db *db, int64_t *out);
/* Empty the journal, so that overwritten pages are in no file; -EBUSY while others read.
 */
MUST_USE int db_settle(struct db *db);

/* One statement run to its end.  sql: a string literal (prepared once, found again by its
 * address).  kinds: a letter per ?: i int64_t, b struct bytes (a blob; .p NULL is NULL),
 * t struct bytes (text), s const char *. */
MUST_USE int db_run(struct db *db, const char *sql, const char *kinds, ...);
int64_t db_last_id(const struct db *db);
int64_t db_changes(const struct db *db); /* rows that the last db_run() changed */

/* Rows.  Views are good until the next db_next() or db_done().  db_done() always follows.
 */
struct db_rows {
    struct db *db;
    void *statement;
    bool spare;
    int rc; /* sticky: of db_ask or db_next */
};
struct db_rows db_ask(struct db *db, const char *sql, const char *kinds, ...);
bool db_next(struct db_rows *r);
int64_t db_int(const struct db_rows *r, int column);
struct bytes db_blob(const struct db_rows *r,
                     int column); /* text too; .p NULL for NULL */
/* Copies exactly n bytes; fewer or more make r->rc -EIO and zero out. */
void db_copy(struct db_rows *r, int column, void *out, size_t n);
/* Copies text with a closing zero into room bytes, cut if need be. */
void db_text(const struct db_rows *r, int column, char *out, size_t room);
int db_done(
    struct db_rows *r); /* 0 or -errno; may be ignored on the way out of a failure */

/* The first column of the first row.  0, DB_E_NONE (no row; *out 0) or -errno. */
MUST_USE int db_number(struct db *db, int64_t *out, const char *sql, const char *kinds,
                       ...);

/* db_schema.c: make or check the tables; called by db_open().  0, DB_E_NEWER,
 * DB_E_FOREIGN. */
MUST_USE int db_schema(struct db *db);

#endif
