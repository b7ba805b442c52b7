/* SPDX-License-Identifier: Apache-2.0 */
/* board: the relay's logs as this member reads them: positions, chains, and what does
 * not fit. SPEC 4.
 * Flow     client/net -> board -> receive, linking, gossip
 * Owns     the running subscriptions, in memory; positions are in the database
 * Threads  the node's. Holder only, but for board_accept().
 *
 * A subscription resumes at the start of a 256-block.  What is read again is held against
 * the heads that are known; what is new is handled and its position stored in one
 * transaction. */
#ifndef KITH_CORE_BOARD_H
#define KITH_CORE_BOARD_H

#include "client/core/core.h"

struct board;

enum {
    BOARD_E_NONE = 1, /* not asked for */
    BOARD_E_LIE,      /* an alarm was raised; this reading is over */
};

MUST_USE struct board *board_new(struct core *c); /* NULL: out of memory */
void board_free(struct board *b);

/* node_reads, node_subscribed, node_envelopes, node_gap, node_read_lost: contracts in
 * node.h. */
MUST_USE int board_reads(struct board *b, struct node_read out[NODE_READS_MAX],
                         size_t *count);
MUST_USE int board_subscribed(struct board *b, uint32_t slot, uint32_t bucket,
                              const struct msg_subscribe_result *m);
MUST_USE int board_envelopes(struct board *b, uint32_t slot,
                             const struct msg_envelopes *m);
MUST_USE int board_gap(struct board *b, uint32_t slot, const struct msg_gap *m);
void board_lost(struct board *b, uint32_t slot);

/* Inside a transaction: the person accepts an alarm about a log: the bucket is read anew
 * from its oldest envelope if its reading was stopped, and what is undelivered is sent
 * again. */
MUST_USE int board_accept(struct core *c, const struct alarm *a);
/* Inside a transaction: heads older than the retention. */
MUST_USE int board_tick(struct core *c);

#endif
