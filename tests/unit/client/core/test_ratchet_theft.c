/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody can do who took a copy of a state: the words before it, the words after
 * it, and two copies that both go on. */
#include "lib/secret.h"
#include "tests/support/pair.h"

#include <string.h>

static struct pair p;

static int start(void **state)
{
    (void)state;
    pair_start(&p);
    pair_round_trip(p.taker, p.inviter);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    pair_stop(&p);
    return 0;
}

/* Anything that this state opens the envelope as, though the thief knows its place. */
static bool thief_opens(const struct bytes stolen, const struct pair_mail *m,
                        bool own_turn)
{
    struct ratchet *thief = pair_load(stolen);
    struct pair_mail scratch;
    bool opened;

    if (own_turn) /* a thief may also begin turns as if it were the victim */
        pair_send(thief, "it's me", &scratch);
    opened = pair_open_as(thief, m->envelope, m->at.turn, m->at.n) == 0;
    ratchet_free(thief);
    return opened;
}

static void assert_closed(const struct bytes stolen, const struct pair_mail *m)
{
    assert_false(thief_opens(stolen, m, false));
    assert_false(thief_opens(stolen, m, true));
}

/* The victim's state is stolen while its own turn is the newest: what the peer answers is
 * lost, and all after the victim's next turn is closed again. */
static void heals(struct ratchet *victim, struct ratchet *peer)
{
    struct pair_mail answer, next, after;
    struct bytes stolen, stolen_later;
    struct ratchet *thief;

    pair_send(victim, "newest", &next);
    stolen = pair_save(victim);
    assert_int_equal(pair_open(peer, &next), 0);
    pair_send(peer, "the thief reads this", &answer);
    assert_true(thief_opens(stolen, &answer, false)); /* the control: theft is real */
    assert_int_equal(pair_open(victim, &answer), 0);

    /* The thief goes along as far as it can. */
    thief = pair_load(stolen);
    assert_int_equal(pair_open(thief, &answer), 0);
    stolen_later = pair_save(thief);
    ratchet_free(thief);

    pair_send(victim, "a fresh key pair", &next);
    assert_int_equal(pair_open(peer, &next), 0);
    for (int i = 0; i < 4; i++) {
        pair_send(peer, "closed again", &after);
        assert_closed(stolen, &after);
        assert_closed(stolen_later, &after);
        assert_int_equal(pair_open(victim, &after), 0);
        pair_round_trip(victim, peer);
    }
    support_drop(stolen);
    support_drop(stolen_later);
}

static void ratchet__heals_in_a_round_trip__after_theft_from_the_taker(void **state)
{
    (void)state;
    heals(p.taker, p.inviter);
}

static void ratchet__heals_in_a_round_trip__after_theft_from_the_inviter(void **state)
{
    (void)state;
    pair_round_trip(p.inviter, p.taker);
    heals(p.inviter, p.taker);
}

/* Stolen while the peer's turn is the newest: the thief has no secret key that anybody
 * still encapsulates to, so it's out at once. */
static void ratchet__heals_at_once__when_the_next_turn_is_the_victims(void **state)
{
    struct pair_mail m, next, answer;
    struct bytes stolen;

    (void)state;
    pair_send(p.taker, "lost, for the control", &m);
    pair_send(p.taker, "opened", &next);
    assert_int_equal(pair_open(p.inviter, &next), 0);
    stolen = pair_save(p.inviter);
    assert_true(
        thief_opens(stolen, &m, false)); /* the control: a skipped key is in there */
    pair_send(p.inviter, "a fresh turn", &next);
    assert_int_equal(pair_open(p.taker, &next), 0);
    pair_send(p.taker, "closed", &answer);
    assert_closed(stolen, &answer);
    support_drop(stolen);
}

static void ratchet__opens_nothing_old__from_a_stolen_state(void **state)
{
    struct pair_mail old[12];
    struct bytes stolen;

    (void)state;
    for (int i = 0; i < 12; i += 4) {
        pair_send(p.taker, "said before", &old[i]);
        pair_send(p.taker, "and this", &old[i + 1]);
        assert_int_equal(pair_open(p.inviter, &old[i + 1]), 0);
        assert_int_equal(pair_open(p.inviter, &old[i]), 0);
        pair_send(p.inviter, "answered before", &old[i + 2]);
        pair_send(p.inviter, "and that", &old[i + 3]);
        assert_int_equal(pair_open(p.taker, &old[i + 2]), 0);
        assert_int_equal(pair_open(p.taker, &old[i + 3]), 0);
    }
    stolen = pair_save(p.inviter);
    for (int i = 0; i < 12; i++)
        assert_false(thief_opens(stolen, &old[i], false));
    support_drop(stolen);
    stolen = pair_save(p.taker);
    for (int i = 0; i < 12; i++)
        assert_false(thief_opens(stolen, &old[i], false));
    support_drop(stolen);
}

static bool contains(struct bytes hay, const uint8_t *needle, size_t n)
{
    for (size_t i = 0; i + n <= hay.n; i++)
        if (!memcmp(hay.p + i, needle, n))
            return true;
    return false;
}

/* 32 of the bytes that the seeded source gave as a turn's secret key. */
static void ratchet__forgets__the_secret_key_of_an_answered_turn(void **state)
{
    struct support_random random;
    struct pair_mail m;
    struct bytes blob;
    uint8_t sk[KEM_SK_BYTES];

    (void)state;
    support_random_start(&random, 99);
    support_random_fill(&random, sk,
                        sizeof sk); /* the first draw of a seal is the pair */
    support_random_start(&random, 99);
    support_random_install(&random);
    pair_send(p.taker, "a new turn", &m);
    support_random_release();
    blob = pair_save(p.taker);
    assert_true(contains(blob, sk, sizeof sk));
    support_drop(blob);
    assert_int_equal(pair_open(p.inviter, &m), 0);
    pair_send(p.inviter, "answered", &m);
    assert_int_equal(pair_open(p.taker, &m), 0);
    blob = pair_save(p.taker);
    assert_false(contains(blob, sk, sizeof sk));
    support_drop(blob);
}

/* The first part of a struct ratchet, as it lies in memory: what a core dump would show.
 */
enum { MEMORY_SEEN_BYTES = 32 * 1024 };

static bool in_memory(const struct ratchet *r, const uint8_t key[32])
{
    return contains((struct bytes){(const uint8_t *)r, MEMORY_SEEN_BYTES}, key, 32);
}

static void ratchet__wipes__the_key_of_a_late_envelope_and_of_an_answered_turn(
    void **state)
{
    uint8_t mk[KEM_SK_BYTES], sk[KEM_SK_BYTES];
    struct support_random random;
    struct pair_mail late, m;
    struct bytes blob;

    (void)state;
    support_random_start(&random, 99);
    support_random_fill(&random, sk, sizeof sk);
    support_random_start(&random, 99);
    support_random_install(&random);
    pair_send(p.taker, "late", &late);
    support_random_release();
    pair_send(p.taker, "in time", &m);
    assert_int_equal(pair_open(p.inviter, &m), 0);
    blob = pair_save(p.inviter);
    memcpy(mk, blob.p + blob.n - sizeof mk, sizeof mk); /* skipped keys come last */
    support_drop(blob);
    assert_true(in_memory(p.inviter, mk));
    assert_int_equal(pair_open(p.inviter, &late), 0);
    assert_false(in_memory(p.inviter, mk));
    assert_true(in_memory(p.taker, sk));
    pair_send(p.inviter, "answered", &m);
    assert_int_equal(pair_open(p.taker, &m), 0);
    assert_false(in_memory(p.taker, sk));
}

/* ---- a profile that was copied or restored: both go on from one state ------------- */

enum {
    HEADER_AT = 32,
    BODY_AT = 32 + ENVELOPE_HEADER_BYTES,
    BODY_TEXT_AT = BODY_AT + 34
};

static bool xor_is(const uint8_t *a, const uint8_t *b, const uint8_t *want, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((a[i] ^ b[i]) != want[i])
            return false;
    return true;
}

/* Two ciphertexts under one key and nonce would differ as their plaintexts do. */
static void assert_no_key_twice(struct ratchet *one, struct ratchet *two)
{
    static const char *const a = "Could we talk on Thursday evening?";
    static const char *const b = "I can't sleep before the exam, it";
    struct pair_mail x, y;
    uint8_t zeros[PAIR_TEXT_BYTES] = {0}, texts[PAIR_TEXT_BYTES] = {0};

    pair_send(one, a, &x);
    pair_send(two, b, &y);
    assert_int_equal(x.at.turn, y.at.turn);
    assert_int_equal(x.at.n, y.at.n);
    assert_memory_equal(x.envelope, y.envelope, ENVELOPE_TAG_BYTES); /* the same place */
    for (size_t i = 0; i < 32; i++)
        texts[i] = (uint8_t)(a[i] ^ b[i]);
    assert_false(xor_is(x.envelope + BODY_AT, y.envelope + BODY_AT, zeros, 32));
    assert_false(xor_is(x.envelope + BODY_TEXT_AT, y.envelope + BODY_TEXT_AT, texts, 32));
    assert_false(xor_is(x.envelope + HEADER_AT, y.envelope + HEADER_AT, zeros, 32));
}

static void ratchet_seal__never_uses_a_key_twice__in_a_copied_profile(void **state)
{
    struct ratchet *copy = NULL;

    (void)state;
    assert_int_equal(ratchet_copy(p.taker, &copy), 0);
    assert_no_key_twice(p.taker, copy); /* a turn begun by both */
    ratchet_free(copy);
    assert_int_equal(ratchet_copy(p.taker, &copy), 0);
    for (int i = 0; i < 5; i++)
        assert_no_key_twice(p.taker, copy); /* a turn that both continue */
    ratchet_free(copy);
}

static void contact_take_seal__never_uses_a_key_twice__when_asked_again(void **state)
{
    static uint8_t one[ENVELOPE_BYTES], two[ENVELOPE_BYTES];
    struct ratchet *r = NULL;

    (void)state;
    assert_int_equal(contact_take_start(p.offer.secret, p.cohort, p.offer.pk, &r), 0);
    assert_int_equal(contact_take_seal(r, p.offer.secret, LABEL("the same"), one), 0);
    assert_int_equal(contact_take_seal(r, p.offer.secret, LABEL("the same"), two), 0);
    for (size_t i = 0; i + 16 <= ENVELOPE_BYTES; i += 16)
        assert_memory_not_equal(one + i, two + i, 16);
    ratchet_free(r);
}

static void ratchet_open__opens_one__of_two_copies_and_goes_on(void **state)
{
    struct ratchet *copy = NULL;
    struct pair_mail x, y;

    (void)state;
    pair_send(p.taker, "before the copy", &x);
    assert_int_equal(ratchet_copy(p.taker, &copy), 0);
    pair_send(p.taker, "from the one", &x);
    pair_send(copy, "from the other", &y);
    assert_int_equal(pair_open(p.inviter, &y), 0);
    assert_int_equal(pair_open_as(p.inviter, x.envelope, x.at.turn, x.at.n),
                     RATCHET_E_REPEATED);
    pair_round_trip(p.inviter, p.taker);
    ratchet_free(copy);
}

#define CLAIM(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest claims[] = {
        CLAIM(ratchet__heals_in_a_round_trip__after_theft_from_the_taker),
        CLAIM(ratchet__heals_in_a_round_trip__after_theft_from_the_inviter),
        CLAIM(ratchet__heals_at_once__when_the_next_turn_is_the_victims),
        CLAIM(ratchet__opens_nothing_old__from_a_stolen_state),
        CLAIM(ratchet__forgets__the_secret_key_of_an_answered_turn),
        CLAIM(ratchet__wipes__the_key_of_a_late_envelope_and_of_an_answered_turn),
        CLAIM(ratchet_seal__never_uses_a_key_twice__in_a_copied_profile),
        CLAIM(contact_take_seal__never_uses_a_key_twice__when_asked_again),
        CLAIM(ratchet_open__opens_one__of_two_copies_and_goes_on),
    };

    return cmocka_run_group_tests(claims, NULL, NULL);
}
