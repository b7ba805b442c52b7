/* SPDX-License-Identifier: Apache-2.0 */
/* What a peer with another kith may send: made by hand, sealed as it must be. */
#include "tests/support/world.h"

#include "client/core/contact.h"
#include "lib/secret.h"
#include "proto/payload.h"

#include <string.h>

struct peer {
    struct world w;
    int64_t conv; /* the member's */
    struct link link;
    struct ratchet *ratchet;
    uint8_t ids;
};

/* The payload's own fields; the id is a new one each time. */
static void write_payload(struct peer *p, struct payload *what, struct buf *out)
{
    memset(what->id, ++p->ids, sizeof what->id);
    what->minute = (uint32_t)(p->w.clock.wall_ms / 60000);
    payload_write(out, what);
    assert_int_equal(out->rc, 0);
}

static void find_offer(struct peer *p, uint8_t pk[KEM_PK_BYTES])
{
    uint8_t payload[PAYLOAD_BYTES_MAX];
    size_t n;
    uint64_t seq = p->link.from;

    while (!contact_is(p->link.secret, ENVELOPE_OFFER,
                       world_envelope(&p->w.view, p->link.bucket, seq)))
        seq++;
    assert_int_equal(contact_offer_open(p->link.secret,
                                        world_envelope(&p->w.view, p->link.bucket, seq),
                                        pk, payload, &n),
                     0);
}

static void take(struct peer *p)
{
    struct payload what = {.type = PAYLOAD_TAKE,
                           .name = LABEL("crafted"),
                           .has_home = true,
                           .home = BUCKET_MAIL};
    uint8_t room[PAYLOAD_BYTES_MAX], pk[KEM_PK_BYTES], envelope[ENVELOPE_BYTES];
    struct buf b = BUF_OVER(room);

    find_offer(p, pk);
    assert_int_equal(contact_take_start(p->link.secret, p->w.cohort, pk, &p->ratchet), 0);
    write_payload(p, &what, &b);
    assert_int_equal(
        contact_take_seal(p->ratchet, p->link.secret, buf_view(&b), envelope), 0);
    (void)world_append(&p->w.view, p->link.bucket, envelope, NULL);
    ratchet_take_posted(p->ratchet);
}

static void peer_start(struct peer *p, uint64_t seed)
{
    struct conversation c;
    char text[LINK_CHARS + 1];

    *p = (struct peer){0};
    world_start(&p->w, seed, 1, NULL);
    assert_int_equal(node_link_begin(p->w.people[0].node, 3600, &p->conv), 0);
    world_settle(&p->w, 10 * 1000);
    assert_int_equal(node_link_text(p->w.people[0].node, p->conv, text), 0);
    assert_int_equal(link_parse(text, strlen(text), p->w.cohort, &p->link), 0);
    take(p);
    world_settle(&p->w, 10 * 1000);
    assert_int_equal(node_conv(p->w.people[0].node, p->conv, &c), 0);
    assert_int_equal(c.state, CONV_LINKED);
    assert_string_equal(c.name, "crafted");
}

static void peer_stop(struct peer *p)
{
    ratchet_free(p->ratchet);
    world_stop(&p->w);
}

static void peer_says(struct peer *p, struct payload *what)
{
    uint8_t room[PAYLOAD_BYTES_MAX], envelope[ENVELOPE_BYTES];
    struct buf b = BUF_OVER(room);
    struct ratchet_sent sent;

    write_payload(p, what, &b);
    assert_int_equal(ratchet_seal(p->ratchet, buf_view(&b), envelope, &sent), 0);
    (void)world_append(&p->w.view, p->link.bucket, envelope, NULL);
    world_settle(&p->w, 120 * 1000);
}

static void node__that_gets_a_type_of_a_later_version__keeps_and_shows_it(void **state)
{
    static const uint32_t types[] = {PAYLOAD_TIMER, PAYLOAD_REPORT, 16, 77, UINT32_MAX};
    enum { TYPES = sizeof types / sizeof types[0] };
    struct peer p;
    struct world_history h;
    struct conversation c;

    (void)state;
    peer_start(&p, 41);
    for (size_t i = 0; i < TYPES; i++) {
        unsigned posted = p.w.people[0].posted;

        peer_says(&p, &(struct payload){.type = types[i]});
        assert_true(p.w.people[0].posted > posted); /* it is acked like a text */
    }
    h = world_history(&p.w.people[0], p.conv);
    assert_int_equal(h.n, TYPES);
    for (size_t i = 0; i < h.n; i++) {
        assert_int_equal(h.list[i].kind, MESSAGE_UNKNOWN);
        assert_int_equal(h.list[i].state, MESSAGE_RECEIVED);
        assert_string_equal(h.list[i].text, "");
    }
    world_history_drop(&h);
    assert_int_equal(node_conv(p.w.people[0].node, p.conv, &c), 0);
    assert_int_equal(c.unread, TYPES);
    assert_int_equal(world_all_alarms(&p.w.people[0]), 0);
    peer_stop(&p);
}

/* Skipped like unknown keys outside their types (SPEC 7.1). */
static void node__that_gets_keys_of_other_types_in_an_unknown_one__skips_them(
    void **state)
{
    struct peer p;
    struct world_history h;
    struct conversation c;

    (void)state;
    peer_start(&p, 42);
    peer_says(&p, &(struct payload){.type = 77,
                                    .text = LABEL("not to be shown"),
                                    .order = 1000,
                                    .name = LABEL("mallory"),
                                    .has_home = true,
                                    .home = BUCKET_MAIL + 1});
    world_send(&p.w.people[0], p.conv, "after it");
    h = world_history(&p.w.people[0], p.conv);
    assert_int_equal(h.n, 2);
    assert_int_equal(h.list[0].kind, MESSAGE_UNKNOWN);
    assert_string_equal(h.list[0].text, "");
    assert_string_equal(h.list[1].text, "after it");
    world_history_drop(&h);
    assert_int_equal(node_conv(p.w.people[0].node, p.conv, &c), 0);
    assert_string_equal(c.name, "crafted");
    peer_stop(&p);
}

static void note_order(const struct message *m, void *arg)
{
    uint32_t **next = arg;

    *(*next)++ = m->order;
}

static void text__without_an_order__stands_where_the_readers_next_one_would(void **state)
{
    static const char *const want[] = {"ours", "numbered", "unnumbered", "ours again"};
    static const uint32_t orders[] = {1, 7, 8, 9};
    struct peer p;
    struct world_history h;
    uint32_t got[4] = {0}, *next = got;
    struct node_history q;

    (void)state;
    peer_start(&p, 43);
    world_send(&p.w.people[0], p.conv, want[0]);
    peer_says(&p, &(struct payload){
                      .type = PAYLOAD_TEXT, .text = LABEL("numbered"), .order = 7});
    peer_says(&p, &(struct payload){.type = PAYLOAD_TEXT, .text = LABEL("unnumbered")});
    world_send(&p.w.people[0], p.conv, want[3]);
    h = world_history(&p.w.people[0], p.conv);
    assert_int_equal(h.n, 4);
    for (size_t i = 0; i < h.n; i++)
        assert_string_equal(h.list[i].text, want[i]);
    world_history_drop(&h);
    q = (struct node_history){.conv = p.conv};
    assert_int_equal(node_history(p.w.people[0].node, &q, note_order, &next), 0);
    assert_memory_equal(got, orders, sizeof orders);
    peer_stop(&p);
}

static void node_hurry__makes_what_is_owed_leave_within_its_span(void **state)
{
    struct peer p;
    struct world_person *a = &p.w.people[0];
    uint8_t room[PAYLOAD_BYTES_MAX], envelope[ENVELOPE_BYTES];
    struct payload what = {.type = PAYLOAD_TEXT, .text = LABEL("hello"), .order = 1};
    struct buf b = BUF_OVER(room);
    struct ratchet_sent sent;
    int rc;

    (void)state;
    peer_start(&p, 44);
    world_settle(&p.w, 120 * 1000);
    assert_false(node_owes(a->node, 60 * 1000));
    write_payload(&p, &what, &b);
    assert_int_equal(ratchet_seal(p.ratchet, buf_view(&b), envelope, &sent), 0);
    (void)world_append(&p.w.view, p.link.bucket, envelope, NULL);
    for (size_t i = 0; i < a->subs_n; i++)
        (void)world_deliver(a, i, 15, &rc);
    assert_false(node_owes(a->node, 4999)); /* SPEC 8.5: 5 to 60 s */
    assert_true(node_owes(a->node, 60 * 1000));
    assert_int_equal(node_hurry(a->node, 3000), 0);
    assert_true(node_owes(a->node, 3000));
    world_pass(&p.w, 3000);
    assert_true(world_take_post(a));
    assert_true(node_owes(a->node, 0)); /* on its way */
    assert_true(world_store_post(a));
    assert_true(world_answer_post(a));
    assert_false(node_owes(a->node, 60 * 1000 - 1));
    peer_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(node__that_gets_a_type_of_a_later_version__keeps_and_shows_it),
        cmocka_unit_test(
            node__that_gets_keys_of_other_types_in_an_unknown_one__skips_them),
        cmocka_unit_test(text__without_an_order__stands_where_the_readers_next_one_would),
        cmocka_unit_test(node_hurry__makes_what_is_owed_leave_within_its_span),
    };

    if (secret_start())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
