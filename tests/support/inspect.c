/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/inspect.h"

#include "lib/text.h"
#include "proto/mp_read.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

json_t *inspect_hex(struct bytes in)
{
    char *hex = malloc(in.n * 2 + 1);
    json_t *out;

    if (!hex)
        return NULL;
    hex_encode(in, hex);
    out = json_stringn(hex, in.n * 2);
    free(hex);
    return out;
}

static json_t *of_int(const struct mp_value *v)
{
    char digits[32];

    (void)snprintf(digits, sizeof digits, "%s%" PRIu64, v->negative ? "-" : "",
                   v->magnitude);
    return json_pack("{s:s}", "int", digits);
}

static json_t *of_float(double number)
{
    const char *word = isnan(number) ? "nan" : number > 0 ? "inf" : "-inf";

    if (isfinite(number))
        return json_pack("{s:f}", "float", number);
    return json_pack("{s:s}", "float", word);
}

static json_t *of_next(struct mp *r);

static json_t *of_array(struct mp *r, size_t count)
{
    json_t *items = json_array();

    while (count-- > 0)
        if (json_array_append_new(items, of_next(r))) {
            json_decref(items);
            return NULL; /* no memory: better nothing than less than there was */
        }
    mp_leave(r);
    return json_pack("{s:o}", "array", items);
}

static json_t *of_map(struct mp *r, size_t pairs)
{
    json_t *items = json_array();

    while (pairs-- > 0) {
        json_t *key = of_next(r);
        json_t *value = of_next(r);

        if (json_array_append_new(items, json_pack("[o,o]", key, value))) {
            json_decref(items);
            return NULL;
        }
    }
    mp_leave(r);
    return json_pack("{s:o}", "map", items);
}

/* Recursion ends where the reader's levels do. */
static json_t *of_next(struct mp *r)
{
    struct mp_value v = mp_any(r);

    switch (v.type) {
    case MP_NIL:
        return json_null();
    case MP_BOOL:
        return json_boolean(v.boolean);
    case MP_INT:
        return of_int(&v);
    case MP_FLOAT:
        return of_float(v.number);
    case MP_STR:
        return json_pack("{s:o}", "str", json_stringn((const char *)v.view.p, v.view.n));
    case MP_BIN:
        return json_pack("{s:o}", "bin", inspect_hex(v.view));
    case MP_ARRAY:
        return of_array(r, v.count);
    case MP_MAP:
        return of_map(r, v.count);
    case MP_EXT:
        return json_pack("{s:[i,o]}", "ext", (int)v.ext, inspect_hex(v.view));
    case MP_BAD:
        break;
    }
    return NULL;
}

json_t *inspect_value(struct bytes in)
{
    struct mp r = mp_over(in);

    mp_skip(
        &r); /* judges the whole of it, repeated keys too; what follows only shows it */
    if (mp_end(&r))
        return NULL;
    r = mp_over(in);
    return of_next(&r);
}
