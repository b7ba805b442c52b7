/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/compose.h"

#include "client/core/db_log.h"
#include "client/core/db_messages.h"
#include "client/core/db_profile.h"
#include "lib/secret.h"
#include "lib/text.h"

#include <errno.h>
#include <string.h>

/* ---- texts ------------------------------------------------------------------------ */

static struct bytes rest_of(struct bytes text, size_t n)
{
    return (struct bytes){text.p + n, text.n - n};
}

int compose_parts(struct bytes text, uint32_t *parts)
{
    *parts = 0;
    if (!text.n || text.n > TEXT_BYTES_MAX || !utf8_valid(text))
        return COMPOSE_E_TEXT;
    while (text.n) {
        text = rest_of(text, utf8_prefix(text, TEXT_PART_BYTES_MAX));
        (*parts)++;
    }
    return *parts > TEXT_PARTS_MAX ? COMPOSE_E_TEXT : 0;
}

struct bytes compose_part(struct bytes text, uint32_t part)
{
    while (part--)
        text = rest_of(text, utf8_prefix(text, TEXT_PART_BYTES_MAX));
    return (struct bytes){text.p, utf8_prefix(text, TEXT_PART_BYTES_MAX)};
}

int compose_queue(struct core *c, int64_t conv, int64_t message,
                  const uint8_t mid[MESSAGE_ID_BYTES], uint32_t parts)
{
    struct outbox_row o = {
        .conv = conv, .message = message, .kind = OUTBOX_TEXT, .parts = parts};
    int rc = 0;

    memcpy(o.mid, mid, sizeof o.mid);
    for (o.part = 0; !rc && o.part < parts; o.part++)
        rc = db_outbox_add(c->db, &o);
    return rc;
}

int compose_text(struct core *c, const struct conv_row *conv, struct bytes text,
                 int64_t *message)
{
    struct message_row m = {
        .conv = conv->id,
        .mine = true,
        .kind = MESSAGE_TEXT,
        .state = MESSAGE_QUEUED,
        .side = conv->taker ? 0 : 1,
        .minute = core_minute(c),
        .stored_s = core_now_s(c),
        .text = text,
    };
    uint32_t parts;
    int rc = compose_parts(text, &parts);

    if (rc)
        return rc;
    rc = rand_bytes(m.mid, sizeof m.mid);
    if (!rc)
        rc = db_messages_order(c->db, conv->id, &m.order);
    if (rc)
        return rc;
    if (m.order < UINT32_MAX)
        m.order++;
    rc = db_messages_add(c->db, &m);
    if (!rc)
        rc = compose_queue(c, conv->id, m.id, m.mid, parts);
    if (!rc)
        rc = db_convs_touch(c->db, conv->id, m.stored_s);
    if (!rc)
        rc = core_event(c, EVENT_STATE, conv->id, m.id, MESSAGE_QUEUED);
    *message = m.id;
    return rc;
}

/* ---- payloads --------------------------------------------------------------------- */

static int fill_directory(struct core *c, struct payload_gossip *g)
{
    struct cursor at;
    int rc = db_log_cursor(c->db, BUCKET_DIRECTORY, &at);

    if (rc == DB_E_NONE || (!rc && at.next <= 1))
        return 0;
    g->has_directory = !rc;
    g->directory_seq = at.next - 1;
    memcpy(g->directory, at.head, sizeof g->directory);
    return rc;
}

/* SPEC 7.2: what we saw, so that a relay which shows others something else is found out.
 */
static int fill_gossip(struct core *c, const struct conv_row *conv,
                       struct payload_gossip *g)
{
    struct profile p = {0};
    uint8_t hash[HASH_BYTES];
    int rc = db_profile_get(c->db, &p);

    if (!rc && p.version) {
        rc = db_profile_hash(c->db, p.version, hash);
        g->has_descriptor = !rc;
        memcpy(g->descriptor, hash, sizeof g->descriptor);
    }
    secret_wipe(&p, sizeof p);
    if (!rc)
        rc = fill_directory(c, g);
    if (!rc && conv && conv->has_prev) {
        g->has_previous = true;
        g->previous_bucket = conv->prev_bucket;
        g->previous_seq = conv->prev_seq;
        memcpy(g->previous, conv->prev_head, sizeof g->previous);
    }
    return rc;
}

static void fill_acks(struct payload *p, const struct compose_acks *acks)
{
    p->acks_n = acks->n;
    memcpy(p->acks, acks->acks, sizeof p->acks);
}

static int write_out(struct buf *out, const struct payload *p)
{
    payload_write(out, p);
    return out->rc;
}

/* Name and home, for the types that introduce somebody. */
static int write_named(struct core *c, struct payload *p, struct buf *out)
{
    struct profile profile;
    int rc = db_profile_get(c->db, &profile);

    if (!rc) {
        p->name = (struct bytes){(const uint8_t *)profile.name, strlen(profile.name)};
        p->has_home = true;
        p->home = profile.home;
        rc = write_out(out, p);
    }
    p->name = (struct bytes){NULL, 0}; /* it was borrowed from profile */
    secret_wipe(&profile, sizeof profile);
    return rc;
}

static int write_text(struct core *c, const struct outbox_row *o, struct payload *p,
                      struct buf *out)
{
    struct message_row m;
    struct buf text;
    int rc = db_messages_get(c->db, o->message, &m);

    buf_init(&text, TEXT_BYTES_MAX);
    if (!rc)
        rc = db_messages_text(c->db, o->message, &text);
    if (!rc) {
        p->minute = m.minute;
        p->order = m.order;
        p->text = compose_part(buf_view(&text), o->part);
        p->part = o->part;
        p->parts = o->parts > 1 ? o->parts : 0;
        rc = write_out(out, p);
    }
    buf_free(&text);
    return rc == DB_E_NONE ? COMPOSE_E_GONE : rc;
}

int compose_row(struct core *c, const struct conv_row *conv, const struct outbox_row *o,
                const struct compose_acks *acks, struct buf *out)
{
    struct payload p = {.minute = core_minute(c)};
    int rc = fill_gossip(c, conv, &p.gossip);

    if (rc)
        return err_fold(rc);
    memcpy(p.id, o->mid, sizeof p.id);
    fill_acks(&p, acks);
    switch (o->kind) {
    case OUTBOX_ACCEPT:
        p.type = PAYLOAD_ACCEPT;
        return write_named(c, &p, out);
    case OUTBOX_TEXT:
        p.type = PAYLOAD_TEXT;
        return write_text(c, o, &p, out);
    case OUTBOX_CLOSE:
        p.type = PAYLOAD_CLOSE;
        return write_out(out, &p);
    }
    return -EPROTO;
}

int compose_ack(struct core *c, const struct conv_row *conv,
                const struct compose_acks *acks, struct buf *out)
{
    struct payload p = {.minute = core_minute(c)};
    int rc = rand_bytes(p.id, sizeof p.id);

    if (!rc)
        rc = fill_gossip(c, conv, &p.gossip);
    if (rc)
        return err_fold(rc);
    p.type = acks->n ? PAYLOAD_ACK : PAYLOAD_EMPTY;
    fill_acks(&p, acks);
    return write_out(out, &p);
}

int compose_link(struct core *c, enum payload_type type, struct buf *out)
{
    struct payload p = {.type = type, .minute = core_minute(c)};
    int rc = rand_bytes(p.id, sizeof p.id);

    if (!rc && type == PAYLOAD_TAKE)
        rc = fill_gossip(c, NULL, &p.gossip);
    return rc ? err_fold(rc) : write_named(c, &p, out);
}
