/* SPDX-License-Identifier: Apache-2.0 */
/* pair: two people with a conversation, at the level of client/core/ratchet.
 * Everything here ends the test when it cannot do its work, so callers check nothing. */
#ifndef KITH_TESTS_PAIR_H
#define KITH_TESTS_PAIR_H

#include "client/core/contact.h"
#include "client/core/ratchet.h"
#include "tests/support/support.h"

enum { PAIR_MINUTE = 29000000, PAIR_TEXT_BYTES = 64 };

struct pair {
    uint8_t cohort[HASH_BYTES];
    struct contact_offer offer;
    uint8_t offered[ENVELOPE_BYTES];
    uint8_t taken[ENVELOPE_BYTES];
    struct ratchet *taker, *inviter;
};

/* An envelope on its way, and what it says. */
struct pair_mail {
    uint8_t envelope[ENVELOPE_BYTES];
    struct ratchet_sent at;
    char text[PAIR_TEXT_BYTES];
};

/* Offer, take, accepted; nothing sent since.  The taker knows its take is durable. */
void pair_start(struct pair *p);
void pair_stop(struct pair *p);

/* A mail with a text of its own. */
void pair_send(struct ratchet *from, const char *text, struct pair_mail *out);
/* ratchet_open() of it at PAIR_MINUTE; when that returns 0 the text must be the one sent.
 */
int pair_open(struct ratchet *to, const struct pair_mail *mail);
/* The same with another position than its own, and whatever it says. */
int pair_open_as(struct ratchet *to, const uint8_t *envelope, uint32_t turn, uint32_t n);
/* Send and open: one text each way, two turns. */
void pair_round_trip(struct ratchet *a, struct ratchet *b);

/* The saved state; support_drop() it. */
struct bytes pair_save(const struct ratchet *r);
struct ratchet *pair_load(struct bytes blob);
/* Fails the test unless r would be saved as these bytes. */
void pair_same(const struct ratchet *r, struct bytes blob);
/* *r saved, freed, loaded. */
void pair_restart(struct ratchet **r);

#endif
