/* SPDX-License-Identifier: Apache-2.0 */
/* gossip: what contacts' devices saw of the relay, and what the relay said of our own
 * posts, held against what this device read.  SPEC 4.5, 7.2.  A relay that shows two
 * histories is found out here.
 * Flow     core/receive -> gossip_heard, core/outbox -> gossip_answered -> db_log;
 *          core/board -> gossip_reached
 * Owns     nothing
 * Threads  the node's.  All inside a transaction. */
#ifndef KITH_CORE_GOSSIP_H
#define KITH_CORE_GOSSIP_H

#include "client/core/core.h"
#include "proto/payload.h"

/* What came in a payload of this conversation.  What speaks of a part of the log that was
 * not read yet is kept until it is. */
MUST_USE int gossip_heard(struct core *c, int64_t conv, const struct payload_gossip *g);
/* The relay answered a post of ours: it is at seq of this bucket, and head is the head
 * after it.  Held against what was, or will be, read of that bucket, if we read it. */
MUST_USE int gossip_answered(struct core *c, uint32_t bucket, uint64_t seq,
                             const uint8_t head[HASH_BYTES]);
/* The head after seq of this bucket is in db_log now. */
MUST_USE int gossip_reached(struct core *c, uint32_t bucket, uint64_t seq);
/* The relay says that it has no newer descriptor than ours: whoever saw another was shown
 * a different one. */
MUST_USE int gossip_descriptors(struct core *c);

#endif
