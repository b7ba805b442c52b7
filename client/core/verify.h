/* SPDX-License-Identifier: Apache-2.0 */
/* verify: six words that two people compare to know that nobody sits between them.
 * SPEC 8.8.
 * Flow     ratchet_verify_input -> verify -> app.
 * Owns     nothing.
 * Threads  any. */
#ifndef KITH_CORE_VERIFY_H
#define KITH_CORE_VERIFY_H

#include "lib/err.h"
#include "lib/kdf.h"

enum { VERIFY_WORDS = 6 };

/* The words of a session's th_2; static storage, each at most 10 letters and a hyphen.
 * Slow on purpose (64 MiB, about a third of a second): off the loop.  Returns 0 or
 * -ENOMEM. */
MUST_USE int verify_words(const uint8_t th_2[HASH_BYTES],
                          const char *words[VERIFY_WORDS]);

#endif
