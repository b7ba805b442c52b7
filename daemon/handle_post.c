/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/handle.h"
#include "proto/msg.h"

static enum code code_of(int rc)
{
    switch (rc) {
    case STORE_E_FULL:
        return CODE_STORAGE_FULL;
    case STORE_E_BROKEN:
        return CODE_UNAVAILABLE;
    default:
        return CODE_INTERNAL;
    }
}

/* The only place that acknowledges a post: after its commit reached the disk (SPEC 4.4).
 */
static void on_posted(int rc, uint64_t seq, const uint8_t head[HASH_BYTES],
                      uint64_t session, uint32_t request, void *relay)
{
    struct session *s = session_resume(relay, session);
    struct msg_post_result result;

    relay_note_store(relay, rc);
    if (s == NULL)
        return;
    if (rc) {
        session_answer_error(s, request, code_of(rc));
        return;
    }
    result.seq = seq;
    for (size_t i = 0; i < HASH_BYTES; i++)
        result.head[i] = head[i];
    msg_post_result_write(&s->out, request, &result);
    session_answered(s);
}

int handle_post(struct session *s, uint32_t id, struct bytes params)
{
    struct relay *r = s->relay;
    struct msg_post m;
    enum code code;

    if (msg_post_read(params, &m))
        return SESSION_E_MALFORMED;

    s->state = SESSION_POSTING;
    code = members_still(r->members, s->member);
    if (code == CODE_OK && m.bucket >= r->buckets)
        code = CODE_NO_SUCH_BUCKET;
    if (code == CODE_OK &&
        commit_post(r->commit, m.bucket, m.envelope.p, s->id, id, on_posted, r))
        code = CODE_UNAVAILABLE;

    if (code == CODE_OK)
        s->open++; /* on_posted answers */
    else
        session_answer_error(s, id, code);
    return 0;
}
