/* SPDX-License-Identifier: Apache-2.0 */
/* store_ops: what a version of the store provides to store.c, which checks arguments and
 * dispatches.  Contracts of the functions: store.h, of the same names.
 * Flow     store.c -> store_mem.c, store_lmdb.c
 * Owns     nothing.  Threads: as store.h says */
#ifndef KITH_DAEMON_STORE_OPS_H
#define KITH_DAEMON_STORE_OPS_H

#include "daemon/store.h"

#include <stdatomic.h>

struct store_ops {
    void (*close)(struct store *s);
    int (*append)(struct store *s, struct store_post *posts, size_t n, uint64_t now_s);
    int (*expire)(struct store *s, uint64_t now_s, uint64_t retention_s,
                  uint32_t *dropped);
    int (*redate)(struct store *s, uint64_t now_s, uint32_t *moved);
    int (*tail)(struct store *s, uint32_t bucket, struct store_tail *out);
    int (*range)(struct store *s, uint32_t bucket, uint64_t from, size_t max,
                 uint8_t *out, size_t *got, uint8_t head[HASH_BYTES]);
    int (*head_before)(struct store *s, uint32_t bucket, uint64_t seq,
                       uint8_t head[HASH_BYTES]);
    int (*figures)(struct store *s, uint64_t now_s, struct store_figures *out);
    int (*invite_add)(struct store *s, struct store_invite *invite);
    int (*invite_enrol)(struct store *s, const uint8_t id[INVITE_ID_BYTES],
                        const uint8_t key[SIGN_PK_BYTES], uint32_t now_hour,
                        struct store_invite *out);
    int (*invite_revoke)(struct store *s, uint32_t number);
    int (*invites)(struct store *s, store_invite_visit *visit, void *arg);
};

/* Every version's struct begins with this one. */
struct store {
    const struct store_ops *ops;
    uint32_t buckets;
    uint8_t cohort[32];
    atomic_bool broken; /* set on the commit thread, read on the loop's */
};

void store_init(struct store *s, const struct store_ops *ops, const uint8_t cohort[32],
                uint32_t buckets);
/* Log it once, and acknowledge nothing from now on.  Returns STORE_E_BROKEN. */
MUST_USE int store_break(struct store *s);

/* What becomes of this invite when this key asks, by the rules of store_invite_enrol().
 * Returns 0 and *change (false: bound to this very key already), STORE_E_USED,
 * STORE_E_EXPIRED or STORE_E_REVOKED.  On a change, *invite is as it is to be kept. */
MUST_USE int store_invite_bind(struct store_invite *invite,
                               const uint8_t key[SIGN_PK_BYTES], uint32_t now_hour,
                               bool *change);
/* Count one invite into the figures of `held`. */
void store_invite_count(const struct store_invite *invite, uint32_t now_hour,
                        struct store_figures *figures);

enum {
    STORE_DAY_S = 24 * 60 * 60,
    STORE_HOUR_S = 60 * 60,
};
/* SPEC 4.4: is a day (unix day number) over and past the retention? */
bool store_day_expired(uint32_t day, uint64_t now_s, uint64_t retention_s);
/* The name that a day in the future of a clock that had run ahead gets once the clock is
 * right again: days keep their order, and none lies further ahead than it must.
 * before: the new name of the day before it, or -1. */
uint32_t store_day_redated(uint32_t day, int64_t before, uint32_t today);

#endif
