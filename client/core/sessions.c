/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/sessions.h"

#include "client/core/db_convs.h"
#include "lib/log.h"
#include "lib/map.h"
#include "lib/mem.h"

#include <errno.h>
#include <string.h>

/* The peer's newest 4 turns, the next one, and one being added before one is dropped. */
enum { TURNS_HELD = TURNS_KEPT + 2 };

struct tags; /* of one turn of one session */
struct tag_ref {
    struct tags *of;
    uint8_t tag[ENVELOPE_TAG_BYTES];
};
struct tags {
    struct holding *owner;
    uint32_t turn;
    struct tag_ref refs[TURN_ENVELOPES_MAX];
};
struct holding {
    struct session session; /* first: a struct session is one of these */
    struct tags *turns[TURNS_HELD];
    bool fresh; /* added in a transaction that has not ended */
};
struct sessions {
    struct map *tags; /* tag -> struct tag_ref */
    size_t count, room;
    struct holding **list;
};

/* ---- tags ------------------------------------------------------------------------- */

static void tags_free(struct sessions *s, struct tags *t)
{
    if (!t)
        return;
    for (size_t n = 0; n < TURN_ENVELOPES_MAX; n++)
        if (t->refs[n].of && map_get(s->tags, t->refs[n].tag) == &t->refs[n])
            (void)map_take(s->tags, t->refs[n].tag);
    mem_free(t);
}

struct filling {
    struct sessions *sessions;
    struct tags *into;
};

static int take_tag(const uint8_t tag[ENVELOPE_TAG_BYTES], uint32_t turn, uint32_t n,
                    void *arg)
{
    struct filling *f = arg;
    struct tag_ref *ref = &f->into->refs[n];

    (void)turn;
    memcpy(ref->tag, tag, ENVELOPE_TAG_BYTES);
    ref->of = f->into;
    return map_put(f->sessions->tags, tag, ref, NULL);
}

static int tags_add(struct sessions *s, struct holding *h, uint32_t turn,
                    struct tags **out)
{
    struct tags *t = mem_zalloc(sizeof *t);
    struct filling f = {s, t};
    int rc;

    *out = NULL;
    if (!t)
        return -ENOMEM;
    t->owner = h;
    t->turn = turn;
    rc = ratchet_tags(h->session.ratchet, turn, take_tag, &f);
    if (rc || !t->refs[0].of) { /* a turn that is not live has none */
        tags_free(s, t);
        return rc;
    }
    *out = t;
    return 0;
}

static struct tags **slot_of(struct holding *h, uint32_t turn)
{
    struct tags **empty = NULL;

    for (size_t i = 0; i < TURNS_HELD; i++) {
        if (h->turns[i] && h->turns[i]->turn == turn)
            return &h->turns[i];
        if (!h->turns[i])
            empty = &h->turns[i];
    }
    return empty;
}

static int tags_update(struct sessions *s, struct holding *h)
{
    struct ratchet_counts counts;
    uint32_t oldest = ratchet_oldest(h->session.ratchet);
    uint32_t most;

    ratchet_count(h->session.ratchet, &counts);
    most = (counts.own_turn > counts.peer_turn ? counts.own_turn : counts.peer_turn) + 1;
    for (size_t i = 0; i < TURNS_HELD; i++)
        if (h->turns[i] && h->turns[i]->turn < oldest) {
            tags_free(s, h->turns[i]);
            h->turns[i] = NULL;
        }
    for (uint32_t turn = oldest ? oldest : 1; turn <= most; turn++) {
        struct tags **slot = slot_of(h, turn);
        int rc;

        if (!slot)
            return -EPROTO;
        if (*slot)
            continue;
        rc = tags_add(s, h, turn, slot);
        if (rc)
            return rc;
    }
    return 0;
}

static void tags_clear(struct sessions *s, struct holding *h)
{
    for (size_t i = 0; i < TURNS_HELD; i++) {
        tags_free(s, h->turns[i]);
        h->turns[i] = NULL;
    }
}

bool sessions_find(const struct sessions *s, const uint8_t tag[ENVELOPE_TAG_BYTES],
                   struct sessions_hit *out)
{
    const struct tag_ref *ref = map_get(s->tags, tag);

    if (!ref)
        return false;
    out->session = &ref->of->owner->session;
    out->turn = ref->of->turn;
    out->n = (uint32_t)(ref - ref->of->refs);
    return true;
}

/* ---- the list --------------------------------------------------------------------- */

static void holding_free(struct sessions *s, struct holding *h)
{
    if (!h)
        return;
    tags_clear(s, h);
    ratchet_free(h->session.ratchet);
    mem_free(h);
}

static int find(const struct sessions *s, int64_t conv, size_t *at)
{
    for (*at = 0; *at < s->count; (*at)++)
        if (s->list[*at]->session.conv == conv)
            return 0;
    return DB_E_NONE;
}

struct session *sessions_get(struct sessions *s, int64_t conv)
{
    size_t at;

    return find(s, conv, &at) ? NULL : &s->list[at]->session;
}

size_t sessions_count(const struct sessions *s)
{
    return s->count;
}

struct session *sessions_at(struct sessions *s, size_t i)
{
    return &s->list[i]->session;
}

void sessions_drop(struct sessions *s, int64_t conv)
{
    size_t at;

    if (find(s, conv, &at))
        return;
    holding_free(s, s->list[at]);
    s->list[at] = s->list[--s->count];
}

/* Takes r over, also on failure. */
static int hold(struct sessions *s, int64_t conv, struct ratchet *r, struct holding **out)
{
    struct holding *h = mem_zalloc(sizeof *h);
    int rc = -ENOMEM;

    if (!h) {
        ratchet_free(r);
        return rc;
    }
    h->session.conv = conv;
    h->session.ratchet = r;
    if (s->count == s->room) {
        size_t room = s->room ? s->room * 2 : 16;
        void *list = mem_realloc(s->list, room * sizeof(struct holding *));
        if (!list)
            goto out;
        s->list = list;
        s->room = room;
    }
    rc = tags_update(s, h);
    if (rc)
        goto out;
    s->list[s->count++] = h;
    *out = h;
    h = NULL;
out:
    holding_free(s, h);
    return rc;
}

static int load(struct db *db, int64_t conv, struct ratchet **out)
{
    struct buf blob;
    int rc;

    buf_init(&blob, RATCHET_BLOB_BYTES_MAX);
    rc = db_convs_session(db, conv, &blob);
    if (!rc)
        rc = ratchet_load(buf_view(&blob), out);
    if (rc == RATCHET_E_BLOB) {
        log_error("a conversation's keys in the profile are damaged");
        rc = -EIO;
    }
    buf_free(&blob);
    return rc;
}

static int load_one(struct sessions *s, struct db *db, int64_t conv)
{
    struct ratchet *r = NULL;
    struct holding *h;
    int rc = load(db, conv, &r);

    return rc ? rc : hold(s, conv, r, &h);
}

int sessions_sync(struct sessions *s, struct db *db)
{
    int64_t *ids = mem_array(SESSIONS_MAX, sizeof *ids);
    size_t count = 0, at;
    int rc = ids ? db_convs_sessions(db, ids, SESSIONS_MAX, &count) : -ENOMEM;

    for (size_t i = s->count; !rc && i-- > 0;) {
        bool there = false;
        for (size_t k = 0; k < count && !there; k++)
            there = ids[k] == s->list[i]->session.conv;
        if (!there)
            sessions_drop(s, s->list[i]->session.conv);
    }
    for (size_t k = 0; !rc && k < count; k++)
        if (find(s, ids[k], &at))
            rc = load_one(s, db, ids[k]);
    mem_free(ids);
    return rc;
}

int sessions_open(struct db *db, struct sessions **out)
{
    struct sessions *s = mem_zalloc(sizeof *s);
    int rc = -ENOMEM;

    *out = NULL;
    if (!s)
        return rc;
    s->tags = map_new(ENVELOPE_TAG_BYTES);
    if (s->tags)
        rc = sessions_sync(s, db);
    if (rc)
        sessions_free(s);
    else
        *out = s;
    return rc;
}

void sessions_free(struct sessions *s)
{
    if (!s)
        return;
    while (s->count)
        holding_free(s, s->list[--s->count]);
    mem_free(s->list);
    map_free(s->tags, NULL);
    mem_free(s);
}

/* ---- steps ------------------------------------------------------------------------ */

static int put(struct db *db, const struct session *one)
{
    struct buf blob;
    int rc;

    buf_init(&blob, RATCHET_BLOB_BYTES_MAX);
    ratchet_save(one->ratchet, &blob);
    rc = blob.rc;
    if (!rc)
        rc = db_convs_put_session(db, one->conv, buf_view(&blob));
    buf_free(&blob);
    return rc;
}

int sessions_add(struct sessions *s, struct db *db, int64_t conv, struct ratchet *r,
                 struct session **out)
{
    struct holding *h;
    int rc = hold(s, conv, r, &h);

    if (rc)
        return rc;
    h->fresh = true;
    h->session.dirty = true;
    *out = &h->session;
    return put(db, &h->session);
}

int sessions_save(struct sessions *s, struct db *db, struct session *one)
{
    int rc = put(db, one);

    one->dirty = true;
    return rc ? rc : tags_update(s, (struct holding *)one);
}

static void take_back(struct sessions *s, struct db *db, struct holding *h)
{
    struct ratchet *r = NULL;
    int rc = h->fresh ? DB_E_NONE : load(db, h->session.conv, &r);

    if (!rc) {
        tags_clear(s, h);
        ratchet_free(h->session.ratchet);
        h->session.ratchet = r;
        h->session.dirty = false;
        rc = tags_update(s, h);
    }
    if (rc)
        sessions_drop(s, h->session.conv);
}

void sessions_settle(struct sessions *s, struct db *db, bool kept)
{
    for (size_t i = s->count; i-- > 0;) {
        struct holding *h = s->list[i];
        if (!h->session.dirty)
            continue;
        if (kept) {
            h->session.dirty = h->fresh = false;
            continue;
        }
        take_back(s, db, h);
    }
}
