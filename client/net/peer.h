/* SPDX-License-Identifier: Apache-2.0 */
/* peer: one connection that has introduced itself: hello, descriptors, then what it is
 * for.
 * Flow     net/sync -> peer -> net/link; and back
 * Owns     its link
 * Threads  the loop's
 *
 *   link opened -> hello -> [descriptors ...] -> LOOK: ready
 *                                             -> ENROL: enrol -> ready
 *                                             -> MEMBER: prove -> ready
 * hello comes before all on every connection (SPEC 3.5); enrolment has one of its own
 * (3.7). */
#ifndef KITH_NET_PEER_H
#define KITH_NET_PEER_H

#include "client/core/node.h"
#include "client/net/link.h"

struct peer;

enum peer_for { PEER_LOOK, PEER_ENROL, PEER_MEMBER };

/* Why it ended. */
enum peer_fate {
    PEER_LINK = 1, /* the connection: .link says how */
    PEER_REFUSED,  /* the relay said no to what it is for: .code says how */
    PEER_LIE,  /* the relay contradicts what is known; core/node has raised the alarm */
    PEER_KEY,  /* not the relay the invite names */
    PEER_DISK, /* .rc: our own database failed */
};
struct peer_end {
    enum peer_fate fate;
    enum link_why link;
    enum code code;
    int rc;
};

struct peer_events {
    void (*ready)(struct peer *p, void *arg);
    /* The answer to peer_send(). */
    void (*answer)(struct peer *p, const struct frame *f, void *arg);
    void (*notify)(struct peer *p, enum method m, struct bytes body, void *arg);
    /* Once, the last event; not after peer_close().  The peer is freed when it returns.
     */
    void (*ended)(struct peer *p, const struct peer_end *end, void *arg);
};

/* Connect as this node knows the relay.  times NULL: the default.  0 or -errno. */
MUST_USE int peer_open(uv_loop_t *loop, struct node *n, enum peer_for what,
                       const struct link_times *times, const struct peer_events *events,
                       void *arg, struct peer **out);

/* An id for the next request. */
uint32_t peer_id(struct peer *p);
/* Send frames written by msg_*_write; b->rc is looked at, b emptied.  On failure the peer
 * ends (later, by its event) and this returns -errno. */
int peer_send(struct peer *p, struct buf *b);
bool peer_is_ready(const struct peer *p);
/* Loop time of the last byte heard; 0 before the connection stood. */
uint64_t peer_heard_ms(const struct peer *p);
uint64_t peer_ready_ms(const struct peer *p); /* loop time it got ready; 0: not yet */

/* End it from inside an event, as if the relay had done this. */
void peer_fail(struct peer *p, const struct peer_end *end);
/* Close without a further event.  NULL is fine. */
void peer_close(struct peer *p);

#endif
