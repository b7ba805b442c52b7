/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/conn.h"
#include "daemon/handle.h"

int handle_prove(struct session *s, uint32_t id, struct bytes params)
{
    struct msg_prove m;
    enum code code;

    if (msg_prove_read(params, &m))
        return SESSION_E_MALFORMED;
    if (!session_may_prove(s, id))
        return 0;

    code = members_prove(s->relay->members, &m, conn_hash(s->conn), &s->member);
    if (code != CODE_OK) {
        session_answer_error(s, id, code);
        return 0;
    }
    s->state = SESSION_PROVEN;

    msg_nil_write(&s->out, id);
    session_answered(s);
    return 0;
}
