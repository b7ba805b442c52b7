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

/* ---- words ---- */

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
    assert_int_equal(node_send(w.people[0].node, a, text, TEXT_BYTES_MAX + 1, &id), NODE_E_TEXT);
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
    assert_int_equal(h.list[0].state + h.list[1].state, MESSAGE_DELIVERED + MESSAGE_RECEIVED);
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

static void node__whose_text_nobody_fetches__sends_once_more_then_says_expired(void **state)
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

/* ---- links that come to nothing ---- */

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
    assert_int_equal(node_link_take(w.people[1].node, bad, strlen(bad), &b), NODE_E_LINK_CHECK);
    assert_int_equal(node_link_take(w.people[0].node, link, strlen(link), &b), NODE_E_LINK_OWN);
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
        assert_int_equal(node_link_take(w.people[i].node, link, strlen(link), i == 1 ? &b : &c),
                         0);
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

/* ---- forgetting ---- */

static void node_forget__takes_away__texts_keys_and_what_was_to_be_sent(void **state)
{
    char *dir = support_dir();
    struct world w;
    struct conversation c;
    struct world_history h;
    int64_t a, b, id;

    (void)state;
    world_start(&w, 15, 2, dir);
    world_link(&w, 0, 1, &a, &b);
    world_settle(&w, 120 * 1000);
    id = world_send(&w.people[0], a, "not this");
    world_send(&w.people[0], a, "but this");
    assert_int_equal(node_forget_message(w.people[0].node, id), 0);
    assert_int_equal(node_forget_message(w.people[0].node, id), NODE_E_NONE);
    world_settle(&w, 120 * 1000);
    h = world_history(&w.people[1], b);
    assert_int_equal(h.n, 1);
    assert_string_equal(h.list[0].text, "but this");
    /* What was read and forgotten does not come back. */
    assert_int_equal(node_forget_message(w.people[1].node, h.list[0].id), 0);
    world_history_drop(&h);
    world_restart(&w.people[1]);
    world_settle(&w, 120 * 1000);
    h = world_history(&w.people[1], b);
    assert_int_equal(h.n, 0);
    world_history_drop(&h);
    assert_int_equal(node_forget(w.people[0].node, a), 0);
    assert_int_equal(node_forget(w.people[0].node, a), NODE_E_NONE);
    assert_int_equal(node_conv(w.people[0].node, a, &c), NODE_E_NONE);
    world_send(&w.people[1], b, "anybody?");
    world_settle(&w, 120 * 1000);
    h = world_history(&w.people[0], a);
    assert_int_equal(h.n, 0);
    world_history_drop(&h);
    world_restart(&w.people[0]);
    world_stop(&w);
    support_dir_drop(dir);
}

/* ---- several processes on one profile ---- */

static void node__of_a_second_process__writes_and_the_holder_sends(void **state)
{
    char *dir = support_dir();
    struct world w;
    struct world_person *p = &w.people[0];
    struct node_config second;
    struct node *other;
    struct world_history h;
    struct conversation c;
    int64_t a, b, id, link_conv;
    char link[LINK_CHARS + 1];
    unsigned heard;

    (void)state;
    world_start(&w, 16, 2, dir);
    world_link(&w, 0, 1, &a, &b);
    world_settle(&w, 120 * 1000);
    second = p->config;
    second.holder = false;
    second.create = false;
    second.event = NULL;
    assert_int_equal(node_open(&second, &other), 0);
    assert_int_equal(node_send(other, a, "from the other window", 21, &id), 0);
    heard = p->events[EVENT_STATE];
    assert_int_equal(node_refresh(p->node), 0);
    assert_int_equal(p->events[EVENT_STATE], heard + 1);
    assert_int_equal(node_refresh(p->node), 0);
    assert_int_equal(p->events[EVENT_STATE], heard + 1); /* each once */
    world_settle(&w, 120 * 1000);
    h = world_history(&w.people[1], b);
    assert_int_equal(h.n, 1);
    world_history_drop(&h);
    world_send(&w.people[1], b, "seen in both");
    world_settle(&w, 120 * 1000);
    assert_int_equal(node_conv(other, a, &c), 0);
    assert_int_equal(c.unread, 1);
    assert_int_equal(node_mark_read(other, a, 1000), 0);
    assert_int_equal(node_conv(p->node, a, &c), 0);
    assert_int_equal(c.unread, 0);
    /* A link begun there is posted here. */
    assert_int_equal(node_link_begin(other, 3600, &link_conv), 0);
    assert_int_equal(node_refresh(p->node), 0);
    world_settle(&w, 10 * 1000);
    assert_int_equal(node_link_text(other, link_conv, link), 0);
    /* Forgotten there while it is on its way here. */
    world_send(p, a, "too late");
    assert_true(world_take_post(p));
    assert_int_equal(node_forget(other, a), 0);
    assert_true(world_store_post(p));
    assert_true(world_answer_post(p));
    world_send(&w.people[1], b, "nobody there");
    world_settle(&w, 120 * 1000);
    assert_int_equal(node_conv(p->node, a, &c), NODE_E_NONE);
    node_close(other);
    world_stop(&w);
    support_dir_drop(dir);
}

static void node_open__says__why_it_cannot(void **state)
{
    char *dir = support_dir();
    struct world w;
    struct node_config c;
    struct node *n;

    (void)state;
    world_start(&w, 17, 1, dir);
    c = w.people[0].config;
    c.key[0] ^= 1;
    assert_int_equal(node_open(&c, &n), NODE_E_KEY);
    assert_null(n);
    c.create = false;
    c.path = support_path(dir, "nobody");
    assert_int_equal(node_open(&c, &n), -ENOENT);
    world_stop(&w);
    support_dir_drop(dir);
}

static void node_relay__refuses__a_key_that_the_invite_does_not_name(void **state)
{
    struct world w;
    struct node_config c;
    struct node *n;
    struct invite invite = {.address = {.host = "r", .port = 1}};
    struct node_relay known;
    uint8_t name[NAME_BYTES_MAX + 2];

    (void)state;
    world_start(&w, 18, 1, NULL);
    c = w.people[0].config;
    assert_int_equal(node_open(&c, &n), 0);
    assert_int_equal(node_relay(n, w.relay_pk, w.cohort), NODE_E_STATE);
    assert_int_equal(node_join(n, &invite), 0);
    assert_int_equal(node_relay_get(n, &known), NODE_E_NONE);
    assert_string_equal(known.address.host, "r");
    assert_int_equal(node_relay(n, w.relay_pk, w.cohort), NODE_E_RELAY_KEY);
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = 0;
    assert_int_equal(node_name(n, (char *)name), NODE_E_TEXT);
    assert_int_equal(node_name(n, ""), NODE_E_TEXT);
    node_close(n);
    world_stop(&w);
}

static void count_event(const struct event *e, void *arg)
{
    unsigned *n = arg;

    n[e->kind == EVENT_MISSED]++;
}

static void node_events__can_be_resumed(void **state)
{
    struct world w;
    int64_t a, b, newest = 0, then = 0;
    unsigned n[2] = {0, 0};

    (void)state;
    world_start(&w, 19, 2, NULL);
    world_link(&w, 0, 1, &a, &b);
    assert_int_equal(node_events(w.people[0].node, 0, count_event, n, &newest), 0);
    assert_true(n[0] > 5);
    assert_int_equal(n[1], 0);
    assert_true(newest > 0);
    n[0] = 0;
    world_send(&w.people[0], a, "x");
    assert_int_equal(node_events(w.people[0].node, newest, count_event, n, &then), 0);
    assert_int_equal(n[0], 1);
    assert_int_equal(then, newest + 1);
    world_stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(node_link__makes__a_conversation_of_two_names),
        cmocka_unit_test(node_send__is_queued_sent_delivered__and_read_by_the_other),
        cmocka_unit_test(node_send__of_a_long_text__arrives_whole),
        cmocka_unit_test(node_send__before_the_link_is_complete__goes_out_afterwards),
        cmocka_unit_test(node_send__of_257_unanswered__waits_and_says_so),
        cmocka_unit_test(node_post__refused_for_now__is_tried_again_and_says_why),
        cmocka_unit_test(node_post__refused_for_good__is_not_sent_and_can_be_sent_again),
        cmocka_unit_test(node__whose_text_nobody_fetches__sends_once_more_then_says_expired),
        cmocka_unit_test(node_end__tells_the_other__after_what_was_queued),
        cmocka_unit_test(node_link_take__refuses__what_cannot_be_a_link_to_take),
        cmocka_unit_test(node_link__past_its_last_hour__is_over_on_both_sides),
        cmocka_unit_test(node_link__that_somebody_else_took__is_told_to_both),
        cmocka_unit_test(node_link__whose_offer_is_not_there__fails_clearly),
        cmocka_unit_test(node_forget__takes_away__texts_keys_and_what_was_to_be_sent),
        cmocka_unit_test(node__of_a_second_process__writes_and_the_holder_sends),
        cmocka_unit_test(node_open__says__why_it_cannot),
        cmocka_unit_test(node_relay__refuses__a_key_that_the_invite_does_not_name),
        cmocka_unit_test(node_events__can_be_resumed),
    };

    if (secret_start())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
