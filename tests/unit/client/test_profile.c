/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/support.h"

#include "client/profile.h"
#include "lib/file.h"
#include "lib/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char good[] = "kith-profile 1\nargon2id 65536 3\n"
                           "salt 00112233445566778899aabbccddeeff\n";

static int parse(const char *text, size_t n, struct profile_kdf *out)
{
    struct bytes exact = support_exact(text, n);
    int rc = profile_parse_kdf(exact, out);

    support_drop(exact);
    return rc;
}

static void profile_parse_kdf__reads__what_create_wrote(void **state)
{
    struct profile_kdf kdf;

    (void)state;
    assert_int_equal(parse(good, sizeof good - 1, &kdf), 0);
    assert_int_equal(kdf.mem_kib, 65536);
    assert_int_equal(kdf.passes, 3);
    assert_int_equal(kdf.salt[15], 0xff);
}

static void profile_parse_kdf__refuses__every_truncation_and_flipped_byte(void **state)
{
    struct profile_kdf kdf;
    char copy[sizeof good];

    (void)state;
    for (size_t n = 0; n < sizeof good - 1; n++)
        assert_int_equal(parse(good, n, &kdf), PROFILE_E_KDF);
    for (size_t i = 0; i < sizeof good - 1; i++) {
        memcpy(copy, good, sizeof good);
        copy[i] ^= (char)0x80; /* no digit, letter or blank stays one */
        assert_int_equal(parse(copy, sizeof good - 1, &kdf), PROFILE_E_KDF);
    }
}

static void profile_parse_kdf__refuses__unreasonable_and_loose_forms(void **state)
{
    static const char *const bad[] = {
        "kith-profile 1\nargon2id 8191 3\nsalt 00112233445566778899aabbccddeeff\n",
        "kith-profile 1\nargon2id 2097153 3\nsalt 00112233445566778899aabbccddeeff\n",
        "kith-profile 1\nargon2id 4294967296 3\nsalt 00112233445566778899aabbccddeeff\n",
        "kith-profile 1\nargon2id 065536 3\nsalt 00112233445566778899aabbccddeeff\n",
        "kith-profile 1\nargon2id +65536 3\nsalt 00112233445566778899aabbccddeeff\n",
        "kith-profile 1\nargon2id 65536 0\nsalt 00112233445566778899aabbccddeeff\n",
        "kith-profile 1\nargon2id 65536 65\nsalt 00112233445566778899aabbccddeeff\n",
        "kith-profile 1\nargon2id 65536  3\nsalt 00112233445566778899aabbccddeeff\n",
        "kith-profile 2\nargon2id 65536 3\nsalt 00112233445566778899aabbccddeeff\n",
        "kith-profile 1\nargon2id 65536 3\nsalt 00112233445566778899aabbccddeeff",
        "kith-profile 1\nargon2id 65536 3\nsalt 00112233445566778899aabbccddeeff\n\n",
        "kith-profile 1\r\nargon2id 65536 3\r\nsalt 00112233445566778899aabbccddeeff\r\n",
    };
    struct profile_kdf kdf;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(parse(bad[i], strlen(bad[i]), &kdf), PROFILE_E_KDF);
}

static void profile_locate__follows__xdg_home_and_environment(void **state)
{
    struct profile p;

    (void)state;
    assert_int_equal(setenv("XDG_DATA_HOME", "/x/data", 1), 0);
    assert_int_equal(unsetenv("KITH_PROFILE"), 0);
    assert_int_equal(profile_locate(NULL, &p), 0);
    assert_string_equal(p.dir, "/x/data/kith/default");
    assert_string_equal(p.db, "/x/data/kith/default/profile.db");
    assert_int_equal(setenv("KITH_PROFILE", "night", 1), 0);
    assert_int_equal(profile_locate(NULL, &p), 0);
    assert_string_equal(p.dir, "/x/data/kith/night");
    assert_int_equal(profile_locate("day", &p),
                     0); /* the flag comes before the environment */
    assert_string_equal(p.name, "day");
    assert_int_equal(unsetenv("KITH_PROFILE"), 0);
    assert_int_equal(setenv("XDG_DATA_HOME", "relative", 1),
                     0); /* as XDG says: ignored */
    assert_int_equal(setenv("HOME", "/h", 1), 0);
    assert_int_equal(profile_locate(NULL, &p), 0);
    assert_string_equal(p.dir, "/h/.local/share/kith/default");
    assert_int_equal(unsetenv("XDG_DATA_HOME"), 0);
    assert_int_equal(unsetenv("HOME"), 0);
    assert_int_equal(profile_locate(NULL, &p), -ENOENT);
    assert_int_equal(profile_locate("/a/b/c/", &p), 0); /* a path needs no home */
    assert_string_equal(p.dir, "/a/b/c");
    assert_string_equal(p.name, "c");
}

static void profile_locate__refuses__names_that_are_none(void **state)
{
    static const char *const bad[] = {".",     "..",   ".hidden",   "-x",
                                      "a b",   "a\nb", "a\x1b",     "/",
                                      "/a/..", "./.x", "na\u00efve"};
    struct profile p;
    char longer[PROFILE_NAME_MAX + 2];

    (void)state;
    assert_int_equal(setenv("HOME", "/h", 1), 0);
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(profile_locate(bad[i], &p), PROFILE_E_NAME);
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(profile_locate(longer, &p), PROFILE_E_NAME);
}

static struct profile fresh(const char *dir)
{
    struct profile p;

    assert_int_equal(profile_locate(support_path(dir, "ann"), &p), 0);
    return p;
}

static void profile_create__makes__closed_files_once(void **state)
{
    char *dir = support_dir();
    struct profile p = fresh(dir);
    struct profile_kdf made, read;
    struct stat st;

    (void)state;
    assert_int_equal(profile_read_kdf(&p, &read), PROFILE_E_NONE);
    assert_int_equal(profile_create(&p, &made), 0);
    assert_int_equal(stat(p.dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(stat(p.kdf, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(profile_read_kdf(&p, &read), 0);
    assert_memory_equal(read.salt, made.salt, sizeof read.salt);
    assert_int_equal(profile_create(&p, &made), PROFILE_E_EXISTS);
    assert_int_equal(chmod(p.dir, 0750), 0);
    assert_int_equal(profile_read_kdf(&p, &read), PROFILE_E_OPEN);
    assert_int_equal(profile_destroy(&p), 0);
    assert_int_equal(access(p.dir, F_OK), -1);
    support_dir_drop(dir);
}

static void profile_create__reports__every_failing_call(void **state)
{
    static const enum seam kinds[] = {SEAM_RANDOM, SEAM_OPEN, SEAM_WRITE, SEAM_SYNC,
                                      SEAM_RENAME};

    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++)
        for (unsigned nth = 1;; nth++) {
            char *dir = support_dir();
            struct profile p = fresh(dir);
            struct profile_kdf kdf, again;
            struct support_fault fault;
            int rc;

            support_fail_nth(&fault, kinds[k], nth, -EIO);
            rc = profile_create(&p, &kdf);
            support_fail_none();
            if (fault.fired)
                assert_true(rc < 0 || profile_read_kdf(&p, &again) == 0);
            support_dir_drop(dir);
            if (!fault.fired)
                break;
        }
}

static void profile_hold__lets__one_process_hold(void **state)
{
    char *dir = support_dir();
    struct profile p = fresh(dir), other = fresh(dir);
    struct profile_kdf kdf;
    int status;
    pid_t child;

    (void)state;
    assert_int_equal(profile_create(&p, &kdf), 0);
    assert_int_equal(profile_hold(&p), 0);
    assert_int_equal(profile_hold(&p), 0); /* again is fine */
    assert_int_equal(profile_hold(&other), PROFILE_E_HELD);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct profile mine = fresh(dir);

        _exit(profile_hold(&mine) == PROFILE_E_HELD ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    profile_release(&p);
    assert_int_equal(profile_hold(&other), 0);
    profile_release(&other);
    assert_int_equal(profile_destroy(&p), 0);
    support_dir_drop(dir);
}

static void profile_derive__gives__one_key_for_one_passphrase_and_salt(void **state)
{
    struct profile_kdf kdf = {.mem_kib = PROFILE_KDF_MEM_LEAST_KIB, .passes = 1};
    uint8_t *a = secret_alloc(PROFILE_KEY_BYTES), *b = secret_alloc(PROFILE_KEY_BYTES);
    uv_loop_t loop;

    (void)state;
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(profile_derive(&loop, LABEL("one two three"), &kdf, a), 0);
    assert_int_equal(profile_derive(&loop, LABEL("one two three"), &kdf, b), 0);
    assert_memory_equal(a, b, PROFILE_KEY_BYTES);
    assert_int_equal(profile_derive(&loop, LABEL("one two thref"), &kdf, b), 0);
    assert_memory_not_equal(a, b, PROFILE_KEY_BYTES);
    kdf.salt[0] = 1;
    assert_int_equal(profile_derive(&loop, LABEL("one two three"), &kdf, b), 0);
    assert_memory_not_equal(a, b, PROFILE_KEY_BYTES);
    assert_int_equal(uv_loop_close(&loop), 0);
    secret_free(a);
    secret_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profile_parse_kdf__reads__what_create_wrote),
        cmocka_unit_test(profile_parse_kdf__refuses__every_truncation_and_flipped_byte),
        cmocka_unit_test(profile_parse_kdf__refuses__unreasonable_and_loose_forms),
        cmocka_unit_test(profile_locate__follows__xdg_home_and_environment),
        cmocka_unit_test(profile_locate__refuses__names_that_are_none),
        cmocka_unit_test(profile_create__makes__closed_files_once),
        cmocka_unit_test(profile_create__reports__every_failing_call),
        cmocka_unit_test(profile_hold__lets__one_process_hold),
        cmocka_unit_test(profile_derive__gives__one_key_for_one_passphrase_and_salt),
    };

    if (secret_start())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
