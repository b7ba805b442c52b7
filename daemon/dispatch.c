/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/dispatch.h"

#include "daemon/handle.h"
#include "proto/msg.h"

#define IN(state) (1u << (state))
#define MEMBERS (IN(SESSION_PROVEN) | IN(SESSION_POSTING) | IN(SESSION_READING))
#define ANY (IN(SESSION_GREETED) | MEMBERS)

struct row {
    unsigned allowed; /* in these states */
    bool members;     /* needs a proof: without one the refusal says so */
    handler *handle;
};

static const struct row rows[METHOD_COUNT] = {
    [METHOD_HELLO] = {IN(SESSION_NEW), false, handle_hello},
    [METHOD_DESCRIPTORS] = {ANY, false, handle_descriptors},
    [METHOD_ENROL] = {IN(SESSION_GREETED), false, handle_enrol},
    [METHOD_PROVE] = {IN(SESSION_GREETED), false, handle_prove},
    [METHOD_POST] = {IN(SESSION_PROVEN) | IN(SESSION_POSTING), true, handle_post},
    [METHOD_SUBSCRIBE] = {IN(SESSION_PROVEN) | IN(SESSION_READING), true,
                          handle_subscribe},
    [METHOD_UNSUBSCRIBE] = {IN(SESSION_READING), true, handle_unsubscribe},
    [METHOD_CREDIT] = {IN(SESSION_READING), true, handle_credit},
    [METHOD_ENVELOPES] = {0, false, NULL}, /* ours alone to send */
    [METHOD_GAP] = {0, false, NULL},
};

static enum code refusal(const struct session *s, const struct row *row)
{
    if (row->members && s->state == SESSION_GREETED)
        return CODE_NOT_A_MEMBER;
    return CODE_UNSUPPORTED;
}

static int dispatch_request(struct session *s, const struct frame *f)
{
    enum method m = method_find(f->method, FRAME_REQUEST, true);
    int rc;

    if (m == METHOD_COUNT || !(rows[m].allowed & IN(s->state))) {
        session_answer_error(s, f->id,
                             m == METHOD_COUNT ? CODE_UNSUPPORTED : refusal(s, &rows[m]));
        return 0;
    }
    rc = rows[m].handle(s, f->id, f->body);
    if (rc == SESSION_E_MALFORMED)
        session_answer_error(s, f->id, CODE_MALFORMED);
    return rc;
}

/* Nobody can answer a notification: one that is unknown, or out of place, is passed over.
 */
static int dispatch_notify(struct session *s, const struct frame *f)
{
    enum method m = method_find(f->method, FRAME_NOTIFY, true);

    if (m == METHOD_COUNT || !(rows[m].allowed & IN(s->state)))
        return 0;
    return rows[m].handle(s, 0, f->body);
}

int dispatch_frame(struct session *s, const struct frame *f)
{
    switch (f->kind) {
    case FRAME_REQUEST:
        return dispatch_request(s, f);
    case FRAME_NOTIFY:
        return dispatch_notify(s, f);
    case FRAME_RESPONSE: /* we never ask */
        break;
    }
    return SESSION_E_MALFORMED;
}
