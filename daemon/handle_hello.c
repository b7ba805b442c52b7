/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/handle.h"
#include "proto/msg.h"

int handle_hello(struct session *s, uint32_t id, struct bytes params)
{
    struct msg_hello m;
    struct msg_hello_result result;

    if (msg_hello_read(params, &m))
        return SESSION_E_MALFORMED;

    if (!(m.versions & (1u << VERSION_ONE))) {
        session_answer_error(s, id, CODE_UNSUPPORTED);
        return 0;
    }
    s->state = SESSION_GREETED;

    result.version = VERSION_ONE;
    result.clock_s = clock_wall_s(s->relay->clock);
    result.descriptor = s->relay->keys->count;
    msg_hello_result_write(&s->out, id, &result);
    session_answered(s);
    return 0;
}
