/* SPDX-License-Identifier: Apache-2.0 */
/* handle_*: one file a method, in three paragraphs: decode, decide, reply.  SPEC 3.5.
 * Flow     dispatch -> handle_* -> members, commit, fanout; answers -> session
 * Threads  the loop's
 * Each returns 0 (answered, or to be answered later), SESSION_E_MALFORMED, or -errno. */
#ifndef KITH_DAEMON_HANDLE_H
#define KITH_DAEMON_HANDLE_H

#include "daemon/session.h"

typedef int handler(struct session *s, uint32_t id, struct bytes params);

handler handle_hello, handle_descriptors, handle_enrol, handle_prove, handle_post;
handler handle_subscribe, handle_unsubscribe, handle_credit;

#endif
