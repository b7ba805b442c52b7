/* SPDX-License-Identifier: Apache-2.0 */
/* acks: what we owe the peer an answer for, what the peer says of ours, and what is
 * therefore sent a second time.  SPEC 8.3, 8.5.
 * Flow     core/receive -> acks -> core/outbox
 * Owns     nothing.
 * Threads  the node's.  Holder only; all inside a transaction. */
#ifndef KITH_CORE_ACKS_H
#define KITH_CORE_ACKS_H

#include "client/core/core.h"
#include "client/core/db_outbox.h"

/* Something came that wants an ack: it rides on our next envelope, or goes alone after a
 * random span. */
MUST_USE int acks_owe(struct core *c, struct session *s, struct conv_row *conv);
/* 128 came unanswered: an empty turn within a random span. */
MUST_USE int acks_owe_empty(struct core *c, struct session *s);
/* A take was accepted: the accept goes out after a random span. */
MUST_USE int acks_owe_accept(struct core *c, struct session *s);

/* What the peer says of our envelopes: delivered ones are done with, missing ones that
 * the relay had said it stored are sent again; a second time raises ALARM_OMITTED. */
MUST_USE int acks_read(struct core *c, struct session *s, const struct payload_ack *ack);
/* Everything not known to be delivered is sent again, and all acks told again: the
 * relay's log is not what it was. */
MUST_USE int acks_resend_all(struct core *c);
/* The conversation ended: what is still queued does not go out. */
MUST_USE int acks_stop(struct core *c, int64_t conv);
/* Resends at 80 % of the retention; texts whose time at the relay is over. */
MUST_USE int acks_tick(struct core *c);

#endif
