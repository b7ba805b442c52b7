/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/meaning.h"

#include <msgpack.h>
#include <string.h>

static bool same(const msgpack_object *taken, const msgpack_object *written,
                 const char *const *known);

static bool is_known(const msgpack_object *key, const char *letters)
{
    return letters && key->type == MSGPACK_OBJECT_STR && key->via.str.size == 1 &&
           key->via.str.ptr[0] && strchr(letters, key->via.str.ptr[0]);
}

static const msgpack_object *find(const msgpack_object *map, const msgpack_object *key)
{
    for (uint32_t i = 0; i < map->via.map.size; i++)
        if (msgpack_object_equal(map->via.map.ptr[i].key, *key))
            return &map->via.map.ptr[i].val;
    return NULL;
}

/* A map in which nothing is known says nothing. */
static bool is_silent(const msgpack_object *o, const char *letters)
{
    if (o->type != MSGPACK_OBJECT_MAP)
        return false;
    for (uint32_t i = 0; i < o->via.map.size; i++)
        if (is_known(&o->via.map.ptr[i].key, letters))
            return false;
    return true;
}

static bool same_map(const msgpack_object *taken, const msgpack_object *written,
                     const char *const *known)
{
    for (uint32_t i = 0; i < written->via.map.size; i++) {
        const msgpack_object_kv *kv = &written->via.map.ptr[i];
        const msgpack_object *value = find(taken, &kv->key);

        if (!value || !same(value, &kv->val, known + 1))
            return false;
    }
    for (uint32_t i = 0; i < taken->via.map.size; i++) {
        const msgpack_object_kv *kv = &taken->via.map.ptr[i];

        if (!find(written, &kv->key) && is_known(&kv->key, known[0]) &&
            !is_silent(&kv->val, known[1]))
            return false;
    }
    return true;
}

static bool same(const msgpack_object *taken, const msgpack_object *written,
                 const char *const *known)
{
    static const char *const nothing[MEANING_DEPTH] = {NULL};

    if (!known[0])
        known = nothing;
    if (taken->type != written->type)
        return false;
    if (taken->type == MSGPACK_OBJECT_MAP)
        return same_map(taken, written, known);
    if (taken->type != MSGPACK_OBJECT_ARRAY)
        return msgpack_object_equal(*taken, *written);
    if (taken->via.array.size != written->via.array.size)
        return false;
    for (uint32_t i = 0; i < taken->via.array.size; i++)
        if (!same(&taken->via.array.ptr[i], &written->via.array.ptr[i], known))
            return false;
    return true;
}

static msgpack_object whole(struct bytes in, msgpack_unpacked *u)
{
    size_t off = 0;

    msgpack_unpacked_init(u);
    assert_int_equal(msgpack_unpack_next(u, (const char *)in.p, in.n, &off),
                     MSGPACK_UNPACK_SUCCESS);
    assert_int_equal(off, in.n);
    return u->data;
}

void meaning_equal(struct bytes taken, struct bytes written,
                   const char *const known[MEANING_DEPTH])
{
    msgpack_unpacked u[2];
    msgpack_object a = whole(taken, &u[0]), b = whole(written, &u[1]);

    if (!same(&a, &b, known)) {
        msgpack_object_print(stderr, a);
        (void)fputs("\n", stderr);
        msgpack_object_print(stderr, b);
        (void)fputs("\n", stderr);
        fail_msg("taken and written do not mean the same");
    }
    msgpack_unpacked_destroy(&u[0]);
    msgpack_unpacked_destroy(&u[1]);
}
