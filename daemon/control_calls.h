/* SPDX-License-Identifier: Apache-2.0 */
/* control_calls: what each method of the control socket does (control.h has the
 * protocol).
 * Flow     control -> control_call -> relay, members, store -> control_answer ->
 *          control
 * Threads  the loop's */
#ifndef KITH_DAEMON_CONTROL_CALLS_H
#define KITH_DAEMON_CONTROL_CALLS_H

#include "daemon/control.h"
#include "daemon/relay.h"

/* Carry out one request of this client; control_answer() runs once, now or later.
 * 0, or -EBADMSG when it is not a request at all. */
MUST_USE int control_call(struct control *control, struct relay *r, uint64_t client,
                          struct bytes request);

/* Of control.c.  Send the answer in `message` (frees it); a client that has gone is fine.
 */
void control_answer(struct control *c, uint64_t client, struct buf *message);
/* This client's answer comes when no connection is left. */
void control_await_drained(struct control *c, uint64_t client);

/* The answer to a `drain`. */
void control_calls_drained(struct control *control, uint64_t client);

#endif
