/* SPDX-License-Identifier: Apache-2.0 */
/* ctl_invite: how a fresh invite is shown, for `invite` and `up`. */
#ifndef KITH_DAEMON_CTL_INVITE_H
#define KITH_DAEMON_CTL_INVITE_H

#include "daemon/ctl_link.h"

/* The answer to the control method `invite`, as text with its QR code, one line (-q) or
 * JSON. Returns an exit code. */
MUST_USE int ctl_invite_print(const struct ctl *c, const struct ctl_answer *answer);

#endif
