/* SPDX-License-Identifier: Apache-2.0 */
/* What a relay could do to an envelope, and what a peer could put into one. */
#include "client/core/turn_own.h"
#include "lib/secret.h"
#include "proto/mp_read.h"
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

/* ---- damage on the way ------------------------------------------------------------ */

struct target {
    const struct ratchet *r; /* stays as it is: each try is made on a copy */
    struct bytes before;
    struct ratchet_sent at;
};

static int open_damaged(struct bytes in, void *arg)
{
    struct target *t = arg;
    struct ratchet *r = NULL;
    int rc;

    /* What has another length never gets as far as a ratchet. */
    if (in.n != ENVELOPE_BYTES)
        return RATCHET_E_REFUSED;
    assert_int_equal(ratchet_copy(t->r, &r), 0);
    rc = pair_open_as(r, in.p, t->at.turn, t->at.n);
    if (rc)
        pair_same(r, t->before);
    ratchet_free(r);
    return rc;
}

static void refuses_all_damage(struct ratchet *r, const struct pair_mail *m)
{
    struct target t = {r, pair_save(r), m->at};
    uint8_t cut[ENVELOPE_BYTES] = {0};

    feed_refuses(BYTES(m->envelope), open_damaged, &t, 11);
    for (size_t n = 0; n < ENVELOPE_BYTES; n++) { /* the rest zeros, or the last one's */
        if (m->envelope[n] != 0)
            assert_int_equal(open_damaged(BYTES(cut), &t), RATCHET_E_REFUSED);
        cut[n] = m->envelope[n];
    }
    support_drop(t.before);
    assert_int_equal(pair_open(r, m), 0);
}

static void ratchet_open__refuses_all_damage__to_the_first_of_a_turn(void **state)
{
    struct pair_mail m;

    (void)state;
    pair_send(p.inviter, "begins turn 2", &m);
    refuses_all_damage(p.taker, &m);
}

static void ratchet_open__refuses_all_damage__within_a_turn(void **state)
{
    struct pair_mail skipped, m;

    (void)state;
    pair_send(p.taker, "skipped", &skipped);
    pair_send(p.taker, "turn 1", &m);
    refuses_all_damage(p.inviter, &m);
    refuses_all_damage(p.inviter, &skipped);
}

static void ratchet_open__refuses__every_other_position(void **state)
{
    struct pair_mail m;
    struct target t = {p.taker, {NULL, 0}, {0, 0, false}};

    (void)state;
    pair_round_trip(p.inviter, p.taker);
    pair_send(p.taker, "of turn 3", &m);
    t.r = p.inviter;
    t.before = pair_save(p.inviter);
    for (t.at.turn = 0; t.at.turn < 8; t.at.turn++)
        for (t.at.n = 0; t.at.n < 300; t.at.n++)
            if (t.at.turn != m.at.turn || t.at.n != m.at.n)
                assert_int_equal(open_damaged(BYTES(m.envelope), &t), RATCHET_E_REFUSED);
    support_drop(t.before);
    assert_int_equal(pair_open(p.inviter, &m), 0);
}

static void ratchet_open__refuses__ones_own_and_anothers(void **state)
{
    struct pair_mail own, others;
    struct pair q;

    (void)state;
    pair_start(&q);
    pair_send(p.inviter, "mine", &own);
    pair_send(q.inviter, "of another conversation", &others);
    for (uint32_t turn = 0; turn < 5; turn++) {
        assert_int_equal(pair_open_as(p.inviter, own.envelope, turn, 0),
                         RATCHET_E_REFUSED);
        assert_int_equal(pair_open_as(p.taker, others.envelope, turn, 0),
                         RATCHET_E_REFUSED);
    }
    pair_stop(&q);
}

/* ---- a peer who seals what no honest one would ------------------------------------ */

/* The secrets of a state whose newest turn is its own or the peer's, read from its blob.
 */
struct bare {
    bool taker;
    uint32_t turn;
    struct turn_root root;
    struct turn_own own; /* with heads and ck if the newest is its own */
    uint8_t peer_pk[KEM_PK_BYTES];
};

static void read_bare_own(struct mp *r, struct turn_own *own)
{
    size_t fields = mp_array(r, 2, 11);

    own->turn = (uint32_t)mp_uint(r, 0, UINT32_MAX);
    own->sent = (uint32_t)mp_uint(r, 0, UINT32_MAX);
    if (fields == 2)
        return;
    own->header.pn = (uint32_t)mp_uint(r, 0, UINT32_MAX);
    own->granted = (uint32_t)mp_uint(r, 0, UINT32_MAX);
    mp_bin_copy(r, own->sk, sizeof own->sk);
    mp_bin_copy(r, own->ck, sizeof own->ck);
    mp_bin_copy(r, own->heads.tk, sizeof own->heads.tk);
    mp_bin_copy(r, own->heads.he, sizeof own->heads.he);
    mp_bin_copy(r, own->header.pk, sizeof own->header.pk);
    mp_bin_copy(r, own->header.ct, sizeof own->header.ct);
    mp_skip(r);
}

static struct bare bare_of(const struct ratchet *state)
{
    struct bytes blob = pair_save(state);
    struct mp r = mp_over(blob);
    struct bare b = {0};

    mp_array(&r, 11, 11);
    mp_uint(&r, 1, 1);
    b.taker = mp_bool(&r);
    b.turn = (uint32_t)mp_uint(&r, 1, UINT32_MAX);
    mp_bin_copy(&r, b.root.rk, sizeof b.root.rk);
    mp_bin_copy(&r, b.root.th, sizeof b.root.th);
    mp_bin_copy(&r, b.root.hk_next, sizeof b.root.hk_next);
    mp_skip(&r);
    mp_skip(&r);
    read_bare_own(&r, &b.own);
    mp_leave(&r);
    if (mp_peek(&r) == MP_BIN)
        mp_bin_copy(&r, b.peer_pk, sizeof b.peer_pk);
    assert_int_equal(r.rc, 0);
    support_drop(blob);
    return b;
}

/* The inviter's turn 2, to be changed before it is sealed. */
struct forged {
    struct turn_own own;
    struct turn_secrets made;
};

static struct forged forge_turn(const struct ratchet *inviter)
{
    struct bare b = bare_of(inviter);
    struct forged f = {0};

    assert_int_equal(
        turn_own_begin(&f.own, b.turn + 1, b.own.sent, &b.root, b.peer_pk, &f.made), 0);
    turn_heads(&f.own.heads, b.root.hk_next);
    return f;
}

/* Message 0 with the header as it stands now, whatever it says. */
static int open_forged(struct ratchet *to, struct forged *f)
{
    uint8_t envelope[ENVELOPE_BYTES], salt[ENVELOPE_SALT_BYTES] = {1};
    uint8_t tag[16], k_hdr[32], k_body[32], mk[32], ck[32];
    struct bytes before = pair_save(to);
    int rc;

    memcpy(ck, f->own.ck, sizeof ck);
    turn_step(ck, mk);
    turn_tag(tag, &f->own.heads, 0);
    turn_header_key(k_hdr, &f->own.heads, 0, salt);
    turn_body_key(k_body, mk, salt);
    assert_int_equal(envelope_mail_seal(tag, salt, k_hdr, &f->own.header, k_body,
                                        f->made.root.th, LABEL("forged"), envelope),
                     0);
    rc = pair_open_as(to, envelope, f->own.turn, 0);
    if (rc)
        pair_same(to, before);
    support_drop(before);
    return rc;
}

static void ratchet_open__takes__what_the_forger_leaves_alone(void **state)
{
    struct forged f = forge_turn(p.inviter);

    (void)state;
    assert_int_equal(open_forged(p.taker, &f), 0); /* the control of those below */
}

static void ratchet_open__refuses__n_that_is_not_the_tags(void **state)
{
    static const uint32_t wrong[] = {1, 255, 256, 257, UINT32_MAX};
    struct forged f = forge_turn(p.inviter);

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        f.own.header.n = wrong[i];
        assert_int_equal(open_forged(p.taker, &f), RATCHET_E_REFUSED);
    }
}

static void ratchet_open__refuses__pn_that_can_not_be(void **state)
{
    static const uint32_t wrong[] = {0, 1, 3, 257, UINT32_MAX};
    struct pair_mail lost, m;
    struct forged f;

    (void)state;
    f = forge_turn(p.inviter);
    f.own.header.pn = 1; /* the inviter had no turn before */
    assert_int_equal(open_forged(p.taker, &f), RATCHET_E_REFUSED);

    pair_send(p.inviter, "2.0", &lost);
    pair_send(p.inviter, "2.1", &lost);
    pair_send(p.inviter, "2.2", &lost);
    pair_send(p.inviter, "2.3", &m);
    assert_int_equal(pair_open(p.taker, &m), 0);
    pair_send(p.taker, "3.0", &m);
    assert_int_equal(pair_open(p.inviter, &m), 0);
    f = forge_turn(p.inviter); /* turn 4, truly with pn = 4 */
    assert_int_equal(f.own.header.pn, 4);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        f.own.header.pn = wrong[i];
        assert_int_equal(open_forged(p.taker, &f), RATCHET_E_REFUSED);
    }
    f.own.header.pn = 4;
    assert_int_equal(open_forged(p.taker, &f), 0);
}

static void ratchet_open__refuses__a_pk_that_fails_to_encapsulate(void **state)
{
    struct forged f = forge_turn(p.inviter), bad = f;

    (void)state;
    memset(bad.own.header.pk + KEM_PK_BYTES - 32, 0, 32); /* a point of low order */
    assert_int_equal(open_forged(p.taker, &bad), RATCHET_E_REFUSED);
    bad = f;
    memset(bad.own.header.pk, 0xff, 3); /* numbers not below q */
    assert_int_equal(open_forged(p.taker, &bad), RATCHET_E_REFUSED);
}

static void ratchet_open__refuses_alike__a_ct_that_fails_aloud_or_in_silence(void **state)
{
    struct forged f = forge_turn(p.inviter), bad = f;

    (void)state;
    memset(bad.own.header.ct + KEM_CT_BYTES - 32, 0, 32); /* low order: an error */
    assert_int_equal(open_forged(p.taker, &bad), RATCHET_E_REFUSED);
    bad = f;
    bad.own.header.ct[5] ^= 1; /* ML-KEM: another secret, no error */
    assert_int_equal(open_forged(p.taker, &bad), RATCHET_E_REFUSED);
}

/* Seal a body whose plaintext is given whole. */
static int open_plain(struct ratchet *to, struct forged *f, const uint8_t plain[1656])
{
    uint8_t envelope[ENVELOPE_BYTES], salt[ENVELOPE_SALT_BYTES] = {1}, ad[32 + 2392];
    uint8_t k_hdr[32], k_body[32], mk[32], ck[32], tag[16];
    struct bytes before = pair_save(to);
    int rc;

    memcpy(ck, f->own.ck, sizeof ck);
    turn_step(ck, mk);
    turn_tag(tag, &f->own.heads, 0);
    turn_header_key(k_hdr, &f->own.heads, 0, salt);
    turn_body_key(k_body, mk, salt);
    assert_int_equal(envelope_mail_seal(tag, salt, k_hdr, &f->own.header, k_body,
                                        f->made.root.th, LABEL(""), envelope),
                     0);
    memcpy(ad, f->made.root.th, 32);
    memcpy(ad + 32, envelope, 2392);
    aead_seal(k_body, BYTES(ad), (struct bytes){plain, 1656}, envelope + 2392);
    rc = pair_open_as(to, envelope, f->own.turn, 0);
    if (rc)
        pair_same(to, before);
    support_drop(before);
    return rc;
}

static void ratchet_open__refuses__padding_that_is_not_zero(void **state)
{
    struct forged f = forge_turn(p.inviter);
    uint8_t plain[1656] = {0};

    (void)state;
    plain[32] = 5;                            /* a payload of 5 bytes */
    for (size_t i = 39; i < 1656; i += 101) { /* behind it */
        plain[i] = 1;
        assert_int_equal(open_plain(p.taker, &f, plain), RATCHET_E_REFUSED);
        plain[i] = 0;
    }
    for (size_t i = 0; i < 32; i++) { /* the zeros that commit to the key */
        plain[i] = 0x80;
        assert_int_equal(open_plain(p.taker, &f, plain), RATCHET_E_REFUSED);
        plain[i] = 0;
    }
    le_put(plain + 32, PAYLOAD_BYTES_MAX + 1, 2);
    assert_int_equal(open_plain(p.taker, &f, plain), RATCHET_E_REFUSED);
    le_put(plain + 32, PAYLOAD_BYTES_MAX, 2);
    assert_int_equal(open_plain(p.taker, &f, plain), 0);
}

#define CLAIM(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest claims[] = {
        CLAIM(ratchet_open__refuses_all_damage__to_the_first_of_a_turn),
        CLAIM(ratchet_open__refuses_all_damage__within_a_turn),
        CLAIM(ratchet_open__refuses__every_other_position),
        CLAIM(ratchet_open__refuses__ones_own_and_anothers),
        CLAIM(ratchet_open__takes__what_the_forger_leaves_alone),
        CLAIM(ratchet_open__refuses__n_that_is_not_the_tags),
        CLAIM(ratchet_open__refuses__pn_that_can_not_be),
        CLAIM(ratchet_open__refuses__a_pk_that_fails_to_encapsulate),
        CLAIM(ratchet_open__refuses_alike__a_ct_that_fails_aloud_or_in_silence),
        CLAIM(ratchet_open__refuses__padding_that_is_not_zero),
    };

    return cmocka_run_group_tests(claims, NULL, NULL);
}
