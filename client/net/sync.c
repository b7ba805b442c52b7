/* SPDX-License-Identifier: Apache-2.0 */
/* One timer runs `work`, which looks at everything: are the connections up that should
 * be, are all buckets subscribed, is anything due.  Whatever happens only sets a mark and
 * makes the timer run now; so no order of events can be forgotten. */
#include "client/net/sync.h"

#include "client/net/subs.h"

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/secret.h"

#include <errno.h>
#include <string.h>

enum {
    LINES = NODE_READS_MAX + 1, /* slot 0, link reads, and the posting one */
    LOOK_AGAIN_MS = 1000,       /* when something is due that cannot be done just now */
    HOUR_MS = 3600 * 1000,
};

/* A connection that comes back by itself. */
struct line {
    struct sync *sync;
    struct peer *peer;
    bool used; /* wanted at all */
    bool posting;
    uint32_t slot;     /* of the reading ones */
    uint32_t failures; /* in a row */
    uint64_t retry_ms; /* loop time from which it may connect */
    uint64_t tried_ms;
    struct subs subs;
};

struct way { /* a post under way */
    uint32_t request;
    uint64_t post;
};

struct sync {
    struct sync_config c;
    uv_timer_t timer;
    struct line lines[LINES]; /* 0: reading; 1: posting; others: link reads */
    struct way ways[NODE_POSTS_MAX];
    size_t ways_n;
    bool started, closing;
    bool reads_stale;  /* node_reads() may say something new */
    bool reads_failed; /* the profile could not be read: again in a second */
    bool posts_due;
    bool caught_up;
    bool
        stopped; /* an alarm keeps the home bucket from being read: nothing to wait for */
    bool tell;   /* owner is to be told */
    struct peer_end trouble;
    enum relay_state reported;
    uint64_t reported_ms;
};

static void on_timer(uv_timer_t *t);
static void line_close(struct line *l);
static void on_ready(struct peer *p, void *arg);
static void on_answer(struct peer *p, const struct frame *f, void *arg);
static void on_notify(struct peer *p, enum method m, struct bytes body, void *arg);
static void on_ended(struct peer *p, const struct peer_end *end, void *arg);

static const struct peer_events line_events = {on_ready, on_answer, on_notify, on_ended};

#define READING(s) (&(s)->lines[0])
#define POSTING(s) (&(s)->lines[1])

static uint64_t now_ms(const struct sync *s)
{
    return uv_now(s->c.loop);
}

static void run_in(struct sync *s, uint64_t ms)
{
    if (!s->closing && s->started)
        (void)uv_timer_start(&s->timer, on_timer, ms, 0);
}

/* ---- owner's side ----------------------------------------------------------------- */

int sync_new(const struct sync_config *c, struct sync **out)
{
    struct sync *s = mem_zalloc(sizeof *s);
    int rc;

    *out = NULL;
    if (s == NULL)
        return -ENOMEM;
    s->c = *c;
    rc = uv_timer_init(c->loop, &s->timer);
    if (rc) {
        mem_free(s);
        return rc;
    }
    s->timer.data = s;
    for (size_t i = 0; i < LINES; i++)
        s->lines[i].sync = s;
    READING(s)->used = true;
    POSTING(s)->posting = true;
    *out = s;
    return 0;
}

void sync_start(struct sync *s)
{
    s->started = true;
    s->reads_stale = true;
    s->posts_due = true;
    run_in(s, 0);
}

void sync_poke(struct sync *s)
{
    uint64_t now = now_ms(s);

    for (size_t i = 0; i < LINES; i++) {
        struct line *l = &s->lines[i];

        if (l->peer == NULL && l->retry_ms > now)
            l->retry_ms = l->tried_ms + SYNC_BACKOFF_LEAST_MS;
    }
    s->reads_stale = true;
    s->posts_due = true;
    run_in(s, 0);
}

void sync_event(struct sync *s, const struct event *e)
{
    switch (e->kind) {
    case EVENT_CONV:
    case EVENT_ALARM:
    case EVENT_MEMBER:
    case EVENT_MISSED:
        s->reads_stale = true;
        s->posts_due = true;
        break;
    case EVENT_CAUGHT_UP:
        s->caught_up = true;
        break;
    case EVENT_STATE:
    case EVENT_MESSAGE:
        s->posts_due = true;
        break;
    default:
        return;
    }
    run_in(s, 0);
}

static void on_timer_closed(uv_handle_t *h)
{
    struct sync *s = h->data;

    mem_free(s);
}

void sync_free(struct sync *s)
{
    if (s == NULL || s->closing)
        return;
    s->closing = true;
    for (size_t i = 0; i < LINES; i++)
        line_close(&s->lines[i]);
    if (node_relay_is(s->c.node, RELAY_OFFLINE, false))
        log_debug("the profile could not note that this program is offline now");
    uv_close((uv_handle_t *)&s->timer, on_timer_closed);
}

enum relay_state sync_state(const struct sync *s)
{
    const struct peer *p = s->lines[0].peer;

    if (p == NULL)
        return RELAY_OFFLINE;
    if (!peer_is_ready(p))
        return s->lines[0].failures > 0 ? RELAY_OFFLINE : RELAY_CONNECTING;
    return s->caught_up || s->stopped ? RELAY_CONNECTED : RELAY_CATCHING_UP;
}

struct peer_end sync_trouble(const struct sync *s)
{
    return s->trouble;
}

uint32_t sync_failures(const struct sync *s)
{
    return s->lines[0].failures;
}

/* ---- connections ------------------------------------------------------------------ */

/* 1, 2, 4 ... 30 s, of which a random half to whole: members whose relay restarts must
 * not come back in step. */
static uint64_t backoff_ms(uint32_t failures)
{
    uint32_t most = SYNC_BACKOFF_LEAST_MS, part = 0;

    for (uint32_t i = 1; i < failures && most < SYNC_BACKOFF_MOST_MS; i++)
        most *= 2;
    if (most > SYNC_BACKOFF_MOST_MS)
        most = SYNC_BACKOFF_MOST_MS;
    if (rand_below(most / 2, &part))
        part = most / 2;
    return most - part;
}

static void line_failed(struct line *l, const struct peer_end *end)
{
    struct sync *s = l->sync;

    l->failures++;
    l->retry_ms = now_ms(s) + backoff_ms(l->failures);
    s->trouble = *end;
    s->tell = true;
    run_in(s, 0);
}

static void line_lost(struct line *l)
{
    struct sync *s = l->sync;

    l->subs = (struct subs){0};
    if (!l->posting) {
        node_read_lost(s->c.node, l->slot);
        if (l == READING(s))
            s->caught_up = false;
        s->reads_stale = true;
        return;
    }
    s->ways_n = 0;
    s->posts_due = true;
    if (node_posts_lost(s->c.node))
        s->tell = true; /* the disk: the next call that needs it will say so */
}

static void on_ended(struct peer *p, const struct peer_end *end, void *arg)
{
    struct line *l = arg;
    uint64_t stood = peer_ready_ms(p);

    l->peer = NULL;
    if (stood > 0 && now_ms(l->sync) - stood >= SYNC_STEADY_MS)
        l->failures = 0;
    line_lost(l);
    if (end->fate == PEER_REFUSED && node_prove_refused(l->sync->c.node, end->code))
        log_debug("the end of the membership could not be noted; the next try does");
    line_failed(l, end);
}

static void line_close(struct line *l)
{
    if (l->peer == NULL)
        return;
    peer_close(l->peer);
    l->peer = NULL;
    line_lost(l);
}

static void line_connect(struct line *l)
{
    struct sync *s = l->sync;
    int rc;

    if (l->peer || l->retry_ms > now_ms(s))
        return;
    l->tried_ms = now_ms(s);
    rc = peer_open(s->c.loop, s->c.node, PEER_MEMBER, s->c.times, &line_events, l,
                   &l->peer);
    if (rc)
        line_failed(l, &(struct peer_end){.fate = PEER_DISK, .rc = rc});
}

static void on_ready(struct peer *p, void *arg)
{
    struct line *l = arg;
    struct sync *s = l->sync;

    (void)p;
    if (l == READING(s)) {
        s->trouble = (struct peer_end){0};
        l->failures = 0;
    }
    s->reads_stale = s->reads_stale || !l->posting;
    s->posts_due = true;
    s->tell = true;
    run_in(s, 0);
}

/* ---- reading ---------------------------------------------------------------------- */

static struct line *line_of_slot(struct sync *s, uint32_t slot)
{
    for (size_t i = 0; i < LINES; i++)
        if (s->lines[i].used && !s->lines[i].posting && s->lines[i].slot == slot)
            return &s->lines[i];
    for (size_t i = 2; i < LINES; i++)
        if (!s->lines[i].used) {
            s->lines[i].used = true;
            s->lines[i].slot = slot;
            s->lines[i].retry_ms = 0;
            s->lines[i].failures = 0;
            return &s->lines[i];
        }
    return NULL;
}

static bool is_listed(const struct node_read *list, size_t n, uint32_t slot,
                      uint32_t bucket)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].slot == slot && (list[i].bucket == bucket || bucket == UINT32_MAX))
            return true;
    return false;
}

/* The home bucket is the only mail bucket in slot 0; not listed, it is stopped. */
static bool lists_home(const struct node_read *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].slot == 0 && list[i].bucket >= BUCKET_MAIL)
            return true;
    return false;
}

static void drop_unlisted(struct sync *s, const struct node_read *list, size_t n)
{
    for (size_t i = 0; i < LINES; i++) {
        struct line *l = &s->lines[i];

        if (!l->used || l->posting)
            continue;
        if (l != READING(s) && !is_listed(list, n, l->slot, UINT32_MAX)) {
            line_close(l);
            l->used = false;
            continue;
        }
        for (size_t k = 0; l->peer && k < NODE_READS_MAX; k++)
            if (l->subs.list[k].used &&
                !is_listed(list, n, l->slot, l->subs.list[k].bucket))
                subs_drop(&l->subs.list[k], l->peer);
    }
}

static void look_at_reads(struct sync *s)
{
    struct node_read list[NODE_READS_MAX];
    size_t n = 0;
    int rc;

    s->reads_stale = false;
    rc = node_reads(s->c.node, list, &n);
    s->reads_failed = rc != 0;
    if (rc) {
        s->trouble = (struct peer_end){.fate = PEER_DISK, .rc = err_fold(rc)};
        s->tell = true;
        return;
    }
    s->stopped = !lists_home(list, n);
    drop_unlisted(s, list, n);
    for (size_t i = 0; i < n; i++) {
        struct line *l = line_of_slot(s, list[i].slot);

        if (l == NULL)
            continue;
        line_connect(l);
        if (l->peer && peer_is_ready(l->peer) &&
            subs_find(&l->subs, list[i].bucket) == NULL)
            subs_add(&l->subs, l->peer, &list[i]);
    }
}

/* What a reading call of the node said. */
static void judge(struct line *l, struct subscription *sub, int rc)
{
    if (rc < 0) {
        peer_fail(l->peer, &(struct peer_end){.fate = PEER_DISK, .rc = rc});
    } else if (rc) {
        subs_drop(sub, l->peer);
        l->sync->reads_stale = true;
        l->sync->tell = true;
        run_in(l->sync, 0);
    }
}

static void take_subscribed(struct line *l, struct subscription *sub,
                            const struct frame *f)
{
    struct msg_subscribe_result m;

    if (f->code != CODE_OK) {
        peer_fail(l->peer, &(struct peer_end){.fate = PEER_REFUSED, .code = f->code});
        return;
    }
    if (msg_subscribe_result_read(f->body, &m)) {
        peer_fail(l->peer, &(struct peer_end){.fate = PEER_LINK, .link = LINK_BROKEN});
        return;
    }
    sub->answered = true;
    judge(l, sub, node_subscribed(l->sync->c.node, l->slot, sub->bucket, &m));
}

static void take_envelopes(struct line *l, struct bytes body)
{
    struct msg_envelopes m;
    struct subscription *sub;

    if (msg_envelopes_read(body, &m)) {
        peer_fail(l->peer, &(struct peer_end){.fate = PEER_LINK, .link = LINK_BROKEN});
        return;
    }
    sub = subs_find(&l->subs, m.bucket);
    if (sub == NULL || !sub->answered)
        return; /* on its way while we unsubscribed */
    subs_arrived(sub, l->peer, m.envelopes.n / ENVELOPE_BYTES);
    if (peer_is_ready(l->peer))
        judge(l, sub, node_envelopes(l->sync->c.node, l->slot, &m));
}

static void take_gap(struct line *l, struct bytes body)
{
    struct msg_gap m;
    struct subscription *sub;

    if (msg_gap_read(body, &m)) {
        peer_fail(l->peer, &(struct peer_end){.fate = PEER_LINK, .link = LINK_BROKEN});
        return;
    }
    sub = subs_find(&l->subs, m.bucket);
    if (sub && sub->answered)
        judge(l, sub, node_gap(l->sync->c.node, l->slot, &m));
}

static void on_notify(struct peer *p, enum method m, struct bytes body, void *arg)
{
    struct line *l = arg;

    if (l->posting) {
        peer_fail(p, &(struct peer_end){.fate = PEER_LINK, .link = LINK_BROKEN});
        return;
    }
    if (m == METHOD_ENVELOPES)
        take_envelopes(l, body);
    else if (m == METHOD_GAP)
        take_gap(l, body);
    run_in(l->sync, 0);
}

/* ---- posting ---------------------------------------------------------------------- */

static int post_one(struct sync *s)
{
    uint8_t room[FRAME_CLIENT_MAX_BYTES];
    struct buf b = BUF_OVER(room);
    struct node_post post;
    struct peer *p = POSTING(s)->peer;
    int rc = node_post_next(s->c.node, &post);

    if (rc)
        return rc;
    s->ways[s->ways_n] = (struct way){peer_id(p), post.id};
    msg_post_write(&b, s->ways[s->ways_n].request,
                   &(struct msg_post){post.bucket, BYTES(post.envelope)});
    s->ways_n++;
    return peer_send(p, &b);
}

static void look_at_posts(struct sync *s)
{
    struct line *l = POSTING(s);
    int n = 0, rc = 0;

    if (l->peer == NULL) {
        if (node_next_due(s->c.node) == 0)
            line_connect(l);
        return;
    }
    if (!peer_is_ready(l->peer))
        return;
    while (rc == 0 && n < SYNC_POSTS_AT_ONCE && s->ways_n < NODE_POSTS_MAX) {
        rc = post_one(s);
        n++;
    }
    if (rc < 0 && l->peer && peer_is_ready(l->peer))
        peer_fail(l->peer, &(struct peer_end){.fate = PEER_DISK, .rc = rc});
    s->posts_due = rc == 0 && s->ways_n < NODE_POSTS_MAX;
}

static void take_posted(struct line *l, const struct frame *f)
{
    struct sync *s = l->sync;
    struct msg_post_result m;
    size_t i = 0;
    uint64_t post;
    int rc;

    while (i < s->ways_n && s->ways[i].request != f->id)
        i++;
    if (i == s->ways_n || (f->code == CODE_OK && msg_post_result_read(f->body, &m))) {
        peer_fail(l->peer, &(struct peer_end){.fate = PEER_LINK, .link = LINK_BROKEN});
        return;
    }
    post = s->ways[i].post;
    s->ways[i] = s->ways[--s->ways_n];
    rc = f->code == CODE_OK ? node_post_done(s->c.node, post, m.seq, m.head)
                            : node_post_refused(s->c.node, post, f->code);
    if (rc < 0)
        peer_fail(l->peer, &(struct peer_end){.fate = PEER_DISK, .rc = rc});
    s->posts_due = true;
    l->failures = 0;
}

static void on_answer(struct peer *p, const struct frame *f, void *arg)
{
    struct line *l = arg;

    (void)p;
    if (l->posting) {
        take_posted(l, f);
    } else {
        for (size_t i = 0; i < NODE_READS_MAX; i++)
            if (l->subs.list[i].used && !l->subs.list[i].answered &&
                l->subs.list[i].request == f->id) {
                take_subscribed(l, &l->subs.list[i], f);
                break;
            }
    }
    run_in(l->sync, 0);
}

/* ---- time ------------------------------------------------------------------------- */

/* The profile is told how the link is: every process shows the same. */
static void report(struct sync *s)
{
    enum relay_state is = sync_state(s);
    const struct peer *p = READING(s)->peer;
    uint64_t heard = p && peer_is_ready(p) ? peer_heard_ms(p) : 0;
    bool reached = heard > s->reported_ms && now_ms(s) - s->reported_ms >= SYNC_REPORT_MS;

    if (is == s->reported && !reached)
        return;
    if (is != s->reported)
        s->tell = true;
    if (heard > 0)
        s->reported_ms = now_ms(s);
    s->reported = is;
    if (node_relay_is(s->c.node, is, heard > 0))
        s->tell = true;
}

static uint64_t next_run_ms(struct sync *s)
{
    uint64_t least = HOUR_MS, due = node_next_due(s->c.node), now = now_ms(s);

    if (s->reads_stale ||
        (s->posts_due && POSTING(s)->peer && peer_is_ready(POSTING(s)->peer)))
        return 0;
    if (due < least) /* 0 here: due, and waiting for a connection or an answer */
        least = due > 0 ? due : LOOK_AGAIN_MS;
    for (size_t i = 0; i < LINES; i++) {
        struct line *l = &s->lines[i];

        if ((l->used || (l->posting && due == 0)) && l->peer == NULL &&
            l->retry_ms > now && l->retry_ms - now < least)
            least = l->retry_ms - now;
    }
    if (s->reads_failed && least > LOOK_AGAIN_MS)
        least = LOOK_AGAIN_MS;
    if (READING(s)->peer && least > SYNC_REPORT_MS)
        least = SYNC_REPORT_MS;
    return least;
}

static void on_timer(uv_timer_t *t)
{
    struct sync *s = t->data;
    bool tell;

    if (node_next_due(s->c.node) == 0 && node_tick(s->c.node))
        s->tell = true;
    line_connect(READING(s));
    if (s->reads_stale || s->reads_failed)
        look_at_reads(s);
    for (size_t i = 2; i < LINES; i++)
        if (s->lines[i].used)
            line_connect(&s->lines[i]);
    look_at_posts(s);
    report(s);
    run_in(s, next_run_ms(s));
    tell = s->tell;
    s->tell = false;
    if (tell && s->c.changed)
        s->c.changed(s->c.arg);
}
