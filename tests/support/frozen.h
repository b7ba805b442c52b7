/* SPDX-License-Identifier: Apache-2.0 */
/* frozen: the bytes in tests/vectors/, written by the second implementation. */
#ifndef KITH_TESTS_FROZEN_H
#define KITH_TESTS_FROZEN_H

#include "tests/support/vectors.h"

/* The parsed file of tests/vectors/; it belongs to the tree, so a missing one is a
 * failure. json_decref() it. */
json_t *frozen_load(const char *name);
/* A field of exactly n bytes. */
void frozen_copy(const json_t *o, const char *key, void *out, size_t n);
/* Fails the test unless the field is these bytes. */
void frozen_equal(const json_t *o, const char *key, const void *got, size_t n);

#endif
