/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/history.h"

#include "client/core/compose.h"
#include "client/core/db_messages.h"
#include "client/core/db_profile.h"
#include "client/core/linking.h"
#include "lib/secret.h"

#include <errno.h>

/* ---- writing ---------------------------------------------------------------------- */

static int find_conv(struct core *c, int64_t conv, struct conv_row *out)
{
    return core_fold(db_convs_get(c->db, conv, out), NODE_E_NONE);
}

static bool ended(const struct conv_row *conv)
{
    return conv->state == CONV_CLOSED || conv->state == CONV_FAILED;
}

int history_send(struct core *c, int64_t conv, const char *text, size_t text_n,
                 int64_t *message)
{
    struct bytes view = {(const uint8_t *)text, text_n};
    struct conv_row row = {0};
    int rc = core_begin(c);

    *message = 0;
    if (!rc)
        rc = find_conv(c, conv, &row);
    if (!rc && ended(&row))
        rc = NODE_E_STATE;
    if (!rc) {
        rc = compose_text(c, &row, view, message);
        if (rc == COMPOSE_E_TEXT)
            rc = NODE_E_TEXT;
    }
    return core_end(c, rc);
}

static int queue_again(struct core *c, const struct message_row *m)
{
    struct buf text;
    uint32_t parts;
    int rc = db_outbox_delete_message(c->db, m->id);

    buf_init(&text, TEXT_BYTES_MAX);
    if (!rc)
        rc = db_messages_text(c->db, m->id, &text);
    if (!rc)
        rc = compose_parts(buf_view(&text), &parts);
    if (!rc)
        rc = compose_queue(c, m->conv, m->id, m->mid, parts);
    if (!rc)
        rc = core_message_state(c, m->conv, m->id, MESSAGE_QUEUED, WHY_NONE);
    buf_free(&text);
    return err_fold(rc);
}

int history_send_again(struct core *c, int64_t message)
{
    struct message_row m = {0};
    struct conv_row conv = {0};
    int rc = core_begin(c);

    if (!rc)
        rc = core_fold(db_messages_get(c->db, message, &m), NODE_E_NONE);
    if (!rc)
        rc = find_conv(c, m.conv, &conv);
    if (!rc &&
        (ended(&conv) || (m.state != MESSAGE_NOT_SENT && m.state != MESSAGE_EXPIRED)))
        rc = NODE_E_STATE;
    if (!rc)
        rc = queue_again(c, &m);
    return core_end(c, rc);
}

static int end_conv(struct core *c, const struct conv_row *conv)
{
    struct outbox_row close = {.conv = conv->id, .kind = OUTBOX_CLOSE, .parts = 1};
    int rc;

    if (ended(conv))
        return 0;
    if (conv->state != CONV_LINKED && conv->state != CONV_TAKEN)
        return linking_failed(c, conv->id, CONV_WHY_NONE);
    rc = rand_bytes(close.mid, sizeof close.mid);
    if (!rc)
        rc = db_outbox_add(c->db, &close);
    return rc ? rc : core_conv_state(c, conv->id, CONV_CLOSED, CONV_WHY_NONE);
}

int history_end(struct core *c, int64_t conv)
{
    struct conv_row row = {0};
    int rc = core_begin(c);

    if (!rc)
        rc = find_conv(c, conv, &row);
    if (!rc)
        rc = end_conv(c, &row);
    return core_end(c, rc);
}

/* What explains a queued message: an alarm, or the relay's last refusal. */
static int reasons(struct core *c, bool *held, uint32_t *trouble)
{
    struct profile p = {0};
    uint32_t open;
    int rc = db_profile_get(c->db, &p);

    *trouble = p.trouble;
    secret_wipe(&p, sizeof p);
    return rc ? rc : db_notes_open(c->db, &open, held);
}

int history_each(struct core *c, const struct node_history *q, node_message_fn *visit,
                 void *arg)
{
    uint32_t trouble;
    bool held;
    int rc = reasons(c, &held, &trouble);

    return rc ? rc : db_messages_each(c->db, q, held, trouble, visit, arg);
}

int history_one(struct core *c, int64_t message, node_message_fn *visit, void *arg)
{
    uint32_t trouble;
    bool held;
    int rc = reasons(c, &held, &trouble);

    if (rc)
        return rc;
    return core_fold(db_messages_one(c->db, message, held, trouble, visit, arg),
                     NODE_E_NONE);
}

int history_mark(struct core *c, int64_t conv, int64_t upto)
{
    bool changed;
    int rc = core_begin(c);

    if (!rc)
        rc = db_messages_mark(c->db, conv, upto, &changed);
    if (!rc && changed)
        rc = core_event(c, EVENT_READ, conv, 0, 0);
    return core_end(c, rc);
}

/* ---- forgetting ------------------------------------------------------------------- */

/* The rows are gone and overwritten; what older journal frames hold goes now if nobody
 * reads just then, else with the next tick of the holder. */
static int forgotten(struct core *c, int rc)
{
    rc = core_end(c, rc);
    if (rc)
        return rc;
    rc = db_settle(c->db);
    return rc == -EBUSY ? 0 : rc;
}

int history_forget_message(struct core *c, int64_t message)
{
    struct message_row m = {0};
    int rc = core_begin(c);

    if (!rc)
        rc = core_fold(db_messages_get(c->db, message, &m), NODE_E_NONE);
    if (!rc)
        rc = db_messages_delete(c->db, message);
    if (!rc)
        rc = core_event(c, EVENT_FORGOTTEN, m.conv, message, 0);
    return forgotten(c, rc);
}

int history_forget(struct core *c, int64_t conv)
{
    int rc = core_begin(c);

    if (!rc)
        rc = core_fold(db_convs_delete(c->db, conv), NODE_E_NONE);
    if (!rc)
        rc = core_event(c, EVENT_FORGOTTEN, conv, 0, 0);
    if (!rc)
        rc = core_reload_links(c);
    rc = forgotten(c, rc);
    if (!rc && c->sessions)
        sessions_drop(c->sessions, conv);
    return rc;
}
