/* SPDX-License-Identifier: Apache-2.0 */
/* Two people and a relay over a wire that delays, drops, repeats and cuts, with programs
 * that are killed at any moment: each text is shown once, both histories are the same,
 * and what a person is told about delivery is true at every step. */
#include "tests/support/world.h"

#include "lib/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCHEDULES = 1000, STEPS = 120 };

static unsigned schedules(void)
{
    const char *n = getenv("KITH_SCHEDULES");
    unsigned count = n ? (unsigned)strtoul(n, NULL, 10) : SCHEDULES;

    return support_long() ? count * 10 : count;
}

/* ---- what must hold at every step ------------------------------------------------- */

static bool holds_text(const struct world_history *h, const char *text, bool mine)
{
    for (size_t i = 0; i < h->n; i++)
        if (h->list[i].mine == mine && strcmp(h->list[i].text, text) == 0)
            return true;
    return false;
}

/* Nobody is told "delivered" of a text that the other's profile does not hold, nor "sent"
 * of more texts than answers came. */
static void check_truth(struct world_person *from, int64_t conv_from,
                        struct world_person *to, int64_t conv_to)
{
    struct world_history mine = world_history(from, conv_from);
    struct world_history theirs = world_history(to, conv_to);
    size_t sent = 0;

    for (size_t i = 0; i < mine.n; i++) {
        if (!mine.list[i].mine)
            continue;
        sent += mine.list[i].state == MESSAGE_SENT;
        if (mine.list[i].state == MESSAGE_DELIVERED)
            assert_true(holds_text(&theirs, mine.list[i].text, false));
    }
    assert_true(sent <= from->answered);
    for (size_t i = 0; i < theirs.n; i++)
        for (size_t k = i + 1; k < theirs.n; k++)
            assert_true(strcmp(theirs.list[i].text, theirs.list[k].text) != 0);
    world_history_drop(&mine);
    world_history_drop(&theirs);
}

static void check_same(struct world_person *a, int64_t conv_a, struct world_person *b,
                       int64_t conv_b, size_t count)
{
    struct world_history one = world_history(a, conv_a);
    struct world_history two = world_history(b, conv_b);

    assert_int_equal(one.n, count);
    assert_int_equal(two.n, count);
    for (size_t i = 0; i < one.n; i++) {
        assert_string_equal(one.list[i].text, two.list[i].text);
        assert_int_equal(one.list[i].mine, !two.list[i].mine);
        assert_int_equal(one.list[i].mine ? one.list[i].state : two.list[i].state,
                         MESSAGE_DELIVERED);
    }
    world_history_drop(&one);
    world_history_drop(&two);
}

/* Each writer's texts stand in the order written ("a 0001", "a 0002", ...). */
static void check_order(struct world_person *p, int64_t conv)
{
    struct world_history h = world_history(p, conv);
    unsigned last[2] = {0, 0};

    for (size_t i = 0; i < h.n; i++) {
        unsigned n = (unsigned)strtoul(h.list[i].text + 2, NULL, 10);
        assert_true(n > last[h.list[i].mine]);
        last[h.list[i].mine] = n;
    }
    world_history_drop(&h);
}

/* ---- random schedules ------------------------------------------------------------- */

struct run {
    struct world w;
    int64_t conv[2];
    unsigned written[2];
};

static uint32_t roll(struct run *r, uint32_t bound)
{
    return support_random_below(&r->w.random, bound);
}

static void write_one(struct run *r, size_t i)
{
    char text[2600];
    size_t n = (size_t)snprintf(text, sizeof text, "%c %04u ", (char)('a' + i),
                                ++r->written[i]);

    /* Now and then a long one, which is split. */
    if (roll(r, 8) == 0) {
        memset(text + n, 'x', 2500);
        n += 2500;
    }
    text[n] = 0;
    (void)world_send(&r->w.people[i], r->conv[i], text);
}

static void step(struct run *r)
{
    size_t i = roll(r, 2);
    struct world_person *p = &r->w.people[i];
    int rc;

    switch (roll(r, 16)) {
    case 0:
    case 1:
        write_one(r, i);
        break;
    case 2:
    case 3:
    case 4:
        (void)world_take_post(p);
        break;
    case 5:
    case 6:
        (void)world_store_post(p);
        break;
    case 7:
    case 8:
        (void)world_answer_post(p);
        break;
    case 9:
    case 10:
    case 11:
        if (!p->subs_n)
            assert_int_equal(world_subscribe(p), 0);
        else
            (void)world_deliver(p, roll(r, (uint32_t)p->subs_n), 1 + roll(r, 15), &rc);
        break;
    case 12:
        world_pass(&r->w, roll(r, 30 * 1000));
        assert_int_equal(node_tick(p->node), 0);
        break;
    case 13:
        world_cut_posts(p);
        break;
    case 14:
        world_cut_reads(p);
        break;
    default:
        if (roll(r, 3) == 0)
            world_restart(p);
        else
            p->refuse = roll(r, 4) == 0 ? CODE_STORAGE_FULL : 0;
    }
}

static void schedule(uint64_t seed, char *dir)
{
    struct run r = {.written = {0, 0}};

    world_start(&r.w, seed, 2, dir);
    world_link(&r.w, 0, 1, &r.conv[0], &r.conv[1]);
    for (int i = 0; i < STEPS; i++) {
        step(&r);
        if (i % 8 == 0) {
            check_truth(&r.w.people[0], r.conv[0], &r.w.people[1], r.conv[1]);
            check_truth(&r.w.people[1], r.conv[1], &r.w.people[0], r.conv[0]);
        }
    }
    for (size_t i = 0; i < 2; i++) {
        r.w.people[i].refuse = 0;
        world_cut_posts(&r.w.people[i]);
    }
    world_settle(&r.w, 10 * 60 * 1000);
    check_same(&r.w.people[0], r.conv[0], &r.w.people[1], r.conv[1],
               r.written[0] + r.written[1]);
    check_order(&r.w.people[0], r.conv[0]);
    assert_int_equal(world_all_alarms(&r.w.people[0]), 0);
    assert_int_equal(world_all_alarms(&r.w.people[1]), 0);
    world_stop(&r.w);
}

static void two_people__over_a_bad_wire__see_the_same_history_once(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= schedules(); seed++) {
        char *dir = support_dir();
        if (getenv("KITH_SHOW"))
            (void)fprintf(stderr, "seed %u\n", seed);
        schedule(seed, dir);
        support_dir_drop(dir);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_people__over_a_bad_wire__see_the_same_history_once),
    };

    if (secret_start())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
