/* SPDX-License-Identifier: Apache-2.0 */
/* names: names to suggest to somebody who joins, so that nobody needs to use their own.
 * Flow     rand_below -> names -> app.
 * Owns     nothing.
 * Threads  any. */
#ifndef KITH_CORE_NAMES_H
#define KITH_CORE_NAMES_H

#include "lib/err.h"

enum { NAMES_SUGGESTED = 3, NAMES_CHARS_MAX = 32 };

/* Three different names of the form "Quiet Otter", no word used twice.  Returns 0 or
 * -EIO. */
MUST_USE int names_suggest(char out[NAMES_SUGGESTED][NAMES_CHARS_MAX + 1]);

#endif
