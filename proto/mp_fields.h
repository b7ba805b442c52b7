/* SPDX-License-Identifier: Apache-2.0 */
/* mp_fields: maps with keys of one letter, as all of kith's are.  SPEC 3.2, 3.5.
 * Flow     mp_read -> mp_fields -> msg, payload, descriptor
 * Owns     nothing */
#ifndef KITH_PROTO_MP_FIELDS_H
#define KITH_PROTO_MP_FIELDS_H

#include "proto/mp_read.h"

struct mp_fields {
    struct mp *r;
    struct mp_map map;
    const char *letters; /* of the keys we know; at most 32 */
    uint32_t seen;       /* bit i: letters[i] was there */
};

/* Begin a map; letters must outlive the struct. */
struct mp_fields mp_fields(struct mp *r, const char *letters);
/* The next known key's letter, its value then to be read by the caller; 0 after the last
 * one or on failure.  Unknown keys are skipped, after the same checks. */
char mp_fields_next(struct mp_fields *f);
bool mp_fields_has(const struct mp_fields *f, char letter);
/* After the last one: fails the cursor unless each of these was there. */
void mp_fields_need(struct mp_fields *f, const char *letters);

#endif
