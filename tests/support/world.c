/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world.h"

#include "lib/kem.h"
#include "lib/secret.h"
#include "proto/chain.h"
#include "proto/descriptor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BORN_DAY = 20000, MAIL_BUCKETS = 2 };

/* ---- logs ------------------------------------------------------------------------- */

static void log_room(struct world_log *l, size_t room)
{
    if (room <= l->room)
        return;
    l->room = room < 64 ? 64 : room * 2;
    l->envelopes = realloc(l->envelopes, l->room * ENVELOPE_BYTES);
    l->heads = realloc(l->heads, (l->room + 1) * 32);
    assert_true(l->envelopes && l->heads);
}

uint64_t world_append(struct world_view *v, uint32_t bucket, const uint8_t *envelope,
                      uint8_t head[32])
{
    struct world_log *l = &v->logs[bucket];
    uint64_t seq = l->count + 1;

    log_room(l, l->count + 1);
    memcpy(l->envelopes + l->count * ENVELOPE_BYTES, envelope, ENVELOPE_BYTES);
    memcpy(l->heads[seq], l->heads[seq - 1], 32);
    chain_next(l->heads[seq], seq, envelope);
    l->count++;
    if (head)
        memcpy(head, l->heads[seq], 32);
    return seq;
}

static void view_start(struct world *w, struct world_view *v)
{
    for (uint32_t b = 0; b < WORLD_BUCKETS; b++) {
        v->logs[b] = (struct world_log){.oldest = 1};
        log_room(&v->logs[b], 1);
        chain_first(w->cohort, b, v->logs[b].heads[0]);
    }
}

void world_view_copy(struct world_view *to, const struct world_view *from)
{
    for (size_t b = 0; b < WORLD_BUCKETS; b++) {
        const struct world_log *l = &from->logs[b];
        to->logs[b] = (struct world_log){.oldest = l->oldest};
        log_room(&to->logs[b], l->count + 1);
        to->logs[b].count = l->count;
        memcpy(to->logs[b].envelopes, l->envelopes, l->count * ENVELOPE_BYTES);
        memcpy(to->logs[b].heads, l->heads, (l->count + 1) * 32);
    }
}

void world_view_drop(struct world_view *v)
{
    for (size_t b = 0; b < WORLD_BUCKETS; b++) {
        free(v->logs[b].envelopes);
        free(v->logs[b].heads);
    }
}

void world_view_rehash(struct world *w, struct world_view *v, uint32_t bucket)
{
    struct world_log *l = &v->logs[bucket];

    chain_first(w->cohort, bucket, l->heads[0]);
    for (size_t i = 0; i < l->count; i++) {
        memcpy(l->heads[i + 1], l->heads[i], 32);
        chain_next(l->heads[i + 1], i + 1, l->envelopes + i * ENVELOPE_BYTES);
    }
}

uint8_t *world_envelope(struct world_view *v, uint32_t bucket, uint64_t seq)
{
    return v->logs[bucket].envelopes + (seq - 1) * ENVELOPE_BYTES;
}

/* ---- members ---------------------------------------------------------------------- */

static void heard(const struct event *e, void *arg)
{
    struct world_person *p = arg;

    p->events[e->kind]++;
}

size_t world_descriptor(struct world *w, uint32_t v, const uint8_t *previous,
                        const char *name, uint8_t out[DESCRIPTOR_BYTES_MAX],
                        uint8_t hash[32])
{
    struct descriptor d = {
        .version = v,
        .admins_n = 1,
        .relays_n = 1,
        .needed = 1,
        .mail_buckets = MAIL_BUCKETS,
        .members = 200,
        .retention_days = 14,
        .expires_day = BORN_DAY + 3650,
    };
    struct buf b = {out, 0, DESCRIPTOR_BYTES_MAX, DESCRIPTOR_BYTES_MAX, 0, false};

    (void)snprintf(d.name, sizeof d.name, "%s", name);
    if (previous)
        memcpy(d.previous, previous, 32);
    memcpy(d.admins[0], w->admin_sk + 32, 32);
    (void)snprintf(d.relays[0].address, sizeof d.relays[0].address, "relay.example");
    HASH(d.relays[0].key_hash, BYTES(w->relay_pk));
    assert_int_equal(descriptor_sign(&d, w->admin_sk, &b), 0);
    memcpy(hash, d.hash, 32);
    return b.n;
}

void world_open(struct world_person *p)
{
    assert_int_equal(node_open(&p->config, &p->node), 0);
}

void world_close(struct world_person *p)
{
    world_cut_posts(p);
    world_cut_reads(p);
    node_close(p->node);
    p->node = NULL;
}

void world_restart(struct world_person *p)
{
    p->wire_n = 0; /* without a word to the node */
    p->subs_n = 0;
    node_close(p->node);
    world_open(p);
}

static void join(struct world *w, struct world_person *p, size_t i)
{
    struct invite invite = {.address = {.host = "relay.example", .port = 7443}};
    struct msg_hello_result hello = {.version = 1, .descriptor = 1};
    char name[2] = {(char)('a' + i), 0};
    uint8_t key_hash[32], h[64] = {0};
    struct msg_enrol enrol;
    uint32_t from = 0;

    HASH(key_hash, BYTES(w->relay_pk));
    PRF16(invite.fingerprint, LABEL("kith1 invite"), BYTES(key_hash), BYTES(w->cohort));
    hello.clock_s = w->clock.wall_ms / 1000;
    assert_int_equal(node_join(p->node, &invite), 0);
    assert_int_equal(node_relay(p->node, w->relay_pk, w->cohort), 0);
    assert_int_equal(node_hello(p->node, &hello, &from), 0);
    assert_int_equal(from, 1);
    assert_int_equal(
        node_descriptor(p->node, (struct bytes){w->descriptor, w->descriptor_n}), 0);
    assert_int_equal(node_name(p->node, name), 0);
    assert_int_equal(node_enrol(p->node, h, &enrol), 0);
    assert_int_equal(node_enrolled(p->node), 0);
}

void world_start(struct world *w, uint64_t seed, size_t count, char *dir)
{
    uint8_t sk[KEM_SK_BYTES], pk[32];

    *w = (struct world){.count = count, .dir = dir};
    support_clock_start(&w->clock, (uint64_t)BORN_DAY * 24 * 3600 * 1000);
    support_random_start(&w->random, seed);
    support_random_install(&w->random);
    assert_int_equal(kem_keypair(w->relay_pk, sk), 0);
    assert_int_equal(sign_keypair(pk, w->admin_sk), 0);
    w->descriptor_n = world_descriptor(w, 1, NULL, "Night Owls", w->descriptor,
                                       w->cohort);
    view_start(w, &w->view);
    for (size_t i = 0; i < count; i++) {
        struct world_person *p = &w->people[i];
        p->world = w;
        p->view = &w->view;
        p->wire = calloc(NODE_POSTS_MAX, sizeof *p->wire);
        assert_non_null(p->wire);
        (void)snprintf(p->path, sizeof p->path, "%s",
                       dir ? support_path(dir, (char[2]){(char)('a' + i), 0})
                           : ":memory:");
        p->config = (struct node_config){
            .path = p->path,
            .key = {(uint8_t)(i + 1)},
            .create = true,
            .holder = true,
            .clock = &w->clock.clock,
            .event = heard,
            .event_arg = p,
            .quick = true,
        };
        world_open(p);
        join(w, p, i);
        assert_int_equal(world_subscribe(p), 0);
    }
}

void world_stop(struct world *w)
{
    for (size_t i = 0; i < w->count; i++) {
        node_close(w->people[i].node);
        free(w->people[i].wire);
    }
    world_view_drop(&w->view);
    support_random_release();
}

/* True when the node did what it was asked to. */
static bool did(struct world_person *p, int rc)
{
    if (rc < 0 && p->world->may_fail) {
        p->world->failed = true;
        return false;
    }
    assert_int_equal(rc, 0);
    return true;
}

/* ---- posts ------------------------------------------------------------------------ */

bool world_take_post(struct world_person *p)
{
    int rc;

    if (p->wire_n == NODE_POSTS_MAX)
        return false;
    p->wire[p->wire_n] = (struct world_post){0};
    rc = node_post_next(p->node, &p->wire[p->wire_n].post);
    if (rc == NODE_E_NONE || !did(p, rc))
        return false;
    p->wire_n++;
    p->posted++;
    return true;
}

bool world_store_post(struct world_person *p)
{
    for (size_t i = 0; i < p->wire_n; i++) {
        struct world_post *w = &p->wire[i];
        if (w->stored)
            continue;
        w->stored = true;
        if (p->refuse)
            return true;
        w->seq = world_append(p->view, w->post.bucket, w->post.envelope, w->head);
        if (p->also)
            (void)world_append(p->also, w->post.bucket, w->post.envelope, NULL);
        return true;
    }
    return false;
}

bool world_answer_post(struct world_person *p)
{
    struct world_post w;

    if (!p->wire_n || !p->wire[0].stored)
        return false;
    w = p->wire[0];
    p->wire_n--;
    memmove(p->wire, p->wire + 1, p->wire_n * sizeof *p->wire);
    if (!w.seq) {
        return did(p, node_post_refused(p->node, w.post.id,
                                        p->refuse ? p->refuse : CODE_UNAVAILABLE));
    }
    p->answered++;
    return did(p, node_post_done(p->node, w.post.id, w.seq, w.head));
}

void world_cut_posts(struct world_person *p)
{
    p->wire_n = 0;
    (void)did(p, node_posts_lost(p->node));
}

/* ---- reads ------------------------------------------------------------------------ */

static bool has_sub(const struct world_person *p, const struct node_read *r)
{
    for (size_t i = 0; i < p->subs_n; i++)
        if (p->subs[i].slot == r->slot && p->subs[i].bucket == r->bucket)
            return true;
    return false;
}

static void drop_sub(struct world_person *p, size_t i)
{
    p->subs[i] = p->subs[--p->subs_n];
}

static void drop_unlisted(struct world_person *p, const struct node_read *reads,
                          size_t count)
{
    for (size_t i = p->subs_n; i-- > 0;) {
        bool listed = false;
        for (size_t k = 0; k < count; k++)
            listed = listed || (reads[k].slot == p->subs[i].slot &&
                                reads[k].bucket == p->subs[i].bucket);
        if (listed)
            continue;
        if (p->subs[i].slot)
            node_read_lost(p->node, p->subs[i].slot);
        drop_sub(p, i);
    }
}

int world_subscribe(struct world_person *p)
{
    struct node_read reads[NODE_READS_MAX];
    size_t count;
    int last = 0;

    if (!did(p, node_reads(p->node, reads, &count)))
        return -1;
    drop_unlisted(p, reads, count);
    for (size_t k = 0; k < count; k++) {
        const struct world_log *l = &p->view->logs[reads[k].bucket];
        struct msg_subscribe_result m = {.next = l->count + 1, .oldest = l->oldest};
        int rc;
        if (has_sub(p, &reads[k]))
            continue;
        m.first = reads[k].from_head ? m.next : reads[k].from;
        if (m.first < l->oldest)
            m.first = l->oldest;
        if (m.first > m.next)
            m.first = m.next;
        memcpy(m.head, l->heads[m.first - 1], 32);
        rc = node_subscribed(p->node, reads[k].slot, reads[k].bucket, &m);
        if (rc == NODE_E_LIE)
            p->lies++;
        if (rc < 0)
            (void)did(p, rc);
        if (rc)
            last = rc;
        else
            p->subs[p->subs_n++] = (struct world_sub){reads[k].slot, reads[k].bucket,
                                                      m.first};
    }
    return last;
}

bool world_deliver(struct world_person *p, size_t i, size_t most, int *rc)
{
    struct world_sub *s = &p->subs[i];
    const struct world_log *l = &p->view->logs[s->bucket];
    struct msg_envelopes m = {.bucket = s->bucket, .first = s->at};
    size_t n = l->count + 1 - s->at;

    *rc = 0;
    if (s->at > l->count)
        return false;
    if (n > most)
        n = most;
    if (n > ENVELOPES_PER_RECORD_MAX)
        n = ENVELOPES_PER_RECORD_MAX;
    m.envelopes = support_exact(l->envelopes + (s->at - 1) * ENVELOPE_BYTES,
                                n * ENVELOPE_BYTES);
    memcpy(m.head, l->heads[s->at - 1 + n], 32);
    *rc = node_envelopes(p->node, s->slot, &m);
    support_drop(m.envelopes);
    if (*rc == NODE_E_LIE)
        p->lies++;
    if (*rc < 0)
        (void)did(p, *rc);
    if (*rc)
        drop_sub(p, i);
    else
        s->at += n;
    return true;
}

void world_cut_reads(struct world_person *p)
{
    for (size_t i = 0; i < p->subs_n; i++)
        node_read_lost(p->node, p->subs[i].slot);
    p->subs_n = 0;
}

void world_pass(struct world *w, uint64_t ms)
{
    support_clock_pass(&w->clock, ms);
}

/* ---- whole stretches -------------------------------------------------------------- */

static bool move(struct world_person *p)
{
    bool moved = false;
    int rc;

    (void)world_subscribe(p);
    while (world_take_post(p))
        moved = true;
    while (world_store_post(p))
        moved = true;
    while (world_answer_post(p))
        moved = true;
    for (size_t i = p->subs_n; i-- > 0;)
        while (i < p->subs_n && world_deliver(p, i, 15, &rc)) {
            moved = true;
            if (rc)
                break;
        }
    return moved;
}

void world_settle(struct world *w, uint64_t ms)
{
    for (uint64_t passed = 0; passed <= ms;) {
        uint64_t wait = UINT64_MAX;
        bool moved = false;

        for (size_t i = 0; i < w->count; i++)
            moved = move(&w->people[i]) || moved;
        if (w->failed)
            return;
        if (moved) {
            passed = 0;
            continue;
        }
        for (size_t i = 0; i < w->count; i++) {
            uint64_t due = node_next_due(w->people[i].node);
            if (due == 0)
                (void)did(&w->people[i], node_tick(w->people[i].node));
            due = node_next_due(w->people[i].node);
            wait = due < wait ? due : wait;
        }
        if (wait > ms)
            return;
        wait = wait ? wait : 1;
        world_pass(w, wait);
        passed += wait;
    }
}

void world_link(struct world *w, size_t a, size_t b, int64_t *conv_a, int64_t *conv_b)
{
    struct conversation c;
    char text[LINK_CHARS + 1];

    assert_int_equal(node_link_begin(w->people[a].node, 3600, conv_a), 0);
    world_settle(w, 10 * 1000);
    assert_int_equal(node_link_text(w->people[a].node, *conv_a, text), 0);
    assert_int_equal(node_link_take(w->people[b].node, text, strlen(text), conv_b), 0);
    world_settle(w, 10 * 1000);
    assert_int_equal(node_conv(w->people[a].node, *conv_a, &c), 0);
    assert_int_equal(c.state, CONV_LINKED);
    assert_int_equal(node_conv(w->people[b].node, *conv_b, &c), 0);
    assert_int_equal(c.state, CONV_LINKED);
}

int64_t world_send(struct world_person *p, int64_t conv, const char *text)
{
    int64_t id;

    assert_int_equal(node_send(p->node, conv, text, strlen(text), &id), 0);
    return id;
}

/* ---- looking ---------------------------------------------------------------------- */

static void note(const struct message *m, void *arg)
{
    struct world_history *h = arg;
    struct world_message *at;

    h->list = realloc(h->list, (h->n + 1) * sizeof *h->list);
    assert_non_null(h->list);
    at = &h->list[h->n++];
    *at = (struct world_message){.mine = m->mine,
                                 .kind = m->kind,
                                 .state = m->state,
                                 .why = m->why,
                                 .resent = m->resent,
                                 .id = m->id};
    at->text = strdup(m->text);
    assert_non_null(at->text);
    assert_int_equal(strlen(at->text), m->text_n);
}

struct world_history world_history(struct world_person *p, int64_t conv)
{
    struct world_history h = {0};
    struct node_history q = {.conv = conv};

    assert_int_equal(node_history(p->node, &q, note, &h), 0);
    return h;
}

void world_history_drop(struct world_history *h)
{
    for (size_t i = 0; i < h->n; i++)
        free(h->list[i].text);
    free(h->list);
    *h = (struct world_history){0};
}

struct looking {
    enum alarm_kind kind; /* 0: any */
    size_t count;
    int64_t first;
};

static void look(const struct alarm *a, void *arg)
{
    struct looking *l = arg;

    if (l->kind && a->kind != l->kind)
        return;
    if (!l->count++)
        l->first = a->id;
}

static struct looking look_for(struct world_person *p, enum alarm_kind kind)
{
    struct looking l = {.kind = kind};

    assert_int_equal(node_alarms(p->node, false, look, &l), 0);
    return l;
}

size_t world_alarms(struct world_person *p, enum alarm_kind kind)
{
    return look_for(p, kind).count;
}

size_t world_all_alarms(struct world_person *p)
{
    return look_for(p, 0).count;
}

int64_t world_first_alarm(struct world_person *p, enum alarm_kind kind)
{
    return look_for(p, kind).first;
}
