/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/mp_fields.h"

#include <string.h>

struct mp_fields mp_fields(struct mp *r, const char *letters)
{
    return (struct mp_fields){.r = r, .map = mp_map(r), .letters = letters};
}

static const char *find(const struct mp_fields *f, struct bytes key)
{
    if (key.n != 1 || !key.p[0])
        return NULL;
    return strchr(f->letters, key.p[0]);
}

char mp_fields_next(struct mp_fields *f)
{
    struct bytes key;

    while (mp_key(f->r, &f->map, &key)) {
        const char *at = find(f, key);

        if (at) {
            f->seen |= (uint32_t)1 << (at - f->letters);
            return *at;
        }
        mp_skip(f->r);
    }
    return 0;
}

bool mp_fields_has(const struct mp_fields *f, char letter)
{
    const char *at = strchr(f->letters, letter);

    return at && f->seen >> (at - f->letters) & 1;
}

void mp_fields_need(struct mp_fields *f, const char *letters)
{
    for (; *letters; letters++)
        if (!mp_fields_has(f, *letters))
            mp_fail(f->r);
}
