/* SPDX-License-Identifier: Apache-2.0 */
/* frame: MessagePack-RPC frames inside a record.  SPEC 3.1.
 * Flow     channel -> frame -> daemon/session, client/net/sync
 * Owns     nothing: views into the record */
#ifndef KITH_PROTO_FRAME_H
#define KITH_PROTO_FRAME_H

#include "proto/mp_read.h"

enum frame_kind { FRAME_REQUEST = 0, FRAME_RESPONSE = 1, FRAME_NOTIFY = 2 };
enum { FRAME_E_MALFORMED = 1 };

/* SPEC 3.4. */
enum code {
    CODE_OK = 0,
    CODE_MALFORMED = 1,
    CODE_UNSUPPORTED,
    CODE_TOKEN_SPENT,
    CODE_TOKEN_INVALID,
    CODE_EPOCH_OVER,
    CODE_NOT_A_MEMBER,
    CODE_REVOKED,
    CODE_INVITE_USED,
    CODE_NO_SUCH_BUCKET,
    CODE_TOO_LARGE,
    CODE_RATE_LIMITED,
    CODE_STORAGE_FULL,
    CODE_UNAVAILABLE,
    CODE_INTERNAL,
    CODE_MAX = CODE_INTERNAL,
};
const char *code_text(enum code c); /* the fixed phrase; "" for CODE_OK */
bool code_ends_member(enum code c); /* the membership does not exist, or not any more */

struct frame {
    enum frame_kind kind;
    uint32_t id;         /* request, response */
    struct bytes method; /* request, notify */
    enum code code;      /* response: CODE_OK or the error */
    struct bytes
        body; /* params or result: one whole msgpack value, still to be decoded */
};

/* Cut the first frame off `in` (several may follow each other in a record); `in` moves
 * only on success.  Everything in the frame has been checked for well-formedness
 * (mp_skip); method is at most MP_KEY_BYTES_MAX.  Returns 0 or FRAME_E_MALFORMED. */
MUST_USE int frame_next(struct bytes *in, struct frame *out);

/* Writers: begin a frame; the caller then writes params or the result with mw_*. */
void frame_request(struct buf *b, uint32_t id, const char *method);
void frame_result(struct buf *b, uint32_t id);             /* then the result value */
void frame_error(struct buf *b, uint32_t id, enum code c); /* whole */
void frame_notify(struct buf *b, const char *method);

#endif
