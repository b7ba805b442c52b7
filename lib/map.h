/* SPDX-License-Identifier: Apache-2.0 */
/* map: a hash table from keys of one fixed size to pointers; keyed SipHash, so that
 * nobody outside can choose collisions.  Threads: one at a time. */
#ifndef KITH_LIB_MAP_H
#define KITH_LIB_MAP_H

#include "lib/buf.h"

struct map;

MUST_USE struct map *map_new(size_t key_bytes); /* key_bytes 1..64; NULL: out of memory */
void map_free(struct map *m, void (*free_value)(void *)); /* NULL is fine, both */
/* Put or replace; value is not NULL (-EINVAL); *old gets the former value or NULL (old
 * may be NULL).  0 or -ENOMEM, and the map is then as it was. */
MUST_USE int map_put(struct map *m, const void *key, void *value, void **old);
void *map_get(const struct map *m, const void *key); /* NULL if absent */
void *map_take(struct map *m, const void *key);      /* removes; NULL if absent */
size_t map_count(const struct map *m);
/* Visit each entry; the visitor may not change the map. */
void map_each(const struct map *m, void (*visit)(const void *key, void *value, void *arg),
              void *arg);

#endif
