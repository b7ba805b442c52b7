/* SPDX-License-Identifier: Apache-2.0 */
/* db_profile: the one row about this member, its relay and its cohort.
 * Flow     core/member, core/outbox, core/board -> db_profile -> db
 * Owns     nothing.
 * Threads  as db */
#ifndef KITH_CORE_DB_PROFILE_H
#define KITH_CORE_DB_PROFILE_H

#include "client/core/db.h"
#include "client/core/model.h"
#include "lib/kdf.h"
#include "lib/kem.h"
#include "proto/invite.h"
#include "proto/msg.h"

struct profile {
    enum member_state member;
    char name[NAME_BYTES_MAX + 1];
    bool has_seed, has_secret, has_relay, has_descriptor;
    uint8_t seed[SIGN_SEED_BYTES];       /* of the member key; the reader wipes it */
    uint8_t secret[INVITE_SECRET_BYTES]; /* of the invite, until enrolled; likewise */
    struct address address;
    uint8_t fingerprint[16];
    uint8_t relay_pk[KEM_PK_BYTES]; /* with has_relay */
    uint8_t cohort[HASH_BYTES];     /* with has_relay */
    uint32_t version;               /* newest descriptor's; 0: none */
    uint32_t home;                  /* bucket; 0: not chosen yet */
    enum relay_state relay;
    uint64_t reached_s, checked_s, behind;
    uint32_t trouble; /* enum code of the relay's last temporary refusal */
};

MUST_USE int db_profile_get(struct db *db, struct profile *out);
/* Writes member, name, seed, secret, address and fingerprint. */
MUST_USE int db_profile_put_member(struct db *db, const struct profile *p);
MUST_USE int db_profile_put_relay(struct db *db, const uint8_t pk[KEM_PK_BYTES],
                                  const uint8_t cohort[HASH_BYTES]);
/* Forget relay key, cohort, descriptors and home bucket. */
MUST_USE int db_profile_reset_cohort(struct db *db);
MUST_USE int db_profile_put_home(struct db *db, uint32_t home);
/* Writes relay, reached_s, checked_s and behind. */
MUST_USE int db_profile_put_link(struct db *db, const struct profile *p);
MUST_USE int db_profile_put_trouble(struct db *db, uint32_t code);

/* The newest signed descriptor, appended to out; DB_E_NONE before the first. */
MUST_USE int db_profile_descriptor(struct db *db, struct buf *out);
MUST_USE int db_profile_put_descriptor(struct db *db, struct bytes signed_,
                                       uint32_t version, const uint8_t hash[HASH_BYTES]);
/* 0 or DB_E_NONE. */
MUST_USE int db_profile_hash(struct db *db, uint32_t version, uint8_t hash[HASH_BYTES]);
/* True if a version that was ever accepted has a hash that begins so. */
MUST_USE int db_profile_knows(struct db *db, const uint8_t prefix[8], bool *known);

#endif
