/* SPDX-License-Identifier: Apache-2.0 */
/* listener: the sockets that connections arrive at.
 * Flow     the network -> listener -> conn_accept
 * Owns     its sockets
 * Threads  the loop's */
#ifndef KITH_DAEMON_LISTENER_H
#define KITH_DAEMON_LISTENER_H

#include "daemon/relay.h"

struct listener;

/* Listen on the given sockets, or else on the configuration's addresses.  An address
 * family that this machine lacks is passed over with a warning, if another one is left.
 * 0 or -errno; why: a sentence. */
MUST_USE int listener_start(struct relay *r, const int *fds, size_t fds_n,
                            struct listener **out, char why[RELAY_WHY_BYTES]);
/* Close the sockets; closed runs when all are.  NULL runs it at once. */
void listener_stop(struct listener *l, void (*closed)(void *arg), void *arg);
void listener_free(struct listener *l); /* after closed; NULL is fine */

#endif
