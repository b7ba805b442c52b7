/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/db.h"

#include <stddef.h>

/* "kith": tells a profile from other databases that happen to have the same key. */
#define APPLICATION_ID 1802073192
#define SCHEMA_VERSION 1

/* Times are unix seconds (_s) or minutes; states and kinds are the enums of model.h and
 * of the db_* file that writes them.  AUTOINCREMENT where an id must never be given
 * twice. */
static const char *const tables[] = {
    /* One row: this member, the relay, the cohort. */
    "CREATE TABLE profile(id INTEGER PRIMARY KEY CHECK(id = 1), member INTEGER NOT NULL,"
    " name TEXT NOT NULL DEFAULT '', seed BLOB, secret BLOB, host TEXT, port INTEGER,"
    " fingerprint BLOB, relay_pk BLOB, cohort_id BLOB, descriptor BLOB,"
    " version INTEGER NOT NULL DEFAULT 0, home INTEGER NOT NULL DEFAULT 0,"
    " relay INTEGER NOT NULL DEFAULT 0, reached_s INTEGER NOT NULL DEFAULT 0,"
    " checked_s INTEGER NOT NULL DEFAULT 0, behind INTEGER NOT NULL DEFAULT 0,"
    " trouble INTEGER NOT NULL DEFAULT 0)",
    "INSERT INTO profile(id, member) VALUES(1, 0)",
    /* Every version of the descriptor that was accepted. */
    "CREATE TABLE descriptors(version INTEGER PRIMARY KEY, hash BLOB NOT NULL)",

    "CREATE TABLE convs(id INTEGER PRIMARY KEY AUTOINCREMENT, state INTEGER NOT NULL,"
    " why INTEGER NOT NULL DEFAULT 0, taker INTEGER NOT NULL,"
    " verified INTEGER NOT NULL DEFAULT 0, words INTEGER NOT NULL DEFAULT 0,"
    " second INTEGER NOT NULL DEFAULT 0,"
    " waits INTEGER NOT NULL DEFAULT 0, name TEXT NOT NULL DEFAULT '',"
    " home INTEGER NOT NULL DEFAULT 0, created_s INTEGER NOT NULL,"
    " changed_s INTEGER NOT NULL, until_s INTEGER NOT NULL DEFAULT 0,"
    " read_upto INTEGER NOT NULL DEFAULT 0,"
    " owed INTEGER NOT NULL DEFAULT 0, greeted INTEGER NOT NULL DEFAULT 0,"
    " prev_bucket INTEGER, prev_seq INTEGER, prev_head BLOB)",
    /* The ratchet, as ratchet_save() writes it; stepped by the holder alone. */
    "CREATE TABLE sessions("
    " conv INTEGER PRIMARY KEY REFERENCES convs(id) ON DELETE CASCADE,"
    " state BLOB NOT NULL)",
    /* Links on their way, and those that were taken until their last hour. */
    "CREATE TABLE links(conv INTEGER PRIMARY KEY REFERENCES convs(id) ON DELETE CASCADE,"
    " secret BLOB NOT NULL, sk BLOB, pk BLOB, bucket INTEGER NOT NULL,"
    " start INTEGER NOT NULL DEFAULT 0, last_hour INTEGER NOT NULL, take_id BLOB,"
    " posted INTEGER NOT NULL DEFAULT 0)",

    "CREATE TABLE messages(id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " conv INTEGER NOT NULL REFERENCES convs(id) ON DELETE CASCADE, mid BLOB NOT NULL,"
    " mine INTEGER NOT NULL, kind INTEGER NOT NULL, state INTEGER NOT NULL,"
    " why INTEGER NOT NULL DEFAULT 0, ord INTEGER NOT NULL, side INTEGER NOT NULL,"
    " minute INTEGER NOT NULL, stored_s INTEGER NOT NULL,"
    " resent INTEGER NOT NULL DEFAULT 0, text TEXT NOT NULL)",
    "CREATE INDEX messages_order ON messages(conv, ord, side, id)",
    "CREATE INDEX messages_unread ON messages(conv, mine, id)",
    "CREATE INDEX messages_state ON messages(state, conv)",
    /* Parts of long texts of theirs, until all are there. */
    "CREATE TABLE parts(conv INTEGER NOT NULL REFERENCES convs(id) ON DELETE CASCADE,"
    " mid BLOB NOT NULL, part INTEGER NOT NULL, count INTEGER NOT NULL,"
    " ord INTEGER NOT NULL, minute INTEGER NOT NULL, stored_s INTEGER NOT NULL,"
    " text TEXT NOT NULL,"
    " PRIMARY KEY(conv, mid, part)) WITHOUT ROWID",
    /* Message ids that came, so that none is shown twice, nor again after it was
       forgotten. */
    "CREATE TABLE seen(conv INTEGER NOT NULL REFERENCES convs(id) ON DELETE CASCADE,"
    " mid BLOB NOT NULL, part INTEGER NOT NULL, day INTEGER NOT NULL,"
    " PRIMARY KEY(conv, mid, part)) WITHOUT ROWID",

    /* What is to be posted in a conversation: a part of a text, an accept, a close. */
    "CREATE TABLE outbox(id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " conv INTEGER NOT NULL REFERENCES convs(id) ON DELETE CASCADE,"
    " message INTEGER REFERENCES messages(id) ON DELETE CASCADE, kind INTEGER NOT NULL,"
    " mid BLOB NOT NULL, part INTEGER NOT NULL, parts INTEGER NOT NULL,"
    " state INTEGER NOT NULL, turn INTEGER NOT NULL DEFAULT 0,"
    " n INTEGER NOT NULL DEFAULT 0,"
    " stored_s INTEGER NOT NULL DEFAULT 0, late INTEGER NOT NULL DEFAULT 0,"
    " missed INTEGER NOT NULL DEFAULT 0)",
    "CREATE INDEX outbox_state ON outbox(state, conv, id)",
    "CREATE INDEX outbox_message ON outbox(message)",
    /* Every place in a turn at which an outbox row was ever sealed: acks name these. */
    "CREATE TABLE seals(conv INTEGER NOT NULL, turn INTEGER NOT NULL, n INTEGER NOT NULL,"
    " outbox INTEGER NOT NULL REFERENCES outbox(id) ON DELETE CASCADE,"
    " PRIMARY KEY(conv, turn, n)) WITHOUT ROWID",
    "CREATE INDEX seals_outbox ON seals(outbox)",

    /* How far each log was read: the head before `next`, and before an anchor at or after
     * the start of the 256-block from which reading resumes. */
    "CREATE TABLE cursors(bucket INTEGER PRIMARY KEY, next INTEGER NOT NULL, head BLOB,"
    " anchor INTEGER NOT NULL, anchor_head BLOB, quiet INTEGER NOT NULL DEFAULT 0,"
    " stopped INTEGER NOT NULL DEFAULT 0, read_s INTEGER NOT NULL DEFAULT 0)",
    /* The first 8 bytes of the head after seq, for gossip; until the retention. */
    "CREATE TABLE heads(bucket INTEGER NOT NULL, seq INTEGER NOT NULL,"
    " prefix BLOB NOT NULL, day INTEGER NOT NULL, PRIMARY KEY(bucket,"
    " seq)) WITHOUT ROWID",
    /* Heads that contacts spoke of and that this device has not read yet. */
    "CREATE TABLE claims(conv INTEGER NOT NULL REFERENCES convs(id) ON DELETE CASCADE,"
    " bucket INTEGER NOT NULL, seq INTEGER NOT NULL, prefix BLOB NOT NULL,"
    " PRIMARY KEY(conv, bucket)) WITHOUT ROWID",
    /* Heads that the relay named when it took envelopes of ours, in logs that we read and
     * beyond what we have read. */
    "CREATE TABLE answers(bucket INTEGER NOT NULL, seq INTEGER NOT NULL,"
    " prefix BLOB NOT NULL, PRIMARY KEY(bucket, seq)) WITHOUT ROWID",

    "CREATE TABLE alarms(id INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL,"
    " holds INTEGER NOT NULL, open INTEGER NOT NULL, conv INTEGER NOT NULL,"
    " message INTEGER NOT NULL, bucket INTEGER NOT NULL, a INTEGER NOT NULL,"
    " b INTEGER NOT NULL, since_s INTEGER NOT NULL, until_s INTEGER NOT NULL,"
    " times INTEGER NOT NULL)",
    "CREATE TABLE events(seq INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL,"
    " conv INTEGER NOT NULL, message INTEGER NOT NULL, alarm INTEGER NOT NULL,"
    " state INTEGER NOT NULL)",
    "PRAGMA application_id = 1802073192",
    "PRAGMA user_version = 1",
};

static int make(struct db *db)
{
    int rc = 0;

    for (size_t i = 0; !rc && i < sizeof tables / sizeof *tables; i++)
        rc = db_run(db, tables[i], "");
    return rc;
}

static int check(struct db *db, bool *empty)
{
    int64_t version, application, count;
    int rc = db_number(db, &version, "PRAGMA user_version", "");

    if (!rc)
        rc = db_number(db, &application, "PRAGMA application_id", "");
    if (!rc)
        rc = db_number(db, &count, "SELECT count(*) FROM sqlite_master", "");
    if (rc)
        return rc;
    *empty = version == 0 && application == 0 && count == 0;
    if (*empty)
        return 0;
    if (application != APPLICATION_ID)
        return DB_E_FOREIGN;
    return version > SCHEMA_VERSION ? DB_E_NEWER : 0;
}

int db_schema(struct db *db)
{
    bool empty;
    int rc = check(db, &empty);

    if (rc || !empty)
        return rc;
    rc = db_begin(db);
    if (rc)
        return rc;
    rc = check(db, &empty); /* another process may have been first */
    if (!rc && empty)
        rc = make(db);
    if (!rc)
        return db_commit(db);
    db_rollback(db);
    return rc;
}
