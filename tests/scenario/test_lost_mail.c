/* SPDX-License-Identifier: Apache-2.0 */
/* Mail that never arrives: swallowed by the relay, or expired before it was read.
 * Somebody is told, and what can be sent again is. */
#include "tests/support/scene.h"

#include "lib/secret.h"

#include <stdlib.h>
#include <string.h>

/* ---- what was never sent on ------------------------------------------------------- */

static void relay__that_swallows_what_it_said_it_stored__is_told_to_both(void **state)
{
    struct scene s;
    struct world_history h;

    (void)state;
    scene_begin(&s, 13);
    world_settle(&s.w, 120 * 1000);
    world_send(s.a, s.ca, "vanishes");
    scene_swallow_next(&s);
    world_send(s.a, s.ca, "arrives");
    scene_post(s.a);
    while (scene_deliver_home(s.b, s.home_b) == 0 && scene_texts(s.b, s.cb) < 7)
        ;
    /* The heads inside the words give the relay away to the reader. */
    assert_int_equal(world_alarms(s.b, ALARM_PEER_LOG), 1);
    scene_accept_all(&s);
    /* The reader's answer says what is missing; it is sent again, and vanishes again. */
    world_pass(&s.w, 61 * 1000);
    scene_post(s.b);
    assert_int_equal(world_subscribe(s.a), 0);
    while (world_alarms(s.a, ALARM_OMITTED) == 0 && s.a->posted < 40) {
        while (scene_deliver_home(s.a, s.home_a) == 0 && s.a->subs_n &&
               s.w.view.logs[s.home_a].count >= s.a->subs[s.a->subs_n - 1].at)
            ;
        h = world_history(s.a, s.ca);
        for (size_t i = 0; i < h.n; i++)
            if (strcmp(h.list[i].text, "vanishes") == 0)
                assert_int_equal(h.list[i].state, MESSAGE_SENT);
        world_history_drop(&h);
        scene_swallow_next(&s);
        world_send(s.a, s.ca, "arrives as well");
        scene_post(s.a);
        while (s.b->subs_n && scene_deliver_home(s.b, s.home_b) == 0 &&
               s.w.view.logs[s.home_b].count >= s.b->subs[s.b->subs_n - 1].at)
            ;
        scene_accept_all(&s);
        world_pass(&s.w, 61 * 1000);
        scene_post(s.b);
        scene_deliver_home(s.a, s.home_a);
    }
    assert_int_equal(world_alarms(s.a, ALARM_OMITTED), 1);
    assert_true(scene_status(s.a).held);
    h = world_history(s.a, s.ca);
    for (size_t i = 0; i < h.n; i++)
        if (strcmp(h.list[i].text, "vanishes") == 0)
            assert_true(h.list[i].state == MESSAGE_SENT && h.list[i].resent == 1);
    world_history_drop(&h);
    scene_end(&s);
}

/* ---- expiry is no lie, and is told ------------------------------------------------ */

static void relay__that_dropped_what_was_not_read__is_told_without_blame(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s, 14);
    world_cut_reads(s.b);
    world_send(s.a, s.ca, "one");
    world_send(s.a, s.ca, "two");
    scene_post(s.a);
    s.w.view.logs[s.home_b].oldest = s.w.view.logs[s.home_b].count + 1;
    (void)world_subscribe(s.b);
    assert_int_equal(world_alarms(s.b, ALARM_EXPIRED_UNREAD), 1);
    assert_false(scene_status(s.b).held);
    /* The reader's next answer reports them missing; they are sent again. */
    world_send(s.a, s.ca, "three");
    world_settle(&s.w, 600 * 1000);
    assert_int_equal(scene_texts(s.b, s.cb), 9);
    scene_end(&s);
}

static void relay__that_says_gap_to_a_slow_reader__is_believed(void **state)
{
    struct scene s;
    struct world_log *l;
    struct msg_gap gap = {0};
    uint8_t noise[ENVELOPE_BYTES];

    (void)state;
    scene_begin(&s, 18);
    l = &s.w.view.logs[s.home_b];
    for (int i = 0; i < 4; i++) {
        assert_int_equal(rand_bytes(noise, sizeof noise), 0);
        (void)world_append(&s.w.view, s.home_b, noise, NULL);
    }
    gap.bucket = s.home_b;
    gap.first = l->count + 1;
    memcpy(gap.head, l->heads[l->count], 32);
    assert_int_equal(node_gap(s.b->node, 0, &gap), 0);
    assert_int_equal(world_alarms(s.b, ALARM_EXPIRED_UNREAD), 1);
    for (size_t i = 0; i < s.b->subs_n; i++)
        if (s.b->subs[i].bucket == s.home_b)
            s.b->subs[i].at = gap.first;
    world_send(s.a, s.ca, "after the gap");
    world_settle(&s.w, 120 * 1000);
    assert_int_equal(scene_texts(s.b, s.cb), 7);
    gap.first = 2; /* backwards is none */
    assert_int_equal(node_gap(s.b->node, 0, &gap), NODE_E_LIE);
    gap.bucket = 9;
    assert_int_equal(node_gap(s.b->node, 0, &gap), NODE_E_NONE);
    scene_end(&s);
}

static void text__of_which_a_part_never_comes__is_shown_as_incomplete(void **state)
{
    const uint64_t day = 24 * 3600 * 1000;
    static char text[3000];
    struct world_history h;
    struct scene s;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    scene_begin(&s, 19);
    world_send(s.a, s.ca, text);
    assert_true(world_take_post(s.a));
    assert_true(world_store_post(s.a));
    assert_true(world_answer_post(s.a));
    scene_swallow_next(&s);
    scene_post(s.a);
    assert_int_equal(scene_deliver_home(s.b, s.home_b), 0);
    assert_int_equal(scene_texts(s.b, s.cb), 6);
    for (int d = 0; d < 16; d++) {
        world_pass(&s.w, day);
        assert_int_equal(node_tick(s.b->node), 0);
    }
    h = world_history(s.b, s.cb);
    assert_int_equal(h.n, 7);
    assert_int_equal(h.list[6].kind, MESSAGE_INCOMPLETE);
    assert_string_equal(h.list[6].text, "");
    world_history_drop(&h);
    scene_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relay__that_swallows_what_it_said_it_stored__is_told_to_both),
        cmocka_unit_test(relay__that_dropped_what_was_not_read__is_told_without_blame),
        cmocka_unit_test(relay__that_says_gap_to_a_slow_reader__is_believed),
        cmocka_unit_test(text__of_which_a_part_never_comes__is_shown_as_incomplete),
    };

    if (secret_start())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
