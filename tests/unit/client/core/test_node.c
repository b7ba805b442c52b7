/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world.h"

#include "lib/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    assert_int_equal(h.list[0].state,
                     MESSAGE_QUEUED); /* stored, and we do not know it yet */
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

/* ---- words ------------------------------------------------------------------------ */

static void node_send__of_a_long_text__arrives_whole(void **state)
{
    static const char piece[] = "\xc3\xa4rger und stille, ";
    struct world w;
    struct world_history h;
    int64_t a, b, id;
    size_t n = 0;
    char *text = malloc(TEXT_BYTES_MAX + 2);

    (void)state;
    assert_non_null(text);
    while (n + sizeof piece < 20000) {
        memcpy(text + n, piece, sizeof piece);
        n += sizeof piece - 1;
    }
    world_start(&w, 3, 2, NULL);
    world_link(&w, 0, 1, &a, &b);
    world_send(&w.people[0], a, text);
    world_settle(&w, 120 * 1000);
    h = world_history(&w.people[1], b);
    assert_int_equal(h.n, 1);
    assert_string_equal(h.list[0].text, text);
    world_history_drop(&h);
    h = world_history(&w.people[0], a);
    assert_int_equal(h.list[0].state, MESSAGE_DELIVERED);
    world_history_drop(&h);
    assert_int_equal(node_send(w.people[0].node, a, "", 0, &id), NODE_E_TEXT);
    assert_int_equal(node_send(w.people[0].node, a, "\xff", 1, &id), NODE_E_TEXT);
    memset(text, 'x', TEXT_BYTES_MAX + 1);
    assert_int_equal(node_send(w.people[0].node, a, text, TEXT_BYTES_MAX + 1, &id),
                     NODE_E_TEXT);
    assert_int_equal(node_send(w.people[0].node, a, text, TEXT_BYTES_MAX, &id), 0);
    assert_int_equal(node_send(w.people[0].node, 77, "x", 1, &id), NODE_E_NONE);
    free(text);
    world_stop(&w);
}

static void node_send__before_the_link_is_complete__goes_out_afterwards(void **state)
{
    struct world w;
    struct world_history h;
    int64_t a, b;
    char link[LINK_CHARS + 1];

    (void)state;
    world_start(&w, 4, 2, NULL);
    assert_int_equal(node_link_begin(w.people[0].node, 3600, &a), 0);
    assert_int_equal(node_link_text(w.people[0].node, a, link), NODE_E_NONE);
    world_send(&w.people[0], a, "whoever takes this: hello");
    world_settle(&w, 10 * 1000);
    h = world_history(&w.people[0], a);
    assert_int_equal(h.list[0].state, MESSAGE_QUEUED);
    assert_int_equal(h.list[0].why, WHY_LINKING);
    world_history_drop(&h);
    assert_int_equal(node_link_text(w.people[0].node, a, link), 0);
    assert_int_equal(node_link_take(w.people[1].node, link, strlen(link), &b), 0);
    world_send(&w.people[1], b, "I took it");
    world_settle(&w, 120 * 1000);
    h = world_history(&w.people[0], a);
    assert_int_equal(h.n, 2);
    assert_int_equal(h.list[0].state + h.list[1].state,
                     MESSAGE_DELIVERED + MESSAGE_RECEIVED);
    world_history_drop(&h);
    assert_int_equal(node_link_text(w.people[0].node, a, link), NODE_E_NONE); /* taken */
    world_stop(&w);
}

static void node_send__of_257_unanswered__waits_and_says_so(void **state)
{
    struct world w;
    struct world_history h;
    struct conversation c;
    int64_t a, b;
    char text[16];

    (void)state;
    world_start(&w, 5, 2, NULL);
    world_link(&w, 0, 1, &a, &b);
    world_settle(&w, 120 * 1000);
    for (int i = 0; i < 300; i++) {
        (void)snprintf(text, sizeof text, "n %d", i);
        world_send(&w.people[0], a, text);
    }
    while (world_take_post(&w.people[0]) && world_store_post(&w.people[0]) &&
           world_answer_post(&w.people[0]))
        ;
    h = world_history(&w.people[0], a);
    assert_int_equal(h.list[200].state, MESSAGE_SENT);
    assert_int_equal(h.list[299].state, MESSAGE_QUEUED);
    assert_int_equal(h.list[299].why, WHY_PEER);
    world_history_drop(&h);
    assert_int_equal(node_conv(w.people[0].node, a, &c), 0);
    assert_true(c.waits);
    world_settle(&w, 120 * 1000);
    h = world_history(&w.people[1], b);
    assert_int_equal(h.n, 300);
    assert_string_equal(h.list[299].text, "n 299");
    world_history_drop(&h);
    assert_int_equal(node_conv(w.people[0].node, a, &c), 0);
    assert_false(c.waits);
    world_stop(&w);
}

static void node_post__refused_for_now__is_tried_again_and_says_why(void **state)
{
    struct world w;
    struct world_history h;
    int64_t a, b;

    (void)state;
    world_start(&w, 6, 2, NULL);
    world_link(&w, 0, 1, &a, &b);
    world_settle(&w, 120 * 1000);
    w.people[0].refuse = CODE_STORAGE_FULL;
    world_send(&w.people[0], a, "patience");
    assert_true(world_take_post(&w.people[0]));
    assert_true(world_store_post(&w.people[0]));
    assert_true(world_answer_post(&w.people[0]));
    h = world_history(&w.people[0], a);
    assert_int_equal(h.list[0].state, MESSAGE_QUEUED);
    assert_int_equal(h.list[0].why, WHY_STORAGE_FULL);
    world_history_drop(&h);
    assert_false(world_take_post(&w.people[0])); /* not at once */
    w.people[0].refuse = 0;
    world_settle(&w, 120 * 1000);
    h = world_history(&w.people[0], a);
    assert_int_equal(h.list[0].state, MESSAGE_DELIVERED);
    world_history_drop(&h);
    world_stop(&w);
}

static void node_prove_refused__ends__what_is_queued(void **state)
{
    struct world w;
    struct world_history h;
    struct status st;
    int64_t a, b;

    (void)state;
    world_start(&w, 7, 2, NULL);
    world_link(&w, 0, 1, &a, &b);
    world_settle(&w, 120 * 1000);
    world_send(&w.people[0], a, "one");
    world_send(&w.people[0], a, "two");
    assert_int_equal(node_prove_refused(w.people[0].node, CODE_RATE_LIMITED), 0);
    assert_int_equal(node_status(w.people[0].node, &st), 0);
    assert_int_equal(st.queued, 2);
    assert_false(st.ended);
    assert_int_equal(node_prove_refused(w.people[0].node, CODE_REVOKED), 0);
    assert_int_equal(node_status(w.people[0].node, &st), 0);
    assert_int_equal(st.queued, 0);
    assert_true(st.ended);
    h = world_history(&w.people[0], a);
    assert_int_equal(h.n, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(h.list[i].state, MESSAGE_NOT_SENT);
        assert_int_equal(h.list[i].why, WHY_NO_MEMBER);
    }
    assert_int_equal(node_relay_is(w.people[0].node, RELAY_CONNECTED, true), 0);
    assert_int_equal(node_status(w.people[0].node, &st), 0);
    assert_false(st.ended);
    assert_int_equal(node_send_again(w.people[0].node, h.list[0].id), 0);
    world_history_drop(&h);
    world_settle(&w, 120 * 1000);
    h = world_history(&w.people[1], b);
    assert_int_equal(h.n, 1);
    world_history_drop(&h);
    world_stop(&w);
}

static void node_post__refused_for_good__is_not_sent_and_can_be_sent_again(void **state)
{
    struct world w;
    struct world_history h;
    int64_t a, b;

    (void)state;
    world_start(&w, 7, 2, NULL);
    world_link(&w, 0, 1, &a, &b);
    world_settle(&w, 120 * 1000);
    w.people[0].refuse = CODE_REVOKED;
    world_send(&w.people[0], a, "still a member?");
    world_settle(&w, 10 * 1000);
    h = world_history(&w.people[0], a);
    assert_int_equal(h.list[0].state, MESSAGE_NOT_SENT);
    assert_int_equal(h.list[0].why, WHY_NO_MEMBER);
    w.people[0].refuse = 0;
    assert_int_equal(node_send_again(w.people[0].node, h.list[0].id), 0);
    assert_int_equal(node_send_again(w.people[0].node, h.list[0].id), NODE_E_STATE);
    world_history_drop(&h);
    world_settle(&w, 120 * 1000);
    h = world_history(&w.people[1], b);
    assert_int_equal(h.n, 1);
    world_history_drop(&h);
    world_stop(&w);
}

static void node__whose_text_nobody_fetches__sends_once_more_then_says_expired(
    void **state)
{
    const uint64_t day = 24 * 3600 * 1000;
    struct world w;
    struct world_history h;
    int64_t a, b;

    (void)state;
    world_start(&w, 8, 2, NULL);
    world_link(&w, 0, 1, &a, &b);
    world_settle(&w, 120 * 1000);
    world_send(&w.people[0], a, "on holiday?");
    for (int d = 0; d < 32; d++) {
        while (world_take_post(&w.people[0]) && world_store_post(&w.people[0]) &&
               world_answer_post(&w.people[0]))
            ;
        h = world_history(&w.people[0], a);
        assert_int_equal(h.list[0].state, d < 28 ? MESSAGE_SENT : h.list[0].state);
        assert_int_equal(h.list[0].resent, d >= 12);
        world_history_drop(&h);
        world_pass(&w, day);
        assert_int_equal(node_tick(w.people[0].node), 0);
    }
    h = world_history(&w.people[0], a);
    assert_int_equal(h.list[0].state, MESSAGE_EXPIRED);
    world_history_drop(&h);
    /* The other comes back, and the relay still had it: the later truth wins. */
    world_settle(&w, 120 * 1000);
    h = world_history(&w.people[0], a);
    assert_int_equal(h.list[0].state, MESSAGE_DELIVERED);
    world_history_drop(&h);
    h = world_history(&w.people[1], b);
    assert_int_equal(h.n, 1);
    world_history_drop(&h);
    world_stop(&w);
}

static void node_send__of_a_long_text__is_sent_when_every_part_is(void **state)
{
    static char text[3000];
    struct world w;
    struct world_history h;
    int64_t a, b;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    world_start(&w, 21, 2, NULL);
    world_link(&w, 0, 1, &a, &b);
    world_settle(&w, 120 * 1000);
    world_send(&w.people[0], a, text);
    for (int part = 1; part <= 3; part++) {
        assert_true(world_take_post(&w.people[0]));
        assert_true(world_store_post(&w.people[0]));
        assert_true(world_answer_post(&w.people[0]));
        h = world_history(&w.people[0], a);
        assert_int_equal(h.list[0].state, part < 3 ? MESSAGE_QUEUED : MESSAGE_SENT);
        world_history_drop(&h);
    }
    world_stop(&w);
}

static void node_ack__lost_with_its_connection__is_said_again(void **state)
{
    struct world w;
    struct world_history h;
    int64_t a, b;

    (void)state;
    world_start(&w, 20, 2, NULL);
    world_link(&w, 0, 1, &a, &b);
    world_settle(&w, 120 * 1000);
    world_send(&w.people[0], a, "did you get this");
    while (world_take_post(&w.people[0]) && world_store_post(&w.people[0]) &&
           world_answer_post(&w.people[0]))
        ;
    for (size_t i = 0; i < w.people[1].subs_n; i++) {
        int rc;
        while (world_deliver(&w.people[1], i, 15, &rc))
            assert_int_equal(rc, 0);
    }
    assert_false(
        world_take_post(&w.people[1])); /* not at once: that would link the two */
    world_pass(&w, 60 * 1000);
    assert_true(world_take_post(&w.people[1]));
    world_cut_posts(&w.people[1]);
    world_settle(&w, 120 * 1000);
    h = world_history(&w.people[0], a);
    assert_int_equal(h.list[0].state, MESSAGE_DELIVERED);
    world_history_drop(&h);
    world_stop(&w);
}

static void node_end__tells_the_other__after_what_was_queued(void **state)
{
    struct world w;
    struct world_history h;
    struct conversation c;
    int64_t a, b, id;

    (void)state;
    world_start(&w, 9, 2, NULL);
    world_link(&w, 0, 1, &a, &b);
    world_send(&w.people[0], a, "last words");
    assert_int_equal(node_end(w.people[0].node, a), 0);
    assert_int_equal(node_send(w.people[0].node, a, "x", 1, &id), NODE_E_STATE);
    world_settle(&w, 120 * 1000);
    h = world_history(&w.people[1], b);
    assert_int_equal(h.n, 1);
    world_history_drop(&h);
    assert_int_equal(node_conv(w.people[1].node, b, &c), 0);
    assert_int_equal(c.state, CONV_CLOSED);
    assert_int_equal(node_send(w.people[1].node, b, "x", 1, &id), NODE_E_STATE);
    h = world_history(&w.people[0], a);
    assert_int_equal(h.list[0].state, MESSAGE_DELIVERED);
    world_history_drop(&h);
    world_stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(node_send__is_queued_sent_delivered__and_read_by_the_other),
        cmocka_unit_test(node_send__of_a_long_text__arrives_whole),
        cmocka_unit_test(node_send__before_the_link_is_complete__goes_out_afterwards),
        cmocka_unit_test(node_send__of_257_unanswered__waits_and_says_so),
        cmocka_unit_test(node_post__refused_for_now__is_tried_again_and_says_why),
        cmocka_unit_test(node_prove_refused__ends__what_is_queued),
        cmocka_unit_test(node_post__refused_for_good__is_not_sent_and_can_be_sent_again),
        cmocka_unit_test(
            node__whose_text_nobody_fetches__sends_once_more_then_says_expired),
        cmocka_unit_test(node_send__of_a_long_text__is_sent_when_every_part_is),
        cmocka_unit_test(node_ack__lost_with_its_connection__is_said_again),
        cmocka_unit_test(node_end__tells_the_other__after_what_was_queued),
    };

    if (secret_start())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
