/* SPDX-License-Identifier: Apache-2.0 */
/* ctl_port: does the relay answer where members look for it, and is it this one?
 * SPEC 2.1. */
#ifndef KITH_DAEMON_CTL_PORT_H
#define KITH_DAEMON_CTL_PORT_H

#include "proto/channel.h"
#include "proto/invite.h"

enum {
    CTL_PORT_E_DEAF = 1, /* no connection, or no answer in time */
    CTL_PORT_E_FOREIGN,  /* an answer, but not this relay's key */
};

/* Ask for the key as a new member would.  A wildcard address is asked over loopback.
 * Blocks up to timeout_s.  Returns 0, CTL_PORT_E_* or -errno. */
MUST_USE int ctl_port_check(const struct address *a, const uint8_t pk[KEM_PK_BYTES],
                            const uint8_t cohort[CHANNEL_COHORT_BYTES],
                            uint32_t timeout_s);

#endif
