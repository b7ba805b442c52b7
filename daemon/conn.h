/* SPDX-License-Identifier: Apache-2.0 */
/* conn: one connection: preamble, handshake, records, deadlines.  SPEC 2.
 * Flow     listener -> conn_accept -> on_read -> channel -> session_feed; conn_wake ->
 *          conn_pump -> session_fill -> channel -> the socket
 * Owns     the socket, the channel's keys, bytes of an incomplete record, the rest of
 *          a record the peer has not taken yet
 * Threads  the loop's
 *
 *                        0x01                16 bytes, ours: key sent
 *     CONN_PREAMBLE  ----------->  CONN_ASK  ------------------+
 *       |  ^                                                   |
 *       |  +---------------------------------------------------+
 *       | 0x00
 *       v             2368 bytes                    conn_handshaken: 1152 sent
 *     CONN_MESSAGE  ------------->  CONN_WAITING  ---------------------------> CONN_OPEN
 *                                                                                 |
 *                                         conn_finish: reads no more, answers     |
 *     CONN_LINGERING  <-----  CONN_FINISHING  <-----------------------------------+
 *       |   all answered and taken: FIN sent, waits for the peer's
 *       v
 *     CONN_CLOSED  <---- conn_close, the one way out, from any state
 */
#ifndef KITH_DAEMON_CONN_H
#define KITH_DAEMON_CONN_H

#include "daemon/admit.h"
#include "daemon/relay.h"
#include "proto/channel.h"

struct conn;
struct session;

/* Memory for one that waits; NULL: there is none.  conn_accept() owns it from then on. */
MUST_USE struct conn *conn_new(void);
/* Take the connection that waits on this listening socket; one over a cap is closed at
 * once. */
void conn_accept(struct conn *c, struct relay *r, uv_stream_t *server);

/* The handshake that conn_accept's connection asked for has ended; found by id. */
void conn_handshaken(uint64_t id, int rc, const struct channel *channel,
                     const uint8_t msg2[CHANNEL_MSG2_BYTES], void *relay);

/* There is something to send, or room for more requests. */
void conn_wake(struct conn *c);
/* From conns: send at most one record, go on reading where it was put off. */
void conn_pump(struct conn *c);
/* From conns, once a tick. */
void conn_tick(struct conn *c);

/* Read no more; answer what was asked; then close.  Any number of times. */
void conn_finish(struct conn *c, const char *why);
/* Close now.  Any number of times; c stays valid until the loop's next turn. */
void conn_close(struct conn *c, const char *why);

/* NULL before the handshake's end. */
struct session *conn_session(struct conn *c);
/* The channel hash (SPEC 2.2), valid as long as c. */
const uint8_t *conn_hash(const struct conn *c);

#endif
