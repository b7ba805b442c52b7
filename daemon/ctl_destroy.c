/* SPDX-License-Identifier: Apache-2.0 */
/* ctl_destroy: the relay's end: stop it, then delete what kithd and kithctl made, and
 * only that. */
#include "daemon/control.h"
#include "daemon/ctl_link.h"
#include "daemon/ctl_say.h"
#include "daemon/ctl_words.h"
#include "lib/file.h"
#include "lib/seam.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { POLL_NS = 100 * 1000 * 1000, POLLS_A_SECOND = 10, DEPTH_MAX = 4 };

/* Keys first: whatever happens after that, nobody can be this relay any more. */
static const char *const made[] = {
    "relay.key", "admin.key",         "descriptors",  "state",
    "board",     "kithd.conf",        "kithd.conf.d", "kithd.log",
    "kithd.pid", CONTROL_SOCKET_NAME, "expire-clock", "lock",
};

static int delete_one(int folder, const char *name, int depth);

static int delete_inside(int folder, const char *name, int depth)
{
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct dirent *entry;
    DIR *dir;
    int rc = 0;

    if (fd < 0)
        return -errno;
    dir = fdopendir(fd);
    if (dir == NULL) {
        rc = -errno;
        (void)close(fd);
        return rc;
    }
    while (rc == 0 && (entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            rc = delete_one(fd, entry->d_name, depth + 1);
    (void)closedir(dir);
    return rc;
}

static int delete_one(int folder, const char *name, int depth)
{
    struct stat st;
    int rc = seam_check(SEAM_UNLINK);

    if (rc)
        return rc;
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW))
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISDIR(st.st_mode))
        return unlinkat(folder, name, 0) ? -errno : 0;
    if (depth >= DEPTH_MAX)
        return -ELOOP; /* nothing of ours lies so deep */
    rc = delete_inside(folder, name, depth);
    if (rc == 0 && unlinkat(folder, name, AT_REMOVEDIR))
        rc = -errno;
    return rc;
}

static int delete_relay(const char *dir)
{
    int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = 0;

    if (folder < 0)
        return -errno;
    for (size_t i = 0; rc == 0 && i < sizeof made / sizeof made[0]; i++)
        rc = delete_one(folder, made[i], 0);
    (void)close(folder);
    if (rc == 0)
        rc = file_sync_dir(dir);
    return rc;
}

/* Whoever runs a relay in this folder holds its lock, to the last write. */
static bool is_free(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool free;

    if (fd < 0)
        return errno == ENOENT;
    free = flock(fd, LOCK_EX | LOCK_NB) == 0;
    (void)close(fd);
    return free;
}

/* Ask it to stop, if it runs, and wait until it is gone.  Returns an exit code. */
static int stop_first(const struct ctl *c)
{
    static const struct timespec pause = {.tv_nsec = POLL_NS};
    struct ctl_answer answer = {0};
    char path[CONFIG_PATH_BYTES];
    int rc = ctl_ask(c, "stop", (struct bytes){0}, &answer);
    int exit = rc == CTL_LINK_E_ABSENT ? CTL_DONE : ctl_tell(c, rc, &answer);

    ctl_answer_free(&answer);
    if (exit != CTL_DONE)
        return exit;
    if (ctl_path(c, "lock", path))
        return ctl_fail(c, CTL_USAGE, "path-too-long", "%s", W_PATH_LONG);
    for (uint32_t polls = c->timeout_s * POLLS_A_SECOND; polls > 0; polls--) {
        if (is_free(path))
            return CTL_DONE;
        (void)nanosleep(&pause, NULL);
    }
    return ctl_fail(c, CTL_TIMED_OUT, "timeout", W_DESTROY_STOP, c->timeout_s);
}

/* The name to type is the one in the settings, whether or not the relay runs or they are
 * whole. */
static int read_name(const struct ctl *c, struct config *config)
{
    struct config_problems problems = {0};
    char path[CONFIG_PATH_BYTES];
    int rc;

    if (ctl_path(c, "kithd.conf", path))
        return ctl_fail(c, CTL_USAGE, "path-too-long", "%s", W_PATH_LONG);
    rc = config_load(path, config, &problems);
    config_problems_free(&problems);
    if (rc == CONFIG_E_ABSENT)
        return ctl_fail(c, CTL_ABSENT, "absent", W_NO_RELAY, c->dir, c->dir);
    return rc < 0 ? ctl_fail(c, CTL_DISK, "disk", "%s", err_text(rc)) : CTL_DONE;
}

int ctl_destroy(const struct ctl *c)
{
    struct config config;
    int exit;
    int rc;

    config_defaults(&config);
    exit = read_name(c, &config);
    if (exit != CTL_DONE)
        return exit;
    if (c->confirm == NULL)
        return ctl_fail(c, CTL_USAGE, "confirm", W_DESTROY_CONFIRM, c->dir, c->dir,
                        config.name);
    if (strcmp(c->confirm, config.name) != 0)
        return ctl_fail(c, CTL_USAGE, "confirm", W_DESTROY_NAME, c->confirm, config.name);
    exit = stop_first(c);
    if (exit != CTL_DONE)
        return exit;
    rc = delete_relay(c->dir);
    if (rc)
        return ctl_fail(c, CTL_DISK, "disk", W_DESTROY_FAILED, c->dir, err_text(rc));
    if (rmdir(c->dir) && (errno == ENOTEMPTY || errno == EEXIST))
        ctl_note(c, W_LEFT, c->dir);
    if (c->json)
        return ctl_json(json_pack("{s:i,s:s}", "v", 1, "destroyed", c->dir));
    ctl_say(c, W_DESTROYED, c->dir);
    return CTL_DONE;
}
