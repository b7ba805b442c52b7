/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* fallocate */
#include "daemon/store_lmdb_env.h"

#include "lib/file.h"
#include "lib/log.h"
#include "lib/seam.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    DATABASES_MAX = 4,
    READERS_MAX = 8,             /* there is one */
    LOCK_BYTES = 4096,           /* room for its table */
    RESERVE_BYTES = 1024 * 1024, /* asked of the file system at a time */
    FREELIST_PAGES = 32,         /* LMDB's own bookkeeping in one commit */
};

int store_lmdb_env_rc(int rc)
{
    switch (rc) {
    case MDB_SUCCESS:
        return 0;
    case MDB_NOTFOUND:
        return STORE_E_ABSENT;
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return STORE_E_FULL;
    case MDB_PAGE_NOTFOUND:
    case MDB_CORRUPTED:
    case MDB_VERSION_MISMATCH:
    case MDB_INVALID:
    case MDB_INCOMPATIBLE:
    case MDB_BAD_VALSIZE:
        return STORE_E_CORRUPT;
    case MDB_PANIC:
        return STORE_E_BROKEN;
    default:
        return rc > 0 ? -rc : -EIO;
    }
}

/* ---- open and close --------------------------------------------------------------- */

/* LMDB maps its lock file and writes into the map: in a hole of a full disk that is a
 * SIGBUS, so the blocks are there before LMDB comes. */
static int fill_lock_file(const char *folder)
{
    static const uint8_t zeros[LOCK_BYTES];
    char path[PATH_MAX];
    struct stat st;
    int fd, rc = seam_check(SEAM_OPEN);

    if (rc)
        return rc;
    if (snprintf(path, sizeof path, "%s/lock.mdb", folder) >= (int)sizeof path)
        return -ENAMETOOLONG;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return errno == ENOSPC ? STORE_E_FULL : -errno;
    /* Nobody else has this environment open (DIR/lock), so its old content means nothing.
     */
    if (fstat(fd, &st) || ftruncate(fd, 0))
        rc = -errno;
    if (!rc)
        rc = file_write_all(fd, zeros, sizeof zeros);
    close(fd);
    return rc == -ENOSPC || rc == -EDQUOT ? STORE_E_FULL : rc;
}

/* A file cut short would be a SIGBUS at the first read beyond its end. */
static int check_length(const struct store_lmdb_env *e)
{
    MDB_envinfo info;
    MDB_stat stat;
    struct stat st;
    int fd, rc = store_lmdb_env_rc(mdb_env_info(e->mdb, &info));

    if (!rc)
        rc = store_lmdb_env_rc(mdb_env_stat(e->mdb, &stat));
    if (!rc)
        rc = store_lmdb_env_rc(mdb_env_get_fd(e->mdb, &fd));
    if (rc)
        return rc;
    if (fstat(fd, &st))
        return -errno;
    if ((uint64_t)st.st_size < ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize)
        return STORE_E_CORRUPT;
    return 0;
}

int store_lmdb_env_open(struct store_lmdb_env *e, const char *folder, uint64_t map_bytes,
                        enum store_lmdb_mode mode)
{
    unsigned flags = MDB_NOTLS | (mode == STORE_LMDB_READ ? MDB_RDONLY : 0u);
    int rc;

    *e = (struct store_lmdb_env){0};
    rc = fill_lock_file(folder);
    if (!rc)
        rc = seam_check(SEAM_MAP);
    if (!rc)
        rc = store_lmdb_env_rc(mdb_env_create(&e->mdb));
    if (rc)
        return rc;
    rc = mdb_env_set_maxdbs(e->mdb, DATABASES_MAX);
    if (!rc)
        rc = mdb_env_set_maxreaders(e->mdb, READERS_MAX);
    if (!rc) /* LMDB takes what is used as the least */
        rc = mdb_env_set_mapsize(e->mdb, map_bytes ? (size_t)map_bytes : 1);
    if (!rc)
        rc = mdb_env_open(e->mdb, folder, flags, 0600);
    rc = store_lmdb_env_rc(rc);
    if (!rc)
        rc = check_length(e);
    if (rc)
        store_lmdb_env_close(e);
    return rc;
}

void store_lmdb_env_close(struct store_lmdb_env *e)
{
    if (e->mdb)
        mdb_env_close(e->mdb);
    e->mdb = NULL;
}

int store_lmdb_env_shrink(struct store_lmdb_env *e)
{
    return store_lmdb_env_rc(mdb_env_set_mapsize(e->mdb, 1));
}

uint64_t store_lmdb_env_disk(const struct store_lmdb_env *e)
{
    struct stat st;
    int fd;

    if (!e->mdb || mdb_env_get_fd(e->mdb, &fd) || fstat(fd, &st))
        return 0;
    return (uint64_t)st.st_blocks * 512;
}

/* ---- commit ----------------------------------------------------------------------- */

/* A commit copies each page of the tree that it changes, at most depth pages for each put
 * and never more than there are, and adds those that splits made, which are among them by
 * now. */
uint64_t store_lmdb_env_growth(MDB_txn *txn, MDB_dbi dbi, uint64_t n)
{
    MDB_stat stat;
    uint64_t path;

    if (mdb_stat(txn, dbi, &stat))
        return 0;
    path = n * (2 * (uint64_t)stat.ms_depth + 1);
    if (path > stat.ms_branch_pages + stat.ms_leaf_pages)
        path = stat.ms_branch_pages + stat.ms_leaf_pages;
    return path;
}

static int reserve(struct store_lmdb_env *e, uint64_t from, uint64_t to)
{
    int fd, rc = seam_check(SEAM_WRITE);

    if (rc)
        return rc;
    if (mdb_env_get_fd(e->mdb, &fd))
        return -EINVAL;
    do
        rc = fallocate(fd, 0, (off_t)from, (off_t)(to - from)) ? -errno : 0;
    while (rc == -EINTR);
    return rc;
}

/* Blocks for everything the commit may write, so that the disk is found full here, where
 * nothing has happened yet, and not in the middle of LMDB's write or its sync. */
static int make_room(struct store_lmdb_env *e, uint64_t pages)
{
    MDB_envinfo info;
    MDB_stat stat;
    uint64_t end, much;
    int rc = store_lmdb_env_rc(mdb_env_info(e->mdb, &info));

    if (!rc)
        rc = store_lmdb_env_rc(mdb_env_stat(e->mdb, &stat));
    if (rc)
        return rc;
    end = (info.me_last_pgno + 1 + pages + FREELIST_PAGES) * stat.ms_psize;
    if (e->cannot_reserve || end <= e->reserved_bytes)
        return seam_check(SEAM_WRITE);
    much = (end / RESERVE_BYTES + 1) * RESERVE_BYTES;
    rc = reserve(e, e->reserved_bytes, much);
    if (rc == -ENOSPC || rc == -EDQUOT) {
        much = end;
        rc = reserve(e, e->reserved_bytes, much);
    }
    if (rc == -EOPNOTSUPP || rc == -ENOSYS) {
        e->cannot_reserve = true;
        rc = 0;
    }
    if (!rc)
        e->reserved_bytes = much;
    return rc;
}

static bool disk_is_full(const struct store_lmdb_env *e, uint64_t pages)
{
    struct statvfs fs;
    int fd;

    if (mdb_env_get_fd(e->mdb, &fd) || fstatvfs(fd, &fs))
        return false;
    return (uint64_t)fs.f_bavail * fs.f_frsize < (pages + FREELIST_PAGES) * 4096;
}

/* LMDB writes pages, syncs them, then writes the meta page through.  A page write that
 * failed for want of room leaves the old state whole; a sync that failed leaves nobody
 * knows what. LMDB reports both alike, and a write cut short by a full disk as EIO.  With
 * blocks reserved no write can lack room, so every failure is taken for the worse;
 * without, a disk that is full by its own account is believed. */
static int judge(const struct store_lmdb_env *e, int rc, uint64_t pages)
{
    if (rc == MDB_MAP_FULL)
        return STORE_E_FULL;
    if (e->cannot_reserve && (rc == ENOSPC || rc == EDQUOT || rc == EIO) &&
        disk_is_full(e, pages))
        return STORE_E_FULL;
    log_error("store: commit failed: %s", mdb_strerror(rc));
    return STORE_E_BROKEN;
}

int store_lmdb_env_commit(struct store_lmdb_env *e, MDB_txn *txn, uint64_t pages)
{
    int rc = make_room(e, pages);

    if (rc) {
        mdb_txn_abort(txn);
        return rc == -ENOSPC || rc == -EDQUOT || rc == -EFBIG ? STORE_E_FULL : rc;
    }
    if (seam_check(SEAM_SYNC)) {
        mdb_txn_abort(txn);
        return STORE_E_BROKEN;
    }
    rc = mdb_txn_commit(txn);
    return rc ? judge(e, rc, pages) : 0;
}
