/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/file.h"

#include "lib/mem.h"
#include "lib/seam.h"
#include "lib/secret.h"
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES = 4096, SUFFIX_RANDOM_BYTES = 8 };

/* ---- reading ---------------------------------------------------------------------- */

static int open_checked(const char *path, int flags, unsigned mode)
{
    int rc = seam_check(SEAM_OPEN);
    int fd;

    if (rc)
        return rc;
    do
        fd = open(path, flags | O_CLOEXEC, (mode_t)mode);
    while (fd < 0 && errno == EINTR);
    return fd < 0 ? -errno : fd;
}

static ssize_t read_checked(int fd, void *p, size_t n)
{
    int rc = seam_check(SEAM_READ);
    ssize_t got;

    if (rc)
        return rc;
    do
        got = read(fd, p, n);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

/* To the end, whatever fstat said: the file may be growing. */
static int read_to_end(int fd, size_t cap, struct buf *out)
{
    for (size_t have = 0;;) {
        uint8_t past_cap = 0;
        size_t want = cap - have < READ_BYTES ? cap - have : READ_BYTES;
        uint8_t *spot = want ? buf_grow(out, want) : &past_cap;
        ssize_t got;

        if (!spot)
            return out->rc;
        got = read_checked(fd, spot, want ? want : 1);
        if (got < 0)
            return (int)got;
        if (!want && got > 0)
            return -EFBIG;
        out->n -= want - (want ? (size_t)got : 0);
        if (got == 0)
            return 0;
        have += (size_t)got;
    }
}

int file_read(const char *path, size_t cap, bool secret, struct buf *out)
{
    size_t before = out->n;
    struct stat st;
    /* Without waiting: a FIFO somebody put there would otherwise hold us for ever. */
    int fd = open_checked(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    int rc = 0;

    if (fd < 0)
        return fd;
    if (fstat(fd, &st))
        rc = -errno;
    else if (!S_ISREG(st.st_mode))
        rc = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
    else if (secret && (st.st_mode & (S_IRWXG | S_IRWXO)))
        rc = -EPERM;
    else if (st.st_size < 0 || (uint64_t)st.st_size > cap)
        rc = -EFBIG;
    else
        rc = read_to_end(fd, cap, out);
    if (rc && out->p) {
        secret_wipe(out->p + before, out->room - before);
        out->n = before;
    }
    close(fd);
    return rc;
}

/* ---- writing ---------------------------------------------------------------------- */

int file_write_all(int fd, const void *p, size_t n)
{
    const uint8_t *at = p;

    while (n > 0) {
        int rc = seam_check(SEAM_WRITE);
        ssize_t put;

        if (rc)
            return rc;
        put = write(fd, at, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return put < 0 ? -errno : -EIO;
        at += put;
        n -= (size_t)put;
    }
    return 0;
}

static int sync_checked(int fd)
{
    int rc = seam_check(SEAM_SYNC);

    if (rc)
        return rc;
    return fsync(fd) ? -errno : 0;
}

int file_sync_dir(const char *path)
{
    int fd = open_checked(path, O_RDONLY | O_DIRECTORY, 0);
    int rc;

    if (fd < 0)
        return fd;
    rc = sync_checked(fd);
    close(fd);
    return rc == -EINVAL ? 0
                         : rc; /* a file system that keeps names without being asked */
}

static int sync_parent(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *parent;
    int rc;

    if (!slash)
        return file_sync_dir(".");
    if (slash == path)
        return file_sync_dir("/");
    parent = mem_strdup(path);
    if (!parent)
        return -ENOMEM;
    parent[slash - path] = 0;
    rc = file_sync_dir(parent);
    mem_free(parent);
    return rc;
}

/* path.new-16hex: another process may be replacing the same file. */
static int name_beside(const char *path, char **out)
{
    uint8_t random[SUFFIX_RANDOM_BYTES];
    char suffix[2 * SUFFIX_RANDOM_BYTES + 1];
    size_t n = strlen(path) + sizeof suffix + 8;
    int rc = rand_bytes(random, sizeof random);

    if (rc)
        return rc;
    *out = mem_alloc(n);
    if (!*out)
        return -ENOMEM;
    hex_encode(BYTES(random), suffix);
    (void)snprintf(*out, n, "%s.new-%s", path, suffix);
    return 0;
}

static int write_new(const char *path, struct bytes content, unsigned mode)
{
    int fd = open_checked(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    int rc;

    if (fd < 0)
        return fd;
    rc = file_write_all(fd, content.p, content.n);
    if (!rc)
        rc = sync_checked(fd);
    if (close(fd) && !rc)
        rc = -errno;
    if (rc)
        (void)unlink(path);
    return rc;
}

int file_replace(const char *path, struct bytes content, unsigned mode)
{
    char *beside = NULL;
    int rc = name_beside(path, &beside);

    if (rc)
        return rc;
    rc = write_new(beside, content, mode);
    if (rc)
        goto out;
    rc = seam_check(SEAM_RENAME);
    if (!rc && rename(beside, path))
        rc = -errno;
    if (rc) {
        (void)unlink(beside);
        goto out;
    }
    rc = sync_parent(path);
out:
    mem_free(beside);
    return rc;
}

/* ---- folders ---------------------------------------------------------------------- */

static int make_one(const char *path, unsigned mode)
{
    struct stat st;
    int rc = seam_check(SEAM_OPEN);

    if (rc)
        return rc;
    if (mkdir(path, (mode_t)mode) == 0)
        return 0;
    rc = -errno;
    if (stat(path, &st)) /* whatever mkdir said: what counts is whether it is there */
        return rc;
    return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int file_mkdirs(const char *path, unsigned mode)
{
    char *copy = mem_strdup(path);
    int rc = 0;

    if (!copy)
        return -ENOMEM;
    for (char *slash = copy; !rc && *slash && (slash = strchr(slash + 1, '/'));) {
        *slash = 0;
        rc = make_one(copy, mode);
        *slash = '/';
    }
    if (!rc)
        rc = make_one(copy, mode);
    mem_free(copy);
    return rc;
}
