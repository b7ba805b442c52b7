/* SPDX-License-Identifier: Apache-2.0 */
/* notify: tells the service manager how we are; the only file that knows libsystemd.
 * Flow     main, relay -> notify.  Threads: the loop's
 * Without a service manager every call does nothing. */
#ifndef KITH_DAEMON_NOTIFY_H
#define KITH_DAEMON_NOTIFY_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

enum { NOTIFY_FDS_MAX = 8 };

/* Listening sockets it handed us.  Returns how many, 0 when none. */
size_t notify_sockets(int fds[NOTIFY_FDS_MAX]);
/* status: a short phrase, without anything that names a person. */
void notify_ready(const char *status);
void notify_reloading(void);
void notify_stopping(void);
void notify_status(const char *status);

/* The watchdog, if it wants one: told from the loop, so that a loop that hangs is
 * noticed. */
struct notify_watchdog {
    uv_timer_t timer;
    bool active;
};
void notify_watchdog_start(struct notify_watchdog *w, uv_loop_t *loop);
void notify_watchdog_stop(struct notify_watchdog *w);

#endif
