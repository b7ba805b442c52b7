/* SPDX-License-Identifier: Apache-2.0 */
/* What only the store on disk can get wrong: full disks, crashes, leftovers, rot. */
#define _GNU_SOURCE /* memmem */
#include "lib/log.h"
#include "lib/secret.h"
#include "tests/store/board.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct store *open_store(const char *dir, uint64_t map_bytes)
{
    struct store *s;

    assert_int_equal(store_open_lmdb(dir, board_cohort, BOARD_BUCKETS, map_bytes, &s), 0);
    return s;
}

static int set_up(void **state)
{
    *state = support_dir();
    return 0;
}

static int tear_down(void **state)
{
    support_fail_none();
    (void)umount2(*state, MNT_DETACH); /* of the claim that mounts something there */
    support_dir_drop(*state);
    return 0;
}

static void drop_line(enum log_level level, const char *line, void *arg)
{
    (void)level;
    (void)line;
    (void)arg;
}

/* The path of something in the board's folder on a day counted from BOARD_NOW. */
static char *day_path(const char *dir, uint32_t day, const char *rest)
{
    time_t at = (time_t)(BOARD_NOW + (uint64_t)day * BOARD_DAY_S);
    char name[32], *path = malloc(4096);
    struct tm tm;

    assert_non_null(path);
    assert_non_null(gmtime_r(&at, &tm));
    assert_true(strftime(name, sizeof name, "%Y-%m-%d", &tm) > 0);
    assert_true(snprintf(path, 4096, "%s/board/%s%s", dir, name, rest) < 4096);
    return path;
}

/* ---- every byte of every file ----------------------------------------------------- */

static uint8_t *whole_file(const char *path, size_t *n)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t *p;

    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    *n = (size_t)st.st_size;
    p = malloc(*n + 1);
    assert_non_null(p);
    for (size_t at = 0; at < *n;) {
        ssize_t got = read(fd, p + at, *n - at);

        assert_true(got > 0);
        at += (size_t)got;
    }
    close(fd);
    return p;
}

static struct bytes needle;
static unsigned hits, files_seen;

static int search_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    uint8_t *p;
    size_t n;

    (void)st;
    (void)ftw;
    if (type != FTW_F)
        return 0;
    files_seen++;
    p = whole_file(path, &n);
    for (uint8_t *at = p, *hit;
         (hit = memmem(at, n - (size_t)(at - p), needle.p, needle.n)); at = hit + 1)
        hits++;
    free(p);
    return 0;
}

static unsigned search_folder(const char *dir, struct bytes what)
{
    needle = what;
    hits = files_seen = 0;
    assert_int_equal(nftw(dir, search_one, 16, FTW_PHYS), 0);
    assert_true(files_seen > 0);
    return hits;
}

static void store_expire__leaves_no_byte__of_an_expired_day(void **state)
{
    static const char mark[] = "a sentence nobody else would write";
    struct bytes planted = {(const uint8_t *)mark, sizeof mark - 1};
    uint8_t envelope[ENVELOPE_BYTES] = {0};
    struct store_post post = {.bucket = 2, .envelope = envelope};
    struct store *s = open_store(*state, BOARD_MAP_BYTES);
    uint32_t dropped;

    memcpy(envelope + 1000, mark, sizeof mark - 1);
    assert_int_equal(store_append(s, &post, 1, BOARD_NOW), 0);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(board_append(s, 3, 20, BOARD_NOW + i * BOARD_DAY_S), 0);
    assert_true(search_folder(*state, planted) >=
                1); /* or the search finds nothing at all */
    assert_int_equal(
        store_expire(s, BOARD_NOW + 15 * BOARD_DAY_S, 14 * BOARD_DAY_S, &dropped), 0);
    assert_int_equal(dropped, 1);
    assert_int_equal(search_folder(*state, planted), 0);
    store_close(s);
    assert_int_equal(search_folder(*state, planted), 0);
}

static int check_mode(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)path;
    (void)ftw;
    files_seen++;
    assert_int_equal(st->st_mode & 0777, type == FTW_D ? 0700 : 0600);
    return 0;
}

static void store_open__makes_files__for_its_own_user_only(void **state)
{
    mode_t before = umask(0);
    char *below = strdup(support_path(*state, "relay"));
    struct store *s = open_store(below, BOARD_MAP_BYTES);

    assert_int_equal(board_append(s, 2, 1, BOARD_NOW), 0);
    files_seen = 0;
    assert_int_equal(nftw(below, check_mode, 16, FTW_PHYS), 0);
    assert_true(files_seen >= 8);
    store_close(s);
    free(below);
    umask(before);
}

static void store_append__fills__one_overflow_page_a_record(void **state)
{
    struct store *s = open_store(*state, BOARD_MAP_BYTES);
    char *path = day_path(*state, 0, "");
    MDB_stat stat;
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi log;

    if (sysconf(_SC_PAGESIZE) != 4096)
        skip();
    assert_int_equal(board_append(s, 2, 500, BOARD_NOW), 0);
    store_close(s);
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 4), 0);
    assert_int_equal(mdb_env_open(env, path, MDB_RDONLY, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "log", 0, &log), 0);
    assert_int_equal(mdb_stat(txn, log, &stat), 0);
    assert_int_equal(stat.ms_entries, 500);
    assert_int_equal(stat.ms_overflow_pages, 500);
    mdb_txn_abort(txn);
    mdb_env_close(env);
    free(path);
}

/* ---- whose folder ----------------------------------------------------------------- */

static void store_open__refuses__a_folder_in_use_and_another_cohorts(void **state)
{
    struct store *s = open_store(*state, BOARD_MAP_BYTES), *second;
    uint8_t other[32] = {9};

    assert_int_equal(
        store_open_lmdb(*state, board_cohort, BOARD_BUCKETS, BOARD_MAP_BYTES, &second),
        -EBUSY);
    assert_null(second);
    assert_int_equal(board_append(s, 2, 1, BOARD_NOW), 0);
    store_close(s);
    assert_int_equal(
        store_open_lmdb(*state, other, BOARD_BUCKETS, BOARD_MAP_BYTES, &second), -EXDEV);
    s = open_store(*state, BOARD_MAP_BYTES);
    board_check(s, 2, 1, 2);
    store_close(s);
}

static void store_open__takes__more_buckets_than_before(void **state)
{
    struct store *s = open_store(*state, BOARD_MAP_BYTES);

    assert_int_equal(board_append(s, 2, 3, BOARD_NOW), 0);
    store_close(s);
    assert_int_equal(
        store_open_lmdb(*state, board_cohort, STORE_BUCKETS_MAX, BOARD_MAP_BYTES, &s), 0);
    assert_int_equal(board_append(s, STORE_BUCKETS_MAX - 1, 3, BOARD_NOW), 0);
    board_check(s, 2, 1, 4);
    store_close(s);
    assert_int_equal(
        store_open_lmdb(*state, board_cohort, STORE_BUCKETS_MAX + 1, BOARD_MAP_BYTES, &s),
        -EINVAL);
    s = open_store(*state, BOARD_MAP_BYTES); /* and fewer: nothing is forgotten */
    store_close(s);
    assert_int_equal(
        store_open_lmdb(*state, board_cohort, STORE_BUCKETS_MAX, BOARD_MAP_BYTES, &s), 0);
    board_check(s, STORE_BUCKETS_MAX - 1, 1, 4);
    store_close(s);
}

/* Address space: the whole map for the newest day, what they use for the others. */
static void store_append__maps_widely__the_newest_day_only(void **state)
{
    enum { DAYS = 20 };
    uint64_t map_bytes = 1ull << 34, mapped = 0;
    struct store *s = open_store(*state, map_bytes);
    char line[512];
    FILE *maps;

    for (uint32_t day = 0; day < DAYS; day++)
        assert_int_equal(board_append(s, 2, 3, BOARD_NOW + day * BOARD_DAY_S), 0);
    maps = fopen("/proc/self/maps", "re");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps)) {
        uint64_t from, to;

        if (strstr(line, "/board/") && sscanf(line, "%lx-%lx", &from, &to) == 2)
            mapped += to - from;
    }
    (void)fclose(maps);
    assert_true(mapped >= map_bytes);
    assert_true(mapped < map_bytes + DAYS * 1024 * 1024);
    board_check(s, 2, 1, 3 * DAYS + 1);
    store_close(s);
}

/* ---- full ------------------------------------------------------------------------- */

static void store_append__says_full_and_recovers__when_the_map_is(void **state)
{
    struct store *s = open_store(*state, 512 * 1024);
    uint64_t next = 1;
    int rc;

    while ((rc = board_append(s, 2, 5, BOARD_NOW)) == 0)
        next += 5;
    assert_int_equal(rc, STORE_E_FULL);
    assert_true(next > 50);
    assert_false(store_broken(s));
    board_check(s, 2, 1, next);
    assert_int_equal(board_append(s, 2, 5, BOARD_NOW + BOARD_DAY_S),
                     0); /* the next day */
    next += 5;
    board_check(s, 2, 1, next);
    store_close(s);
    s = open_store(*state, BOARD_MAP_BYTES); /* and a larger map */
    for (int i = 0; i < 100; i++, next += 5)
        assert_int_equal(board_append(s, 2, 5, BOARD_NOW + BOARD_DAY_S), 0);
    board_check(s, 2, 1, next);
    store_close(s);
}

static void fill_disk(const char *dir)
{
    static const uint8_t junk[4096];
    int fd = open(support_path(dir, "filler"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ssize_t n;

    assert_true(fd >= 0);
    do
        n = write(fd, junk, sizeof junk);
    while (n > 0);
    close(fd);
}

static void store_append__says_full_and_recovers__when_the_disk_is(void **state)
{
    static const char *const sizes[] = {"size=2m", "size=4m", "size=8m"};
    const char *dir = *state;
    uint64_t next = 1, now = BOARD_NOW;
    struct store *s;
    int rc;

    if (mount("tmpfs", dir, "tmpfs", 0, "size=1m,mode=0700")) {
        print_message("no tmpfs here: %s\n", strerror(errno));
        skip();
    }
    s = open_store(dir, 1ull << 30);
    for (size_t round = 0; round < COUNT(sizes); round++, now += BOARD_DAY_S) {
        while ((rc = board_append(s, 2, 3, now)) == 0)
            next += 3;
        assert_int_equal(rc, STORE_E_FULL);
        fill_disk(dir);                                /* to the last page */
        while ((rc = board_append(s, 2, 1, now)) == 0) /* what had been set aside */
            next++;
        assert_int_equal(rc, STORE_E_FULL);
        assert_int_equal(board_append(s, 2, 1, now + BOARD_DAY_S), STORE_E_FULL);
        assert_false(store_broken(s));
        board_check(s, 2, 1, next);
        assert_int_equal(unlink(support_path(dir, "filler")), 0);
        store_close(s);
        assert_int_equal(mount("tmpfs", dir, "tmpfs", MS_REMOUNT, sizes[round]), 0);
        s = open_store(dir, 1ull << 30);
        board_check(s, 2, 1, next);
    }
    assert_int_equal(board_append(s, 2, 1, now), 0);
    board_check(s, 2, 1, next + 1);
    store_close(s);
}

/* ---- syncs and crashes ------------------------------------------------------------ */

static void store__breaks_and_loses_nothing__whichever_sync_fails(void **state)
{
    uint64_t next = 1, now = BOARD_NOW;
    struct support_fault fault = {.fired = true};
    unsigned nth, broken = 0;
    uint32_t dropped;

    for (nth = 1; fault.fired; nth++) {
        struct store *s = open_store(*state, BOARD_MAP_BYTES);
        int rc = 0, expire_rc;

        support_fail_nth(&fault, SEAM_SYNC, nth, -EIO);
        for (int i = 0; i < 3; i++, now += BOARD_DAY_S) {
            rc = board_append(s, 2, 4, now);
            if (rc)
                break;
            next += 4;
        }
        expire_rc = store_expire(s, now, 2 * BOARD_DAY_S, &dropped);
        support_fail_none();
        if (fault.fired) {
            assert_int_equal(rc ? rc : expire_rc, STORE_E_BROKEN);
            assert_true(store_broken(s));
            assert_int_equal(board_append(s, 2, 1, now), STORE_E_BROKEN);
            broken++;
        }
        store_close(s);
        s = open_store(*state, BOARD_MAP_BYTES);
        struct store_tail tail;
        assert_int_equal(store_tail(s, 2, &tail), 0);
        board_check(s, 2, tail.oldest, next);
        store_close(s);
    }
    assert_true(broken >= 8);
}

static void put_file(const char *path, const void *p, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, p, n), (ssize_t)n);
    close(fd);
}

static void store_open__removes__what_a_crash_left_half_made_or_half_gone(void **state)
{
    static const char *const leftovers[] = {".new", ".gone"};
    char *paths[2], *board = strdup(support_path(*state, "board")), file[4200];
    struct store *s = open_store(*state, BOARD_MAP_BYTES);

    assert_int_equal(board_append(s, 2, 3, BOARD_NOW), 0);
    store_close(s);
    for (int step = 0; step < 4; step++) {
        for (size_t i = 0; i < COUNT(paths); i++) {
            paths[i] = day_path(*state, i ? 0 : 1, leftovers[i]);
            assert_int_equal(mkdir(paths[i], 0700), 0);
            (void)snprintf(file, sizeof file, "%s/data.mdb", paths[i]);
            if (step & 1)
                put_file(file, "half a page", 11);
            (void)snprintf(file, sizeof file, "%s/lock.mdb", paths[i]);
            if (step & 2)
                put_file(file, "", 0);
            free(paths[i]);
        }
        s = open_store(*state, BOARD_MAP_BYTES);
        assert_int_equal(support_dir_count(board), 1);
        board_check(s, 2, 1, 4);
        store_close(s);
    }
    free(board);
}

#define CRASH_MAP_BYTES (1ull << 32)

/* A child appends until it is killed, and says which numbers were acknowledged. */
static void append_for_ever(const char *dir, int to, uint32_t round)
{
    struct store *s;
    uint64_t now = BOARD_NOW + (uint64_t)round * (BOARD_DAY_S / 2);

    if (store_open_lmdb(dir, board_cohort, BOARD_BUCKETS, CRASH_MAP_BYTES, &s))
        _exit(1);
    for (uint32_t i = 0; i < 1500; i++) { /* a bound for fast disks */
        uint32_t bucket = i % BOARD_BUCKETS;
        struct store_tail tail;
        uint64_t said[2];

        if (board_append(s, bucket, 1 + i % 9, now + i * 60) ||
            store_tail(s, bucket, &tail))
            _exit(2);
        said[0] = bucket;
        said[1] = tail.next;
        if (write(to, said, sizeof said) != sizeof said)
            _exit(3);
    }
    for (;;)
        (void)pause();
}

static void hear_until_killed(pid_t child, int from, uint32_t ms,
                              uint64_t next[BOARD_BUCKETS])
{
    struct timespec wait = {0, (long)ms * 1000000};
    uint64_t said[2];
    int status;

    (void)nanosleep(&wait, NULL);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    while (read(from, said, sizeof said) == sizeof said)
        next[said[0]] = said[1];
}

static void store_append__keeps_what_it_acknowledged__through_kill_9(void **state)
{
    enum { ROUNDS = 20 };
    uint64_t next[BOARD_BUCKETS] = {1, 1, 1, 1, 1, 1};
    struct support_random r;

    support_random_start(&r, 20);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct store *s;
        int ends[2];
        pid_t child;

        assert_int_equal(pipe(ends), 0);
        /* Room for all that a round says: nothing of it gets lost, and nobody waits. */
        assert_true(fcntl(ends[0], F_SETPIPE_SZ, 1 << 20) >= 1 << 20);
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(ends[0]);
            append_for_ever(*state, ends[1], round);
        }
        close(ends[1]);
        hear_until_killed(child, ends[0], 20 + support_random_below(&r, 150), next);
        close(ends[0]);

        s = open_store(*state, BOARD_MAP_BYTES);
        for (uint32_t b = 0; b < BOARD_BUCKETS; b++) {
            struct store_tail tail;

            assert_int_equal(store_tail(s, b, &tail), 0);
            assert_true(tail.next >= next[b]);
            board_check(s, b, 1, tail.next);
            next[b] = tail.next;
        }
        store_close(s);
    }
    assert_true(next[0] > 20);
}

/* ---- rot -------------------------------------------------------------------------- */

static int try_open(const char *dir)
{
    struct store *s;
    int rc = store_open_lmdb(dir, board_cohort, BOARD_BUCKETS, BOARD_MAP_BYTES, &s);

    store_close(s);
    return rc;
}

static void store_open__finds__a_changed_envelope_near_the_end(void **state)
{
    struct store *s = open_store(*state, BOARD_MAP_BYTES);
    char *path = day_path(*state, 0, "/data.mdb");
    uint8_t envelope[ENVELOPE_BYTES], *p, *hit;
    size_t n;

    assert_int_equal(board_append(s, 2, 300, BOARD_NOW), 0);
    store_close(s);
    p = whole_file(path, &n);
    board_envelope(2, 200, envelope);
    hit = memmem(p, n, envelope, sizeof envelope);
    assert_non_null(hit);
    hit[2000] ^= 1;
    put_file(path, p, n);
    assert_int_equal(try_open(*state), STORE_E_CORRUPT);
    hit[2000] ^= 1;
    put_file(path, p, n);
    assert_int_equal(try_open(*state), 0);
    free(p);
    free(path);
}

static void store_open__finds__a_file_cut_short(void **state)
{
    struct store *s = open_store(*state, BOARD_MAP_BYTES);
    char *path = day_path(*state, 0, "/data.mdb");

    assert_int_equal(board_append(s, 2, 300, BOARD_NOW), 0);
    assert_int_equal(board_append(s, 2, 300, BOARD_NOW + BOARD_DAY_S), 0);
    store_close(s);
    assert_int_equal(truncate(path, 64 * 4096), 0);
    assert_int_equal(try_open(*state), STORE_E_CORRUPT);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_not_equal(try_open(*state), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_not_equal(try_open(*state), 0);
    free(path);
}

static void store_open__finds__a_day_taken_out_of_the_middle(void **state)
{
    struct store *s = open_store(*state, BOARD_MAP_BYTES);
    char *from = day_path(*state, 1, ""), *to = strdup(support_path(*state, "elsewhere"));

    for (uint32_t day = 0; day < 3; day++)
        assert_int_equal(board_append(s, 2, 3, BOARD_NOW + day * BOARD_DAY_S), 0);
    store_close(s);
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(try_open(*state), STORE_E_CORRUPT);
    assert_int_equal(rename(to, from), 0);
    assert_int_equal(try_open(*state), 0);
    free(from);
    free(to);
}

#define CLAIM(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest claims[] = {
        CLAIM(store_expire__leaves_no_byte__of_an_expired_day),
        CLAIM(store_open__makes_files__for_its_own_user_only),
        CLAIM(store_append__fills__one_overflow_page_a_record),
        CLAIM(store_open__refuses__a_folder_in_use_and_another_cohorts),
        CLAIM(store_open__takes__more_buckets_than_before),
        CLAIM(store_append__maps_widely__the_newest_day_only),
        CLAIM(store_append__says_full_and_recovers__when_the_map_is),
        CLAIM(store_append__says_full_and_recovers__when_the_disk_is),
        CLAIM(store__breaks_and_loses_nothing__whichever_sync_fails),
        CLAIM(store_open__removes__what_a_crash_left_half_made_or_half_gone),
        CLAIM(store_append__keeps_what_it_acknowledged__through_kill_9),
        CLAIM(store_open__finds__a_changed_envelope_near_the_end),
        CLAIM(store_open__finds__a_file_cut_short),
        CLAIM(store_open__finds__a_day_taken_out_of_the_middle),
    };

    if (secret_start())
        return 1;
    log_set_sink(drop_line,
                 NULL); /* the failures made here are loud, as they should be */
    return cmocka_run_group_tests_name("store_lmdb", claims, NULL, NULL);
}
