/* SPDX-License-Identifier: Apache-2.0 */
/* store: what the relay keeps: the board's logs and the list of invites.  SPEC 4, 9.
 * Flow     commit -> store (writes);  fanout, handle_subscribe, control -> store (reads)
 * Owns     its files; every view it hands out is a copy in caller's memory
 * Threads  writes (append, invite_*, expire) from one thread at a time, the commit
 * thread; reads from the loop thread at the same time Two versions (memory for tests,
 * LMDB) under one conformance suite, tests/store/. Every write is synced before it
 * returns 0; after a failed sync the store is broken: writes return STORE_E_BROKEN from
 * then on, reads go on (never retry a sync and assume). */
#ifndef KITH_DAEMON_STORE_H
#define KITH_DAEMON_STORE_H

#include "lib/buf.h"
#include "lib/kdf.h"
#include "lib/sign.h"
#include "proto/limits.h"

enum {
    STORE_E_FULL =
        1,           /* no room on the disk or in the map: nothing of the call was kept */
    STORE_E_BROKEN,  /* a sync failed before: nothing is acknowledged any more */
    STORE_E_ABSENT,  /* no such bucket or invite; a seq not (or no longer) kept */
    STORE_E_USED,    /* invite bound to another key */
    STORE_E_EXPIRED, /* invite past its hour */
    STORE_E_REVOKED,
    STORE_E_CORRUPT, /* what is on disk can't be what was written */
};

struct store;

/* One append.  bucket and envelope (ENVELOPE_BYTES, borrowed) go in; seq and head come
 * out. */
struct store_post {
    uint32_t bucket;
    const uint8_t *envelope;
    uint64_t seq;
    uint8_t head[HASH_BYTES];
};
struct store_tail {
    uint64_t oldest;          /* first seq kept; == next when the log is empty */
    uint64_t next;            /* the seq that the next envelope gets; from 1 */
    uint8_t head[HASH_BYTES]; /* head after next - 1 */
};

enum invite_state {
    INVITE_OPEN = 0,
    INVITE_ENROLLED,
    INVITE_REVOKED,
    INVITE_EXPIRED /* derived */
};
enum { INVITE_ID_BYTES = 16 };
struct store_invite {
    uint32_t number;               /* from 1; the only name a member has */
    uint8_t id[INVITE_ID_BYTES];   /* B16("kith1 invite id", secret), which is not kept */
    uint32_t made_hour, last_hour; /* unix hours; last_hour: refused after it */
    enum invite_state state;
    uint8_t key[SIGN_PK_BYTES]; /* once enrolled */
    uint32_t enrolled_hour;
};
struct store_figures { /* for `held` */
    uint64_t envelopes, bytes_on_disk;
    uint32_t days, oldest_day, newest_day; /* unix days */
    uint32_t invites_open, invites_enrolled, invites_revoked, invites_expired;
};

/* buckets = mail buckets + 2, at most STORE_BUCKETS_MAX; may grow from one open to the
 * next. cohort: heads begin from it (SPEC 4.2).  map_bytes: address space reserved for
 * the newest day (sparse).  dir is made 0700 if missing.  Finishes what a crash left half
 * done, and checks the last 256 links of every bucket's chain. 0; -EBUSY: another kithd
 * has this folder; -EXDEV: it is another cohort's; another -errno; -ENOTSUP: written by a
 * newer kithd; STORE_E_FULL; STORE_E_BROKEN; STORE_E_CORRUPT. */
enum { STORE_BUCKETS_MAX = BUCKET_MAIL + BUCKETS_MAIL_MAX };
MUST_USE int store_open_lmdb(const char *dir, const uint8_t cohort[32], uint32_t buckets,
                             uint64_t map_bytes, struct store **out);
MUST_USE int store_open_mem(const uint8_t cohort[32], uint32_t buckets,
                            struct store **out);
void store_close(struct store *s); /* NULL is fine */

/* All n posts in one synced transaction, in order, or none.  now_s: unix seconds (picks
 * the day; a clock that went back keeps using the newest day).  0, STORE_E_FULL,
 * STORE_E_BROKEN, STORE_E_ABSENT (a bucket out of range; check before), -errno. */
MUST_USE int store_append(struct store *s, struct store_post *posts, size_t n,
                          uint64_t now_s);
/* Drop every day whose last second lies more than retention_s before now_s, files and
 * all; heads and numbering go on.  *dropped: days taken away. */
MUST_USE int store_expire(struct store *s, uint64_t now_s, uint64_t retention_s,
                          uint32_t *dropped);
/* For a clock that ran ahead and is right again (the caller is sure of now_s): days that
 * lie in the future get today's name, or tomorrow's and so on where it is taken, so that
 * what was posted meanwhile is kept for no longer than the retention.  Order and
 * numbering stay. *moved: days renamed. */
MUST_USE int store_redate(struct store *s, uint64_t now_s, uint32_t *moved);

/* Reads. */
MUST_USE int store_tail(struct store *s, uint32_t bucket, struct store_tail *out);
/* Up to max envelopes from seq `from` on, side by side into out (max * ENVELOPE_BYTES
 * room). *got may be 0 at the log's end; head: after the last one (then: before `from`).
 * STORE_E_ABSENT if `from` has expired or lies beyond next.  A range never fails because
 * it crosses a day. */
MUST_USE int store_range(struct store *s, uint32_t bucket, uint64_t from, size_t max,
                         uint8_t *out, size_t *got, uint8_t head[HASH_BYTES]);
/* Head before seq (after seq - 1): seq in oldest..next. */
MUST_USE int store_head_before(struct store *s, uint32_t bucket, uint64_t seq,
                               uint8_t head[HASH_BYTES]);
bool store_broken(const struct store *s);
uint32_t store_buckets(const struct store *s); /* buckets 0..this-1 exist */
MUST_USE int store_figures(struct store *s, uint64_t now_s, struct store_figures *out);

/* Invites.  number is filled by add. */
MUST_USE int store_invite_add(struct store *s, struct store_invite *invite);
/* Bind: same key again is 0 (a lost answer); another key STORE_E_USED; a key that another
 * invite is bound to STORE_E_USED (one key, one number); past last_hour STORE_E_EXPIRED;
 * STORE_E_REVOKED; unknown STORE_E_ABSENT.  All of them may also return STORE_E_FULL,
 * STORE_E_BROKEN, -errno. */
MUST_USE int store_invite_enrol(struct store *s, const uint8_t id[INVITE_ID_BYTES],
                                const uint8_t key[SIGN_PK_BYTES], uint32_t now_hour,
                                struct store_invite *out);
MUST_USE int store_invite_revoke(struct store *s, uint32_t number); /* STORE_E_ABSENT */
/* Visit all in order of number; the visitor returns false to stop, and calls no store
 * function. state is as kept: whether an open invite has expired is for the visitor to
 * derive. */
typedef bool store_invite_visit(const struct store_invite *invite, void *arg);
MUST_USE int store_invites(struct store *s, store_invite_visit *visit, void *arg);

#endif
