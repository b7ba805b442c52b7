/* SPDX-License-Identifier: Apache-2.0 */
/* mem: the heap, through the seam.  Sizes in bytes; NULL means -ENOMEM. */
#ifndef KITH_LIB_MEM_H
#define KITH_LIB_MEM_H

#include "lib/err.h"

#include <stddef.h>

MUST_USE void *mem_alloc(size_t n);                  /* uninitialised; n > 0 */
MUST_USE void *mem_zalloc(size_t n);                 /* zeroed; n > 0 */
MUST_USE void *mem_array(size_t count, size_t size); /* zeroed; NULL on overflow too */
MUST_USE void *mem_realloc(void *p, size_t n);       /* old block stays valid on NULL */
MUST_USE char *mem_strdup(const char *s);
void mem_free(void *p); /* NULL is fine */

#endif
