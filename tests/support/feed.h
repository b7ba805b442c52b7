/* SPDX-License-Identifier: Apache-2.0 */
/* feed: damaged forms of some bytes, each in a heap block of exactly its size. */
#ifndef KITH_TESTS_FEED_H
#define KITH_TESTS_FEED_H

#include "tests/support/support.h"

enum { FEED_MUTATIONS = 10000, FEED_EXTENSIONS = 40 };

/* Opens or decodes; 0 when it took the bytes.  For plain messages it also checks that
 * what it took means what the bytes say.  in may be changed in place. */
typedef int feed_open(struct bytes in, void *arg);

/* Every truncation, some extensions, every byte flipped and FEED_MUTATIONS random
 * mutations: none of it may be taken, unless it came out as the whole itself. */
void feed_refuses(struct bytes whole, feed_open *open, void *arg, uint64_t seed);

/* The same for bytes nobody signed: truncations and extensions are refused, the rest is
 * up to open().  Returns how many changed forms were taken. */
size_t feed_survives(struct bytes whole, feed_open *open, void *arg, uint64_t seed);

/* Only the first of these. */
void feed_truncations(struct bytes whole, feed_open *open, void *arg);

#endif
