/* SPDX-License-Identifier: Apache-2.0 */
/* store_lmdb_state: what outlives the days: the list of invites, and whose folder it is.
 *   about    "format" -> le32 1;  "cohort" -> id, 32
 *   invites  u32 number, big-endian -> id 16 | le32 made hour | le32 last hour | u8 state
 *                                      | key 32 | le32 enrolled hour
 *   ids      id 16  -> u32 number        keys   key 32 -> u32 number
 * Flow     store_lmdb -> store_lmdb_state -> store_lmdb_env
 * Owns     the environment
 * Threads  add, enrol, revoke: the commit thread; visit: another one beside it */
#ifndef KITH_DAEMON_STORE_LMDB_STATE_H
#define KITH_DAEMON_STORE_LMDB_STATE_H

#include "daemon/store_lmdb_env.h"

struct store_lmdb_state {
    struct store_lmdb_env env;
    MDB_dbi about, invites, ids, keys;
};

/* DIR/state, made if missing.  -EXDEV: another cohort's; else as store_open_lmdb(). */
MUST_USE int store_lmdb_state_open(struct store_lmdb_state *s, const char *dir,
                                   const uint8_t cohort[32]);
void store_lmdb_state_close(struct store_lmdb_state *s); /* a zeroed one is fine */

/* As the functions of store.h. */
MUST_USE int store_lmdb_state_add(struct store_lmdb_state *s,
                                  struct store_invite *invite);
MUST_USE int store_lmdb_state_enrol(struct store_lmdb_state *s,
                                    const uint8_t id[INVITE_ID_BYTES],
                                    const uint8_t key[SIGN_PK_BYTES], uint32_t now_hour,
                                    struct store_invite *out);
MUST_USE int store_lmdb_state_revoke(struct store_lmdb_state *s, uint32_t number);
MUST_USE int store_lmdb_state_visit(struct store_lmdb_state *s, store_invite_visit *visit,
                                    void *arg);

#endif
