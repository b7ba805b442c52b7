/* SPDX-License-Identifier: Apache-2.0 */
#include "client/holder.h"

#include "client/platform.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/seam.h"
#include "lib/secret.h"
#include "lib/text.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { SWEEP_MS = 1000, ID_BYTES = 8 };

/* ---- where ------------------------------------------------------------------------ */

/* A folder of ours that nobody else can enter: neither a link nor somebody else's. */
static int private_folder(const char *path, bool make)
{
    struct stat st;

    if (make && mkdir(path, 0700) && errno != EEXIST)
        return -errno;
    if (lstat(path, &st))
        return -errno;
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) != 0)
        return -EPERM;
    return 0;
}

static void print_id(const struct profile *p, char out[2 * ID_BYTES + 1])
{
    char real[PATH_MAX];
    uint8_t hash[HASH_BYTES];
    const char *path = realpath(p->dir, real) ? real : p->dir;

    HASH(hash, LABEL("kith1 holder"), {(const uint8_t *)path, strlen(path)});
    hex_encode((struct bytes){hash, ID_BYTES}, out);
}

static int path_under(const char *folder, const char *id, bool make,
                      char out[HOLDER_PATH_MAX])
{
    int n, rc;

    n = snprintf(out, HOLDER_PATH_MAX, "%s/%s.sock", folder, id);
    if (n < 0 || n >= HOLDER_PATH_MAX)
        return -ENAMETOOLONG;
    rc = private_folder(folder, make);
    return rc;
}

int holder_path(const struct profile *p, bool make, char out[HOLDER_PATH_MAX])
{
    const char *run = getenv("XDG_RUNTIME_DIR");
    char id[2 * ID_BYTES + 1], folder[PATH_MAX + 16];
    int rc = -ENOENT;

    print_id(p, id);
    if (run && run[0] == '/' && strlen(run) < PATH_MAX) {
        (void)snprintf(folder, sizeof folder, "%s/kith", run);
        rc = path_under(folder, id, make, out);
    }
    if (rc == 0)
        return 0;
    (void)snprintf(folder, sizeof folder, "/tmp/kith-%u", (unsigned)geteuid());
    return path_under(folder, id, make, out);
}

/* ---- the holder's side ------------------------------------------------------------ */

struct client {
    uv_pipe_t pipe; /* first: its address is the client's */
    struct holder *holder;
    uv_write_t req;
    uint64_t since_ms;
    bool closing, watching;
    uint8_t ask;
    uint8_t answer[1 + PROFILE_KEY_BYTES];
};

struct holder {
    uv_pipe_t pipe;
    uv_timer_t sweep;
    uv_pipe_t refused; /* whoever came when all places were taken */
    bool refusing, owed;
    uv_loop_t *loop;
    const struct holder_events *events;
    void *arg;
    uint8_t *key; /* guarded; NULL once it is not lent any more */
    uint64_t touched_ms;
    uint32_t idle_ms;
    int handles;
    bool closing;
    char path[HOLDER_PATH_MAX];
    struct client *clients[HOLDER_CLIENTS_MAX];
};

static void on_handle_closed(uv_handle_t *handle)
{
    struct holder *h = handle->data;

    if (--h->handles == 0)
        mem_free(h);
}

static void on_client_closed(uv_handle_t *handle)
{
    struct client *c = (struct client *)handle;
    struct holder *h = c->holder;

    secret_wipe(c->answer, sizeof c->answer);
    mem_free(c);
    if (--h->handles == 0)
        mem_free(h);
}

static void client_close(struct client *c)
{
    if (c->closing)
        return;
    c->closing = true;
    for (size_t i = 0; i < HOLDER_CLIENTS_MAX; i++)
        if (c->holder->clients[i] == c)
            c->holder->clients[i] = NULL;
    uv_close((uv_handle_t *)&c->pipe, on_client_closed);
}

static void on_answered(uv_write_t *req, int status)
{
    struct client *c = req->data;

    (void)status;
    client_close(c);
}

static void client_answer(struct client *c, size_t n)
{
    uv_buf_t b = uv_buf_init((char *)c->answer, (unsigned)n);

    c->req.data = c;
    if (uv_write(&c->req, (uv_stream_t *)&c->pipe, &b, 1, on_answered))
        client_close(c);
}

static void stop_lending(struct holder *h)
{
    secret_free(h->key);
    h->key = NULL;
}

static void lock_all(struct holder *h)
{
    stop_lending(h);
    for (size_t i = 0; i < HOLDER_CLIENTS_MAX; i++) {
        struct client *c = h->clients[i];

        if (c && c->watching && !c->closing) {
            c->answer[0] = 'l';
            client_answer(c, 1);
        }
    }
}

static void client_asks(struct client *c)
{
    struct holder *h = c->holder;

    c->answer[0] = c->ask;
    switch (c->ask) {
    case 'k':
        if (h->key == NULL) {
            c->answer[0] = 'n';
            client_answer(c, 1);
            return;
        }
        memcpy(c->answer + 1, h->key, PROFILE_KEY_BYTES);
        h->touched_ms = uv_now(h->loop);
        client_answer(c, 1 + PROFILE_KEY_BYTES);
        return;
    case 'p':
        client_answer(c, 1);
        h->events->poked(h->arg);
        return;
    case 'w':
        c->watching = true;
        return;
    case 'l':
        lock_all(h);
        client_answer(c, 1);
        h->events->locked(h->arg);
        return;
    default:
        client_close(c);
    }
}

static void on_ask_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct client *c = (struct client *)handle;

    (void)suggested;
    *buf = uv_buf_init((char *)&c->ask, 1);
}

static void on_ask(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct client *c = (struct client *)stream;

    (void)buf;
    if (n == 0)
        return;
    if (n < 0 || c->watching) {
        client_close(c);
        return;
    }
    client_asks(c);
}

static struct client *client_new(struct holder *h)
{
    for (size_t i = 0; i < HOLDER_CLIENTS_MAX; i++) {
        struct client *c;

        if (h->clients[i])
            continue;
        c = mem_zalloc(sizeof *c);
        if (c == NULL || uv_pipe_init(h->loop, &c->pipe, 0)) {
            mem_free(c);
            return NULL;
        }
        c->holder = h;
        c->since_ms = uv_now(h->loop);
        h->clients[i] = c;
        h->handles++;
        return c;
    }
    return NULL;
}

static void refuse(struct holder *h);

static void on_refused(uv_handle_t *handle)
{
    struct holder *h = handle->data;

    h->refusing = false;
    if (h->owed && !h->closing)
        refuse(h);
    on_handle_closed(handle);
}

/* Taken and closed at once: as long as one is left waiting, libuv announces no other. */
static void refuse(struct holder *h)
{
    h->owed = h->refusing;
    if (h->refusing)
        return;
    (void)uv_pipe_init(h->loop, &h->refused, 0); /* cannot fail */
    h->refusing = true;
    h->handles++;
    h->refused.data = h;
    (void)uv_accept((uv_stream_t *)&h->pipe, (uv_stream_t *)&h->refused);
    uv_close((uv_handle_t *)&h->refused, on_refused);
}

static void on_client(uv_stream_t *server, int status)
{
    struct holder *h = server->data;
    struct client *c;
    uv_os_fd_t fd;

    if (status < 0 || h->closing)
        return;
    c = client_new(h);
    if (c == NULL) {
        refuse(h);
        return;
    }
    if (uv_accept(server, (uv_stream_t *)&c->pipe) ||
        uv_fileno((uv_handle_t *)&c->pipe, &fd) || !platform_is_us(fd) ||
        uv_read_start((uv_stream_t *)&c->pipe, on_ask_alloc, on_ask))
        client_close(c);
}

static void on_sweep(uv_timer_t *t)
{
    struct holder *h = t->data;
    uint64_t now = uv_now(h->loop);

    for (size_t i = 0; i < HOLDER_CLIENTS_MAX; i++) {
        struct client *c = h->clients[i];

        if (c && !c->watching && now - c->since_ms > HOLDER_SILENT_MS)
            client_close(c);
    }
    if (h->key && now - h->touched_ms >= h->idle_ms)
        stop_lending(h);
}

static int holder_listen(struct holder *h, const struct profile *p)
{
    mode_t before;
    int rc = holder_path(p, true, h->path);

    if (rc)
        return rc;
    rc = seam_check(SEAM_SOCKET);
    if (rc)
        return rc;
    (void)unlink(h->path); /* left by a holder that was killed: the lock is ours */
    before = umask(077);
    rc = uv_pipe_bind(&h->pipe, h->path);
    (void)umask(before);
    return rc ? rc : uv_listen((uv_stream_t *)&h->pipe, 16, on_client);
}

int holder_open(uv_loop_t *loop, const struct profile *p, const uint8_t *key,
                uint32_t idle_ms, const struct holder_events *events, void *arg,
                struct holder **out)
{
    struct holder *h = mem_zalloc(sizeof *h);
    int rc;

    *out = NULL;
    if (h == NULL)
        return -ENOMEM;
    h->loop = loop;
    h->events = events;
    h->arg = arg;
    h->idle_ms = idle_ms;
    h->touched_ms = uv_now(loop);
    h->key = secret_alloc(PROFILE_KEY_BYTES);
    if (h->key == NULL) {
        mem_free(h);
        return -ENOMEM;
    }
    memcpy(h->key, key, PROFILE_KEY_BYTES);
    (void)uv_pipe_init(loop, &h->pipe, 0); /* neither of the two can fail */
    (void)uv_timer_init(loop, &h->sweep);
    h->pipe.data = h->sweep.data = h;
    h->handles = 2;
    rc = holder_listen(h, p);
    if (rc == 0)
        rc = uv_timer_start(&h->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    if (rc) {
        holder_close(h);
        return rc;
    }
    *out = h;
    return 0;
}

void holder_touch(struct holder *h)
{
    if (h)
        h->touched_ms = uv_now(h->loop);
}

bool holder_lends(const struct holder *h)
{
    return h && h->key;
}

void holder_close(struct holder *h)
{
    if (h == NULL || h->closing)
        return;
    h->closing = true;
    stop_lending(h);
    for (size_t i = 0; i < HOLDER_CLIENTS_MAX; i++)
        /* An answer under way is the last thing its client gets; it closes itself. */
        if (h->clients[i] &&
            uv_stream_get_write_queue_size((uv_stream_t *)&h->clients[i]->pipe) == 0)
            client_close(h->clients[i]);
    uv_close((uv_handle_t *)&h->sweep, on_handle_closed);
    uv_close((uv_handle_t *)&h->pipe,
             on_handle_closed); /* takes the socket's name away */
}

/* ---- everybody else's ------------------------------------------------------------- */

/* Connected, checked, and bounded in time; or -1. */
static int dial(const struct profile *p)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    struct timeval most = {HOLDER_ANSWER_MS / 1000, 0};
    int fd;

    if (holder_path(p, false, to.sun_path) || seam_check(SEAM_SOCKET))
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 && platform_is_us(fd))
        return fd;
    (void)close(fd);
    return -1;
}

/* One byte there, up to n back.  The number of bytes that came. */
static size_t converse(const struct profile *p, char ask, uint8_t *answer, size_t n)
{
    int fd = dial(p);
    size_t have = 0;

    if (fd < 0)
        return 0;
    if (send(fd, &ask, 1, MSG_NOSIGNAL) == 1)
        while (have < n) {
            ssize_t k = recv(fd, answer + have, n - have, 0);

            if (k <= 0)
                break;
            have += (size_t)k;
        }
    (void)close(fd);
    return have;
}

int holder_borrow(const struct profile *p, uint8_t key[PROFILE_KEY_BYTES])
{
    uint8_t answer[1 + PROFILE_KEY_BYTES];
    size_t n = converse(p, 'k', answer, sizeof answer);
    int rc = HOLDER_E_NONE;

    if (n == sizeof answer && answer[0] == 'k') {
        memcpy(key, answer + 1, PROFILE_KEY_BYTES);
        rc = 0;
    } else if (n > 0 && answer[0] == 'n') {
        rc = HOLDER_E_ASK;
    }
    secret_wipe(answer, sizeof answer);
    return rc;
}

int holder_poke(const struct profile *p)
{
    uint8_t answer;

    return converse(p, 'p', &answer, 1) == 1 ? 0 : HOLDER_E_NONE;
}

int holder_lock(const struct profile *p)
{
    uint8_t answer;

    return converse(p, 'l', &answer, 1) == 1 && answer == 'l' ? 0 : HOLDER_E_NONE;
}

struct watch {
    uv_pipe_t pipe;
    const struct watch_events *events;
    void *arg;
    uint8_t word;
};

static void on_watch_closed(uv_handle_t *handle)
{
    mem_free(handle);
}

void watch_close(struct watch *w)
{
    if (w && !uv_is_closing((uv_handle_t *)&w->pipe))
        uv_close((uv_handle_t *)&w->pipe, on_watch_closed);
}

static void on_word_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct watch *w = (struct watch *)handle;

    (void)suggested;
    *buf = uv_buf_init((char *)&w->word, 1);
}

static void on_word(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct watch *w = (struct watch *)stream;

    (void)buf;
    if (n > 0 && w->word == 'l')
        w->events->locked(w->arg);
    if (n < 0) {
        watch_close(w);
        w->events->gone(w->arg);
    }
}

int watch_open(uv_loop_t *loop, const struct profile *p,
               const struct watch_events *events, void *arg, struct watch **out)
{
    struct watch *w = mem_zalloc(sizeof *w);
    char ask = 'w';
    int fd, rc = HOLDER_E_NONE;

    *out = NULL;
    if (w == NULL)
        return -ENOMEM;
    fd = dial(p);
    if (fd < 0 || send(fd, &ask, 1, MSG_NOSIGNAL) != 1 ||
        uv_pipe_init(loop, &w->pipe, 0)) {
        if (fd >= 0)
            (void)close(fd);
        mem_free(w);
        return rc;
    }
    w->events = events;
    w->arg = arg;
    rc = uv_pipe_open(&w->pipe, fd);
    if (rc) {
        (void)close(fd);
        uv_close((uv_handle_t *)&w->pipe, on_watch_closed);
        return rc;
    }
    rc = uv_read_start((uv_stream_t *)&w->pipe, on_word_alloc, on_word);
    if (rc) {
        uv_close((uv_handle_t *)&w->pipe, on_watch_closed);
        return rc;
    }
    *out = w;
    return 0;
}
