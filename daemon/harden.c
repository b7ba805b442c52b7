/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/harden.h"

#include "lib/log.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    OWN_FILES =
        256, /* log days, sockets, libuv's own: a quarter retention of days and spare */
};
#define USER_DEFAULT "_kithd"

int harden_early(void)
{
    const struct rlimit none = {0, 0};

    (void)umask(077);
    (void)signal(SIGPIPE, SIG_IGN);
    if (setrlimit(RLIMIT_CORE, &none))
        return -errno;
#if !defined( \
    __SANITIZE_ADDRESS__) /* whose leak check has to attach to its own process \
                                    */
    if (prctl(PR_SET_DUMPABLE, 0))
        return -errno;
#endif
    return 0;
}

uint32_t harden_descriptors(uint32_t connections)
{
    rlim_t want = (rlim_t)connections + OWN_FILES;
    struct rlimit l;

    if (getrlimit(RLIMIT_NOFILE, &l))
        return connections;
    if (l.rlim_cur < want && l.rlim_cur < l.rlim_max) {
        l.rlim_cur = want < l.rlim_max ? want : l.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &l); /* asked again below */
        if (getrlimit(RLIMIT_NOFILE, &l))
            return connections;
    }
    if (l.rlim_cur >= want)
        return connections;
    return l.rlim_cur > 2 * OWN_FILES ? (uint32_t)(l.rlim_cur - OWN_FILES)
                                      : (uint32_t)(l.rlim_cur / 2);
}

static int become(const struct passwd *pw)
{
    if (setgroups(0, NULL) || setgid(pw->pw_gid) || setuid(pw->pw_uid))
        return -errno;
    /* A process that can come back has dropped nothing. */
    return setuid(0) == 0 ? -EPERM : 0;
}

int harden_drop(const char *user, const char *dir, char why[HARDEN_WHY_BYTES])
{
    const struct passwd *pw;
    struct stat st;

    if (geteuid() != 0)
        return 0;
    pw = getpwnam(user[0] != '\0' ? user : USER_DEFAULT);
    if (pw == NULL && user[0] == '\0') {
        log_warn("running as root: this machine has no user " USER_DEFAULT
                 " and relay.user names none");
        return 0;
    }
    if (pw == NULL) {
        (void)snprintf(why, HARDEN_WHY_BYTES,
                       "relay.user names \"%s\", which this machine does not have.",
                       user);
        return HARDEN_E_USER;
    }
    if (stat(dir, &st))
        return -errno;
    if (st.st_uid == pw->pw_uid)
        return become(pw);
    if (user[0] != '\0') {
        (void)snprintf(why, HARDEN_WHY_BYTES,
                       "The folder does not belong to relay.user. Run: chown -R %s %s",
                       user, dir);
        return HARDEN_E_USER;
    }
    log_warn("running as root: the relay's folder does not belong to " USER_DEFAULT);
    return 0;
}

int harden_late(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}
