/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/support.h"

#include "lib/file.h"
#include "lib/kdf.h" /* LABEL */
#include "lib/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *dir;

static void holds(const char *name, struct bytes want)
{
    struct buf b;

    buf_init(&b, 100000);
    assert_int_equal(file_read(support_path(dir, name), 100000, false, &b), 0);
    support_equal(buf_view(&b), want);
    buf_free(&b);
}

static void put(const char *name, struct bytes content, unsigned mode)
{
    assert_int_equal(file_replace(support_path(dir, name), content, mode), 0);
}

static void file_replace__writes__what_file_read_gives_back(void **state)
{
    static uint8_t large[50000];
    struct stat st;

    (void)state;
    memset(large, 0x42, sizeof large);
    put("a", LABEL("first"), 0600);
    holds("a", LABEL("first"));
    put("a", BYTES(large), 0600);
    holds("a", BYTES(large));
    put("a", (struct bytes){NULL, 0}, 0600);
    holds("a", (struct bytes){NULL, 0});
    assert_int_equal(stat(support_path(dir, "a"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(support_dir_count(dir), 1);
}

static void file_read__appends__and_leaves_out_alone_on_failure(void **state)
{
    struct buf b;

    (void)state;
    put("a", LABEL("second"), 0600);
    buf_init(&b, 100);
    buf_put(&b, "head ", 5);
    assert_int_equal(file_read(support_path(dir, "a"), 50, false, &b), 0);
    support_equal(buf_view(&b), LABEL("head second"));
    assert_int_equal(file_read(support_path(dir, "a"), 5, false, &b), -EFBIG);
    assert_int_equal(file_read(support_path(dir, "none"), 50, false, &b), -ENOENT);
    assert_int_equal(file_read(dir, 50, false, &b), -EISDIR);
    support_equal(buf_view(&b), LABEL("head second"));
    buf_free(&b);
}

static void file_read__takes__exactly_cap(void **state)
{
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 8192, 20000};
    static uint8_t content[20001];

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct buf b;

        buf_init(&b, sizes[i]);
        put("a", (struct bytes){content, sizes[i]}, 0600);
        assert_int_equal(file_read(support_path(dir, "a"), sizes[i], false, &b), 0);
        assert_int_equal(b.n, sizes[i]);
        buf_free(&b);
        buf_init(&b, sizes[i]);
        put("a", (struct bytes){content, sizes[i] + 1}, 0600);
        assert_int_equal(file_read(support_path(dir, "a"), sizes[i], false, &b), -EFBIG);
        buf_free(&b);
    }
}

static int grow_before_reading(enum seam kind, void *arg)
{
    unsigned *left = arg;
    int fd;

    if (kind != SEAM_READ || *left == 0)
        return 0;
    --*left;
    fd = open(support_path(dir, "a"), O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_int_equal(write(fd, "more", 4), 4);
    close(fd);
    return 0;
}

static void file_read__bounds__a_file_that_grows_meanwhile(void **state)
{
    unsigned times = 1;
    struct buf b;

    (void)state;
    put("a", LABEL("12345"), 0600);
    buf_init(&b, 100);
    seam_set(grow_before_reading, &times);
    assert_int_equal(file_read(support_path(dir, "a"), 100, false, &b), 0);
    support_equal(buf_view(&b), LABEL("12345more"));
    put("a", LABEL("12345"), 0600);
    times = 1;
    assert_int_equal(file_read(support_path(dir, "a"), 8, false, &b), -EFBIG);
    seam_set(NULL, NULL);
    assert_int_equal(b.n, 9);
    buf_free(&b);
}

static void file_read__refuses__a_secret_that_others_may_read(void **state)
{
    static const mode_t open_to_others[] = {0640, 0604, 0610, 0777, 0620};
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    put("a", LABEL("key"), 0600);
    assert_int_equal(file_read(support_path(dir, "a"), 100, true, &b), 0);
    for (size_t i = 0; i < COUNT(open_to_others); i++) {
        assert_int_equal(chmod(support_path(dir, "a"), open_to_others[i]), 0);
        assert_int_equal(file_read(support_path(dir, "a"), 100, true, &b), -EPERM);
        assert_int_equal(b.n, 3);
    }
    buf_free(&b);
}

static void file_read__does_not_hang__on_a_pipe(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    assert_int_equal(mkfifo(support_path(dir, "fifo"), 0600), 0);
    assert_int_equal(file_read(support_path(dir, "fifo"), 100, false, &b), -EINVAL);
    assert_int_equal(file_read("/dev/zero", 100, false, &b), -EINVAL);
    assert_int_equal(unlink(support_path(dir, "fifo")), 0);
    buf_free(&b);
}

static void file_read__passes_on__each_failing_call(void **state)
{
    static const enum seam kinds[] = {SEAM_OPEN, SEAM_READ, SEAM_ALLOC};
    struct support_fault f;

    (void)state;
    put("a", LABEL("words"), 0600);
    for (size_t k = 0; k < COUNT(kinds); k++)
        for (unsigned nth = 1;; nth++) {
            struct buf b;
            int rc;

            buf_init(&b, 100);
            support_fail_nth(&f, kinds[k], nth, kinds[k] == SEAM_ALLOC ? -ENOMEM : -EIO);
            rc = file_read(support_path(dir, "a"), 100, false, &b);
            support_fail_none();
            assert_int_equal(rc, f.fired ? f.rc : 0);
            assert_int_equal(b.n, f.fired ? 0 : 5);
            buf_free(&b);
            if (!f.fired)
                break;
        }
}

/* Whatever call fails, the old content is whole and nothing is left lying about; only the
 * folder's own sync comes too late for that, and the new content is then whole. */
static void file_replace__keeps_the_old_file__whichever_call_fails(void **state)
{
    struct support_fault f;

    (void)state;
    for (enum seam kind = 0; kind < SEAM_KINDS; kind++)
        for (unsigned nth = 1;; nth++) {
            const char *path;
            int rc;

            put("a", LABEL("old"), 0600);
            path = support_path(dir, "a");
            support_fail_nth(&f, kind, nth, kind == SEAM_WRITE ? -ENOSPC : -EIO);
            rc = file_replace(path, LABEL("new"), 0600);
            support_fail_none();
            if (!f.fired) {
                assert_int_equal(rc, 0);
                if (kind == SEAM_SYNC)
                    assert_int_equal(f.seen, 2); /* the file, then its folder */
                break;
            }
            assert_true(rc < 0);
            if (kind != SEAM_ALLOC)
                assert_int_equal(rc, f.rc);
            if (nth == 2) /* the folder: its open, its sync, its name's memory */
                holds("a", LABEL("new"));
            else
                holds("a", LABEL("old"));
            assert_int_equal(support_dir_count(dir), 1);
        }
}

static void file_replace__refuses__a_folder_that_is_not_there(void **state)
{
    (void)state;
    assert_int_equal(file_replace(support_path(dir, "no/a"), LABEL("x"), 0600), -ENOENT);
}

static void file_mkdirs__makes__what_is_missing(void **state)
{
    struct stat st;

    (void)state;
    assert_int_equal(file_mkdirs(support_path(dir, "x/y/z"), 0700), 0);
    assert_int_equal(file_mkdirs(support_path(dir, "x/y/z/"), 0700), 0);
    assert_int_equal(stat(support_path(dir, "x/y/z"), &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(file_mkdirs("/", 0700), 0);
    assert_int_equal(file_mkdirs("", 0700), -ENOENT);
    put("f", LABEL("x"), 0600);
    assert_int_equal(file_mkdirs(support_path(dir, "f"), 0700), -ENOTDIR);
    assert_int_equal(file_mkdirs(support_path(dir, "f/g"), 0700), -ENOTDIR);
}

static void file_mkdirs__passes_on__each_failing_call(void **state)
{
    struct support_fault f;

    (void)state;
    support_fail_nth(&f, SEAM_ALLOC, 1, -ENOMEM);
    assert_int_equal(file_mkdirs(support_path(dir, "q/r"), 0700), -ENOMEM);
    support_fail_nth(&f, SEAM_OPEN, 2, -ENOSPC);
    assert_int_equal(file_mkdirs(support_path(dir, "q/r"), 0700), -ENOSPC);
    support_fail_none();
    assert_int_equal(file_sync_dir(dir), 0);
    assert_int_equal(file_sync_dir(support_path(dir, "none")), -ENOENT);
}

static int start(void **state)
{
    (void)state;
    umask(022);
    return secret_start();
}

static int new_dir(void **state)
{
    (void)state;
    dir = support_dir();
    return 0;
}

static int drop_dir(void **state)
{
    (void)state;
    support_dir_drop(dir);
    return 0;
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, new_dir, drop_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(file_replace__writes__what_file_read_gives_back),
        IN_DIR(file_read__appends__and_leaves_out_alone_on_failure),
        IN_DIR(file_read__takes__exactly_cap),
        IN_DIR(file_read__bounds__a_file_that_grows_meanwhile),
        IN_DIR(file_read__refuses__a_secret_that_others_may_read),
        IN_DIR(file_read__does_not_hang__on_a_pipe),
        IN_DIR(file_read__passes_on__each_failing_call),
        IN_DIR(file_replace__keeps_the_old_file__whichever_call_fails),
        IN_DIR(file_replace__refuses__a_folder_that_is_not_there),
        IN_DIR(file_mkdirs__makes__what_is_missing),
        IN_DIR(file_mkdirs__passes_on__each_failing_call),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
