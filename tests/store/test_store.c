/* SPDX-License-Identifier: Apache-2.0 */
/* The store's conformance: every claim of store.h, against every version of it. */
#include "lib/secret.h"
#include "tests/store/board.h"

#include <errno.h>
#include <stdio.h>

struct box {
    char *dir; /* NULL: memory */
    struct store *s;
};

static void open_box(struct box *b)
{
    int rc = b->dir ? store_open_lmdb(b->dir, board_cohort, BOARD_BUCKETS,
                                      BOARD_MAP_BYTES, &b->s)
                    : store_open_mem(board_cohort, BOARD_BUCKETS, &b->s);

    assert_int_equal(rc, 0);
}

/* As after a restart.  Memory has none. */
static void reopen(struct box *b)
{
    if (!b->dir)
        return;
    store_close(b->s);
    open_box(b);
}

static int set_up_mem(void **state)
{
    struct box *b = calloc(1, sizeof *b);

    *state = b;
    open_box(b);
    return 0;
}

static int set_up_lmdb(void **state)
{
    struct box *b = calloc(1, sizeof *b);

    *state = b;
    b->dir = support_dir();
    open_box(b);
    return 0;
}

static int tear_down(void **state)
{
    struct box *b = *state;

    support_fail_none();
    store_close(b->s);
    if (b->dir)
        support_dir_drop(b->dir);
    free(b);
    return 0;
}

/* ---- the board -------------------------------------------------------------------- */

static void store_open__begins__with_empty_logs_and_the_cohorts_heads(void **state)
{
    struct box *b = *state;
    uint8_t head[HASH_BYTES], first[HASH_BYTES], room[ENVELOPE_BYTES];
    size_t got = 9;

    for (uint32_t bucket = 0; bucket < BOARD_BUCKETS; bucket++)
        board_check(b->s, bucket, 1, 1);
    chain_first(board_cohort, 3, first);
    assert_int_equal(store_range(b->s, 3, 1, 1, room, &got, head), 0);
    assert_int_equal(got, 0);
    assert_memory_equal(head, first, HASH_BYTES);
    assert_int_equal(store_buckets(b->s), BOARD_BUCKETS);
}

static void store_append__numbers_and_chains__each_bucket_by_itself(void **state)
{
    struct box *b = *state;
    uint8_t envelopes[12][ENVELOPE_BYTES];
    struct store_post posts[12] = {{0}};
    uint64_t next[BOARD_BUCKETS] = {0};

    for (uint32_t i = 0; i < COUNT(posts); i++) {
        posts[i].bucket = (i * 5) % BOARD_BUCKETS;
        board_envelope(posts[i].bucket, ++next[posts[i].bucket], envelopes[i]);
        posts[i].envelope = envelopes[i];
    }
    assert_int_equal(store_append(b->s, posts, COUNT(posts), BOARD_NOW), 0);
    for (uint32_t bucket = 0; bucket < BOARD_BUCKETS; bucket++)
        board_check(b->s, bucket, 1, next[bucket] + 1);
    reopen(b);
    for (uint32_t bucket = 0; bucket < BOARD_BUCKETS; bucket++)
        board_check(b->s, bucket, 1, next[bucket] + 1);
}

static void store_append__tells_the_head__after_each_post(void **state)
{
    struct box *b = *state;
    uint8_t envelope[ENVELOPE_BYTES], head[HASH_BYTES];
    struct store_post posts[2] = {{.bucket = 2, .envelope = envelope},
                                  {.bucket = 2, .envelope = envelope}};

    board_envelope(2, 1, envelope);
    assert_int_equal(store_append(b->s, posts, 2, BOARD_NOW), 0);
    chain_first(board_cohort, 2, head);
    chain_next(head, 1, envelope);
    assert_memory_equal(posts[0].head, head, HASH_BYTES);
    chain_next(head, 2, envelope);
    assert_memory_equal(posts[1].head, head, HASH_BYTES);
}

static void store_append__refuses__a_bucket_that_is_not_there(void **state)
{
    struct box *b = *state;
    uint8_t envelope[ENVELOPE_BYTES] = {0};
    struct store_post posts[2] = {{.bucket = 2, .envelope = envelope},
                                  {.bucket = BOARD_BUCKETS, .envelope = envelope}};

    assert_int_equal(store_append(b->s, posts, 2, BOARD_NOW), STORE_E_ABSENT);
    board_check(b->s, 2, 1, 1);
}

static void store_range__crosses_days__without_a_seam(void **state)
{
    struct box *b = *state;
    uint64_t next = 1;

    for (uint32_t day = 0; day < 5; day++, next += 7)
        assert_int_equal(board_append(b->s, 4, 7, BOARD_NOW + day * BOARD_DAY_S), 0);
    board_check(b->s, 4, 1, next);
    reopen(b);
    board_check(b->s, 4, 1, next);
}

static void store_range__crosses_days__in_which_the_bucket_was_silent(void **state)
{
    struct box *b = *state;

    assert_int_equal(board_append(b->s, 2, 3, BOARD_NOW), 0);
    for (uint32_t day = 1; day < 4; day++)
        assert_int_equal(board_append(b->s, 3, 1, BOARD_NOW + day * BOARD_DAY_S), 0);
    assert_int_equal(board_append(b->s, 2, 3, BOARD_NOW + 4 * BOARD_DAY_S), 0);
    reopen(b);
    board_check(b->s, 2, 1, 7);
    board_check(b->s, 3, 1, 4);
}

static void store_range__gives_no_more__than_asked(void **state)
{
    struct box *b = *state;
    uint8_t *out = malloc(4 * ENVELOPE_BYTES); /* exactly: ASan sees one more */
    uint8_t head[HASH_BYTES], want[HASH_BYTES];
    size_t got;

    assert_int_equal(board_append(b->s, 2, 9, BOARD_NOW), 0);
    assert_int_equal(store_range(b->s, 2, 3, 4, out, &got, head), 0);
    assert_int_equal(got, 4);
    assert_int_equal(store_head_before(b->s, 2, 7, want), 0);
    assert_memory_equal(head, want, HASH_BYTES);
    assert_int_equal(store_range(b->s, 2, 9, 4, out, &got, head), 0);
    assert_int_equal(got, 1);
    free(out);
}

static void store_range__refuses__what_is_not_there(void **state)
{
    struct box *b = *state;
    uint8_t out[ENVELOPE_BYTES], head[HASH_BYTES];
    size_t got;

    assert_int_equal(board_append(b->s, 2, 3, BOARD_NOW), 0);
    assert_int_equal(store_range(b->s, 2, 0, 1, out, &got, head), STORE_E_ABSENT);
    assert_int_equal(store_range(b->s, 2, 5, 1, out, &got, head), STORE_E_ABSENT);
    assert_int_equal(store_range(b->s, 2, UINT64_MAX, 1, out, &got, head),
                     STORE_E_ABSENT);
    assert_int_equal(store_range(b->s, BOARD_BUCKETS, 1, 1, out, &got, head),
                     STORE_E_ABSENT);
    assert_int_equal(store_range(b->s, 2, 4, 1, out, &got, head), 0);
    assert_int_equal(got, 0);
    assert_int_equal(store_head_before(b->s, 2, 0, head), STORE_E_ABSENT);
    assert_int_equal(store_head_before(b->s, 2, 5, head), STORE_E_ABSENT);
    assert_int_equal(store_head_before(b->s, 2, 4, head), 0);
}

static void store_append__keeps_the_newest_day__when_the_clock_goes_back(void **state)
{
    struct box *b = *state;
    struct store_figures f;

    assert_int_equal(board_append(b->s, 2, 2, BOARD_NOW), 0);
    assert_int_equal(board_append(b->s, 2, 2, BOARD_NOW - 3 * BOARD_DAY_S), 0);
    board_check(b->s, 2, 1, 5);
    assert_int_equal(store_figures(b->s, BOARD_NOW, &f), 0);
    assert_int_equal(f.days, 1);
    assert_int_equal(f.newest_day, BOARD_NOW / BOARD_DAY_S);
    assert_int_equal(f.envelopes, 4);
}

/* ---- expiry ----------------------------------------------------------------------- */

static void store_expire__drops_whole_days__past_the_retention(void **state)
{
    struct box *b = *state;
    uint64_t midnight = BOARD_NOW / BOARD_DAY_S * BOARD_DAY_S;
    uint8_t out[ENVELOPE_BYTES], head[HASH_BYTES];
    uint32_t dropped;
    size_t got;

    for (uint32_t day = 0; day < 4; day++)
        assert_int_equal(board_append(b->s, 2, 10, midnight + day * BOARD_DAY_S), 0);
    /* The first day ends a second before `midnight + 1 day`; its retention ends 14 later.
     */
    assert_int_equal(
        store_expire(b->s, midnight + 15 * BOARD_DAY_S - 1, 14 * BOARD_DAY_S, &dropped),
        0);
    assert_int_equal(dropped, 0);
    assert_int_equal(
        store_expire(b->s, midnight + 15 * BOARD_DAY_S, 14 * BOARD_DAY_S, &dropped), 0);
    assert_int_equal(dropped, 1);
    board_check(b->s, 2, 11, 41);
    assert_int_equal(store_range(b->s, 2, 10, 1, out, &got, head), STORE_E_ABSENT);
    assert_int_equal(store_head_before(b->s, 2, 10, head), STORE_E_ABSENT);
    reopen(b);
    board_check(b->s, 2, 11, 41);
}

static void store_expire__goes_on_numbering__when_everything_has_gone(void **state)
{
    struct box *b = *state;
    uint64_t later = BOARD_NOW + 100 * BOARD_DAY_S;
    struct store_figures f;
    uint32_t dropped;

    assert_int_equal(board_append(b->s, 2, 5, BOARD_NOW), 0);
    assert_int_equal(board_append(b->s, 3, 1, BOARD_NOW + BOARD_DAY_S), 0);
    assert_int_equal(store_expire(b->s, later, 14 * BOARD_DAY_S, &dropped), 0);
    assert_int_equal(dropped, 2);
    board_check(b->s, 2, 6, 6);
    board_check(b->s, 3, 2, 2);
    assert_int_equal(store_figures(b->s, later, &f), 0);
    assert_int_equal(f.envelopes, 0);
    reopen(b);
    board_check(b->s, 2, 6, 6);
    assert_int_equal(board_append(b->s, 2, 2, later), 0);
    board_check(b->s, 2, 6, 8);
    /* Again, and again with nothing there. */
    for (int i = 0; i < 3; i++) {
        later += 50 * BOARD_DAY_S;
        assert_int_equal(store_expire(b->s, later, 14 * BOARD_DAY_S, &dropped), 0);
        board_check(b->s, 2, 8, 8);
    }
    reopen(b);
    assert_int_equal(board_append(b->s, 2, 1, later), 0);
    board_check(b->s, 2, 8, 9);
}

static void store_redate__pulls_back__days_from_a_clock_that_ran_ahead(void **state)
{
    struct box *b = *state;
    uint64_t ahead = BOARD_NOW + 400 * BOARD_DAY_S;
    struct store_figures f;
    uint32_t moved, dropped;

    assert_int_equal(board_append(b->s, 2, 1, BOARD_NOW - BOARD_DAY_S), 0);
    assert_int_equal(board_append(b->s, 2, 1, ahead), 0);
    assert_int_equal(board_append(b->s, 2, 1, ahead + BOARD_DAY_S), 0);
    assert_int_equal(store_redate(b->s, BOARD_NOW, &moved), 0);
    assert_int_equal(moved, 2);
    assert_int_equal(store_figures(b->s, BOARD_NOW, &f), 0);
    assert_int_equal(f.days, 3);
    assert_int_equal(f.newest_day, BOARD_NOW / BOARD_DAY_S + 1);
    assert_int_equal(store_redate(b->s, BOARD_NOW, &moved), 0);
    assert_int_equal(moved, 0);
    reopen(b);
    board_check(b->s, 2, 1, 4);
    assert_int_equal(board_append(b->s, 2, 1, BOARD_NOW), 0);
    board_check(b->s, 2, 1, 5);
    assert_int_equal(
        store_expire(b->s, BOARD_NOW + 17 * BOARD_DAY_S, 14 * BOARD_DAY_S, &dropped), 0);
    assert_int_equal(dropped, 3);
    board_check(b->s, 2, 5, 5);
}

/* ---- failures --------------------------------------------------------------------- */

static void store_append__keeps_nothing_and_recovers__when_the_disk_is_full(void **state)
{
    struct box *b = *state;
    struct support_fault fault;

    assert_int_equal(board_append(b->s, 2, 3, BOARD_NOW), 0);
    support_fail_nth(&fault, SEAM_WRITE, 1, -ENOSPC);
    assert_int_equal(board_append(b->s, 2, 5, BOARD_NOW), STORE_E_FULL);
    assert_true(fault.fired);
    support_fail_none();
    board_check(b->s, 2, 1, 4);
    assert_false(store_broken(b->s));
    assert_int_equal(board_append(b->s, 2, 5, BOARD_NOW), 0);
    board_check(b->s, 2, 1, 9);
    reopen(b);
    board_check(b->s, 2, 1, 9);
}

static void store_append__never_acknowledges_again__after_a_failed_sync(void **state)
{
    struct box *b = *state;
    struct store_invite invite = {.id = {7}, .last_hour = 1};
    struct support_fault fault;

    assert_int_equal(board_append(b->s, 2, 3, BOARD_NOW), 0);
    support_fail_nth(&fault, SEAM_SYNC, 1, -EIO);
    assert_int_equal(board_append(b->s, 2, 1, BOARD_NOW), STORE_E_BROKEN);
    assert_true(fault.fired);
    support_fail_none();
    assert_true(store_broken(b->s));
    assert_int_equal(board_append(b->s, 2, 1, BOARD_NOW), STORE_E_BROKEN);
    assert_int_equal(board_append(b->s, 2, 1, BOARD_NOW + BOARD_DAY_S), STORE_E_BROKEN);
    assert_int_equal(store_invite_add(b->s, &invite), STORE_E_BROKEN);
    assert_int_equal(store_invite_revoke(b->s, 1), STORE_E_BROKEN);
    board_check(b->s, 2, 1, 4); /* reads go on */
    if (!b->dir)
        return;
    reopen(b);
    board_check(b->s, 2, 1, 4);
    assert_int_equal(board_append(b->s, 2, 1, BOARD_NOW), 0);
}

/* Whatever fails, and wherever: all of the batch or none of it, and never a second story.
 */
static void store_append__is_all_or_nothing__whichever_call_fails(void **state)
{
    static const struct {
        enum seam kind;
        int rc;
    } faults[] = {{SEAM_ALLOC, -ENOMEM}, {SEAM_WRITE, -ENOSPC}, {SEAM_OPEN, -EMFILE},
                  {SEAM_MAP, -ENOMEM},   {SEAM_RENAME, -EIO},   {SEAM_UNLINK, -EIO}};
    struct box *b = *state;
    uint64_t now = BOARD_NOW, next = 1;
    struct support_fault fault;

    for (size_t i = 0; i < COUNT(faults); i++)
        for (unsigned nth = 1; nth < 100; nth++) {
            int rc;

            now += BOARD_DAY_S; /* a new day each time: the longest way */
            support_fail_nth(&fault, faults[i].kind, nth, faults[i].rc);
            rc = board_append(b->s, 3, 2, now);
            support_fail_none();
            assert_false(store_broken(b->s));
            next += rc ? 0 : 2;
            board_check(b->s, 3, 1, next);
            if (!fault.fired)
                break;
        }
    reopen(b);
    board_check(b->s, 3, 1, next);
}

/* ---- invites ---------------------------------------------------------------------- */

static struct store_invite invite_of(uint8_t id, uint32_t last_hour)
{
    struct store_invite i = {.made_hour = 100, .last_hour = last_hour};

    memset(i.id, id, sizeof i.id);
    return i;
}

static void store_invite__is_bound_once__to_one_key(void **state)
{
    struct box *b = *state;
    struct store_invite one = invite_of(1, 200), two = invite_of(2, 200), got;
    uint8_t key[SIGN_PK_BYTES] = {9}, other[SIGN_PK_BYTES] = {8};

    assert_int_equal(store_invite_add(b->s, &one), 0);
    assert_int_equal(store_invite_add(b->s, &two), 0);
    assert_int_equal(one.number, 1);
    assert_int_equal(two.number, 2);
    assert_int_equal(store_invite_enrol(b->s, one.id, key, 150, &got), 0);
    assert_int_equal(got.number, 1);
    assert_int_equal(got.state, INVITE_ENROLLED);
    assert_int_equal(got.enrolled_hour, 150);
    reopen(b);
    assert_int_equal(store_invite_enrol(b->s, one.id, key, 999, &got),
                     0); /* a lost answer */
    assert_int_equal(got.enrolled_hour, 150);
    assert_int_equal(store_invite_enrol(b->s, one.id, other, 150, &got), STORE_E_USED);
    assert_int_equal(store_invite_enrol(b->s, two.id, key, 150, &got), STORE_E_USED);
    assert_int_equal(store_invite_enrol(b->s, two.id, other, 150, &got), 0);
}

static void store_invite__refuses__unknown_expired_and_revoked_ones(void **state)
{
    struct box *b = *state;
    struct store_invite one = invite_of(1, 200), two = invite_of(2, 200),
                        none = invite_of(3, 1);
    struct store_invite got;
    uint8_t key[SIGN_PK_BYTES] = {9};

    assert_int_equal(store_invite_add(b->s, &one), 0);
    assert_int_equal(store_invite_add(b->s, &two), 0);
    assert_int_equal(store_invite_enrol(b->s, none.id, key, 150, &got), STORE_E_ABSENT);
    assert_int_equal(store_invite_enrol(b->s, one.id, key, 201, &got), STORE_E_EXPIRED);
    assert_int_equal(store_invite_revoke(b->s, 2), 0);
    assert_int_equal(store_invite_revoke(b->s, 3), STORE_E_ABSENT);
    assert_int_equal(store_invite_revoke(b->s, 0), STORE_E_ABSENT);
    reopen(b);
    assert_int_equal(store_invite_enrol(b->s, two.id, key, 150, &got), STORE_E_REVOKED);
    assert_int_equal(store_invite_enrol(b->s, one.id, key, 200, &got), 0);
    assert_int_equal(store_invite_revoke(b->s, 1), 0);
    assert_int_equal(store_invite_enrol(b->s, one.id, key, 200, &got), STORE_E_REVOKED);
}

static void store_invite__is_not_kept__when_the_disk_is_full(void **state)
{
    struct box *b = *state;
    struct store_invite one = invite_of(1, 200), got;
    uint8_t key[SIGN_PK_BYTES] = {9};
    struct support_fault fault;

    support_fail_nth(&fault, SEAM_WRITE, 1, -ENOSPC);
    assert_int_equal(store_invite_add(b->s, &one), STORE_E_FULL);
    support_fail_none();
    assert_int_equal(store_invite_add(b->s, &one), 0);
    assert_int_equal(one.number, 1);
    support_fail_nth(&fault, SEAM_WRITE, 1, -ENOSPC);
    assert_int_equal(store_invite_enrol(b->s, one.id, key, 150, &got), STORE_E_FULL);
    support_fail_none();
    reopen(b);
    key[0] = 5;
    assert_int_equal(store_invite_enrol(b->s, one.id, key, 150, &got), 0);
}

struct visited {
    uint32_t count, stop_at;
    struct store_invite last;
};

static bool visit(const struct store_invite *i, void *arg)
{
    struct visited *v = arg;

    assert_int_equal(i->number, v->count + 1);
    v->last = *i;
    return ++v->count != v->stop_at;
}

static void store_invites__are_visited__in_order_and_counted(void **state)
{
    struct box *b = *state;
    struct store_invite got;
    struct visited v = {0};
    struct store_figures f;
    uint8_t key[SIGN_PK_BYTES] = {9};

    for (uint8_t i = 1; i <= 200; i++) {
        struct store_invite one = invite_of(i, i < 10 ? 120 : 200);

        assert_int_equal(store_invite_add(b->s, &one), 0);
    }
    assert_int_equal(store_invite_enrol(b->s, invite_of(50, 0).id, key, 150, &got), 0);
    assert_int_equal(store_invite_revoke(b->s, 60), 0);
    reopen(b);
    assert_int_equal(store_invites(b->s, visit, &v), 0);
    assert_int_equal(v.count, 200);
    v = (struct visited){.stop_at = 50};
    assert_int_equal(store_invites(b->s, visit, &v), 0);
    assert_int_equal(v.count, 50);
    assert_int_equal(v.last.state, INVITE_ENROLLED);
    assert_memory_equal(v.last.key, key, sizeof key);
    assert_int_equal(store_figures(b->s, 150 * 3600, &f), 0);
    assert_int_equal(f.invites_expired, 9);
    assert_int_equal(f.invites_enrolled, 1);
    assert_int_equal(f.invites_revoked, 1);
    assert_int_equal(f.invites_open, 189);
}

#define CLAIM(f, set_up) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define CLAIMS(set_up)                                                                   \
    {                                                                                    \
        CLAIM(store_open__begins__with_empty_logs_and_the_cohorts_heads, set_up),        \
            CLAIM(store_append__numbers_and_chains__each_bucket_by_itself, set_up),      \
            CLAIM(store_append__tells_the_head__after_each_post, set_up),                \
            CLAIM(store_append__refuses__a_bucket_that_is_not_there, set_up),            \
            CLAIM(store_range__crosses_days__without_a_seam, set_up),                    \
            CLAIM(store_range__crosses_days__in_which_the_bucket_was_silent, set_up),    \
            CLAIM(store_range__gives_no_more__than_asked, set_up),                       \
            CLAIM(store_range__refuses__what_is_not_there, set_up),                      \
            CLAIM(store_append__keeps_the_newest_day__when_the_clock_goes_back, set_up), \
            CLAIM(store_expire__drops_whole_days__past_the_retention, set_up),           \
            CLAIM(store_expire__goes_on_numbering__when_everything_has_gone, set_up),    \
            CLAIM(store_redate__pulls_back__days_from_a_clock_that_ran_ahead, set_up),   \
            CLAIM(store_append__keeps_nothing_and_recovers__when_the_disk_is_full,       \
                  set_up),                                                               \
            CLAIM(store_append__never_acknowledges_again__after_a_failed_sync, set_up),  \
            CLAIM(store_append__is_all_or_nothing__whichever_call_fails, set_up),        \
            CLAIM(store_invite__is_bound_once__to_one_key, set_up),                      \
            CLAIM(store_invite__refuses__unknown_expired_and_revoked_ones, set_up),      \
            CLAIM(store_invite__is_not_kept__when_the_disk_is_full, set_up),             \
            CLAIM(store_invites__are_visited__in_order_and_counted, set_up),             \
    }

int main(void)
{
    const struct CMUnitTest in_memory[] = CLAIMS(set_up_mem);
    const struct CMUnitTest on_disk[] = CLAIMS(set_up_lmdb);

    if (secret_start())
        return 1;
    return cmocka_run_group_tests_name("memory", in_memory, NULL, NULL) +
           cmocka_run_group_tests_name("lmdb", on_disk, NULL, NULL);
}
