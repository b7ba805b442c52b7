/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/scene.h"

static uint32_t home_of(struct world_person *p)
{
    struct node_read reads[NODE_READS_MAX];
    size_t n;

    assert_int_equal(node_reads(p->node, reads, &n), 0);
    assert_true(n >= 2);
    return reads[2].bucket; /* after directory and knocks */
}

/* Two linked people with some talk behind them. */
void scene_begin(struct scene *s, uint64_t seed)
{
    s->dir = support_dir();
    world_start(&s->w, seed, 2, s->dir);
    s->a = &s->w.people[0];
    s->b = &s->w.people[1];
    world_link(&s->w, 0, 1, &s->ca, &s->cb);
    for (int i = 0; i < 3; i++) {
        world_send(s->a, s->ca, "are you there");
        world_send(s->b, s->cb, "yes I am");
        world_settle(&s->w, 120 * 1000);
    }
    s->home_a = home_of(s->a);
    s->home_b = home_of(s->b);
}

void scene_end(struct scene *s)
{
    world_stop(&s->w);
    support_dir_drop(s->dir);
}

void scene_post(struct world_person *p)
{
    while (world_take_post(p))
        ;
    while (world_store_post(p))
        ;
    while (world_answer_post(p))
        ;
}

struct status scene_status(struct world_person *p)
{
    struct status st;

    assert_int_equal(node_status(p->node, &st), 0);
    return st;
}

size_t scene_texts(struct world_person *p, int64_t conv)
{
    struct world_history h = world_history(p, conv);
    size_t n = h.n;

    world_history_drop(&h);
    return n;
}

int scene_deliver_home(struct world_person *p, uint32_t home)
{
    int rc = 0;

    for (size_t i = 0; i < p->subs_n; i++)
        if (!p->subs[i].slot && p->subs[i].bucket == home) {
            (void)world_deliver(p, i, 15, &rc);
            return rc;
        }
    return -1;
}

void scene_accept_all(struct scene *s)
{
    for (size_t i = 0; i < 2; i++) {
        struct world_person *p = &s->w.people[i];
        while (world_first_alarm(p, 0))
            assert_int_equal(node_alarm_accept(p->node, world_first_alarm(p, 0)), 0);
    }
}

/* Post the next envelope to a log that nobody reads: the answer comes, the envelope does
 * not. */
void scene_swallow_next(struct scene *s)
{
    struct world_view nowhere;

    world_view_copy(&nowhere, &s->w.view);
    s->a->view = &nowhere;
    assert_true(world_take_post(s->a));
    assert_true(world_store_post(s->a));
    assert_true(world_answer_post(s->a));
    s->a->view = &s->w.view;
    world_view_drop(&nowhere);
}
