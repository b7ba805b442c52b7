/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/board.h"

#include "client/core/acks.h"
#include "client/core/db_log.h"
#include "client/core/db_profile.h"
#include "client/core/gossip.h"
#include "client/core/linking.h"
#include "client/core/receive.h"
#include "lib/mem.h"
#include "lib/secret.h"
#include "proto/chain.h"

#include <errno.h>
#include <string.h>

enum { DAY_S = 24 * 60 * 60, CHECKED_EVERY_S = 10 };

struct reading {
    bool used;
    uint32_t slot; /* 0, or the conversation whose link is looked for */
    uint32_t bucket;
    uint64_t at;              /* the next sequence number that must come */
    uint8_t head[HASH_BYTES]; /* before it */
    uint64_t target;          /* where the log ended when the subscription began */
    bool ended;               /* got there */
    bool from_start;          /* link: the log reached back to the link's block */
    struct linking_scan scan;
};

struct board {
    struct core *c;
    struct reading list[NODE_READS_MAX];
};

struct board *board_new(struct core *c)
{
    struct board *b = mem_zalloc(sizeof *b);

    if (b)
        b->c = c;
    return b;
}

void board_free(struct board *b)
{
    mem_free(b);
}

static uint64_t block_of(uint64_t seq)
{
    return seq ? (seq - 1) / BLOCK_SEQS * BLOCK_SEQS + 1 : 1;
}

/* ---- what is to be read ----------------------------------------------------------- */

static int want_log(struct core *c, uint32_t bucket, struct node_read *out, size_t *count)
{
    struct cursor at;
    int rc = db_log_cursor(c->db, bucket, &at);

    if (rc && rc != DB_E_NONE)
        return rc;
    if (!rc && at.stopped)
        return 0;
    /* The directory is read from its start; mail that came before we did is not for us.
     */
    out[(*count)++] = (struct node_read){
        .bucket = bucket,
        .from_head = rc == DB_E_NONE && bucket != BUCKET_DIRECTORY,
        .from = rc == DB_E_NONE ? 1 : block_of(at.next),
    };
    return 0;
}

int board_reads(struct board *b, struct node_read out[NODE_READS_MAX], size_t *count)
{
    struct core *c = b->c;
    struct profile p = {0};
    int rc = db_profile_get(c->db, &p);
    bool member = p.member == MEMBER_ENROLLED && c->home;

    secret_wipe(&p, sizeof p);
    *count = 0;
    if (rc || !member)
        return rc;
    /* All three by everybody, whether or not anything in them is for us (SPEC 4.6). */
    rc = want_log(c, BUCKET_DIRECTORY, out, count);
    if (!rc)
        rc = want_log(c, BUCKET_KNOCKS, out, count);
    if (!rc)
        rc = want_log(c, c->home, out, count);
    for (size_t i = 0; !rc && i < c->links_n && *count < NODE_READS_MAX; i++) {
        const struct link_row *l = &c->links[i];
        if (l->taker && (l->state == CONV_LOOKING || l->state == CONV_TAKING))
            out[(*count)++] = (struct node_read){
                .slot = (uint32_t)l->conv, .bucket = l->bucket, .from = l->start};
    }
    return rc;
}

static int wanted(struct board *b, uint32_t slot, uint32_t bucket, struct node_read *out)
{
    struct node_read reads[NODE_READS_MAX];
    size_t count;
    int rc = board_reads(b, reads, &count);

    for (size_t i = 0; !rc && i < count; i++)
        if (reads[i].slot == slot && reads[i].bucket == bucket) {
            *out = reads[i];
            return 0;
        }
    return rc ? rc : BOARD_E_NONE;
}

static struct reading *find(struct board *b, uint32_t slot, uint32_t bucket)
{
    for (size_t i = 0; i < NODE_READS_MAX; i++)
        if (b->list[i].used && b->list[i].slot == slot && b->list[i].bucket == bucket)
            return &b->list[i];
    return NULL;
}

static struct reading *start(struct board *b, uint32_t slot, uint32_t bucket)
{
    struct reading *r = find(b, slot, bucket);

    for (size_t i = 0; !r && i < NODE_READS_MAX; i++)
        if (!b->list[i].used)
            r = &b->list[i];
    if (r)
        *r = (struct reading){.used = true, .slot = slot, .bucket = bucket};
    return r;
}

void board_lost(struct board *b, uint32_t slot)
{
    for (size_t i = 0; i < NODE_READS_MAX; i++)
        if (b->list[i].slot == slot)
            b->list[i].used = false;
}

/* ---- lies ------------------------------------------------------------------------- */

static int stop_reading(struct core *c, const struct reading *r)
{
    struct cursor at;
    int rc;

    if (r->slot)
        return linking_failed(c, (int64_t)r->slot, CONV_WHY_DAMAGED);
    rc = db_log_cursor(c->db, r->bucket, &at);
    if (rc && rc != DB_E_NONE)
        return rc;
    at.stopped = true;
    return db_log_put_cursor(c->db, &at);
}

static int lie(struct board *b, struct reading *r, enum alarm_kind kind, uint64_t a,
               uint64_t z)
{
    struct core *c = b->c;
    int rc = core_begin(c);

    if (!rc)
        rc = core_alarm(c, kind, r->slot, r->bucket, a, z);
    if (!rc)
        rc = stop_reading(c, r);
    rc = core_end(c, rc);
    r->used = false;
    return rc ? rc : BOARD_E_LIE;
}

/* The head before seq, as the relay has it, against what is known.  True: it fits, or
 * nothing is known of that place. */
static int fits(struct core *c, const struct reading *r, const struct cursor *at,
                uint64_t seq, const uint8_t head[HASH_BYTES], bool *fit)
{
    uint8_t known[HASH_BYTES];
    int rc;

    *fit = true;
    if (seq == 1) {
        chain_first(c->cohort, r->bucket, known);
        *fit = memcmp(known, head, sizeof known) == 0;
        return 0;
    }
    if (r->slot)
        return 0;
    if (seq == at->next)
        *fit = memcmp(at->head, head, sizeof at->head) == 0;
    if (*fit && seq == at->anchor)
        *fit = memcmp(at->anchor_head, head, sizeof at->anchor_head) == 0;
    if (!*fit || seq > at->next)
        return 0;
    rc = db_log_prefix(c->db, r->bucket, seq - 1, known);
    if (!rc)
        *fit = memcmp(known, head, HEAD_PREFIX_BYTES) == 0;
    return rc == DB_E_NONE ? 0 : rc;
}

/* ---- the answer to subscribe ------------------------------------------------------ */

static void jump(struct cursor *at, uint64_t seq, const uint8_t head[HASH_BYTES])
{
    at->next = at->anchor = seq;
    memcpy(at->head, head, sizeof at->head);
    memcpy(at->anchor_head, head, sizeof at->anchor_head);
}

/* The relay dropped what we had not read.  Nobody's fault, and to be said. */
static int missed(struct core *c, struct cursor *at, uint64_t first,
                  const uint8_t head[HASH_BYTES])
{
    struct alarm a = {.kind = ALARM_EXPIRED_UNREAD,
                      .bucket = at->bucket,
                      .a = at->next,
                      .b = first,
                      .since_s = at->read_s};
    int rc = db_notes_alarm(c->db, &a, core_now_s(c));

    jump(at, first, head);
    return rc;
}

static int mark_checked(struct core *c, const struct reading *r, bool event)
{
    struct profile p = {0};
    int rc;

    if (r->slot || r->bucket != c->home)
        return 0;
    rc = db_profile_get(c->db, &p);
    if (!rc) {
        p.behind = r->target > r->at ? r->target - r->at : 0;
        if (!p.behind)
            p.checked_s = p.reached_s = core_now_s(c);
        rc = db_profile_put_link(c->db, &p);
    }
    secret_wipe(&p, sizeof p);
    if (!rc && event)
        rc = core_event(c, EVENT_CAUGHT_UP, 0, 0, 0);
    return rc;
}

/* All that was there has been read. */
static int end_reached(struct core *c, struct reading *r)
{
    if (r->ended || r->at < r->target)
        return 0;
    r->ended = true;
    if (!r->slot)
        return mark_checked(c, r, true);
    for (size_t i = 0; i < c->links_n; i++)
        if (c->links[i].conv == (int64_t)r->slot) {
            struct link_row l = c->links[i];
            int rc = linking_scan_ended(c, &r->scan, &l, r->from_start);
            secret_wipe(&l, sizeof l);
            return rc;
        }
    return 0;
}

/* Stores where the reading of a log stands after the answer to subscribe. */
static int begin_log(struct core *c, struct reading *r, struct cursor *at)
{
    int rc = core_begin(c);

    at->read_s = core_now_s(c);
    if (!rc)
        rc = db_log_put_cursor(c->db, at);
    if (!rc)
        rc = mark_checked(c, r, false);
    if (!rc)
        rc = end_reached(c, r);
    return core_end(c, rc);
}

static int subscribed_again(struct board *b, struct reading *r, struct cursor *at,
                            const struct node_read *want,
                            const struct msg_subscribe_result *m)
{
    struct core *c = b->c;
    bool fit;
    int rc;

    if (m->next < at->next)
        return lie(b, r, ALARM_LOG_SHORTER, at->next, m->next);
    if (m->first < want->from || (m->first > want->from && m->first != m->oldest))
        return lie(b, r, ALARM_LOG_BROKEN, want->from, m->first);
    if (m->first > at->next) {
        rc = core_begin(c);
        if (!rc)
            rc = missed(c, at, m->first, m->head);
        if (!rc)
            rc = db_log_put_cursor(c->db, at);
        rc = core_end(c, rc);
    } else {
        rc = fits(c, r, at, m->first, m->head, &fit);
        if (!rc && !fit)
            return lie(b, r, ALARM_LOG_CHANGED, m->first, 0);
    }
    return rc ? rc : begin_log(c, r, at);
}

static int subscribed_log(struct board *b, struct reading *r,
                          const struct node_read *want,
                          const struct msg_subscribe_result *m)
{
    struct core *c = b->c;
    struct cursor at;
    bool fit;
    int rc = db_log_cursor(c->db, r->bucket, &at);

    if (rc && rc != DB_E_NONE)
        return rc;
    if (!rc && at.next)
        return subscribed_again(b, r, &at, want, m);
    /* The first time, or anew after an alarm was accepted. */
    at.quiet = rc ? 0 : m->next;
    rc = fits(c, r, &at, m->first, m->head, &fit);
    if (!rc &&
        (!fit || (!want->from_head && m->first != want->from && m->first != m->oldest)))
        return lie(b, r, ALARM_LOG_BROKEN, want->from, m->first);
    jump(&at, m->first, m->head);
    return rc ? rc : begin_log(c, r, &at);
}

static int subscribed_link(struct board *b, struct reading *r,
                           const struct node_read *want,
                           const struct msg_subscribe_result *m)
{
    bool fit;
    int rc = fits(b->c, r, NULL, m->first, m->head, &fit);

    if (rc)
        return rc;
    if (!fit || m->first < want->from)
        return lie(b, r, ALARM_LOG_BROKEN, want->from, m->first);
    r->from_start = m->first == want->from;
    rc = core_begin(b->c);
    if (!rc)
        rc = end_reached(b->c, r);
    return core_end(b->c, rc);
}

int board_subscribed(struct board *b, uint32_t slot, uint32_t bucket,
                     const struct msg_subscribe_result *m)
{
    struct node_read want;
    struct reading *r;
    int rc = wanted(b, slot, bucket, &want);

    if (rc)
        return rc;
    r = start(b, slot, bucket);
    if (!r)
        return BOARD_E_NONE;
    r->at = m->first;
    memcpy(r->head, m->head, sizeof r->head);
    r->target = m->next;
    if (m->first > m->next || m->oldest > m->first)
        return lie(b, r, ALARM_LOG_BROKEN, m->next, m->first);
    rc = slot ? subscribed_link(b, r, &want, m) : subscribed_log(b, r, &want, m);
    if (rc)
        r->used = false;
    return rc;
}

/* ---- envelopes -------------------------------------------------------------------- */

struct batch {
    uint64_t first;
    size_t n;
    const uint8_t *envelopes;
    uint8_t heads[ENVELOPES_PER_RECORD_MAX + 1]
                 [HASH_BYTES]; /* before the i-th; the last: after */
};

/* The whole batch is checked before any of it is believed. */
static int check(struct board *b, struct reading *r, const struct cursor *at,
                 const struct msg_envelopes *m, struct batch *out)
{
    struct core *c = b->c;
    bool fit = true;
    int rc = 0;

    out->first = m->first;
    out->n = m->envelopes.n / ENVELOPE_BYTES;
    if (m->first != r->at || !out->n || out->n > ENVELOPES_PER_RECORD_MAX ||
        m->envelopes.n % ENVELOPE_BYTES)
        return lie(b, r, ALARM_LOG_BROKEN, r->at, m->first);
    out->envelopes = m->envelopes.p;
    memcpy(out->heads[0], r->head, HASH_BYTES);
    for (size_t i = 0; i < out->n; i++) {
        memcpy(out->heads[i + 1], out->heads[i], HASH_BYTES);
        chain_next(out->heads[i + 1], out->first + i,
                   out->envelopes + i * ENVELOPE_BYTES);
    }
    if (memcmp(out->heads[out->n], m->head, HASH_BYTES) != 0)
        return lie(b, r, ALARM_LOG_BROKEN, r->at, m->first);
    for (size_t i = 0; !rc && fit && i <= out->n; i++) {
        rc = fits(c, r, at, out->first + i, out->heads[i], &fit);
        if (!rc && !fit)
            return lie(b, r, ALARM_LOG_CHANGED, out->first + i, 0);
    }
    return rc;
}

static int new_envelope(struct core *c, const struct reading *r, struct cursor *at,
                        const struct batch *in, size_t i)
{
    uint64_t seq = in->first + i;
    int rc = db_log_put_head(c->db, r->bucket, seq, in->heads[i + 1],
                             core_now_s(c) / DAY_S);

    if (!rc)
        rc = gossip_reached(c, r->bucket, seq);
    if (!rc && r->bucket == c->home)
        rc = receive_envelope(c, r->bucket, seq, in->envelopes + i * ENVELOPE_BYTES,
                              seq < at->quiet);
    at->next = seq + 1;
    memcpy(at->head, in->heads[i + 1], sizeof at->head);
    if (seq % BLOCK_SEQS == 0) { /* the next one begins a block */
        at->anchor = at->next;
        memcpy(at->anchor_head, at->head, sizeof at->anchor_head);
    }
    return rc;
}

static int read_log(struct core *c, struct reading *r, struct cursor *at,
                    const struct batch *in)
{
    uint64_t now = core_now_s(c);
    bool checked = r->ended && now >= at->read_s + CHECKED_EVERY_S;
    int rc = 0;

    for (size_t i = 0; !rc && i < in->n; i++)
        if (in->first + i >= at->next)
            rc = new_envelope(c, r, at, in, i);
    if (!r->ended || checked)
        at->read_s = now;
    if (!rc)
        rc = db_log_put_cursor(c->db, at);
    if (!rc && (!r->ended || checked))
        rc = mark_checked(c, r, false);
    return rc;
}

static int read_link(struct core *c, struct reading *r, const struct batch *in)
{
    int rc = 0;

    for (size_t i = 0; !rc && i < in->n; i++) {
        struct link_row l;
        rc = db_convs_link(c->db, (int64_t)r->slot, &l);
        if (!rc)
            rc = linking_scanned(c, &r->scan, &l, in->envelopes + i * ENVELOPE_BYTES);
        secret_wipe(&l, sizeof l);
    }
    return rc == DB_E_NONE ? 0 : rc; /* over or forgotten: no longer listed */
}

int board_envelopes(struct board *b, uint32_t slot, const struct msg_envelopes *m)
{
    struct core *c = b->c;
    struct reading *r = find(b, slot, m->bucket);
    struct reading before;
    struct cursor at = {0};
    struct batch in;
    int rc;

    if (!r)
        return BOARD_E_NONE;
    if (!slot) {
        rc = db_log_cursor(c->db, r->bucket, &at);
        if (rc || !at.next || at.stopped) { /* another process decided to read it anew */
            r->used = false;
            return rc && rc != DB_E_NONE ? rc : BOARD_E_NONE;
        }
    }
    rc = check(b, r, &at, m, &in);
    if (rc)
        return rc;
    before = *r;
    rc = core_begin(c);
    r->at = in.first + in.n;
    memcpy(r->head, in.heads[in.n], sizeof r->head);
    if (!rc)
        rc = slot ? read_link(c, r, &in) : read_log(c, r, &at, &in);
    if (!rc)
        rc = end_reached(c, r);
    rc = core_end(c, rc);
    if (rc) {
        *r = before;
        r->used = false; /* the caller subscribes anew */
    }
    return err_fold(rc);
}

int board_gap(struct board *b, uint32_t slot, const struct msg_gap *m)
{
    struct core *c = b->c;
    struct reading *r = find(b, slot, m->bucket);
    struct cursor at;
    int rc;

    if (!r)
        return BOARD_E_NONE;
    if (m->first <= r->at)
        return lie(b, r, ALARM_LOG_BROKEN, r->at, m->first);
    r->at = m->first;
    memcpy(r->head, m->head, sizeof r->head);
    r->from_start = false;
    rc = core_begin(c);
    if (!rc && !slot) {
        rc = db_log_cursor(c->db, r->bucket, &at);
        if (!rc && m->first > at.next)
            rc = missed(c, &at, m->first, m->head);
        if (!rc)
            rc = db_log_put_cursor(c->db, &at);
    }
    if (!rc)
        rc = end_reached(c, r);
    rc = core_end(c, rc);
    if (rc)
        r->used = false;
    return err_fold(rc);
}

/* ---- decisions and time ----------------------------------------------------------- */

int board_accept(struct core *c, const struct alarm *a)
{
    struct cursor at;
    int rc = 0;

    switch (a->kind) {
    case ALARM_LOG_BROKEN:
    case ALARM_LOG_CHANGED:
    case ALARM_LOG_SHORTER:
    case ALARM_PEER_LOG:
        break;
    default:
        return 0;
    }
    rc = db_log_cursor(c->db, a->bucket, &at);
    if (!rc && at.stopped) {
        at = (struct cursor){.bucket = a->bucket, .read_s = at.read_s};
        rc = db_log_put_cursor(c->db, &at);
        if (!rc)
            rc = db_log_drop_heads(c->db, a->bucket);
    }
    if (rc && rc != DB_E_NONE)
        return rc;
    rc = db_convs_drop_prev(c->db);
    return rc ? rc : acks_resend_all(c);
}

int board_tick(struct core *c)
{
    uint64_t today = core_now_s(c) / DAY_S;
    uint64_t kept = (uint64_t)c->retention_days + 2;

    return c->retention_days && today > kept ? db_log_tidy(c->db, today - kept) : 0;
}
