/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/conn.h"

#include "daemon/conns.h"
#include "daemon/handshake.h"
#include "daemon/session.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/seam.h"
#include "lib/secret.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum conn_state {
    CONN_PREAMBLE,
    CONN_ASK,
    CONN_MESSAGE,
    CONN_WAITING,
    CONN_OPEN,
    CONN_FINISHING,
    CONN_LINGERING,
    CONN_CLOSED,
};
static const char *const state_names[] = {"preamble", "ask",       "message",   "waiting",
                                          "open",     "finishing", "lingering", "closed"};

/* What the peer has not taken of the last record. */
struct unsent {
    uv_write_t write;
    uint64_t since_ms;
    uint8_t bytes[];
};

struct conn {
    struct conns_member member; /* first: conns casts */
    struct relay *relay;
    struct session *session;
    struct unsent *unsent;
    /* Bytes not yet dealt with; the first frames_n are frames of a record opened already.
     */
    uint8_t *in;
    size_t in_n, in_room, frames_n;
    uint64_t since_ms; /* accepted; then: in FINISHING or LINGERING */
    uint64_t begun_ms; /* the first byte of the incomplete record; 0: there is none */
    uint64_t heard_ms, sent_ms;
    struct admit_ticket ticket;
    bool asked;   /* the key was asked for once */
    bool stalled; /* the session takes no more for now, so nothing is read */
    enum conn_state state;
    uv_tcp_t tcp;
    struct channel channel;
};

/* The chain: conn_accept -> on_alloc, on_read -> take -> take_preamble, take_ask,
 * take_message -> conn_handshaken -> take_record -> session; conn_pump -> send_next ->
 * write_bytes -> on_taken; conn_finish -> linger; conn_close -> on_closed. */
static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf);
static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf);
static void on_taken(uv_write_t *w, int status);
static void on_closed(uv_handle_t *h);

static uint64_t now_ms(const struct conn *c)
{
    return clock_mono_ms(c->relay->clock);
}

static void enter(struct conn *c, enum conn_state to)
{
    log_debug("connection %" PRIu64 ": %s -> %s", c->member.id, state_names[c->state],
              state_names[to]);
    c->state = to;
}

struct session *conn_session(struct conn *c)
{
    return c->session;
}

const uint8_t *conn_hash(const struct conn *c)
{
    return c->channel.h;
}

/* ---- arriving --------------------------------------------------------------------- */

static int admit(struct conn *c)
{
    struct relay *r = c->relay;
    struct sockaddr_storage peer;
    int n = sizeof peer;
    int rc = uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&peer, &n);

    if (rc)
        return rc;
    return admit_take(r->conns->admit, (struct sockaddr *)&peer, r->config.connections,
                      r->config.connections_per_address, &c->ticket);
}

static void start_reading(struct conn *c)
{
    int rc = uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);

    if (rc && rc != UV_EALREADY)
        conn_close(c, err_text(rc));
}

/* Not a connection yet: nobody has counted it. */
static void turn_away(struct conn *c, const char *why)
{
    log_debug("connection refused: %s", why);
    c->state = CONN_CLOSED;
    uv_close((uv_handle_t *)&c->tcp, on_closed);
}

void conn_accept(struct conn *c, struct relay *r, uv_stream_t *server)
{
    int rc;

    c->relay = r;
    c->tcp.data = c;
    (void)uv_tcp_init(r->loop, &c->tcp); /* opens no socket yet: it can't fail */
    conns_arrive(r->conns);
    rc = uv_accept(server, (uv_stream_t *)&c->tcp);
    if (rc == 0)
        rc = admit(c);
    if (rc) {
        turn_away(c, rc < 0 ? err_text(rc) : "over a cap");
        return;
    }
    rc = conns_add(r->conns, &c->member);
    if (rc) {
        admit_give(r->conns->admit, &c->ticket);
        turn_away(c, err_text(rc));
        return;
    }
    c->since_ms = c->heard_ms = c->sent_ms = now_ms(c);
    conns_tune(&c->tcp);
    start_reading(c);
}

struct conn *conn_new(void)
{
    return mem_zalloc(sizeof(struct conn));
}

/* ---- bytes in --------------------------------------------------------------------- */

/* What is read at once may have to be kept: members may send a burst, strangers a record.
 */
static unsigned burst(const struct conn *c)
{
    return c->state == CONN_OPEN && c->session->state >= SESSION_PROVEN
               ? CONNS_READ_BYTES
               : CHANNEL_RECORD_BYTES;
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
    struct conn *c = h->data;

    (void)hint;
    if (c->in != NULL && c->in_n < c->in_room)
        *buf = uv_buf_init((char *)c->in + c->in_n, (unsigned)(c->in_room - c->in_n));
    else
        *buf = uv_buf_init((char *)c->relay->conns->read_scratch, burst(c));
}

static void drop_in(struct conn *c)
{
    mem_free(c->in);
    c->in = NULL;
    c->in_n = c->in_room = c->frames_n = 0;
    c->begun_ms = 0;
}

/* Keep what could not be dealt with: n bytes at p, which may lie in c->in. */
static void keep(struct conn *c, const uint8_t *p, size_t n)
{
    size_t room = n > CHANNEL_RECORD_BYTES ? n : CHANNEL_RECORD_BYTES;

    if (n == 0) {
        drop_in(c);
        return;
    }
    if (c->in == NULL) {
        c->in = mem_alloc(room);
        if (c->in == NULL) {
            conn_close(c, "out of memory");
            return;
        }
        c->in_room = room;
    }
    memmove(c->in, p, n);
    c->in_n = n;
    if (!c->stalled && c->begun_ms == 0)
        c->begun_ms = now_ms(c);
}

static size_t take_preamble(struct conn *c, const uint8_t *p)
{
    if (*p == CHANNEL_PREAMBLE_GO) {
        enter(c, CONN_MESSAGE);
        return 1;
    }
    if (*p != CHANNEL_PREAMBLE_ASK || c->asked) {
        conn_close(c, "no preamble");
        return 0;
    }
    c->asked = true;
    enter(c, CONN_ASK);
    return 1;
}

static void write_bytes(struct conn *c, uint8_t *p, size_t n);

static size_t take_ask(struct conn *c, const uint8_t *p, size_t n)
{
    const struct keys *k = c->relay->keys;
    uint8_t answer[CHANNEL_ASK_ANSWER_BYTES];

    if (n < CHANNEL_FINGERPRINT_BYTES)
        return 0;
    if (!secret_equal(p, k->fingerprint, CHANNEL_FINGERPRINT_BYTES)) {
        conn_close(c, "another relay's fingerprint");
        return 0;
    }
    memcpy(answer, k->pk, KEM_PK_BYTES);
    memcpy(answer + KEM_PK_BYTES, k->cohort, CHANNEL_COHORT_BYTES);
    enter(c, CONN_PREAMBLE);
    write_bytes(c, answer, sizeof answer);
    return CHANNEL_FINGERPRINT_BYTES;
}

static size_t take_message(struct conn *c, const uint8_t *p, size_t n)
{
    int rc;

    if (n < CHANNEL_MSG1_BYTES)
        return 0;
    if (n > CHANNEL_MSG1_BYTES) { /* nobody can know what to say before our answer */
        conn_close(c, "bytes after the handshake's first message");
        return 0;
    }
    (void)uv_read_stop((uv_stream_t *)&c->tcp);
    enter(c, CONN_WAITING);
    rc = handshakes_submit(c->relay->handshakes, c->member.id, p);
    if (rc)
        conn_close(c, rc == -EBUSY ? "too many handshakes wait" : err_text(rc));
    return n;
}

/* Give frames to the session.  What it does not take now is moved to the end of
 * p[0..end), so that it lies right before the bytes that follow.  Returns how many bytes
 * are done with. */
static size_t feed(struct conn *c, struct bytes frames, uint8_t *p, size_t end)
{
    int rc = session_feed(c->session, &frames);

    if (rc)
        conn_finish(c, rc > 0 ? "malformed" : err_text(rc));
    if (c->state != CONN_OPEN)
        return end;
    c->frames_n = frames.n;
    if (frames.n == 0)
        return end;
    c->stalled = true;
    memmove(p + end - frames.n, frames.p, frames.n);
    return end - frames.n;
}

static size_t take_record(struct conn *c, uint8_t *p, size_t n)
{
    struct bytes frames;
    size_t size;
    int rc;

    if (!session_takes(c->session)) {
        c->stalled = true;
        return 0;
    }
    if (c->frames_n > 0)
        return feed(c, (struct bytes){p, c->frames_n}, p, c->frames_n);
    rc = channel_record_size(&c->channel, (struct bytes){p, n}, &size);
    if (rc == CHANNEL_E_MORE || (rc == 0 && size > n))
        return 0;
    if (rc == 0)
        rc = channel_open(&c->channel, p, size, &frames);
    if (rc) {
        conn_close(c, "a record that does not open");
        return 0;
    }
    c->begun_ms = 0;
    return feed(c, frames, p, size);
}

static bool is_reading(const struct conn *c)
{
    return (c->state < CONN_WAITING || c->state == CONN_OPEN) && !c->stalled;
}

/* Deal with as much of p[0..n) as can be; returns how much that was. */
static size_t take(struct conn *c, uint8_t *p, size_t n)
{
    size_t at = 0, step = 1;

    while (at < n && step > 0 && is_reading(c)) {
        switch (c->state) {
        case CONN_PREAMBLE:
            step = take_preamble(c, p + at);
            break;
        case CONN_ASK:
            step = take_ask(c, p + at, n - at);
            break;
        case CONN_MESSAGE:
            step = take_message(c, p + at, n - at);
            break;
        default:
            step = take_record(c, p + at, n - at);
            break;
        }
        at += step;
    }
    return at;
}

/* Take what is there, keep the rest, and go on reading unless that must wait. */
static void take_all(struct conn *c, uint8_t *p, size_t n)
{
    size_t at = take(c, p, n);

    if (c->state != CONN_CLOSED && c->state != CONN_FINISHING)
        keep(c, p + at, n - at);
    if (c->stalled)
        (void)uv_read_stop((uv_stream_t *)&c->tcp);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct conn *c = s->data;

    if (n == 0 || c->state == CONN_CLOSED)
        return;
    if (n < 0) {
        conn_close(c, n == UV_EOF ? "the peer left" : err_text((int)n));
        return;
    }
    if (c->state == CONN_LINGERING) /* what comes after our FIN is not read any more */
        return;
    c->heard_ms = now_ms(c);
    if (c->in == NULL)
        take_all(c, (uint8_t *)buf->base, (size_t)n);
    else
        take_all(c, c->in, c->in_n + (size_t)n);
}

static void read_on(struct conn *c)
{
    c->stalled = false;
    c->heard_ms = now_ms(c);
    if (c->in != NULL)
        take_all(c, c->in, c->in_n);
    if (c->state == CONN_OPEN && !c->stalled)
        start_reading(c);
}

/* ---- the handshake's end ---------------------------------------------------------- */

void conn_handshaken(uint64_t id, int rc, const struct channel *channel,
                     const uint8_t msg2[CHANNEL_MSG2_BYTES], void *relay)
{
    struct relay *r = relay;
    struct conn *c = conns_find(r->conns, id);
    uint8_t answer[CHANNEL_MSG2_BYTES];

    if (c == NULL)
        return;
    if (rc == 0)
        rc = session_new(r, c, id, &c->session);
    if (rc || c->unsent != NULL) {
        conn_close(c, rc < 0 ? err_text(rc) : "handshake refused");
        return;
    }
    c->channel = *channel;
    memcpy(answer, msg2, sizeof answer);
    enter(c, CONN_OPEN);
    c->heard_ms = now_ms(c);
    write_bytes(c, answer, sizeof answer);
    if (c->state == CONN_OPEN)
        start_reading(c);
}

/* ---- bytes out -------------------------------------------------------------------- */

static void write_rest(struct conn *c, const uint8_t *p, size_t n)
{
    struct unsent *u = mem_alloc(sizeof *u + n);
    uv_buf_t buf;
    int rc;

    if (u == NULL) {
        conn_close(c, "out of memory");
        return;
    }
    memcpy(u->bytes, p, n);
    u->since_ms = now_ms(c);
    u->write.data = c;
    buf = uv_buf_init((char *)u->bytes, (unsigned)n);
    rc = uv_write(&u->write, (uv_stream_t *)&c->tcp, &buf, 1, on_taken);
    if (rc) {
        mem_free(u);
        conn_close(c, err_text(rc));
        return;
    }
    c->unsent = u;
}

/* Most of the time the kernel takes all of it at once and nothing is allocated. */
static void write_bytes(struct conn *c, uint8_t *p, size_t n)
{
    uv_buf_t buf = uv_buf_init((char *)p, (unsigned)n);
    int rc = seam_check(SEAM_WRITE);

    if (rc == 0)
        rc = uv_try_write((uv_stream_t *)&c->tcp, &buf, 1);
    if (rc == UV_EAGAIN)
        rc = 0;
    if (rc < 0) {
        conn_close(c, err_text(rc));
        return;
    }
    c->sent_ms = now_ms(c);
    if ((size_t)rc < n)
        write_rest(c, p + rc, n - (size_t)rc);
}

static void on_taken(uv_write_t *w, int status)
{
    struct conn *c = w->data;

    mem_free(c->unsent);
    c->unsent = NULL;
    if (status < 0) {
        conn_close(c, err_text(status));
        return;
    }
    c->sent_ms = now_ms(c);
    conn_wake(c);
}

static void send_record(struct conn *c, size_t used)
{
    uint8_t *record = c->relay->conns->write_scratch;
    size_t size = channel_record_bytes(true, used);

    if (channel_seal(&c->channel, record, used)) {
        conn_close(c, "a record that can't be sealed");
        return;
    }
    write_bytes(c, record, size);
}

static void linger(struct conn *c)
{
    uv_os_fd_t fd;

    /* A close while the peer's bytes lie unread would make the kernel throw away our last
     * answers, so: our FIN, then wait a moment for the peer's. */
    if (uv_fileno((uv_handle_t *)&c->tcp, &fd) || shutdown(fd, SHUT_WR)) {
        conn_close(c, "finished");
        return;
    }
    enter(c, CONN_LINGERING);
    c->since_ms = now_ms(c);
    start_reading(c);
}

static void send_next(struct conn *c)
{
    uint8_t *room = c->relay->conns->write_scratch + CHANNEL_FRAMES_AT;
    struct buf frames = {room, 0, FRAME_RELAY_MAX_BYTES, FRAME_RELAY_MAX_BYTES, 0, false};
    bool finishing = c->state == CONN_FINISHING;
    int rc = session_fill(c->session, finishing, &frames);

    if (rc == -EACCES) {
        conn_finish(c, "a member no more");
        return;
    }
    if (rc) {
        conn_close(c, err_text(rc));
        return;
    }
    if (frames.n > 0)
        send_record(c, frames.n);
    else if (finishing && c->session->open == 0)
        linger(c);
}

static bool has_more(const struct conn *c)
{
    if (c->state == CONN_FINISHING)
        return c->session->open == 0 || session_owes(c->session, true);
    return c->state == CONN_OPEN &&
           (session_owes(c->session, false) || (c->stalled && session_takes(c->session)));
}

void conn_pump(struct conn *c)
{
    if (c->state == CONN_OPEN && c->stalled && session_takes(c->session))
        read_on(c);
    if ((c->state != CONN_OPEN && c->state != CONN_FINISHING) || c->unsent != NULL)
        return;
    send_next(c);
    if (c->unsent == NULL && has_more(c))
        conn_wake(c);
}

void conn_wake(struct conn *c)
{
    if (c->state == CONN_OPEN || c->state == CONN_FINISHING)
        conns_ready(c->relay->conns, &c->member);
}

/* ---- deadlines -------------------------------------------------------------------- */

static void tick_open(struct conn *c, uint64_t now)
{
    const struct relay_limits *l = &c->relay->limits;

    if (c->unsent != NULL && now - c->unsent->since_ms >= l->silence_ms)
        conn_close(c, "does not take what it asked for");
    else if (!c->stalled && c->begun_ms != 0 && now - c->begun_ms >= l->record_ms)
        conn_close(c, "a record took too long");
    else if (!c->stalled && now - c->heard_ms >= l->silence_ms)
        conn_close(c, "silence");
    else if (session_is_over(c->session))
        conn_close(c, "no member any more");
    else if (c->unsent == NULL && now - c->sent_ms >= l->keepalive_ms)
        send_record(c, 0);
}

void conn_tick(struct conn *c)
{
    const struct relay_limits *l = &c->relay->limits;
    uint64_t now = now_ms(c), age = now - c->since_ms;

    if (c->state == CONN_OPEN)
        tick_open(c, now);
    else if (c->state < CONN_OPEN && age >= l->handshake_ms)
        conn_close(c, "the handshake took too long");
    else if (c->state == CONN_FINISHING && age >= l->record_ms)
        conn_close(c, "does not take its answers");
    else if (c->state == CONN_LINGERING && age >= l->linger_ms)
        conn_close(c, "finished");
}

/* ---- leaving ---------------------------------------------------------------------- */

void conn_finish(struct conn *c, const char *why)
{
    if (c->state < CONN_OPEN) {
        conn_close(c, why);
        return;
    }
    if (c->state > CONN_OPEN)
        return;
    log_debug("connection %" PRIu64 " ends: %s", c->member.id, why);
    enter(c, CONN_FINISHING);
    c->since_ms = now_ms(c);
    (void)uv_read_stop((uv_stream_t *)&c->tcp);
    conn_wake(c);
}

void conn_close(struct conn *c, const char *why)
{
    if (c->state == CONN_CLOSED)
        return;
    log_debug("connection %" PRIu64 " closed: %s", c->member.id, why);
    if (c->state == CONN_WAITING)
        handshakes_cancel(c->relay->handshakes, c->member.id);
    enter(c, CONN_CLOSED);
    admit_give(c->relay->conns->admit, &c->ticket);
    uv_close((uv_handle_t *)&c->tcp, on_closed);
    conns_remove(c->relay->conns, &c->member);
}

/* The session goes here and not in conn_close(): a handler of its may still be at work.
 */
static void on_closed(uv_handle_t *h)
{
    struct conn *c = h->data;
    struct conns *cs = c->relay->conns;

    session_free(c->session);
    channel_wipe(&c->channel);
    mem_free(c->in);
    mem_free(c);
    conns_depart(cs);
}
