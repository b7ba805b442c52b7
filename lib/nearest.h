/* SPDX-License-Identifier: Apache-2.0 */
/* nearest: "did you mean": the known word closest to a mistyped one.
 * Flow     kithd's settings, kithctl's and kith's verbs and flags -> nearest
 * Threads  any */
#ifndef KITH_LIB_NEAREST_H
#define KITH_LIB_NEAREST_H

#include <stddef.h>

enum { NEAREST_WORD_MAX = 31 /* longer words get no guess */ };

/* The name at the smallest edit distance (insert, delete, replace, swap of neighbours),
 * or NULL when none is close enough: at most one error in three letters, and never all of
 * them. */
const char *nearest(const char *word, const char *const *names, size_t count);

#endif
