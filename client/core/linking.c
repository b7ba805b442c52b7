/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/linking.h"

#include "client/core/acks.h"
#include "client/core/compose.h"
#include "client/core/contact.h"
#include "client/core/db_log.h"
#include "client/core/db_profile.h"
#include "client/core/gossip.h"
#include "lib/secret.h"

#include <errno.h>
#include <string.h>

enum { HOUR_S = 3600 };

/* ---- beginning -------------------------------------------------------------------- */

static int may_link(struct core *c)
{
    struct profile p = {0};
    int64_t open;
    int rc = db_profile_get(c->db, &p);
    bool member = p.member == MEMBER_ENROLLED && p.home;

    secret_wipe(&p, sizeof p);
    if (rc)
        return rc;
    if (!member)
        return NODE_E_STATE;
    rc = db_convs_count_links(c->db, &open);
    if (rc)
        return rc;
    return open >= CORE_LINKS_MAX ? NODE_E_MANY : 0;
}

static uint64_t until_of(uint32_t last_hour)
{
    return ((uint64_t)last_hour + 1) * HOUR_S;
}

static int begin(struct core *c, struct link_row *l, enum conv_state state)
{
    int rc = db_convs_add(c->db, state, l->taker, core_now_s(c), until_of(l->last_hour),
                          &l->conv);

    if (!rc)
        rc = db_convs_add_link(c->db, l);
    if (!rc)
        rc = core_event(c, EVENT_CONV, l->conv, 0, state);
    return rc ? rc : core_reload_links(c);
}

int linking_begin(struct core *c, uint32_t valid_s, int64_t *conv)
{
    struct contact_offer offer = {0};
    struct link_row l = {.has_sk = true, .has_pk = true, .bucket = c->home};
    int rc = may_link(c);

    if (!rc)
        rc = contact_offer_new(&offer);
    if (!rc) {
        memcpy(l.secret, offer.secret, sizeof l.secret);
        memcpy(l.sk, offer.sk, sizeof l.sk);
        memcpy(l.pk, offer.pk, sizeof l.pk);
        l.last_hour = (uint32_t)((core_now_s(c) + valid_s) / HOUR_S);
        rc = begin(c, &l, CONV_OFFERING);
        *conv = l.conv;
    }
    secret_wipe(&offer, sizeof offer);
    secret_wipe(&l, sizeof l);
    return rc;
}

int linking_print(struct core *c, int64_t conv, char out[LINK_CHARS + 1])
{
    struct link_row l;
    int rc = db_convs_link(c->db, conv, &l);

    if (!rc && (l.taker || l.state != CONV_OFFERED || !l.start))
        rc = DB_E_NONE;
    if (!rc) {
        struct link link = {
            .bucket = l.bucket, .from = l.start, .last_hour = l.last_hour};
        memcpy(link.secret, l.secret, sizeof link.secret);
        link_print(&link, c->cohort, out);
        secret_wipe(&link, sizeof link);
    }
    secret_wipe(&l, sizeof l);
    return core_fold(rc, NODE_E_NONE);
}

static int parse(const struct core *c, const char *text, size_t text_n, struct link *out)
{
    switch (link_parse(text, text_n, c->cohort, out)) {
    case 0:
        break;
    case INVITE_E_KIND:
        return NODE_E_LINK_KIND;
    case INVITE_E_CHECK:
        return NODE_E_LINK_CHECK;
    case INVITE_E_COHORT:
        return NODE_E_LINK_COHORT;
    default:
        return NODE_E_LINK_FORM;
    }
    if (out->bucket < BUCKET_MAIL || out->bucket >= BUCKET_MAIL + c->mail_buckets)
        return NODE_E_LINK_FORM;
    return core_now_s(c) >= until_of(out->last_hour) ? NODE_E_LINK_EXPIRED : 0;
}

int linking_take(struct core *c, const char *text, size_t text_n, int64_t *conv)
{
    struct link link;
    struct link_row l = {.taker = true};
    struct link_row known;
    int rc = parse(c, text, text_n, &link);

    if (!rc)
        rc = may_link(c);
    if (!rc) {
        rc = db_convs_link_by_secret(c->db, link.secret, &known);
        if (!rc) {
            *conv = known.conv;
            rc = known.taker ? NODE_E_LINK_AGAIN : NODE_E_LINK_OWN;
        } else if (rc == DB_E_NONE) {
            memcpy(l.secret, link.secret, sizeof l.secret);
            l.bucket = link.bucket;
            l.start = link.from;
            l.last_hour = link.last_hour;
            rc = begin(c, &l, CONV_LOOKING);
            *conv = l.conv;
        }
    }
    secret_wipe(&link, sizeof link);
    secret_wipe(&known, sizeof known);
    secret_wipe(&l, sizeof l);
    return rc;
}

int linking_failed(struct core *c, int64_t conv, enum conv_why why)
{
    int rc = core_conv_state(c, conv, CONV_FAILED, why);

    if (!rc)
        rc = acks_stop(c, conv);
    if (!rc)
        rc = db_convs_drop_link(c->db, conv);
    return rc ? rc : core_reload_links(c);
}

static int second_taker(struct core *c, int64_t conv, uint32_t bucket)
{
    int rc = db_convs_second(c->db, conv);

    if (!rc)
        rc = core_event(c, EVENT_CONV, conv, 0, 0);
    return rc ? rc : core_alarm(c, ALARM_SECOND_TAKER, conv, bucket, 0, 0);
}

/* ---- the inviter ------------------------------------------------------------------ */

static void offer_of(const struct link_row *l, struct contact_offer *out)
{
    memcpy(out->secret, l->secret, sizeof out->secret);
    memcpy(out->sk, l->sk, sizeof out->sk);
    memcpy(out->pk, l->pk, sizeof out->pk);
}

int linking_seal_offer(struct core *c, int64_t conv, uint8_t *envelope, uint32_t *bucket)
{
    struct link_row l;
    struct contact_offer offer;
    struct buf payload;
    int rc = db_convs_link(c->db, conv, &l);

    buf_init(&payload, PAYLOAD_BYTES_MAX);
    if (!rc && (l.state != CONV_OFFERING || !l.has_sk))
        rc = DB_E_NONE;
    if (!rc)
        rc = compose_link(c, PAYLOAD_OFFER, &payload);
    if (!rc) {
        offer_of(&l, &offer);
        rc = contact_offer_seal(&offer, buf_view(&payload), envelope);
        secret_wipe(&offer, sizeof offer);
        *bucket = l.bucket;
    }
    buf_free(&payload);
    secret_wipe(&l, sizeof l);
    return rc;
}

int linking_offered(struct core *c, int64_t conv, uint64_t seq)
{
    struct link_row l;
    int rc = db_convs_link(c->db, conv, &l);

    if (!rc && l.state == CONV_OFFERING) {
        l.start = (seq - 1) / BLOCK_SEQS * BLOCK_SEQS + 1;
        rc = db_convs_put_link(c->db, &l);
        if (!rc)
            rc = core_conv_state(c, conv, CONV_OFFERED, CONV_WHY_NONE);
        if (!rc)
            rc = core_event(c, EVENT_LINK_READY, conv, 0, 0);
        if (!rc)
            rc = core_reload_links(c);
    }
    secret_wipe(&l, sizeof l);
    return rc == DB_E_NONE ? 0 : rc;
}

/* The first valid take: the conversation is there.  Takes r over. */
static int take_accepted(struct core *c, struct link_row *l, const struct payload *p,
                         struct ratchet *r, const uint8_t id[HASH_BYTES])
{
    struct outbox_row accept = {.conv = l->conv, .kind = OUTBOX_ACCEPT, .parts = 1};
    struct session *s;
    int rc = sessions_add(c->sessions, c->db, l->conv, r, &s);

    if (!rc)
        rc = rand_bytes(accept.mid, sizeof accept.mid);
    if (!rc)
        rc = db_outbox_add(c->db, &accept);
    if (!rc)
        rc = acks_owe_accept(c, s);
    if (!rc)
        rc = db_convs_peer(c->db, l->conv, p->name, p->home);
    if (rc)
        return rc;
    l->has_sk = l->has_pk = false;
    l->has_take = true;
    memcpy(l->take_id, id, HASH_BYTES);
    rc = db_convs_put_link(c->db, l);
    if (!rc)
        rc = gossip_heard(c, l->conv, &p->gossip);
    return rc ? rc : core_conv_state(c, l->conv, CONV_LINKED, CONV_WHY_NONE);
}

static int open_take(struct core *c, struct link_row *l, const uint8_t *envelope,
                     const uint8_t id[HASH_BYTES])
{
    uint8_t room[PAYLOAD_BYTES_MAX];
    struct contact_offer offer;
    struct ratchet *r = NULL;
    struct payload p;
    size_t n;
    int rc;

    offer_of(l, &offer);
    rc = contact_accept(&offer, c->cohort, envelope, core_minute(c), room, &n, &r);
    secret_wipe(&offer, sizeof offer);
    if (rc)
        return rc == CONTACT_E_REFUSED
                   ? 0
                   : rc; /* not a valid take: as if it were not there */
    if (payload_read((struct bytes){room, n}, &p) || p.type != PAYLOAD_TAKE ||
        p.minute / 60 > l->last_hour)
        ratchet_free(r);
    else
        rc = take_accepted(c, l, &p, r, id);
    secret_wipe(room, sizeof room);
    return rc;
}

int linking_home(struct core *c, const uint8_t *envelope, bool *ours)
{
    uint8_t id[HASH_BYTES];
    struct link_row *l = NULL;
    int rc = 0;

    *ours = false;
    for (size_t i = 0; i < c->links_n && !l; i++)
        if (!c->links[i].taker && contact_is(c->links[i].secret, ENVELOPE_TAKE, envelope))
            l = &c->links[i];
    if (!l)
        return 0;
    *ours = true;
    if (contact_take_id(l->secret, envelope, id))
        return 0;
    if (l->has_take && memcmp(l->take_id, id, sizeof id) != 0)
        rc = second_taker(c, l->conv, l->bucket);
    else if (!l->has_take && l->has_sk)
        rc = open_take(c, l, envelope, id);
    return rc ? rc : core_reload_links(c);
}

/* ---- the taker -------------------------------------------------------------------- */

int linking_seal_take(struct core *c, int64_t conv, uint8_t *envelope, uint32_t *bucket)
{
    struct session *s = sessions_get(c->sessions, conv);
    struct link_row l;
    struct buf payload;
    int rc = db_convs_link(c->db, conv, &l);

    buf_init(&payload, PAYLOAD_BYTES_MAX);
    if (!rc && (!s || l.state != CONV_TAKING || l.posted))
        rc = DB_E_NONE;
    if (!rc)
        rc = compose_link(c, PAYLOAD_TAKE, &payload);
    if (!rc)
        rc = contact_take_seal(s->ratchet, l.secret, buf_view(&payload), envelope);
    if (!rc)
        rc = contact_take_id(l.secret, envelope, l.take_id);
    if (!rc) {
        l.has_take = true;
        rc = db_convs_put_link(c->db, &l);
        *bucket = l.bucket;
    }
    if (!rc)
        rc = core_reload_links(c);
    buf_free(&payload);
    secret_wipe(&l, sizeof l);
    return rc;
}

int linking_take_posted(struct core *c, int64_t conv)
{
    struct session *s = sessions_get(c->sessions, conv);
    struct link_row l;
    int rc = s ? db_convs_link(c->db, conv, &l) : DB_E_NONE;

    if (rc)
        return rc == DB_E_NONE ? 0
                               : rc; /* forgotten, or complete before the answer came */
    if (!l.posted) {
        l.posted = true;
        s->dirty = true;
        ratchet_take_posted(s->ratchet);
        rc = sessions_save(c->sessions, c->db, s);
        if (!rc)
            rc = db_convs_put_link(c->db, &l);
        if (!rc)
            rc = core_reload_links(c);
    }
    secret_wipe(&l, sizeof l);
    return rc;
}

static int offer_seen(struct core *c, struct linking_scan *scan, struct link_row *l,
                      const uint8_t *envelope)
{
    uint8_t room[PAYLOAD_BYTES_MAX];
    struct payload p;
    size_t n;
    int rc;

    if (contact_offer_open(l->secret, envelope, l->pk, room, &n) ||
        payload_read((struct bytes){room, n}, &p) || p.type != PAYLOAD_OFFER) {
        scan->damaged = true;
        return 0;
    }
    scan->offer = true;
    if (l->has_pk) /* read again after a reconnect: the first one counts */
        return 0;
    l->has_pk = true;
    rc = db_convs_put_link(c->db, l);
    if (!rc)
        rc = db_convs_peer(c->db, l->conv, p.name, p.home);
    if (!rc)
        rc = core_event(c, EVENT_CONV, l->conv, 0, l->state);
    return rc;
}

/* Somebody else's take stands first in the log.  If ours is on its way the inviter may
 * still prefer it (theirs may be no valid one), so the session stays. */
static int lost_race(struct core *c, struct link_row *l)
{
    int rc;

    if (l->state == CONV_LOOKING)
        return linking_failed(c, l->conv, CONV_WHY_TAKEN);
    rc = second_taker(c, l->conv, l->bucket);
    if (!rc)
        rc = acks_stop(c, l->conv);
    return rc ? rc : core_conv_state(c, l->conv, CONV_FAILED, CONV_WHY_TAKEN);
}

static int take_seen(struct core *c, struct linking_scan *scan, struct link_row *l,
                     const uint8_t *envelope)
{
    uint8_t id[HASH_BYTES];
    bool first = !scan->taken, mine;
    int rc;

    if (contact_take_id(l->secret, envelope, id))
        return 0;
    scan->taken = true;
    mine = l->has_take && memcmp(l->take_id, id, sizeof id) == 0;
    if (!first)
        return mine || l->state != CONV_TAKEN ? 0 : second_taker(c, l->conv, l->bucket);
    if (!mine)
        return lost_race(c, l);
    if (l->state != CONV_TAKING)
        return 0;
    rc = linking_take_posted(c, l->conv); /* in the log: as good as its answer */
    return rc ? rc : core_conv_state(c, l->conv, CONV_TAKEN, CONV_WHY_NONE);
}

int linking_scanned(struct core *c, struct linking_scan *scan, struct link_row *l,
                    const uint8_t *envelope)
{
    int rc = 0;

    if (contact_is(l->secret, ENVELOPE_OFFER, envelope))
        rc = offer_seen(c, scan, l, envelope);
    else if (contact_is(l->secret, ENVELOPE_TAKE, envelope))
        rc = take_seen(c, scan, l, envelope);
    else
        return 0;
    return rc ? rc : core_reload_links(c);
}

int linking_scan_ended(struct core *c, const struct linking_scan *scan,
                       struct link_row *l, bool from_start)
{
    struct ratchet *r = NULL;
    struct session *s;
    int rc;

    if (l->state != CONV_LOOKING)
        return 0;
    if (!scan->offer)
        return linking_failed(c, l->conv,
                              scan->damaged ? CONV_WHY_DAMAGED
                              : from_start  ? CONV_WHY_NOT_FOUND
                                            : CONV_WHY_EXPIRED);
    rc = contact_take_start(l->secret, c->cohort, l->pk, &r);
    if (rc == CONTACT_E_REFUSED)
        return linking_failed(c, l->conv, CONV_WHY_DAMAGED);
    if (!rc)
        rc = sessions_add(c->sessions, c->db, l->conv, r, &s);
    if (!rc)
        rc = core_conv_state(c, l->conv, CONV_TAKING, CONV_WHY_NONE);
    return rc ? rc : core_reload_links(c);
}

int linking_accepted(struct core *c, int64_t conv, struct bytes name, uint32_t home)
{
    struct conv_row row;
    int rc = db_convs_get(c->db, conv, &row);

    if (rc || !row.taker || row.state == CONV_LINKED || row.state == CONV_CLOSED)
        return rc;
    rc = db_convs_peer(c->db, conv, name, home);
    if (!rc)
        rc = db_convs_drop_link(c->db, conv);
    if (!rc)
        rc = core_conv_state(c, conv, CONV_LINKED, CONV_WHY_NONE);
    return rc ? rc : core_reload_links(c);
}

int linking_words(struct core *c, const struct session *s, const struct conv_row *conv)
{
    uint8_t th_2[HASH_BYTES];
    int rc;

    if (conv->words || ratchet_verify_input(s->ratchet, th_2))
        return 0;
    rc = db_convs_words(c->db, conv->id);
    return rc ? rc : core_event(c, EVENT_CONV, conv->id, 0, conv->state);
}

/* ---- time ------------------------------------------------------------------------- */

static int over(struct core *c, int64_t conv, uint64_t read_s)
{
    struct link_row l = {0};
    int rc = db_convs_link(c->db, conv, &l);
    enum conv_state state = l.state;
    uint64_t until_s = until_of(l.last_hour);
    bool posted = l.posted;

    secret_wipe(&l, sizeof l);
    if (rc)
        return rc;
    switch (state) {
    case CONV_OFFERING:
    case CONV_OFFERED:
        /* A take written in time may still be unread. */
        return read_s >= until_s ? linking_failed(c, conv, CONV_WHY_EXPIRED) : 0;
    case CONV_LOOKING:
        return linking_failed(c, conv, CONV_WHY_EXPIRED);
    case CONV_TAKING:
        return posted ? 0 : linking_failed(c, conv, CONV_WHY_EXPIRED);
    case CONV_FAILED: /* somebody else was first, and no accept came in all that time */
        rc = db_convs_drop_session(c->db, conv);
        if (rc)
            return rc;
        sessions_drop(c->sessions, conv);
        break;
    default:
        break;
    }
    rc = db_convs_drop_link(c->db, conv);
    return rc ? rc : core_reload_links(c);
}

int linking_tick(struct core *c)
{
    int64_t ids[CORE_LINKS_MAX];
    struct cursor home;
    size_t count;
    int rc = c->home ? db_log_cursor(c->db, c->home, &home) : DB_E_NONE;

    if (rc)
        return rc == DB_E_NONE ? 0 : rc;
    rc = db_convs_links_over(c->db, core_now_s(c) / HOUR_S, ids, CORE_LINKS_MAX, &count);
    for (size_t i = 0; !rc && i < count; i++)
        rc = over(c, ids[i], home.read_s);
    return rc;
}
