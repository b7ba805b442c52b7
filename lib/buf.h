/* SPDX-License-Identifier: Apache-2.0 */
/* buf: views of bytes, and buffers of a fixed or growing size.
 * A struct bytes never owns.  A struct buf either points at caller's storage (BUF_OVER)
 * and has a hard cap, or grows on the heap up to its cap (buf_init) and is freed by
 * buf_free. Writers are sticky: the first overflow sets rc, later writes do nothing. */
#ifndef KITH_LIB_BUF_H
#define KITH_LIB_BUF_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    const uint8_t *p;
    size_t n;
};

#define BYTES(array) ((struct bytes){(array), sizeof(array)})

struct buf {
    uint8_t *p;
    size_t n;    /* used */
    size_t room; /* allocated */
    size_t cap;  /* never more than this */
    int rc;      /* 0, -ENOSPC beyond cap, -ENOMEM */
    bool heap;
};

#define BUF_OVER(array) ((struct buf){(array), 0, sizeof(array), sizeof(array), 0, false})

/* An empty growing buffer of at most cap bytes; allocates nothing yet. */
void buf_init(struct buf *b, size_t cap);
/* Append n bytes; on failure b->rc is set and b->n unchanged. */
void buf_put(struct buf *b, const void *p, size_t n);
void buf_put_le(struct buf *b, uint64_t v, size_t width); /* width 1..8 bytes */
/* n more bytes at the end to be filled by the caller, or NULL (rc set). */
MUST_USE uint8_t *buf_grow(struct buf *b, size_t n);
/* Drop the first n bytes (n <= b->n). */
void buf_eat(struct buf *b, size_t n);
struct bytes buf_view(const struct buf *b);
/* Wipes the whole room, frees what is on the heap, leaves an empty buffer.  NULL is fine.
 */
void buf_free(struct buf *b);

uint64_t le_get(const uint8_t *p, size_t width);
void le_put(uint8_t *p, uint64_t v, size_t width);
uint64_t be_get(const uint8_t *p, size_t width);
void be_put(uint8_t *p, uint64_t v, size_t width);

#endif
