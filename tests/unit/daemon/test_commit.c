/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/commit.h"
#include "lib/log.h"
#include "lib/secret.h"
#include "proto/chain.h"
#include "tests/support/support.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 5 };
static const uint8_t cohort[32] = {7};

/* A gate where the store syncs: it counts commits and holds them while it is shut. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool shut, waiting;
    unsigned syncs;
    int sync_rc, write_rc; /* what the next ones fail with */
};

static int gate_hook(enum seam kind, void *arg)
{
    struct gate *g = arg;
    int rc = 0;

    if (kind != SEAM_SYNC && kind != SEAM_WRITE)
        return 0;
    pthread_mutex_lock(&g->lock);
    if (kind == SEAM_WRITE) {
        rc = g->write_rc;
    } else {
        g->syncs++;
        while (g->shut) {
            g->waiting = true;
            pthread_cond_broadcast(&g->changed);
            pthread_cond_wait(&g->changed, &g->lock);
        }
        g->waiting = false;
        rc = g->sync_rc;
    }
    pthread_mutex_unlock(&g->lock);
    return rc;
}

static void gate_set(struct gate *g, bool shut)
{
    pthread_mutex_lock(&g->lock);
    g->shut = shut;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
}

static void gate_fail(struct gate *g, int write_rc, int sync_rc)
{
    pthread_mutex_lock(&g->lock);
    g->write_rc = write_rc;
    g->sync_rc = sync_rc;
    pthread_mutex_unlock(&g->lock);
}

static void gate_await_waiting(struct gate *g)
{
    pthread_mutex_lock(&g->lock);
    while (!g->waiting)
        pthread_cond_wait(&g->changed, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

struct bench {
    uv_loop_t loop;
    struct store *s;
    struct commit *c;
    struct support_clock clock;
    struct gate gate;
    unsigned answers, fulls, brokens, grown[BUCKETS];
    uint32_t next_request;
    uint64_t last_seq[BUCKETS], tail_at_job;
    bool stopped;
};

static void on_grown(uint32_t bucket, void *arg)
{
    struct bench *b = arg;

    b->grown[bucket]++;
}

static void on_stopped(void *arg)
{
    struct bench *b = arg;

    assert_int_equal(commit_waiting(b->c), 0);
    b->stopped = true;
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);

    *state = b;
    pthread_mutex_init(&b->gate.lock, NULL);
    pthread_cond_init(&b->gate.changed, NULL);
    seam_set(gate_hook, &b->gate);
    support_clock_start(&b->clock, 1700000000000);
    assert_int_equal(uv_loop_init(&b->loop), 0);
    assert_int_equal(store_open_mem(cohort, BUCKETS, &b->s), 0);
    assert_int_equal(commit_start(&b->loop, b->s, &b->clock.clock, on_grown, b, &b->c),
                     0);
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;

    gate_set(&b->gate, false);
    commit_stop(b->c, on_stopped, b);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    assert_true(b->stopped);
    commit_free(b->c);
    store_close(b->s);
    assert_int_equal(uv_loop_close(&b->loop), 0);
    seam_set(NULL, NULL);
    pthread_cond_destroy(&b->gate.changed);
    pthread_mutex_destroy(&b->gate.lock);
    free(b);
    return 0;
}

/* Requests are numbered as they are posted and must be answered in that order. */
static void on_posted(int rc, uint64_t seq, const uint8_t head[HASH_BYTES],
                      uint64_t session, uint32_t request, void *arg)
{
    struct bench *b = arg;
    uint8_t want[HASH_BYTES];
    uint32_t bucket = (uint32_t)session;

    assert_int_equal(request, b->answers);
    b->answers++;
    b->fulls += rc == STORE_E_FULL;
    b->brokens += rc == STORE_E_BROKEN;
    if (rc)
        return;
    assert_int_equal(seq, b->last_seq[bucket] + 1);
    b->last_seq[bucket] = seq;
    assert_int_equal(store_head_before(b->s, bucket, seq + 1, want), 0);
    assert_memory_equal(head, want, HASH_BYTES);
}

static int post(struct bench *b, uint32_t bucket)
{
    uint8_t envelope[ENVELOPE_BYTES];
    int rc;

    memset(envelope, (int)b->next_request, sizeof envelope);
    le_put(envelope, b->next_request, 4);
    rc = commit_post(b->c, bucket, envelope, bucket, b->next_request, on_posted, b);
    b->next_request += rc == 0;
    return rc;
}

static void turn_until_answered(struct bench *b)
{
    while (b->answers < b->next_request)
        uv_run(&b->loop, UV_RUN_ONCE);
}

static void shut_the_gate_on_one_post(struct bench *b)
{
    gate_set(&b->gate, true);
    assert_int_equal(post(b, 0), 0);
    gate_await_waiting(&b->gate);
}

static void commit_post__answers_in_order__with_seq_and_head(void **state)
{
    struct bench *b = *state;
    uint8_t first[ENVELOPE_BYTES], head[HASH_BYTES];
    size_t got;

    for (uint32_t i = 0; i < 500; i++) {
        assert_int_equal(post(b, i % BUCKETS), 0);
        if (i % 7 == 0)
            uv_run(&b->loop, UV_RUN_NOWAIT);
    }
    turn_until_answered(b);
    for (uint32_t bucket = 0; bucket < BUCKETS; bucket++) {
        assert_int_equal(b->last_seq[bucket], 100);
        assert_true(b->grown[bucket] >= 1);
        assert_int_equal(store_range(b->s, bucket, 100, 1, first, &got, head), 0);
        assert_int_equal(le_get(first, 4), 495 + bucket); /* the very envelope, copied */
    }
}

static void commit_post__shares_one_commit__with_all_that_came_meanwhile(void **state)
{
    struct bench *b = *state;

    shut_the_gate_on_one_post(b);
    for (int i = 0; i < 64; i++)
        assert_int_equal(post(b, 1), 0);
    assert_int_equal(commit_waiting(b->c), 65);
    assert_int_equal(b->answers, 0); /* nothing is answered before its sync */
    gate_set(&b->gate, false);
    turn_until_answered(b);
    assert_int_equal(b->gate.syncs, 2);
    assert_int_equal(b->grown[0], 1);
    assert_int_equal(b->grown[1], 1);
    assert_int_equal(b->grown[2], 0);
}

static void commit_post__makes_groups__of_a_thousand_at_most(void **state)
{
    struct bench *b = *state;

    shut_the_gate_on_one_post(b);
    for (int i = 0; i < 2 * COMMIT_GROUP_MAX + 10; i++)
        assert_int_equal(post(b, 1), 0);
    gate_set(&b->gate, false);
    turn_until_answered(b);
    assert_int_equal(b->gate.syncs, 1 + 3);
    assert_int_equal(b->last_seq[1], 2 * COMMIT_GROUP_MAX + 10);
}

static void commit_post__refuses__when_the_queue_is_full(void **state)
{
    struct bench *b = *state;

    shut_the_gate_on_one_post(b);
    for (int i = 1; i < COMMIT_QUEUE_MAX; i++)
        assert_int_equal(post(b, 2), 0);
    assert_int_equal(post(b, 2), -ENOBUFS);
    gate_set(&b->gate, false);
    turn_until_answered(b);
    assert_int_equal(b->answers, COMMIT_QUEUE_MAX);
    assert_int_equal(post(b, 2), 0);
    turn_until_answered(b);
}

static void commit_post__refuses__a_bucket_that_is_not_there(void **state)
{
    struct bench *b = *state;

    assert_int_equal(post(b, BUCKETS), -EINVAL);
    assert_int_equal(post(b, UINT32_MAX), -EINVAL);
    assert_int_equal(post(b, BUCKETS - 1), 0);
    turn_until_answered(b);
}

static void commit_post__tells_each_of_a_group__that_the_disk_is_full(void **state)
{
    struct bench *b = *state;

    shut_the_gate_on_one_post(b);
    for (int i = 0; i < 10; i++)
        assert_int_equal(post(b, 1), 0);
    gate_fail(&b->gate, -ENOSPC, 0);
    gate_set(&b->gate, false);
    turn_until_answered(b);
    assert_int_equal(b->fulls, 10);
    assert_int_equal(b->grown[1], 0);
    gate_fail(&b->gate, 0, 0);
    assert_int_equal(post(b, 1), 0);
    turn_until_answered(b);
    assert_int_equal(b->fulls, 10);
    assert_int_equal(b->last_seq[1], 1);
}

static void commit_post__tells_all__that_the_store_is_broken(void **state)
{
    struct bench *b = *state;

    shut_the_gate_on_one_post(b);
    for (int i = 0; i < 10; i++)
        assert_int_equal(post(b, 1), 0);
    gate_fail(&b->gate, 0, -EIO);
    gate_set(&b->gate, false);
    turn_until_answered(b);
    assert_int_equal(b->brokens, 11);
    gate_fail(&b->gate, 0, 0);
    assert_int_equal(post(b, 1), 0);
    turn_until_answered(b);
    assert_int_equal(b->brokens, 12);
}

static int look_at_tail(struct store *s, void *job)
{
    struct store_tail tail;
    uint64_t *next = job;

    assert_int_equal(store_tail(s, 1, &tail), 0);
    *next = tail.next;
    return 42;
}

static void on_looked(int rc, void *job, void *arg)
{
    struct bench *b = arg;

    assert_int_equal(rc, 42);
    assert_ptr_equal(job, &b->tail_at_job);
    assert_int_equal(b->answers, 1 + 10); /* those before it, and none after */
}

static void commit_run__comes_between__the_posts_before_and_after_it(void **state)
{
    struct bench *b = *state;

    shut_the_gate_on_one_post(b);
    for (int i = 0; i < 10; i++)
        assert_int_equal(post(b, 1), 0);
    assert_int_equal(commit_run(b->c, look_at_tail, &b->tail_at_job, on_looked, b), 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(post(b, 1), 0);
    gate_set(&b->gate, false);
    turn_until_answered(b);
    assert_int_equal(b->tail_at_job, 11);
    assert_int_equal(b->gate.syncs, 3);
}

static int nothing(struct store *s, void *job)
{
    (void)s;
    (void)job;
    return 0;
}

static void on_nothing(int rc, void *job, void *arg)
{
    unsigned *ran = arg;

    (void)rc;
    (void)job;
    ++*ran;
}

static void commit_run__refuses__when_too_many_wait(void **state)
{
    struct bench *b = *state;
    unsigned ran = 0;

    shut_the_gate_on_one_post(b);
    for (int i = 0; i < COMMIT_JOBS_MAX; i++)
        assert_int_equal(commit_run(b->c, nothing, NULL, on_nothing, &ran), 0);
    assert_int_equal(commit_run(b->c, nothing, NULL, on_nothing, &ran), -ENOBUFS);
    assert_int_equal(post(b, 1), 0); /* posts are counted apart */
    gate_set(&b->gate, false);
    turn_until_answered(b);
    assert_int_equal(ran, COMMIT_JOBS_MAX);
}

static void commit_stop__answers_what_waits__and_takes_nothing_more(void **state)
{
    struct bench *b = *state;
    unsigned ran = 0;

    shut_the_gate_on_one_post(b);
    for (int i = 0; i < 1500; i++)
        assert_int_equal(post(b, 3), 0);
    commit_stop(b->c, on_stopped, b);
    assert_int_equal(post(b, 3), -ESHUTDOWN);
    assert_int_equal(commit_run(b->c, nothing, NULL, on_nothing, &ran), -ESHUTDOWN);
    assert_false(b->stopped);
    gate_set(&b->gate, false);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    assert_true(b->stopped);
    assert_int_equal(b->answers, 1501);
    assert_int_equal(b->last_seq[3], 1500);
}

static void commit_start__leaves_nothing_behind__when_it_fails(void **state)
{
    struct support_clock clock;
    struct support_fault fault;
    struct commit *c;
    struct store *s;
    uv_loop_t loop;

    (void)state;
    support_clock_start(&clock, 0);
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(store_open_mem(cohort, BUCKETS, &s), 0);
    support_fail_nth(&fault, SEAM_THREAD, 1, -EAGAIN);
    assert_int_equal(commit_start(&loop, s, &clock.clock, NULL, NULL, &c), -EAGAIN);
    assert_null(c);
    support_fail_nth(&fault, SEAM_ALLOC, 1, -ENOMEM);
    assert_int_equal(commit_start(&loop, s, &clock.clock, NULL, NULL, &c), -ENOMEM);
    support_fail_none();
    assert_int_equal(uv_loop_close(&loop), 0);
    store_close(s);
    commit_free(NULL);
}

static void drop_line(enum log_level level, const char *line, void *arg)
{
    (void)level;
    (void)line;
    (void)arg;
}

#define CLAIM(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest claims[] = {
        CLAIM(commit_post__answers_in_order__with_seq_and_head),
        CLAIM(commit_post__shares_one_commit__with_all_that_came_meanwhile),
        CLAIM(commit_post__makes_groups__of_a_thousand_at_most),
        CLAIM(commit_post__refuses__when_the_queue_is_full),
        CLAIM(commit_post__refuses__a_bucket_that_is_not_there),
        CLAIM(commit_post__tells_each_of_a_group__that_the_disk_is_full),
        CLAIM(commit_post__tells_all__that_the_store_is_broken),
        CLAIM(commit_run__comes_between__the_posts_before_and_after_it),
        CLAIM(commit_run__refuses__when_too_many_wait),
        CLAIM(commit_stop__answers_what_waits__and_takes_nothing_more),
        cmocka_unit_test(commit_start__leaves_nothing_behind__when_it_fails),
    };

    if (secret_start())
        return 1;
    log_set_sink(drop_line, NULL);
    return cmocka_run_group_tests_name("commit", claims, NULL, NULL);
}
