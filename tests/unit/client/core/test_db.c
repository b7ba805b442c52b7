/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/support.h"

#include "client/core/db.h"
#include "lib/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const uint8_t right[DB_KEY_BYTES] = {1, 2, 3};
static const uint8_t wrong[DB_KEY_BYTES] = {1, 2, 4};

static struct db *open_at(const char *path)
{
    struct db *db;

    assert_int_equal(db_open(path, right, true, true, &db), 0);
    return db;
}

static int64_t number(struct db *db, const char *sql)
{
    int64_t n;

    assert_int_equal(db_number(db, &n, sql, ""), 0);
    return n;
}

static int add_conv(struct db *db)
{
    return db_run(
        db, "INSERT INTO convs(state, taker, created_s, changed_s) VALUES(1, 0, 0, 0)",
        "");
}

static int64_t convs(struct db *db)
{
    return number(db, "SELECT count(*) FROM convs");
}

static void db_open__keeps__what_was_committed(void **state)
{
    char *dir = support_dir();
    const char *path = support_path(dir, "p");
    struct db *db = open_at(path);
    struct stat st;

    (void)state;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(db_begin(db), 0);
    assert_int_equal(add_conv(db), 0);
    assert_int_equal(db_commit(db), 0);
    assert_int_equal(db_begin(db), 0);
    assert_int_equal(add_conv(db), 0);
    db_close(db); /* without a commit */
    db = open_at(path);
    assert_int_equal(convs(db), 1);
    db_close(db);
    support_dir_drop(dir);
}

static void db_open__refuses__another_key(void **state)
{
    char *dir = support_dir();
    const char *path = support_path(dir, "p");
    struct db *db = open_at(path);

    (void)state;
    db_close(db);
    assert_int_equal(db_open(path, wrong, true, true, &db), DB_E_KEY);
    assert_null(db);
    db_close(open_at(path)); /* and has not harmed it */
    support_dir_drop(dir);
}

static void db_open__refuses__a_file_that_is_not_there_unless_told_to_make_it(
    void **state)
{
    char *dir = support_dir();
    struct db *db;

    (void)state;
    assert_int_equal(db_open(support_path(dir, "p"), right, false, true, &db), -ENOENT);
    assert_int_equal(support_dir_count(dir), 0);
    support_dir_drop(dir);
}

static void db_open__refuses__other_files(void **state)
{
    char *dir = support_dir();
    const char *path = support_path(dir, "p");
    FILE *f = fopen(path, "w");
    struct db *db;

    (void)state;
    assert_non_null(f);
    for (int i = 0; i < 2000; i++)
        (void)fputs("not a database ", f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(db_open(path, right, true, true, &db), DB_E_KEY);
    support_dir_drop(dir);
}

static void db_open__refuses__a_later_schema_and_foreign_databases(void **state)
{
    char *dir = support_dir();
    const char *path = support_path(dir, "p");
    struct db *db = open_at(path);

    (void)state;
    assert_int_equal(db_run(db, "PRAGMA user_version = 2", ""), 0);
    db_close(db);
    assert_int_equal(db_open(path, right, true, true, &db), DB_E_NEWER);
    db = NULL;
    path = support_path(dir, "q");
    db = open_at(path);
    assert_int_equal(db_run(db, "PRAGMA application_id = 7", ""), 0);
    db_close(db);
    assert_int_equal(db_open(path, right, true, true, &db), DB_E_FOREIGN);
    support_dir_drop(dir);
}

static void db_commit__that_fails__takes_everything_back(void **state)
{
    struct db *db = open_at(":memory:");
    struct support_fault fault;

    (void)state;
    assert_int_equal(db_begin(db), 0);
    assert_int_equal(add_conv(db), 0);
    support_fail_nth(&fault, SEAM_SYNC, 1, -EIO);
    assert_int_equal(db_commit(db), -EIO);
    support_fail_none();
    assert_false(db_inside(db));
    assert_int_equal(convs(db), 0);
    assert_int_equal(db_begin(db), 0);
    assert_int_equal(add_conv(db), 0);
    assert_int_equal(db_commit(db), 0);
    assert_int_equal(convs(db), 1);
    db_close(db);
}

static void db_open__fails_cleanly__when_memory_or_the_disk_does(void **state)
{
    static const enum seam kinds[] = {SEAM_ALLOC, SEAM_OPEN, SEAM_SYNC};
    char *dir = support_dir();

    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++)
        for (unsigned nth = 1;; nth++) {
            struct support_fault fault;
            struct db *db = NULL;
            char name[32];
            int rc;

            (void)snprintf(name, sizeof name, "p%zu-%u", k, nth);
            support_fail_nth(&fault, kinds[k], nth, -ENOSPC);
            rc = db_open(support_path(dir, name), right, true, true, &db);
            support_fail_none();
            if (!fault.fired) {
                assert_int_equal(rc, 0);
                db_close(db);
                break;
            }
            assert_true(rc < 0);
            assert_null(db);
        }
    support_dir_drop(dir);
}

static void db_version__changes__when_another_handle_wrote(void **state)
{
    char *dir = support_dir();
    struct db *one = open_at(support_path(dir, "p"));
    struct db *two = open_at(support_path(dir, "p"));
    int64_t before, after;

    (void)state;
    assert_int_equal(db_version(one, &before), 0);
    assert_int_equal(add_conv(one), 0);
    assert_int_equal(db_version(one, &after), 0);
    assert_int_equal(after, before); /* its own */
    assert_int_equal(add_conv(two), 0);
    assert_int_equal(db_version(one, &after), 0);
    assert_int_not_equal(after, before);
    assert_int_equal(convs(one), 2);
    db_close(one);
    db_close(two);
    support_dir_drop(dir);
}

static void db_rows__may_be_nested__with_the_same_question(void **state)
{
    static const char sql[] = "SELECT id FROM convs ORDER BY id";
    struct db *db = open_at(":memory:");
    struct db_rows outer, inner;
    int seen = 0;

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(add_conv(db), 0);
    outer = db_ask(db, sql, "");
    while (db_next(&outer)) {
        inner = db_ask(db, sql, "");
        while (db_next(&inner))
            seen++;
        assert_int_equal(db_done(&inner), 0);
    }
    assert_int_equal(db_done(&outer), 0);
    assert_int_equal(seen, 9);
    db_close(db);
}

static bool anywhere(const char *dir, const char *const *names, size_t count,
                     const char *phrase)
{
    bool found = false;

    for (size_t i = 0; i < count; i++) {
        FILE *f = fopen(support_path(dir, names[i]), "rb");
        size_t n = strlen(phrase), have = 0;
        int c;
        if (!f)
            continue;
        while ((c = fgetc(f)) != EOF) {
            have = c == phrase[have] ? have + 1 : c == phrase[0];
            if (have == n) {
                found = true;
                break;
            }
        }
        (void)fclose(f);
    }
    return found;
}

static void db_file__holds_no_byte__of_what_was_written(void **state)
{
    static const char *const names[] = {"p", "p-wal", "p-shm", "p-journal"};
    static const char phrase[] = "the cat sleeps on the anatomy atlas";
    char *dir = support_dir();
    struct db *db = open_at(support_path(dir, "p"));
    FILE *f;

    (void)state;
    assert_int_equal(add_conv(db), 0);
    assert_int_equal(db_run(db, "UPDATE convs SET name = ?", "s", phrase), 0);
    assert_false(
        anywhere(dir, names, COUNT(names), phrase)); /* while the journal is open */
    db_close(db);
    assert_false(anywhere(dir, names, COUNT(names), phrase));
    assert_false(anywhere(dir, names, COUNT(names), "SQLite format 3"));
    f = fopen(support_path(dir, "p-wal"), "w"); /* the looking can find */
    assert_non_null(f);
    (void)fputs("xx the cat sleeps on the anatomy atlas", f);
    (void)fclose(f);
    assert_true(anywhere(dir, names, COUNT(names), phrase));
    support_dir_drop(dir);
}

static void db_settle__empties__the_journal(void **state)
{
    char *dir = support_dir();
    struct db *db = open_at(support_path(dir, "p"));
    struct stat st;

    (void)state;
    assert_int_equal(add_conv(db), 0);
    assert_int_equal(stat(support_path(dir, "p-wal"), &st), 0);
    assert_true(st.st_size > 0);
    assert_int_equal(db_settle(db), 0);
    assert_int_equal(stat(support_path(dir, "p-wal"), &st), 0);
    assert_int_equal(st.st_size, 0);
    db_close(db);
    support_dir_drop(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(db_open__keeps__what_was_committed),
        cmocka_unit_test(db_open__refuses__another_key),
        cmocka_unit_test(
            db_open__refuses__a_file_that_is_not_there_unless_told_to_make_it),
        cmocka_unit_test(db_open__refuses__other_files),
        cmocka_unit_test(db_open__refuses__a_later_schema_and_foreign_databases),
        cmocka_unit_test(db_commit__that_fails__takes_everything_back),
        cmocka_unit_test(db_open__fails_cleanly__when_memory_or_the_disk_does),
        cmocka_unit_test(db_version__changes__when_another_handle_wrote),
        cmocka_unit_test(db_rows__may_be_nested__with_the_same_question),
        cmocka_unit_test(db_file__holds_no_byte__of_what_was_written),
        cmocka_unit_test(db_settle__empties__the_journal),
    };

    if (secret_start())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
