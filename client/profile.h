/* SPDX-License-Identifier: Apache-2.0 */
/* profile: where a profile is on disk, its key, and who holds it.
 * Flow     args -> profile -> core/node
 * Owns     the folder (0700), the file of parameters, the lock
 * Threads  the loop's; the key is derived in the pool
 *
 *   XDG_DATA_HOME/kith/NAME/   profile.db  core/node's, with its journal
 *                              kdf         how the key comes out of the passphrase, as
 * text: kith-profile 1 argon2id MEMORY_KIB PASSES salt 32 HEX DIGITS The lock is an flock
 * on the folder itself: one process is the holder (client/holder.h). */
#ifndef KITH_CLIENT_PROFILE_H
#define KITH_CLIENT_PROFILE_H

#include "lib/kdf.h"

#include <limits.h>
#include <uv.h>

enum {
    PROFILE_NAME_MAX = 64,
    PROFILE_KEY_BYTES = 32,
    PROFILE_KDF_MEM_KIB = 64 * 1024, /* a tenth of a second here; a phone can do it too */
    PROFILE_KDF_PASSES = 3,
    /* What a file on disk may ask for: less would make guessing cheap for the next
     * passphrase, more would only keep the person out. */
    PROFILE_KDF_MEM_LEAST_KIB = 8 * 1024,
    PROFILE_KDF_MEM_MOST_KIB = 2 * 1024 * 1024,
    PROFILE_KDF_PASSES_MOST = 64,
    PROFILE_KDF_FILE_BYTES = 256,
    PASSPHRASE_BYTES_MAX = 1024,
    PASSPHRASE_CHARS_MIN = 8,
};

enum {
    PROFILE_E_NONE = 1, /* there is no such profile */
    PROFILE_E_NAME,     /* not a name for a profile */
    PROFILE_E_KDF,      /* its kdf file is damaged or asks for something unreasonable */
    PROFILE_E_HELD,     /* another process is the holder */
    PROFILE_E_EXISTS,   /* there is one already */
    PROFILE_E_OPEN,     /* others can get at the folder, or it is somebody else's */
};

struct profile {
    char name[PROFILE_NAME_MAX + 1]; /* for people: the last part of the path */
    char dir[PATH_MAX];
    char db[PATH_MAX];
    char kdf[PATH_MAX];
    int lock; /* descriptor of the folder while we are the holder, else -1 */
};

struct profile_kdf {
    uint32_t mem_kib, passes;
    uint8_t salt[PW_SALT_BYTES];
};

/* Find the paths for NAME or PATH (NULL: KITH_PROFILE, else "default").  Nothing on disk
 * is looked at.  0, PROFILE_E_NAME, -ENOENT (no home), -ENAMETOOLONG. */
MUST_USE int profile_locate(const char *name_or_path, struct profile *out);

/* True if there is a database in it. */
bool profile_exists(const struct profile *p);

/* Read kdf, strictly; the folder must be ours and closed to others.  0, PROFILE_E_NONE,
 * PROFILE_E_KDF, PROFILE_E_OPEN or -errno. */
MUST_USE int profile_read_kdf(const struct profile *p, struct profile_kdf *out);
/* The same from the bytes of the file. */
MUST_USE int profile_parse_kdf(struct bytes text, struct profile_kdf *out);

/* Make folder and kdf with a fresh salt.  0, PROFILE_E_EXISTS or -errno. */
MUST_USE int profile_create(struct profile *p, struct profile_kdf *out);

/* Passphrase -> key, in the thread pool; runs loop until it is done.  key is guarded
 * memory of PROFILE_KEY_BYTES.  0, -ENOMEM or -errno. */
MUST_USE int profile_derive(uv_loop_t *loop, struct bytes passphrase,
                            const struct profile_kdf *kdf, uint8_t *key);

/* Become the holder.  0, PROFILE_E_HELD or -errno. */
MUST_USE int profile_hold(struct profile *p);
void profile_release(struct profile *p);

/* Overwrite nothing (the disk may keep old blocks in any case: the key is what makes the
 * rest unreadable): remove kdf first, then the database and the folder.  0 or -errno. */
MUST_USE int profile_destroy(struct profile *p);

#endif
