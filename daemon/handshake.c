/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/handshake.h"

#include "daemon/list.h"
#include "lib/mem.h"
#include "lib/seam.h"
#include "lib/secret.h"

#include <errno.h>
#include <string.h>

struct handshakes {
    uv_loop_t *loop;
    const struct keys *keys;
    handshake_done *done;
    void *arg;
    struct list waiting;
    size_t waiting_n, running_n;
};

struct job {
    struct list link;
    uv_work_t work;
    struct handshakes *owner;
    uint64_t conn;
    int rc;
    struct channel channel;
    uint8_t msg1[CHANNEL_MSG1_BYTES];
    uint8_t msg2[CHANNEL_MSG2_BYTES];
};

static void run_next(struct handshakes *h);

int handshakes_new(uv_loop_t *loop, const struct keys *keys, handshake_done *done,
                   void *arg, struct handshakes **out)
{
    struct handshakes *h = mem_zalloc(sizeof *h);

    if (h == NULL)
        return -ENOMEM;
    h->loop = loop;
    h->keys = keys;
    h->done = done;
    h->arg = arg;
    list_init(&h->waiting);
    *out = h;
    return 0;
}

static void job_free(struct job *j)
{
    channel_wipe(&j->channel);
    mem_free(j);
}

void handshakes_free(struct handshakes *h)
{
    mem_free(h);
}

bool handshakes_idle(const struct handshakes *h)
{
    return h->running_n == 0 && h->waiting_n == 0;
}

int handshakes_submit(struct handshakes *h, uint64_t conn,
                      const uint8_t msg1[CHANNEL_MSG1_BYTES])
{
    struct job *j;

    if (h->waiting_n >= CHANNEL_HANDSHAKES_WAITING_MAX)
        return -EBUSY;
    j = mem_zalloc(sizeof *j);
    if (j == NULL)
        return -ENOMEM;
    j->owner = h;
    j->conn = conn;
    j->work.data = j;
    memcpy(j->msg1, msg1, sizeof j->msg1);
    list_append(&h->waiting, &j->link);
    h->waiting_n++;
    run_next(h);
    return 0;
}

void handshakes_cancel(struct handshakes *h, uint64_t conn)
{
    for (struct list *l = h->waiting.next; l != &h->waiting; l = l->next) {
        struct job *j = LIST_OWNER(l, struct job, link);

        if (j->conn != conn)
            continue;
        list_remove(&j->link);
        h->waiting_n--;
        job_free(j);
        return;
    }
}

static void in_pool(uv_work_t *work)
{
    struct job *j = work->data;
    const struct keys *k = j->owner->keys;

    j->rc = channel_relay_answer(&j->channel, k->pk, k->sk, j->msg1, j->msg2);
}

static void on_answered(uv_work_t *work, int status)
{
    struct job *j = work->data;
    struct handshakes *h = j->owner;

    h->running_n--;
    h->done(j->conn, status ? status : j->rc, &j->channel, j->msg2, h->arg);
    job_free(j);
    run_next(h);
}

static int start(struct handshakes *h, struct job *j)
{
    int rc = seam_check(SEAM_THREAD);

    if (rc)
        return rc;
    return uv_queue_work(h->loop, &j->work, in_pool, on_answered);
}

static void run_next(struct handshakes *h)
{
    while (h->running_n < CHANNEL_HANDSHAKES_MAX && !list_empty(&h->waiting)) {
        struct job *j = LIST_OWNER(h->waiting.next, struct job, link);
        int rc;

        list_remove(&j->link);
        h->waiting_n--;
        h->running_n++;
        rc = start(h, j);
        if (rc == 0)
            continue;
        h->running_n--;
        h->done(j->conn, rc, NULL, NULL, h->arg);
        job_free(j);
    }
}
