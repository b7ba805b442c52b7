/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/members.h"
#include "lib/log.h"
#include "lib/secret.h"
#include "tests/support/support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t cohort[32] = {7};
static const uint8_t channel[64] = {1, 2, 3}, other_channel[64] = {9};

struct person {
    uint8_t pk[SIGN_PK_BYTES], sk[SIGN_SK_BYTES];
};

struct bench {
    uv_loop_t loop;
    struct store *s;
    struct commit *c;
    struct members *m;
    struct support_clock clock;
    int rc; /* of the last invite or revocation */
    enum code code;
    uint8_t secret[INVITE_SECRET_BYTES];
    uint32_t number;
    bool answered;
};

static void stopped(void *arg)
{
    (void)arg;
}

static void start(struct bench *b)
{
    assert_int_equal(commit_start(&b->loop, b->s, &b->clock.clock, NULL, NULL, &b->c), 0);
    assert_int_equal(members_open(b->s, b->c, &b->clock.clock, cohort, &b->m), 0);
}

static void stop(struct bench *b)
{
    commit_stop(b->c, stopped, NULL);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    members_free(b->m);
    commit_free(b->c);
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);

    *state = b;
    support_clock_start(&b->clock, 1700000000000);
    assert_int_equal(uv_loop_init(&b->loop), 0);
    assert_int_equal(store_open_mem(cohort, 4, &b->s), 0);
    start(b);
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;

    support_fail_none();
    stop(b);
    store_close(b->s);
    assert_int_equal(uv_loop_close(&b->loop), 0);
    free(b);
    return 0;
}

static struct person person(void)
{
    struct person p;

    assert_int_equal(sign_keypair(p.pk, p.sk), 0);
    return p;
}

static void turn(struct bench *b)
{
    while (!b->answered)
        uv_run(&b->loop, UV_RUN_ONCE);
    b->answered = false;
}

static void on_invited(int rc, const uint8_t secret[INVITE_SECRET_BYTES],
                       const struct store_invite *invite, void *arg)
{
    struct bench *b = arg;

    b->rc = rc;
    b->answered = true;
    memcpy(b->secret, secret, INVITE_SECRET_BYTES);
    b->number = invite->number;
}

static void invite(struct bench *b, uint32_t hours)
{
    assert_int_equal(members_invite(b->m, hours, on_invited, b), 0);
    turn(b);
    assert_int_equal(b->rc, 0);
}

static void on_enrolled(enum code code, uint64_t session, uint32_t request, void *arg)
{
    struct bench *b = arg;

    assert_int_equal(session, 77);
    assert_int_equal(request, 5);
    b->code = code;
    b->answered = true;
}

static struct msg_enrol enrolment(const struct person *p, const uint8_t *secret,
                                  const uint8_t h[64])
{
    struct msg_enrol m;

    memcpy(m.secret, secret, INVITE_SECRET_BYTES);
    memcpy(m.key, p->pk, SIGN_PK_BYTES);
    assert_int_equal(msg_enrol_sign(&m, p->sk, cohort, h), 0);
    return m;
}

static enum code enrol(struct bench *b, const struct person *p, const uint8_t *secret)
{
    struct msg_enrol m = enrolment(p, secret, channel);

    assert_int_equal(members_enrol(b->m, &m, channel, 77, 5, on_enrolled, b), CODE_OK);
    turn(b);
    return b->code;
}

static enum code prove(struct bench *b, const struct person *p, uint32_t *number)
{
    struct msg_prove m;

    memcpy(m.key, p->pk, SIGN_PK_BYTES);
    assert_int_equal(msg_prove_sign(&m, p->sk, cohort, channel), 0);
    return members_prove(b->m, &m, channel, number);
}

static void on_revoked(int rc, void *arg)
{
    struct bench *b = arg;

    b->rc = rc;
    b->answered = true;
}

static void members_enrol__makes_a_member__of_who_has_an_invite(void **state)
{
    struct bench *b = *state;
    struct person p = person(), q = person();
    uint32_t number;

    assert_int_equal(prove(b, &p, &number), CODE_NOT_A_MEMBER);
    assert_int_equal(number, 0);
    invite(b, 24);
    assert_int_equal(enrol(b, &p, b->secret), CODE_OK);
    assert_int_equal(prove(b, &p, &number), CODE_OK);
    assert_int_equal(number, b->number);
    assert_int_equal(members_still(b->m, number), CODE_OK);
    assert_int_equal(members_still(b->m, number + 1), CODE_NOT_A_MEMBER);
    assert_int_equal(members_still(b->m, 0), CODE_NOT_A_MEMBER);
    assert_int_equal(prove(b, &q, &number), CODE_NOT_A_MEMBER);
    assert_int_equal(enrol(b, &p, b->secret), CODE_OK); /* its answer was lost */
}

static void members_enrol__refuses_alike__whatever_is_wrong_with_the_invite(void **state)
{
    struct bench *b = *state;
    struct person p = person(), q = person();
    uint8_t unknown[INVITE_SECRET_BYTES] = {1}, used[INVITE_SECRET_BYTES],
            revoked[INVITE_SECRET_BYTES];

    assert_int_equal(enrol(b, &q, unknown), CODE_INVITE_USED);
    invite(b, 24);
    memcpy(used, b->secret, sizeof used);
    assert_int_equal(enrol(b, &p, used), CODE_OK);
    assert_int_equal(enrol(b, &q, used), CODE_INVITE_USED);
    invite(b, 24);
    memcpy(revoked, b->secret, sizeof revoked);
    assert_int_equal(members_revoke(b->m, b->number, on_revoked, b), 0);
    turn(b);
    assert_int_equal(enrol(b, &q, revoked), CODE_INVITE_USED);
    invite(b, 24);
    assert_int_equal(enrol(b, &p, b->secret), CODE_INVITE_USED); /* a key twice */
    support_clock_pass(&b->clock, 26ull * 3600 * 1000);
    assert_int_equal(enrol(b, &q, b->secret), CODE_INVITE_USED); /* expired */
}

static void members_enrol__checks_the_signature__before_anything(void **state)
{
    struct bench *b = *state;
    struct person p = person();
    struct msg_enrol m;
    uint32_t number;

    invite(b, 24);
    m = enrolment(&p, b->secret, other_channel); /* of another connection */
    assert_int_equal(members_enrol(b->m, &m, channel, 77, 5, on_enrolled, b),
                     CODE_NOT_A_MEMBER);
    m = enrolment(&p, b->secret, channel);
    m.key[0] ^= 1;
    assert_int_equal(members_enrol(b->m, &m, channel, 77, 5, on_enrolled, b),
                     CODE_NOT_A_MEMBER);
    assert_int_equal(commit_waiting(b->c), 0);
    assert_int_equal(prove(b, &p, &number), CODE_NOT_A_MEMBER);
}

static void members_prove__refuses__a_proof_of_another_connection(void **state)
{
    struct bench *b = *state;
    struct person p = person();
    struct msg_prove m;
    uint32_t number;

    invite(b, 24);
    assert_int_equal(enrol(b, &p, b->secret), CODE_OK);
    memcpy(m.key, p.pk, SIGN_PK_BYTES);
    assert_int_equal(msg_prove_sign(&m, p.sk, cohort, other_channel), 0);
    assert_int_equal(members_prove(b->m, &m, channel, &number), CODE_NOT_A_MEMBER);
    assert_int_equal(members_prove(b->m, &m, other_channel, &number), CODE_OK);
}

static void members_revoke__bites__at_once_and_for_good(void **state)
{
    struct bench *b = *state;
    struct person p = person(), q = person();
    struct msg_prove forged;
    uint32_t number;

    invite(b, 24);
    assert_int_equal(enrol(b, &p, b->secret), CODE_OK);
    assert_int_equal(prove(b, &p, &number), CODE_OK);
    assert_int_equal(members_revoke(b->m, number, on_revoked, b), 0);
    assert_int_equal(members_still(b->m, number),
                     CODE_REVOKED); /* before the disk has it */
    turn(b);
    assert_int_equal(b->rc, 0);
    assert_int_equal(prove(b, &p, &number), CODE_REVOKED);
    assert_int_equal(number, 0);
    /* Who does not hold the key is not told about it. */
    memcpy(forged.key, p.pk, SIGN_PK_BYTES);
    assert_int_equal(msg_prove_sign(&forged, q.sk, cohort, channel), 0);
    memcpy(forged.key, p.pk, SIGN_PK_BYTES);
    assert_int_equal(members_prove(b->m, &forged, channel, &number), CODE_NOT_A_MEMBER);

    stop(b);
    start(b); /* the index is read anew */
    assert_int_equal(prove(b, &p, &number), CODE_REVOKED);
    assert_int_equal(members_revoke(b->m, 99, on_revoked, b), 0);
    turn(b);
    assert_int_equal(b->rc, STORE_E_ABSENT);
}

static void members_revoke__bites__an_enrolment_on_its_way(void **state)
{
    struct bench *b = *state;
    struct person p = person();
    struct msg_enrol m;
    uint32_t number = 1;

    invite(b, 24);
    m = enrolment(&p, b->secret, channel);
    assert_int_equal(members_enrol(b->m, &m, channel, 77, 5, on_enrolled, b), CODE_OK);
    assert_int_equal(members_revoke(b->m, b->number, on_revoked, b), 0);
    b->rc = 99;
    while (b->rc == 99)
        uv_run(&b->loop, UV_RUN_ONCE);
    b->answered = false;
    assert_int_equal(prove(b, &p, &number), CODE_REVOKED);
}

static void members_open__knows_again__who_enrolled_before(void **state)
{
    enum { MANY = 60 };
    struct bench *b = *state;
    struct person people[MANY];
    uint32_t numbers[MANY], number;

    for (int i = 0; i < MANY; i++) {
        people[i] = person();
        invite(b, 24);
        if (i % 3 == 0) { /* one that nobody used, and one revoked before anybody did */
            assert_int_equal(members_revoke(b->m, b->number, on_revoked, b), 0);
            turn(b);
            invite(b, 24);
            invite(b, 24);
        }
        numbers[i] = b->number;
        assert_int_equal(enrol(b, &people[i], b->secret), CODE_OK);
    }
    stop(b);
    start(b);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(prove(b, &people[i], &number), CODE_OK);
        assert_int_equal(number, numbers[i]);
        assert_int_equal(members_still(b->m, number), CODE_OK);
    }
}

static void members_enrol__answers_storage_full__when_it_is(void **state)
{
    struct bench *b = *state;
    struct person p = person();
    struct support_fault fault;
    uint32_t number;

    invite(b, 24);
    support_fail_nth(&fault, SEAM_WRITE, 1, -ENOSPC);
    assert_int_equal(enrol(b, &p, b->secret), CODE_STORAGE_FULL);
    support_fail_none();
    assert_int_equal(prove(b, &p, &number), CODE_NOT_A_MEMBER);
    assert_int_equal(enrol(b, &p, b->secret), CODE_OK);
    support_fail_nth(&fault, SEAM_SYNC, 1, -EIO);
    assert_int_equal(members_invite(b->m, 24, on_invited, b), 0);
    turn(b);
    support_fail_none();
    assert_int_equal(b->rc, STORE_E_BROKEN);
    p = person();
    assert_int_equal(enrol(b, &p, b->secret), CODE_UNAVAILABLE);
}

static void members__fail_cleanly__without_memory(void **state)
{
    struct bench *b = *state;
    struct person p = person();
    struct msg_enrol m;
    struct support_fault fault;
    uint32_t number;

    invite(b, 24);
    m = enrolment(&p, b->secret, channel);
    for (unsigned nth = 1;; nth++) {
        enum code code;

        support_fail_nth(&fault, SEAM_ALLOC, nth, -ENOMEM);
        code = members_enrol(b->m, &m, channel, 77, 5, on_enrolled, b);
        if (code == CODE_OK) {
            turn(b);
            code = b->code;
        }
        support_fail_none();
        if (!fault.fired) {
            assert_int_equal(code, CODE_OK);
            break;
        }
        assert_int_equal(code, CODE_UNAVAILABLE);
    }
    assert_int_equal(prove(b, &p, &number), CODE_OK);
}

static void drop_line(enum log_level level, const char *line, void *arg)
{
    (void)level;
    (void)line;
    (void)arg;
}

#define CLAIM(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest claims[] = {
        CLAIM(members_enrol__makes_a_member__of_who_has_an_invite),
        CLAIM(members_enrol__refuses_alike__whatever_is_wrong_with_the_invite),
        CLAIM(members_enrol__checks_the_signature__before_anything),
        CLAIM(members_prove__refuses__a_proof_of_another_connection),
        CLAIM(members_revoke__bites__at_once_and_for_good),
        CLAIM(members_revoke__bites__an_enrolment_on_its_way),
        CLAIM(members_open__knows_again__who_enrolled_before),
        CLAIM(members_enrol__answers_storage_full__when_it_is),
        CLAIM(members__fail_cleanly__without_memory),
    };

    if (secret_start())
        return 1;
    log_set_sink(drop_line, NULL);
    return cmocka_run_group_tests_name("members", claims, NULL, NULL);
}
