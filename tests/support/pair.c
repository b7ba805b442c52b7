/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/pair.h"

#include "lib/secret.h"

#include <string.h>

static const uint8_t hello[] = "hello";

void pair_start(struct pair *p)
{
    uint8_t payload[PAYLOAD_BYTES_MAX], pk[KEM_PK_BYTES];
    size_t n = 0;

    assert_int_equal(secret_start(), 0);
    memset(p, 0, sizeof *p);
    memset(p->cohort, 7, sizeof p->cohort);
    assert_int_equal(contact_offer_new(&p->offer), 0);
    assert_int_equal(contact_offer_seal(&p->offer, BYTES(hello), p->offered), 0);
    assert_int_equal(contact_offer_open(p->offer.secret, p->offered, pk, payload, &n), 0);
    assert_int_equal(contact_take_start(p->offer.secret, p->cohort, pk, &p->taker), 0);
    assert_int_equal(contact_take_seal(p->taker, p->offer.secret, BYTES(hello), p->taken),
                     0);
    ratchet_take_posted(p->taker);
    assert_int_equal(contact_accept(&p->offer, p->cohort, p->taken, PAIR_MINUTE, payload,
                                    &n, &p->inviter),
                     0);
    support_equal((struct bytes){payload, n}, BYTES(hello));
}

void pair_stop(struct pair *p)
{
    ratchet_free(p->taker);
    ratchet_free(p->inviter);
}

void pair_send(struct ratchet *from, const char *text, struct pair_mail *out)
{
    size_t n = strlen(text);

    assert_true(n < sizeof out->text);
    memcpy(out->text, text, n + 1);
    assert_int_equal(ratchet_seal(from, (struct bytes){(const uint8_t *)text, n},
                                  out->envelope, &out->at),
                     0);
}

int pair_open(struct ratchet *to, const struct pair_mail *mail)
{
    uint8_t payload[PAYLOAD_BYTES_MAX];
    size_t n = 0;
    struct ratchet_opened at;
    int rc = ratchet_open(to, mail->envelope, mail->at.turn, mail->at.n, PAIR_MINUTE,
                          payload, &n, &at);

    if (rc)
        return rc;
    assert_int_equal(at.turn, mail->at.turn);
    assert_int_equal(at.n, mail->at.n);
    assert_int_equal(n, strlen(mail->text));
    assert_memory_equal(payload, mail->text, n);
    return 0;
}

int pair_open_as(struct ratchet *to, const uint8_t *envelope, uint32_t turn, uint32_t n)
{
    uint8_t payload[PAYLOAD_BYTES_MAX];
    size_t payload_n;
    struct ratchet_opened at;

    return ratchet_open(to, envelope, turn, n, PAIR_MINUTE, payload, &payload_n, &at);
}

void pair_round_trip(struct ratchet *a, struct ratchet *b)
{
    struct pair_mail mail;

    pair_send(a, "there", &mail);
    assert_int_equal(pair_open(b, &mail), 0);
    pair_send(b, "and back", &mail);
    assert_int_equal(pair_open(a, &mail), 0);
}

struct bytes pair_save(const struct ratchet *r)
{
    struct buf b;
    struct bytes copy;

    buf_init(&b, RATCHET_BLOB_BYTES_MAX);
    ratchet_save(r, &b);
    assert_int_equal(b.rc, 0);
    copy = support_exact(b.p, b.n);
    buf_free(&b);
    return copy;
}

struct ratchet *pair_load(struct bytes blob)
{
    struct ratchet *r = NULL;

    assert_int_equal(ratchet_load(blob, &r), 0);
    return r;
}

void pair_same(const struct ratchet *r, struct bytes blob)
{
    struct bytes now = pair_save(r);

    support_equal(now, blob);
    support_drop(now);
}

void pair_restart(struct ratchet **r)
{
    struct bytes blob = pair_save(*r);

    ratchet_free(*r);
    *r = pair_load(blob);
    pair_same(*r, blob);
    support_drop(blob);
}
