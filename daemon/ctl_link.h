/* SPDX-License-Identifier: Apache-2.0 */
/* ctl_link: one request to the running relay over its control socket (daemon/control.h).
 * Flow     ctl_* -> ctl_link -> control.sock -> kithd
 * Owns     the answer's bytes, until ctl_answer_free
 * Threads  the only one; blocks up to the timeout */
#ifndef KITH_DAEMON_CTL_LINK_H
#define KITH_DAEMON_CTL_LINK_H

#include "daemon/ctl.h"
#include "proto/mp_read.h"

enum {
    CTL_LINK_E_ABSENT = 1, /* nobody listens: no relay is running */
    CTL_LINK_E_FORBIDDEN,  /* the socket is another user's */
    CTL_LINK_E_SILENT,     /* no answer within the timeout */
    CTL_LINK_E_CLOSED,     /* hung up in the middle, or not our protocol */
    CTL_LINK_E_REFUSED, /* answered with an error: see answer.code and answer.message */
};
enum { CTL_CODE_CHARS = 32, CTL_MESSAGE_CHARS = 512 };

struct ctl_answer {
    struct buf raw;
    struct bytes result;   /* a map, in raw */
    struct bytes problems; /* an array of str, in raw; empty when absent */
    char code[CTL_CODE_CHARS];
    char message[CTL_MESSAGE_CHARS];
};

/* params: a whole msgpack map, or empty for {}.  Returns 0, CTL_LINK_E_* or -errno. */
MUST_USE int ctl_ask(const struct ctl *c, const char *method, struct bytes params,
                     struct ctl_answer *answer);
void ctl_answer_free(struct ctl_answer *answer); /* a zeroed one is fine */

/* Ask, and tell the person when it went wrong.  Returns an exit code, 0 with the answer.
 */
MUST_USE int ctl_ask_or_tell(const struct ctl *c, const char *method, struct bytes params,
                             struct ctl_answer *answer);
/* Told already what ctl_ask returned: the exit code for it. */
MUST_USE int ctl_tell(const struct ctl *c, int rc, const struct ctl_answer *answer);

/* Reading a result: the value of a key, as a cursor that has failed when it is not there.
 * Texts are copied, cut at the room there is, without control characters. */
struct mp ctl_get(struct bytes map, const char *key);
uint64_t ctl_get_uint(struct bytes map, const char *key);
void ctl_get_str(struct bytes map, const char *key, char *out, size_t room);

#endif
