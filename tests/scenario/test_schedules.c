/* SPDX-License-Identifier: Apache-2.0 */
/* Two people at the level of the ratchet, and between them a wire that drops, repeats,
 * reorders, damages and replays; both devices crash and restart.  A thousand random
 * schedules, ten thousand with KITH_LONG set.  In each of them
 *   - an envelope opens once, as what it was sealed as, and never again;
 *   - an envelope of the newest four turns always opens, however late;
 *   - whoever is told "delivered" may believe it;
 *   - once the wire is honest again, each text arrives. */
#include "proto/payload.h"
#include "tests/support/pair.h"

#include <stdlib.h>
#include <string.h>

enum {
    SCHEDULES = 1000,
    SCHEDULES_LONG = 10000,
    STEPS_MAX = 60,
    BURST_MAX = 280, /* more than a turn takes */
    TEXTS_MAX = 420,
    MAIL_MAX = 2600,
    TABLE_MAX = (TURNS_KEPT + 1) * TURN_ENVELOPES_MAX,
    HEALING_ROUNDS_MAX = 60,
};

struct text {
    bool came;      /* at the peer */
    bool delivered; /* says an ack */
    bool on_its_way;
    uint32_t turn, n; /* where it was sealed last */
};

struct entry {
    uint8_t tag[ENVELOPE_TAG_BYTES];
    uint32_t turn, n;
};

struct person {
    struct ratchet *ratchet;
    struct text texts[TEXTS_MAX];
    size_t texts_n;
    struct entry table[TABLE_MAX]; /* the reader's tags */
    size_t table_n;
};

struct mail {
    uint8_t envelope[ENVELOPE_BYTES];
    struct ratchet_sent at;
    uint8_t payload[256];
    size_t payload_n;
    int from;
    bool opened;
    bool gone; /* dropped */
};

static struct pair session;
static struct person people[2];
static struct mail mails[MAIL_MAX];
static size_t mails_n;
static struct support_random dice;
static uint64_t running; /* the schedule that a failure happened in */

static uint32_t roll(uint32_t sides)
{
    return support_random_below(&dice, sides);
}

/* ---- the reader's table ----------------------------------------------------------- */

static int add_entry(const uint8_t tag[ENVELOPE_TAG_BYTES], uint32_t turn, uint32_t n,
                     void *arg)
{
    struct person *who = arg;
    struct entry *e = &who->table[who->table_n++];

    assert_true(who->table_n <= TABLE_MAX);
    memcpy(e->tag, tag, sizeof e->tag);
    e->turn = turn;
    e->n = n;
    return 0;
}

static void drop_old_entries(struct person *who)
{
    uint32_t oldest = ratchet_oldest(who->ratchet);
    size_t kept = 0;

    for (size_t i = 0; i < who->table_n; i++)
        if (who->table[i].turn >= oldest)
            who->table[kept++] = who->table[i];
    who->table_n = kept;
}

static const struct entry *look_up(const struct person *who, const uint8_t *envelope)
{
    for (size_t i = 0; i < who->table_n; i++)
        if (!memcmp(who->table[i].tag, envelope, ENVELOPE_TAG_BYTES))
            return &who->table[i];
    return NULL;
}

/* ---- restarts and crashes --------------------------------------------------------- */

static void restart(struct person *who)
{
    pair_restart(&who->ratchet);
    who->table_n = 0;
    assert_int_equal(ratchet_tags(who->ratchet, 0, add_entry, who), 0);
}

/* ---- sealing ---------------------------------------------------------------------- */

static void write_payload(struct person *who, uint32_t type, uint32_t text,
                          struct mail *m)
{
    struct payload p = {.type = type, .minute = PAIR_MINUTE};
    struct buf b = BUF_OVER(m->payload);

    le_put(p.id, text, 4);
    if (type == PAYLOAD_TEXT)
        p.text = LABEL("of all that could be said");
    if (type == PAYLOAD_ACK || roll(2))
        p.acks_n = ratchet_acks(who->ratchet, p.acks);
    if (type == PAYLOAD_ACK && !p.acks_n)
        p.type = PAYLOAD_EMPTY;
    payload_write(&b, &p);
    assert_int_equal(b.rc, 0);
    m->payload_n = b.n;
    if (p.acks_n)
        ratchet_acks_told(who->ratchet);
}

/* Seal and commit; or the device crashes before the commit, and it never happened. */
static bool seal(int from, uint32_t type, uint32_t text, bool crash)
{
    struct person *who = &people[from];
    struct bytes before = pair_save(who->ratchet);
    struct mail *m = &mails[mails_n];
    int rc;

    assert_true(mails_n < MAIL_MAX);
    *m = (struct mail){.from = from};
    write_payload(who, type, text, m);
    rc = ratchet_seal(who->ratchet, (struct bytes){m->payload, m->payload_n}, m->envelope,
                      &m->at);
    assert_true(rc == 0 || rc == RATCHET_E_WAIT);
    if (rc || crash) {
        ratchet_free(who->ratchet);
        who->ratchet = pair_load(before);
    } else {
        mails_n++;
        if (m->at.began)
            assert_int_equal(ratchet_tags(who->ratchet, m->at.turn + 1, add_entry, who),
                             0);
    }
    support_drop(before);
    return rc == 0 && !crash;
}

static void seal_text(int from, uint32_t text, bool crash)
{
    struct text *t = &people[from].texts[text];

    if (!seal(from, PAYLOAD_TEXT, text, crash))
        return;
    t->on_its_way = true;
    t->turn = mails[mails_n - 1].at.turn;
    t->n = mails[mails_n - 1].at.n;
}

static void say(int from, bool crash)
{
    struct person *who = &people[from];

    if (who->texts_n == TEXTS_MAX)
        return;
    who->texts[who->texts_n] = (struct text){0};
    seal_text(from, (uint32_t)who->texts_n++, crash);
}

/* ---- opening ---------------------------------------------------------------------- */

static void take_acks(int reader, const struct payload *p)
{
    struct person *who = &people[reader];
    bool missing = false;

    for (size_t i = 0; i < p->acks_n; i++) {
        assert_int_equal(ratchet_ack_check(who->ratchet, &p->acks[i]), 0);
        for (size_t k = 0; k < who->texts_n; k++) {
            struct text *t = &who->texts[k];

            if (!t->on_its_way || t->delivered)
                continue;
            switch (ratchet_ack_fate(&p->acks[i], t->turn, t->n)) {
            case RATCHET_DELIVERED:
                assert_true(t->came); /* else they were lied to */
                t->delivered = true;
                break;
            case RATCHET_MISSING:
                t->on_its_way = false; /* to be sealed anew */
                missing = true;
                break;
            case RATCHET_UNTOLD:
                break;
            }
        }
    }
    if (missing)
        ratchet_acks_retell(who->ratchet);
}

static void opened(int reader, struct mail *m)
{
    struct payload p;

    assert_false(m->opened);
    m->opened = true;
    assert_int_equal(payload_read((struct bytes){m->payload, m->payload_n}, &p), 0);
    if (p.type == PAYLOAD_TEXT)
        people[m->from].texts[le_get(p.id, 4)].came = true;
    take_acks(reader, &p);
}

/* What the wire brings: maybe damaged, and the device may crash before its commit. */
static void deliver(struct mail *m, bool damage, bool crash)
{
    int reader = !m->from;
    struct person *who = &people[reader];
    const struct entry *e = look_up(who, m->envelope);
    struct bytes before = pair_save(who->ratchet);
    uint8_t copy[ENVELOPE_BYTES], payload[PAYLOAD_BYTES_MAX];
    struct ratchet_opened at;
    size_t n;
    int rc;

    memcpy(copy, m->envelope, sizeof copy);
    if (damage)
        copy[ENVELOPE_TAG_BYTES + roll(ENVELOPE_BYTES - ENVELOPE_TAG_BYTES)] ^= 0x10;
    if (!e) { /* only what is older than four turns is unknown */
        assert_true(m->at.turn < ratchet_oldest(who->ratchet));
        goto out;
    }
    assert_int_equal(e->turn, m->at.turn);
    assert_int_equal(e->n, m->at.n);
    rc = ratchet_open(who->ratchet, copy, e->turn, e->n, PAIR_MINUTE, payload, &n, &at);
    if (damage)
        assert_true(rc == RATCHET_E_REFUSED || (rc == RATCHET_E_REPEATED && m->opened));
    else
        assert_int_equal(rc, m->opened ? RATCHET_E_REPEATED : 0);
    if (rc) {
        pair_same(who->ratchet, before);
        goto out;
    }
    support_equal((struct bytes){payload, n}, (struct bytes){m->payload, m->payload_n});
    if (crash) {
        ratchet_free(who->ratchet);
        who->ratchet = pair_load(before);
        goto out;
    }
    if (at.began)
        drop_old_entries(who);
    opened(reader, m);
out:
    support_drop(before);
}

/* ---- a schedule ------------------------------------------------------------------- */

static struct mail *any_mail(void)
{
    struct mail *m = mails_n ? &mails[roll((uint32_t)mails_n)] : NULL;

    return m && !m->gone ? m : NULL;
}

static void lose_everything(void)
{
    for (size_t i = 0; i < mails_n; i++)
        mails[i].gone = true;
}

/* Somebody writes a lot, and as often as not the other was away for so long that nothing
 * of it is left.  Only one of the two: a session dies if both fill a turn that the other
 * never sees. */
static void burst(void)
{
    for (uint32_t left = roll(BURST_MAX); left > 0; left--)
        say(0, false);
    if (roll(2))
        lose_everything();
}

static void step(bool may_burst)
{
    uint32_t what = roll(may_burst ? 104 : 100);
    struct mail *m = any_mail();

    if (what < 35)
        say((int)roll(2), false);
    else if (what < 80 && m)
        deliver(m, false, false);
    else if (what < 84 && m)
        m->gone = true;
    else if (what < 87 && m)
        deliver(m, true, false);
    else if (what < 90 && m)
        deliver(m, false, true);
    else if (what < 93)
        say((int)roll(2), true);
    else if (what < 99)
        restart(&people[roll(2)]);
    else if (what == 99)
        lose_everything();
    else
        burst();
}

static void deliver_everything(void)
{
    for (size_t i = 0; i < 2 * mails_n; i++) { /* some of it twice */
        struct mail *m = any_mail();

        if (m)
            deliver(m, false, false);
    }
    for (size_t i = 0; i < mails_n; i++)
        if (!mails[i].gone)
            deliver(&mails[i], false, false);
}

/* What was reported missing, or never told of in the time that a relay keeps things, is
 * sealed anew.  Returns how many texts are not delivered yet. */
static size_t resend(int from, bool all)
{
    struct person *who = &people[from];
    size_t open = 0;

    for (size_t i = 0; i < who->texts_n; i++) {
        struct text *t = &who->texts[i];

        if (t->delivered)
            continue;
        open++;
        if (all || !t->on_its_way)
            seal_text(from, (uint32_t)i, false);
    }
    return open;
}

/* The wire is honest from here on.  Mail sealed so far has all come or is lost. */
static void heal(void)
{
    size_t open = 1;

    deliver_everything();
    for (int round = 0; open > 0; round++) {
        assert_true(round < HEALING_ROUNDS_MAX);
        lose_everything();
        if (mails_n > MAIL_MAX / 2) /* all of it is history: nobody looks at it again */
            mails_n = 0;
        open = resend(0, round % 8 == 7) + resend(1, round % 8 == 7);
        for (int from = 0; from < 2; from++)
            (void)seal(from, PAYLOAD_ACK, 0, false);
        deliver_everything();
    }
    for (int from = 0; from < 2; from++)
        for (size_t i = 0; i < people[from].texts_n; i++)
            assert_true(people[from].texts[i].came);
}

static void run_schedule(uint64_t seed)
{
    uint32_t steps;
    bool may_burst;

    running = seed;
    support_random_start(&dice, seed);
    support_random_install(&dice);
    pair_start(&session);
    people[0].ratchet = session.taker;
    people[1].ratchet = session.inviter;
    people[0].texts_n = people[1].texts_n = mails_n = 0;
    restart(&people[0]);
    restart(&people[1]);
    may_burst = roll(8) == 0;
    for (steps = 10 + roll(STEPS_MAX - 10); steps > 0; steps--)
        step(may_burst);
    heal();
    ratchet_free(people[0].ratchet);
    ratchet_free(people[1].ratchet);
    support_random_release();
    running = 0;
}

static int name_the_schedule(void **state)
{
    (void)state;
    support_random_release();
    if (running)
        print_error("again with KITH_SCHEDULE=%llu\n", (unsigned long long)running);
    return 0;
}

static void ratchet__delivers_each_text_once__under_any_schedule(void **state)
{
    const char *one = getenv("KITH_SCHEDULE");
    uint64_t last = support_long() ? SCHEDULES_LONG : SCHEDULES;

    (void)state;
    if (one) {
        run_schedule(strtoull(one, NULL, 10));
        return;
    }
    for (uint64_t seed = 1; seed <= last; seed++)
        run_schedule(seed);
}

int main(void)
{
    const struct CMUnitTest claims[] = {
        cmocka_unit_test_teardown(ratchet__delivers_each_text_once__under_any_schedule,
                                  name_the_schedule),
    };

    return cmocka_run_group_tests(claims, NULL, NULL);
}
