/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/contact.h"

#include "lib/secret.h"
#include "tests/support/feed.h"
#include "tests/support/pair.h"

#include <errno.h>
#include <string.h>

static struct contact_offer offer;
static uint8_t cohort[HASH_BYTES], offered[ENVELOPE_BYTES], taken[ENVELOPE_BYTES];
static struct ratchet *taker;

static int start(void **state)
{
    (void)state;
    assert_int_equal(secret_start(), 0);
    assert_int_equal(contact_offer_new(&offer), 0);
    assert_int_equal(contact_offer_seal(&offer, LABEL("an offer"), offered), 0);
    assert_int_equal(contact_take_start(offer.secret, cohort, offer.pk, &taker), 0);
    assert_int_equal(contact_take_seal(taker, offer.secret, LABEL("a take"), taken), 0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    support_fail_none();
    ratchet_free(taker);
    return 0;
}

static int accept(const uint8_t *envelope, struct ratchet **out)
{
    uint8_t payload[PAYLOAD_BYTES_MAX];
    size_t n;

    return contact_accept(&offer, cohort, envelope, PAIR_MINUTE, payload, &n, out);
}

static void contact__begins_a_conversation__both_can_read(void **state)
{
    struct ratchet *inviter = NULL;
    uint8_t payload[PAYLOAD_BYTES_MAX], pk[KEM_PK_BYTES];
    struct pair_mail m;
    size_t n = 0;

    (void)state;
    assert_int_equal(contact_offer_open(offer.secret, offered, pk, payload, &n), 0);
    support_equal((struct bytes){payload, n}, LABEL("an offer"));
    assert_memory_equal(pk, offer.pk, sizeof pk);
    assert_int_equal(
        contact_accept(&offer, cohort, taken, PAIR_MINUTE, payload, &n, &inviter), 0);
    support_equal((struct bytes){payload, n}, LABEL("a take"));
    /* The taker may write on before it hears anything. */
    pair_send(taker, "in turn 1 still", &m);
    assert_int_equal(m.at.n, 1);
    assert_int_equal(pair_open(inviter, &m), 0);
    pair_round_trip(inviter, taker);
    pair_round_trip(taker, inviter);
    ratchet_free(inviter);
}

static void contact_is__knows_its_own__and_nobody_elses(void **state)
{
    struct contact_offer other;

    (void)state;
    assert_int_equal(contact_offer_new(&other), 0);
    assert_true(contact_is(offer.secret, ENVELOPE_OFFER, offered));
    assert_true(contact_is(offer.secret, ENVELOPE_TAKE, taken));
    assert_false(contact_is(offer.secret, ENVELOPE_TAKE, offered));
    assert_false(contact_is(offer.secret, ENVELOPE_OFFER, taken));
    assert_false(contact_is(other.secret, ENVELOPE_OFFER, offered));
    assert_false(contact_is(other.secret, ENVELOPE_TAKE, taken));
}

static void contact_take_seal__is_the_same_take__when_sealed_anew(void **state)
{
    struct ratchet *one = NULL, *two = NULL;
    uint8_t again[ENVELOPE_BYTES], id[HASH_BYTES], id_again[HASH_BYTES];
    struct pair_mail m;
    struct bytes same;

    (void)state;
    pair_restart(&taker);
    assert_int_equal(contact_take_seal(taker, offer.secret, LABEL("a take"), again), 0);
    assert_memory_not_equal(again, taken, ENVELOPE_TAG_BYTES);
    assert_int_equal(contact_take_id(offer.secret, taken, id), 0);
    assert_int_equal(contact_take_id(offer.secret, again, id_again), 0);
    assert_memory_equal(id, id_again, sizeof id);
    assert_int_equal(accept(taken, &one), 0);
    assert_int_equal(accept(again, &two), 0);
    same = pair_save(two);
    pair_same(one, same);
    support_drop(same);
    pair_send(two, "whichever was the first", &m);
    assert_int_equal(pair_open(taker, &m), 0);
    ratchet_free(one);
    ratchet_free(two);
}

static void contact_take_id__tells_a_second_taker(void **state)
{
    struct ratchet *second = NULL;
    uint8_t other[ENVELOPE_BYTES], id[HASH_BYTES], other_id[HASH_BYTES];

    (void)state;
    assert_int_equal(contact_take_start(offer.secret, cohort, offer.pk, &second), 0);
    assert_int_equal(contact_take_seal(second, offer.secret, LABEL("me too"), other), 0);
    assert_memory_not_equal(other, taken, ENVELOPE_TAG_BYTES);
    assert_int_equal(contact_take_id(offer.secret, taken, id), 0);
    assert_int_equal(contact_take_id(offer.secret, other, other_id), 0);
    assert_memory_not_equal(id, other_id, sizeof id);
    assert_int_equal(contact_take_id(offer.secret, offered, id), CONTACT_E_REFUSED);
    ratchet_free(second);
}

static void contact_take_seal__stops__once_the_take_is_durable_or_answered(void **state)
{
    struct ratchet *inviter = NULL;
    struct pair_mail m;
    uint8_t again[ENVELOPE_BYTES];
    struct ratchet *answered = NULL;

    (void)state;
    assert_int_equal(ratchet_copy(taker, &answered), 0);
    ratchet_take_posted(taker);
    pair_restart(&taker);
    assert_int_equal(contact_take_seal(taker, offer.secret, LABEL("again"), again),
                     CONTACT_E_TAKEN);
    assert_int_equal(accept(taken, &inviter), 0);
    pair_send(inviter, "an answer", &m);
    assert_int_equal(pair_open(answered, &m), 0);
    assert_int_equal(contact_take_seal(answered, offer.secret, LABEL("again"), again),
                     CONTACT_E_TAKEN);
    ratchet_free(inviter);
    ratchet_free(answered);
}

static void contact_accept__refuses__another_cohort_or_key(void **state)
{
    struct ratchet *r = NULL;
    uint8_t other[HASH_BYTES] = {1}, payload[PAYLOAD_BYTES_MAX];
    struct contact_offer forged = offer;
    size_t n;

    (void)state;
    assert_int_equal(contact_accept(&offer, other, taken, 0, payload, &n, &r),
                     CONTACT_E_REFUSED);
    assert_int_equal(kem_keypair(forged.pk, forged.sk), 0);
    assert_int_equal(contact_accept(&forged, cohort, taken, 0, payload, &n, &r),
                     CONTACT_E_REFUSED);
    assert_null(r);
}

/* A take sealed by somebody who has the link, with a key nobody could answer to. */
static void contact_accept__refuses__a_pk_that_fails_to_encapsulate(void **state)
{
    uint8_t ct[KEM_CT_BYTES], pk[KEM_PK_BYTES], envelope[ENVELOPE_BYTES];
    uint8_t body[ENVELOPE_BODY_BYTES], salt[ENVELOPE_SALT_BYTES] = {3};
    struct ratchet_take take;
    struct ratchet *r = NULL;

    (void)state;
    assert_int_equal(envelope_take_open(offer.secret, taken, ct, pk, body), 0);
    assert_int_equal(ratchet_take_parts(taker, salt, &take), 0);
    assert_int_equal(envelope_take_seal(offer.secret, salt, take.ct, take.pk, take.k_body,
                                        take.th_1, LABEL("good"), envelope),
                     0);
    assert_int_equal(accept(envelope, &r), 0); /* the control */
    ratchet_free(r);
    r = NULL;
    memset(take.pk + KEM_PK_BYTES - 32, 0, 32);
    assert_int_equal(envelope_take_seal(offer.secret, salt, take.ct, take.pk, take.k_body,
                                        take.th_1, LABEL("bad"), envelope),
                     0);
    assert_int_equal(accept(envelope, &r), CONTACT_E_REFUSED);
    memset(pk + KEM_PK_BYTES - 32, 0, 32);
    assert_int_equal(contact_take_start(offer.secret, cohort, pk, &r), CONTACT_E_REFUSED);
    assert_null(r);
}

static int open_offer(struct bytes in, void *arg)
{
    uint8_t payload[PAYLOAD_BYTES_MAX], pk[KEM_PK_BYTES];
    size_t n;

    (void)arg;
    if (in.n != ENVELOPE_BYTES)
        return CONTACT_E_REFUSED;
    return contact_offer_open(offer.secret, in.p, pk, payload, &n);
}

static int accept_take(struct bytes in, void *arg)
{
    struct ratchet *r = NULL;
    int rc = in.n == ENVELOPE_BYTES ? accept(in.p, &r) : CONTACT_E_REFUSED;

    (void)arg;
    assert_true(rc == 0 || !r);
    ratchet_free(r);
    return rc;
}

static void contact_offer_open__refuses__all_damage(void **state)
{
    (void)state;
    feed_refuses(BYTES(offered), open_offer, NULL, 21);
}

static void contact_accept__refuses__all_damage(void **state)
{
    (void)state;
    feed_refuses(BYTES(taken), accept_take, NULL, 22);
}

/* ---- failures from outside -------------------------------------------------------- */

static int make_offer(void)
{
    struct contact_offer made;
    int rc = contact_offer_new(&made);

    if (rc)
        assert_true(secret_is_zero(&made, sizeof made));
    return rc;
}

static int seal_offer(void)
{
    uint8_t envelope[ENVELOPE_BYTES];

    return contact_offer_seal(&offer, LABEL("words"), envelope);
}

static int start_take(void)
{
    struct ratchet *r = NULL;
    int rc = contact_take_start(offer.secret, cohort, offer.pk, &r);

    assert_true(rc == 0 || !r);
    ratchet_free(r);
    return rc;
}

static int seal_take(void)
{
    struct bytes before = pair_save(taker);
    uint8_t envelope[ENVELOPE_BYTES];
    int rc = contact_take_seal(taker, offer.secret, LABEL("words"), envelope);

    pair_same(taker, before);
    support_drop(before);
    return rc;
}

static int accept_once(void)
{
    struct ratchet *r = NULL;
    int rc = accept(taken, &r);

    assert_true(rc == 0 || !r);
    ratchet_free(r);
    return rc;
}

static void fails_cleanly(int (*step)(void), enum seam kind, int code, unsigned calls)
{
    struct support_fault fault;
    unsigned nth = 0;
    int rc;

    do {
        support_fail_nth(&fault, kind, ++nth, code);
        rc = step();
        support_fail_none();
        if (fault.fired)
            assert_int_equal(rc, code);
    } while (fault.fired);
    assert_int_equal(rc, 0);
    assert_int_equal(nth, calls + 1);
}

static void contact__leaves_nothing__when_randomness_or_memory_fails(void **state)
{
    (void)state;
    fails_cleanly(make_offer, SEAM_RANDOM, -EIO, 2);
    fails_cleanly(seal_offer, SEAM_RANDOM, -EIO, 1);
    fails_cleanly(start_take, SEAM_RANDOM, -EIO, 2);
    fails_cleanly(start_take, SEAM_ALLOC, -ENOMEM, 1);
    fails_cleanly(accept_once, SEAM_RANDOM, -EIO, 0);
    fails_cleanly(accept_once, SEAM_ALLOC, -ENOMEM, 1);
}

static void contact_take_seal__leaves_nothing__when_randomness_fails(void **state)
{
    struct support_fault fault;
    uint8_t envelope[ENVELOPE_BYTES];

    (void)state;
    support_fail_nth(&fault, SEAM_RANDOM, 1, -EIO);
    assert_int_equal(contact_take_seal(taker, offer.secret, LABEL("words"), envelope),
                     -EIO);
    support_fail_none();
    assert_int_equal(seal_take(), 0);
}

static void contact__says_so__when_a_payload_is_too_long(void **state)
{
    static const uint8_t words[PAYLOAD_BYTES_MAX + 1];
    uint8_t envelope[ENVELOPE_BYTES];

    (void)state;
    assert_int_equal(contact_offer_seal(&offer, BYTES(words), envelope), -EMSGSIZE);
    assert_int_equal(contact_take_seal(taker, offer.secret, BYTES(words), envelope),
                     -EMSGSIZE);
}

#define CLAIM(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest claims[] = {
        CLAIM(contact__begins_a_conversation__both_can_read),
        CLAIM(contact_is__knows_its_own__and_nobody_elses),
        CLAIM(contact_take_seal__is_the_same_take__when_sealed_anew),
        CLAIM(contact_take_id__tells_a_second_taker),
        CLAIM(contact_take_seal__stops__once_the_take_is_durable_or_answered),
        CLAIM(contact_accept__refuses__another_cohort_or_key),
        CLAIM(contact_accept__refuses__a_pk_that_fails_to_encapsulate),
        CLAIM(contact_offer_open__refuses__all_damage),
        CLAIM(contact_accept__refuses__all_damage),
        CLAIM(contact__leaves_nothing__when_randomness_or_memory_fails),
        CLAIM(contact_take_seal__leaves_nothing__when_randomness_fails),
        CLAIM(contact__says_so__when_a_payload_is_too_long),
    };

    return cmocka_run_group_tests(claims, NULL, NULL);
}
