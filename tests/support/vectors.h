/* SPDX-License-Identifier: Apache-2.0 */
/* vectors: the shared test vectors, from JSON.  A missing field ends the test. */
#ifndef KITH_TESTS_VECTORS_H
#define KITH_TESTS_VECTORS_H

#include "tests/support/support.h"

#include <jansson.h>

/* The parsed file, or the test is skipped by name when it is not there.  json_decref()
 * it. */
json_t *vectors_load(const char *name);
/* Fields of an object. */
struct bytes vectors_hex(const json_t *o, const char *key); /* support_drop() it */
const char *vectors_text(const json_t *o, const char *key);
json_int_t vectors_number(const json_t *o, const char *key);
json_t *vectors_array(const json_t *o, const char *key);

#endif
