/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/feed.h"

#include "lib/mem.h"

#include <string.h>

enum { EVERY_BIT_UNTIL_BYTES = 600 }; /* of longer ones, a bit in each byte */

static int feed(const void *p, size_t n, feed_open *open, void *arg)
{
    struct bytes exact = support_exact(p, n);
    int rc = open(exact, arg);

    support_drop(exact);
    return rc;
}

void feed_truncations(struct bytes whole, feed_open *open, void *arg)
{
    for (size_t n = 0; n < whole.n; n++)
        if (feed(whole.p, n, open, arg) == 0)
            fail_msg("taken: the first %zu of %zu bytes", n, whole.n);
}

static void extensions(struct bytes whole, feed_open *open, void *arg,
                       struct support_random *random)
{
    uint8_t *p = mem_zalloc(whole.n + FEED_EXTENSIONS);

    assert_non_null(p);
    memcpy(p, whole.p, whole.n);
    for (size_t more = 1; more <= FEED_EXTENSIONS; more++) {
        if (more % 2)
            support_random_fill(random, p + whole.n, more);
        else
            memset(p + whole.n, 0, more);
        if (feed(p, whole.n + more, open, arg) == 0)
            fail_msg("taken: all %zu bytes and %zu more", whole.n, more);
    }
    mem_free(p);
}

static size_t flips(struct bytes whole, feed_open *open, void *arg, bool must_refuse)
{
    unsigned step = whole.n > EVERY_BIT_UNTIL_BYTES ? 8 : 1;
    uint8_t *p = mem_alloc(whole.n);
    size_t taken = 0;

    assert_non_null(p);
    memcpy(p, whole.p, whole.n);
    for (size_t i = 0; i < whole.n; i++)
        for (unsigned bit = 0; bit < 8; bit += step) {
            uint8_t flip = (uint8_t)(1u << (step == 8 ? i % 8 : bit));

            p[i] ^= flip;
            if (feed(p, whole.n, open, arg) == 0) {
                taken++;
                if (must_refuse)
                    fail_msg("taken: byte %zu of %zu changed by 0x%02x", i, whole.n,
                             flip);
            }
            p[i] ^= flip;
        }
    mem_free(p);
    return taken;
}

static size_t mutations(struct bytes whole, feed_open *open, void *arg,
                        struct support_random *random, bool must_refuse)
{
    size_t room = whole.n + 64, taken = 0;
    uint8_t *p = mem_alloc(room);

    assert_non_null(p);
    for (int i = 0; i < FEED_MUTATIONS; i++) {
        size_t n = whole.n;

        memcpy(p, whole.p, n);
        support_mutate(random, p, &n, room);
        if (n == whole.n && !memcmp(p, whole.p, n))
            continue;
        if (feed(p, n, open, arg) == 0) {
            taken++;
            if (must_refuse)
                fail_msg("taken: mutation %d, %zu bytes", i, n);
        }
    }
    mem_free(p);
    return taken;
}

static size_t all(struct bytes whole, feed_open *open, void *arg, uint64_t seed,
                  bool must_refuse)
{
    struct support_random random;
    size_t taken;

    support_random_start(&random, seed);
    assert_int_equal(feed(whole.p, whole.n, open, arg), 0);
    feed_truncations(whole, open, arg);
    extensions(whole, open, arg, &random);
    taken = flips(whole, open, arg, must_refuse);
    return taken + mutations(whole, open, arg, &random, must_refuse);
}

void feed_refuses(struct bytes whole, feed_open *open, void *arg, uint64_t seed)
{
    (void)all(whole, open, arg, seed, true);
}

size_t feed_survives(struct bytes whole, feed_open *open, void *arg, uint64_t seed)
{
    return all(whole, open, arg, seed, false);
}
