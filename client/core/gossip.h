/* SPDX-License-Identifier: Apache-2.0 */
/* gossip: what contacts' devices saw of the relay, held against what this one saw.
 * SPEC 4.5, 7.2.  A relay that shows two members two histories is found out here. Flow
 * core/receive -> gossip_heard -> db_log;  core/board -> gossip_reached Owns     nothing.
 * Threads: the node's.  All inside a transaction. */
#ifndef KITH_CORE_GOSSIP_H
#define KITH_CORE_GOSSIP_H

#include "client/core/core.h"
#include "proto/payload.h"

/* What came in a payload of this conversation.  What speaks of a part of the log that was
 * not read yet is kept until it is. */
MUST_USE int gossip_heard(struct core *c, int64_t conv, const struct payload_gossip *g);
/* The head after seq of this bucket is in db_log now. */
MUST_USE int gossip_reached(struct core *c, uint32_t bucket, uint64_t seq);
/* The relay says that it has no newer descriptor than ours: whoever saw another was shown
 * a different one. */
MUST_USE int gossip_descriptors(struct core *c);

#endif
