/* SPDX-License-Identifier: Apache-2.0 */
/* ctl: what the verbs of kithctl share.
 * Flow     argv -> ctl_main -> ctl_up, ctl_invite, ctl_state, ctl_destroy -> ctl_link ->
 * kithd Owns     nothing: one struct on main's stack, borrowed by the verbs Threads  the
 * only one */
#ifndef KITH_DAEMON_CTL_H
#define KITH_DAEMON_CTL_H

#include "daemon/config.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Exit codes, as kith has them. */
enum {
    CTL_DONE = 0,
    CTL_TIMED_OUT = 4,
    CTL_USAGE = 64,
    CTL_DATA = 65,
    CTL_ABSENT = 66,
    CTL_UNREACHABLE = 69,
    CTL_BUG = 70,
    CTL_DISK = 74,
    CTL_REFUSED = 77,
    CTL_CONFIG = 78,
    CTL_INTERRUPTED = 130,
};

struct ctl {
    /* shared flags */
    bool json, quiet, no_input;
    char dir[CONFIG_PATH_BYTES];
    uint32_t timeout_s;
    bool timeout_given;
    const char *verb;
    /* flags of single verbs, checked by ctl_main against the verb */
    const char *name, *host, *confirm;
    bool foreground, all;
    uint32_t hours, members;
    const char *argument; /* what stands after the verb, at most one */
};

/* One verb: returns an exit code, having told everything. */
typedef int ctl_verb(const struct ctl *c);
ctl_verb ctl_up, ctl_invite, ctl_invites, ctl_revoke, ctl_status, ctl_held, ctl_reload,
    ctl_drain, ctl_stop, ctl_destroy;

/* dir/name into out; -ENAMETOOLONG. */
MUST_USE int ctl_path(const struct ctl *c, const char *name, char out[CONFIG_PATH_BYTES]);

#endif
