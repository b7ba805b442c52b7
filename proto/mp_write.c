/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/mp_write.h"

#include <errno.h>
#include <msgpack.h>
#include <string.h>

static int put(void *arg, const char *p, size_t n)
{
    struct buf *b = arg;

    buf_put(b, p, n);
    return b->rc;
}

static msgpack_packer packer(struct buf *b)
{
    msgpack_packer pk;

    msgpack_packer_init(&pk, b, put);
    return pk;
}

void mw_nil(struct buf *b)
{
    msgpack_packer pk = packer(b);

    msgpack_pack_nil(&pk);
}

void mw_bool(struct buf *b, bool v)
{
    msgpack_packer pk = packer(b);

    if (v)
        msgpack_pack_true(&pk);
    else
        msgpack_pack_false(&pk);
}

void mw_uint(struct buf *b, uint64_t v)
{
    msgpack_packer pk = packer(b);

    msgpack_pack_uint64(&pk, v);
}

void mw_int(struct buf *b, int64_t v)
{
    msgpack_packer pk = packer(b);

    msgpack_pack_int64(&pk, v);
}

/* A length the format cannot say, or a buffer that failed before. */
static bool refused(struct buf *b, size_t n)
{
    if (!b->rc && n > UINT32_MAX)
        b->rc = -ENOSPC;
    return b->rc != 0;
}

void mw_str(struct buf *b, struct bytes s)
{
    msgpack_packer pk = packer(b);

    if (refused(b, s.n))
        return;
    msgpack_pack_str(&pk, s.n);
    buf_put(b, s.p, s.n);
}

void mw_cstr(struct buf *b, const char *s)
{
    mw_str(b, (struct bytes){(const uint8_t *)s, strlen(s)});
}

void mw_bin(struct buf *b, struct bytes s)
{
    msgpack_packer pk = packer(b);

    if (refused(b, s.n))
        return;
    msgpack_pack_bin(&pk, s.n);
    buf_put(b, s.p, s.n);
}

void mw_array(struct buf *b, size_t count)
{
    msgpack_packer pk = packer(b);

    if (!refused(b, count))
        msgpack_pack_array(&pk, count);
}

void mw_map(struct buf *b, size_t pairs)
{
    msgpack_packer pk = packer(b);

    if (!refused(b, pairs))
        msgpack_pack_map(&pk, pairs);
}
