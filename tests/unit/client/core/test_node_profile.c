/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world.h"

#include "lib/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is on the disk ---------------------------------------------------------- */

static bool file_has(const char *path, const char *phrase)
{
    size_t want = strlen(phrase), have = 0;
    FILE *f = fopen(path, "rb");
    int c;

    while (f && have < want && (c = fgetc(f)) != EOF)
        have = c == phrase[have] ? have + 1 : c == phrase[0];
    if (f)
        assert_int_equal(fclose(f), 0);
    return have == want;
}

static void profile_files__hold_no_byte__of_a_typed_phrase(void **state)
{
    static const char phrase[] = "I failed the anatomy exam twice";
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
    char *dir = support_dir();
    struct world w;
    int64_t a, b;
    char name[16];

    (void)state;
    world_start(&w, 22, 2, dir);
    world_link(&w, 0, 1, &a, &b);
    world_send(&w.people[0], a, phrase);
    world_settle(&w, 120 * 1000);
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < COUNT(ends); k++) {
            (void)snprintf(name, sizeof name, "%c%s", (char)('a' + i), ends[k]);
            assert_false(file_has(support_path(dir, name), phrase));
        }
    for (uint32_t bucket = 0; bucket < WORLD_BUCKETS; bucket++) /* nor on the wire */
        for (size_t at = 0;
             at + sizeof phrase < w.view.logs[bucket].count * ENVELOPE_BYTES; at++)
            assert_memory_not_equal(w.view.logs[bucket].envelopes + at, phrase,
                                    sizeof phrase - 1);
    world_stop(&w);
    support_dir_drop(dir);
}

static void node_posts_lost__that_could_not_be_written__is_made_up_for(void **state)
{
    struct support_fault fault;
    struct world w;
    struct world_history h;
    int64_t a, b;

    (void)state;
    world_start(&w, 23, 2, NULL);
    world_link(&w, 0, 1, &a, &b);
    world_settle(&w, 120 * 1000);
    world_send(&w.people[0], a, "on its way");
    assert_true(world_take_post(&w.people[0]));
    w.people[0].wire_n = 0;
    support_fail_nth(&fault, SEAM_SYNC, 1, -EIO);
    assert_int_equal(node_posts_lost(w.people[0].node), -EIO);
    support_fail_none();
    assert_int_equal(node_next_due(w.people[0].node), 0);
    world_settle(&w, 120 * 1000);
    h = world_history(&w.people[0], a);
    assert_int_equal(h.list[0].state, MESSAGE_DELIVERED);
    world_history_drop(&h);
    world_stop(&w);
}

/* ---- forgetting ------------------------------------------------------------------- */

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

/* ---- several processes on one profile --------------------------------------------- */

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
        cmocka_unit_test(node_posts_lost__that_could_not_be_written__is_made_up_for),
        cmocka_unit_test(profile_files__hold_no_byte__of_a_typed_phrase),
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
