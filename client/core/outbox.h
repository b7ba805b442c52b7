/* SPDX-License-Identifier: Apache-2.0 */
/* outbox: what goes out next, sealed at the last moment; and what became of it.
 * SPEC 8.3, 8.7.
 * Flow     core/compose -> outbox -> ratchet, contact -> client/net;  its answers ->
 *          outbox
 * Owns     the list of posts on their way; in memory only: after a restart they count as
 *          lost
 * Threads  the node's.  Holder only. */
#ifndef KITH_CORE_OUTBOX_H
#define KITH_CORE_OUTBOX_H

#include "client/core/core.h"
#include "client/core/db_outbox.h"

struct outbox;

/* Takes over what an earlier holder left: posts without an answer are ready again, acks
 * that are owed get a time. */
MUST_USE int outbox_new(struct core *c, struct outbox **out);
void outbox_free(struct outbox *o); /* NULL is fine */

/* node_post_next, _done, _refused, _posts_lost; node.h has the contracts.  OUTBOX_E_NONE
 * for NODE_E_NONE. */
enum { OUTBOX_E_NONE = 1 };
MUST_USE int outbox_next(struct outbox *o, struct node_post *out);
MUST_USE int outbox_done(struct outbox *o, uint64_t id, uint64_t seq,
                         const uint8_t head[32]);
MUST_USE int outbox_refused(struct outbox *o, uint64_t id, enum code code);
MUST_USE int outbox_lost(struct outbox *o);
/* Milliseconds until outbox_next() may have something; UINT64_MAX: nothing waits for
 * time. */
uint64_t outbox_due(struct outbox *o);

/* Acks that are owed are due within a random part of most_ms (SPEC 8.5). */
MUST_USE int outbox_hurry(struct outbox *o, uint32_t most_ms);
/* Something is on its way, or goes out by itself within so many milliseconds. */
bool outbox_owes(struct outbox *o, uint32_t within_ms);

#endif
