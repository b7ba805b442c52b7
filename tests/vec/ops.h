/* SPDX-License-Identifier: Apache-2.0 */
/* ops: what kith-vec can be asked, one function of kith's each.  tests/vec/README.md.
 * Flow     main -> ops -> lib/, proto/mp_read */
#ifndef KITH_TESTS_VEC_OPS_H
#define KITH_TESTS_VEC_OPS_H

#include <jansson.h>
#include <stddef.h>

/* Answer one line.  Never NULL but for want of memory: what cannot be done is an object
 * with "error", and "id" is given back where there was one.  json_decref() it. */
json_t *ops_answer(const char *line, size_t n);
/* The answer to a line that was not even looked at. */
json_t *ops_error(const char *why);

#endif
