/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/conn.h"
#include "daemon/handle.h"

static void on_enrolled(enum code code, uint64_t session, uint32_t request, void *relay)
{
    struct session *s = session_resume(relay, session);

    if (s == NULL)
        return;
    if (code != CODE_OK) {
        session_answer_error(s, request, code);
        return;
    }
    msg_nil_write(&s->out, request);
    session_answered(s);
}

int handle_enrol(struct session *s, uint32_t id, struct bytes params)
{
    struct msg_enrol m;
    enum code code;

    if (msg_enrol_read(params, &m))
        return SESSION_E_MALFORMED;
    if (!session_may_prove(s, id))
        return 0;

    s->open++;
    code = members_enrol(s->relay->members, &m, conn_hash(s->conn), s->id, id,
                         on_enrolled, s->relay);
    if (code == CODE_OK) /* on_enrolled answers */
        return 0;

    s->open--;
    session_answer_error(s, id, code);
    return 0;
}
