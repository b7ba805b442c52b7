/* SPDX-License-Identifier: Apache-2.0 */
/* world: several members' nodes and a relay in one process, on a virtual clock.  Nothing
 * moves by itself: a test takes every step, honest or not, and may cut, delay, repeat and
 * restart. */
#ifndef KITH_TESTS_WORLD_H
#define KITH_TESTS_WORLD_H

#include "tests/support/support.h"

#include "client/core/node.h"

enum { WORLD_BUCKETS = 4, WORLD_PEOPLE = 4 };

/* One bucket as somebody is shown it. */
struct world_log {
    size_t count, room;
    uint64_t oldest;      /* sequence number; earlier ones have expired */
    uint8_t *envelopes;   /* count * ENVELOPE_BYTES */
    uint8_t (*heads)[32]; /* count + 1; heads[s] is the head after s */
};
struct world_view {
    struct world_log logs[WORLD_BUCKETS];
};

struct world_post { /* on the wire, between a member and the relay */
    struct node_post post;
    bool stored;
    uint64_t seq;
    uint8_t head[32];
};
struct world_sub {
    uint32_t slot, bucket;
    uint64_t at;
};
struct world_person {
    struct world *world;
    struct node *node;
    struct node_config config;
    char path[256];
    struct world_view *view; /* what the relay shows to this member */
    struct world_view *also; /* posts land here as well, if not NULL */
    struct world_post *wire; /* NODE_POSTS_MAX */
    size_t wire_n;
    struct world_sub subs[NODE_READS_MAX];
    size_t subs_n;
    enum code refuse;    /* answer posts with this instead of storing them */
    unsigned posted;     /* handed out by node_post_next */
    unsigned answered;   /* durable answers that arrived */
    unsigned events[16]; /* by kind */
    int lies;            /* NODE_E_LIE seen */
};
struct world {
    struct support_clock clock;
    struct support_random random;
    uint8_t relay_pk[KEM_PK_BYTES], admin_sk[64], cohort[32];
    uint8_t descriptor[DESCRIPTOR_BYTES_MAX];
    size_t descriptor_n;
    struct world_view view;
    struct world_person people[WORLD_PEOPLE];
    size_t count;
    char *dir;     /* NULL: databases in memory */
    bool may_fail; /* nodes may answer -errno: then failed is set and the step counts as
                      not done */
    bool failed;
};

/* count members, enrolled, named "a", "b", ..., each with a home bucket.  dir: where
 * profiles are kept; NULL: in memory (no restarts then). */
void world_start(struct world *w, uint64_t seed, size_t count, char *dir);
void world_stop(struct world *w);

/* Sign version v of the descriptor, chained to previous (32 bytes, NULL for v 1). */
size_t world_descriptor(struct world *w, uint32_t v, const uint8_t *previous,
                        const char *name, uint8_t out[DESCRIPTOR_BYTES_MAX],
                        uint8_t hash[32]);

uint64_t world_append(struct world_view *v, uint32_t bucket, const uint8_t *envelope,
                      uint8_t head[32]);
void world_view_copy(struct world_view *to, const struct world_view *from);
void world_view_drop(struct world_view *v);
/* Make heads again after envelopes were changed by hand. */
void world_view_rehash(struct world *w, struct world_view *v, uint32_t bucket);
uint8_t *world_envelope(struct world_view *v, uint32_t bucket, uint64_t seq);

/* Single steps; each returns false when there was nothing to do. */
bool world_take_post(struct world_person *p);   /* node -> wire */
bool world_store_post(struct world_person *p);  /* wire -> relay: the oldest not stored */
bool world_answer_post(struct world_person *p); /* relay -> node: the oldest stored */
void world_cut_posts(struct world_person *p);
/* Subscriptions as node_reads() wants them; 0 or the last result that was not 0. */
int world_subscribe(struct world_person *p);
/* At most most envelopes of the i-th subscription; *rc gets node_envelopes()' result. */
bool world_deliver(struct world_person *p, size_t i, size_t most, int *rc);
void world_cut_reads(struct world_person *p);
void world_close(struct world_person *p);
void world_open(struct world_person *p);
void world_restart(
    struct world_person *p); /* as after kill -9: what is not in the file is gone */
void world_pass(struct world *w, uint64_t ms);

/* Honest steps until nothing moves for more than ms of virtual time. */
void world_settle(struct world *w, uint64_t ms);
/* a makes a link, b takes it, until both are linked. */
void world_link(struct world *w, size_t a, size_t b, int64_t *conv_a, int64_t *conv_b);
int64_t world_send(struct world_person *p, int64_t conv, const char *text);

/* ---- looking ---------------------------------------------------------------------- */
struct world_message {
    char *text;
    bool mine;
    enum message_kind kind;
    enum message_state state;
    enum message_why why;
    uint32_t resent;
    int64_t id;
};
struct world_history {
    struct world_message *list;
    size_t n;
};
struct world_history world_history(struct world_person *p, int64_t conv);
void world_history_drop(struct world_history *h);
/* Open alarms of this kind. */
size_t world_alarms(struct world_person *p, enum alarm_kind kind);
size_t world_all_alarms(struct world_person *p);
int64_t world_first_alarm(struct world_person *p, enum alarm_kind kind);

#endif
