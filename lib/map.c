/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing, linear probing; a removal closes its gap, so nothing is ever marked
 * deleted and a lookup ends at the first empty slot. */
#include "lib/map.h"

#include "lib/mem.h"
#include "lib/secret.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

enum { SLOTS_FIRST = 16, KEY_BYTES_MOST = 64 };

struct slot {
    uint64_t hash;
    void *value; /* NULL: the slot is empty */
};

struct map {
    uint8_t hash_key[crypto_shorthash_KEYBYTES];
    size_t key_bytes;
    size_t count;
    size_t slots; /* 0 or a power of two */
    struct slot *slot;
    uint8_t *keys; /* slots * key_bytes */
};

struct map *map_new(size_t key_bytes)
{
    struct map *m;

    if (key_bytes == 0 || key_bytes > KEY_BYTES_MOST)
        return NULL;
    m = mem_zalloc(sizeof *m);
    if (!m)
        return NULL;
    m->key_bytes = key_bytes;
    if (rand_bytes(m->hash_key, sizeof m->hash_key)) {
        mem_free(m);
        return NULL;
    }
    return m;
}

void map_free(struct map *m, void (*free_value)(void *))
{
    if (!m)
        return;
    for (size_t i = 0; free_value && i < m->slots; i++)
        if (m->slot[i].value)
            free_value(m->slot[i].value);
    if (m->keys)
        secret_wipe(m->keys, m->slots * m->key_bytes);
    mem_free(m->keys);
    mem_free(m->slot);
    secret_wipe(m->hash_key, sizeof m->hash_key);
    mem_free(m);
}

static uint64_t hash_of(const struct map *m, const void *key)
{
    uint8_t out[crypto_shorthash_BYTES];

    crypto_shorthash(out, key, m->key_bytes, m->hash_key);
    return le_get(out, sizeof out);
}

static uint8_t *key_at(const struct map *m, size_t i)
{
    return m->keys + i * m->key_bytes;
}

static size_t after(const struct map *m, size_t i)
{
    return (i + 1) & (m->slots - 1);
}

/* The slot that holds the key, or the empty one where it would go.  There is always an
 * empty one: at most three quarters are in use. */
static size_t find(const struct map *m, const void *key, uint64_t hash)
{
    size_t i = (size_t)hash & (m->slots - 1);

    while (m->slot[i].value &&
           (m->slot[i].hash != hash || memcmp(key_at(m, i), key, m->key_bytes) != 0))
        i = after(m, i);
    return i;
}

static void place(struct map *m, const void *key, uint64_t hash, void *value)
{
    size_t i = find(m, key, hash);

    m->slot[i] = (struct slot){hash, value};
    memcpy(key_at(m, i), key, m->key_bytes);
}

static int make_room(struct map *m)
{
    struct map larger = *m;

    if (m->slots && m->count + 1 <= m->slots / 4 * 3)
        return 0;
    larger.slots = m->slots ? m->slots * 2 : SLOTS_FIRST;
    larger.slot = mem_array(larger.slots, sizeof *larger.slot);
    larger.keys = mem_array(larger.slots, m->key_bytes);
    if (!larger.slot || !larger.keys) {
        mem_free(larger.slot);
        mem_free(larger.keys);
        return -ENOMEM;
    }
    for (size_t i = 0; i < m->slots; i++)
        if (m->slot[i].value)
            place(&larger, key_at(m, i), m->slot[i].hash, m->slot[i].value);
    if (m->keys)
        secret_wipe(m->keys, m->slots * m->key_bytes);
    mem_free(m->keys);
    mem_free(m->slot);
    *m = larger;
    secret_wipe(larger.hash_key, sizeof larger.hash_key);
    return 0;
}

int map_put(struct map *m, const void *key, void *value, void **old)
{
    uint64_t hash = hash_of(m, key);
    void *former = map_get(m, key);
    int rc;

    if (!value)
        return -EINVAL;
    if (!former) {
        rc = make_room(m);
        if (rc)
            return rc;
        m->count++;
    }
    place(m, key, hash, value);
    if (old)
        *old = former;
    return 0;
}

void *map_get(const struct map *m, const void *key)
{
    return m->slots ? m->slot[find(m, key, hash_of(m, key))].value : NULL;
}

/* Pull back each follower that may stand in the gap: one whose own first choice is not
 * between the gap (exclusive) and where it stands. */
static void close_gap(struct map *m, size_t gap)
{
    size_t mask = m->slots - 1;

    for (size_t i = after(m, gap); m->slot[i].value; i = after(m, i)) {
        size_t from_choice = (i - (size_t)m->slot[i].hash) & mask;
        size_t from_gap = (i - gap) & mask;

        if (from_choice < from_gap)
            continue;
        m->slot[gap] = m->slot[i];
        memcpy(key_at(m, gap), key_at(m, i), m->key_bytes);
        gap = i;
    }
    m->slot[gap] = (struct slot){0, NULL};
    secret_wipe(key_at(m, gap), m->key_bytes);
}

void *map_take(struct map *m, const void *key)
{
    size_t i;
    void *value;

    if (!m->slots)
        return NULL;
    i = find(m, key, hash_of(m, key));
    value = m->slot[i].value;
    if (value) {
        m->count--;
        close_gap(m, i);
    }
    return value;
}

size_t map_count(const struct map *m)
{
    return m->count;
}

void map_each(const struct map *m, void (*visit)(const void *key, void *value, void *arg),
              void *arg)
{
    for (size_t i = 0; i < m->slots; i++)
        if (m->slot[i].value)
            visit(key_at(m, i), m->slot[i].value, arg);
}
