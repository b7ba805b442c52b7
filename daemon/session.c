/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/session.h"

#include "daemon/conn.h"
#include "daemon/conns.h"
#include "daemon/dispatch.h"
#include "daemon/fanout.h"
#include "lib/mem.h"

#include <errno.h>

int session_new(struct relay *r, struct conn *c, uint64_t id, struct session **out)
{
    struct session *s = mem_zalloc(sizeof *s);

    if (s == NULL)
        return -ENOMEM;
    s->relay = r;
    s->conn = c;
    s->id = id;
    buf_init(&s->out, SESSION_OUT_MAX_BYTES);
    *out = s;
    return 0;
}

void session_free(struct session *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->subs_n; i++)
        fanout_remove(s->subs[i]);
    buf_free(&s->out);
    mem_free(s);
}

bool session_takes(const struct session *s)
{
    return !s->over && s->open < REQUESTS_OPEN_MAX && s->out.n < SESSION_OUT_BYTES;
}

int session_feed(struct session *s, struct bytes *frames)
{
    while (frames->n > 0 && session_takes(s)) {
        struct frame f;
        int rc;

        if (frame_next(frames, &f))
            return SESSION_E_MALFORMED;
        rc = dispatch_frame(s, &f);
        if (rc)
            return rc;
    }
    return 0;
}

/* ---- answers ---------------------------------------------------------------------- */

void session_answered(struct session *s)
{
    if (s->out.rc)
        conn_close(s->conn, "no memory for an answer");
    else
        conn_wake(s->conn);
}

void session_answer_error(struct session *s, uint32_t id, enum code c)
{
    frame_error(&s->out, id, c);
    session_answered(s);
}

bool session_may_prove(struct session *s, uint32_t id)
{
    if (s->proofs++ < SESSION_PROOFS_MAX)
        return true;
    s->over = true;
    session_answer_error(s, id, CODE_RATE_LIMITED);
    conn_finish(s->conn, "asks for too many proofs");
    return false;
}

struct session *session_resume(struct relay *r, uint64_t id)
{
    struct conn *c = conns_find(r->conns, id);
    struct session *s = c == NULL ? NULL : conn_session(c);

    if (s != NULL)
        s->open--;
    return s;
}

/* ---- what goes out ---------------------------------------------------------------- */

/* Each subscription in turn, beginning with the one after the last that was served. */
static int fill_envelopes(struct session *s, struct buf *frames)
{
    size_t first = s->turn;

    for (size_t i = 0; i < s->subs_n; i++) {
        size_t at = (first + i) % s->subs_n;
        size_t before = frames->n;
        int rc;

        if (!fanout_owes(s->subs[at]))
            continue;
        /* Asked for each record, so that a revocation ends reading too. */
        if (members_still(s->relay->members, s->member) != CODE_OK)
            return -EACCES;
        rc = fanout_fill(s->subs[at], frames);
        if (rc)
            return rc;
        if (frames->n > before)
            s->turn = (at + 1) % s->subs_n;
    }
    return 0;
}

bool session_is_over(const struct session *s)
{
    return s->subs_n > 0 && members_still(s->relay->members, s->member) != CODE_OK;
}

int session_fill(struct session *s, bool answers_only, struct buf *frames)
{
    buf_put(frames, s->out.p, s->out.n);
    buf_free(&s->out);
    buf_init(&s->out, SESSION_OUT_MAX_BYTES);
    if (!answers_only) {
        int rc = fill_envelopes(s, frames);

        if (rc)
            return rc;
    }
    return frames->rc;
}

bool session_owes(const struct session *s, bool answers_only)
{
    if (s->out.n > 0)
        return true;
    for (size_t i = 0; i < s->subs_n && !answers_only; i++)
        if (fanout_owes(s->subs[i]))
            return true;
    return false;
}
