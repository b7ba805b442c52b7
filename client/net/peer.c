/* SPDX-License-Identifier: Apache-2.0 */
#include "client/net/peer.h"

#include "lib/mem.h"
#include "lib/secret.h"

#include <errno.h>
#include <string.h>

enum peer_state { LINKING, HELLO, DESCRIPTORS, PURPOSE, READY };

struct peer {
    struct node *node;
    struct link_conn *link;
    const struct peer_events *events;
    void *arg;
    enum peer_for what;
    enum peer_state state;
    uint32_t next_id;
    uint32_t awaited; /* id of the one request under way before READY */
    uint32_t next_descriptor, newest_descriptor;
    uint64_t ready_ms;
    uv_loop_t *loop;
    bool failed; /* end is set: the event follows from fail_later */
    struct peer_end end;
    uv_timer_t
        *fail_later; /* its own heap block: it outlives the peer by a close callback */
};

static void on_opened(struct link_conn *l, void *arg);
static int on_frame(struct link_conn *l, const struct frame *f, void *arg);
static void on_link_closed(enum link_why why, void *arg);
static void send_hello(struct peer *p);
static void take_hello(struct peer *p, const struct frame *f);
static void send_descriptors(struct peer *p);
static void take_descriptors(struct peer *p, const struct frame *f);
static void send_purpose(struct peer *p);
static void take_purpose(struct peer *p, const struct frame *f);

static const struct link_events link_events_of_peer = {on_opened, on_frame,
                                                       on_link_closed};

/* ---- ending ----------------------------------------------------------------------- */

static void on_timer_closed(uv_handle_t *h)
{
    mem_free(h);
}

static void release(struct peer *p)
{
    link_close(p->link);
    if (p->fail_later)
        uv_close((uv_handle_t *)p->fail_later, on_timer_closed);
    mem_free(p);
}

void peer_close(struct peer *p)
{
    if (p)
        release(p);
}

static void on_fail(uv_timer_t *t)
{
    struct peer *p = t->data;

    p->events->ended(p, &p->end, p->arg);
    release(p);
}

void peer_fail(struct peer *p, const struct peer_end *end)
{
    if (p->failed)
        return;
    p->failed = true;
    p->end = *end;
    link_close(p->link);
    p->link = NULL;
    /* Not from here: the caller may be in the middle of a loop over this peer's answers.
     */
    (void)uv_timer_start(p->fail_later, on_fail, 0, 0);
}

static void fail_link(struct peer *p, enum link_why why)
{
    peer_fail(p, &(struct peer_end){.fate = PEER_LINK, .link = why});
}

static void fail_rc(struct peer *p, int rc)
{
    peer_fail(p, &(struct peer_end){.fate = PEER_DISK, .rc = rc});
}

static void on_link_closed(enum link_why why, void *arg)
{
    struct peer *p = arg;

    p->link = NULL;
    fail_link(p, why);
}

/* ---- opening ---------------------------------------------------------------------- */

static int find_relay(struct node *n, struct link_target *to)
{
    struct node_relay *r = mem_zalloc(sizeof *r);
    int rc;

    if (r == NULL)
        return -ENOMEM;
    rc = node_relay_get(n, r);
    if (rc == 0 || rc == NODE_E_NONE) {
        to->address = r->address;
        to->have_key = rc == 0;
        memcpy(to->key, r->pk, sizeof to->key);
        memcpy(to->fingerprint, r->fingerprint, sizeof to->fingerprint);
        rc = 0;
    }
    mem_free(r);
    return err_fold(rc);
}

static struct peer *peer_new(uv_loop_t *loop)
{
    struct peer *p = mem_zalloc(sizeof *p);

    if (p == NULL)
        return NULL;
    p->fail_later = mem_zalloc(sizeof *p->fail_later);
    if (p->fail_later == NULL || uv_timer_init(loop, p->fail_later)) {
        mem_free(p->fail_later);
        mem_free(p);
        return NULL;
    }
    p->fail_later->data = p;
    p->loop = loop;
    return p;
}

int peer_open(uv_loop_t *loop, struct node *n, enum peer_for what,
              const struct link_times *times, const struct peer_events *events, void *arg,
              struct peer **out)
{
    struct link_target to = {.times = times ? *times : link_times_default};
    struct peer *p;
    int rc = find_relay(n, &to);

    *out = NULL;
    if (rc)
        return rc;
    p = peer_new(loop);
    if (p == NULL)
        return -ENOMEM;
    p->node = n;
    p->what = what;
    p->events = events;
    p->arg = arg;
    rc = link_open(loop, &to, &link_events_of_peer, p, &p->link);
    if (rc) {
        release(p);
        return rc;
    }
    *out = p;
    return 0;
}

/* ---- talking ---------------------------------------------------------------------- */

uint32_t peer_id(struct peer *p)
{
    return p->next_id++;
}

int peer_send(struct peer *p, struct buf *b)
{
    int rc = b->rc;

    if (rc == 0)
        rc = p->link ? link_send(p->link, buf_view(b)) : -ENOTCONN;
    b->n = 0;
    b->rc = 0;
    if (rc)
        fail_link(p, LINK_OURS);
    return rc;
}

bool peer_is_ready(const struct peer *p)
{
    return p->state == READY && !p->failed;
}

uint64_t peer_heard_ms(const struct peer *p)
{
    return p->link ? link_heard_ms(p->link) : 0;
}

uint64_t peer_ready_ms(const struct peer *p)
{
    return p->ready_ms;
}

static void on_opened(struct link_conn *l, void *arg)
{
    struct peer *p = arg;
    int rc = 0;

    if (link_cohort(l))
        rc = node_relay(p->node, link_key(l), link_cohort(l));
    if (rc == NODE_E_RELAY_KEY)
        peer_fail(p, &(struct peer_end){.fate = PEER_KEY});
    else if (rc)
        fail_rc(p, err_fold(rc));
    else
        send_hello(p);
}

static void send_hello(struct peer *p)
{
    uint8_t room[FRAME_CLIENT_MAX_BYTES];
    struct buf b = BUF_OVER(room);

    p->state = HELLO;
    p->awaited = peer_id(p);
    msg_hello_write(&b, p->awaited, &(struct msg_hello){1u << VERSION_ONE});
    (void)peer_send(p, &b);
}

static void take_hello(struct peer *p, const struct frame *f)
{
    struct msg_hello_result m;
    uint32_t from = 0;
    int rc;

    if (msg_hello_result_read(f->body, &m) || m.version != VERSION_ONE) {
        fail_link(p, LINK_BROKEN);
        return;
    }
    rc = node_hello(p->node, &m, &from);
    if (rc == NODE_E_LIE) {
        peer_fail(p, &(struct peer_end){.fate = PEER_LIE});
    } else if (rc) {
        fail_rc(p, err_fold(rc));
    } else if (from > 0) {
        p->next_descriptor = from;
        p->newest_descriptor = m.descriptor;
        send_descriptors(p);
    } else {
        send_purpose(p);
    }
}

static void send_descriptors(struct peer *p)
{
    uint8_t room[FRAME_CLIENT_MAX_BYTES];
    struct buf b = BUF_OVER(room);

    p->state = DESCRIPTORS;
    p->awaited = peer_id(p);
    msg_descriptors_write(&b, p->awaited, &(struct msg_descriptors){p->next_descriptor});
    (void)peer_send(p, &b);
}

static void take_descriptors(struct peer *p, const struct frame *f)
{
    struct msg_descriptors_result m;

    if (msg_descriptors_result_read(f->body, &m) || m.count == 0) {
        fail_link(p, LINK_BROKEN); /* it said that there is a newer one */
        return;
    }
    for (size_t i = 0; i < m.count; i++) {
        int rc = node_descriptor(p->node, m.signed_[i]);

        if (rc == NODE_E_LIE)
            peer_fail(p, &(struct peer_end){.fate = PEER_LIE});
        else if (rc)
            fail_rc(p, err_fold(rc));
        if (rc)
            return;
    }
    p->next_descriptor += (uint32_t)m.count;
    if (p->next_descriptor <= p->newest_descriptor)
        send_descriptors(p);
    else
        send_purpose(p);
}

static void get_ready(struct peer *p)
{
    p->state = READY;
    p->ready_ms = uv_now(p->loop);
    p->events->ready(p, p->arg);
}

static void send_purpose(struct peer *p)
{
    uint8_t room[FRAME_CLIENT_MAX_BYTES];
    struct buf b = BUF_OVER(room);
    struct msg_enrol enrol;
    struct msg_prove prove;
    int rc;

    if (p->what == PEER_LOOK) {
        get_ready(p);
        return;
    }
    p->state = PURPOSE;
    p->awaited = peer_id(p);
    if (p->what == PEER_ENROL) {
        rc = node_enrol(p->node, link_hash(p->link), &enrol);
        if (rc == 0)
            msg_enrol_write(&b, p->awaited, &enrol);
    } else {
        rc = node_prove(p->node, link_hash(p->link), &prove);
        if (rc == 0)
            msg_prove_write(&b, p->awaited, &prove);
    }
    if (rc)
        fail_rc(p, err_fold(rc));
    else
        (void)peer_send(p, &b);
    secret_wipe(room, sizeof room); /* the invite's secret passed through */
}

static void take_purpose(struct peer *p, const struct frame *f)
{
    int rc = 0;

    if (msg_nil_read(f->body)) {
        fail_link(p, LINK_BROKEN);
        return;
    }
    if (p->what == PEER_ENROL)
        rc = node_enrolled(p->node);
    if (rc)
        fail_rc(p, err_fold(rc));
    else
        get_ready(p);
}

static int on_response(struct peer *p, const struct frame *f)
{
    if (p->state == READY) {
        p->events->answer(p, f, p->arg);
        return 0;
    }
    if (p->state == LINKING || f->id != p->awaited)
        return -EPROTO;
    if (f->code != CODE_OK)
        peer_fail(p, &(struct peer_end){.fate = PEER_REFUSED, .code = f->code});
    else if (p->state == HELLO)
        take_hello(p, f);
    else if (p->state == DESCRIPTORS)
        take_descriptors(p, f);
    else
        take_purpose(p, f);
    return 0;
}

static int on_frame(struct link_conn *l, const struct frame *f, void *arg)
{
    struct peer *p = arg;
    enum method m;

    (void)l;
    if (f->kind == FRAME_RESPONSE)
        return on_response(p, f);
    if (f->kind != FRAME_NOTIFY || p->state != READY)
        return -EPROTO;
    m = method_find(f->method, FRAME_NOTIFY, false);
    if (m != METHOD_COUNT) /* a later relay's notification is none of ours */
        p->events->notify(p, m, f->body, p->arg);
    return 0;
}
