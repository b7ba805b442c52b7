/* SPDX-License-Identifier: Apache-2.0 */
#include "client/json.h"

#include "lib/mem.h"
#include "lib/text.h"

#include <errno.h>
#include <inttypes.h>
#include <time.h>

static void *alloc(size_t n)
{
    return mem_alloc(n > 0 ? n : 1);
}

void json_start(void)
{
    json_set_alloc_funcs(alloc, mem_free);
}

json_t *json_begin(void)
{
    json_t *o = json_object();

    json_number(o, "v", 1);
    return o;
}

/* A failed set shows as a missing key; jansson itself refuses NULL objects and values. */
static void set(json_t *o, const char *key, json_t *value)
{
    (void)json_object_set_new(o, key, value);
}

void json_bytes(json_t *o, const char *key, struct bytes utf8)
{
    struct buf good;
    size_t from = 0;

    if (utf8_valid(utf8)) {
        set(o, key, json_stringn((const char *)utf8.p, utf8.n));
        return;
    }
    buf_init(&good, 3 * utf8.n + 1);
    while (from < utf8.n) {
        size_t n = 1;

        while (n < 4 && from + n < utf8.n &&
               !utf8_valid((struct bytes){utf8.p + from, n}))
            n++;
        if (utf8_valid((struct bytes){utf8.p + from, n})) {
            buf_put(&good, utf8.p + from, n);
            from += n;
        } else {
            buf_put(&good, "\xEF\xBF\xBD", 3);
            from++;
        }
    }
    set(o, key, json_stringn((const char *)good.p, good.n));
    buf_free(&good);
}

void json_text(json_t *o, const char *key, const char *value)
{
    size_t n = 0;

    if (value == NULL) {
        set(o, key, json_null());
        return;
    }
    while (value[n])
        n++;
    json_bytes(o, key, (struct bytes){(const uint8_t *)value, n});
}

void json_number(json_t *o, const char *key, uint64_t value)
{
    set(o, key, json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value));
}

void json_flag(json_t *o, const char *key, bool value)
{
    set(o, key, json_boolean(value));
}

void json_id(json_t *o, const char *key, char kind, int64_t id)
{
    char text[32];

    (void)snprintf(text, sizeof text, "%c%" PRId64, kind, id);
    json_text(o, key, id > 0 ? text : NULL);
}

void json_time(json_t *o, const char *key, uint64_t unix_s)
{
    time_t t = (time_t)unix_s;
    struct tm tm;
    char text[32];

    if (unix_s == 0 || gmtime_r(&t, &tm) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
        json_text(o, key, NULL);
        return;
    }
    json_text(o, key, text);
}

int json_line(FILE *to, json_t *o)
{
    int rc = 0;

    if (o == NULL)
        return -ENOMEM;
    /* Only ASCII: on a terminal, what others wrote must neither steer it nor turn what
     * stands around it. */
    if (json_dumpf(o, to, JSON_COMPACT | JSON_ENSURE_ASCII) || fputc('\n', to) == EOF ||
        fflush(to))
        rc = -EIO;
    json_decref(o);
    return rc;
}
