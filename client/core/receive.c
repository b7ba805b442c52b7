/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/receive.h"

#include "client/core/acks.h"
#include "client/core/db_messages.h"
#include "client/core/gossip.h"
#include "client/core/linking.h"
#include "lib/secret.h"

#include <errno.h>
#include <string.h>

enum { DAY_S = 24 * 60 * 60 };

/* ---- what a payload is ------------------------------------------------------------ */

static int show(struct core *c, struct message_row *m)
{
    int rc = db_messages_add(c->db, m);

    if (!rc)
        rc = db_convs_touch(c->db, m->conv, m->stored_s);
    return rc ? rc : core_event(c, EVENT_MESSAGE, m->conv, m->id, MESSAGE_RECEIVED);
}

static int order_of(struct core *c, int64_t conv, const struct payload *p,
                    uint32_t *order)
{
    int rc = 0;

    *order = p->order;
    if (!p->order)
        rc = db_messages_order(c->db, conv, order);
    if (!p->order && *order < UINT32_MAX)
        (*order)++;
    return rc;
}

static int joined(struct core *c, struct message_row *m, const struct payload *p)
{
    struct buf text;
    int rc = db_messages_put_part(c->db, m->conv, p, m->order, m->stored_s);

    buf_init(&text, (size_t)TEXT_PARTS_MAX * TEXT_PART_BYTES_MAX);
    if (!rc)
        rc = db_messages_join(c->db, m->conv, m->mid, &text, &m->order, &m->minute);
    if (!rc) {
        m->text = text.n ? buf_view(&text) : LABEL("");
        rc = show(c, m);
    }
    buf_free(&text);
    return rc == DB_E_NONE ? 0 : rc; /* some are still missing */
}

static int message_came(struct core *c, const struct conv_row *conv,
                        const struct payload *p, enum message_kind kind)
{
    struct message_row m = {
        .conv = conv->id,
        .kind = kind,
        .state = MESSAGE_RECEIVED,
        .side = conv->taker ? 1 : 0,
        .minute = p->minute,
        .stored_s = core_now_s(c),
        .text = kind == MESSAGE_TEXT ? p->text : LABEL(""),
    };
    bool fresh;
    int rc;

    memcpy(m.mid, p->id, sizeof m.mid);
    rc = db_messages_seen(c->db, conv->id, p->id, p->parts ? p->part : 0, m.stored_s,
                          &fresh);
    if (rc || !fresh)
        return rc;
    rc = order_of(c, conv->id, p, &m.order);
    if (rc)
        return rc;
    return p->parts ? joined(c, &m, p) : show(c, &m);
}

static int closed(struct core *c, const struct conv_row *conv)
{
    int rc;

    if (conv->state == CONV_CLOSED)
        return 0;
    rc = core_conv_state(c, conv->id, CONV_CLOSED, CONV_WHY_NONE);
    return rc ? rc : acks_stop(c, conv->id);
}

static int profile_came(struct core *c, const struct conv_row *conv,
                        const struct payload *p)
{
    int rc = db_convs_peer(c->db, conv->id, p->name, p->home);

    return rc ? rc : core_event(c, EVENT_CONV, conv->id, 0, conv->state);
}

static int by_type(struct core *c, const struct conv_row *conv, const struct payload *p)
{
    switch (p->type) {
    case PAYLOAD_TEXT:
        return message_came(c, conv, p, MESSAGE_TEXT);
    case PAYLOAD_ACK:
    case PAYLOAD_EMPTY:
    case PAYLOAD_OFFER: /* never sealed in a session by an honest device */
    case PAYLOAD_TAKE:
        return 0;
    case PAYLOAD_ACCEPT:
    case PAYLOAD_PROFILE:
        return profile_came(c, conv, p);
    case PAYLOAD_CLOSE:
        return closed(c, conv);
    default:
        return message_came(c, conv, p, MESSAGE_UNKNOWN);
    }
}

static int came(struct core *c, struct session *s, struct conv_row *conv,
                const struct payload *p)
{
    int rc = 0;

    /* Whatever opens in the session of a take shows that it was accepted. */
    if (conv->taker && conv->state != CONV_LINKED && conv->state != CONV_CLOSED) {
        struct bytes unnamed = {NULL, 0};
        rc = linking_accepted(c, conv->id, unnamed, conv->home);
        conv->state = CONV_LINKED;
    }
    for (size_t i = 0; !rc && i < p->acks_n; i++)
        rc = acks_read(c, s, &p->acks[i]);
    if (!rc)
        rc = gossip_heard(c, conv->id, &p->gossip);
    if (!rc)
        rc = by_type(c, conv, p);
    if (!rc && p->type != PAYLOAD_ACK && p->type != PAYLOAD_EMPTY)
        rc = acks_owe(c, s, conv);
    return rc;
}

/* ---- opening ---------------------------------------------------------------------- */

static int step_over(struct core *c, struct session *s, const struct conv_row *conv)
{
    struct ratchet_counts counts;
    int rc = 0;

    ratchet_count(s->ratchet, &counts);
    if (conv->waits && !counts.awaiting) {
        rc = db_convs_waits(c->db, conv->id, false);
        if (!rc)
            rc = core_event(c, EVENT_CONV, conv->id, 0, conv->state);
    }
    if (!rc && counts.answer_wanted)
        rc = acks_owe_empty(c, s);
    return rc ? rc : linking_words(c, s, conv);
}

static int opened(struct core *c, struct session *s, uint32_t bucket, uint64_t seq,
                  struct bytes payload)
{
    struct conv_row conv;
    struct payload p;
    int rc = db_convs_get(c->db, s->conv, &conv);

    if (rc)
        return rc;
    if (payload_read(payload, &p) == 0)
        rc = came(c, s, &conv, &p);
    else
        rc = core_alarm(c, ALARM_DAMAGED, conv.id, bucket, seq, 0);
    if (!rc)
        rc = step_over(c, s, &conv);
    /* Last: what came may have changed what is to be told (acks). */
    return rc ? rc : sessions_save(c->sessions, c->db, s);
}

static int open_mail(struct core *c, const struct sessions_hit *hit, uint32_t bucket,
                     uint64_t seq, const uint8_t *envelope, bool quiet)
{
    struct session *s = hit->session;
    uint8_t room[PAYLOAD_BYTES_MAX];
    struct ratchet_opened where;
    size_t n = 0;
    int rc;

    s->dirty = true;
    rc = ratchet_open(s->ratchet, envelope, hit->turn, hit->n, core_minute(c), room, &n,
                      &where);
    switch (rc) {
    case 0:
        rc = opened(c, s, bucket, seq, (struct bytes){room, n});
        break;
    case RATCHET_E_REPEATED:
        rc = quiet ? 0 : core_alarm(c, ALARM_REPLAYED, s->conv, bucket, seq, 0);
        break;
    case RATCHET_E_REFUSED:
        rc = quiet ? 0 : core_alarm(c, ALARM_DAMAGED, s->conv, bucket, seq, 0);
        break;
    default:
        rc = err_fold(rc);
    }
    secret_wipe(room, sizeof room);
    return rc == DB_E_NONE ? -EPROTO : rc;
}

int receive_envelope(struct core *c, uint32_t bucket, uint64_t seq,
                     const uint8_t *envelope, bool quiet)
{
    struct sessions_hit hit;
    bool ours;

    if (sessions_find(c->sessions, envelope, &hit))
        return open_mail(c, &hit, bucket, seq, envelope, quiet);
    return linking_home(c, envelope, &ours);
}

/* ---- time ------------------------------------------------------------------------- */

int receive_tick(struct core *c)
{
    uint64_t age_s = ((uint64_t)c->retention_days + 1) * DAY_S;
    struct message_row m;
    int rc = 0;

    if (!c->retention_days || core_now_s(c) < age_s)
        return 0;
    while (!rc) {
        rc = db_messages_overdue(c->db, core_now_s(c) - age_s, &m);
        m.stored_s = core_now_s(c);
        if (!rc)
            rc = show(c, &m);
    }
    return rc == DB_E_NONE ? 0 : rc;
}
