/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/frame.h"

#include "proto/mp_write.h"

enum { CODE_TEXT_BYTES_MAX = 64 };

static const char *const code_texts[CODE_MAX + 1] = {
    [CODE_OK] = "",
    [CODE_MALFORMED] = "malformed",
    [CODE_UNSUPPORTED] = "unsupported",
    [CODE_TOKEN_SPENT] = "token spent",
    [CODE_TOKEN_INVALID] = "token invalid",
    [CODE_EPOCH_OVER] = "epoch over",
    [CODE_NOT_A_MEMBER] = "not a member",
    [CODE_REVOKED] = "revoked",
    [CODE_INVITE_USED] = "invite used",
    [CODE_NO_SUCH_BUCKET] = "no such bucket",
    [CODE_TOO_LARGE] = "too large",
    [CODE_RATE_LIMITED] = "rate limited",
    [CODE_STORAGE_FULL] = "storage full",
    [CODE_UNAVAILABLE] = "unavailable",
    [CODE_INTERNAL] = "internal",
};

const char *code_text(enum code c)
{
    return (unsigned)c <= CODE_MAX ? code_texts[c] : "";
}

bool code_ends_member(enum code c)
{
    return c == CODE_NOT_A_MEMBER || c == CODE_REVOKED;
}

static struct bytes whole_value(struct mp *r)
{
    const uint8_t *from = r->p;

    mp_skip(r);
    return r->rc ? (struct bytes){NULL, 0} : (struct bytes){from, (size_t)(r->p - from)};
}

static void read_response(struct mp *r, struct frame *f)
{
    f->id = (uint32_t)mp_uint(r, 0, UINT32_MAX);
    if (mp_peek(r) == MP_NIL) {
        mp_nil(r);
        f->body = whole_value(r);
        return;
    }
    mp_array(r, 2, 2);
    f->code = (enum code)mp_uint(r, CODE_MALFORMED, CODE_MAX);
    mp_str(r, 0, CODE_TEXT_BYTES_MAX); /* for people who debug: the code says it all */
    mp_leave(r);
    f->body = (struct bytes){r->p, 1};
    mp_nil(r);
}

int frame_next(struct bytes *in, struct frame *out)
{
    struct frame f = {.code = CODE_OK};
    struct mp r = mp_over(*in);
    size_t count = mp_array(&r, 3, 4);

    f.kind = (enum frame_kind)mp_uint(&r, FRAME_REQUEST, FRAME_NOTIFY);
    if (count != (f.kind == FRAME_NOTIFY ? 3 : 4))
        mp_fail(&r);
    if (f.kind == FRAME_RESPONSE) {
        read_response(&r, &f);
    } else {
        if (f.kind == FRAME_REQUEST)
            f.id = (uint32_t)mp_uint(&r, 0, UINT32_MAX);
        f.method = mp_str(&r, 1, MP_KEY_BYTES_MAX);
        f.body = whole_value(&r);
    }
    mp_leave(&r);
    if (r.rc)
        return FRAME_E_MALFORMED;
    *in = (struct bytes){r.p, r.left};
    *out = f;
    return 0;
}

void frame_request(struct buf *b, uint32_t id, const char *method)
{
    mw_array(b, 4);
    mw_uint(b, FRAME_REQUEST);
    mw_uint(b, id);
    mw_cstr(b, method);
}

void frame_result(struct buf *b, uint32_t id)
{
    mw_array(b, 4);
    mw_uint(b, FRAME_RESPONSE);
    mw_uint(b, id);
    mw_nil(b);
}

void frame_error(struct buf *b, uint32_t id, enum code c)
{
    mw_array(b, 4);
    mw_uint(b, FRAME_RESPONSE);
    mw_uint(b, id);
    mw_array(b, 2);
    mw_uint(b, (uint64_t)c);
    mw_cstr(b, code_text(c));
    mw_nil(b);
}

void frame_notify(struct buf *b, const char *method)
{
    mw_array(b, 3);
    mw_uint(b, FRAME_NOTIFY);
    mw_cstr(b, method);
}
