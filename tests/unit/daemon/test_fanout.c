/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/fanout.h"
#include "proto/msg.h"
#include "tests/support/support.h"

#include <errno.h>
#include <string.h>

enum { BUCKETS = 8, DAY_S = 24 * 60 * 60, NOW_S = 20000 * DAY_S };

static const uint8_t cohort[32] = {1};
static struct store *store;
static struct fanout *fanout;
static unsigned woken[2]; /* times, by owner */
static uint8_t room[FRAME_RELAY_MAX_BYTES];

static void on_wake(void *owner)
{
    (*(unsigned *)owner)++;
}

static int open_all(void **state)
{
    (void)state;
    woken[0] = woken[1] = 0;
    return store_open_mem(cohort, BUCKETS, &store) ||
           fanout_new(store, BUCKETS, on_wake, &fanout);
}

static int close_all(void **state)
{
    (void)state;
    fanout_free(fanout);
    store_close(store);
    return 0;
}

static void append(uint32_t bucket, unsigned count, uint64_t now_s)
{
    uint8_t envelope[ENVELOPE_BYTES] = {0};
    struct store_post post = {.bucket = bucket, .envelope = envelope};

    for (unsigned i = 0; i < count; i++) { /* each says where it belongs */
        struct store_tail tail;

        assert_int_equal(store_tail(store, bucket, &tail), 0);
        le_put(envelope, tail.next * BUCKETS + bucket, 4);
        assert_int_equal(store_append(store, &post, 1, now_s), 0);
    }
    fanout_grown(fanout, bucket);
}

/* Fill an empty buffer; the one frame in it, or kind FRAME_RESPONSE when there is none.
 */
static struct frame fill_one(struct subscription *sub)
{
    struct buf b = BUF_OVER(room);
    struct bytes in;
    struct frame f = {.kind = FRAME_RESPONSE};

    assert_int_equal(fanout_fill(sub, &b), 0);
    assert_int_equal(b.rc, 0);
    in = buf_view(&b);
    if (in.n > 0)
        assert_int_equal(frame_next(&in, &f), 0);
    assert_int_equal(in.n, 0);
    return f;
}

static void expect_envelopes(struct subscription *sub, uint64_t first, size_t count)
{
    struct frame f = fill_one(sub);
    struct msg_envelopes m;
    uint8_t head[HASH_BYTES];

    assert_int_equal(f.kind, FRAME_NOTIFY);
    assert_true(mp_is(f.method, "envelopes"));
    assert_int_equal(msg_envelopes_read(f.body, &m), 0);
    assert_int_equal(m.first, first);
    assert_int_equal(m.envelopes.n, count * ENVELOPE_BYTES);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(le_get(m.envelopes.p + i * ENVELOPE_BYTES, 4),
                         (first + i) * BUCKETS + m.bucket);
    assert_int_equal(store_head_before(store, m.bucket, first + count, head), 0);
    assert_memory_equal(m.head, head, HASH_BYTES);
}

static void fanout__gives_15_at_a_time__up_to_the_credit(void **state)
{
    struct subscription *sub = fanout_add(fanout, 2, 1, 20, &woken[0]);

    (void)state;
    append(2, 40, NOW_S);
    assert_int_equal(woken[0], 1);
    expect_envelopes(sub, 1, 15);
    expect_envelopes(sub, 16, 5);
    assert_false(fanout_owes(sub));
    assert_int_equal(fill_one(sub).kind, FRAME_RESPONSE);
    fanout_credit(sub, 100);
    assert_int_equal(woken[0], 2);
    expect_envelopes(sub, 21, 15);
    expect_envelopes(sub, 36, 5);
    assert_false(fanout_owes(sub));
    fanout_remove(sub);
}

static void fanout__wakes_only__who_has_credit_in_that_bucket(void **state)
{
    struct subscription *a = fanout_add(fanout, 2, 1, 0, &woken[0]);
    struct subscription *b = fanout_add(fanout, 3, 1, 5, &woken[1]);

    (void)state;
    append(2, 1, NOW_S);
    assert_int_equal(woken[0], 0);
    assert_int_equal(woken[1], 0);
    fanout_credit(a, 1);
    assert_int_equal(woken[0], 1);
    append(3, 1, NOW_S);
    assert_int_equal(woken[1], 1);
    fanout_remove(a);
    fanout_remove(b);
}

static void fanout__caps_credit__at_what_a_client_may_ask_ahead(void **state)
{
    struct subscription *sub = fanout_add(fanout, 2, 1, CREDIT_MAX, &woken[0]);
    size_t given = 0;

    (void)state;
    fanout_credit(sub, CREDIT_MAX);
    fanout_credit(sub, UINT32_MAX);
    append(2, CREDIT_MAX + 100, NOW_S);
    while (fanout_owes(sub)) {
        struct msg_envelopes m;

        assert_int_equal(msg_envelopes_read(fill_one(sub).body, &m), 0);
        given += m.envelopes.n / ENVELOPE_BYTES;
    }
    assert_int_equal(given, CREDIT_MAX);
    fanout_remove(sub);
}

static void fanout__says_gap_and_goes_on__when_the_cursor_has_expired(void **state)
{
    struct subscription *sub = fanout_add(fanout, 2, 1, 100, &woken[0]);
    uint8_t head[HASH_BYTES];
    struct msg_gap gap;
    struct frame f;
    uint32_t dropped;

    (void)state;
    append(2, 10, NOW_S);
    append(2, 3, NOW_S + 3 * DAY_S);
    assert_int_equal(store_expire(store, NOW_S + 3 * DAY_S, DAY_S, &dropped), 0);
    assert_int_equal(dropped, 1);
    f = fill_one(sub);
    assert_true(mp_is(f.method, "gap"));
    assert_int_equal(msg_gap_read(f.body, &gap), 0);
    assert_int_equal(gap.bucket, 2);
    assert_int_equal(gap.first, 11);
    assert_int_equal(store_head_before(store, 2, 11, head), 0);
    assert_memory_equal(gap.head, head, HASH_BYTES);
    expect_envelopes(sub, 11, 3);
    fanout_remove(sub);
}

static void fanout__says_gap__when_all_has_expired_and_goes_on_with_the_next(void **state)
{
    struct subscription *sub = fanout_add(fanout, 2, 1, 100, &woken[0]);
    struct msg_gap gap;
    uint32_t dropped;

    (void)state;
    append(2, 10, NOW_S);
    assert_int_equal(store_expire(store, NOW_S + 9 * DAY_S, DAY_S, &dropped), 0);
    assert_int_equal(msg_gap_read(fill_one(sub).body, &gap), 0);
    assert_int_equal(gap.first, 11);
    assert_false(fanout_owes(sub));
    append(2, 1, NOW_S + 9 * DAY_S);
    expect_envelopes(sub, 11, 1);
    fanout_remove(sub);
}

static void fanout__gives_the_same__to_readers_at_one_place_and_at_others(void **state)
{
    struct subscription *subs[20];

    (void)state;
    for (size_t i = 0; i < COUNT(subs); i++)
        subs[i] = fanout_add(fanout, i % 2 ? 6 : 2, 1 + (i % 3 == 2), 100, &woken[0]);
    append(2, 20, NOW_S);
    append(6, 20, NOW_S);
    for (size_t i = 0; i < COUNT(subs); i++)
        expect_envelopes(subs[i], 1 + (i % 3 == 2), 15);
    append(2, 7, NOW_S);
    append(6, 7, NOW_S);
    for (size_t i = 0; i < COUNT(subs); i++) {
        uint64_t first = 16 + (i % 3 == 2);

        expect_envelopes(subs[i], first, 28 - first);
        fanout_remove(subs[i]);
    }
}

static void fanout__gives_each__its_own_credit_and_no_more(void **state)
{
    struct subscription *rich = fanout_add(fanout, 2, 1, 100, &woken[0]);
    struct subscription *poor = fanout_add(fanout, 2, 1, 2, &woken[1]);

    (void)state;
    append(2, 12, NOW_S);
    expect_envelopes(rich, 1, 12);
    expect_envelopes(poor, 1, 2);
    assert_false(fanout_owes(poor));
    fanout_remove(rich);
    fanout_remove(poor);
}

static void fanout__puts_in_only__what_fits_beside_other_frames(void **state)
{
    struct subscription *sub = fanout_add(fanout, 2, 1, 100, &woken[0]);
    struct buf b = BUF_OVER(room);

    (void)state;
    append(2, 15, NOW_S);
    b.n = sizeof room - ENVELOPE_BYTES; /* no room for one and its frame */
    assert_int_equal(fanout_fill(sub, &b), 0);
    assert_int_equal(b.n, sizeof room - ENVELOPE_BYTES);
    b.n = sizeof room - 3 * ENVELOPE_BYTES;
    assert_int_equal(fanout_fill(sub, &b), 0);
    assert_in_range(b.n, sizeof room - ENVELOPE_BYTES, sizeof room);
    expect_envelopes(sub, 3, 13);
    fanout_remove(sub);
}

static void fanout__forgets_nothing__when_memory_fails(void **state)
{
    struct subscription *sub = fanout_add(fanout, 2, 1, 100, &woken[0]);
    struct support_fault fault;
    struct buf b = BUF_OVER(room);

    (void)state;
    append(2, 5, NOW_S);
    support_fail_nth(&fault, SEAM_ALLOC, 1, -ENOMEM);
    assert_int_equal(fanout_fill(sub, &b), -ENOMEM);
    support_fail_none();
    expect_envelopes(sub, 1, 5);
    fanout_remove(sub);
}

#define OPENED(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPENED(fanout__gives_15_at_a_time__up_to_the_credit),
        OPENED(fanout__wakes_only__who_has_credit_in_that_bucket),
        OPENED(fanout__caps_credit__at_what_a_client_may_ask_ahead),
        OPENED(fanout__says_gap_and_goes_on__when_the_cursor_has_expired),
        OPENED(fanout__says_gap__when_all_has_expired_and_goes_on_with_the_next),
        OPENED(fanout__gives_the_same__to_readers_at_one_place_and_at_others),
        OPENED(fanout__gives_each__its_own_credit_and_no_more),
        OPENED(fanout__puts_in_only__what_fits_beside_other_frames),
        OPENED(fanout__forgets_nothing__when_memory_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
