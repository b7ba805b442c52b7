/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store.h"

#include "daemon/store_ops.h"
#include "lib/log.h"

#include <errno.h>
#include <string.h>

void store_init(struct store *s, const struct store_ops *ops, const uint8_t cohort[32],
                uint32_t buckets)
{
    s->ops = ops;
    s->buckets = buckets;
    memcpy(s->cohort, cohort, sizeof s->cohort);
    atomic_init(&s->broken, false);
}

int store_break(struct store *s)
{
    if (!atomic_exchange(&s->broken, true))
        log_error("store: the disk failed to keep what was written; nothing more is "
                  "accepted until kithd is started again");
    return STORE_E_BROKEN;
}

void store_close(struct store *s)
{
    if (s)
        s->ops->close(s);
}

uint32_t store_buckets(const struct store *s)
{
    return s->buckets;
}

bool store_broken(const struct store *s)
{
    return atomic_load(&s->broken);
}

/* ---- writes ----------------------------------------------------------------------- */

int store_append(struct store *s, struct store_post *posts, size_t n, uint64_t now_s)
{
    if (store_broken(s))
        return STORE_E_BROKEN;
    for (size_t i = 0; i < n; i++)
        if (posts[i].bucket >= s->buckets)
            return STORE_E_ABSENT;
    return n ? s->ops->append(s, posts, n, now_s) : 0;
}

int store_expire(struct store *s, uint64_t now_s, uint64_t retention_s, uint32_t *dropped)
{
    *dropped = 0;
    /* A broken store still lets go of what is past its time: that promise needs no sync.
     */
    return s->ops->expire(s, now_s, retention_s, dropped);
}

int store_redate(struct store *s, uint64_t now_s, uint32_t *moved)
{
    *moved = 0;
    return s->ops->redate(s, now_s, moved);
}

/* ---- reads ------------------------------------------------------------------------ */

int store_tail(struct store *s, uint32_t bucket, struct store_tail *out)
{
    if (bucket >= s->buckets)
        return STORE_E_ABSENT;
    return s->ops->tail(s, bucket, out);
}

int store_range(struct store *s, uint32_t bucket, uint64_t from, size_t max, uint8_t *out,
                size_t *got, uint8_t head[HASH_BYTES])
{
    *got = 0;
    if (bucket >= s->buckets)
        return STORE_E_ABSENT;
    return s->ops->range(s, bucket, from, max, out, got, head);
}

int store_head_before(struct store *s, uint32_t bucket, uint64_t seq,
                      uint8_t head[HASH_BYTES])
{
    if (bucket >= s->buckets)
        return STORE_E_ABSENT;
    return s->ops->head_before(s, bucket, seq, head);
}

int store_figures(struct store *s, uint64_t now_s, struct store_figures *out)
{
    memset(out, 0, sizeof *out);
    return s->ops->figures(s, now_s, out);
}

/* ---- invites ---------------------------------------------------------------------- */

int store_invite_add(struct store *s, struct store_invite *invite)
{
    if (store_broken(s))
        return STORE_E_BROKEN;
    return s->ops->invite_add(s, invite);
}

int store_invite_enrol(struct store *s, const uint8_t id[INVITE_ID_BYTES],
                       const uint8_t key[SIGN_PK_BYTES], uint32_t now_hour,
                       struct store_invite *out)
{
    if (store_broken(s))
        return STORE_E_BROKEN;
    return s->ops->invite_enrol(s, id, key, now_hour, out);
}

int store_invite_revoke(struct store *s, uint32_t number)
{
    if (store_broken(s))
        return STORE_E_BROKEN;
    return s->ops->invite_revoke(s, number);
}

int store_invites(struct store *s, store_invite_visit *visit, void *arg)
{
    return s->ops->invites(s, visit, arg);
}

int store_invite_bind(struct store_invite *invite, const uint8_t key[SIGN_PK_BYTES],
                      uint32_t now_hour, bool *change)
{
    *change = false;
    if (invite->state == INVITE_REVOKED)
        return STORE_E_REVOKED;
    if (invite->state == INVITE_ENROLLED)
        return memcmp(invite->key, key, SIGN_PK_BYTES) ? STORE_E_USED : 0;
    if (now_hour > invite->last_hour)
        return STORE_E_EXPIRED;
    invite->state = INVITE_ENROLLED;
    invite->enrolled_hour = now_hour;
    memcpy(invite->key, key, SIGN_PK_BYTES);
    *change = true;
    return 0;
}

void store_invite_count(const struct store_invite *invite, uint32_t now_hour,
                        struct store_figures *figures)
{
    if (invite->state == INVITE_REVOKED)
        figures->invites_revoked++;
    else if (invite->state == INVITE_ENROLLED)
        figures->invites_enrolled++;
    else if (now_hour > invite->last_hour)
        figures->invites_expired++;
    else
        figures->invites_open++;
}

/* ---- days ------------------------------------------------------------------------- */

bool store_day_expired(uint32_t day, uint64_t now_s, uint64_t retention_s)
{
    uint64_t over = ((uint64_t)day + 1) * STORE_DAY_S; /* the first second after it */

    return now_s >= over && now_s - over >= retention_s;
}

uint32_t store_day_redated(uint32_t day, int64_t before, uint32_t today)
{
    int64_t least = before + 1 > (int64_t)today ? before + 1 : (int64_t)today;

    return (int64_t)day > least ? (uint32_t)least : day;
}
