/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/outbox.h"

#include "client/core/compose.h"
#include "client/core/contact.h"
#include "client/core/db_log.h"
#include "client/core/db_messages.h"
#include "client/core/db_profile.h"
#include "client/core/gossip.h"
#include "client/core/linking.h"
#include "lib/mem.h"
#include "lib/secret.h"

#include <errno.h>
#include <string.h>

enum { PAUSE_LEAST_MS = 5 * 1000, PAUSE_MOST_MS = 60 * 1000 };

enum flight_kind { FLIGHT_ROW = 1, FLIGHT_ACK, FLIGHT_OFFER, FLIGHT_TAKE };

struct flight {
    uint64_t id;
    enum flight_kind kind;
    int64_t conv;
    int64_t row; /* FLIGHT_ROW */
    uint32_t bucket;
    uint32_t owed;   /* conv_row.owed when its acks were written */
    bool in_session; /* counted in session.flight */
};

struct outbox {
    struct core *c;
    struct flight list[NODE_POSTS_MAX];
    size_t count;
    uint64_t next_id;
    size_t turn;          /* which session is looked at first: round and round */
    uint64_t pause_until; /* monotonic ms; 0: no pause */
    uint32_t pause_ms;
    bool lost; /* the connection is gone and the database could not be told yet */
};

/* ---- taking over ------------------------------------------------------------------ */

static int arm(struct core *c, struct session *s)
{
    struct conv_row conv;
    int rc = db_convs_get(c->db, s->conv, &conv);

    if (!rc && conv.owed && !s->ack_due)
        rc = core_due(c, c->ack_least_ms, c->ack_most_ms, &s->ack_due);
    return err_fold(rc);
}

static int take_over(struct core *c)
{
    int rc = core_begin(c);

    if (!rc)
        rc = db_outbox_lost(c->db);
    for (size_t i = 0; !rc && i < sessions_count(c->sessions); i++) {
        struct session *s = sessions_at(c->sessions, i);
        /* Whatever was on its way may have held the acks. */
        ratchet_acks_retell(s->ratchet);
        rc = arm(c, s);
    }
    return core_end(c, rc);
}

int outbox_new(struct core *c, struct outbox **out)
{
    struct outbox *o = mem_zalloc(sizeof *o);
    int rc;

    *out = NULL;
    if (!o)
        return -ENOMEM;
    o->c = c;
    o->next_id = 1;
    rc = take_over(c);
    if (rc)
        mem_free(o);
    else
        *out = o;
    return rc;
}

void outbox_free(struct outbox *o)
{
    mem_free(o);
}

/* ---- choosing --------------------------------------------------------------------- */

struct choice {
    enum flight_kind kind;
    int64_t conv;
};

static bool flying(const struct outbox *o, enum flight_kind kind, int64_t conv)
{
    for (size_t i = 0; i < o->count; i++)
        if (o->list[i].kind == kind && o->list[i].conv == conv)
            return true;
    return false;
}

static bool choose_link(const struct outbox *o, struct choice *out)
{
    const struct core *c = o->c;

    for (size_t i = 0; i < c->links_n; i++) {
        const struct link_row *l = &c->links[i];
        if (l->state == CONV_OFFERING)
            *out = (struct choice){FLIGHT_OFFER, l->conv};
        else if (l->state == CONV_TAKING && !l->posted)
            *out = (struct choice){FLIGHT_TAKE, l->conv};
        else
            continue;
        if (!flying(o, out->kind, out->conv))
            return true;
    }
    return false;
}

/* True when this conversation may have its next envelope sealed now. */
static bool may_send(const struct session *s, const struct conv_row *conv, uint64_t now)
{
    if (conv->state != CONV_TAKEN && conv->state != CONV_LINKED &&
        conv->state != CONV_CLOSED)
        return false;
    if (conv->waits || !conv->home || s->flight >= NODE_POSTS_CONV_MAX)
        return false;
    return !s->accept_due || now >= s->accept_due; /* the accept goes first */
}

static int choose_in(struct outbox *o, struct session *s, struct choice *out)
{
    struct core *c = o->c;
    uint64_t now = core_mono_ms(c);
    struct conv_row conv;
    struct outbox_row row;
    int rc = db_convs_get(c->db, s->conv, &conv);

    if (rc || !may_send(s, &conv, now))
        return rc ? rc : DB_E_NONE;
    *out = (struct choice){FLIGHT_ROW, s->conv};
    rc = db_outbox_next(c->db, s->conv, &row);
    if (rc != DB_E_NONE)
        return rc;
    out->kind = FLIGHT_ACK;
    if (flying(o, FLIGHT_ACK, s->conv))
        return DB_E_NONE;
    if ((s->ack_due && now >= s->ack_due) || (s->empty_due && now >= s->empty_due))
        return 0;
    return DB_E_NONE;
}

/* What goes next.  DB_E_NONE: nothing now. */
static int choose(struct outbox *o, struct choice *out)
{
    struct core *c = o->c;
    size_t n = sessions_count(c->sessions);
    struct cursor home;
    uint32_t open;
    bool held;
    int rc;

    if (o->count == NODE_POSTS_MAX)
        return DB_E_NONE;
    if (o->pause_until && core_mono_ms(c) < o->pause_until)
        return DB_E_NONE;
    rc = db_notes_open(c->db, &open, &held);
    if (rc || held)
        return rc ? rc : DB_E_NONE;
    /* Before the home bucket has a position, an answer to what we post could be missed.
     */
    rc = c->home ? db_log_cursor(c->db, c->home, &home) : DB_E_NONE;
    if (rc)
        return rc;
    if (choose_link(o, out))
        return 0;
    rc = DB_E_NONE;
    for (size_t i = 0; rc == DB_E_NONE && i < n; i++)
        rc = choose_in(o, sessions_at(c->sessions, (o->turn + i) % n), out);
    return rc;
}

/* ---- sealing ---------------------------------------------------------------------- */

static int start_waiting(struct core *c, int64_t conv)
{
    int rc = db_convs_waits(c->db, conv, true);

    return rc ? rc : core_event(c, EVENT_CONV, conv, 0, 0);
}

/* Seals a payload as the session's next envelope and saves the step. */
static int seal(struct core *c, struct session *s, struct bytes payload, bool acks,
                uint8_t *envelope, struct ratchet_sent *sent)
{
    int rc;

    s->dirty = true; /* from here on a failure takes the step back */
    rc = ratchet_seal(s->ratchet, payload, envelope, sent);
    if (rc)
        return rc;
    if (acks)
        ratchet_acks_told(s->ratchet);
    return sessions_save(c->sessions, c->db, s);
}

static int seal_in_session(struct outbox *o, const struct choice *what, struct flight *f,
                           struct node_post *out)
{
    struct core *c = o->c;
    struct session *s = sessions_get(c->sessions, what->conv);
    struct compose_acks acks = {0};
    struct ratchet_sent sent;
    struct outbox_row row = {0};
    struct conv_row conv;
    struct buf payload;
    int rc = s ? db_convs_get(c->db, what->conv, &conv) : DB_E_NONE;

    buf_init(&payload, PAYLOAD_BYTES_MAX);
    if (rc)
        goto out;
    acks.n = ratchet_acks(s->ratchet, acks.acks);
    if (what->kind == FLIGHT_ROW) {
        rc = db_outbox_next(c->db, what->conv, &row);
        if (!rc)
            rc = compose_row(c, &conv, &row, &acks, &payload);
    } else {
        rc = compose_ack(c, &conv, &acks, &payload);
    }
    if (rc)
        goto out;
    rc = seal(c, s, buf_view(&payload), acks.n > 0, out->envelope, &sent);
    if (rc == RATCHET_E_WAIT) {
        /* Not a failure: the person is told, and the text stays where it is. */
        rc = start_waiting(c, what->conv);
        f->kind = 0;
        goto out;
    }
    if (!rc)
        rc = linking_words(c, s, &conv);
    if (!rc && row.id)
        rc = db_outbox_sealed(c->db, &row, sent.turn, sent.n);
    f->row = row.id;
    f->bucket = conv.home;
    f->owed = conv.owed;
    f->in_session = true;
out:
    buf_free(&payload);
    return rc;
}

static int seal_choice(struct outbox *o, const struct choice *what, struct flight *f,
                       struct node_post *out)
{
    *f = (struct flight){.id = o->next_id, .kind = what->kind, .conv = what->conv};
    switch (what->kind) {
    case FLIGHT_OFFER:
        return linking_seal_offer(o->c, what->conv, out->envelope, &f->bucket);
    case FLIGHT_TAKE:
        return linking_seal_take(o->c, what->conv, out->envelope, &f->bucket);
    default:
        return seal_in_session(o, what, f, out);
    }
}

static void took_off(struct outbox *o, const struct flight *f, struct node_post *out)
{
    struct session *s = sessions_get(o->c->sessions, f->conv);

    o->next_id++;
    o->turn++;
    o->list[o->count++] = *f;
    out->id = f->id;
    out->bucket = f->bucket;
    if (!s || !f->in_session)
        return;
    s->flight++;
    /* Everything that goes out carries the acks and begins the turn. */
    s->ack_due = s->empty_due = 0;
    if (f->kind == FLIGHT_ROW)
        s->accept_due = 0;
}

int outbox_next(struct outbox *o, struct node_post *out)
{
    struct choice what;
    struct flight f;
    int rc;

    rc = o->lost ? outbox_lost(o) : 0;
    if (rc)
        return rc;
    for (;;) {
        rc = choose(o, &what);
        if (rc == DB_E_NONE)
            return OUTBOX_E_NONE;
        if (!rc)
            rc = core_begin(o->c);
        if (rc)
            return rc;
        rc = seal_choice(o, &what, &f, out);
        rc = core_end(o->c, rc);
        if (rc == DB_E_NONE || rc == COMPOSE_E_GONE)
            continue; /* forgotten by another process since it was chosen */
        if (rc)
            return err_fold(rc);
        if (!f.kind)
            continue; /* it has to wait; look for another */
        took_off(o, &f, out);
        return 0;
    }
}

/* ---- answers ---------------------------------------------------------------------- */

static int landed(struct outbox *o, uint64_t id, struct flight *out)
{
    for (size_t i = 0; i < o->count; i++)
        if (o->list[i].id == id) {
            *out = o->list[i];
            return 0;
        }
    return -EINVAL;
}

static void remove_flight(struct outbox *o, uint64_t id)
{
    for (size_t i = 0; i < o->count; i++) {
        struct session *s;
        if (o->list[i].id != id)
            continue;
        s = sessions_get(o->c->sessions, o->list[i].conv);
        if (s && o->list[i].in_session && s->flight)
            s->flight--;
        memmove(&o->list[i], &o->list[i + 1], (o->count - i - 1) * sizeof o->list[0]);
        o->count--;
        return;
    }
}

static int stored_row(struct core *c, const struct flight *f)
{
    struct outbox_row row;
    struct message_row m;
    uint32_t rows, unstored;
    bool again;
    int rc = db_outbox_get(c->db, f->row, &row);

    if (rc)
        return rc == DB_E_NONE ? 0 : rc; /* acked before the answer came, or forgotten */
    again = row.stored_s != 0;
    row.stored_s = core_now_s(c);
    row.state = OUTBOX_STORED;
    rc = db_outbox_put(c->db, &row);
    if (rc || !row.message)
        return rc;
    rc = db_messages_get(c->db, row.message, &m);
    if (!rc && again)
        rc = db_messages_resent(c->db, m.id);
    if (!rc)
        rc = db_outbox_left(c->db, m.id, &rows, &unstored);
    if (rc)
        return rc;
    if (!unstored && (m.state == MESSAGE_QUEUED || m.state == MESSAGE_EXPIRED))
        return core_message_state(c, m.conv, m.id, MESSAGE_SENT, WHY_NONE);
    return again ? core_event(c, EVENT_STATE, m.conv, m.id, m.state) : 0;
}

static int trouble_over(struct core *c)
{
    struct profile p = {0};
    int rc = db_profile_get(c->db, &p);
    bool any = p.trouble != 0;

    secret_wipe(&p, sizeof p);
    if (rc || !any)
        return rc;
    rc = db_profile_put_trouble(c->db, 0);
    return rc ? rc : core_event(c, EVENT_RELAY, 0, 0, 0);
}

static int done_in_session(struct core *c, const struct flight *f, uint64_t seq,
                           const uint8_t head[32])
{
    struct conv_row conv;
    int rc = db_convs_get(c->db, f->conv, &conv);

    if (rc)
        return rc == DB_E_NONE ? 0 : rc;
    rc = db_convs_prev(c->db, f->conv, f->bucket, seq, head);
    if (!rc && conv.owed && conv.owed == f->owed)
        rc = db_convs_owed(c->db, f->conv, 0);
    if (!rc && f->row)
        rc = stored_row(c, f);
    return rc;
}

int outbox_done(struct outbox *o, uint64_t id, uint64_t seq, const uint8_t head[32])
{
    struct core *c = o->c;
    struct flight f;
    int rc = landed(o, id, &f);

    if (!rc)
        rc = core_begin(c);
    if (rc)
        return rc;
    if (f.kind == FLIGHT_OFFER)
        rc = linking_offered(c, f.conv, seq);
    else if (f.kind == FLIGHT_TAKE)
        rc = linking_take_posted(c, f.conv);
    else
        rc = done_in_session(c, &f, seq, head);
    if (!rc)
        rc = gossip_answered(c, f.bucket, seq, head);
    if (!rc)
        rc = trouble_over(c);
    rc = core_end(c, rc);
    if (rc)
        return err_fold(rc);
    o->pause_until = 0;
    o->pause_ms = 0;
    remove_flight(o, id);
    return 0;
}

/* ---- refusals and lost connections ------------------------------------------------ */

static bool passes(enum code code)
{
    return code == CODE_STORAGE_FULL || code == CODE_UNAVAILABLE ||
           code == CODE_RATE_LIMITED || code == CODE_INTERNAL;
}

/* The envelope never landed: what it carried is to be told again, soon. */
static int unsaid(struct core *c, const struct flight *f)
{
    struct session *s = sessions_get(c->sessions, f->conv);
    struct conv_row conv;
    int rc;

    if (!s || !f->in_session)
        return 0;
    s->dirty = true;
    ratchet_acks_retell(s->ratchet);
    rc = sessions_save(c->sessions, c->db, s);
    if (!rc)
        rc = db_convs_get(c->db, f->conv, &conv);
    if (!rc && conv.owed && !s->ack_due)
        rc = core_due(c, 0, c->ack_least_ms, &s->ack_due);
    return rc == DB_E_NONE ? 0 : rc;
}

static int refuse_row(struct core *c, const struct flight *f, enum code code)
{
    struct outbox_row row;
    int rc = db_outbox_get(c->db, f->row, &row);

    if (rc)
        return rc == DB_E_NONE ? 0 : rc;
    row.state = OUTBOX_READY;
    if (passes(code) || !row.message)
        return db_outbox_put(c->db, &row);
    rc = db_outbox_delete_message(c->db, row.message);
    return rc ? rc
              : core_message_state(c, row.conv, row.message, MESSAGE_NOT_SENT,
                                   code_ends_member(code) ? WHY_NO_MEMBER : WHY_REFUSED);
}

static int refuse(struct core *c, const struct flight *f, enum code code)
{
    int rc = unsaid(c, f);

    if (!rc && f->kind == FLIGHT_ROW)
        rc = refuse_row(c, f, code);
    if (!rc && (f->kind == FLIGHT_OFFER || f->kind == FLIGHT_TAKE) && !passes(code))
        rc = linking_failed(c, f->conv, CONV_WHY_REFUSED);
    if (!rc && passes(code))
        rc = db_profile_put_trouble(c->db, code);
    if (!rc)
        rc = core_event(c, EVENT_RELAY, 0, 0, 0);
    return rc;
}

static int pause_posts(struct outbox *o)
{
    uint32_t ms = o->pause_ms ? o->pause_ms * 2 : PAUSE_LEAST_MS;

    /* Posts that were on their way together are refused together: one pause for all. */
    if (o->pause_until && core_mono_ms(o->c) < o->pause_until)
        return 0;
    o->pause_ms = ms > PAUSE_MOST_MS ? PAUSE_MOST_MS : ms;
    return core_due(o->c, o->pause_ms, o->pause_ms + o->pause_ms / 4, &o->pause_until);
}

int outbox_refused(struct outbox *o, uint64_t id, enum code code)
{
    struct flight f;
    int rc = landed(o, id, &f);

    if (!rc)
        rc = core_begin(o->c);
    if (!rc)
        rc = refuse(o->c, &f, code);
    rc = core_end(o->c, rc);
    if (rc)
        return err_fold(rc);
    remove_flight(o, id);
    return pause_posts(o);
}

int outbox_lost(struct outbox *o)
{
    int rc;

    if (!o->count)
        return 0;
    o->lost = true;
    rc = core_begin(o->c);
    if (!rc)
        rc = db_outbox_lost(o->c->db);
    for (size_t i = 0; !rc && i < o->count; i++)
        rc = unsaid(o->c, &o->list[i]);
    rc = core_end(o->c, rc);
    if (rc)
        return err_fold(rc);
    o->lost = false;
    while (o->count)
        remove_flight(o, o->list[0].id);
    return 0;
}

/* ---- time ------------------------------------------------------------------------- */

static uint64_t earlier(uint64_t due, uint64_t now, uint64_t least)
{
    uint64_t wait = due > now ? due - now : 0;

    if (!due)
        return least;
    return wait < least ? wait : least;
}

uint64_t outbox_due(struct outbox *o)
{
    uint64_t now = core_mono_ms(o->c), least = UINT64_MAX;
    struct choice what;
    struct conv_row conv;

    if (o->pause_until > now)
        return o->pause_until - now;
    if (o->lost)
        return 0;
    if (choose(o, &what) == 0)
        return 0;
    for (size_t i = 0; i < sessions_count(o->c->sessions); i++) {
        const struct session *s = sessions_at(o->c->sessions, i);
        uint64_t wait = earlier(s->ack_due, now, UINT64_MAX);

        wait = earlier(s->empty_due, now, wait);
        wait = earlier(s->accept_due, now, wait);
        if (wait == UINT64_MAX || db_convs_get(o->c->db, s->conv, &conv) || conv.waits)
            continue;
        /* A time that has passed and was not chosen waits for something else: an answer,
         * an alarm.  What ends that wait asks again. */
        if (wait && wait < least)
            least = wait;
    }
    return least;
}

int outbox_hurry(struct outbox *o, uint32_t most_ms)
{
    uint64_t latest = core_mono_ms(o->c) + most_ms;
    int rc = 0;

    for (size_t i = 0; !rc && i < sessions_count(o->c->sessions); i++) {
        struct session *s = sessions_at(o->c->sessions, i);

        if (s->ack_due > latest)
            rc = core_due(o->c, 0, most_ms, &s->ack_due);
    }
    return rc;
}

bool outbox_owes(struct outbox *o, uint32_t within_ms)
{
    return o->count > 0 || outbox_due(o) <= within_ms;
}
