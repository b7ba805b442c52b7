/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/ratchet.h"
#include "tests/support/feed.h"
#include "tests/support/pair.h"

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
    pair_stop(&p);
    return 0;
}

static void ratchet_load__gives_back__every_state_on_the_way(void **state)
{
    struct pair_mail m;

    (void)state;
    for (int i = 0; i < 12; i++) {
        pair_send(p.taker, "skipped", &m);
        pair_send(p.taker, "opened", &m);
        pair_restart(&p.taker);
        assert_int_equal(pair_open(p.inviter, &m), 0);
        pair_restart(&p.inviter);
        pair_send(p.inviter, "opened", &m);
        pair_restart(&p.inviter);
        assert_int_equal(pair_open(p.taker, &m), 0);
        pair_restart(&p.taker);
    }
}

static void ratchet_save__stays_within_its_bound__with_all_keys_skipped(void **state)
{
    struct pair_mail m;
    struct bytes blob;

    (void)state;
    for (int turn = 0; turn < 4; turn++) {
        for (int i = 0; i < TURN_ENVELOPES_MAX - TURN_RESERVED - 1; i++)
            pair_send(p.taker, "skipped", &m);
        assert_int_equal(pair_open(p.inviter, &m), 0);
        pair_send(p.inviter, "next", &m);
        assert_int_equal(pair_open(p.taker, &m), 0);
        pair_send(p.taker, "next", &m);
    }
    pair_restart(&p.inviter);
    blob = pair_save(p.inviter);
    /* 256 in each of four turns would add 16 keys each, of 34 bytes and their n's 3. */
    assert_true(blob.n + (size_t)4 * TURN_RESERVED * 37 < RATCHET_BLOB_BYTES_MAX);
    support_drop(blob);
}

static int load_only(struct bytes in, void *arg)
{
    struct ratchet *r = NULL;
    int rc = ratchet_load(in, &r);

    (void)arg;
    if (rc)
        assert_int_equal(rc, RATCHET_E_BLOB);
    ratchet_free(r);
    return rc;
}

static int stop_at_first(const uint8_t tag[ENVELOPE_TAG_BYTES], uint32_t turn, uint32_t n,
                         void *arg)
{
    (void)tag;
    (void)turn;
    (void)n;
    (void)arg;
    return 1;
}

/* Whatever was loaded has one form, and every call bears it. */
static int load_and_use(struct bytes in, void *arg)
{
    const struct pair_mail *m = arg;
    struct ratchet *r = NULL;
    struct payload_ack acks[ACKS_MAX];
    struct ratchet_counts counts;
    struct ratchet_sent sent;
    uint8_t envelope[ENVELOPE_BYTES];
    int rc = ratchet_load(in, &r);

    if (rc) {
        assert_int_equal(rc, RATCHET_E_BLOB);
        return rc;
    }
    pair_same(r, in);
    ratchet_count(r, &counts);
    for (uint32_t turn = 0; turn < 12; turn++)
        assert_in_range(ratchet_tags(r, turn, stop_at_first, NULL), 0, 1);
    for (size_t i = ratchet_acks(r, acks); i > 0; i--)
        assert_in_range(acks[i - 1].upto, 1, TURN_ENVELOPES_MAX);
    for (int i = 0; i < 3; i++)
        (void)pair_open_as(r, m[i].envelope, m[i].at.turn, m[i].at.n);
    (void)pair_open_as(r, m[0].envelope, counts.peer_turn, 255);
    assert_int_equal(ratchet_seal(r, LABEL("words"), envelope, &sent), 0);
    (void)ratchet_forget_before(r, UINT32_MAX);
    pair_restart(&r);
    ratchet_free(r);
    return 0;
}

/* A state with everything in it: kept keys in closed and open turns, an own turn going
 * on. */
static void mixed_state(struct pair_mail pending[3])
{
    struct pair_mail m;

    for (int i = 0; i < 3; i++) {
        pair_send(p.taker, "skipped", &pending[0]);
        pair_send(p.taker, "opened", &m);
        assert_int_equal(pair_open(p.inviter, &m), 0);
        pair_send(p.inviter, "answer", &m);
        assert_int_equal(pair_open(p.taker, &m), 0);
    }
    pair_send(p.taker, "on its way", &pending[1]);
    pair_send(p.taker, "and one more", &pending[2]);
}

static void survives_both_ways(const struct pair_mail *pending, uint64_t seed)
{
    struct bytes blob = pair_save(p.inviter);

    feed_truncations(blob, load_only, NULL);
    feed_survives(blob, load_and_use, (void *)(uintptr_t)pending, seed);
    support_drop(blob);
}

static void ratchet_load__refuses_or_survives__damage_in_an_own_turn(void **state)
{
    struct pair_mail pending[3];

    (void)state;
    mixed_state(pending);
    survives_both_ways(pending, 3);
}

static void ratchet_load__refuses_or_survives__damage_in_a_peers_turn(void **state)
{
    struct pair_mail pending[3];

    (void)state;
    mixed_state(pending);
    assert_int_equal(pair_open(p.inviter, &pending[2]), 0);
    survives_both_ways(pending, 4);
}

static void ratchet_load__refuses_or_survives__damage_in_a_first_turn(void **state)
{
    struct pair_mail pending[3];
    struct ratchet *fresh = NULL;
    struct bytes blob;

    (void)state;
    for (int i = 0; i < 3; i++)
        pair_send(p.inviter, "turn 2", &pending[i]);
    assert_int_equal(contact_take_start(p.offer.secret, p.cohort, p.offer.pk, &fresh), 0);
    blob = pair_save(fresh); /* with the take's key still in it */
    feed_truncations(blob, load_only, NULL);
    feed_survives(blob, load_and_use, pending, 5);
    support_drop(blob);
    ratchet_free(fresh);
}

static void ratchet_load__refuses__noise_and_other_versions(void **state)
{
    struct support_random random;
    struct bytes blob = pair_save(p.taker);
    uint8_t noise[200];

    (void)state;
    support_random_start(&random, 6);
    for (int i = 0; i < 1000; i++) {
        support_random_fill(&random, noise, sizeof noise);
        assert_int_equal(load_only(BYTES(noise), NULL), RATCHET_E_BLOB);
    }
    ((uint8_t *)(uintptr_t)blob.p)[1] = 2; /* the version */
    assert_int_equal(load_only(blob, NULL), RATCHET_E_BLOB);
    support_drop(blob);
}

#define CLAIM(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest claims[] = {
        CLAIM(ratchet_load__gives_back__every_state_on_the_way),
        CLAIM(ratchet_save__stays_within_its_bound__with_all_keys_skipped),
        CLAIM(ratchet_load__refuses_or_survives__damage_in_an_own_turn),
        CLAIM(ratchet_load__refuses_or_survives__damage_in_a_peers_turn),
        CLAIM(ratchet_load__refuses_or_survives__damage_in_a_first_turn),
        CLAIM(ratchet_load__refuses__noise_and_other_versions),
    };

    return cmocka_run_group_tests(claims, NULL, NULL);
}
