/* SPDX-License-Identifier: Apache-2.0 */
/* Every commit of a talk fails once, and every one is the last before the program dies:
 * nobody is told something false, nothing is lost, nothing is shown twice. */
#include "tests/support/world.h"

#include "lib/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TEXTS = 3 };

struct talk {
    struct world w;
    int64_t conv[2];
    struct support_fault fault;
};

/* What could not be written was not kept: the person is told and writes it again. */
static void write_text(struct talk *t, size_t i, const char *text)
{
    struct world_person *p = &t->w.people[i];
    int64_t id;
    int rc = node_send(p->node, t->conv[i], text, strlen(text), &id);

    if (rc) {
        assert_int_equal(rc, t->fault.rc);
        assert_int_equal(node_send(p->node, t->conv[i], text, strlen(text), &id), 0);
    }
}

/* After a failure the program dies, or lives on and only connects anew. */
static void go_on(struct talk *t, bool dies)
{
    if (!t->w.failed)
        return;
    t->w.failed = false;
    for (size_t i = 0; i < 2; i++) {
        if (dies) {
            world_restart(&t->w.people[i]);
            continue;
        }
        world_cut_reads(&t->w.people[i]);
        world_cut_posts(&t->w.people[i]);
    }
}

static void check_states(struct talk *t, size_t from)
{
    struct world_history mine = world_history(&t->w.people[from], t->conv[from]);
    struct world_history theirs = world_history(&t->w.people[1 - from],
                                                t->conv[1 - from]);

    for (size_t i = 0; i < mine.n; i++) {
        bool there = false;
        if (mine.list[i].state != MESSAGE_DELIVERED)
            continue;
        for (size_t k = 0; k < theirs.n; k++)
            there = there || strcmp(mine.list[i].text, theirs.list[k].text) == 0;
        assert_true(there);
    }
    world_history_drop(&mine);
    world_history_drop(&theirs);
}

static void check_end(struct talk *t)
{
    struct world_history one = world_history(&t->w.people[0], t->conv[0]);
    struct world_history two = world_history(&t->w.people[1], t->conv[1]);

    assert_int_equal(one.n, 2 * TEXTS);
    assert_int_equal(two.n, 2 * TEXTS);
    for (size_t i = 0; i < one.n; i++) {
        assert_string_equal(one.list[i].text, two.list[i].text);
        assert_true(one.list[i].state == MESSAGE_DELIVERED ||
                    one.list[i].state == MESSAGE_RECEIVED);
    }
    assert_int_equal(world_all_alarms(&t->w.people[0]), 0);
    assert_int_equal(world_all_alarms(&t->w.people[1]), 0);
    world_history_drop(&one);
    world_history_drop(&two);
}

/* True if the fault was met. */
static bool talk_with(enum seam kind, unsigned nth, int rc, bool dies)
{
    static const char *const texts[2][TEXTS] = {{"a1", "a2", "a3"}, {"b1", "b2", "b3"}};
    struct talk t = {.fault = {0}};
    char *dir = support_dir();
    bool fired;

    world_start(&t.w, nth, 2, dir);
    world_link(&t.w, 0, 1, &t.conv[0], &t.conv[1]);
    t.w.may_fail = true;
    support_fail_nth(&t.fault, kind, nth, rc);
    for (int i = 0; i < TEXTS; i++) {
        write_text(&t, 0, texts[0][i]);
        write_text(&t, 1, texts[1][i]);
        world_settle(&t.w, 70 * 1000);
        check_states(&t, 0);
        check_states(&t, 1);
        go_on(&t, dies);
    }
    support_fail_none();
    fired = t.fault.fired;
    t.w.may_fail = false;
    world_settle(&t.w, 300 * 1000);
    check_end(&t);
    world_stop(&t.w);
    support_dir_drop(dir);
    return fired;
}

static void every(enum seam kind, unsigned stride, int rc, unsigned at_least)
{
    for (int dies = 0; dies < 2; dies++) {
        unsigned nth = 1;

        while (talk_with(kind, nth, rc, dies))
            nth += stride;
        assert_true(nth > at_least); /* the fault was met that far */
    }
}

static void node__whose_every_commit_fails_once__keeps_the_truth(void **state)
{
    (void)state;
    every(SEAM_SYNC, 1, -EIO, 30);
}

static void node__whose_disk_is_full_once__keeps_the_truth(void **state)
{
    (void)state;
    every(SEAM_SYNC, 7, -ENOSPC, 30);
}

static void node__that_runs_out_of_memory_once__keeps_the_truth(void **state)
{
    (void)state;
    every(SEAM_ALLOC, 11, -ENOMEM, 100);
}

static void node__without_randomness_once__keeps_the_truth(void **state)
{
    (void)state;
    every(SEAM_RANDOM, 2, -EIO, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(node__whose_every_commit_fails_once__keeps_the_truth),
        cmocka_unit_test(node__whose_disk_is_full_once__keeps_the_truth),
        cmocka_unit_test(node__that_runs_out_of_memory_once__keeps_the_truth),
        cmocka_unit_test(node__without_randomness_once__keeps_the_truth),
    };

    if (secret_start())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
