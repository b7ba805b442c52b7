/* SPDX-License-Identifier: Apache-2.0 */
/* linking: how two people become a conversation: offers, takes, and who was first.
 * SPEC 8.1.
 * Flow     core/node -> linking_begin, linking_take -> core/outbox (offer, take)
 *          core/board -> linking_home, linking_scanned -> contact, sessions
 * Owns     nothing.
 * Threads  the node's.  All but linking_print() inside a transaction. */
#ifndef KITH_CORE_LINKING_H
#define KITH_CORE_LINKING_H

#include "client/core/core.h"

/* node_link_begin, node_link_text, node_link_take: returns as there. */
MUST_USE int linking_begin(struct core *c, uint32_t valid_s, int64_t *conv);
MUST_USE int linking_print(struct core *c, int64_t conv, char out[LINK_CHARS + 1]);
MUST_USE int linking_take(struct core *c, const char *text, size_t text_n, int64_t *conv);

/* Envelopes to post.  0, DB_E_NONE (forgotten) or -errno. */
MUST_USE int linking_seal_offer(struct core *c, int64_t conv, uint8_t *envelope,
                                uint32_t *bucket);
MUST_USE int linking_seal_take(struct core *c, int64_t conv, uint8_t *envelope,
                               uint32_t *bucket);
/* Their durable answers. */
MUST_USE int linking_offered(struct core *c, int64_t conv, uint64_t seq);
MUST_USE int linking_take_posted(struct core *c, int64_t conv);
/* CONV_FAILED, the link gone. */
MUST_USE int linking_failed(struct core *c, int64_t conv, enum conv_why why);

/* An envelope of the home bucket that no session knows: a take of one of our links? *ours
 * tells whether it was of any. */
MUST_USE int linking_home(struct core *c, const uint8_t *envelope, bool *ours);

/* What the reading of a link's bucket from its block on has shown so far; one per slot,
 * kept by core/board, zero at the start of each subscription. */
struct linking_scan {
    bool offer;   /* seen */
    bool taken;   /* the first take was seen */
    bool damaged; /* an offer that does not open or says nonsense was seen */
};
/* The next envelope in log order of the bucket of link l, which we take. */
MUST_USE int linking_scanned(struct core *c, struct linking_scan *scan,
                             struct link_row *l, const uint8_t *envelope);
/* All that was there when the subscription began has been seen.  from_start: the log
 * still reached back to the link's block. */
MUST_USE int linking_scan_ended(struct core *c, const struct linking_scan *scan,
                                struct link_row *l, bool from_start);
/* Their accept opened. */
MUST_USE int linking_accepted(struct core *c, int64_t conv, struct bytes name,
                              uint32_t home);
/* The words to compare can be had: once, after a step. */
MUST_USE int linking_words(struct core *c, const struct session *s,
                           const struct conv_row *conv);
/* Links past their last hour. */
MUST_USE int linking_tick(struct core *c);

#endif
