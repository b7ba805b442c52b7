/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/ratchet.h"

#include "lib/secret.h"
#include "tests/support/pair.h"

#include <errno.h>
#include <string.h>

static struct pair p;

static int start(void **state)
{
    (void)state;
    pair_start(&p);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    support_fail_none();
    support_random_release();
    pair_stop(&p);
    return 0;
}

static struct ratchet_counts counts(const struct ratchet *r)
{
    struct ratchet_counts c;

    ratchet_count(r, &c);
    return c;
}

static void ratchet__talks__both_ways_for_many_turns(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 20; i++) {
        pair_round_trip(p.taker, p.inviter);
        /* The taker's turn 1 began with its take. */
        assert_int_equal(counts(p.taker).own_turn, 2 * i + 1);
        assert_int_equal(counts(p.inviter).own_turn, 2 * i + 2);
    }
}

static void ratchet_seal__begins_a_turn__only_after_the_peers_newest_was_opened(
    void **state)
{
    struct pair_mail m[5];

    (void)state;
    pair_send(p.taker, "1.1", &m[0]);
    assert_int_equal(m[0].at.turn, 1);
    assert_int_equal(m[0].at.n, 1);
    assert_false(m[0].at.began);
    assert_true(counts(p.inviter).turn_due);
    pair_send(p.inviter, "2.0", &m[1]);
    assert_int_equal(m[1].at.turn, 2);
    assert_int_equal(m[1].at.n, 0);
    assert_true(m[1].at.began);
    pair_send(p.inviter, "2.1", &m[2]);
    assert_int_equal(m[2].at.turn, 2);
    assert_int_equal(m[2].at.n, 1);
    assert_false(m[2].at.began);
    /* A late envelope of an older turn is no reason for a new one. */
    assert_int_equal(pair_open(p.inviter, &m[0]), 0);
    assert_false(counts(p.inviter).turn_due);
    assert_int_equal(pair_open(p.taker, &m[2]), 0);
    pair_send(p.taker, "3.0", &m[3]);
    assert_int_equal(m[3].at.turn, 3);
    assert_true(m[3].at.began);
    assert_int_equal(pair_open(p.inviter, &m[3]), 0);
    assert_int_equal(pair_open(p.taker, &m[1]), 0);
}

static void ratchet__survives__both_sending_at_once(void **state)
{
    struct pair_mail a[3], b[3];

    (void)state;
    pair_round_trip(p.taker, p.inviter);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 3; i++) {
            pair_send(p.taker, "from the taker", &a[i]);
            pair_send(p.inviter, "from the inviter", &b[i]);
        }
        for (int i = 2; i >= 0; i--) {
            assert_int_equal(pair_open(p.inviter, &a[i]), 0);
            assert_int_equal(pair_open(p.taker, &b[i]), 0);
        }
    }
}

static void ratchet_open__opens_late_ones__of_four_turns_and_none_older(void **state)
{
    struct pair_mail late[6];

    (void)state;
    for (int i = 0; i < 6; i++) {
        pair_send(p.taker, "late", &late[i]);
        pair_round_trip(p.taker, p.inviter);
    }
    /* Turns 1, 3, 5, ... 11: those from 5 on are the newest four. */
    assert_int_equal(ratchet_oldest(p.inviter), 5);
    assert_int_equal(pair_open(p.inviter, &late[0]), RATCHET_E_REFUSED);
    assert_int_equal(pair_open(p.inviter, &late[1]), RATCHET_E_REFUSED);
    for (int i = 5; i >= 2; i--)
        assert_int_equal(pair_open(p.inviter, &late[i]), 0);
}

static void ratchet_open__says_repeated__whatever_came_since(void **state)
{
    struct pair_mail m[4];
    struct bytes before;

    (void)state;
    for (int i = 0; i < 4; i++)
        pair_send(p.taker, "once", &m[i]);
    assert_int_equal(pair_open(p.inviter, &m[2]), 0);
    assert_int_equal(pair_open(p.inviter, &m[2]), RATCHET_E_REPEATED);
    assert_int_equal(pair_open(p.inviter, &m[1]), 0);
    pair_round_trip(p.inviter, p.taker);
    before = pair_save(p.inviter);
    assert_int_equal(pair_open(p.inviter, &m[1]), RATCHET_E_REPEATED);
    assert_int_equal(pair_open(p.inviter, &m[2]), RATCHET_E_REPEATED);
    pair_same(p.inviter, before);
    support_drop(before);
    assert_int_equal(pair_open(p.inviter, &m[0]), 0);
}

enum { USUAL_MAX = TURN_ENVELOPES_MAX - TURN_RESERVED };

/* The inviter's turn 2, filled up to where it waits. */
static void fill_turn(struct pair_mail *last)
{
    for (uint32_t i = 0; i < USUAL_MAX; i++)
        pair_send(p.inviter, "is anybody there?", last);
    assert_int_equal(last->at.n, USUAL_MAX - 1);
}

static void assert_waits(struct ratchet *r)
{
    struct bytes before = pair_save(r);
    uint8_t envelope[ENVELOPE_BYTES];
    struct ratchet_sent at;

    assert_true(counts(r).awaiting);
    assert_int_equal(ratchet_seal(r, LABEL("one too many"), envelope, &at),
                     RATCHET_E_WAIT);
    pair_same(r, before);
    support_drop(before);
}

static void ratchet_seal__waits_when_full__and_an_empty_turn_heals(void **state)
{
    static struct pair_mail last, back;

    (void)state;
    fill_turn(&last);
    assert_waits(p.inviter);
    /* All but the last were lost: 239 in one go. */
    assert_int_equal(pair_open(p.taker, &last), 0);
    assert_true(counts(p.taker).answer_wanted);
    pair_send(p.taker, "", &back);
    assert_false(counts(p.taker).answer_wanted);
    assert_int_equal(pair_open(p.inviter, &back), 0);
    assert_false(counts(p.inviter).awaiting);
    pair_round_trip(p.inviter, p.taker);
}

static void ratchet_seal__reaches_again__who_lost_a_whole_turn(void **state)
{
    static struct pair_mail lost, back, again;

    (void)state;
    pair_send(p.taker, "before the holidays", &back);
    fill_turn(&lost);
    assert_waits(p.inviter);
    pair_restart(&p.inviter);
    /* The taker was away longer than the relay keeps anything, and comes back with words.
     */
    for (uint32_t i = 0; i < TURN_RESERVED; i++) {
        pair_send(p.taker, "I'm back", &back);
        assert_int_equal(back.at.turn, 1);
        assert_int_equal(pair_open(p.inviter, &back), 0);
        pair_send(p.inviter, "good to hear", &again);
        assert_int_equal(again.at.n, USUAL_MAX + i);
        assert_waits(p.inviter);
        pair_restart(&p.inviter);
    }
    assert_int_equal(again.at.n, TURN_ENVELOPES_MAX - 1);
    pair_send(p.taker, "and here?", &back);
    assert_int_equal(pair_open(p.inviter, &back), 0);
    assert_waits(p.inviter); /* 256 is the end of the reader's tags */
    assert_int_equal(pair_open(p.taker, &again), 0);
    pair_round_trip(p.taker, p.inviter);
    pair_round_trip(p.inviter, p.taker);
}

static void ratchet__survives__hundreds_of_lost_envelopes(void **state)
{
    static struct pair_mail m;

    (void)state;
    for (int turn = 0; turn < 6; turn++) {
        for (int i = 0; i < 200; i++)
            pair_send(p.taker, "lost", &m);
        pair_round_trip(p.taker, p.inviter);
    }
}

/* ---- tags ------------------------------------------------------------------------- */

struct seen_tags {
    uint8_t tag[6 * TURN_ENVELOPES_MAX][ENVELOPE_TAG_BYTES];
    struct ratchet_sent at[6 * TURN_ENVELOPES_MAX];
    size_t count;
};

static int see(const uint8_t tag[ENVELOPE_TAG_BYTES], uint32_t turn, uint32_t n,
               void *arg)
{
    struct seen_tags *s = arg;

    assert_true(s->count < COUNT(s->at));
    memcpy(s->tag[s->count], tag, ENVELOPE_TAG_BYTES);
    s->at[s->count++] = (struct ratchet_sent){turn, n, false};
    return 0;
}

static bool in_table(const struct seen_tags *s, const struct pair_mail *m)
{
    for (size_t i = 0; i < s->count; i++)
        if (!memcmp(s->tag[i], m->envelope, ENVELOPE_TAG_BYTES)) {
            assert_int_equal(s->at[i].turn, m->at.turn);
            assert_int_equal(s->at[i].n, m->at.n);
            return true;
        }
    return false;
}

static int stop_at_third(const uint8_t tag[ENVELOPE_TAG_BYTES], uint32_t turn, uint32_t n,
                         void *arg)
{
    (void)tag;
    (void)turn;
    ++*(uint32_t *)arg;
    return n == 2 ? 42 : 0;
}

static void ratchet_tags__knows_each_envelope__of_four_turns_and_the_next(void **state)
{
    static struct pair_mail m[6];
    static struct seen_tags table;
    uint32_t calls = 0;

    (void)state;
    table.count = 0;
    assert_int_equal(ratchet_tags(p.taker, 0, see, &table), 0);
    assert_int_equal(table.count, TURN_ENVELOPES_MAX); /* turn 2, not begun yet */
    assert_int_equal(ratchet_oldest(p.taker), 2);
    for (int i = 0; i < 6; i++) {
        pair_send(p.taker, "of each turn", &m[i]);
        if (i < 5)
            pair_round_trip(p.taker, p.inviter);
    }
    /* Turns 3, 5, 7, 9 were opened.  11 is the next one: and known since the
     * inviter's 10. */
    table.count = 0;
    assert_int_equal(ratchet_tags(p.inviter, 0, see, &table), 0);
    assert_int_equal(table.count, 5 * TURN_ENVELOPES_MAX);
    assert_false(in_table(&table, &m[0]));
    for (int i = 1; i < 6; i++)
        assert_true(in_table(&table, &m[i]));
    table.count = 0;
    assert_int_equal(ratchet_tags(p.inviter, 11, see, &table), 0);
    assert_int_equal(table.count, TURN_ENVELOPES_MAX);
    assert_true(in_table(&table, &m[5]));
    table.count = 0;
    for (uint32_t turn = 1; turn < 20; turn++)
        if (turn % 2 == 0 || turn < 3 || turn > 11)
            assert_int_equal(ratchet_tags(p.inviter, turn, see, &table), 0);
    assert_int_equal(table.count, 0);
    assert_int_equal(ratchet_tags(p.inviter, 0, stop_at_third, &calls), 42);
    assert_int_equal(calls, 3);
}

/* ---- acks ------------------------------------------------------------------------- */

static void ratchet_acks__tell_what_came__and_only_what_changed(void **state)
{
    struct payload_ack acks[ACKS_MAX];
    struct pair_mail m[6];

    (void)state;
    assert_int_equal(ratchet_acks(p.taker, acks), 0);
    assert_int_equal(ratchet_acks(p.inviter, acks), 1); /* the take */
    assert_int_equal(acks[0].turn, 1);
    assert_int_equal(acks[0].upto, 1);
    assert_true(secret_is_zero(acks[0].missing, sizeof acks[0].missing));
    ratchet_acks_told(p.inviter);
    pair_restart(&p.inviter);
    assert_int_equal(ratchet_acks(p.inviter, acks), 0);

    for (int i = 0; i < 6; i++)
        pair_send(p.taker, "some are lost", &m[i]);
    assert_int_equal(pair_open(p.inviter, &m[1]), 0); /* n = 2 */
    assert_int_equal(pair_open(p.inviter, &m[3]), 0); /* n = 4 */
    assert_int_equal(ratchet_acks(p.inviter, acks), 1);
    assert_int_equal(acks[0].upto, 5);
    assert_int_equal(acks[0].missing[0], 1 << 1 | 1 << 3);
    for (uint32_t n = 0; n < 5; n++) {
        assert_int_equal(ratchet_ack_fate(&acks[0], 1, n),
                         n == 1 || n == 3 ? RATCHET_MISSING : RATCHET_DELIVERED);
        assert_int_equal(ratchet_ack_fate(&acks[0], 3, n), RATCHET_UNTOLD);
    }
    assert_int_equal(ratchet_ack_fate(&acks[0], 1, 5), RATCHET_UNTOLD);
    assert_int_equal(ratchet_ack_check(p.taker, &acks[0]), 0);
    ratchet_acks_told(p.inviter);

    /* The next turn says that turn 1 had 7: what is missing at its end shows now. */
    pair_round_trip(p.inviter, p.taker);
    pair_send(p.taker, "turn 3 began", &m[0]);
    assert_int_equal(pair_open(p.inviter, &m[0]), 0);
    assert_int_equal(ratchet_acks(p.inviter, acks), 2);
    assert_int_equal(acks[0].turn, 1);
    assert_int_equal(acks[0].upto, 7);
    assert_int_equal(acks[0].missing[0], 1 << 1 | 1 << 3 | 1 << 5 | 1 << 6);
    assert_int_equal(acks[1].turn, 3);
    ratchet_acks_told(p.inviter);
    ratchet_acks_retell(p.inviter);
    assert_int_equal(ratchet_acks(p.inviter, acks), 2);
}

static void ratchet_ack_check__refuses__what_we_never_sent(void **state)
{
    static const struct payload_ack lies[] = {
        {.turn = 0, .upto = 1},   {.turn = 2, .upto = 1}, {.turn = 3, .upto = 1},
        {.turn = 1, .upto = 0},   {.turn = 1, .upto = 3}, {.turn = 1, .upto = 257},
        {.turn = 999, .upto = 1},
    };
    const struct payload_ack good = {.turn = 1, .upto = 2};
    struct pair_mail m;

    (void)state;
    pair_send(p.taker, "turn 1 has two now", &m);
    assert_int_equal(ratchet_ack_check(p.taker, &good), 0);
    for (size_t i = 0; i < COUNT(lies); i++)
        assert_int_equal(ratchet_ack_check(p.taker, &lies[i]), RATCHET_E_REFUSED);
}

/* ---- retention, secrets of the session -------------------------------------------- */

static void ratchet_forget_before__drops_skipped_keys__and_nothing_else(void **state)
{
    struct pair_mail m[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        pair_send(p.taker, "skipped or not", &m[i]);
    assert_int_equal(pair_open(p.inviter, &m[2]), 0);
    assert_int_equal(ratchet_forget_before(p.inviter, PAIR_MINUTE), 0);
    assert_int_equal(pair_open(p.inviter, &m[0]), 0);
    assert_int_equal(ratchet_forget_before(p.inviter, PAIR_MINUTE + 1), 1);
    pair_restart(&p.inviter);
    assert_int_equal(pair_open(p.inviter, &m[1]), RATCHET_E_REFUSED);
    assert_int_equal(pair_open(p.inviter, &m[0]), RATCHET_E_REPEATED);
    assert_int_equal(pair_open(p.inviter, &m[3]), 0);
}

static void ratchet_verify_input__is_the_same_for_both__from_turn_2_on(void **state)
{
    uint8_t a[HASH_BYTES], b[HASH_BYTES], later[HASH_BYTES];

    (void)state;
    assert_int_equal(ratchet_verify_input(p.taker, a), RATCHET_E_EARLY);
    assert_int_equal(ratchet_verify_input(p.inviter, b), RATCHET_E_EARLY);
    pair_round_trip(p.inviter, p.taker);
    assert_int_equal(ratchet_verify_input(p.taker, a), 0);
    assert_int_equal(ratchet_verify_input(p.inviter, b), 0);
    assert_memory_equal(a, b, sizeof a);
    pair_round_trip(p.inviter, p.taker);
    pair_restart(&p.taker);
    assert_int_equal(ratchet_verify_input(p.taker, later), 0);
    assert_memory_equal(a, later, sizeof a);
    ratchet_reset_secret(p.taker, a);
    ratchet_reset_secret(p.inviter, b);
    assert_memory_equal(a, b, sizeof a);
    assert_false(secret_is_zero(a, sizeof a));
}

/* ---- failures from outside -------------------------------------------------------- */

static void seal_with_no_randomness(struct ratchet *r, unsigned draws)
{
    struct bytes before = pair_save(r), after;
    uint8_t envelope[ENVELOPE_BYTES];
    struct support_fault fault;
    struct ratchet_sent at;
    unsigned nth;
    int rc = -EIO;

    for (nth = 1; rc; nth++) {
        support_fail_nth(&fault, SEAM_RANDOM, nth, -EIO);
        rc = ratchet_seal(r, LABEL("words"), envelope, &at);
        support_fail_none();
        if (!rc)
            break;
        assert_int_equal(rc, -EIO);
        pair_same(r, before);
    }
    assert_int_equal(nth, draws + 1);
    after = pair_save(r);
    assert_true(after.n != before.n || memcmp(after.p, before.p, after.n) != 0);
    support_drop(before);
    support_drop(after);
}

static void ratchet_seal__changes_nothing__without_randomness(void **state)
{
    (void)state;
    seal_with_no_randomness(p.inviter, 3); /* pair, encapsulation, salt */
    seal_with_no_randomness(p.inviter, 1); /* salt */
    seal_with_no_randomness(p.taker, 1);
}

static void ratchet_seal__changes_nothing__when_the_payload_is_too_long(void **state)
{
    static const uint8_t words[PAYLOAD_BYTES_MAX + 1];
    struct bytes before = pair_save(p.inviter);
    uint8_t envelope[ENVELOPE_BYTES], payload[PAYLOAD_BYTES_MAX];
    struct ratchet_sent at;
    struct ratchet_opened opened;
    size_t n;

    (void)state;
    assert_int_equal(ratchet_seal(p.inviter, BYTES(words), envelope, &at), -EMSGSIZE);
    pair_same(p.inviter, before);
    support_drop(before);
    assert_int_equal(
        ratchet_seal(p.inviter, (struct bytes){words, PAYLOAD_BYTES_MAX}, envelope, &at),
        0);
    assert_int_equal(ratchet_open(p.taker, envelope, 2, 0, 0, payload, &n, &opened), 0);
    assert_int_equal(n, PAYLOAD_BYTES_MAX);
}

static void ratchet__says_so__when_memory_is_out(void **state)
{
    struct bytes blob = pair_save(p.taker);
    struct support_fault fault;
    struct ratchet *r = NULL;
    struct buf b;

    (void)state;
    support_fail_nth(&fault, SEAM_ALLOC, 1, -ENOMEM);
    assert_int_equal(ratchet_load(blob, &r), -ENOMEM);
    support_fail_nth(&fault, SEAM_ALLOC, 1, -ENOMEM);
    assert_int_equal(ratchet_copy(p.taker, &r), -ENOMEM);
    buf_init(&b, RATCHET_BLOB_BYTES_MAX);
    support_fail_nth(&fault, SEAM_ALLOC, 2, -ENOMEM);
    ratchet_save(p.taker, &b);
    assert_int_equal(b.rc, -ENOMEM);
    buf_free(&b);
    support_fail_none();
    assert_null(r);
    pair_same(p.taker, blob);
    support_drop(blob);
}

static void ratchet__needs_no_memory__to_seal_or_open(void **state)
{
    struct support_fault fault;
    struct pair_mail m;

    (void)state;
    support_fail_nth(&fault, SEAM_ALLOC, 1, -ENOMEM);
    pair_send(p.inviter, "a new turn", &m);
    assert_int_equal(pair_open(p.taker, &m), 0);
    support_fail_none();
    assert_false(fault.fired);
}

static void ratchet__is_repeatable__under_seeded_randomness(void **state)
{
    struct ratchet *twin = NULL;
    struct support_random random;
    struct pair_mail a, b;

    (void)state;
    assert_int_equal(ratchet_copy(p.inviter, &twin), 0);
    support_random_start(&random, 5);
    support_random_install(&random);
    pair_send(p.inviter, "the same", &a);
    support_random_start(&random, 5);
    pair_send(twin, "the same", &b);
    assert_memory_equal(a.envelope, b.envelope, sizeof a.envelope);
    ratchet_free(twin);
}

#define CLAIM(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest claims[] = {
        CLAIM(ratchet__talks__both_ways_for_many_turns),
        CLAIM(ratchet_seal__begins_a_turn__only_after_the_peers_newest_was_opened),
        CLAIM(ratchet__survives__both_sending_at_once),
        CLAIM(ratchet_open__opens_late_ones__of_four_turns_and_none_older),
        CLAIM(ratchet_open__says_repeated__whatever_came_since),
        CLAIM(ratchet_seal__waits_when_full__and_an_empty_turn_heals),
        CLAIM(ratchet_seal__reaches_again__who_lost_a_whole_turn),
        CLAIM(ratchet__survives__hundreds_of_lost_envelopes),
        CLAIM(ratchet_tags__knows_each_envelope__of_four_turns_and_the_next),
        CLAIM(ratchet_acks__tell_what_came__and_only_what_changed),
        CLAIM(ratchet_ack_check__refuses__what_we_never_sent),
        CLAIM(ratchet_forget_before__drops_skipped_keys__and_nothing_else),
        CLAIM(ratchet_verify_input__is_the_same_for_both__from_turn_2_on),
        CLAIM(ratchet_seal__changes_nothing__without_randomness),
        CLAIM(ratchet_seal__changes_nothing__when_the_payload_is_too_long),
        CLAIM(ratchet__says_so__when_memory_is_out),
        CLAIM(ratchet__needs_no_memory__to_seal_or_open),
        CLAIM(ratchet__is_repeatable__under_seeded_randomness),
    };

    return cmocka_run_group_tests(claims, NULL, NULL);
}
