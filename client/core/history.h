/* SPDX-License-Identifier: Apache-2.0 */
/* history: what a person writes, reads, marks and forgets.
 * Flow     core/node -> history -> compose, db_messages -> the file
 * Owns     nothing.
 * Threads  the node's
 * Contracts are those of the node_* function of the like name; transactions are begun
 * here. */
#ifndef KITH_CORE_HISTORY_H
#define KITH_CORE_HISTORY_H

#include "client/core/core.h"

MUST_USE int history_send(struct core *c, int64_t conv, const char *text, size_t text_n,
                          int64_t *message);
MUST_USE int history_send_again(struct core *c, int64_t message);
MUST_USE int history_end(struct core *c, int64_t conv);
MUST_USE int history_each(struct core *c, const struct node_history *q,
                          node_message_fn *visit, void *arg);
MUST_USE int history_one(struct core *c, int64_t message, node_message_fn *visit,
                         void *arg);
MUST_USE int history_mark(struct core *c, int64_t conv, int64_t upto);
MUST_USE int history_forget_message(struct core *c, int64_t message);
MUST_USE int history_forget(struct core *c, int64_t conv);

#endif
