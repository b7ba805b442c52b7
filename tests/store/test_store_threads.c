/* SPDX-License-Identifier: Apache-2.0 */
/* A reader beside the writer, as the loop and the commit thread are. */
#include "lib/secret.h"
#include "tests/store/board.h"

#include <pthread.h>
#include <stdatomic.h>

struct reading {
    struct store *s;
    atomic_bool stop;
    uint64_t envelopes, gaps;
};

/* Follows bucket 2 from the start as a reader does, and checks each envelope and head. */
static void *read_on(void *arg)
{
    struct reading *r = arg;
    uint8_t *out = malloc(ENVELOPES_PER_RECORD_MAX * ENVELOPE_BYTES),
            want[ENVELOPE_BYTES];
    uint8_t head[HASH_BYTES], after[HASH_BYTES];
    uint64_t seq = 1;
    bool last = false;

    chain_first(board_cohort, 2, head);
    while (out) {
        bool stop = atomic_load(&r->stop);
        size_t got;
        int rc = store_range(r->s, 2, seq, ENVELOPES_PER_RECORD_MAX, out, &got, after);

        if (rc == STORE_E_ABSENT) { /* expired while we were behind */
            struct store_tail tail;

            if (store_tail(r->s, 2, &tail) || tail.oldest <= seq ||
                store_head_before(r->s, 2, tail.oldest, head))
                continue;
            seq = tail.oldest;
            r->gaps++;
            continue;
        }
        assert_int_equal(rc, 0);
        for (size_t i = 0; i < got; i++, seq++) {
            board_envelope(2, seq, want);
            assert_memory_equal(out + i * ENVELOPE_BYTES, want, ENVELOPE_BYTES);
            chain_next(head, seq, want);
        }
        assert_memory_equal(head, after, HASH_BYTES);
        r->envelopes += got;
        if (stop && !got && last)
            break;
        last = stop && !got;
    }
    free(out);
    return NULL;
}

static void store_range__reads_true__while_the_other_thread_writes_and_expires(
    void **state)
{
    enum { DAYS = 40, A_DAY = 25 };
    char *dir = support_dir();
    struct store *s;
    struct reading r = {0};
    pthread_t reader;
    uint64_t now = BOARD_NOW;
    uint32_t dropped, all = 0;

    (void)state;
    assert_int_equal(
        store_open_lmdb(dir, board_cohort, BOARD_BUCKETS, BOARD_MAP_BYTES, &s), 0);
    r.s = s;
    assert_int_equal(pthread_create(&reader, NULL, read_on, &r), 0);
    for (uint32_t day = 0; day < DAYS; day++, now += BOARD_DAY_S) {
        for (uint32_t i = 0; i < A_DAY; i++)
            assert_int_equal(board_append(s, 2, 1 + i % 5, now + i), 0);
        assert_int_equal(store_expire(s, now, 5 * BOARD_DAY_S, &dropped), 0);
        all += dropped;
    }
    atomic_store(&r.stop, true);
    assert_int_equal(pthread_join(reader, NULL), 0);
    assert_true(all > DAYS - 10);
    assert_true(r.envelopes > A_DAY);
    store_close(s);
    support_dir_drop(dir);
}

int main(void)
{
    const struct CMUnitTest claims[] = {
        cmocka_unit_test(
            store_range__reads_true__while_the_other_thread_writes_and_expires),
    };

    if (secret_start())
        return 1;
    return cmocka_run_group_tests_name("store_threads", claims, NULL, NULL);
}
