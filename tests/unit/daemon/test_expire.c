/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/expire.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/secret.h"
#include "tests/support/support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DAY_S = 86400, HOUR_S = 3600, MINUTE_S = 60, RETENTION_S = 14 * DAY_S };
static const uint8_t cohort[32] = {7};

struct bench {
    uv_loop_t loop;
    struct store *s;
    struct commit *c;
    struct expire *e;
    struct support_clock clock;
    char *dir;
    unsigned warnings;
};

static void stopped(void *arg)
{
    (void)arg;
}

static void count_line(enum log_level level, const char *line, void *arg)
{
    struct bench *b = arg;

    (void)line;
    b->warnings += level == LOG_LEVEL_WARN;
}

/* Until nothing is on its way. */
static void turn(struct bench *b)
{
    while (commit_waiting(b->c))
        uv_run(&b->loop, UV_RUN_ONCE);
}

static void start(struct bench *b)
{
    assert_int_equal(commit_start(&b->loop, b->s, &b->clock.clock, NULL, NULL, &b->c), 0);
    assert_int_equal(
        expire_start(&b->loop, b->s, b->c, &b->clock.clock, b->dir, RETENTION_S, &b->e),
        0);
    turn(b);
}

static void stop(struct bench *b)
{
    expire_stop(b->e);
    commit_stop(b->c, stopped, NULL);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    commit_free(b->c);
}

/* Off for a while; the monotonic clock begins anew, as after a boot. */
static void restart_after(struct bench *b, uint64_t s)
{
    stop(b);
    b->clock.wall_ms += s * 1000;
    b->clock.mono_ms = 5000;
    start(b);
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);

    *state = b;
    b->dir = support_dir();
    log_set_sink(count_line, b);
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
    log_set_sink(NULL, NULL);
    support_dir_drop(b->dir);
    free(b);
    return 0;
}

static void append(struct bench *b)
{
    uint8_t envelope[ENVELOPE_BYTES] = {0};
    struct store_post post = {.bucket = 2, .envelope = envelope};

    assert_int_equal(store_append(b->s, &post, 1, b->clock.wall_ms / 1000), 0);
}

static uint64_t kept(struct bench *b)
{
    struct store_tail tail;

    assert_int_equal(store_tail(b->s, 2, &tail), 0);
    return tail.next - tail.oldest;
}

static void check(struct bench *b)
{
    expire_now(b->e);
    turn(b);
}

/* Time passes, with a check every ten minutes. */
static void live(struct bench *b, uint64_t s)
{
    for (uint64_t left = s; left > 0;) {
        uint64_t step = left < 10 * MINUTE_S ? left : 10 * MINUTE_S;

        support_clock_pass(&b->clock, step * 1000);
        check(b);
        left -= step;
    }
}

static void jump(struct bench *b, int64_t s)
{
    b->clock.wall_ms = (uint64_t)((int64_t)b->clock.wall_ms + s * 1000);
    check(b);
}

static void expire__drops_each_day__when_its_retention_ends(void **state)
{
    struct bench *b = *state;

    for (int day = 0; day < 20; day++) {
        append(b);
        live(b, DAY_S);
    }
    assert_int_equal(kept(b), 14); /* of the 14 whole days before today */
    support_clock_pass(&b->clock,
                       6ull * DAY_S * 1000); /* no check for long: no jump either */
    check(b);
    assert_int_equal(kept(b), 8);
    assert_int_equal(b->warnings, 0);
}

static void expire__follows__a_new_retention(void **state)
{
    struct bench *b = *state;

    for (int day = 0; day < 5; day++) {
        append(b);
        live(b, DAY_S);
    }
    expire_set_retention(b->e, 2 * DAY_S);
    check(b);
    assert_int_equal(kept(b), 2);
}

static void expire__drops_nothing_and_warns__when_the_clock_jumps_ahead(void **state)
{
    struct bench *b = *state;

    append(b);
    jump(b, 400 * DAY_S);
    assert_true(expire_holds(b->e));
    live(b, 23 * HOUR_S);
    assert_int_equal(kept(b), 1);
    assert_int_equal(b->warnings, 1);
    live(b, 2 * HOUR_S); /* steady for a day: believed */
    assert_false(expire_holds(b->e));
    assert_int_equal(kept(b), 0);
}

static void expire__begins_its_wait_anew__with_each_jump(void **state)
{
    struct bench *b = *state;

    append(b);
    for (int i = 0; i < 5; i++) {
        jump(b, 30 * DAY_S);
        live(b, 20 * HOUR_S);
        assert_int_equal(kept(b), 1);
    }
    live(b, 5 * HOUR_S);
    assert_int_equal(kept(b), 0);
}

static void expire__goes_on_at_once__when_the_clock_comes_back(void **state)
{
    struct bench *b = *state;

    append(b);
    jump(b, 400 * DAY_S);
    append(b); /* into the future */
    live(b, HOUR_S);
    jump(b, -400 * DAY_S);
    assert_false(expire_holds(b->e));
    assert_int_equal(kept(b), 2);
    live(b, DAY_S);
    support_clock_pass(&b->clock, 13ull * DAY_S * 1000);
    check(b); /* and what lay in the future is not kept for longer */
    assert_int_equal(kept(b), 2);
    live(b, 2 * DAY_S);
    assert_int_equal(kept(b), 0);
}

static void expire__moves_nothing__for_a_clock_that_fell_back(void **state)
{
    struct bench *b = *state;
    struct store_figures f;
    uint32_t today = (uint32_t)(b->clock.wall_ms / 1000 / DAY_S);
    uint64_t right = b->clock.wall_ms;

    append(b);
    live(b, HOUR_S);
    b->clock.wall_ms = 1000; /* 1970: a board without a battery */
    check(b);
    assert_int_equal(b->warnings, 1);
    restart_after(b, 0);
    assert_int_equal(store_figures(b->s, 0, &f), 0);
    assert_int_equal(f.newest_day, today);
    b->clock.wall_ms = right + 2 * HOUR_S * 1000ull;
    check(b); /* the time servers were reached */
    assert_false(expire_holds(b->e));
    assert_int_equal(kept(b), 1);
}

static void expire__waits_a_day_of_running_time__after_a_long_outage(void **state)
{
    struct bench *b = *state;

    append(b);
    live(b, HOUR_S);
    restart_after(b, 20 * DAY_S);
    assert_true(expire_holds(b->e));
    assert_int_equal(kept(b), 1);
    for (int night = 0; night < 3; night++) { /* on for 9 hours at a time */
        live(b, 9 * HOUR_S);
        assert_int_equal(kept(b), night < 2);
        restart_after(b, 15 * HOUR_S);
    }
    assert_int_equal(kept(b), 0);
}

static void expire__is_in_time__on_a_machine_that_sleeps_at_night(void **state)
{
    struct bench *b = *state;

    append(b);
    for (int day = 0; day < 16; day++) {
        live(b, 10 * HOUR_S);
        b->clock.wall_ms += 14ull * HOUR_S * 1000; /* suspended: the other clock stands */
        check(b);
        assert_false(expire_holds(b->e));
    }
    assert_int_equal(kept(b), 0);
    assert_int_equal(b->warnings, 0);
}

static void expire__is_as_careful__when_its_memory_is_damaged_or_gone(void **state)
{
    static const char *const damages[] = {
        "",  "garbage", "1 2", "1 2 3 4\n", "-1 2 3\n", "99999999999999999999999 1 1\n",
        NULL};
    struct bench *b = *state;
    char *path = strdup(support_path(b->dir, "expire-clock"));

    append(b);
    for (size_t i = 0; i < COUNT(damages); i++) {
        stop(b);
        if (damages[i])
            assert_int_equal(file_replace(path,
                                          (struct bytes){(const uint8_t *)damages[i],
                                                         strlen(damages[i])},
                                          0600),
                             0);
        else
            assert_int_equal(remove(path), 0);
        start(b);
        assert_int_equal(kept(b), 1);
        assert_false(expire_holds(b->e));
    }
    stop(b);
    assert_int_equal(remove(path), 0);
    b->clock.wall_ms += 400ull * DAY_S * 1000;
    start(b);
    assert_true(expire_holds(b->e)); /* the newest day tells that this is a jump */
    assert_int_equal(kept(b), 1);
    free(path);
}

static void expire__keeps_its_memory__to_its_own_user(void **state)
{
    struct bench *b = *state;
    struct stat st;

    assert_int_equal(stat(support_path(b->dir, "expire-clock"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void expire__still_drops__when_nothing_can_be_written(void **state)
{
    struct bench *b = *state;
    struct support_fault fault;

    append(b);
    live(b, DAY_S);
    support_clock_pass(&b->clock, 13ull * DAY_S * 1000);
    check(b);
    assert_int_equal(kept(b), 1);
    support_clock_pass(&b->clock, 10ull * HOUR_S * 1000);
    support_fail_nth(&fault, SEAM_WRITE, 1, -ENOSPC);
    check(b);
    support_fail_none();
    assert_true(fault.fired);
    assert_int_equal(kept(b), 0);
    assert_int_equal(b->warnings, 1);
}

static void expire_stop__is_clean__with_a_check_under_way(void **state)
{
    struct bench *b = *state;

    support_clock_pass(&b->clock, 1000);
    expire_now(b->e);
    expire_now(b->e); /* not twice at once */
    assert_int_equal(commit_waiting(b->c), 1);
    stop(b);
    start(b);
    expire_stop(NULL);
}

#define CLAIM(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest claims[] = {
        CLAIM(expire__drops_each_day__when_its_retention_ends),
        CLAIM(expire__follows__a_new_retention),
        CLAIM(expire__drops_nothing_and_warns__when_the_clock_jumps_ahead),
        CLAIM(expire__begins_its_wait_anew__with_each_jump),
        CLAIM(expire__goes_on_at_once__when_the_clock_comes_back),
        CLAIM(expire__moves_nothing__for_a_clock_that_fell_back),
        CLAIM(expire__waits_a_day_of_running_time__after_a_long_outage),
        CLAIM(expire__is_in_time__on_a_machine_that_sleeps_at_night),
        CLAIM(expire__is_as_careful__when_its_memory_is_damaged_or_gone),
        CLAIM(expire__keeps_its_memory__to_its_own_user),
        CLAIM(expire__still_drops__when_nothing_can_be_written),
        CLAIM(expire_stop__is_clean__with_a_check_under_way),
    };

    if (secret_start())
        return 1;
    return cmocka_run_group_tests_name("expire", claims, NULL, NULL);
}
