/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/vec/request.h"

#include "lib/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const char request_missing[] = "a parameter is missing";

const json_t *request_param(const struct request *q, const char *name)
{
    const json_t *v = json_object_get(q->params, name);

    if (!v)
        v = json_object_get(q->all, name);
    return json_is_null(v) ? NULL : v;
}

static bool decode(struct request *q, const json_t *v, size_t least, size_t most,
                   struct bytes *out)
{
    size_t digits = json_string_length(v);
    uint8_t *p = NULL;

    if (!json_is_string(v) || digits % 2)
        q->why = "a parameter is not hex";
    else if (digits / 2 < least || digits / 2 > most)
        q->why = "a parameter has the wrong length";
    else if (!(p = malloc(digits / 2 + 1)))
        q->why = "out of memory";
    else if (hex_decode(json_string_value(v), digits, p, digits / 2))
        q->why = "a parameter is not hex";
    *out = (struct bytes){p, q->why ? 0 : digits / 2};
    return q->why == NULL;
}

bool request_hex(struct request *q, const char *name, size_t least, size_t most,
                 bool optional, struct bytes *out)
{
    const json_t *v = request_param(q, name);

    *out = (struct bytes){NULL, 0};
    if (v)
        return decode(q, v, least, most, out);
    if (!optional)
        q->why = request_missing;
    return optional;
}

void request_drop(struct bytes b)
{
    free((void *)(uintptr_t)b.p);
}

bool request_hexes(struct request *q, const char *name, bool optional,
                   struct request_list *out)
{
    const json_t *v = request_param(q, name);

    *out = (struct request_list){NULL, 0};
    if (!v) {
        if (!optional)
            q->why = request_missing;
        return optional;
    }
    if (!json_is_array(v)) {
        q->why = "a parameter is not a list";
        return false;
    }
    out->p = calloc(json_array_size(v) + 1, sizeof *out->p);
    if (!out->p) {
        q->why = "out of memory";
        return false;
    }
    for (; out->n < json_array_size(v); out->n++)
        if (!decode(q, json_array_get(v, out->n), 0, SIZE_MAX, &out->p[out->n])) {
            request_drop(out->p[out->n]);
            return false;
        }
    return true;
}

void request_list_drop(struct request_list list)
{
    for (size_t i = 0; i < list.n; i++)
        request_drop(list.p[i]);
    free(list.p);
}

bool request_name(struct request *q, const char *name, char out[REQUEST_NAME_BYTES])
{
    const json_t *v = request_param(q, name);
    const char *s = json_string_value(v);
    size_t n = 0;

    memset(out, 0, REQUEST_NAME_BYTES);
    if (!s) {
        q->why = v ? "a parameter is not a string" : request_missing;
        return false;
    }
    for (; *s && n < REQUEST_NAME_BYTES - 1; s++)
        if (isalnum((unsigned char)*s))
            out[n++] = (char)tolower((unsigned char)*s);
    return true;
}
