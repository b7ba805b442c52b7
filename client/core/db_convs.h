/* SPDX-License-Identifier: Apache-2.0 */
/* db_convs: conversations, their sessions, and the links that begin them.
 * Flow     core/linking, core/outbox, core/receive -> db_convs -> db
 * Owns     nothing.
 * Threads  as db.  Not found is DB_E_NONE everywhere. */
#ifndef KITH_CORE_DB_CONVS_H
#define KITH_CORE_DB_CONVS_H

#include "client/core/db.h"
#include "client/core/model.h"
#include "client/core/node.h"
#include "lib/kdf.h"
#include "lib/kem.h"

/* What the flows know of a conversation beyond what a screen sees. */
struct conv_row {
    int64_t id;
    enum conv_state state;
    enum conv_why why;
    bool taker, second, waits, words, greeted;
    uint32_t home; /* their bucket: where our posts go; 0: not known yet */
    uint32_t owed; /* counts what came and wants an ack; 0: all acked */
    bool has_prev; /* our previous envelope in it, for gossip */
    uint32_t prev_bucket;
    uint64_t prev_seq;
    uint8_t prev_head[8];
};

MUST_USE int db_convs_add(struct db *db, enum conv_state state, bool taker,
                          uint64_t now_s, uint64_t until_s, int64_t *id);
MUST_USE int db_convs_get(struct db *db, int64_t id, struct conv_row *out);
MUST_USE int db_convs_state(struct db *db, int64_t id, enum conv_state state,
                            enum conv_why why, uint64_t now_s);
/* name may be .p NULL: leave it. */
MUST_USE int db_convs_peer(struct db *db, int64_t id, struct bytes name, uint32_t home);
MUST_USE int db_convs_owed(struct db *db, int64_t id, uint32_t owed);
MUST_USE int db_convs_waits(struct db *db, int64_t id, bool waits);
MUST_USE int db_convs_words(struct db *db, int64_t id);
MUST_USE int db_convs_second(struct db *db, int64_t id);
MUST_USE int db_convs_verified(struct db *db, int64_t id, bool verified);
MUST_USE int db_convs_prev(struct db *db, int64_t id, uint32_t bucket, uint64_t seq,
                           const uint8_t head[HASH_BYTES]);
/* Forget all of these: the log they spoke of is not the relay's any more. */
MUST_USE int db_convs_drop_prev(struct db *db);
MUST_USE int db_convs_touch(struct db *db, int64_t id, uint64_t now_s);
MUST_USE int db_convs_delete(struct db *db, int64_t id);

/* For screens. */
MUST_USE int db_convs_show(struct db *db, int64_t id, struct conversation *out);
MUST_USE int db_convs_each(struct db *db, node_conv_fn *visit, void *arg);
/* Ids of all that have a session, and how many; at most most. */
MUST_USE int db_convs_sessions(struct db *db, int64_t *ids, size_t most, size_t *count);

/* ---- sessions: blobs of ratchet_save() -------------------------------------------- */
MUST_USE int db_convs_session(struct db *db, int64_t id, struct buf *out);
/* DB_E_NONE: the conversation was forgotten by another process. */
MUST_USE int db_convs_put_session(struct db *db, int64_t id, struct bytes state);

MUST_USE int db_convs_drop_session(struct db *db, int64_t id);

/* ---- links ------------------------------------------------------------------------ */
struct link_row {
    int64_t conv;
    enum conv_state state;
    bool taker;
    uint8_t secret[LINK_SECRET_BYTES];
    bool has_sk; /* inviter, until taken */
    uint8_t sk[KEM_SK_BYTES];
    bool has_pk; /* the offer's */
    uint8_t pk[KEM_PK_BYTES];
    uint32_t bucket;
    uint64_t start; /* first sequence number to read; 0: the offer is not posted yet */
    uint32_t last_hour;
    bool has_take;
    uint8_t take_id[HASH_BYTES]; /* the accepted one's (inviter), our own (taker) */
    bool posted;                 /* taker: the take has its durable answer */
};
MUST_USE int db_convs_add_link(struct db *db, const struct link_row *l);
MUST_USE int db_convs_link(struct db *db, int64_t conv, struct link_row *out);
MUST_USE int db_convs_link_by_secret(struct db *db,
                                     const uint8_t secret[LINK_SECRET_BYTES],
                                     struct link_row *out);
/* Writes sk, pk, start, take_id and posted. */
MUST_USE int db_convs_put_link(struct db *db, const struct link_row *l);
MUST_USE int db_convs_drop_link(struct db *db, int64_t conv);
/* At most most, oldest first. */
MUST_USE int db_convs_links(struct db *db, struct link_row *out, size_t most,
                            size_t *count);
MUST_USE int db_convs_count_links(struct db *db, int64_t *count);
/* Conversations with a link past its last hour, at most most ids. */
MUST_USE int db_convs_links_over(struct db *db, uint64_t hour, int64_t *ids, size_t most,
                                 size_t *count);

#endif
