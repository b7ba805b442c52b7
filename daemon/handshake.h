/* SPDX-License-Identifier: Apache-2.0 */
/* handshake: the slow step of a new connection, off the loop.  SPEC 2.3.
 * Flow     conn -> handshake -> pool thread: proto/channel -> conn, found by id
 * Owns     the jobs: at most CHANNEL_HANDSHAKES_MAX run,
 *          CHANNEL_HANDSHAKES_WAITING_MAX wait
 * Threads  called on the loop; a job touches nothing but itself and the relay's keys
 */
#ifndef KITH_DAEMON_HANDSHAKE_H
#define KITH_DAEMON_HANDSHAKE_H

#include "daemon/keys.h"
#include "proto/channel.h"

#include <uv.h>

struct handshakes;

/* rc: 0 with an open channel and its answer (borrowed: copy them), CHANNEL_E_REFUSED or
 * -errno. */
typedef void handshake_done(uint64_t conn, int rc, const struct channel *channel,
                            const uint8_t msg2[CHANNEL_MSG2_BYTES], void *arg);

/* keys must outlive the last job. */
MUST_USE int handshakes_new(uv_loop_t *loop, const struct keys *keys,
                            handshake_done *done, void *arg, struct handshakes **out);
/* Copies msg1.  0 if done will run; -EBUSY when too many wait; -ENOMEM. */
MUST_USE int handshakes_submit(struct handshakes *h, uint64_t conn,
                               const uint8_t msg1[CHANNEL_MSG1_BYTES]);
/* The connection is gone: its job, if it still waits, is dropped without done. */
void handshakes_cancel(struct handshakes *h, uint64_t conn);
/* No job runs or waits. */
bool handshakes_idle(const struct handshakes *h);
/* When idle; NULL is fine. */
void handshakes_free(struct handshakes *h);

#endif
