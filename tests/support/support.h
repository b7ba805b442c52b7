/* SPDX-License-Identifier: Apache-2.0 */
/* support: what every unit test may need.  Includes cmocka the way it wants to be
 * included. Everything here ends the test when it cannot do its work, so callers check
 * nothing. */
#ifndef KITH_TESTS_SUPPORT_H
#define KITH_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/seam.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A copy in a heap block of exactly n bytes, so that ASan sees a read of one more. */
struct bytes support_exact(const void *p, size_t n);
/* The same from hex digits of either case; '-' and spaces between them are passed over.
 */
struct bytes support_hex(const char *hex);
void support_drop(struct bytes block); /* frees either */
void support_equal(struct bytes got, struct bytes want);

/* The folder of shared test vectors (KITH_VECTORS, else ../shared/vectors beside the
 * source tree), or NULL when it is not there: main() then returns SUPPORT_SKIPPED. */
const char *support_vectors(void);
enum { SUPPORT_SKIPPED = 77 };

/* KITH_LONG asks for the long version; set to nothing is the same as not set. */
bool support_long(void);

/* Make the nth seam_check() of a kind fail with rc (-errno), once; nth counts from 1.
 *     for (unsigned nth = 1;; nth++) {
 *         support_fail_nth(&fault, SEAM_ALLOC, nth, -ENOMEM);
 *         rc = thing_new(...);
 *         support_fail_none();
 *         if (!fault.fired)
 *             break;          // it got through without that many calls
 *         ...
 *     } */
struct support_fault {
    enum seam kind;
    unsigned nth;
    int rc;
    unsigned seen;
    bool fired;
};
void support_fail_nth(struct support_fault *f, enum seam kind, unsigned nth, int rc);
void support_fail_none(void);

/* A repeatable stream of bytes (ChaCha20 keyed from the seed). */
struct support_random {
    uint64_t seed;
    uint64_t drawn;
};
void support_random_start(struct support_random *r, uint64_t seed);
void support_random_fill(struct support_random *r, void *p, size_t n);
uint32_t support_random_below(struct support_random *r, uint32_t bound); /* bound >= 1 */
/* Let rand_bytes() draw from it, until support_random_release(). */
void support_random_install(struct support_random *r);
void support_random_release(void);

/* One to four random changes to *n bytes in a block of room bytes: flipped bits, set,
 * doubled, dropped and inserted bytes, a cut end. */
void support_mutate(struct support_random *r, uint8_t *p, size_t *n, size_t room);

/* A clock that moves when told to. */
struct support_clock {
    struct clock clock; /* pass &c->clock on */
    uint64_t wall_ms;
    uint64_t mono_ms;
};
void support_clock_start(struct support_clock *c,
                         uint64_t wall_ms); /* mono begins at 0 */
void support_clock_pass(struct support_clock *c, uint64_t ms);

/* A new empty folder (its path, to be freed with support_dir_drop, which empties it). */
char *support_dir(void);
void support_dir_drop(char *path);
/* "dir/name", in static storage that the next call reuses. */
const char *support_path(const char *dir, const char *name);
/* Entries of a folder, not counting . and .. */
size_t support_dir_count(const char *path);

#endif
