/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* struct ucred */
/* The socket and its framing; control_calls.c carries the requests out. */
#include "daemon/control.h"

#include "daemon/control_calls.h"
#include "daemon/list.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/seam.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 8, READ_BYTES = 4096 };

struct control {
    struct relay *relay;
    struct list clients;
    size_t clients_n;
    uint64_t next_id;
    int handles; /* still to be closed: the server, and each client */
    bool stopping, bound;
    void (*closed)(void *arg);
    void *closed_arg;
    char path[sizeof((struct sockaddr_un *)0)->sun_path];
    uv_pipe_t server;
    /* Takes, only to close it, a connection there is no memory for: libuv tells of no
     * other before this one is taken. */
    uv_pipe_t refused;
    bool refusing, owed;
};

struct client {
    struct list link;
    struct control *owner;
    uint64_t id;
    bool busy;    /* its answer is on the way */
    bool waiting; /* for the last connection to go */
    bool closing;
    struct buf in, out;
    uv_write_t write;
    uv_pipe_t pipe;
    uint8_t room[READ_BYTES];
};

/* on_connection -> on_read -> serve -> control_call ... control_answer -> on_written ->
 * serve */
static void on_connection(uv_stream_t *server, int status);
static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf);
static void on_written(uv_write_t *w, int status);
static void on_closed(uv_handle_t *h);

/* ---- opening ---------------------------------------------------------------------- */

int control_start(struct relay *r, struct control **out)
{
    struct control *c = mem_zalloc(sizeof *c);
    int n, rc;

    if (c == NULL)
        return -ENOMEM;
    c->relay = r;
    list_init(&c->clients);
    n = snprintf(c->path, sizeof c->path, "%s/" CONTROL_SOCKET_NAME, r->dir);
    if (n < 0 || (size_t)n >= sizeof c->path) {
        mem_free(c);
        return -ENAMETOOLONG;
    }
    *out = c; /* also on failure from here on: control_stop() closes its handle */
    (void)uv_pipe_init(r->loop, &c->server, 0);
    c->server.data = c;
    c->handles = 1;
    (void)unlink(c->path);
    rc = seam_check(SEAM_SOCKET);
    if (rc == 0)
        rc = uv_pipe_bind(&c->server, c->path);
    if (rc)
        return rc;
    c->bound = true;
    if (chmod(c->path, 0600))
        return -errno;
    return uv_listen((uv_stream_t *)&c->server, BACKLOG, on_connection);
}

/* ---- clients ---------------------------------------------------------------------- */

static void client_close(struct client *cl)
{
    if (cl->closing)
        return;
    cl->closing = true;
    list_remove(&cl->link);
    cl->owner->clients_n--;
    uv_close((uv_handle_t *)&cl->pipe, on_closed);
}

static struct client *find(struct control *c, uint64_t id)
{
    for (struct list *l = c->clients.next; l != &c->clients; l = l->next)
        if (LIST_OWNER(l, struct client, link)->id == id)
            return LIST_OWNER(l, struct client, link);
    return NULL;
}

static bool may_speak(struct client *cl)
{
    struct ucred who;
    socklen_t n = sizeof who;
    uv_os_fd_t fd;

    if (uv_fileno((uv_handle_t *)&cl->pipe, &fd))
        return false;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n))
        return false;
    return who.uid == 0 || who.uid == geteuid();
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
    struct client *cl = h->data;

    (void)hint;
    *buf = uv_buf_init((char *)cl->room, READ_BYTES);
}

static void gone(struct control *c);
static void refuse(struct control *c);

static void on_refused(uv_handle_t *h)
{
    struct control *c = h->data;

    c->refusing = false;
    if (c->owed && !c->stopping)
        refuse(c);
    gone(c);
}

static void refuse(struct control *c)
{
    c->owed = c->refusing;
    if (c->refusing || uv_pipe_init(c->relay->loop, &c->refused, 0))
        return;
    c->refusing = true;
    c->handles++;
    c->refused.data = c;
    (void)uv_accept((uv_stream_t *)&c->server, (uv_stream_t *)&c->refused);
    uv_close((uv_handle_t *)&c->refused, on_refused);
}

static void on_connection(uv_stream_t *server, int status)
{
    struct control *c = server->data;
    struct client *cl;

    if (status < 0 || c->stopping)
        return;
    cl = mem_zalloc(sizeof *cl);
    if (cl == NULL) {
        log_error("control socket: out of memory");
        refuse(c);
        return;
    }
    cl->owner = c;
    cl->id = ++c->next_id;
    buf_init(&cl->in, CONTROL_LENGTH_BYTES + CONTROL_MESSAGE_MAX);
    (void)uv_pipe_init(server->loop, &cl->pipe, 0);
    cl->pipe.data = cl;
    list_append(&c->clients, &cl->link);
    c->clients_n++;
    c->handles++;
    if (uv_accept(server, (uv_stream_t *)&cl->pipe) || !may_speak(cl) ||
        c->clients_n > CONTROL_CLIENTS_MAX ||
        uv_read_start((uv_stream_t *)&cl->pipe, on_alloc, on_read))
        client_close(cl);
}

/* The next whole request, if there is one and the last is answered. */
static void serve(struct client *cl)
{
    size_t n;
    int rc;

    if (cl->busy || cl->closing || cl->in.n < CONTROL_LENGTH_BYTES)
        return;
    n = (size_t)le_get(cl->in.p, CONTROL_LENGTH_BYTES);
    if (n < 1 || n > CONTROL_MESSAGE_MAX) {
        client_close(cl);
        return;
    }
    if (cl->in.n < CONTROL_LENGTH_BYTES + n)
        return;
    cl->busy = true;
    rc = control_call(cl->owner, cl->owner->relay, cl->id,
                      (struct bytes){cl->in.p + CONTROL_LENGTH_BYTES, n});
    if (rc)
        client_close(cl);
    buf_eat(&cl->in, CONTROL_LENGTH_BYTES + n);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct client *cl = s->data;

    if (n == 0 || cl->closing)
        return;
    if (n > 0)
        buf_put(&cl->in, buf->base, (size_t)n);
    if (n < 0 || cl->in.rc) { /* gone, or sends before it has read our answer */
        client_close(cl);
        return;
    }
    serve(cl);
}

void control_answer(struct control *c, uint64_t client, struct buf *message)
{
    struct client *cl = find(c, client);
    uv_buf_t parts[1];

    if (cl == NULL || message->rc || message->n > CONTROL_MESSAGE_MAX) {
        if (cl != NULL)
            client_close(cl);
        buf_free(message);
        return;
    }
    buf_free(&cl->out);
    buf_init(&cl->out, CONTROL_LENGTH_BYTES + CONTROL_MESSAGE_MAX);
    buf_put_le(&cl->out, message->n, CONTROL_LENGTH_BYTES);
    buf_put(&cl->out, message->p, message->n);
    buf_free(message);
    parts[0] = uv_buf_init((char *)cl->out.p, (unsigned)cl->out.n);
    cl->write.data = cl;
    if (cl->out.rc ||
        uv_write(&cl->write, (uv_stream_t *)&cl->pipe, parts, 1, on_written))
        client_close(cl);
}

static void on_written(uv_write_t *w, int status)
{
    struct client *cl = w->data;

    cl->busy = false;
    if (status < 0 || cl->owner->stopping)
        client_close(cl);
    else
        serve(cl);
}

void control_await_drained(struct control *c, uint64_t client)
{
    struct client *cl = find(c, client);

    if (cl != NULL)
        cl->waiting = true;
}

void control_drained(struct control *c)
{
    for (struct list *l = c->clients.next, *next; l != &c->clients; l = next) {
        struct client *cl = LIST_OWNER(l, struct client, link);

        next = l->next; /* answering may close it */
        if (!cl->waiting)
            continue;
        cl->waiting = false;
        control_calls_drained(c, cl->id);
    }
}

/* ---- closing ---------------------------------------------------------------------- */

static void gone(struct control *c)
{
    if (--c->handles == 0 && c->stopping)
        c->closed(c->closed_arg);
}

static void on_closed(uv_handle_t *h)
{
    struct client *cl = h->data;
    struct control *c = cl->owner;

    buf_free(&cl->in);
    buf_free(&cl->out); /* an invite may have passed through: buf_free wipes */
    mem_free(cl);
    gone(c);
}

static void on_server_closed(uv_handle_t *h)
{
    gone(h->data);
}

void control_stop(struct control *c, void (*closed)(void *arg), void *arg)
{
    if (c == NULL) {
        closed(arg);
        return;
    }
    c->stopping = true;
    c->closed = closed;
    c->closed_arg = arg;
    if (c->bound)
        (void)unlink(c->path);
    uv_close((uv_handle_t *)&c->server, on_server_closed);
    for (struct list *l = c->clients.next, *next; l != &c->clients; l = next) {
        struct client *cl = LIST_OWNER(l, struct client, link);

        next = l->next;
        client_close(cl); /* its answer went to the kernel the moment it was given */
    }
}

void control_free(struct control *c)
{
    mem_free(c);
}
