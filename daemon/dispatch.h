/* SPDX-License-Identifier: Apache-2.0 */
/* dispatch: one row a method: the states it is allowed in, and its handler. SPEC 3.5,
 * 3.7.
 * Flow     session -> dispatch -> handle_*.  Threads: the loop's. */
#ifndef KITH_DAEMON_DISPATCH_H
#define KITH_DAEMON_DISPATCH_H

#include "daemon/session.h"

/* Handle one frame from the client.  0, SESSION_E_MALFORMED or -errno. */
MUST_USE int dispatch_frame(struct session *s, const struct frame *f);

#endif
