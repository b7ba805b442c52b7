/* SPDX-License-Identifier: Apache-2.0 */
/* receive: one envelope of the home bucket: recognised by its tag, opened, put where it
 * belongs. SPEC 8.4 to 8.7.
 * Flow     core/board -> receive -> ratchet_open -> history, acks, gossip, linking
 * Owns     nothing.
 * Threads  the node's.  Holder only; inside a transaction. */
#ifndef KITH_CORE_RECEIVE_H
#define KITH_CORE_RECEIVE_H

#include "client/core/core.h"

/* quiet: the log is being read a second time, so repeated envelopes are no surprise.
 * Returns 0 (also for what is nobody's, damaged or repeated) or -errno. */
MUST_USE int receive_envelope(struct core *c, uint32_t bucket, uint64_t seq,
                              const uint8_t *envelope, bool quiet);
/* Long texts whose parts never all came. */
MUST_USE int receive_tick(struct core *c);

#endif
