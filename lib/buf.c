/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/buf.h"

#include "lib/mem.h"
#include "lib/secret.h"

#include <errno.h>
#include <string.h>

enum { BUF_ROOM_FIRST = 64 };

void buf_init(struct buf *b, size_t cap)
{
    *b = (struct buf){.cap = cap, .heap = true};
}

/* Not realloc(): what it moves it leaves behind unwiped, and buffers hold people's words.
 */
static int move_to_larger(struct buf *b, size_t need)
{
    size_t room = b->room ? b->room : BUF_ROOM_FIRST;
    uint8_t *larger;

    while (room < need && room <= b->cap / 2)
        room *= 2;
    if (room < need || room > b->cap)
        room = b->cap;
    larger = mem_alloc(room);
    if (!larger)
        return -ENOMEM;
    if (b->p) {
        memcpy(larger, b->p, b->n);
        secret_wipe(b->p, b->room);
        mem_free(b->p);
    }
    b->p = larger;
    b->room = room;
    return 0;
}

uint8_t *buf_grow(struct buf *b, size_t n)
{
    uint8_t *spot;

    if (b->rc)
        return NULL;
    if (n > b->cap - b->n)
        b->rc = -ENOSPC;
    else if (n > b->room - b->n || !b->p)
        b->rc = b->heap ? move_to_larger(b, b->n + n) : -ENOSPC;
    if (b->rc)
        return NULL;
    spot = b->p + b->n;
    b->n += n;
    return spot;
}

void buf_put(struct buf *b, const void *p, size_t n)
{
    uint8_t *spot;

    if (n == 0)
        return;
    spot = buf_grow(b, n);
    if (spot)
        memcpy(spot, p, n);
}

void buf_put_le(struct buf *b, uint64_t v, size_t width)
{
    uint8_t *spot = buf_grow(b, width);

    if (spot)
        le_put(spot, v, width);
}

void buf_eat(struct buf *b, size_t n)
{
    if (n == 0)
        return;
    memmove(b->p, b->p + n, b->n - n);
    b->n -= n;
}

struct bytes buf_view(const struct buf *b)
{
    return (struct bytes){b->p, b->n};
}

void buf_free(struct buf *b)
{
    if (!b)
        return;
    if (b->p)
        secret_wipe(b->p, b->room);
    if (b->heap) {
        mem_free(b->p);
        b->p = NULL;
        b->room = 0;
    }
    b->n = 0;
    b->rc = 0;
}

uint64_t le_get(const uint8_t *p, size_t width)
{
    uint64_t v = 0;

    while (width-- > 0)
        v = v << 8 | p[width];
    return v;
}

void le_put(uint8_t *p, uint64_t v, size_t width)
{
    for (size_t i = 0; i < width; i++, v >>= 8)
        p[i] = (uint8_t)v;
}

uint64_t be_get(const uint8_t *p, size_t width)
{
    uint64_t v = 0;

    for (size_t i = 0; i < width; i++)
        v = v << 8 | p[i];
    return v;
}

void be_put(uint8_t *p, uint64_t v, size_t width)
{
    for (; width > 0; v >>= 8)
        p[--width] = (uint8_t)v;
}
