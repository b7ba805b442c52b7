/* SPDX-License-Identifier: Apache-2.0 */
/* meaning: do two pieces of MessagePack say the same, read by msgpack-c?  For bytes that
 * a strict reader has taken, compared with what its writer makes of them. */
#ifndef KITH_TESTS_MEANING_H
#define KITH_TESTS_MEANING_H

#include "tests/support/support.h"

/* Keys known at each depth of maps (letters); NULL ends the list: deeper keys are
 * unknown. */
enum { MEANING_DEPTH = 4 };

/* Fails the test unless both are one whole value each and mean the same: maps in any
 * order, and `taken` may have more keys than `written`, when they are not known at their
 * depth. */
void meaning_equal(struct bytes taken, struct bytes written,
                   const char *const known[MEANING_DEPTH]);

#endif
