/* SPDX-License-Identifier: Apache-2.0 */
/* keys: what makes a relay this relay: its KEM key, the admin key of descriptor
 * version 1, the signed descriptors.  SPEC 5.1 to 5.3.
 * Flow     kithctl up -> keys_create -> DIR -> keys_load -> conn, handle_*, control
 * Owns     the secret key, in guarded memory
 * Threads  read-only once loaded
 *
 *   DIR/relay.key            X-Wing seed, 32 bytes, 0600
 *   DIR/admin.key            Ed25519 seed, 32 bytes, 0600: only keys_create ever uses it
 *   DIR/descriptors/000001   signed descriptor of that version, and so on without a hole
 *
 * The relay key is written last: a folder without it is one that creation did not finish,
 * and creating again completes it. */
#ifndef KITH_DAEMON_KEYS_H
#define KITH_DAEMON_KEYS_H

#include "proto/channel.h"
#include "proto/descriptor.h"
#include "proto/invite.h"

enum {
    KEYS_DESCRIPTORS_MAX = 1024, /* a new one a day for almost three years */
    /* No way to renew a descriptor exists yet, so the first one outlasts any placement.
     */
    KEYS_DESCRIPTOR_DAYS = 5 * 365,
    KEYS_WHY_BYTES = 256,
};
enum {
    KEYS_E_EXISTS = 1, /* create: there are keys already; nothing was changed */
    KEYS_E_ABSENT,     /* load: no keys here: run kithctl up */
    KEYS_E_OPEN,       /* load: others may read a key file */
    KEYS_E_DAMAGED,    /* load: a file is not what creation wrote */
    KEYS_E_WANT,       /* create: a name, address or number that no descriptor may hold */
};

struct keys {
    uint8_t pk[KEM_PK_BYTES];
    uint8_t *sk; /* KEM_SK_BYTES, guarded */
    uint8_t hash[HASH_BYTES];
    uint8_t cohort[HASH_BYTES]; /* H(body of descriptor 1) */
    uint8_t fingerprint[CHANNEL_FINGERPRINT_BYTES];
    struct descriptor newest;
    uint32_t count;    /* descriptors, versions 1..count */
    struct buf *chain; /* [count] signed forms, oldest first */
};

struct keys_want {
    const char *name;    /* cohort, 1..COHORT_NAME_BYTES_MAX bytes of UTF-8 */
    const char *address; /* what invites say, as address_parse takes it */
    uint32_t mail_buckets, members, retention_days;
    uint64_t now_s; /* unix seconds: the expiry counts from it */
};

/* Make relay key, admin key and descriptor 1 in dir (made 0700 if missing).
 * why: a sentence about what went wrong.  0, KEYS_E_EXISTS, KEYS_E_WANT or -errno. */
MUST_USE int keys_create(const char *dir, const struct keys_want *want,
                         char why[KEYS_WHY_BYTES]);
/* 0, KEYS_E_ABSENT, KEYS_E_OPEN, KEYS_E_DAMAGED or -errno; *out and why as above. */
MUST_USE int keys_load(const char *dir, struct keys **out, char why[KEYS_WHY_BYTES]);
void keys_free(struct keys *k); /* wipes; NULL is fine */

#endif
