/* SPDX-License-Identifier: Apache-2.0 */
/* control_client: asks a relay's control socket, blocking, for tests (daemon/control.h).
 */
#ifndef KITH_TESTS_CONTROL_CLIENT_H
#define KITH_TESTS_CONTROL_CLIENT_H

#include "lib/buf.h"
#include "proto/msg.h"

/* Connect to dir's control socket.  The descriptor, or -errno. */
MUST_USE int control_open(const char *dir);
/* Send one request (params: a whole msgpack map) and read its answer into `answer` (an
 * initialised growing buffer).  0 or -errno. */
MUST_USE int control_ask(int fd, const char *method, struct bytes params,
                         struct buf *answer);
/* One call on a connection of its own, with at most one number for a parameter (key NULL:
 * none). */
MUST_USE int control_once(const char *dir, const char *method, const char *key,
                          uint64_t value, struct buf *answer);
/* True if the answer is a result, false if it is an error. */
bool control_good(const struct buf *answer);
/* A string or number of the result (or of the error) by its key; NULL or UINT64_MAX if
 * absent. */
bool control_text(const struct buf *answer, const char *key, char *out, size_t room);
uint64_t control_number(const struct buf *answer, const char *key);

/* A fresh invite: its secret and number.  0 or -errno. */
MUST_USE int control_invite(const char *dir, uint8_t secret[INVITE_SECRET_BYTES],
                            uint64_t *number);

#endif
