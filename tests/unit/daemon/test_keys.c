/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keys.h"
#include "tests/support/support.h"

#include "lib/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], why[KEYS_WHY_BYTES];

static struct keys_want want_good(void)
{
    return (struct keys_want){"Night Owls", "Relay.Example.edu:99", 2, 400, 14,
                              1700000000};
}

static int make_folder(void **state)
{
    (void)state;
    (void)strcpy(folder, "/tmp/kith-keys-XXXXXX");
    return mkdtemp(folder) == NULL || secret_start() ? -1 : 0;
}

static int drop_folder(void **state)
{
    char command[128];

    (void)state;
    (void)snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

static void path_of(char out[128], const char *name)
{
    (void)snprintf(out, 128, "%s/%s", folder, name);
}

static void flip(const char *name, long at)
{
    char path[128];
    FILE *f;
    int byte;

    path_of(path, name);
    f = fopen(path, "r+b");
    if (f == NULL)
        fail_msg("cannot open %s", path);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    byte = fgetc(f);
    assert_true(byte != EOF);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    assert_int_equal(fputc(byte ^ 1, f), byte ^ 1);
    assert_int_equal(fclose(f), 0);
}

static void keys_create__makes__what_keys_load_reads(void **state)
{
    struct keys_want want = want_good();
    struct keys *k;
    struct stat st;
    char path[128];

    (void)state;
    assert_int_equal(keys_create(folder, &want, why), 0);
    assert_int_equal(keys_load(folder, &k, why), 0);
    assert_int_equal(k->count, 1);
    assert_string_equal(k->newest.name, "Night Owls");
    assert_string_equal(k->newest.relays[0].address, "relay.example.edu:99");
    assert_memory_equal(k->newest.relays[0].key_hash, k->hash, HASH_BYTES);
    assert_memory_equal(k->newest.hash, k->cohort, HASH_BYTES);
    assert_int_equal(k->newest.needed, 1);
    assert_int_equal(k->newest.expires_day, 1700000000 / 86400 + KEYS_DESCRIPTOR_DAYS);
    keys_free(k);
    path_of(path, "relay.key");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_size, KEM_SK_BYTES);
    path_of(path, "admin.key");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void keys_create__leaves_keys_alone__that_are_there(void **state)
{
    struct keys_want want = want_good();
    struct keys *a, *b;

    (void)state;
    assert_int_equal(keys_create(folder, &want, why), 0);
    assert_int_equal(keys_load(folder, &a, why), 0);
    assert_int_equal(keys_create(folder, &want, why), KEYS_E_EXISTS);
    assert_int_equal(keys_load(folder, &b, why), 0);
    assert_memory_equal(a->cohort, b->cohort, HASH_BYTES);
    keys_free(a);
    keys_free(b);
}

static void keys_create__refuses__what_no_descriptor_may_hold(void **state)
{
    static const char *const addresses[] = {"", "no spaces", "a:0", "-x"};
    struct keys_want want = want_good();
    char name[COHORT_NAME_BYTES_MAX + 2];

    (void)state;
    for (size_t i = 0; i < COUNT(addresses); i++) {
        want.address = addresses[i];
        assert_int_equal(keys_create(folder, &want, why), KEYS_E_WANT);
    }
    want = want_good();
    want.name = "";
    assert_int_equal(keys_create(folder, &want, why), KEYS_E_WANT);
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    want.name = name;
    assert_int_equal(keys_create(folder, &want, why), KEYS_E_WANT);
    want.name = "\xff\xfe"; /* found out only when the descriptor is read again */
    assert_int_equal(keys_create(folder, &want, why), KEYS_E_WANT);
    want = want_good();
    want.mail_buckets = BUCKETS_MAIL_MAX + 1;
    assert_int_equal(keys_create(folder, &want, why), KEYS_E_WANT);
    want = want_good();
    want.retention_days = 0;
    assert_int_equal(keys_create(folder, &want, why), KEYS_E_WANT);
    assert_int_equal(support_dir_count(folder), 0); /* not even an admin key is left */
}

static void keys_load__refuses__open_absent_and_damaged_files(void **state)
{
    struct keys_want want = want_good();
    struct keys *k;
    char path[128];

    (void)state;
    assert_int_equal(keys_load(folder, &k, why), KEYS_E_ABSENT);
    assert_int_equal(keys_create(folder, &want, why), 0);
    path_of(path, "relay.key");
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(keys_load(folder, &k, why), KEYS_E_OPEN);
    assert_non_null(strstr(why, "chmod 600"));
    assert_int_equal(chmod(path, 0600), 0);
    flip("relay.key", 5); /* another key than the descriptor's */
    assert_int_equal(keys_load(folder, &k, why), KEYS_E_DAMAGED);
    flip("relay.key", 5);
    flip("descriptors/000001", 20);
    assert_int_equal(keys_load(folder, &k, why), KEYS_E_DAMAGED);
    flip("descriptors/000001", 20);
    assert_int_equal(keys_load(folder, &k, why), 0);
    keys_free(k);
    assert_int_equal(truncate(path, 31), 0);
    assert_int_equal(keys_load(folder, &k, why), KEYS_E_DAMAGED);
    path_of(path, "descriptors/000001");
    assert_int_equal(unlink(path), 0);
    assert_true(keys_load(folder, &k, why) > 0);
}

static void keys_create__completes__what_a_failure_left_half_done(void **state)
{
    static const enum seam kinds[] = {SEAM_ALLOC, SEAM_RANDOM, SEAM_OPEN,
                                      SEAM_WRITE, SEAM_SYNC,   SEAM_RENAME};
    struct keys_want want = want_good();
    struct support_fault fault;
    struct keys *k;

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        for (unsigned nth = 1;; nth++) {
            int rc;

            support_fail_nth(&fault, kinds[i], nth, -EIO);
            rc = keys_create(folder, &want, why);
            support_fail_none();
            assert_true(rc <= 0);
            if (rc) /* what failed may have been no more than the folder's last sync */
                assert_in_range(keys_create(folder, &want, why), 0, KEYS_E_EXISTS);
            assert_int_equal(keys_load(folder, &k, why), 0);
            keys_free(k);
            assert_int_equal(drop_folder(NULL), 0);
            assert_int_equal(make_folder(NULL), 0);
            if (!fault.fired)
                break;
        }
    }
}

static void keys_load__leaks_nothing__when_the_nth_call_fails(void **state)
{
    static const enum seam kinds[] = {SEAM_ALLOC, SEAM_OPEN, SEAM_READ};
    struct keys_want want = want_good();
    struct support_fault fault;
    struct keys *k;

    (void)state;
    assert_int_equal(keys_create(folder, &want, why), 0);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        for (unsigned nth = 1;; nth++) {
            int rc;

            support_fail_nth(&fault, kinds[i], nth, -ENOMEM);
            rc = keys_load(folder, &k, why);
            support_fail_none();
            if (rc == 0)
                keys_free(k);
            if (!fault.fired)
                break;
        }
    }
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, drop_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(keys_create__makes__what_keys_load_reads),
        IN_FOLDER(keys_create__leaves_keys_alone__that_are_there),
        IN_FOLDER(keys_create__refuses__what_no_descriptor_may_hold),
        IN_FOLDER(keys_load__refuses__open_absent_and_damaged_files),
        IN_FOLDER(keys_create__completes__what_a_failure_left_half_done),
        IN_FOLDER(keys_load__leaks_nothing__when_the_nth_call_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
