/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/listener.h"

#include "daemon/conn.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/seam.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { BACKLOG = 1024 };

struct socket {
    struct listener *owner;
    uv_tcp_t tcp;
    /* Without memory for a connection, libuv must still take it from the kernel before it
     * tells of the next one; this handle takes it, only to close it. */
    uv_tcp_t refused;
    bool refusing, owed;
};

struct listener {
    struct relay *relay;
    size_t count;
    int handles; /* still to be closed */
    bool stopping;
    void (*closed)(void *arg);
    void *closed_arg;
    uint64_t warned_ms;
    struct socket sockets[CONFIG_LISTEN_MAX];
};

static void on_connection(uv_stream_t *server, int status);

/* ---- opening ---------------------------------------------------------------------- */

static int bind_to(struct socket *s, const struct address *a)
{
    struct sockaddr_storage at;
    bool v6 = strchr(a->host, ':') != NULL;
    int rc = v6 ? uv_ip6_addr(a->host, a->port, (struct sockaddr_in6 *)&at)
                : uv_ip4_addr(a->host, a->port, (struct sockaddr_in *)&at);

    if (rc == 0)
        rc = seam_check(SEAM_SOCKET);
    if (rc == 0)
        rc = uv_tcp_bind(&s->tcp, (struct sockaddr *)&at, v6 ? UV_TCP_IPV6ONLY : 0);
    return rc;
}

/* fd: -1, or a socket that is bound already.  A socket that fails stays in the list with
 * its handle open, to be closed with the others. */
static int open_one(struct listener *l, const struct address *a, int fd)
{
    struct socket *s = &l->sockets[l->count];
    int rc = uv_tcp_init(l->relay->loop, &s->tcp);

    if (rc)
        return rc;
    l->count++;
    l->handles++;
    s->owner = l;
    s->tcp.data = s;
    rc = a != NULL ? bind_to(s, a) : uv_tcp_open(&s->tcp, fd);
    if (rc == 0)
        rc = uv_listen((uv_stream_t *)&s->tcp, BACKLOG, on_connection);
    return rc;
}

static bool lacks_family(int rc)
{
    return rc == -EAFNOSUPPORT || rc == -EADDRNOTAVAIL || rc == -EPROTONOSUPPORT;
}

static int open_configured(struct listener *l, char why[RELAY_WHY_BYTES])
{
    const struct config *c = &l->relay->config;
    size_t good = 0;
    int lacking = 0;

    for (size_t i = 0; i < c->listen_n; i++) {
        const struct address *a = &c->listen[i];
        int rc = open_one(l, a, -1);

        if (rc == 0) {
            good++;
            continue;
        }
        (void)snprintf(
            why, RELAY_WHY_BYTES,
            "Can't listen on port %u: %s. Is another relay running? Another port can "
            "be set with relay.listen.",
            (unsigned)a->port, err_text(rc));
        if (!lacks_family(rc))
            return rc;
        lacking = rc;
    }
    if (good == 0)
        return lacking ? lacking : -EINVAL;
    if (lacking)
        log_warn(
            "one address of relay.listen is not available on this machine: passed over");
    return 0;
}

int listener_start(struct relay *r, const int *fds, size_t fds_n, struct listener **out,
                   char why[RELAY_WHY_BYTES])
{
    struct listener *l = mem_zalloc(sizeof *l);
    int rc = 0;

    if (l == NULL)
        return -ENOMEM;
    l->relay = r;
    *out = l; /* also on failure: its handles must be closed by listener_stop() */
    for (size_t i = 0; i < fds_n && i < CONFIG_LISTEN_MAX && rc == 0; i++) {
        rc = open_one(l, NULL, fds[i]);
        if (rc)
            (void)snprintf(why, RELAY_WHY_BYTES,
                           "The socket handed over can't be used: %s.", err_text(rc));
    }
    if (fds_n == 0)
        rc = open_configured(l, why);
    return rc;
}

/* ---- connections ------------------------------------------------------------------ */

static void refuse(struct socket *s);
static void gone(struct listener *l);

static void on_refused(uv_handle_t *h)
{
    struct socket *s = h->data;

    s->refusing = false;
    if (s->owed && !s->owner->stopping)
        refuse(s);
    gone(s->owner);
}

static void refuse(struct socket *s)
{
    s->owed = s->refusing;
    if (s->refusing)
        return;
    if (uv_tcp_init(s->owner->relay->loop, &s->refused))
        return;
    s->refusing = true;
    s->owner->handles++;
    s->refused.data = s;
    (void)uv_accept((uv_stream_t *)&s->tcp, (uv_stream_t *)&s->refused);
    uv_close((uv_handle_t *)&s->refused, on_refused);
}

/* Once a minute at most: somebody may do it on purpose. */
static void warn(struct listener *l, const char *what)
{
    uint64_t now = clock_mono_ms(l->relay->clock);

    if (l->warned_ms != 0 && now - l->warned_ms < 60 * 1000)
        return;
    l->warned_ms = now;
    log_warn("connections are turned away: %s", what);
}

static void on_connection(uv_stream_t *server, int status)
{
    struct socket *s = server->data;
    struct listener *l = s->owner;
    struct conn *c;

    if (status == -ENOMEM || status == -EMFILE || status == -ENFILE)
        warn(l, err_text(status));
    if (status < 0 || l->stopping)
        return;
    status = seam_check(SEAM_SOCKET);
    c = status == 0 ? conn_new() : NULL;
    if (c == NULL) {
        warn(l, err_text(status == 0 ? -ENOMEM : status));
        refuse(s);
        return;
    }
    conn_accept(c, l->relay, server);
}

/* ---- closing ---------------------------------------------------------------------- */

static void gone(struct listener *l)
{
    if (--l->handles == 0 && l->stopping)
        l->closed(l->closed_arg);
}

static void on_closed(uv_handle_t *h)
{
    struct socket *s = h->data;

    gone(s->owner);
}

void listener_stop(struct listener *l, void (*closed)(void *arg), void *arg)
{
    if (l == NULL || l->handles == 0) {
        closed(arg);
        return;
    }
    l->stopping = true;
    l->closed = closed;
    l->closed_arg = arg;
    for (size_t i = 0; i < l->count; i++)
        uv_close((uv_handle_t *)&l->sockets[i].tcp, on_closed);
}

void listener_free(struct listener *l)
{
    mem_free(l);
}
