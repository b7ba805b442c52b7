/* SPDX-License-Identifier: Apache-2.0 */
/* A relay that lies: every lie ends in the right alarm, and an honest relay in none. */
#include "tests/support/scene.h"

#include "lib/secret.h"

#include <stdlib.h>
#include <string.h>

/* ---- the control ------------------------------------------------------------------ */

static void relay__that_is_honest__raises_no_alarm(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s, 1);
    for (int i = 0; i < 5; i++) {
        world_send(s.a, s.ca, "one");
        world_settle(&s.w, 120 * 1000);
        world_restart(s.a);
        world_restart(s.b);
        world_cut_reads(s.a);
    }
    world_settle(&s.w, 120 * 1000);
    assert_int_equal(world_all_alarms(s.a), 0);
    assert_int_equal(world_all_alarms(s.b), 0);
    assert_int_equal(scene_texts(s.b, s.cb), 11);
    scene_end(&s);
}

/* ---- on one connection ------------------------------------------------------------ */

static void relay__that_leaves_an_envelope_out__is_found_out(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s, 2);
    world_send(s.a, s.ca, "one");
    world_send(s.a, s.ca, "two");
    scene_post(s.a);
    for (size_t i = 0; i < s.b->subs_n; i++)
        if (s.b->subs[i].bucket == s.home_b)
            s.b->subs[i].at++; /* the next one is not shown */
    assert_int_equal(scene_deliver_home(s.b, s.home_b), NODE_E_LIE);
    assert_int_equal(world_alarms(s.b, ALARM_LOG_BROKEN), 1);
    assert_true(scene_status(s.b).held);
    assert_int_equal(scene_texts(s.b, s.cb),
                     6); /* nothing of the lie was taken in, nothing lost */
    scene_end(&s);
}

static void relay__that_swaps_two_envelopes__is_found_out(void **state)
{
    struct scene s;
    uint8_t keep[ENVELOPE_BYTES];
    struct world_log *l;

    (void)state;
    scene_begin(&s, 3);
    world_send(s.a, s.ca, "one");
    world_send(s.a, s.ca, "two");
    scene_post(s.a);
    l = &s.w.view.logs[s.home_b];
    memcpy(keep, world_envelope(&s.w.view, s.home_b, l->count), ENVELOPE_BYTES);
    memcpy(world_envelope(&s.w.view, s.home_b, l->count),
           world_envelope(&s.w.view, s.home_b, l->count - 1), ENVELOPE_BYTES);
    memcpy(world_envelope(&s.w.view, s.home_b, l->count - 1), keep, ENVELOPE_BYTES);
    assert_int_equal(scene_deliver_home(s.b, s.home_b),
                     NODE_E_LIE); /* the heads do not fit */
    assert_int_equal(world_alarms(s.b, ALARM_LOG_BROKEN), 1);
    scene_end(&s);
}

static void relay__that_shows_a_wrong_head__is_found_out(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s, 4);
    world_send(s.a, s.ca, "one");
    scene_post(s.a);
    s.w.view.logs[s.home_b].heads[s.w.view.logs[s.home_b].count][7] ^= 1;
    assert_int_equal(scene_deliver_home(s.b, s.home_b), NODE_E_LIE);
    assert_int_equal(world_alarms(s.b, ALARM_LOG_BROKEN), 1);
    scene_end(&s);
}

static void relay__that_sends_a_batch_twice__is_found_out(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s, 5);
    world_send(s.a, s.ca, "one");
    scene_post(s.a);
    assert_int_equal(scene_deliver_home(s.b, s.home_b), 0);
    for (size_t i = 0; i < s.b->subs_n; i++)
        if (s.b->subs[i].bucket == s.home_b)
            s.b->subs[i].at--;
    assert_int_equal(scene_deliver_home(s.b, s.home_b), NODE_E_LIE);
    assert_int_equal(world_alarms(s.b, ALARM_LOG_BROKEN), 1);
    assert_int_equal(scene_texts(s.b, s.cb), 7);
    scene_end(&s);
}

/* Somebody, not necessarily the relay, posts an old envelope once more: nothing is shown
 * twice, the person is told, and nothing is held. */
static void envelope__posted_a_second_time__is_told_and_shown_once(void **state)
{
    struct scene s;
    uint8_t copy[ENVELOPE_BYTES];

    (void)state;
    scene_begin(&s, 6);
    world_send(s.a, s.ca, "one");
    world_settle(&s.w, 120 * 1000);
    memcpy(copy, world_envelope(&s.w.view, s.home_b, s.w.view.logs[s.home_b].count),
           ENVELOPE_BYTES);
    (void)world_append(&s.w.view, s.home_b, copy, NULL);
    world_settle(&s.w, 120 * 1000);
    assert_int_equal(
        world_alarms(s.b, ALARM_REPLAYED) + world_alarms(s.a, ALARM_REPLAYED), 1);
    assert_false(scene_status(s.b).held);
    assert_int_equal(scene_texts(s.b, s.cb), 7);
    scene_end(&s);
}

/* ---- over reconnects -------------------------------------------------------------- */

static void relay__whose_log_ends_earlier_after_a_reconnect__is_found_out(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s, 7);
    world_restart(s.b);
    s.w.view.logs[s.home_b].count--;
    assert_int_equal(world_subscribe(s.b), NODE_E_LIE);
    assert_int_equal(world_alarms(s.b, ALARM_LOG_SHORTER), 1);
    assert_true(scene_status(s.b).held);
    scene_end(&s);
}

static void relay__that_changed_what_was_read__is_found_out(void **state)
{
    struct scene s;
    int rc = 0;

    (void)state;
    scene_begin(&s, 8);
    world_restart(s.b);
    world_envelope(&s.w.view, s.home_b, 2)[100] ^= 1;
    world_view_rehash(&s.w, &s.w.view, s.home_b);
    rc = world_subscribe(s.b);
    if (!rc)
        rc = scene_deliver_home(s.b, s.home_b);
    assert_int_equal(rc, NODE_E_LIE);
    assert_int_equal(world_alarms(s.b, ALARM_LOG_CHANGED), 1);
    scene_end(&s);
}

/* Accepting goes on from the relay's new log; what it lost is sent again as soon as
 * somebody notices that it is missing; nothing is shown twice. */
/* A link of a's own goes to the log that a reads.  The relay takes it, and that place of
 * the log holds something else. */
static void post_an_offer(struct scene *s, struct world_view *nowhere)
{
    int64_t conv;

    world_view_copy(nowhere, &s->w.view);
    assert_int_equal(node_link_begin(s->a->node, 3600, &conv), 0);
    s->a->view = nowhere;
    assert_true(world_take_post(s->a));
    assert_true(world_store_post(s->a));
    s->a->view = &s->w.view;
    world_send(s->b, s->cb, "in its place");
    scene_post(s->b);
}

static void relay__that_answers_with_another_head_than_it_shows__is_found_out(
    void **state)
{
    struct scene s;
    struct world_view nowhere;

    (void)state;
    for (int read_first = 0; read_first < 2; read_first++) {
        scene_begin(&s, 20 + (uint64_t)read_first);
        post_an_offer(&s, &nowhere);
        if (!read_first)
            assert_true(world_answer_post(s.a));
        assert_int_equal(world_all_alarms(s.a), 0);
        assert_int_equal(scene_deliver_home(s.a, s.home_a), 0);
        if (read_first)
            assert_true(world_answer_post(s.a));
        assert_int_equal(world_alarms(s.a, ALARM_LOG_CHANGED), 1);
        assert_int_equal(world_all_alarms(s.a), 1);
        /* Nothing goes out; what comes is read on. */
        assert_true(scene_status(s.a).held);
        assert_false(scene_status(s.a).stopped);
        assert_false(world_take_post(s.a));
        world_send(s.b, s.cb, "and after it");
        scene_post(s.b);
        assert_int_equal(scene_deliver_home(s.a, s.home_a), 0);
        assert_int_equal(scene_texts(s.a, s.ca), 8);
        scene_accept_all(&s);
        world_settle(&s.w, 120 * 1000);
        assert_int_equal(world_all_alarms(s.a), 0);
        world_view_drop(&nowhere);
        scene_end(&s);
    }
}

static void alarm__accepted__resends_what_the_relay_lost(void **state)
{
    struct scene s;
    struct world_history h;

    (void)state;
    scene_begin(&s, 9);
    world_send(s.a, s.ca, "lost at the relay");
    scene_post(s.a);
    h = world_history(s.a, s.ca);
    assert_int_equal(h.list[h.n - 1].state, MESSAGE_SENT);
    world_history_drop(&h);
    s.w.view.logs[s.home_b].count -= 2; /* an old copy of the relay's disk */
    world_cut_reads(s.a);
    world_cut_reads(s.b);
    assert_int_equal(world_subscribe(s.b), NODE_E_LIE);
    world_send(s.b, s.cb, "typed while the alarm stands");
    world_settle(&s.w, 120 * 1000);
    h = world_history(s.b, s.cb);
    assert_int_equal(h.list[h.n - 1].state, MESSAGE_QUEUED);
    assert_int_equal(h.list[h.n - 1].why, WHY_ALARM);
    world_history_drop(&h);
    assert_int_equal(node_alarm_accept(s.b->node, 9999), NODE_E_NONE);
    scene_accept_all(&s);
    world_settle(&s.w, 600 * 1000);
    assert_int_equal(world_alarms(s.b, ALARM_REPLAYED),
                     0); /* read again, as was decided */
    world_send(s.a, s.ca, "and another");
    for (int i = 0; i < 3;
         i++) { /* what a remembers of the log contradicts it once more */
        world_settle(&s.w, 600 * 1000);
        scene_accept_all(&s);
    }
    world_settle(&s.w, 600 * 1000);
    assert_int_equal(scene_texts(s.b, s.cb), 9);
    assert_int_equal(scene_texts(s.a, s.ca), 9);
    h = world_history(s.b, s.cb);
    for (size_t i = 0; i < h.n; i++)
        if (h.list[i].mine)
            assert_int_equal(h.list[i].state, MESSAGE_DELIVERED);
    world_history_drop(&h);
    h = world_history(s.a, s.ca);
    for (size_t i = 0; i < h.n; i++)
        if (h.list[i].mine)
            assert_int_equal(h.list[i].state, MESSAGE_DELIVERED);
    world_history_drop(&h);
    scene_end(&s);
}

/* ---- different members, different histories --------------------------------------- */

static void relay__that_forks_its_log__is_found_out_when_they_talk(void **state)
{
    struct scene s;
    struct world_view fork;
    uint8_t noise[ENVELOPE_BYTES];

    (void)state;
    scene_begin(&s, 10);
    world_view_copy(&fork, &s.w.view);
    /* b's log gets an envelope that a's does not have. */
    assert_int_equal(rand_bytes(noise, sizeof noise), 0);
    (void)world_append(&fork, s.home_b, noise, NULL);
    s.b->view = &fork;
    s.a->also = &fork;
    s.b->also = &s.w.view;
    world_send(s.a, s.ca, "first after the fork");
    world_settle(&s.w, 200 * 1000);
    world_send(s.a, s.ca, "second, says what it saw");
    world_settle(&s.w, 200 * 1000);
    assert_true(world_alarms(s.b, ALARM_PEER_LOG) >= 1);
    assert_true(scene_status(s.b).held);
    world_view_drop(&fork);
    scene_end(&s);
}

static void relay__that_shows_another_directory__is_found_out_when_they_talk(void **state)
{
    struct scene s;
    struct world_view fork;
    uint8_t noise[ENVELOPE_BYTES];

    (void)state;
    scene_begin(&s, 11);
    world_view_copy(&fork, &s.w.view);
    assert_int_equal(rand_bytes(noise, sizeof noise), 0);
    (void)world_append(&s.w.view, BUCKET_DIRECTORY, noise, NULL);
    noise[0] ^= 1;
    (void)world_append(&fork, BUCKET_DIRECTORY, noise, NULL);
    s.b->view = &fork;
    s.a->also = &fork;
    s.b->also = &s.w.view;
    world_settle(&s.w, 1000);
    world_send(s.a, s.ca, "what did you see");
    world_settle(&s.w, 200 * 1000);
    assert_true(world_alarms(s.b, ALARM_PEER_LOG) >= 1);
    world_view_drop(&fork);
    scene_end(&s);
}

/* The same, but what the contact saw of the log was not read here yet. */
static void relay__that_shows_another_directory_later__is_found_out_then(void **state)
{
    struct scene s;
    struct world_view fork;
    uint8_t noise[ENVELOPE_BYTES];

    (void)state;
    scene_begin(&s, 17);
    world_view_copy(&fork, &s.w.view);
    s.b->view = &fork;
    s.a->also = &fork;
    s.b->also = &s.w.view;
    assert_int_equal(rand_bytes(noise, sizeof noise), 0);
    (void)world_append(&s.w.view, BUCKET_DIRECTORY, noise, NULL);
    world_settle(&s.w, 1000);
    world_send(s.a, s.ca, "what will you see");
    world_settle(&s.w, 200 * 1000);
    assert_int_equal(world_all_alarms(s.b), 0); /* b is shown less, which may be delay */
    noise[0] ^= 1;
    (void)world_append(&fork, BUCKET_DIRECTORY, noise, NULL);
    world_settle(&s.w, 1000);
    assert_int_equal(world_alarms(s.b, ALARM_PEER_LOG), 1);
    world_view_drop(&fork);
    scene_end(&s);
}

static void relay__that_swaps_an_envelope_in_one_log__is_found_out(void **state)
{
    struct scene s;
    struct world_view fork;
    struct world_log *l;

    (void)state;
    scene_begin(&s, 12);
    world_view_copy(&fork, &s.w.view);
    s.b->view = &fork;
    s.a->also = &fork;
    s.b->also = &s.w.view;
    world_send(s.a, s.ca, "one");
    scene_post(s.a);
    l = &fork.logs[s.home_b];
    world_envelope(&fork, s.home_b, l->count)[2000] ^= 1; /* the tag stays */
    world_view_rehash(&s.w, &fork, s.home_b);
    world_settle(&s.w, 200 * 1000);
    assert_int_equal(world_alarms(s.b, ALARM_DAMAGED), 1);
    world_send(s.a, s.ca, "two");
    world_settle(&s.w, 200 * 1000);
    assert_true(world_alarms(s.b, ALARM_PEER_LOG) >= 1);
    world_view_drop(&fork);
    scene_end(&s);
}

/* ---- descriptors ------------------------------------------------------------------ */

static void relay__that_swaps_or_rolls_back_the_descriptor__is_found_out(void **state)
{
    struct scene s;
    uint8_t two[DESCRIPTOR_BYTES_MAX], other[DESCRIPTOR_BYTES_MAX], h2[32], h[32];
    struct msg_hello_result hello = {.version = 1, .descriptor = 1};
    uint32_t from;
    size_t n2, n;

    (void)state;
    scene_begin(&s, 15);
    hello.clock_s = s.w.clock.wall_ms / 1000;
    n2 = world_descriptor(&s.w, 2, s.w.cohort, "Night Owls 2", two, h2);
    assert_int_equal(node_descriptor(s.b->node, (struct bytes){two, n2}), 0);
    assert_int_equal(node_descriptor(s.b->node, (struct bytes){two, n2}), 0);
    assert_string_equal(scene_status(s.b).cohort, "Night Owls 2");

    assert_int_equal(node_hello(s.b->node, &hello, &from), NODE_E_LIE);
    assert_int_equal(world_alarms(s.b, ALARM_DESCRIPTOR_OLDER), 1);

    n = world_descriptor(&s.w, 2, s.w.cohort, "Day Larks", other, h);
    assert_int_equal(node_descriptor(s.b->node, (struct bytes){other, n}), NODE_E_LIE);
    assert_int_equal(world_alarms(s.b, ALARM_DESCRIPTOR_OTHER), 1);

    n = world_descriptor(&s.w, 3, s.w.cohort, "Skips one", other, h);
    assert_int_equal(node_descriptor(s.b->node, (struct bytes){other, n}), NODE_E_LIE);
    assert_int_equal(world_alarms(s.b, ALARM_DESCRIPTOR_FORGED), 1);
    assert_true(scene_status(s.b).held);
    assert_string_equal(scene_status(s.b).cohort, "Night Owls 2");
    scene_end(&s);
}

static void relay__that_shows_two_members_two_descriptors__is_found_out(void **state)
{
    struct scene s;
    uint8_t two[DESCRIPTOR_BYTES_MAX], other[DESCRIPTOR_BYTES_MAX], h[32];
    struct msg_hello_result hello = {.version = 1, .descriptor = 2};
    uint32_t from;
    size_t n;

    (void)state;
    scene_begin(&s, 16);
    n = world_descriptor(&s.w, 2, s.w.cohort, "Owls", two, h);
    assert_int_equal(node_descriptor(s.a->node, (struct bytes){two, n}), 0);
    n = world_descriptor(&s.w, 2, s.w.cohort, "Larks", other, h);
    assert_int_equal(node_descriptor(s.b->node, (struct bytes){other, n}), 0);
    world_send(s.a, s.ca, "hello");
    world_settle(&s.w, 120 * 1000);
    assert_int_equal(world_all_alarms(s.b), 0); /* a may simply be ahead */
    hello.clock_s = s.w.clock.wall_ms / 1000;
    assert_int_equal(node_hello(s.b->node, &hello, &from), 0);
    assert_int_equal(world_alarms(s.b, ALARM_DESCRIPTOR_OTHER), 1);
    scene_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relay__that_is_honest__raises_no_alarm),
        cmocka_unit_test(relay__that_leaves_an_envelope_out__is_found_out),
        cmocka_unit_test(relay__that_swaps_two_envelopes__is_found_out),
        cmocka_unit_test(relay__that_shows_a_wrong_head__is_found_out),
        cmocka_unit_test(relay__that_sends_a_batch_twice__is_found_out),
        cmocka_unit_test(envelope__posted_a_second_time__is_told_and_shown_once),
        cmocka_unit_test(relay__whose_log_ends_earlier_after_a_reconnect__is_found_out),
        cmocka_unit_test(relay__that_changed_what_was_read__is_found_out),
        cmocka_unit_test(
            relay__that_answers_with_another_head_than_it_shows__is_found_out),
        cmocka_unit_test(alarm__accepted__resends_what_the_relay_lost),
        cmocka_unit_test(relay__that_forks_its_log__is_found_out_when_they_talk),
        cmocka_unit_test(
            relay__that_shows_another_directory__is_found_out_when_they_talk),
        cmocka_unit_test(relay__that_shows_another_directory_later__is_found_out_then),
        cmocka_unit_test(relay__that_swaps_an_envelope_in_one_log__is_found_out),
        cmocka_unit_test(relay__that_swaps_or_rolls_back_the_descriptor__is_found_out),
        cmocka_unit_test(relay__that_shows_two_members_two_descriptors__is_found_out),
    };

    if (secret_start())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
