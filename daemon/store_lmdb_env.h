/* SPDX-License-Identifier: Apache-2.0 */
/* store_lmdb_env: one LMDB environment, opened and committed with care: where LMDB's
 * codes end, where room on the disk is made sure of, and where a failed sync is told from
 * a full disk. Flow     store_lmdb_day, store_lmdb_state -> store_lmdb_env -> LMDB Owns
 * the environment Threads  one writer; one reader beside it */
#ifndef KITH_DAEMON_STORE_LMDB_ENV_H
#define KITH_DAEMON_STORE_LMDB_ENV_H

#include "daemon/store.h"

#include <lmdb.h>

enum store_lmdb_mode { STORE_LMDB_WRITE, STORE_LMDB_READ };

struct store_lmdb_env {
    MDB_env *mdb;
    uint64_t reserved_bytes; /* the data file has disk blocks up to here */
    bool cannot_reserve;     /* this file system can't promise blocks ahead */
};

/* Open the environment in this existing folder.  map_bytes: address space; 0: as much as
 * is used.  0, STORE_E_FULL, STORE_E_CORRUPT, -errno. */
MUST_USE int store_lmdb_env_open(struct store_lmdb_env *e, const char *folder,
                                 uint64_t map_bytes, enum store_lmdb_mode mode);
void store_lmdb_env_close(struct store_lmdb_env *e); /* a closed or zeroed one is fine */

/* Give back address space that is not used; no transaction may be open. */
MUST_USE int store_lmdb_env_shrink(struct store_lmdb_env *e);

/* Commit and sync.  pages: no fewer than the file can grow by.  txn is gone afterwards.
 * 0, STORE_E_FULL and nothing was kept, STORE_E_BROKEN: what reached the disk is unknown.
 */
MUST_USE int store_lmdb_env_commit(struct store_lmdb_env *e, MDB_txn *txn,
                                   uint64_t pages);

/* The most pages by which n puts into this database grow the file, besides overflow
 * pages. */
uint64_t store_lmdb_env_growth(MDB_txn *txn, MDB_dbi dbi, uint64_t n);

/* Bytes of disk in use; 0 if that can't be found out. */
uint64_t store_lmdb_env_disk(const struct store_lmdb_env *e);

/* What one of LMDB's codes means in our terms: 0, STORE_E_*, -errno. */
MUST_USE int store_lmdb_env_rc(int rc);

#endif
