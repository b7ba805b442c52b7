/* SPDX-License-Identifier: Apache-2.0 */
/* The chain: link_open -> on_resolved -> try_next -> on_connected -> say_hello -> on_read
 * -> take_key (asked for) -> start_handshake -> take_answer -> opened -> take_records.
 * Every death goes through die(); memory goes in on_closed, when the last handle has. */
#include "client/net/link.h"

#include "lib/mem.h"
#include "lib/seam.h"
#include "lib/secret.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

const struct link_times link_times_default = {15 * 1000, KEEPALIVE_MS, SILENCE_MS};

enum { TICKS = 16 /* the watch looks this often in the shortest of its times */ };

enum link_state { RESOLVING, CONNECTING, ASKING, SHAKING, OPEN, CLOSING };

struct link_conn {
    uv_loop_t *loop;
    uv_getaddrinfo_t resolve;
    uv_connect_t connect;
    uv_tcp_t tcp;
    uv_timer_t watch;
    struct addrinfo *found, *next;
    const struct link_events *events; /* NULL once the owner has let go */
    void *arg;
    enum link_state state;
    enum link_why why;
    int handles;   /* open ones; resolve counts while it runs */
    bool tcp_used; /* tcp is initialised and not being closed */
    bool asked_key, have_key, have_cohort;
    struct link_times times;
    uint64_t begun_ms, heard_ms, sent_ms;
    uint8_t fingerprint[CHANNEL_FINGERPRINT_BYTES];
    uint8_t key[KEM_PK_BYTES], cohort[CHANNEL_COHORT_BYTES];
    uint8_t
        *es; /* guarded: the ephemeral secret between the two halves of the handshake */
    struct channel *channel; /* guarded */
    size_t have;
    uint8_t in[CHANNEL_RECORD_MAX_BYTES];
};

/* A write under way: the request and its own copy of the bytes. */
struct out {
    uv_write_t req;
    size_t n;
    uint8_t bytes[CHANNEL_RECORD_BYTES];
};

static void on_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *found);
static void try_next(struct link_conn *l);
static void on_connected(uv_connect_t *req, int status);
static void on_retry(uv_handle_t *h);
static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf);
static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf);
static void on_watch(uv_timer_t *t);
static void on_closed(uv_handle_t *h);

static void release(struct link_conn *l)
{
    if (l->handles > 0)
        return;
    uv_freeaddrinfo(l->found);
    if (l->channel)
        channel_wipe(l->channel);
    secret_free(l->channel);
    secret_free(l->es);
    if (l->events)
        l->events->closed(l->why, l->arg);
    secret_wipe(l->in, sizeof l->in);
    mem_free(l);
}

/* The one way out, from any state, any number of times. */
static void die(struct link_conn *l, enum link_why why)
{
    bool resolving = l->state == RESOLVING;

    if (l->state == CLOSING)
        return;
    l->state = CLOSING;
    l->why = why;
    uv_close((uv_handle_t *)&l->watch, on_closed);
    if (l->tcp_used)
        uv_close((uv_handle_t *)&l->tcp, on_closed);
    l->tcp_used = false;
    if (resolving) /* cannot be stopped once begun: its callback comes in any case */
        (void)uv_cancel((uv_req_t *)&l->resolve);
}

static void on_closed(uv_handle_t *h)
{
    struct link_conn *l = h->data;

    l->handles--;
    release(l);
}

void link_close(struct link_conn *l)
{
    if (l == NULL)
        return;
    l->events = NULL;
    die(l, LINK_ENDED);
}

/* ---- getting there ---------------------------------------------------------------- */

static int begin(struct link_conn *l, const struct link_target *to)
{
    char port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    uint64_t tick = to->times.handshake_ms;
    int rc;

    if (to->times.keepalive_ms < tick)
        tick = to->times.keepalive_ms;
    tick = tick / TICKS + 1;
    rc = uv_timer_init(l->loop, &l->watch);
    if (rc)
        return rc;
    l->watch.data = l;
    l->handles++;
    rc = uv_timer_start(&l->watch, on_watch, tick, tick);
    if (rc == 0)
        rc = seam_check(SEAM_SOCKET);
    if (rc == 0) {
        (void)snprintf(port, sizeof port, "%u", (unsigned)to->address.port);
        l->resolve.data = l;
        /* Loopback addresses must resolve on a machine that has no other network. */
        if (strcmp(to->address.host, "localhost") == 0 || strchr(to->address.host, ':') ||
            strspn(to->address.host, "0123456789.") == strlen(to->address.host))
            hints.ai_flags = 0;
        rc = uv_getaddrinfo(l->loop, &l->resolve, on_resolved, to->address.host, port,
                            &hints);
    }
    if (rc == 0)
        l->handles++;
    return rc;
}

int link_open(uv_loop_t *loop, const struct link_target *to,
              const struct link_events *events, void *arg, struct link_conn **out)
{
    struct link_conn *l = mem_zalloc(sizeof *l);
    int rc;

    *out = NULL;
    if (l == NULL)
        return -ENOMEM;
    l->loop = loop;
    l->arg = arg;
    l->times = to->times;
    l->begun_ms = uv_now(loop);
    l->have_key = to->have_key;
    memcpy(l->key, to->key, sizeof l->key);
    memcpy(l->fingerprint, to->fingerprint, sizeof l->fingerprint);
    l->channel = secret_alloc(sizeof *l->channel);
    l->es = secret_alloc(KEM_SK_BYTES);
    rc = l->channel && l->es ? begin(l, to) : -ENOMEM;
    if (rc && l->handles > 0) {
        die(l, LINK_OURS); /* the timer is already the loop's: its callback frees */
        return rc;
    }
    if (rc) {
        release(l);
        return rc;
    }
    l->events = events;
    *out = l;
    return 0;
}

static void on_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *found)
{
    struct link_conn *l = req->data;

    l->handles--;
    l->found = found;
    if (l->state == CLOSING) {
        release(l);
        return;
    }
    if (status < 0) {
        die(l, status == UV_ENOMEM ? LINK_OURS : LINK_NO_NAME);
        return;
    }
    l->next = found;
    l->state = CONNECTING;
    try_next(l);
}

/* One address after the other; the watch bounds them together. */
static void try_next(struct link_conn *l)
{
    struct addrinfo *a = l->next;
    int rc;

    if (a == NULL) {
        die(l, LINK_NO_ANSWER);
        return;
    }
    l->next = a->ai_next;
    rc = seam_check(SEAM_SOCKET);
    if (rc == 0)
        rc = uv_tcp_init(l->loop, &l->tcp);
    if (rc) {
        die(l, rc == UV_ENOMEM ? LINK_OURS : LINK_NO_ANSWER);
        return;
    }
    l->tcp.data = l;
    l->tcp_used = true;
    l->handles++;
    (void)uv_tcp_nodelay(&l->tcp, 1);
    l->connect.data = l;
    rc = uv_tcp_connect(&l->connect, &l->tcp, a->ai_addr, on_connected);
    if (rc) {
        l->tcp_used = false;
        uv_close((uv_handle_t *)&l->tcp, on_retry);
    }
}

static void on_retry(uv_handle_t *h)
{
    struct link_conn *l = h->data;

    l->handles--;
    if (l->state == CLOSING)
        release(l);
    else
        try_next(l);
}

/* ---- writing ---------------------------------------------------------------------- */

static void on_written(uv_write_t *req, int status)
{
    struct out *o = (struct out *)req;

    (void)status; /* a write that failed is followed by a read that ends */
    mem_free(o);
}

static struct out *out_new(void)
{
    struct out *o = mem_alloc(sizeof *o);

    if (o)
        o->n = 0;
    return o;
}

/* Takes o over. */
static int out_write(struct link_conn *l, struct out *o)
{
    uv_buf_t b = uv_buf_init((char *)o->bytes, (unsigned)o->n);
    int rc = seam_check(SEAM_WRITE);

    if (rc == 0)
        rc = uv_write(&o->req, (uv_stream_t *)&l->tcp, &b, 1, on_written);
    if (rc)
        mem_free(o);
    else
        l->sent_ms = uv_now(l->loop);
    return rc;
}

int link_send(struct link_conn *l, struct bytes frames)
{
    struct out *o;
    int rc;

    if (l->state != OPEN)
        return -ENOTCONN;
    if (frames.n > FRAME_CLIENT_MAX_BYTES)
        return -EMSGSIZE;
    o = out_new();
    if (o == NULL)
        return -ENOMEM;
    if (frames.n > 0)
        memcpy(o->bytes + CHANNEL_FRAMES_AT, frames.p, frames.n);
    o->n = CHANNEL_RECORD_BYTES;
    rc = channel_seal(l->channel, o->bytes, frames.n);
    if (rc) {
        mem_free(o);
        return rc;
    }
    return out_write(l, o);
}

size_t link_unsent(const struct link_conn *l)
{
    return l->state == OPEN ? uv_stream_get_write_queue_size((const uv_stream_t *)&l->tcp)
                            : 0;
}

/* ---- handshake -------------------------------------------------------------------- */

static int ask_for_key(struct link_conn *l)
{
    struct out *o = out_new();

    if (o == NULL)
        return -ENOMEM;
    o->bytes[0] = CHANNEL_PREAMBLE_ASK;
    memcpy(o->bytes + 1, l->fingerprint, sizeof l->fingerprint);
    o->n = 1 + sizeof l->fingerprint;
    l->state = ASKING;
    return out_write(l, o);
}

static int start_handshake(struct link_conn *l)
{
    struct out *o = out_new();
    int rc;

    if (o == NULL)
        return -ENOMEM;
    o->bytes[0] = CHANNEL_PREAMBLE_GO;
    rc = channel_client_start(l->channel, l->key, l->es, o->bytes + 1);
    if (rc) {
        mem_free(o);
        return rc;
    }
    o->n = 1 + CHANNEL_MSG1_BYTES;
    l->state = SHAKING;
    return out_write(l, o);
}

static void on_connected(uv_connect_t *req, int status)
{
    struct link_conn *l = req->data;
    int rc;

    if (l->state == CLOSING)
        return;
    if (status < 0) {
        l->tcp_used = false;
        uv_close((uv_handle_t *)&l->tcp, on_retry);
        return;
    }
    l->heard_ms = uv_now(l->loop);
    rc = uv_read_start((uv_stream_t *)&l->tcp, on_alloc, on_read);
    if (rc == 0)
        rc = l->have_key ? start_handshake(l) : ask_for_key(l);
    if (rc)
        die(l, rc == CHANNEL_E_REFUSED ? LINK_STRANGER : LINK_OURS);
}

/* SPEC 2.1: the key counts only if it is the one the invite's fingerprint names. */
static bool take_key(struct link_conn *l)
{
    uint8_t fp[CHANNEL_FINGERPRINT_BYTES];
    int rc;

    if (l->have < CHANNEL_ASK_ANSWER_BYTES)
        return false;
    memcpy(l->key, l->in, sizeof l->key);
    memcpy(l->cohort, l->in + sizeof l->key, sizeof l->cohort);
    channel_fingerprint(l->key, l->cohort, fp);
    if (!secret_equal(fp, l->fingerprint, sizeof fp) ||
        l->have > CHANNEL_ASK_ANSWER_BYTES) {
        die(l, LINK_STRANGER);
        return false;
    }
    l->have = 0;
    l->have_cohort = true;
    rc = start_handshake(l);
    if (rc)
        die(l, rc == CHANNEL_E_REFUSED ? LINK_STRANGER : LINK_OURS);
    return false;
}

/* ---- reading ---------------------------------------------------------------------- */

static void drop_front(struct link_conn *l, size_t n)
{
    l->have -= n;
    memmove(l->in, l->in + n, l->have);
}

/* True when there may be more to take from what has already come. */
static bool take_answer(struct link_conn *l)
{
    if (l->have < CHANNEL_MSG2_BYTES)
        return false;
    if (channel_client_finish(l->channel, l->es, l->in)) {
        die(l, LINK_STRANGER);
        return false;
    }
    drop_front(l, CHANNEL_MSG2_BYTES);
    l->state = OPEN;
    l->sent_ms = uv_now(l->loop);
    l->events->opened(l, l->arg);
    return l->state == OPEN;
}

static bool take_record(struct link_conn *l)
{
    struct bytes frames;
    struct frame f;
    size_t size;
    int rc = channel_record_size(l->channel, (struct bytes){l->in, l->have}, &size);

    if (rc == CHANNEL_E_MORE || (rc == 0 && size > l->have))
        return false;
    if (rc || channel_open(l->channel, l->in, size, &frames)) {
        die(l, LINK_BROKEN);
        return false;
    }
    while (frames.n > 0) {
        if (frame_next(&frames, &f) || l->events->frame(l, &f, l->arg))
            die(l, LINK_BROKEN);
        if (l->state != OPEN)
            return false;
    }
    drop_front(l, size);
    return true;
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    struct link_conn *l = h->data;

    (void)suggested; /* never empty: a whole record is taken out before more is read */
    *buf = uv_buf_init((char *)l->in + l->have, (unsigned)(sizeof l->in - l->have));
}

/* What the peer closing means depends on how far we got. */
static enum link_why why_ended(const struct link_conn *l)
{
    return l->state == OPEN ? LINK_ENDED : LINK_STRANGER;
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct link_conn *l = s->data;
    bool more = true;

    (void)buf; /* on_alloc pointed libuv at the free end of l->in */
    if (l->state == CLOSING)
        return;
    if (n < 0) {
        die(l, why_ended(l));
        return;
    }
    l->have += (size_t)n;
    l->heard_ms = uv_now(l->loop);
    while (more) {
        switch (l->state) {
        case ASKING:
            more = take_key(l);
            break;
        case SHAKING:
            more = take_answer(l);
            break;
        case OPEN:
            more = take_record(l);
            break;
        default:
            more = false;
        }
    }
}

/* ---- time ------------------------------------------------------------------------- */

static void on_watch(uv_timer_t *t)
{
    struct link_conn *l = t->data;
    uint64_t now = uv_now(l->loop);

    if (l->state == CLOSING)
        return;
    if (l->state != OPEN) {
        if (now - l->begun_ms >= l->times.handshake_ms)
            die(l, LINK_NO_ANSWER);
        return;
    }
    if (now - l->heard_ms >= l->times.silence_ms) {
        die(l, LINK_NO_ANSWER);
        return;
    }
    if (now - l->sent_ms >= l->times.keepalive_ms &&
        link_send(l, (struct bytes){NULL, 0}))
        die(l, LINK_OURS);
}

/* ---- looking ---------------------------------------------------------------------- */

const uint8_t *link_key(const struct link_conn *l)
{
    return l->key;
}

const uint8_t *link_cohort(const struct link_conn *l)
{
    return l->have_cohort ? l->cohort : NULL;
}

const uint8_t *link_hash(const struct link_conn *l)
{
    return l->channel->h;
}

uint64_t link_heard_ms(const struct link_conn *l)
{
    return l->heard_ms;
}
