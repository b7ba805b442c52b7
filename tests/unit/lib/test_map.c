/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/support.h"

#include "lib/map.h"
#include "lib/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS = 500 };

static int values[KEYS]; /* addresses to point at */

static void key_of(uint32_t i, uint8_t key[9])
{
    memset(key, 0, 9);
    le_put(key + 3, i, 4);
}

/* Random puts and takes against a plain array: same answers, all the time. */
static void map__behaves__like_an_array_by_key(void **state)
{
    struct support_random r;
    void *model[KEYS] = {NULL};
    size_t count = 0;
    struct map *m = map_new(9);

    (void)state;
    assert_non_null(m);
    support_random_start(&r, 7);
    for (int step = 0; step < 60000; step++) {
        uint32_t i = support_random_below(&r, KEYS);
        /* Tides, so that it fills and empties. */
        bool put = support_random_below(&r, 10) < (step / 6000 % 2 ? 3u : 7u);
        uint8_t key[9];
        void *old = &old;

        key_of(i, key);
        assert_ptr_equal(map_get(m, key), model[i]);
        if (put) {
            void *value = &values[support_random_below(&r, KEYS)];

            assert_int_equal(map_put(m, key, value, &old), 0);
            assert_ptr_equal(old, model[i]);
            count += !model[i];
            model[i] = value;
        } else {
            assert_ptr_equal(map_take(m, key), model[i]);
            count -= model[i] != NULL;
            model[i] = NULL;
        }
        assert_int_equal(map_count(m), count);
    }
    map_free(m, NULL);
}

static void add_up(const void *key, void *value, void *arg)
{
    size_t *sum = arg;

    *sum += (size_t)((int *)value - values) * 1000 + ((const uint8_t *)key)[3];
}

static void map_each__visits__each_entry_once(void **state)
{
    struct map *m = map_new(9);
    size_t sum = 0, want = 0;
    uint8_t key[9];

    (void)state;
    map_each(m, add_up, &sum);
    assert_int_equal(sum, 0);
    for (uint32_t i = 0; i < 200; i++) {
        key_of(i, key);
        assert_int_equal(map_put(m, key, &values[i], NULL), 0);
        want += i * 1000 + i;
    }
    map_each(m, add_up, &sum);
    assert_int_equal(sum, want);
    map_free(m, NULL);
}

static void map_free__frees__each_value(void **state)
{
    struct map *m = map_new(1);

    (void)state;
    for (int i = 0; i < 256; i++) { /* LeakSanitizer counts */
        uint8_t key = (uint8_t)i;

        assert_int_equal(map_put(m, &key, malloc(3), NULL), 0);
    }
    map_free(m, free);
    map_free(NULL, free);
    map_free(NULL, NULL);
}

static void map__refuses__what_it_cannot_hold(void **state)
{
    struct map *m;
    uint8_t key[64] = {0};

    (void)state;
    assert_null(map_new(0));
    assert_null(map_new(65));
    m = map_new(64);
    assert_non_null(m);
    assert_null(map_get(m, key));
    assert_null(map_take(m, key));
    assert_int_equal(map_put(m, key, NULL, NULL), -EINVAL);
    assert_int_equal(map_count(m), 0);
    map_free(m, NULL);
}

static void map__stays_as_it_was__when_memory_runs_out(void **state)
{
    struct support_fault f;

    (void)state;
    for (unsigned nth = 1;; nth++) {
        struct map *m;
        uint32_t put = 0, failed = 0;
        uint8_t key[9];

        support_fail_nth(&f, SEAM_ALLOC, nth, -ENOMEM);
        m = map_new(9);
        for (; m && put < 100; put++) {
            key_of(put, key);
            if (map_put(m, key, &values[put], NULL)) {
                failed++;
                assert_null(map_get(m, key));
                assert_int_equal(map_put(m, key, &values[put], NULL), 0); /* room again */
            }
        }
        support_fail_none();
        assert_int_equal(failed, m && f.fired);
        for (uint32_t i = 0; m && i < put; i++) {
            key_of(i, key);
            assert_ptr_equal(map_get(m, key), &values[i]);
        }
        map_free(m, NULL);
        if (!f.fired)
            break;
        assert_in_range(nth, 1, 20);
    }
}

static void map_new__fails__without_randomness(void **state)
{
    struct support_fault f;

    (void)state;
    support_fail_nth(&f, SEAM_RANDOM, 1, -EIO);
    assert_null(map_new(8));
    support_fail_none();
    assert_true(f.fired);
}

static int start(void **state)
{
    (void)state;
    return secret_start();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map__behaves__like_an_array_by_key),
        cmocka_unit_test(map_each__visits__each_entry_once),
        cmocka_unit_test(map_free__frees__each_value),
        cmocka_unit_test(map__refuses__what_it_cannot_hold),
        cmocka_unit_test(map__stays_as_it_was__when_memory_runs_out),
        cmocka_unit_test(map_new__fails__without_randomness),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
