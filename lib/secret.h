/* SPDX-License-Identifier: Apache-2.0 */
/* secret: guarded memory for long-lived keys, wiping, comparing, random bytes.
 * Owns     the guarded pages it hands out (locked, fenced, not in core dumps)
 * Threads  any */
#ifndef KITH_LIB_SECRET_H
#define KITH_LIB_SECRET_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Start libsodium, and see that it has what kith needs (X-Wing, AEGIS-256).  Call once,
 * first. Core dumps are the programs' own business.  Returns 0 or -EIO. */
MUST_USE int secret_start(void);

MUST_USE void *secret_alloc(size_t n); /* zeroed; NULL: out of memory */
void secret_free(void *p);             /* wipes; NULL is fine */
void secret_wipe(void *p, size_t n);
bool secret_equal(const void *a, const void *b, size_t n); /* constant time */
bool secret_is_zero(const void *p, size_t n);              /* constant time */

/* n random bytes from the system, through the seam.  Returns 0 or -EIO (p is then zeroed
 * and the operation that wanted them must stop; there is no fallback). */
MUST_USE int rand_bytes(void *p, size_t n);
/* A uniform number in [0, bound); bound >= 1. */
MUST_USE int rand_below(uint32_t bound, uint32_t *out);
/* Tests only: replace the source (NULL: the system's again). */
typedef int rand_source(void *p, size_t n, void *arg);
void rand_set(rand_source *source, void *arg);

#endif
