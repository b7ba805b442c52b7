/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/fanout.h"

#include "daemon/list.h"
#include "lib/mem.h"
#include "proto/msg.h"

#include <errno.h>
#include <string.h>

enum {
    /* An `envelopes` frame without its envelopes: kind, method, array, bucket, first,
     * head, bin header: 1 + 1 + 10 + 1 + 5 + 9 + 34 + 3. */
    NOTE_BYTES_MAX = 64,
    RANGES_KEPT = 4, /* a reader's buckets do not push each other out: 240 KB in all */
};

struct subscription {
    struct list link; /* in its bucket's ring */
    struct fanout *owner_fanout;
    void *owner;
    uint64_t next; /* first seq not sent yet */
    uint32_t bucket, credit;
};

/* The last range read of some bucket. */
struct range {
    uint32_t bucket;
    uint64_t first;
    size_t count; /* 0: nothing kept here */
    uint8_t head[HASH_BYTES];
    uint8_t *envelopes; /* ENVELOPES_PER_RECORD_MAX of them; allocated when first used */
};

struct bucket {
    struct list readers;
    uint64_t next; /* as the store had it when the bucket grew last */
};

struct fanout {
    struct store *store;
    fanout_wake *wake;
    struct range ranges[RANGES_KEPT];
    uint32_t buckets_n;
    struct bucket buckets[];
};

int fanout_new(struct store *s, uint32_t buckets, fanout_wake *wake, struct fanout **out)
{
    struct fanout *f = mem_zalloc(sizeof *f + buckets * sizeof f->buckets[0]);
    int rc = 0;

    if (f == NULL)
        return -ENOMEM;
    f->store = s;
    f->wake = wake;
    f->buckets_n = buckets;
    for (uint32_t b = 0; b < buckets && rc == 0; b++) {
        struct store_tail tail;

        list_init(&f->buckets[b].readers);
        rc = store_tail(s, b, &tail);
        f->buckets[b].next = tail.next;
    }
    if (rc) {
        mem_free(f);
        return rc;
    }
    *out = f;
    return 0;
}

void fanout_free(struct fanout *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; i < RANGES_KEPT; i++)
        mem_free(f->ranges[i].envelopes);
    mem_free(f);
}

/* ---- subscriptions ---------------------------------------------------------------- */

struct subscription *fanout_add(struct fanout *f, uint32_t bucket, uint64_t first,
                                uint32_t credit, void *owner)
{
    struct subscription *sub = mem_zalloc(sizeof *sub);

    if (sub == NULL)
        return NULL;
    sub->owner_fanout = f;
    sub->owner = owner;
    sub->bucket = bucket;
    sub->next = first;
    list_append(&f->buckets[bucket].readers, &sub->link);
    fanout_credit(sub, credit);
    return sub;
}

void fanout_remove(struct subscription *sub)
{
    if (sub == NULL)
        return;
    list_remove(&sub->link);
    mem_free(sub);
}

uint32_t fanout_bucket(const struct subscription *sub)
{
    return sub->bucket;
}

bool fanout_owes(const struct subscription *sub)
{
    return sub->credit > 0 && sub->next < sub->owner_fanout->buckets[sub->bucket].next;
}

void fanout_credit(struct subscription *sub, uint32_t more)
{
    sub->credit = more > CREDIT_MAX - sub->credit ? CREDIT_MAX : sub->credit + more;
    if (fanout_owes(sub))
        sub->owner_fanout->wake(sub->owner);
}

void fanout_grown(struct fanout *f, uint32_t bucket)
{
    struct bucket *b = &f->buckets[bucket];
    struct store_tail tail;

    if (store_tail(f->store, bucket, &tail))
        return; /* the reads that follow will say so themselves */
    b->next = tail.next;
    for (struct list *l = b->readers.next; l != &b->readers; l = l->next) {
        struct subscription *sub = LIST_OWNER(l, struct subscription, link);

        if (fanout_owes(sub))
            f->wake(sub->owner);
    }
}

/* ---- reading ---------------------------------------------------------------------- */

/* The range of `want` envelopes from `first`, from memory if the last reader of this
 * bucket stood at the same place: a thousand live readers cost one look into the store.
 */
static int read_range(struct fanout *f, const struct subscription *sub, size_t want,
                      struct range **out)
{
    struct range *r = &f->ranges[sub->bucket % RANGES_KEPT];
    int rc;

    *out = r;
    if (r->count == want && r->bucket == sub->bucket && r->first == sub->next)
        return 0;
    r->count = 0;
    if (r->envelopes == NULL)
        r->envelopes = mem_alloc(ENVELOPES_PER_RECORD_MAX * ENVELOPE_BYTES);
    if (r->envelopes == NULL)
        return -ENOMEM;
    r->bucket = sub->bucket;
    r->first = sub->next;
    rc = store_range(f->store, sub->bucket, sub->next, want, r->envelopes, &r->count,
                     r->head);
    if (rc)
        r->count = 0;
    return rc;
}

/* The reader's place has expired: say where the log goes on.  SPEC 3.5. */
static int fill_gap(struct subscription *sub, struct buf *frames)
{
    struct fanout *f = sub->owner_fanout;
    struct msg_gap m = {.bucket = sub->bucket};
    struct store_tail tail;
    int rc = store_tail(f->store, sub->bucket, &tail);

    if (rc == 0 && tail.oldest <= sub->next)
        return -EIO; /* it is kept, and yet can't be read */
    if (rc == 0)
        rc = store_head_before(f->store, sub->bucket, tail.oldest, m.head);
    if (rc)
        return err_fold(rc);
    m.first = sub->next = tail.oldest;
    f->buckets[sub->bucket].next = tail.next;
    msg_gap_write(frames, &m);
    return 0;
}

static size_t count_for(const struct subscription *sub, const struct buf *frames)
{
    uint64_t there = sub->owner_fanout->buckets[sub->bucket].next - sub->next;
    size_t left = frames->cap - frames->n;
    size_t fit = left < NOTE_BYTES_MAX ? 0 : (left - NOTE_BYTES_MAX) / ENVELOPE_BYTES;
    size_t n = fit < ENVELOPES_PER_RECORD_MAX ? fit : ENVELOPES_PER_RECORD_MAX;

    if (n > sub->credit)
        n = sub->credit;
    return n < there ? n : (size_t)there;
}

int fanout_fill(struct subscription *sub, struct buf *frames)
{
    struct fanout *f = sub->owner_fanout;
    struct msg_envelopes m;
    struct range *r;
    size_t want = fanout_owes(sub) ? count_for(sub, frames) : 0;
    int rc;

    if (want == 0)
        return 0;
    rc = read_range(f, sub, want, &r);
    if (rc == STORE_E_ABSENT)
        return fill_gap(sub, frames);
    if (rc == 0 && r->count == 0)
        return -EIO; /* the tail promised at least one */
    if (rc)
        return err_fold(rc);
    m = (struct msg_envelopes){.bucket = sub->bucket, .first = sub->next};
    memcpy(m.head, r->head, sizeof m.head);
    m.envelopes = (struct bytes){r->envelopes, r->count * ENVELOPE_BYTES};
    msg_envelopes_write(frames, &m);
    if (frames->rc)
        return frames->rc;
    sub->next += r->count;
    sub->credit -= (uint32_t)r->count;
    return 0;
}
