/* SPDX-License-Identifier: Apache-2.0 */
/* subscribe, unsubscribe and credit: where a reader's cursor stands.  SPEC 3.5, 4.3. */
#include "daemon/fanout.h"
#include "daemon/handle.h"
#include "lib/err.h"
#include "proto/msg.h"

#include <errno.h>

/* Index of the subscription to this bucket; subs_n if there is none. */
static size_t find(const struct session *s, uint32_t bucket)
{
    size_t i = 0;

    while (i < s->subs_n && fanout_bucket(s->subs[i]) != bucket)
        i++;
    return i;
}

static void drop(struct session *s, size_t at)
{
    if (at >= s->subs_n)
        return;
    fanout_remove(s->subs[at]);
    s->subs[at] = s->subs[--s->subs_n];
    s->turn = 0;
}

/* Where reading begins: inside what is kept, whatever was asked for. */
static int place(struct store *store, const struct msg_subscribe *m,
                 struct msg_subscribe_result *out)
{
    struct store_tail tail;
    int rc = store_tail(store, m->bucket, &tail);

    if (rc)
        return rc;
    out->oldest = tail.oldest;
    out->next = tail.next;
    out->first = m->from_head || m->from > tail.next ? tail.next : m->from;
    if (out->first < tail.oldest)
        out->first = tail.oldest;
    return store_head_before(store, m->bucket, out->first, out->head);
}

static enum code may(struct session *s, const struct msg_subscribe *m)
{
    enum code code = members_still(s->relay->members, s->member);

    if (code == CODE_OK && m->bucket >= s->relay->buckets)
        code = CODE_NO_SUCH_BUCKET;
    if (code == CODE_OK && s->subs_n == SUBSCRIPTIONS_MAX &&
        find(s, m->bucket) == s->subs_n)
        code = CODE_TOO_LARGE;
    return code;
}

int handle_subscribe(struct session *s, uint32_t id, struct bytes params)
{
    struct msg_subscribe m;
    struct msg_subscribe_result result;
    struct subscription *sub = NULL;
    enum code code;

    if (msg_subscribe_read(params, &m))
        return SESSION_E_MALFORMED;

    s->state = SESSION_READING;
    code = may(s, &m);
    if (code == CODE_OK && place(s->relay->store, &m, &result))
        code = CODE_INTERNAL;
    if (code != CODE_OK) {
        session_answer_error(s, id, code);
        return 0;
    }
    drop(s, find(s, m.bucket)); /* the same bucket again: the cursor moves */
    sub = fanout_add(s->relay->fanout, m.bucket, result.first, m.credit, s);
    if (sub == NULL)
        return -ENOMEM;
    s->subs[s->subs_n++] = sub;

    msg_subscribe_result_write(&s->out, id, &result);
    session_answered(s);
    return 0;
}

int handle_unsubscribe(struct session *s, uint32_t id, struct bytes params)
{
    struct msg_unsubscribe m;

    if (msg_unsubscribe_read(params, &m))
        return SESSION_E_MALFORMED;

    drop(s, find(s, m.bucket));

    msg_nil_write(&s->out, id);
    session_answered(s);
    return 0;
}

int handle_credit(struct session *s, uint32_t id, struct bytes params)
{
    struct msg_credit m;
    size_t at;

    (void)id;
    if (msg_credit_read(params, &m))
        return SESSION_E_MALFORMED;

    at = find(s, m.bucket);
    if (at < s->subs_n) /* else: it crossed our gap or its own unsubscribe */
        fanout_credit(s->subs[at], m.credit);
    return 0;
}
