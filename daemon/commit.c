/* SPDX-License-Identifier: Apache-2.0 */
/*   commit_post, commit_run        loop: copy into the queue, wake the thread
 *        -> write_batches          thread: take what waits, one store call, wake the loop
 *        -> on_written             loop: done callbacks in order, then grown, once a
 * bucket Memory of a post is taken and given back on the loop thread only, so the small
 * stock of spare ones needs no lock. */
#include "daemon/commit.h"

#include "lib/mem.h"
#include "lib/seam.h"

#include <errno.h>
#include <string.h>

enum {
    SPARES_MAX = 128, /* half a megabyte: what a busy group needs, kept between groups */
};

struct item {
    struct item *next;
    int rc;
    commit_work *work; /* NULL: a post */
    commit_work_done *work_done;
    void *job;
    commit_post_done *post_done;
    void *arg;
    struct store_post post;
    uint64_t session, now_s;
    uint32_t request;
    uint8_t envelope[]; /* a post's; a job has none */
};

struct list {
    struct item *first, **end;
};

struct commit {
    struct store *store;
    const struct clock *clock;
    commit_grown *grown;
    void *grown_arg;
    uv_async_t written; /* thread -> loop */
    uv_thread_t thread;
    uv_mutex_t lock; /* down to mute */
    uv_cond_t wake;
    struct list queue, done;
    bool ending; /* the thread ends when the queue is empty */
    bool ended;  /* its last items are in done */
    bool mute;   /* there is no async to send to */
    size_t posts,
        jobs; /* accepted, done callback not yet run; loop thread from here on */
    bool stopping;
    void (*stopped)(void *arg);
    void *stopped_arg;
    struct item *spares;
    size_t spares_count;
    struct store_post group[COMMIT_GROUP_MAX]; /* the thread's */
};

static void list_init(struct list *l)
{
    l->first = NULL;
    l->end = &l->first;
}

static void list_add(struct list *l, struct item *i)
{
    i->next = NULL;
    *l->end = i;
    l->end = &i->next;
}

static void list_move(struct list *to, struct list *from)
{
    if (!from->first)
        return;
    *to->end = from->first;
    to->end = from->end;
    list_init(from);
}

/* ---- loop: into the queue --------------------------------------------------------- */

static void enqueue(struct commit *c, struct item *i)
{
    uv_mutex_lock(&c->lock);
    list_add(&c->queue, i);
    uv_cond_signal(&c->wake);
    uv_mutex_unlock(&c->lock);
}

static struct item *post_item(struct commit *c)
{
    struct item *i = c->spares;

    if (!i)
        return mem_alloc(sizeof *i + ENVELOPE_BYTES);
    c->spares = i->next;
    c->spares_count--;
    return i;
}

int commit_post(struct commit *c, uint32_t bucket, const uint8_t envelope[ENVELOPE_BYTES],
                uint64_t session, uint32_t request, commit_post_done *done, void *arg)
{
    struct item *i;

    if (c->stopping)
        return -ESHUTDOWN;
    if (bucket >= store_buckets(c->store)) /* would fail a whole group of others' posts */
        return -EINVAL;
    if (c->posts >= COMMIT_QUEUE_MAX)
        return -ENOBUFS;
    i = post_item(c);
    if (!i)
        return -ENOMEM;
    *i = (struct item){0};
    memcpy(i->envelope, envelope, ENVELOPE_BYTES);
    i->post.bucket = bucket;
    i->post.envelope = i->envelope;
    i->post_done = done;
    i->session = session;
    i->request = request;
    i->arg = arg;
    i->now_s = clock_wall_s(c->clock);
    c->posts++;
    enqueue(c, i);
    return 0;
}

int commit_run(struct commit *c, commit_work *work, void *job, commit_work_done *done,
               void *arg)
{
    struct item *i;

    if (c->stopping)
        return -ESHUTDOWN;
    if (c->jobs >= COMMIT_JOBS_MAX)
        return -ENOBUFS;
    i = mem_zalloc(sizeof *i);
    if (!i)
        return -ENOMEM;
    i->work = work;
    i->work_done = done;
    i->job = job;
    i->arg = arg;
    c->jobs++;
    enqueue(c, i);
    return 0;
}

size_t commit_waiting(const struct commit *c)
{
    return c->posts + c->jobs;
}

/* ---- thread ----------------------------------------------------------------------- */

/* One job, or the posts up to the next job: order of arrival is the order on disk. */
static void take_batch(struct commit *c, struct list *batch, size_t *posts)
{
    struct item *i = c->queue.first;

    *posts = 0;
    list_init(batch);
    do {
        c->queue.first = i->next;
        *posts += i->work == NULL;
        list_add(batch, i);
        i = c->queue.first;
    } while (i && !batch->first->work && !i->work && *posts < COMMIT_GROUP_MAX);
    if (!c->queue.first)
        list_init(&c->queue);
}

static void write_posts(struct commit *c, struct list *batch, size_t n)
{
    uint64_t now_s = 0;
    size_t at = 0;
    int rc;

    for (struct item *i = batch->first; i; i = i->next) {
        c->group[at++] = i->post;
        now_s = i->now_s;
    }
    rc = store_append(c->store, c->group, n, now_s);
    at = 0;
    for (struct item *i = batch->first; i; i = i->next, at++) {
        i->rc = rc;
        i->post = c->group[at];
    }
}

/* While this thread writes one batch, the next one gathers in the queue. */
static void write_batches(void *arg)
{
    struct commit *c = arg;
    struct list batch;
    size_t posts;

    uv_mutex_lock(&c->lock);
    for (;;) {
        while (!c->queue.first && !c->ending)
            uv_cond_wait(&c->wake, &c->lock);
        if (!c->queue.first)
            break;
        take_batch(c, &batch, &posts);
        uv_mutex_unlock(&c->lock);
        if (posts)
            write_posts(c, &batch, posts);
        else
            batch.first->rc = batch.first->work(c->store, batch.first->job);
        uv_mutex_lock(&c->lock);
        list_move(&c->done, &batch);
        uv_async_send(&c->written);
    }
    c->ended = true;
    if (!c->mute)
        uv_async_send(&c->written);
    uv_mutex_unlock(&c->lock);
}

/* ---- loop: out -------------------------------------------------------------------- */

static void item_free(struct commit *c, struct item *i)
{
    if (i->work || c->spares_count >= SPARES_MAX) {
        mem_free(i);
        return;
    }
    i->next = c->spares;
    c->spares = i;
    c->spares_count++;
}

static void finish_item(struct commit *c, struct item *i, bool grew[STORE_BUCKETS_MAX])
{
    if (i->work) {
        c->jobs--;
        i->work_done(i->rc, i->job, i->arg);
    } else {
        c->posts--;
        if (!i->rc)
            grew[i->post.bucket] = true;
        i->post_done(i->rc, i->post.seq, i->post.head, i->session, i->request, i->arg);
    }
    item_free(c, i);
}

static void on_closed(uv_handle_t *h)
{
    struct commit *c = h->data;

    c->stopped(c->stopped_arg);
}

static void on_written(uv_async_t *a)
{
    struct commit *c = a->data;
    bool grew[STORE_BUCKETS_MAX] = {false};
    struct list done;
    bool ended;

    list_init(&done);
    uv_mutex_lock(&c->lock);
    list_move(&done, &c->done);
    ended = c->ended;
    uv_mutex_unlock(&c->lock);

    for (struct item *next, *i = done.first; i; i = next) {
        next = i->next;
        finish_item(c, i, grew);
    }
    for (uint32_t b = 0; b < STORE_BUCKETS_MAX; b++)
        if (grew[b] && c->grown)
            c->grown(b, c->grown_arg);
    if (ended && !uv_is_closing((uv_handle_t *)&c->written)) {
        uv_thread_join(&c->thread);
        uv_close((uv_handle_t *)&c->written, on_closed);
    }
}

/* ---- start and stop --------------------------------------------------------------- */

static void end_thread(struct commit *c, bool mute)
{
    uv_mutex_lock(&c->lock);
    c->ending = true;
    c->mute = mute;
    uv_cond_signal(&c->wake);
    uv_mutex_unlock(&c->lock);
}

/* The thread first, since it can be taken back at once; an async needs a turn of the
 * loop. */
static int start_thread(uv_loop_t *loop, struct commit *c)
{
    int rc = uv_mutex_init(&c->lock);

    if (rc)
        return rc;
    rc = uv_cond_init(&c->wake);
    if (rc)
        goto no_cond;
    rc = seam_check(SEAM_THREAD);
    if (!rc)
        rc = uv_thread_create(&c->thread, write_batches, c);
    if (rc)
        goto no_thread;
    c->written.data = c;
    rc = uv_async_init(loop, &c->written, on_written);
    if (!rc)
        return 0;
    end_thread(c, true);
    uv_thread_join(&c->thread);
no_thread:
    uv_cond_destroy(&c->wake);
no_cond:
    uv_mutex_destroy(&c->lock);
    return rc;
}

int commit_start(uv_loop_t *loop, struct store *s, const struct clock *clock,
                 commit_grown *grown, void *grown_arg, struct commit **out)
{
    struct commit *c = mem_zalloc(sizeof *c);
    int rc;

    *out = NULL;
    if (!c)
        return -ENOMEM;
    c->store = s;
    c->clock = clock;
    c->grown = grown;
    c->grown_arg = grown_arg;
    list_init(&c->queue);
    list_init(&c->done);
    rc = start_thread(loop, c);
    if (rc) {
        mem_free(c);
        return rc;
    }
    *out = c;
    return 0;
}

void commit_stop(struct commit *c, void (*stopped)(void *arg), void *arg)
{
    if (c->stopping)
        return;
    c->stopping = true;
    c->stopped = stopped;
    c->stopped_arg = arg;
    end_thread(c, false);
}

void commit_free(struct commit *c)
{
    if (!c)
        return;
    while (c->spares) {
        struct item *i = c->spares;

        c->spares = i->next;
        mem_free(i);
    }
    uv_cond_destroy(&c->wake);
    uv_mutex_destroy(&c->lock);
    mem_free(c);
}
