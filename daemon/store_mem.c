/* SPDX-License-Identifier: Apache-2.0 */
/* The store's version in memory, for tests: what LMDB does with files and transactions is
 * done here with arrays and one lock.  It asks the seam where the other one meets the
 * disk, so that a full disk (SEAM_WRITE) and a failed sync (SEAM_SYNC) look the same in
 * both. */
#include "daemon/store_ops.h"
#include "lib/mem.h"
#include "lib/seam.h"
#include "proto/chain.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

struct record {
    uint32_t day;
    uint8_t head[HASH_BYTES]; /* after it */
    uint8_t envelope[ENVELOPE_BYTES];
};

struct bucket {
    struct record **records; /* [seq - oldest] */
    size_t count, room;
    uint64_t oldest;
    uint8_t oldest_head[HASH_BYTES]; /* before oldest */
};

struct store_mem {
    struct store base;
    pthread_mutex_t lock;
    struct bucket *buckets;
    uint32_t *days; /* in order */
    size_t days_count, days_room;
    struct store_invite *invites; /* [number - 1] */
    size_t invites_count, invites_room;
};

static struct store_mem *mem_of(struct store *s)
{
    return (struct store_mem *)s;
}

/* Room for `more` further elements, at least doubling. */
static int make_room(void **array, size_t *room, size_t count, size_t more, size_t size)
{
    size_t want = count + more > 2 * *room ? count + more : 2 * *room;
    void *grown;

    if (count + more <= *room)
        return 0;
    grown = mem_realloc(*array, want * size);
    if (!grown)
        return -ENOMEM;
    *array = grown;
    *room = want;
    return 0;
}

/* Where a commit would write and sync. */
static int pretend_commit(struct store_mem *m)
{
    int rc = seam_check(SEAM_WRITE);

    if (rc == -ENOSPC)
        return STORE_E_FULL;
    if (rc)
        return rc;
    return seam_check(SEAM_SYNC) ? store_break(&m->base) : 0;
}

static void mem_close(struct store *s)
{
    struct store_mem *m = mem_of(s);

    for (uint32_t b = 0; m->buckets && b < s->buckets; b++) {
        for (size_t i = 0; i < m->buckets[b].count; i++)
            mem_free(m->buckets[b].records[i]);
        mem_free(m->buckets[b].records);
    }
    pthread_mutex_destroy(&m->lock);
    mem_free(m->buckets);
    mem_free(m->days);
    mem_free(m->invites);
    mem_free(m);
}

/* ---- the board: writes ------------------------------------------------------------ */

static uint64_t bucket_next(const struct bucket *b)
{
    return b->oldest + b->count;
}

static const uint8_t *bucket_head(const struct bucket *b)
{
    return b->count ? b->records[b->count - 1]->head : b->oldest_head;
}

static int day_for(struct store_mem *m, uint64_t now_s, uint32_t *day)
{
    uint32_t today = (uint32_t)(now_s / STORE_DAY_S);
    int rc;

    *day = today;
    if (m->days_count && m->days[m->days_count - 1] >= today) {
        *day = m->days[m->days_count - 1];
        return 0;
    }
    rc = make_room((void **)&m->days, &m->days_room, m->days_count, 1, sizeof *m->days);
    if (!rc)
        m->days[m->days_count++] = today;
    return rc;
}

static int append_one(struct store_mem *m, struct store_post *p, uint32_t day)
{
    struct bucket *b = &m->buckets[p->bucket];
    struct record *r;
    int rc = make_room((void **)&b->records, &b->room, b->count, 1,
                       sizeof(struct record *));

    if (rc)
        return rc;
    r = mem_alloc(sizeof *r);
    if (!r)
        return -ENOMEM;
    r->day = day;
    memcpy(r->envelope, p->envelope, ENVELOPE_BYTES);
    memcpy(r->head, bucket_head(b), HASH_BYTES);
    p->seq = bucket_next(b);
    chain_next(r->head, p->seq, r->envelope);
    memcpy(p->head, r->head, HASH_BYTES);
    b->records[b->count++] = r;
    return 0;
}

static int mem_append(struct store *s, struct store_post *posts, size_t n, uint64_t now_s)
{
    struct store_mem *m = mem_of(s);
    size_t done = 0;
    uint32_t day;
    int rc;

    pthread_mutex_lock(&m->lock);
    rc = day_for(m, now_s, &day);
    while (!rc && done < n) {
        rc = append_one(m, &posts[done], day);
        done += rc == 0;
    }
    if (!rc)
        rc = pretend_commit(m);
    while (rc && done > 0) { /* all or none */
        struct bucket *b = &m->buckets[posts[--done].bucket];

        mem_free(b->records[--b->count]);
    }
    pthread_mutex_unlock(&m->lock);
    return rc;
}

static void drop_front(struct bucket *b, uint32_t day)
{
    size_t n = 0;

    while (n < b->count && b->records[n]->day <= day) {
        memcpy(b->oldest_head, b->records[n]->head, HASH_BYTES);
        mem_free(b->records[n++]);
    }
    b->oldest += n;
    b->count -= n;
    if (n && b->count)
        memmove(b->records, b->records + n, b->count * sizeof(struct record *));
}

static int mem_expire(struct store *s, uint64_t now_s, uint64_t retention_s,
                      uint32_t *dropped)
{
    struct store_mem *m = mem_of(s);

    pthread_mutex_lock(&m->lock);
    while (m->days_count && store_day_expired(m->days[0], now_s, retention_s)) {
        for (uint32_t b = 0; b < s->buckets; b++)
            drop_front(&m->buckets[b], m->days[0]);
        memmove(m->days, m->days + 1, --m->days_count * sizeof *m->days);
        ++*dropped;
    }
    pthread_mutex_unlock(&m->lock);
    return 0;
}

static void redate_records(struct store_mem *m, uint32_t from, uint32_t to)
{
    for (uint32_t b = 0; b < m->base.buckets; b++)
        for (size_t i = 0; i < m->buckets[b].count; i++)
            if (m->buckets[b].records[i]->day == from)
                m->buckets[b].records[i]->day = to;
}

static int mem_redate(struct store *s, uint64_t now_s, uint32_t *moved)
{
    struct store_mem *m = mem_of(s);
    uint32_t today = (uint32_t)(now_s / STORE_DAY_S);

    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < m->days_count; i++) {
        int64_t before = i ? (int64_t)m->days[i - 1] : -1;
        uint32_t to = store_day_redated(m->days[i], before, today);

        if (to == m->days[i])
            continue;
        redate_records(m, m->days[i], to);
        m->days[i] = to;
        ++*moved;
    }
    pthread_mutex_unlock(&m->lock);
    return 0;
}

/* ---- the board: reads ------------------------------------------------------------- */

static int mem_tail(struct store *s, uint32_t bucket, struct store_tail *out)
{
    struct store_mem *m = mem_of(s);
    struct bucket *b = &m->buckets[bucket];

    pthread_mutex_lock(&m->lock);
    out->oldest = b->oldest;
    out->next = bucket_next(b);
    memcpy(out->head, bucket_head(b), HASH_BYTES);
    pthread_mutex_unlock(&m->lock);
    return 0;
}

static const uint8_t *head_before(const struct bucket *b, uint64_t seq)
{
    return seq == b->oldest ? b->oldest_head : b->records[seq - b->oldest - 1]->head;
}

static int mem_range(struct store *s, uint32_t bucket, uint64_t from, size_t max,
                     uint8_t *out, size_t *got, uint8_t head[HASH_BYTES])
{
    struct store_mem *m = mem_of(s);
    struct bucket *b = &m->buckets[bucket];
    int rc = STORE_E_ABSENT;

    pthread_mutex_lock(&m->lock);
    if (from >= b->oldest && from <= bucket_next(b)) {
        for (; *got < max && from + *got < bucket_next(b); ++*got)
            memcpy(out + *got * ENVELOPE_BYTES,
                   b->records[from + *got - b->oldest]->envelope, ENVELOPE_BYTES);
        memcpy(head, head_before(b, from + *got), HASH_BYTES);
        rc = 0;
    }
    pthread_mutex_unlock(&m->lock);
    return rc;
}

static int mem_head_before(struct store *s, uint32_t bucket, uint64_t seq,
                           uint8_t head[HASH_BYTES])
{
    struct store_mem *m = mem_of(s);
    struct bucket *b = &m->buckets[bucket];
    int rc = STORE_E_ABSENT;

    pthread_mutex_lock(&m->lock);
    if (seq >= b->oldest && seq <= bucket_next(b)) {
        memcpy(head, head_before(b, seq), HASH_BYTES);
        rc = 0;
    }
    pthread_mutex_unlock(&m->lock);
    return rc;
}

static int mem_figures(struct store *s, uint64_t now_s, struct store_figures *out)
{
    struct store_mem *m = mem_of(s);

    pthread_mutex_lock(&m->lock);
    for (uint32_t b = 0; b < s->buckets; b++)
        out->envelopes += m->buckets[b].count;
    out->days = (uint32_t)m->days_count;
    if (m->days_count) {
        out->oldest_day = m->days[0];
        out->newest_day = m->days[m->days_count - 1];
    }
    for (size_t i = 0; i < m->invites_count; i++)
        store_invite_count(&m->invites[i], (uint32_t)(now_s / STORE_HOUR_S), out);
    pthread_mutex_unlock(&m->lock);
    return 0;
}

/* ---- invites ---------------------------------------------------------------------- */

static int mem_invite_add(struct store *s, struct store_invite *invite)
{
    struct store_mem *m = mem_of(s);
    int rc;

    pthread_mutex_lock(&m->lock);
    rc = make_room((void **)&m->invites, &m->invites_room, m->invites_count, 1,
                   sizeof *m->invites);
    if (!rc)
        rc = pretend_commit(m);
    if (!rc) {
        invite->number = (uint32_t)m->invites_count + 1;
        invite->state = INVITE_OPEN;
        m->invites[m->invites_count++] = *invite;
    }
    pthread_mutex_unlock(&m->lock);
    return rc;
}

static bool key_bound_elsewhere(const struct store_mem *m,
                                const struct store_invite *invite,
                                const uint8_t key[SIGN_PK_BYTES])
{
    static const uint8_t none[SIGN_PK_BYTES];

    for (size_t i = 0; i < m->invites_count; i++)
        if (m->invites[i].number != invite->number &&
            memcmp(m->invites[i].key, none, sizeof none) != 0 &&
            memcmp(m->invites[i].key, key, SIGN_PK_BYTES) == 0)
            return true;
    return false;
}

static int bind_locked(struct store_mem *m, const uint8_t id[INVITE_ID_BYTES],
                       const uint8_t key[SIGN_PK_BYTES], uint32_t now_hour,
                       struct store_invite *out)
{
    struct store_invite *found = NULL;
    bool change;
    int rc;

    for (size_t i = 0; i < m->invites_count && !found; i++)
        if (memcmp(m->invites[i].id, id, INVITE_ID_BYTES) == 0)
            found = &m->invites[i];
    if (!found)
        return STORE_E_ABSENT;
    *out = *found;
    rc = store_invite_bind(out, key, now_hour, &change);
    if (rc || !change)
        return rc;
    if (key_bound_elsewhere(m, found, key))
        return STORE_E_USED;
    rc = pretend_commit(m);
    if (!rc)
        *found = *out;
    return rc;
}

static int mem_invite_enrol(struct store *s, const uint8_t id[INVITE_ID_BYTES],
                            const uint8_t key[SIGN_PK_BYTES], uint32_t now_hour,
                            struct store_invite *out)
{
    struct store_mem *m = mem_of(s);
    int rc;

    pthread_mutex_lock(&m->lock);
    rc = bind_locked(m, id, key, now_hour, out);
    pthread_mutex_unlock(&m->lock);
    return rc;
}

static int mem_invite_revoke(struct store *s, uint32_t number)
{
    struct store_mem *m = mem_of(s);
    int rc = STORE_E_ABSENT;

    pthread_mutex_lock(&m->lock);
    if (number >= 1 && number <= m->invites_count)
        rc = pretend_commit(m);
    if (!rc)
        m->invites[number - 1].state = INVITE_REVOKED;
    pthread_mutex_unlock(&m->lock);
    return rc;
}

static int mem_invites(struct store *s, store_invite_visit *visit, void *arg)
{
    struct store_mem *m = mem_of(s);

    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < m->invites_count; i++)
        if (!visit(&m->invites[i], arg))
            break;
    pthread_mutex_unlock(&m->lock);
    return 0;
}

/* ---- opening ---------------------------------------------------------------------- */

static const struct store_ops mem_ops = {
    .close = mem_close,
    .append = mem_append,
    .expire = mem_expire,
    .redate = mem_redate,
    .tail = mem_tail,
    .range = mem_range,
    .head_before = mem_head_before,
    .figures = mem_figures,
    .invite_add = mem_invite_add,
    .invite_enrol = mem_invite_enrol,
    .invite_revoke = mem_invite_revoke,
    .invites = mem_invites,
};

int store_open_mem(const uint8_t cohort[32], uint32_t buckets, struct store **out)
{
    struct store_mem *m;

    *out = NULL;
    if (buckets == 0 || buckets > STORE_BUCKETS_MAX)
        return -EINVAL;
    m = mem_zalloc(sizeof *m);
    if (!m)
        return -ENOMEM;
    store_init(&m->base, &mem_ops, cohort, buckets);
    pthread_mutex_init(&m->lock, NULL);
    m->buckets = mem_array(buckets, sizeof *m->buckets);
    if (!m->buckets) {
        mem_close(&m->base);
        return -ENOMEM;
    }
    for (uint32_t b = 0; b < buckets; b++) {
        m->buckets[b].oldest = 1;
        chain_first(cohort, b, m->buckets[b].oldest_head);
    }
    *out = &m->base;
    return 0;
}
