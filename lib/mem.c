/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/mem.h"

#include "lib/seam.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *mem_alloc(size_t n)
{
    return seam_check(SEAM_ALLOC) ? NULL : malloc(n);
}

void *mem_zalloc(size_t n)
{
    return seam_check(SEAM_ALLOC) ? NULL : calloc(1, n);
}

void *mem_array(size_t count, size_t size)
{
    size_t n;

    if (__builtin_mul_overflow(count, size, &n))
        return NULL;
    return mem_zalloc(n);
}

void *mem_realloc(void *p, size_t n)
{
    return seam_check(SEAM_ALLOC) ? NULL : realloc(p, n);
}

char *mem_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    char *copy = mem_alloc(n);

    if (copy)
        memcpy(copy, s, n);
    return copy;
}

void mem_free(void *p)
{
    free(p);
}
