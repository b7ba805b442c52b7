/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world.h"

#include "lib/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void node_link__makes__a_conversation_of_two_names(void **state)
{
    struct world w;
    struct conversation c;
    int64_t a, b;
    uint8_t one[32], two[32];

    (void)state;
    world_start(&w, 1, 2, NULL);
    world_link(&w, 0, 1, &a, &b);
    assert_int_equal(node_conv(w.people[0].node, a, &c), 0);
    assert_string_equal(c.name, "b");
    assert_false(c.taker);
    assert_true(c.words_ready);
    assert_int_equal(node_conv(w.people[1].node, b, &c), 0);
    assert_string_equal(c.name, "a");
    assert_true(c.taker);
    assert_true(c.words_ready);
    assert_int_equal(node_verify_input(w.people[0].node, a, one), 0);
    assert_int_equal(node_verify_input(w.people[1].node, b, two), 0);
    assert_memory_equal(one, two, 32);
    assert_int_equal(world_all_alarms(&w.people[0]), 0);
    assert_int_equal(world_all_alarms(&w.people[1]), 0);
    world_stop(&w);
}

/* ---- links that come to nothing --------------------------------------------------- */

static enum conv_why why_failed(struct world_person *p, int64_t conv)
{
    struct conversation c;

    assert_int_equal(node_conv(p->node, conv, &c), 0);
    assert_int_equal(c.state, CONV_FAILED);
    return c.why;
}

static void node_link_take__refuses__what_cannot_be_a_link_to_take(void **state)
{
    struct world w;
    int64_t a, b, c;
    char link[LINK_CHARS + 1], bad[LINK_CHARS + 1];

    (void)state;
    world_start(&w, 10, 2, NULL);
    assert_int_equal(node_link_begin(w.people[0].node, 3600, &a), 0);
    world_settle(&w, 10 * 1000);
    assert_int_equal(node_link_text(w.people[0].node, a, link), 0);
    assert_int_equal(node_link_take(w.people[1].node, "hello", 5, &b), NODE_E_LINK_FORM);
    memcpy(bad, link, sizeof bad);
    bad[20] = bad[20] == 'A' ? 'B' : 'A';
    assert_int_equal(node_link_take(w.people[1].node, bad, strlen(bad), &b),
                     NODE_E_LINK_CHECK);
    assert_int_equal(node_link_take(w.people[0].node, link, strlen(link), &b),
                     NODE_E_LINK_OWN);
    assert_int_equal(b, a);
    assert_int_equal(node_link_take(w.people[1].node, link, strlen(link), &b), 0);
    assert_int_equal(node_link_take(w.people[1].node, link, strlen(link), &c),
                     NODE_E_LINK_AGAIN);
    assert_int_equal(c, b);
    world_stop(&w);
}

static void node_link__past_its_last_hour__is_over_on_both_sides(void **state)
{
    struct world w;
    int64_t a, b;
    char link[LINK_CHARS + 1];

    (void)state;
    world_start(&w, 11, 2, NULL);
    assert_int_equal(node_link_begin(w.people[0].node, 3600, &a), 0);
    world_settle(&w, 10 * 1000);
    assert_int_equal(node_link_text(w.people[0].node, a, link), 0);
    world_pass(&w, 3 * 3600 * 1000);
    assert_int_equal(node_link_take(w.people[1].node, link, strlen(link), &b),
                     NODE_E_LINK_EXPIRED);
    world_cut_reads(&w.people[0]);
    world_settle(&w, 70 * 1000);
    assert_int_equal(node_tick(w.people[0].node), 0);
    assert_int_equal(why_failed(&w.people[0], a), CONV_WHY_EXPIRED);
    world_stop(&w);
}

static void node_link__that_somebody_else_took__is_told_to_both(void **state)
{
    struct world w;
    struct conversation conv;
    int64_t a, b, c;
    char link[LINK_CHARS + 1];

    (void)state;
    world_start(&w, 12, 3, NULL);
    assert_int_equal(node_link_begin(w.people[0].node, 3600, &a), 0);
    world_settle(&w, 10 * 1000);
    assert_int_equal(node_link_text(w.people[0].node, a, link), 0);
    assert_int_equal(node_link_take(w.people[1].node, link, strlen(link), &b), 0);
    world_settle(&w, 10 * 1000);
    assert_int_equal(node_link_take(w.people[2].node, link, strlen(link), &c), 0);
    world_settle(&w, 10 * 1000);
    assert_int_equal(why_failed(&w.people[2], c), CONV_WHY_TAKEN);
    world_stop(&w);

    /* Both at once: the log decides, and everybody hears of it. */
    world_start(&w, 13, 3, NULL);
    assert_int_equal(node_link_begin(w.people[0].node, 3600, &a), 0);
    world_settle(&w, 10 * 1000);
    assert_int_equal(node_link_text(w.people[0].node, a, link), 0);
    for (size_t i = 1; i < 3; i++) {
        int rc;
        assert_int_equal(
            node_link_take(w.people[i].node, link, strlen(link), i == 1 ? &b : &c), 0);
        assert_int_equal(world_subscribe(&w.people[i]), 0);
        while (world_deliver(&w.people[i], w.people[i].subs_n - 1, 15, &rc))
            ;
        assert_true(world_take_post(&w.people[i]));
    }
    world_settle(&w, 60 * 1000);
    assert_int_equal(why_failed(&w.people[2], c), CONV_WHY_TAKEN);
    assert_int_equal(world_alarms(&w.people[2], ALARM_SECOND_TAKER), 1);
    assert_int_equal(world_alarms(&w.people[0], ALARM_SECOND_TAKER), 1);
    assert_int_equal(node_conv(w.people[0].node, a, &conv), 0);
    assert_int_equal(conv.state, CONV_LINKED);
    assert_true(conv.second_taker);
    assert_string_equal(conv.name, "b");
    assert_int_equal(node_conv(w.people[1].node, b, &conv), 0);
    assert_int_equal(conv.state, CONV_LINKED);
    world_stop(&w);
}

static void node_link__whose_offer_is_not_there__fails_clearly(void **state)
{
    struct world w;
    int64_t a, b;
    char link[LINK_CHARS + 1];
    uint8_t noise[ENVELOPE_BYTES];

    (void)state;
    world_start(&w, 14, 2, NULL);
    assert_int_equal(node_link_begin(w.people[0].node, 3600, &a), 0);
    world_settle(&w, 10 * 1000);
    assert_int_equal(node_link_text(w.people[0].node, a, link), 0);
    for (uint32_t bucket = BUCKET_MAIL; bucket < WORLD_BUCKETS; bucket++)
        for (uint64_t s = 1; s <= w.view.logs[bucket].count; s++) {
            assert_int_equal(rand_bytes(noise, sizeof noise), 0);
            memcpy(world_envelope(&w.view, bucket, s), noise, sizeof noise);
        }
    for (uint32_t bucket = BUCKET_MAIL; bucket < WORLD_BUCKETS; bucket++)
        world_view_rehash(&w, &w.view, bucket);
    assert_int_equal(node_link_take(w.people[1].node, link, strlen(link), &b), 0);
    (void)world_subscribe(&w.people[1]);
    for (size_t i = w.people[1].subs_n; i-- > 0;) {
        int rc;
        while (i < w.people[1].subs_n && world_deliver(&w.people[1], i, 15, &rc) && !rc)
            ;
    }
    assert_int_equal(why_failed(&w.people[1], b), CONV_WHY_NOT_FOUND);
    world_stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(node_link__makes__a_conversation_of_two_names),
        cmocka_unit_test(node_link_take__refuses__what_cannot_be_a_link_to_take),
        cmocka_unit_test(node_link__past_its_last_hour__is_over_on_both_sides),
        cmocka_unit_test(node_link__that_somebody_else_took__is_told_to_both),
        cmocka_unit_test(node_link__whose_offer_is_not_there__fails_clearly),
    };

    if (secret_start())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
