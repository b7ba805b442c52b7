/* SPDX-License-Identifier: Apache-2.0 */
/* subs: what one reading connection is subscribed to, and its credit.  SPEC 3.5.
 * Flow     core/node (node_reads) -> sync -> subs -> peer
 * Owns     nothing: lives in sync's line
 * Threads  the loop's
 * Credit is granted in fixed steps when envelopes arrive, before anybody looks at them,
 * so that the steps say nothing about whose they were. */
#ifndef KITH_NET_SUBS_H
#define KITH_NET_SUBS_H

#include "client/net/peer.h"

enum {
    SUBS_CREDIT_FIRST =
        32 * ENVELOPES_PER_RECORD_MAX, /* 2 MB on their way: fills a fast line */
    SUBS_CREDIT_STEP = 16 * ENVELOPES_PER_RECORD_MAX,
};

struct subscription {
    bool used;
    bool answered; /* envelopes before the answer are none of ours */
    uint32_t bucket;
    uint32_t request; /* the id that the answer will have */
    uint32_t arrived; /* envelopes since the last credit */
};
struct subs {
    struct subscription list[NODE_READS_MAX];
};

/* NULL: not subscribed. */
struct subscription *subs_find(struct subs *s, uint32_t bucket);
/* Ask for a bucket from where the node wants it.  A failed send ends the peer
 * (peer_send). */
void subs_add(struct subs *s, struct peer *p, const struct node_read *r);
/* Tell the relay, and forget it. */
void subs_drop(struct subscription *sub, struct peer *p);
/* So many envelopes came: more credit when a step is full. */
void subs_arrived(struct subscription *sub, struct peer *p, size_t count);

#endif
