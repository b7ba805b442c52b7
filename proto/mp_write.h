/* SPDX-License-Identifier: Apache-2.0 */
/* mp_write: MessagePack out, by msgpack-c, into a struct buf.  Sticky: failure is in
 * buf.rc. The only file that includes msgpack.h besides tests. */
#ifndef KITH_PROTO_MP_WRITE_H
#define KITH_PROTO_MP_WRITE_H

#include "lib/buf.h"

void mw_nil(struct buf *b);
void mw_bool(struct buf *b, bool v);
void mw_uint(struct buf *b, uint64_t v);
void mw_int(struct buf *b, int64_t v);
void mw_str(struct buf *b, struct bytes s);
void mw_cstr(struct buf *b, const char *s);
void mw_bin(struct buf *b, struct bytes s);
void mw_array(struct buf *b, size_t count);
void mw_map(struct buf *b, size_t pairs);

#endif
