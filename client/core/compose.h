/* SPDX-License-Identifier: Apache-2.0 */
/* compose: what a person writes becomes history and outbox rows; what is about to be
 * sealed becomes a payload with acks and gossip.  SPEC 7.
 * Flow     core/node -> compose_text -> db;  core/outbox -> compose_row -> ratchet_seal
 * Owns     nothing.
 * Threads  the node's */
#ifndef KITH_CORE_COMPOSE_H
#define KITH_CORE_COMPOSE_H

#include "client/core/core.h"
#include "client/core/db_outbox.h"

enum {
    COMPOSE_E_TEXT = 1, /* empty, too long, not UTF-8 */
    COMPOSE_E_GONE,     /* the message was forgotten meanwhile */
};

/* How many parts a text makes: SPEC 7.1 `p`.  0 or COMPOSE_E_TEXT. */
MUST_USE int compose_parts(struct bytes text, uint32_t *parts);
/* One of them, 0-based; a view into text. */
struct bytes compose_part(struct bytes text, uint32_t part);

/* Inside a transaction: a history row, QUEUED, and its outbox rows.
 * Returns 0, COMPOSE_E_TEXT or -errno. */
MUST_USE int compose_text(struct core *c, const struct conv_row *conv, struct bytes text,
                          int64_t *message);
/* The outbox rows of a message that exists already. */
MUST_USE int compose_queue(struct core *c, int64_t conv, int64_t message,
                           const uint8_t mid[MESSAGE_ID_BYTES], uint32_t parts);

/* Payloads, appended to out.  acks: those of the session, given in by the caller, who
 * calls ratchet_acks_told() once it is sealed. */
struct compose_acks {
    size_t n;
    struct payload_ack acks[ACKS_MAX];
};
/* Of an outbox row.  Returns 0, COMPOSE_E_GONE or -errno. */
MUST_USE int compose_row(struct core *c, const struct conv_row *conv,
                         const struct outbox_row *o, const struct compose_acks *acks,
                         struct buf *out);
/* PAYLOAD_ACK, or PAYLOAD_EMPTY when there is nothing to ack. */
MUST_USE int compose_ack(struct core *c, const struct conv_row *conv,
                         const struct compose_acks *acks, struct buf *out);
/* PAYLOAD_OFFER or PAYLOAD_TAKE: name and home bucket. */
MUST_USE int compose_link(struct core *c, enum payload_type type, struct buf *out);

#endif
