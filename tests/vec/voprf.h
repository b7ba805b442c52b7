/* SPDX-License-Identifier: Apache-2.0 */
/* voprf: kith-vec's voprf.* operations, README.md beside this file.  Each gives an answer
 * for its caller, or NULL and q->why.
 * Flow     ops -> voprf -> lib/poprf */
#ifndef KITH_TESTS_VEC_VOPRF_H
#define KITH_TESTS_VEC_VOPRF_H

#include "tests/vec/request.h"

json_t *voprf_derive(struct request *q);
json_t *voprf_keygen(struct request *q);
json_t *voprf_blind(struct request *q);
json_t *voprf_evaluate(struct request *q);
json_t *voprf_verify(struct request *q);
json_t *voprf_finalize(struct request *q);
json_t *voprf_prf(struct request *q);

#endif
