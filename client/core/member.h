/* SPDX-License-Identifier: Apache-2.0 */
/* member: who this is: invite, relay, descriptor, name, key, enrolment. SPEC 2.1, 3.6, 5.
 * Flow     core/node -> member -> db_profile
 * Owns     nothing.
 * Threads  the node's
 * Contracts are those of the node_* function of the same name; transactions are begun
 * here. */
#ifndef KITH_CORE_MEMBER_H
#define KITH_CORE_MEMBER_H

#include "client/core/core.h"

MUST_USE int member_join(struct core *c, const struct invite *invite);
MUST_USE int member_relay(struct core *c, const uint8_t pk[KEM_PK_BYTES],
                          const uint8_t cohort[32]);
MUST_USE int member_relay_get(struct core *c, struct node_relay *out);
MUST_USE int member_address(struct core *c, const struct address *a);
MUST_USE int member_name(struct core *c, const char *name);
MUST_USE int member_hello(struct core *c, const struct msg_hello_result *m,
                          uint32_t *ask_from);
MUST_USE int member_descriptor(struct core *c, struct bytes signed_);
MUST_USE int member_enrol(struct core *c, const uint8_t h[64], struct msg_enrol *out);
MUST_USE int member_enrolled(struct core *c);
MUST_USE int member_prove(struct core *c, const uint8_t h[64], struct msg_prove *out);
MUST_USE int member_status(struct core *c, struct status *out);
/* node_prove_refused; node.h has the contract. */
MUST_USE int member_refused(struct core *c, enum code code);
MUST_USE int member_relay_is(struct core *c, enum relay_state state, bool reached);

#endif
