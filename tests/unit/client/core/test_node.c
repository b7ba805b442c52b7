/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world.h"

#include "lib/secret.h"

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

static void node_send__is_queued_sent_delivered__and_read_by_the_other(void **state)
{
    struct world w;
    struct world_history h;
    int64_t a, b;

    (void)state;
    world_start(&w, 2, 2, NULL);
    world_link(&w, 0, 1, &a, &b);
    world_settle(&w, 120 * 1000);
    world_send(&w.people[0], a, "hello there");
    h = world_history(&w.people[0], a);
    assert_int_equal(h.n, 1);
    assert_int_equal(h.list[0].state, MESSAGE_QUEUED);
    world_history_drop(&h);
    while (world_take_post(&w.people[0]))
        ;
    while (world_store_post(&w.people[0]))
        ;
    h = world_history(&w.people[0], a);
    assert_int_equal(h.list[0].state, MESSAGE_QUEUED); /* stored, and we do not know it yet */
    world_history_drop(&h);
    while (world_answer_post(&w.people[0]))
        ;
    h = world_history(&w.people[0], a);
    assert_int_equal(h.list[0].state, MESSAGE_SENT);
    world_history_drop(&h);
    world_settle(&w, 120 * 1000);
    h = world_history(&w.people[0], a);
    assert_int_equal(h.list[0].state, MESSAGE_DELIVERED);
    world_history_drop(&h);
    h = world_history(&w.people[1], b);
    assert_int_equal(h.n, 1);
    assert_string_equal(h.list[0].text, "hello there");
    assert_int_equal(h.list[0].state, MESSAGE_RECEIVED);
    world_history_drop(&h);
    world_stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(node_link__makes__a_conversation_of_two_names),
        cmocka_unit_test(node_send__is_queued_sent_delivered__and_read_by_the_other),
    };

    if (secret_start())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
