/* SPDX-License-Identifier: Apache-2.0 */
/* A relay that lies: every lie ends in the right alarm, and an honest relay in none. */
#include "tests/support/world.h"

#include "lib/secret.h"

#include <stdlib.h>
#include <string.h>

struct scene {
    struct world w;
    struct world_person *a, *b;
    int64_t ca, cb;
    uint32_t home_a, home_b; /* buckets */
    char *dir;
};

static uint32_t home_of(struct world_person *p)
{
    struct node_read reads[NODE_READS_MAX];
    size_t n;

    assert_int_equal(node_reads(p->node, reads, &n), 0);
    assert_true(n >= 2);
    return reads[1].bucket;
}

/* Two linked people with some talk behind them. */
static void begin(struct scene *s, uint64_t seed)
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

static void end(struct scene *s)
{
    world_stop(&s->w);
    support_dir_drop(s->dir);
}

static void until_posted(struct scene *s, struct world_person *p)
{
    (void)s;
    while (world_take_post(p))
        ;
    while (world_store_post(p))
        ;
    while (world_answer_post(p))
        ;
}

static struct status status_of(struct world_person *p)
{
    struct status st;

    assert_int_equal(node_status(p->node, &st), 0);
    return st;
}

static size_t texts(struct world_person *p, int64_t conv)
{
    struct world_history h = world_history(p, conv);
    size_t n = h.n;

    world_history_drop(&h);
    return n;
}

static int deliver_home(struct world_person *p, uint32_t home)
{
    int rc = 0;

    for (size_t i = 0; i < p->subs_n; i++)
        if (!p->subs[i].slot && p->subs[i].bucket == home) {
            (void)world_deliver(p, i, 15, &rc);
            return rc;
        }
    return -1;
}

/* ---- the control ---- */

static void relay__that_is_honest__raises_no_alarm(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, 1);
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
    assert_int_equal(texts(s.b, s.cb), 11);
    end(&s);
}

/* ---- on one connection ---- */

static void relay__that_leaves_an_envelope_out__is_found_out(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, 2);
    world_send(s.a, s.ca, "one");
    world_send(s.a, s.ca, "two");
    until_posted(&s, s.a);
    for (size_t i = 0; i < s.b->subs_n; i++)
        if (s.b->subs[i].bucket == s.home_b)
            s.b->subs[i].at++; /* the next one is not shown */
    assert_int_equal(deliver_home(s.b, s.home_b), NODE_E_LIE);
    assert_int_equal(world_alarms(s.b, ALARM_LOG_BROKEN), 1);
    assert_true(status_of(s.b).held);
    assert_int_equal(texts(s.b, s.cb),
                     6); /* nothing of the lie was taken in, nothing lost */
    end(&s);
}

static void relay__that_swaps_two_envelopes__is_found_out(void **state)
{
    struct scene s;
    uint8_t keep[ENVELOPE_BYTES];
    struct world_log *l;

    (void)state;
    begin(&s, 3);
    world_send(s.a, s.ca, "one");
    world_send(s.a, s.ca, "two");
    until_posted(&s, s.a);
    l = &s.w.view.logs[s.home_b];
    memcpy(keep, world_envelope(&s.w.view, s.home_b, l->count), ENVELOPE_BYTES);
    memcpy(world_envelope(&s.w.view, s.home_b, l->count),
           world_envelope(&s.w.view, s.home_b, l->count - 1), ENVELOPE_BYTES);
    memcpy(world_envelope(&s.w.view, s.home_b, l->count - 1), keep, ENVELOPE_BYTES);
    assert_int_equal(deliver_home(s.b, s.home_b), NODE_E_LIE); /* the heads do not fit */
    assert_int_equal(world_alarms(s.b, ALARM_LOG_BROKEN), 1);
    end(&s);
}

static void relay__that_shows_a_wrong_head__is_found_out(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, 4);
    world_send(s.a, s.ca, "one");
    until_posted(&s, s.a);
    s.w.view.logs[s.home_b].heads[s.w.view.logs[s.home_b].count][7] ^= 1;
    assert_int_equal(deliver_home(s.b, s.home_b), NODE_E_LIE);
    assert_int_equal(world_alarms(s.b, ALARM_LOG_BROKEN), 1);
    end(&s);
}

static void relay__that_sends_a_batch_twice__is_found_out(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, 5);
    world_send(s.a, s.ca, "one");
    until_posted(&s, s.a);
    assert_int_equal(deliver_home(s.b, s.home_b), 0);
    for (size_t i = 0; i < s.b->subs_n; i++)
        if (s.b->subs[i].bucket == s.home_b)
            s.b->subs[i].at--;
    assert_int_equal(deliver_home(s.b, s.home_b), NODE_E_LIE);
    assert_int_equal(world_alarms(s.b, ALARM_LOG_BROKEN), 1);
    assert_int_equal(texts(s.b, s.cb), 7);
    end(&s);
}

/* Somebody, not necessarily the relay, posts an old envelope once more: nothing is shown twice,
 * the person is told, and nothing is held. */
static void envelope__posted_a_second_time__is_told_and_shown_once(void **state)
{
    struct scene s;
    uint8_t copy[ENVELOPE_BYTES];

    (void)state;
    begin(&s, 6);
    world_send(s.a, s.ca, "one");
    world_settle(&s.w, 120 * 1000);
    memcpy(copy, world_envelope(&s.w.view, s.home_b, s.w.view.logs[s.home_b].count),
           ENVELOPE_BYTES);
    (void)world_append(&s.w.view, s.home_b, copy, NULL);
    world_settle(&s.w, 120 * 1000);
    assert_int_equal(
        world_alarms(s.b, ALARM_REPLAYED) + world_alarms(s.a, ALARM_REPLAYED), 1);
    assert_false(status_of(s.b).held);
    assert_int_equal(texts(s.b, s.cb), 7);
    end(&s);
}

/* ---- over reconnects ---- */

static void relay__whose_log_ends_earlier_after_a_reconnect__is_found_out(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, 7);
    world_restart(s.b);
    s.w.view.logs[s.home_b].count--;
    assert_int_equal(world_subscribe(s.b), NODE_E_LIE);
    assert_int_equal(world_alarms(s.b, ALARM_LOG_SHORTER), 1);
    assert_true(status_of(s.b).held);
    end(&s);
}

static void relay__that_changed_what_was_read__is_found_out(void **state)
{
    struct scene s;
    int rc = 0;

    (void)state;
    begin(&s, 8);
    world_restart(s.b);
    world_envelope(&s.w.view, s.home_b, 2)[100] ^= 1;
    world_view_rehash(&s.w, &s.w.view, s.home_b);
    rc = world_subscribe(s.b);
    if (!rc)
        rc = deliver_home(s.b, s.home_b);
    assert_int_equal(rc, NODE_E_LIE);
    assert_int_equal(world_alarms(s.b, ALARM_LOG_CHANGED), 1);
    end(&s);
}

static void accept_all(struct scene *s)
{
    for (size_t i = 0; i < 2; i++) {
        struct world_person *p = &s->w.people[i];
        while (world_first_alarm(p, 0))
            assert_int_equal(node_alarm_accept(p->node, world_first_alarm(p, 0)), 0);
    }
}

/* Accepting goes on from the relay's new log; what it lost is sent again as soon as somebody
 * notices that it is missing; nothing is shown twice. */
static void alarm__accepted__resends_what_the_relay_lost(void **state)
{
    struct scene s;
    struct world_history h;

    (void)state;
    begin(&s, 9);
    world_send(s.a, s.ca, "lost at the relay");
    until_posted(&s, s.a);
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
    accept_all(&s);
    world_settle(&s.w, 600 * 1000);
    assert_int_equal(world_alarms(s.b, ALARM_REPLAYED),
                     0); /* read again, as was decided */
    world_send(s.a, s.ca, "and another");
    for (int i = 0; i < 3;
         i++) { /* what a remembers of the log contradicts it once more */
        world_settle(&s.w, 600 * 1000);
        accept_all(&s);
    }
    world_settle(&s.w, 600 * 1000);
    assert_int_equal(texts(s.b, s.cb), 9);
    assert_int_equal(texts(s.a, s.ca), 9);
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
    end(&s);
}

/* ---- different members, different histories ---- */

static void relay__that_shows_two_members_two_logs__is_found_out_when_they_talk(
    void **state)
{
    struct scene s;
    struct world_view fork;
    uint8_t noise[ENVELOPE_BYTES];

    (void)state;
    begin(&s, 10);
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
    assert_true(status_of(s.b).held);
    world_view_drop(&fork);
    end(&s);
}

static void relay__that_shows_another_directory__is_found_out_when_they_talk(void **state)
{
    struct scene s;
    struct world_view fork;
    uint8_t noise[ENVELOPE_BYTES];

    (void)state;
    begin(&s, 11);
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
    end(&s);
}

/* The same, but what the contact saw of the log was not read here yet. */
static void relay__that_shows_another_directory_later__is_found_out_then(void **state)
{
    struct scene s;
    struct world_view fork;
    uint8_t noise[ENVELOPE_BYTES];

    (void)state;
    begin(&s, 17);
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
    end(&s);
}

static void relay__that_swaps_an_envelope_in_one_log__is_found_out(void **state)
{
    struct scene s;
    struct world_view fork;
    struct world_log *l;

    (void)state;
    begin(&s, 12);
    world_view_copy(&fork, &s.w.view);
    s.b->view = &fork;
    s.a->also = &fork;
    s.b->also = &s.w.view;
    world_send(s.a, s.ca, "one");
    until_posted(&s, s.a);
    l = &fork.logs[s.home_b];
    world_envelope(&fork, s.home_b, l->count)[2000] ^= 1; /* the tag stays */
    world_view_rehash(&s.w, &fork, s.home_b);
    world_settle(&s.w, 200 * 1000);
    assert_int_equal(world_alarms(s.b, ALARM_DAMAGED), 1);
    world_send(s.a, s.ca, "two");
    world_settle(&s.w, 200 * 1000);
    assert_true(world_alarms(s.b, ALARM_PEER_LOG) >= 1);
    world_view_drop(&fork);
    end(&s);
}

/* ---- what was never sent on ---- */

/* Post the next envelope to a log that nobody reads: the answer comes, the envelope does not. */
static void swallow_next(struct scene *s)
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

static void relay__that_swallows_what_it_said_it_stored__is_told_to_both(void **state)
{
    struct scene s;
    struct world_history h;

    (void)state;
    begin(&s, 13);
    world_settle(&s.w, 120 * 1000);
    world_send(s.a, s.ca, "vanishes");
    swallow_next(&s);
    world_send(s.a, s.ca, "arrives");
    until_posted(&s, s.a);
    while (deliver_home(s.b, s.home_b) == 0 && texts(s.b, s.cb) < 7)
        ;
    /* The heads inside the words give the relay away to the reader. */
    assert_int_equal(world_alarms(s.b, ALARM_PEER_LOG), 1);
    accept_all(&s);
    /* The reader's answer says what is missing; it is sent again, and vanishes again. */
    world_pass(&s.w, 61 * 1000);
    until_posted(&s, s.b);
    assert_int_equal(world_subscribe(s.a), 0);
    while (world_alarms(s.a, ALARM_OMITTED) == 0 && s.a->posted < 40) {
        while (deliver_home(s.a, s.home_a) == 0 && s.a->subs_n &&
               s.w.view.logs[s.home_a].count >= s.a->subs[s.a->subs_n - 1].at)
            ;
        h = world_history(s.a, s.ca);
        for (size_t i = 0; i < h.n; i++)
            if (strcmp(h.list[i].text, "vanishes") == 0)
                assert_int_equal(h.list[i].state, MESSAGE_SENT);
        world_history_drop(&h);
        swallow_next(&s);
        world_send(s.a, s.ca, "arrives as well");
        until_posted(&s, s.a);
        while (s.b->subs_n && deliver_home(s.b, s.home_b) == 0 &&
               s.w.view.logs[s.home_b].count >= s.b->subs[s.b->subs_n - 1].at)
            ;
        accept_all(&s);
        world_pass(&s.w, 61 * 1000);
        until_posted(&s, s.b);
        deliver_home(s.a, s.home_a);
    }
    assert_int_equal(world_alarms(s.a, ALARM_OMITTED), 1);
    assert_true(status_of(s.a).held);
    h = world_history(s.a, s.ca);
    for (size_t i = 0; i < h.n; i++)
        if (strcmp(h.list[i].text, "vanishes") == 0)
            assert_true(h.list[i].state == MESSAGE_SENT && h.list[i].resent == 1);
    world_history_drop(&h);
    end(&s);
}

/* ---- expiry is no lie, and is told ---- */

static void relay__that_dropped_what_was_not_read__is_told_without_blame(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, 14);
    world_cut_reads(s.b);
    world_send(s.a, s.ca, "one");
    world_send(s.a, s.ca, "two");
    until_posted(&s, s.a);
    s.w.view.logs[s.home_b].oldest = s.w.view.logs[s.home_b].count + 1;
    (void)world_subscribe(s.b);
    assert_int_equal(world_alarms(s.b, ALARM_EXPIRED_UNREAD), 1);
    assert_false(status_of(s.b).held);
    /* The reader's next answer reports them missing; they are sent again. */
    world_send(s.a, s.ca, "three");
    world_settle(&s.w, 600 * 1000);
    assert_int_equal(texts(s.b, s.cb), 9);
    end(&s);
}

/* ---- descriptors ---- */

static void relay__that_swaps_or_rolls_back_the_descriptor__is_found_out(void **state)
{
    struct scene s;
    uint8_t two[DESCRIPTOR_BYTES_MAX], other[DESCRIPTOR_BYTES_MAX], h2[32], h[32];
    struct msg_hello_result hello = {.version = 1, .descriptor = 1};
    uint32_t from;
    size_t n2, n;

    (void)state;
    begin(&s, 15);
    hello.clock_s = s.w.clock.wall_ms / 1000;
    n2 = world_descriptor(&s.w, 2, s.w.cohort, "Night Owls 2", two, h2);
    assert_int_equal(node_descriptor(s.b->node, (struct bytes){two, n2}), 0);
    assert_int_equal(node_descriptor(s.b->node, (struct bytes){two, n2}), 0);
    assert_string_equal(status_of(s.b).cohort, "Night Owls 2");

    assert_int_equal(node_hello(s.b->node, &hello, &from), NODE_E_LIE);
    assert_int_equal(world_alarms(s.b, ALARM_DESCRIPTOR_OLDER), 1);

    n = world_descriptor(&s.w, 2, s.w.cohort, "Day Larks", other, h);
    assert_int_equal(node_descriptor(s.b->node, (struct bytes){other, n}), NODE_E_LIE);
    assert_int_equal(world_alarms(s.b, ALARM_DESCRIPTOR_OTHER), 1);

    n = world_descriptor(&s.w, 3, s.w.cohort, "Skips one", other, h);
    assert_int_equal(node_descriptor(s.b->node, (struct bytes){other, n}), NODE_E_LIE);
    assert_int_equal(world_alarms(s.b, ALARM_DESCRIPTOR_FORGED), 1);
    assert_true(status_of(s.b).held);
    assert_string_equal(status_of(s.b).cohort, "Night Owls 2");
    end(&s);
}

static void relay__that_shows_two_members_two_descriptors__is_found_out(void **state)
{
    struct scene s;
    uint8_t two[DESCRIPTOR_BYTES_MAX], other[DESCRIPTOR_BYTES_MAX], h[32];
    struct msg_hello_result hello = {.version = 1, .descriptor = 2};
    uint32_t from;
    size_t n;

    (void)state;
    begin(&s, 16);
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
    end(&s);
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
        cmocka_unit_test(alarm__accepted__resends_what_the_relay_lost),
        cmocka_unit_test(
            relay__that_shows_two_members_two_logs__is_found_out_when_they_talk),
        cmocka_unit_test(
            relay__that_shows_another_directory__is_found_out_when_they_talk),
        cmocka_unit_test(relay__that_shows_another_directory_later__is_found_out_then),
        cmocka_unit_test(relay__that_swaps_an_envelope_in_one_log__is_found_out),
        cmocka_unit_test(relay__that_swallows_what_it_said_it_stored__is_told_to_both),
        cmocka_unit_test(relay__that_dropped_what_was_not_read__is_told_without_blame),
        cmocka_unit_test(relay__that_swaps_or_rolls_back_the_descriptor__is_found_out),
        cmocka_unit_test(relay__that_shows_two_members_two_descriptors__is_found_out),
    };

    if (secret_start())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
