/* SPDX-License-Identifier: Apache-2.0 */
/* scene: two linked people with some talk behind them, where tests of dishonest or
 * forgetful relays begin. */
#ifndef KITH_TESTS_SCENE_H
#define KITH_TESTS_SCENE_H

#include "tests/support/world.h"

struct scene {
    struct world w;
    struct world_person *a, *b;
    int64_t ca, cb;
    uint32_t home_a, home_b; /* buckets */
    char *dir;
};

/* Six texts have gone back and forth and are delivered. */
void scene_begin(struct scene *s, uint64_t seed);
void scene_end(struct scene *s);
/* Everything this person has to post is stored and answered. */
void scene_post(struct world_person *p);
/* Post the next envelope of a to a log that nobody reads: the answer comes, the envelope
 * does not. */
void scene_swallow_next(struct scene *s);
/* One batch of the home bucket; node_envelopes()' result, -1 without a subscription. */
int scene_deliver_home(struct world_person *p, uint32_t home);
void scene_accept_all(struct scene *s); /* every open alarm of both */
struct status scene_status(struct world_person *p);
size_t scene_texts(struct world_person *p, int64_t conv);

#endif
