/* SPDX-License-Identifier: Apache-2.0 */
/* link: one connection to a relay, from its name to frames.  SPEC 2.
 * Flow     net/sync -> link -> relay; relay -> link -> net/sync
 * Owns     its socket, its timer, its channel; all gone in the last close callback
 * Threads  the loop's
 *
 *   resolve -> connect -> [ask for the key] -> handshake -> open -> closing
 *        each arrow is bounded by times.handshake_ms together; open by times.silence_ms
 */
#ifndef KITH_NET_LINK_H
#define KITH_NET_LINK_H

#include "proto/channel.h"
#include "proto/frame.h"
#include "proto/invite.h"

#include <uv.h>

struct link_conn;

enum link_why {
    LINK_ENDED = 1, /* the relay closed, or the network broke, after the handshake */
    LINK_NO_NAME,   /* the host name is not known here */
    LINK_NO_ANSWER, /* nothing took the connection, or it went silent */
    LINK_STRANGER,  /* something answered, and it is not the relay we were told of */
    LINK_BROKEN,    /* the relay broke the protocol */
    LINK_OURS,      /* no memory, no randomness */
};

struct link_times {
    uint32_t handshake_ms, keepalive_ms, silence_ms;
};
extern const struct link_times
    link_times_default; /* SPEC 2.6; resolving included, 15 s */

struct link_target {
    struct address address;
    bool have_key;             /* else the relay is asked, SPEC 2.1 */
    uint8_t key[KEM_PK_BYTES]; /* with have_key */
    uint8_t fingerprint[CHANNEL_FINGERPRINT_BYTES]; /* without */
    struct link_times times;
};

/* Each runs on the loop's thread and never from inside link_open() or link_send(). */
struct link_events {
    void (*opened)(struct link_conn *l, void *arg);
    /* One whole frame; its views are good during this call.  Non-zero: the frame broke
     * the protocol, and the link closes with LINK_BROKEN. */
    int (*frame)(struct link_conn *l, const struct frame *f, void *arg);
    /* Once, the last event; not after link_close().  The link is freed when it returns.
     */
    void (*closed)(enum link_why why, void *arg);
};

/* Begin.  events and arg must outlive the link.  0, -ENOMEM, or -errno of libuv (then no
 * event will come). */
MUST_USE int link_open(uv_loop_t *loop, const struct link_target *to,
                       const struct link_events *events, void *arg,
                       struct link_conn **out);

/* Seal these frames into one record and send it.  At most FRAME_CLIENT_MAX_BYTES, whole
 * frames, after opened().  0, -EMSGSIZE, -ENOTCONN, -ENOMEM. */
MUST_USE int link_send(struct link_conn *l, struct bytes frames);

/* Bytes handed over that the system has not taken yet. */
size_t link_unsent(const struct link_conn *l);

/* The relay's key and, when it was asked for, the cohort's id (else NULL).  After
 * opened(). */
const uint8_t *link_key(const struct link_conn *l);
const uint8_t *link_cohort(const struct link_conn *l);
/* SPEC 2.2: what enrol and prove sign. */
const uint8_t *link_hash(const struct link_conn *l);
/* Loop time (uv_now) of the last byte from the relay. */
uint64_t link_heard_ms(const struct link_conn *l);

/* Close without a further event.  Any state, any number of times, NULL is fine. */
void link_close(struct link_conn *l);

#endif
