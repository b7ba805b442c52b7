/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/mp_read.h"

#include "lib/text.h"

#include <string.h>

struct mp mp_over(struct bytes in)
{
    return (struct mp){in.p, in.n, MP_DEPTH_MAX, 0};
}

int mp_end(const struct mp *r)
{
    return r->rc || r->left ? MP_E_MALFORMED : 0;
}

void mp_fail(struct mp *r)
{
    r->rc = MP_E_MALFORMED;
    r->left = 0; /* so that every later read fails by itself */
}

/* ---- heads: the first byte of a value, and its length or number ------------------- */

/* 0xc0 to 0xdf, in order. */
static const uint8_t types[32] = {
    MP_NIL, MP_BAD, MP_BOOL,  MP_BOOL,  MP_BIN,   MP_BIN,   MP_BIN, MP_EXT,
    MP_EXT, MP_EXT, MP_FLOAT, MP_FLOAT, MP_INT,   MP_INT,   MP_INT, MP_INT,
    MP_INT, MP_INT, MP_INT,   MP_INT,   MP_EXT,   MP_EXT,   MP_EXT, MP_EXT,
    MP_EXT, MP_STR, MP_STR,   MP_STR,   MP_ARRAY, MP_ARRAY, MP_MAP, MP_MAP,
};

enum mp_type mp_peek(const struct mp *r)
{
    uint8_t b;

    if (r->left == 0)
        return MP_BAD;
    b = *r->p;
    if (b < 0x80 || b >= 0xe0)
        return MP_INT;
    if (b < 0x90)
        return MP_MAP;
    if (b < 0xa0)
        return MP_ARRAY;
    if (b < 0xc0)
        return MP_STR;
    return (enum mp_type)types[b - 0xc0];
}

/* n bytes, or NULL and failed. */
static const uint8_t *take(struct mp *r, size_t n)
{
    const uint8_t *p = r->p;

    if (r->rc || n > r->left) {
        mp_fail(r);
        return NULL;
    }
    r->p += n;
    r->left -= n;
    return p;
}

static uint64_t number(struct mp *r, size_t width)
{
    const uint8_t *p = take(r, width);

    return p ? be_get(p, width) : 0;
}

/* The next value's first byte, if it is of this type; else 0 and failed. */
static uint8_t head(struct mp *r, enum mp_type type)
{
    const uint8_t *p = mp_peek(r) == type ? take(r, 1) : NULL;

    if (!p)
        mp_fail(r);
    return p ? *p : 0;
}

/* A length of width bytes that would not have fitted the next shorter form. */
static size_t length(struct mp *r, size_t width, size_t least)
{
    uint64_t n = number(r, width);

    if (n < least)
        mp_fail(r);
    return r->rc ? 0 : (size_t)n;
}

/* Lengths of str, array, map: the widest fix form, then width bytes. */
enum { FIXSTR_MAX = 31, FIXARRAY_MAX = 15, WIDTH1_MAX = 0xff, WIDTH2_MAX = 0xffff };

static size_t str_length(struct mp *r)
{
    switch (head(r, MP_STR)) {
    case 0xd9:
        return length(r, 1, FIXSTR_MAX + 1);
    case 0xda:
        return length(r, 2, WIDTH1_MAX + 1);
    case 0xdb:
        return length(r, 4, WIDTH2_MAX + 1);
    default:
        return r->rc ? 0 : r->p[-1] & 0x1f;
    }
}

static size_t bin_length(struct mp *r)
{
    switch (head(r, MP_BIN)) {
    case 0xc4:
        return length(r, 1, 0);
    case 0xc5:
        return length(r, 2, WIDTH1_MAX + 1);
    default:
        return length(r, 4, WIDTH2_MAX + 1);
    }
}

static size_t ext_length(struct mp *r)
{
    uint8_t b = head(r, MP_EXT);
    size_t n;

    switch (b) {
    case 0xc7:
        n = length(r, 1, 0);
        if (n == 1 || n == 2 || n == 4 || n == 8 || n == 16) /* have forms of their own */
            mp_fail(r);
        return n;
    case 0xc8:
        return length(r, 2, WIDTH1_MAX + 1);
    case 0xc9:
        return length(r, 4, WIDTH2_MAX + 1);
    default:
        return r->rc ? 0 : (size_t)1 << (b - 0xd4);
    }
}

/* Array and map: each element takes at least one byte, so a count beyond what is left is
 * a lie, found before anybody makes room for it. */
static size_t count_of(struct mp *r, enum mp_type type, size_t bytes_each)
{
    uint8_t b = head(r, type);
    size_t n;

    if (b == 0xdc || b == 0xde)
        n = length(r, 2, FIXARRAY_MAX + 1);
    else if (b == 0xdd || b == 0xdf)
        n = length(r, 4, WIDTH2_MAX + 1);
    else
        n = b & 0x0f;
    if (r->rc || n > r->left / bytes_each || r->depth == 0) {
        mp_fail(r);
        return 0;
    }
    r->depth--;
    return n;
}

/* ---- values ----------------------------------------------------------------------- */

void mp_nil(struct mp *r)
{
    (void)head(r, MP_NIL);
}

bool mp_bool(struct mp *r)
{
    return head(r, MP_BOOL) == 0xc3;
}

struct integer {
    bool negative;
    uint64_t magnitude;
};

/* One value, one form: what is not negative is a uint, and each width only holds what the
 * next smaller one cannot. */
static struct integer integer(struct mp *r)
{
    static const uint64_t uint_least[] = {0x80, 0x100, 0x10000, 0x100000000};
    static const uint64_t int_least[] = {33, 0x81, 0x8001, 0x80000001};
    uint8_t b = head(r, MP_INT);
    struct integer v = {b >= 0xd0, b};
    size_t step = b & 3u; /* of cc..cf and d0..d3: 1, 2, 4 or 8 bytes follow */

    if (b >= 0xe0) {
        v.magnitude = 0x100u - b;
    } else if (b >= 0xd0) {
        size_t width = (size_t)1 << step;
        uint64_t raw = number(r, width);
        uint64_t sign = (uint64_t)1 << (width * 8 - 1);

        v.magnitude = sign - (raw & (sign - 1));
        if (!(raw & sign) || v.magnitude < int_least[step])
            mp_fail(r);
    } else if (b >= 0xcc) {
        v.magnitude = number(r, (size_t)1 << step);
        if (v.magnitude < uint_least[step])
            mp_fail(r);
    }
    return r->rc ? (struct integer){false, 0} : v;
}

uint64_t mp_uint(struct mp *r, uint64_t least, uint64_t most)
{
    struct integer v = integer(r);

    if (v.negative || v.magnitude < least || v.magnitude > most)
        mp_fail(r);
    return r->rc ? 0 : v.magnitude;
}

int64_t mp_int(struct mp *r, int64_t least, int64_t most)
{
    struct integer v = integer(r);
    int64_t n;

    if (!v.negative && v.magnitude > INT64_MAX)
        mp_fail(r);
    if (r->rc)
        return 0;
    /* Of -2^63 the magnitude does not fit, its predecessor does. */
    n = v.negative ? -(int64_t)(v.magnitude - 1) - 1 : (int64_t)v.magnitude;
    if (n < least || n > most)
        mp_fail(r);
    return r->rc ? 0 : n;
}

static struct bytes view(struct mp *r, size_t n, size_t least, size_t most)
{
    const uint8_t *p = n >= least && n <= most ? take(r, n) : NULL;

    if (!p) {
        mp_fail(r);
        return (struct bytes){NULL, 0};
    }
    return (struct bytes){p, n};
}

struct bytes mp_str(struct mp *r, size_t least, size_t most)
{
    struct bytes s = view(r, str_length(r), least, most);

    if (!utf8_valid(s))
        mp_fail(r);
    return r->rc ? (struct bytes){NULL, 0} : s;
}

struct bytes mp_bin(struct mp *r, size_t least, size_t most)
{
    return view(r, bin_length(r), least, most);
}

void mp_bin_copy(struct mp *r, uint8_t *out, size_t n)
{
    struct bytes s = mp_bin(r, n, n);

    if (n == 0)
        return;
    if (s.p)
        memcpy(out, s.p, n);
    else
        memset(out, 0, n);
}

size_t mp_array(struct mp *r, size_t least, size_t most)
{
    size_t n = count_of(r, MP_ARRAY, 1);

    if (n < least || n > most)
        mp_fail(r);
    return r->rc ? 0 : n;
}

void mp_leave(struct mp *r)
{
    if (r->depth < MP_DEPTH_MAX)
        r->depth++;
}

/* ---- maps ------------------------------------------------------------------------- */

static size_t map_count_of(struct mp *r)
{
    size_t n = count_of(r, MP_MAP, 2);

    if (n > MP_MAP_KEYS_MAX)
        mp_fail(r);
    return r->rc ? 0 : n;
}

struct mp_map mp_map(struct mp *r)
{
    struct mp_map m = {.left = map_count_of(r)};

    return m;
}

/* Note one more key; a repeated one fails.  Keys are compared as they are written, which
 * is enough because each value has one form. */
static void note_key(struct mp *r, struct mp_map *m, struct bytes key)
{
    for (size_t i = 0; i < m->seen; i++)
        if (m->keys[i].n == key.n && memcmp(m->keys[i].p, key.p, key.n) == 0)
            mp_fail(r);
    if (m->seen == MP_MAP_KEYS_MAX)
        mp_fail(r);
    else
        m->keys[m->seen++] = key;
}

bool mp_key(struct mp *r, struct mp_map *m, struct bytes *key)
{
    *key = (struct bytes){NULL, 0};
    if (r->rc)
        return false;
    if (m->left == 0) {
        mp_leave(r);
        return false;
    }
    m->left--;
    *key = mp_str(r, 0, MP_KEY_BYTES_MAX);
    if (!r->rc)
        note_key(r, m, *key);
    return r->rc == 0;
}

bool mp_is(struct bytes key, const char *name)
{
    size_t n = strlen(name);

    return key.n == n && key.p && memcmp(key.p, name, n) == 0;
}

/* ---- any value -------------------------------------------------------------------- */

static double float_value(struct mp *r)
{
    double number64 = 0;

    if (head(r, MP_FLOAT) == 0xca) {
        uint32_t bits = (uint32_t)number(r, 4);
        float number32;

        memcpy(&number32, &bits, sizeof number32);
        number64 = (double)number32;
    } else {
        uint64_t bits = number(r, 8);

        memcpy(&number64, &bits, sizeof number64);
    }
    return r->rc ? 0 : number64;
}

static struct bytes ext_value(struct mp *r, int8_t *type)
{
    size_t n = ext_length(r);
    const uint8_t *p = take(r, 1);

    *type = 0;
    if (p)
        *type = (int8_t)(*p < 0x80 ? *p : *p - 0x100);
    return view(r, n, 0, SIZE_MAX);
}

struct mp_value mp_any(struct mp *r)
{
    struct mp_value v = {.type = mp_peek(r)};
    struct integer i;

    switch (v.type) {
    case MP_NIL:
        mp_nil(r);
        break;
    case MP_BOOL:
        v.boolean = mp_bool(r);
        break;
    case MP_INT:
        i = integer(r);
        v.negative = i.negative;
        v.magnitude = i.magnitude;
        break;
    case MP_FLOAT:
        v.number = float_value(r);
        break;
    case MP_STR:
        v.view = mp_str(r, 0, SIZE_MAX);
        break;
    case MP_BIN:
        v.view = mp_bin(r, 0, SIZE_MAX);
        break;
    case MP_ARRAY:
        v.count = mp_array(r, 0, SIZE_MAX);
        break;
    case MP_MAP:
        v.count = map_count_of(r);
        break;
    case MP_EXT:
        v.view = ext_value(r, &v.ext);
        break;
    case MP_BAD:
        mp_fail(r);
        break;
    }
    if (r->rc)
        return (struct mp_value){.type = MP_BAD};
    return v;
}

/* Recursion ends at MP_DEPTH_MAX levels, about 1.3 KB of stack each: count_of() refuses
 * one more. */
static void skip_pairs(struct mp *r, size_t pairs)
{
    struct mp_map m = {.left = pairs};

    for (; m.left > 0 && !r->rc; m.left--) {
        const uint8_t *key = r->p;

        if (mp_peek(r) != MP_STR && mp_peek(r) != MP_INT)
            mp_fail(r);
        (void)mp_any(r);
        if (!r->rc)
            note_key(r, &m, (struct bytes){key, (size_t)(r->p - key)});
        mp_skip(r);
    }
    mp_leave(r);
}

void mp_skip(struct mp *r)
{
    struct mp_value v = mp_any(r);

    if (v.type == MP_MAP) {
        skip_pairs(r, v.count);
    } else if (v.type == MP_ARRAY) {
        for (size_t i = 0; i < v.count && !r->rc; i++)
            mp_skip(r);
        mp_leave(r);
    }
}
