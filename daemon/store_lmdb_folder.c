/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store_lmdb_folder.h"

#include "daemon/store_ops.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/seam.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NEW ".new"
#define GONE ".gone"

static int translate(int rc)
{
    return rc == -ENOSPC || rc == -EDQUOT ? STORE_E_FULL : rc;
}

/* ---- names ------------------------------------------------------------------------ */

void store_lmdb_folder_name(uint32_t day, char name[STORE_LMDB_NAME_BYTES])
{
    time_t at = (time_t)day * STORE_DAY_S;
    struct tm tm;

    if (!gmtime_r(&at, &tm) || !strftime(name, STORE_LMDB_NAME_BYTES, "%Y-%m-%d", &tm))
        name[0] = '\0'; /* after the year 9999; no folder can be made of it */
}

/* A number at *at, which moves behind it; beyond four digits no day has it: -1. */
static int read_number(const char **at)
{
    char *end;
    long n = strtol(*at, &end, 10);

    *at = end;
    return n >= 0 && n <= 9999 ? (int)n : -1;
}

bool store_lmdb_folder_day(const char *name, uint32_t *day)
{
    struct tm tm = {0};
    char again[STORE_LMDB_NAME_BYTES];
    const char *end = name;
    time_t at;

    tm.tm_year = read_number(&end) - 1900;
    if (*end++ != '-')
        return false;
    tm.tm_mon = read_number(&end) - 1;
    if (*end++ != '-')
        return false;
    tm.tm_mday = read_number(&end);
    at = timegm(&tm);
    if (*end || at < 0)
        return false;
    *day = (uint32_t)(at / STORE_DAY_S);
    store_lmdb_folder_name(*day, again); /* there is one way to write a day */
    return strcmp(name, again) == 0;
}

int store_lmdb_folder_path(const char *parent, const char *name, const char *suffix,
                           char path[PATH_MAX])
{
    int n = snprintf(path, PATH_MAX, "%s/%s%s", parent, name, suffix);

    return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* ---- one folder ------------------------------------------------------------------- */

static int take_name(const char *path, int (*call)(const char *))
{
    int rc = seam_check(SEAM_UNLINK);

    if (rc)
        return rc;
    return call(path) && errno != ENOENT ? -errno : 0;
}

static int remove_folder(const char *path)
{
    static const char *const files[] = {"data.mdb", "lock.mdb"};
    char file[PATH_MAX];
    int rc = 0;

    for (size_t i = 0; !rc && i < sizeof files / sizeof files[0]; i++) {
        rc = store_lmdb_folder_path(path, files[i], "", file);
        if (!rc)
            rc = take_name(file, unlink);
    }
    return rc ? rc : take_name(path, rmdir);
}

/* A descriptor of the folder, or -errno. */
static int open_folder(const char *path)
{
    int rc = seam_check(SEAM_OPEN);
    int fd;

    if (rc)
        return rc;
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    return fd;
}

/* EINVAL: a file system that keeps names without being asked. */
static int sync_folder(int fd)
{
    int rc = seam_check(SEAM_SYNC);

    if (!rc && fsync(fd) && errno != EINVAL)
        rc = -errno;
    if (rc)
        log_error("store: a folder failed to sync: %s", err_text(rc));
    return rc ? STORE_E_BROKEN : 0;
}

static int sync_names(const char *path)
{
    int rc, fd = open_folder(path);

    if (fd < 0)
        return fd;
    rc = sync_folder(fd);
    close(fd);
    return rc;
}

/* The descriptor first: with none left, nothing has been renamed yet. */
static int rename_synced(const char *parent, const char *from, const char *to)
{
    int rc, fd = open_folder(parent);

    if (fd < 0)
        return fd;
    rc = seam_check(SEAM_RENAME);
    if (!rc && rename(from, to))
        rc = -errno;
    rc = rc ? translate(rc) : sync_folder(fd);
    close(fd);
    return rc;
}

static int rename_suffix(const char *parent, const char *name, const char *from,
                         const char *to)
{
    char old[PATH_MAX], new[PATH_MAX];
    int rc = store_lmdb_folder_path(parent, name, from, old);

    if (!rc)
        rc = store_lmdb_folder_path(parent, name, to, new);
    return rc ? rc : rename_synced(parent, old, new);
}

int store_lmdb_folder_begin(const char *parent, const char *name)
{
    char path[PATH_MAX];
    int rc = store_lmdb_folder_path(parent, name, NEW, path);

    if (!rc)
        rc = remove_folder(path);
    if (!rc)
        rc = seam_check(SEAM_OPEN);
    if (!rc && mkdir(path, 0700))
        rc = -errno;
    return translate(rc);
}

int store_lmdb_folder_keep(const char *parent, const char *name)
{
    char path[PATH_MAX];
    int rc = store_lmdb_folder_path(parent, name, NEW, path);

    if (!rc)
        rc = sync_names(path);
    return rc ? rc : rename_suffix(parent, name, NEW, "");
}

int store_lmdb_folder_drop(const char *parent, const char *name)
{
    return rename_suffix(parent, name, "", GONE);
}

int store_lmdb_folder_move(const char *parent, const char *from, const char *to)
{
    char old[PATH_MAX], new[PATH_MAX];
    int rc = store_lmdb_folder_path(parent, from, "", old);

    if (!rc)
        rc = store_lmdb_folder_path(parent, to, "", new);
    return rc ? rc : rename_synced(parent, old, new);
}

/* ---- all of them ------------------------------------------------------------------ */

static bool ends_in(const char *name, const char *suffix)
{
    size_t n = strlen(name), s = strlen(suffix);

    return n > s && strcmp(name + n - s, suffix) == 0;
}

/* Call visit for each name in the folder, until it returns something else than 0. */
static int each_name(const char *parent, int (*visit)(const char *name, void *arg),
                     void *arg)
{
    struct dirent *entry;
    DIR *dir;
    int rc = seam_check(SEAM_OPEN);

    if (rc)
        return rc;
    dir = opendir(parent);
    if (!dir)
        return -errno;
    for (;;) {
        errno = 0;
        entry = readdir(dir);
        if (!entry) {
            rc = -errno;
            break;
        }
        if (entry->d_name[0] == '.')
            continue;
        rc = visit(entry->d_name, arg);
        if (rc)
            break;
    }
    closedir(dir);
    return rc;
}

struct sweeping {
    const char *parent;
    bool swept;
};

static int sweep_one(const char *name, void *arg)
{
    struct sweeping *s = arg;
    char path[PATH_MAX];
    int rc;

    if (!ends_in(name, NEW) && !ends_in(name, GONE))
        return 0;
    s->swept = true;
    rc = store_lmdb_folder_path(s->parent, name, "", path);
    return rc ? rc : remove_folder(path);
}

int store_lmdb_folder_sweep(const char *parent)
{
    struct sweeping s = {parent, false};
    int rc = each_name(parent, sweep_one, &s);

    return rc || !s.swept ? rc : sync_names(parent);
}

struct listing {
    uint32_t *days;
    size_t count, room;
};

static int list_one(const char *name, void *arg)
{
    struct listing *l = arg;
    uint32_t day, *grown;

    if (!store_lmdb_folder_day(name, &day)) {
        if (!ends_in(name, NEW) && !ends_in(name, GONE))
            log_warn("store: something in the board's folder is not kith's; left alone");
        return 0;
    }
    if (l->count == l->room) {
        grown = mem_realloc(l->days, (2 * l->room + 16) * sizeof *grown);
        if (!grown)
            return -ENOMEM;
        l->days = grown;
        l->room = 2 * l->room + 16;
    }
    l->days[l->count++] = day;
    return 0;
}

static int compare_days(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

int store_lmdb_folder_days(const char *parent, uint32_t **days, size_t *count)
{
    struct listing l = {0};
    int rc = each_name(parent, list_one, &l);

    *days = NULL;
    *count = 0;
    if (rc) {
        mem_free(l.days);
        return rc;
    }
    if (l.count > 1)
        qsort(l.days, l.count, sizeof *l.days, compare_days);
    *days = l.days;
    *count = l.count;
    return 0;
}
