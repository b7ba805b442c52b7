/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/conns.h"

#include "daemon/conn.h"
#include "lib/map.h"
#include "lib/mem.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

/* The kernel takes no more than this ahead of what is on its way: a reader that stalls
 * holds little of our memory, and its next record is built from what the log has by then.
 */
enum { UNSENT_IN_KERNEL_BYTES = 128 * 1024 };

static void on_pump(uv_idle_t *idle);
static void on_tick(uv_timer_t *timer);

int conns_new(struct relay *r, struct conns **out)
{
    struct conns *cs = mem_zalloc(sizeof *cs);

    if (cs == NULL)
        return -ENOMEM;
    cs->relay = r;
    list_init(&cs->all);
    list_init(&cs->ready);
    cs->by_id = map_new(sizeof(uint64_t));
    cs->read_scratch = mem_alloc(CONNS_READ_BYTES);
    cs->write_scratch = mem_alloc(CHANNEL_RECORD_MAX_BYTES);
    if (cs->by_id == NULL || cs->read_scratch == NULL || cs->write_scratch == NULL ||
        admit_new(&cs->admit)) {
        conns_free(cs);
        return -ENOMEM;
    }
    /* Neither can fail: both only fill in the struct. */
    (void)uv_idle_init(r->loop, &cs->pump);
    (void)uv_timer_init(r->loop, &cs->tick);
    cs->pump.data = cs->tick.data = cs;
    *out = cs;
    return 0;
}

void conns_free(struct conns *cs)
{
    if (cs == NULL)
        return;
    map_free(cs->by_id, NULL);
    admit_free(cs->admit);
    mem_free(cs->read_scratch);
    mem_free(cs->write_scratch);
    mem_free(cs);
}

int conns_stop(struct conns *cs, uv_close_cb closed)
{
    uv_close((uv_handle_t *)&cs->pump, closed);
    uv_close((uv_handle_t *)&cs->tick, closed);
    return 2;
}

void conns_arrive(struct conns *cs)
{
    cs->alive++;
}

void conns_depart(struct conns *cs)
{
    if (--cs->alive == 0)
        relay_note_empty(cs->relay);
}

bool conns_gone(const struct conns *cs)
{
    return cs->alive == 0;
}

void conns_tune(uv_tcp_t *tcp)
{
    int most = UNSENT_IN_KERNEL_BYTES;
    uv_os_fd_t fd;

    /* Both are a matter of speed and memory: without them everything still works. */
    (void)uv_tcp_nodelay(tcp, 1);
    if (uv_fileno((uv_handle_t *)tcp, &fd) == 0)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof most);
}

int conns_add(struct conns *cs, struct conns_member *m)
{
    uint64_t every = cs->relay->limits.tick_ms;

    m->id = ++cs->next_id;
    list_init(&m->all);
    list_init(&m->ready);
    if (map_put(cs->by_id, &m->id, m, NULL))
        return -ENOMEM;
    list_append(&cs->all, &m->all);
    if (cs->count++ == 0)
        (void)uv_timer_start(&cs->tick, on_tick, every, every);
    return 0;
}

void conns_remove(struct conns *cs, struct conns_member *m)
{
    (void)map_take(cs->by_id, &m->id);
    list_remove(&m->all);
    list_remove(&m->ready);
    if (--cs->count == 0)
        (void)uv_timer_stop(&cs->tick);
}

struct conn *conns_find(const struct conns *cs, uint64_t id)
{
    return map_get(cs->by_id, &id);
}

size_t conns_count(const struct conns *cs)
{
    return cs->count;
}

void conns_ready(struct conns *cs, struct conns_member *m)
{
    if (!list_empty(&m->ready))
        return;
    if (list_empty(&cs->ready))
        (void)uv_idle_start(&cs->pump, on_pump);
    list_append(&cs->ready, &m->ready);
}

/* One record each, then the loop looks at its sockets again: nobody's backlog keeps the
 * others waiting. */
static void on_pump(uv_idle_t *idle)
{
    struct conns *cs = idle->data;
    struct list now;

    list_init(&now);
    list_move_all(&cs->ready, &now);
    (void)uv_idle_stop(&cs->pump);
    while (!list_empty(&now)) {
        struct conns_member *m = LIST_OWNER(now.next, struct conns_member, ready);

        list_remove(&m->ready);
        conn_pump((struct conn *)(void *)m);
    }
}

static void each(struct conns *cs, void (*visit)(struct conn *c, const char *why),
                 const char *why)
{
    struct list *next;

    for (struct list *l = cs->all.next; l != &cs->all; l = next) {
        next = l->next; /* the visit may remove l */
        visit((struct conn *)(void *)LIST_OWNER(l, struct conns_member, all), why);
    }
}

static void tick_one(struct conn *c, const char *unused)
{
    (void)unused;
    conn_tick(c);
}

static void on_tick(uv_timer_t *timer)
{
    each(timer->data, tick_one, "");
}

void conns_finish_all(struct conns *cs, const char *why)
{
    each(cs, conn_finish, why);
}

void conns_close_all(struct conns *cs, const char *why)
{
    each(cs, conn_close, why);
}
