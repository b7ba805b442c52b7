/* SPDX-License-Identifier: Apache-2.0 */
/* sync: keeps one member in touch with the relay: the holder's side of core/node.
 * Flow     client/app -> sync -> peer -> link; core/node <-> sync
 * Owns     its connections and its timer
 * Threads  the loop's
 *
 * Connections (SPEC 3.7; node_reads, node_post_next):
 *   reading   directory and home bucket, and everything else node_reads() lists in slot 0
 *   link      one each for a bucket read because of a contact link, while it is listed
 *   posting   opened when something is due, and never used to read
 * Each comes back after a random part of 1, 2, 4 ... 30 s.  Credit: net/subs. */
#ifndef KITH_NET_SYNC_H
#define KITH_NET_SYNC_H

#include "client/net/peer.h"

enum {
    SYNC_BACKOFF_LEAST_MS = 1000,
    SYNC_BACKOFF_MOST_MS = 30 * 1000,
    SYNC_STEADY_MS = 5000, /* a connection that stood so long resets the back-off */
    SYNC_REPORT_MS =
        5000, /* the profile learns this often that the relay still answers */
    SYNC_POSTS_AT_ONCE =
        8, /* sealed and committed before the loop sees to others again */
};

struct sync;

struct sync_config {
    uv_loop_t *loop;
    struct node *node;              /* held by us: node_config.holder or node_hold() */
    const struct link_times *times; /* NULL: the default */
    /* Something worth looking at changed: connected, lost, refused.  May be NULL; runs on
     * the loop, not inside a call of the owner's. */
    void (*changed)(void *arg);
    void *arg;
};

/* Nothing is connected yet.  0 or -ENOMEM. */
MUST_USE int sync_new(const struct sync_config *c, struct sync **out);
/* Go online, stay so. */
void sync_start(struct sync *s);
/* Something was written, linked or accepted (here or by another process): look at once; a
 * connection that waits out its back-off is tried again now, at most once a second. */
void sync_poke(struct sync *s);
/* The owner's node_config.event passes every event on to this. */
void sync_event(struct sync *s, const struct event *e);

enum relay_state sync_state(const struct sync *s);
/* How the newest try ended; .fate 0 while none has. */
struct peer_end sync_trouble(const struct sync *s);
/* How many tries of the reading connection have ended since it last stood. */
uint32_t sync_failures(const struct sync *s);

/* Close everything; s is freed by the loop later (run it until it has nothing left). */
void sync_free(struct sync *s); /* NULL is fine */

#endif
