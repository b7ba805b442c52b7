/* SPDX-License-Identifier: Apache-2.0 */
/* harden: what the process gives up before it serves anybody.
 * Flow     main -> harden.  Threads: before any other starts */
#ifndef KITH_DAEMON_HARDEN_H
#define KITH_DAEMON_HARDEN_H

#include "lib/err.h"

#include <stdint.h>

/* First of all: no core files, not readable by others of the same user, umask 077, no
 * SIGPIPE. 0 or -errno. */
MUST_USE int harden_early(void);
/* Room for this many connections beside our own files.  Returns how many there is room
 * for. */
uint32_t harden_descriptors(uint32_t connections);

enum { HARDEN_WHY_BYTES = 256 };
enum { HARDEN_E_USER = 1 /* a user was configured and can't be had */ };
/* As root: become `user` (empty: _kithd if this machine has it) when dir belongs to it;
 * else stay, with a warning.  Not as root: nothing.  0, HARDEN_E_USER (why says it),
 * -errno. */
MUST_USE int harden_drop(const char *user, const char *dir, char why[HARDEN_WHY_BYTES]);
/* No program started from here gains anything.  0 or -errno. */
MUST_USE int harden_late(void);

#endif
