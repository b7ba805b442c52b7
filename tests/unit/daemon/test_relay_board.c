/* SPDX-License-Identifier: Apache-2.0 */
/* A whole relay in this process, spoken to over real sockets: the board as a client
 * sees it, SPEC 3.5 and 4. */
#include "tests/support/control_client.h"
#include "tests/support/relay_host.h"
#include "tests/support/support.h"

#include "lib/secret.h"
#include "proto/mp_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static struct relay_host host;
static uint8_t alice[SIGN_SK_BYTES];
static struct wire one, two, three; /* 64 KB each: not on the stack */

static int start(void **state)
{
    (void)state;
    relay_host_prepare(&host);
    relay_host_start(&host);
    relay_host_member(&host, alice);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    assert_int_equal(relay_host_stop(&host), 0);
    relay_host_drop(&host);
    return 0;
}

static void fill(uint8_t envelope[ENVELOPE_BYTES], uint32_t mark)
{
    memset(envelope, (int)(mark & 0xff), ENVELOPE_BYTES);
    le_put(envelope, mark, 4);
}

static void post_many(struct wire *w, uint32_t bucket, uint32_t first, uint32_t count)
{
    uint8_t envelope[ENVELOPE_BYTES];
    uint32_t sent = 0, answered = 0, id;
    struct frame f;

    while (answered < count) {
        while (sent < count && sent - answered < 200) {
            fill(envelope, first + sent++);
            assert_int_equal(wire_post_send(w, bucket, envelope, &id), 0);
        }
        assert_int_equal(wire_next(w, &f), 0);
        assert_int_equal(f.code, CODE_OK);
        answered++;
    }
}

/* The chain of SPEC 4.2, by hand. */
static void chain_next(uint8_t head[HASH_BYTES], uint64_t seq, const uint8_t *envelope)
{
    uint8_t le[8];

    le_put(le, seq, sizeof le);
    HASH(head, {head, HASH_BYTES}, {le, sizeof le}, {envelope, ENVELOPE_BYTES});
}

static uint64_t next_seq(uint32_t bucket)
{
    struct msg_subscribe_result r;

    relay_host_enter(&host, &three, alice);
    assert_int_equal(wire_subscribe(&three, bucket, 0, 1, &r), 0);
    wire_close(&three);
    return r.next;
}

/* ---- the board -------------------------------------------------------------------- */

static void relay__stores_a_post__and_gives_it_to_a_reader(void **state)
{
    uint8_t envelope[ENVELOPE_BYTES];
    struct msg_post_result posted;
    struct msg_envelopes got;
    struct msg_gap gap;
    bool is_gap;

    (void)state;
    fill(envelope, 7);
    relay_host_enter(&host, &one, alice);
    relay_host_enter(&host, &two, alice);
    assert_int_equal(wire_subscribe(&two, BUCKET_MAIL, 0, 10, NULL), 0);
    assert_int_equal(wire_post(&one, BUCKET_MAIL, envelope, &posted), 0);
    assert_int_equal(wire_envelopes(&two, &got, &gap, &is_gap), 0);
    assert_false(is_gap);
    assert_int_equal(got.first, posted.seq);
    assert_memory_equal(got.head, posted.head, HASH_BYTES);
    support_equal(got.envelopes, BYTES(envelope));
    wire_close(&one);
    wire_close(&two);
}

static void relay__lets_a_reader_catch_up__through_2000_with_an_unbroken_chain(
    void **state)
{
    struct msg_subscribe_result begun;
    uint8_t head[HASH_BYTES];
    uint64_t first = next_seq(BUCKET_KNOCKS), seq;
    uint32_t records = 0;

    (void)state;
    relay_host_enter(&host, &one, alice);
    post_many(&one, BUCKET_KNOCKS, 0, 2000);
    wire_close(&one);
    relay_host_enter(&host, &two, alice);
    assert_int_equal(wire_subscribe(&two, BUCKET_KNOCKS, first, 600, &begun), 0);
    assert_int_equal(begun.first, first);
    assert_int_equal(begun.next, first + 2000);
    memcpy(head, begun.head, sizeof head);
    for (seq = first; seq < first + 2000;) {
        struct msg_envelopes got;
        struct msg_gap gap;
        bool is_gap;
        size_t n;

        assert_int_equal(wire_envelopes(&two, &got, &gap, &is_gap), 0);
        assert_false(is_gap);
        assert_int_equal(got.first, seq);
        n = got.envelopes.n / ENVELOPE_BYTES;
        for (size_t i = 0; i < n; i++, seq++) {
            const uint8_t *e = got.envelopes.p + i * ENVELOPE_BYTES;

            assert_int_equal(le_get(e, 4), seq - first);
            chain_next(head, seq, e);
        }
        assert_memory_equal(head, got.head, sizeof head);
        assert_int_equal(wire_credit(&two, BUCKET_KNOCKS, (uint32_t)n), 0);
        records++;
    }
    assert_in_range(records, 2000 / ENVELOPES_PER_RECORD_MAX, 200);
    wire_close(&two);
}

static void relay__sends_no_more__than_the_credit(void **state)
{
    struct msg_envelopes got;
    struct msg_gap gap;
    uint64_t first = next_seq(BUCKET_DIRECTORY);
    bool is_gap;

    (void)state;
    relay_host_enter(&host, &one, alice);
    post_many(&one, BUCKET_DIRECTORY, 0, 20);
    wire_close(&one);
    relay_host_enter(&host, &two, alice);
    two.timeout_ms = 300;
    assert_int_equal(wire_subscribe(&two, BUCKET_DIRECTORY, first, 3, NULL), 0);
    assert_int_equal(wire_envelopes(&two, &got, &gap, &is_gap), 0);
    assert_int_equal(got.envelopes.n, 3 * ENVELOPE_BYTES);
    assert_int_equal(wire_envelopes(&two, &got, &gap, &is_gap), -ETIMEDOUT);
    assert_int_equal(wire_credit(&two, BUCKET_DIRECTORY, 1), 0);
    assert_int_equal(wire_envelopes(&two, &got, &gap, &is_gap), 0);
    assert_int_equal(got.first, first + 3);
    assert_int_equal(got.envelopes.n, ENVELOPE_BYTES);
    assert_int_equal(wire_envelopes(&two, &got, &gap, &is_gap), -ETIMEDOUT);
    wire_close(&two);
}

static void relay__begins_reading_inside_the_log__whatever_is_asked(void **state)
{
    struct msg_subscribe_result r;
    uint64_t next = next_seq(BUCKET_MAIL + 1);

    (void)state;
    relay_host_enter(&host, &one, alice);
    assert_int_equal(wire_subscribe(&one, BUCKET_MAIL + 1, next + 100000, 1, &r), 0);
    assert_int_equal(r.first, next);
    assert_int_equal(wire_subscribe(&one, BUCKET_MAIL + 1, 1, 1, &r), 0);
    assert_int_equal(r.first, 1);
    wire_close(&one);
}

static void relay__serves_at_most_4_subscriptions__and_moves_one_asked_for_twice(
    void **state)
{
    (void)state;
    relay_host_enter(&host, &one, alice);
    for (uint32_t b = 0; b < 4; b++)
        assert_int_equal(wire_subscribe(&one, b, 0, 1, NULL), 0);
    assert_int_equal(wire_subscribe(&one, 2, 0, 1, NULL), 0);
    wire_close(&one);
}

static void relay__answers_each__of_2000_posts_sent_without_reading(void **state)
{
    uint8_t envelope[ENVELOPE_BYTES];
    uint64_t last = 0;
    uint32_t id;

    (void)state;
    relay_host_enter(&host, &one, alice);
    for (uint32_t i = 0; i < 2000; i++) {
        fill(envelope, i);
        assert_int_equal(wire_post_send(&one, BUCKET_MAIL, envelope, &id), 0);
    }
    for (uint32_t i = 0; i < 2000; i++) {
        struct msg_post_result r;
        struct frame f;

        assert_int_equal(wire_next(&one, &f), 0);
        assert_int_equal(f.code, CODE_OK);
        assert_int_equal(f.id, id - 1999 + i);
        assert_int_equal(msg_post_result_read(f.body, &r), 0);
        assert_true(r.seq > last);
        last = r.seq;
    }
    wire_close(&one);
}

/* Each request of 20 bytes asks for an answer of 300: the relay must stop reading, not
 * grow. */
static void relay__holds_back__a_peer_that_asks_and_does_not_read(void **state)
{
    const struct msg_descriptors m = {1};
    uint8_t room[FRAME_CLIENT_MAX_BYTES], record[CHANNEL_RECORD_BYTES];
    struct buf b = BUF_OVER(room);
    size_t records = 0, answers = 0, frames = 0;
    struct frame f;
    int small = 512 * 1024;

    (void)state;
    relay_host_greet(&host, &one);
    (void)setsockopt(one.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    while (b.n + 32 < sizeof room) {
        msg_descriptors_write(&b, (uint32_t)frames, &m);
        frames++;
    }
    for (; records < 2000; records++) {
        size_t at = 0;

        memcpy(record + CHANNEL_FRAMES_AT, room, b.n);
        assert_int_equal(channel_seal(&one.channel, record, b.n), 0);
        for (int tries = 0; at < sizeof record && tries < 100;) {
            ssize_t n = send(one.fd, record + at, sizeof record - at,
                             MSG_DONTWAIT | MSG_NOSIGNAL);

            if (n > 0)
                at += (size_t)n;
            else
                tries++;
        }
        if (at <
            sizeof record) { /* the relay reads no more: finish this one while we read */
            uint8_t rest[CHANNEL_RECORD_BYTES];
            size_t rest_n = sizeof record - at;

            memcpy(rest, record + at, rest_n);
            while (rest_n > 0) {
                ssize_t n = send(one.fd, rest, rest_n, MSG_DONTWAIT | MSG_NOSIGNAL);

                if (n > 0) {
                    memmove(rest, rest + n, rest_n - (size_t)n);
                    rest_n -= (size_t)n;
                    continue;
                }
                assert_int_equal(wire_next(&one, &f), 0);
                answers++;
            }
            records++;
            break;
        }
    }
    assert_true(records < 2000);
    for (; answers < records * frames; answers++)
        assert_int_equal(wire_next(&one, &f), 0);
    assert_int_equal(wire_prove(&one, alice, host.cohort), 0);
    wire_close(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relay__stores_a_post__and_gives_it_to_a_reader),
        cmocka_unit_test(
            relay__lets_a_reader_catch_up__through_2000_with_an_unbroken_chain),
        cmocka_unit_test(relay__sends_no_more__than_the_credit),
        cmocka_unit_test(relay__begins_reading_inside_the_log__whatever_is_asked),
        cmocka_unit_test(
            relay__serves_at_most_4_subscriptions__and_moves_one_asked_for_twice),
        cmocka_unit_test(relay__answers_each__of_2000_posts_sent_without_reading),
        cmocka_unit_test(relay__holds_back__a_peer_that_asks_and_does_not_read),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
