/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/acks.h"

#include "client/core/db_messages.h"

#include <errno.h>

enum { DAY_S = 24 * 60 * 60, IDS_AT_ONCE = 64, MISSED_ALARM = 2 };

/* ---- owing ------------------------------------------------------------------------ */

int acks_owe(struct core *c, struct session *s, struct conv_row *conv)
{
    conv->owed = conv->owed == UINT32_MAX ? 1 : conv->owed + 1;
    if (!s->ack_due) {
        int rc = core_due(c, c->ack_least_ms, c->ack_most_ms, &s->ack_due);
        if (rc)
            return rc;
    }
    return db_convs_owed(c->db, conv->id, conv->owed);
}

int acks_owe_empty(struct core *c, struct session *s)
{
    return s->empty_due ? 0 : core_due(c, 0, c->empty_most_ms, &s->empty_due);
}

int acks_owe_accept(struct core *c, struct session *s)
{
    return core_due(c, 0, c->accept_most_ms, &s->accept_due);
}

/* ---- what the peer says ----------------------------------------------------------- */

static int delivered(struct core *c, const struct outbox_row *row)
{
    uint32_t rows, unstored;
    int rc = db_outbox_delete(c->db, row->id);

    if (rc || !row->message)
        return rc;
    rc = db_outbox_left(c->db, row->message, &rows, &unstored);
    if (rc)
        return rc;
    if (!rows)
        return core_message_state(c, row->conv, row->message, MESSAGE_DELIVERED,
                                  WHY_NONE);
    if (!unstored) /* the last part without a durable answer was acked instead */
        return core_message_state(c, row->conv, row->message, MESSAGE_SENT, WHY_NONE);
    return 0;
}

static int omitted(struct core *c, const struct outbox_row *row)
{
    struct conv_row conv;
    struct alarm a = {.kind = ALARM_OMITTED, .conv = row->conv, .message = row->message};
    int rc = db_convs_get(c->db, row->conv, &conv);

    a.bucket = conv.home;
    return rc ? rc : db_notes_alarm(c->db, &a, core_now_s(c));
}

/* A place that was sealed anew since, or never had its durable answer, is missing for a
 * reason that we know. */
static int missing(struct core *c, struct outbox_row *row, uint32_t turn, uint32_t n)
{
    int rc;

    if (row->state != OUTBOX_STORED || row->turn != turn || row->n != n)
        return 0;
    row->state = OUTBOX_READY;
    row->missed++;
    rc = db_outbox_put(c->db, row);
    if (!rc && row->missed >= MISSED_ALARM)
        rc = omitted(c, row);
    return rc;
}

static int place(struct core *c, const struct payload_ack *ack,
                 const struct outbox_place *p)
{
    struct outbox_row row;
    enum ratchet_fate fate = ratchet_ack_fate(ack, ack->turn, p->n);
    int rc;

    if (fate == RATCHET_UNTOLD)
        return 0;
    rc = db_outbox_get(c->db, p->outbox, &row);
    if (rc) /* another place of the same row was acked in this very ack */
        return rc == DB_E_NONE ? 0 : rc;
    return fate == RATCHET_DELIVERED ? delivered(c, &row)
                                     : missing(c, &row, ack->turn, p->n);
}

static bool any_missing(const struct payload_ack *ack)
{
    for (uint32_t n = 0; n < ack->upto; n++)
        if (ratchet_ack_fate(ack, ack->turn, n) == RATCHET_MISSING)
            return true;
    return false;
}

int acks_read(struct core *c, struct session *s, const struct payload_ack *ack)
{
    struct outbox_place places[TURN_ENVELOPES_MAX];
    size_t count;
    int rc;

    if (ratchet_ack_check(s->ratchet, ack))
        return 0;
    rc = db_outbox_places(c->db, s->conv, ack->turn, places, &count);
    for (size_t i = 0; !rc && i < count; i++)
        rc = place(c, ack, &places[i]);
    if (!rc && any_missing(ack))
        ratchet_acks_retell(s->ratchet);
    return rc;
}

/* ---- sending again ---------------------------------------------------------------- */

static int send_again(struct core *c, int64_t id, bool late)
{
    struct outbox_row row;
    int rc = db_outbox_get(c->db, id, &row);

    if (rc)
        return rc;
    row.state = OUTBOX_READY;
    row.late = row.late || late;
    return db_outbox_put(c->db, &row);
}

int acks_resend_all(struct core *c)
{
    int64_t ids[IDS_AT_ONCE];
    int64_t after = 0;
    size_t count = IDS_AT_ONCE;
    int rc = 0;

    while (!rc && count == IDS_AT_ONCE) {
        rc = db_outbox_stored(c->db, after, ids, IDS_AT_ONCE, &count);
        for (size_t i = 0; !rc && i < count; i++) {
            rc = send_again(c, ids[i], false);
            after = ids[i];
        }
    }
    for (size_t i = 0; !rc && c->sessions && i < sessions_count(c->sessions); i++) {
        struct session *s = sessions_at(c->sessions, i);
        struct conv_row conv;

        s->dirty = true;
        ratchet_acks_retell(s->ratchet);
        rc = sessions_save(c->sessions, c->db, s);
        if (!rc)
            rc = db_convs_get(c->db, s->conv, &conv);
        if (!rc && conv.state == CONV_LINKED)
            rc = acks_owe(c, s, &conv);
    }
    return rc;
}

static void first_queued(const struct message *m, void *arg)
{
    int64_t *id = arg;

    if (m->mine && m->state == MESSAGE_QUEUED && !*id)
        *id = m->id;
}

int acks_stop(struct core *c, int64_t conv)
{
    struct node_history all = {.conv = conv};
    int rc = db_outbox_delete_conv(c->db, conv);

    while (!rc) {
        int64_t id = 0;
        rc = db_messages_each(c->db, &all, false, 0, first_queued, &id);
        if (rc || !id)
            break;
        rc = core_message_state(c, conv, id, MESSAGE_NOT_SENT, WHY_CLOSED);
    }
    return rc;
}

/* ---- time ------------------------------------------------------------------------- */

static int expire(struct core *c, int64_t id)
{
    struct outbox_row row;
    int rc = db_outbox_get(c->db, id, &row);

    if (rc)
        return rc;
    /* An accept or a close that nobody heard of in all that time has nothing to tell. */
    if (!row.message)
        return db_outbox_delete(c->db, id);
    /* The row stays: an ack may still come, and then it was delivered. */
    return core_message_state(c, row.conv, row.message, MESSAGE_EXPIRED, WHY_NONE);
}

static int each_older(struct core *c, uint64_t age_s, bool late)
{
    uint64_t now = core_now_s(c);
    int64_t ids[IDS_AT_ONCE];
    size_t count = IDS_AT_ONCE;
    int rc = 0;

    while (!rc && now > age_s && count == IDS_AT_ONCE) {
        rc = db_outbox_older(c->db, now - age_s, late, ids, IDS_AT_ONCE, &count);
        for (size_t i = 0; !rc && i < count; i++)
            rc = late ? expire(c, ids[i]) : send_again(c, ids[i], true);
    }
    return rc == DB_E_NONE ? 0 : rc;
}

int acks_tick(struct core *c)
{
    uint64_t retention_s = (uint64_t)c->retention_days * DAY_S;
    int rc;

    if (!retention_s)
        return 0;
    rc = each_older(c, retention_s / 5 * 4, false);
    /* The relay counts from the end of the day (SPEC 4.4). */
    return rc ? rc : each_older(c, retention_s + DAY_S, true);
}
