/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/handle.h"
#include "proto/msg.h"

int handle_descriptors(struct session *s, uint32_t id, struct bytes params)
{
    const struct keys *k = s->relay->keys;
    struct msg_descriptors m;
    struct msg_descriptors_result result = {.count = 0};

    if (msg_descriptors_read(params, &m))
        return SESSION_E_MALFORMED;

    for (uint64_t v = m.from;
         v >= 1 && v <= k->count && result.count < DESCRIPTORS_PER_ANSWER_MAX; v++)
        result.signed_[result.count++] = buf_view(&k->chain[v - 1]);

    msg_descriptors_result_write(&s->out, id, &result);
    session_answered(s);
    return 0;
}
