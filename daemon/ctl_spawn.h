/* SPDX-License-Identifier: Apache-2.0 */
/* ctl_spawn: kithd as a child of kithctl: in this window, or on its own with a log file.
 * kithd is the one beside this kithctl (build folder), in ../sbin (installed), or in
 * PATH. */
#ifndef KITH_DAEMON_CTL_SPAWN_H
#define KITH_DAEMON_CTL_SPAWN_H

#include "daemon/ctl.h"

#include <sys/types.h>

/* Start it and wait until its control socket answers.  Without --foreground it leads a
 * session of its own, its standard error goes to DIR/kithd.log.  Returns an exit code;
 * tells errors. */
MUST_USE int ctl_spawn(const struct ctl *c, pid_t *relay);
/* --foreground: wait for its end, passing on the signals that ask for it.  exit: what
 * kithctl would end with otherwise; when that is not CTL_DONE the relay is stopped at
 * once. */
MUST_USE int ctl_spawn_wait(const struct ctl *c, pid_t relay, int exit);

#endif
