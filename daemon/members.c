/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/members.h"

#include "lib/map.h"
#include "lib/mem.h"
#include "lib/secret.h"

#include <errno.h>
#include <string.h>

struct member {
    uint32_t number;
    bool revoked;
    uint8_t invite[INVITE_ID_BYTES]; /* the one it enrolled with */
};

struct members {
    struct store *store;
    struct commit *commit;
    const struct clock *clock;
    uint8_t cohort[32];
    struct map *by_key;        /* key -> struct member, owned here */
    struct member **by_number; /* [number - 1]; NULL: not enrolled */
    uint32_t room;
};

static uint32_t now_hour(const struct members *m)
{
    return (uint32_t)(clock_wall_s(m->clock) / 3600);
}

/* ---- the index -------------------------------------------------------------------- */

static int index_room(struct members *m, uint32_t number)
{
    uint32_t room = number > 2 * m->room ? number : 2 * m->room;
    struct member **grown;

    if (number <= m->room)
        return 0;
    grown = mem_realloc(m->by_number, room * sizeof *grown);
    if (!grown)
        return -ENOMEM;
    memset(grown + m->room, 0, (room - m->room) * sizeof *grown);
    m->by_number = grown;
    m->room = room;
    return 0;
}

static struct member *index_find(const struct members *m, uint32_t number)
{
    return number >= 1 && number <= m->room ? m->by_number[number - 1] : NULL;
}

/* Note an enrolled invite, or the new state of one noted before. */
static int index_add(struct members *m, const struct store_invite *invite)
{
    struct member *found = index_find(m, invite->number);
    int rc;

    if (found) {
        found->revoked = found->revoked || invite->state == INVITE_REVOKED;
        return 0;
    }
    rc = index_room(m, invite->number);
    if (rc)
        return rc;
    found = mem_zalloc(sizeof *found);
    if (!found)
        return -ENOMEM;
    found->number = invite->number;
    found->revoked = invite->state == INVITE_REVOKED;
    memcpy(found->invite, invite->id, sizeof found->invite);
    rc = map_put(m->by_key, invite->key, found, NULL);
    if (rc) {
        mem_free(found);
        return rc;
    }
    m->by_number[invite->number - 1] = found;
    return 0;
}

struct loading {
    struct members *members;
    int rc;
};

static bool load_one(const struct store_invite *invite, void *arg)
{
    struct loading *l = arg;

    /* An invite can be revoked before anybody enrolled with it: then there is no key. */
    if (!secret_is_zero(invite->key, sizeof invite->key))
        l->rc = index_add(l->members, invite);
    return l->rc == 0;
}

int members_open(struct store *s, struct commit *c, const struct clock *clock,
                 const uint8_t cohort[32], struct members **out)
{
    struct members *m = mem_zalloc(sizeof *m);
    struct loading l = {m, 0};
    int rc = -ENOMEM;

    *out = NULL;
    if (!m)
        return rc;
    m->store = s;
    m->commit = c;
    m->clock = clock;
    memcpy(m->cohort, cohort, sizeof m->cohort);
    m->by_key = map_new(SIGN_PK_BYTES);
    if (!m->by_key)
        goto out;
    rc = store_invites(s, load_one, &l);
    if (!rc)
        rc = l.rc;
    if (rc > 0)
        rc = err_fold(rc);
    if (rc)
        goto out;
    *out = m;
    m = NULL;
out:
    members_free(m);
    return rc;
}

void members_free(struct members *m)
{
    if (!m)
        return;
    map_free(m->by_key, mem_free);
    mem_free(m->by_number);
    mem_free(m);
}

/* ---- prove ------------------------------------------------------------------------ */

/* The signature comes first, so that who holds no key learns nothing about one. */
enum code members_prove(const struct members *m, const struct msg_prove *msg,
                        const uint8_t h[64], uint32_t *number)
{
    const struct member *found;
    int rc = msg_prove_check(msg, m->cohort, h);

    *number = 0;
    if (rc)
        return rc < 0 ? CODE_UNAVAILABLE : CODE_NOT_A_MEMBER;
    found = map_get(m->by_key, msg->key);
    if (!found)
        return CODE_NOT_A_MEMBER;
    if (found->revoked)
        return CODE_REVOKED;
    *number = found->number;
    return CODE_OK;
}

enum code members_still(const struct members *m, uint32_t number)
{
    const struct member *found = index_find(m, number);

    if (!found)
        return CODE_NOT_A_MEMBER;
    return found->revoked ? CODE_REVOKED : CODE_OK;
}

/* ---- enrol ------------------------------------------------------------------------ */

struct enrolment {
    struct members *members;
    uint8_t id[INVITE_ID_BYTES], key[SIGN_PK_BYTES];
    uint32_t hour;
    struct store_invite invite;
    uint64_t session;
    uint32_t request;
    members_done *done;
    void *arg;
};

static void invite_id(const uint8_t secret[INVITE_SECRET_BYTES],
                      uint8_t id[INVITE_ID_BYTES])
{
    PRF16(id, LABEL("kith1 invite id"), {secret, INVITE_SECRET_BYTES});
}

/* One code for every invite that is no good, whether or not it exists (SPEC 3.4). */
static enum code code_of(int rc)
{
    switch (rc) {
    case 0:
        return CODE_OK;
    case STORE_E_ABSENT:
    case STORE_E_USED:
    case STORE_E_EXPIRED:
    case STORE_E_REVOKED:
        return CODE_INVITE_USED;
    case STORE_E_FULL:
        return CODE_STORAGE_FULL;
    case STORE_E_BROKEN:
    case -ENOBUFS:
    case -ENOMEM:
    case -ESHUTDOWN:
        return CODE_UNAVAILABLE;
    default:
        return CODE_INTERNAL;
    }
}

static int work_enrol(struct store *s, void *job)
{
    struct enrolment *e = job;

    return store_invite_enrol(s, e->id, e->key, e->hour, &e->invite);
}

static void enrolled(int rc, void *job, void *arg)
{
    struct enrolment *e = job;

    (void)arg;
    /* On disk but not in the index (no memory): the same request again finds both. */
    if (!rc)
        rc = index_add(e->members, &e->invite);
    e->done(code_of(rc), e->session, e->request, e->arg);
    mem_free(e);
}

enum code members_enrol(struct members *m, const struct msg_enrol *msg,
                        const uint8_t h[64], uint64_t session, uint32_t request,
                        members_done *done, void *arg)
{
    struct enrolment *e;
    int rc = msg_enrol_check(msg, m->cohort, h);

    if (rc)
        return rc < 0 ? CODE_UNAVAILABLE : CODE_NOT_A_MEMBER;
    e = mem_zalloc(sizeof *e);
    if (!e)
        return CODE_UNAVAILABLE;
    e->members = m;
    e->hour = now_hour(m);
    e->session = session;
    e->request = request;
    e->done = done;
    e->arg = arg;
    memcpy(e->key, msg->key, sizeof e->key);
    invite_id(msg->secret, e->id);
    rc = commit_run(m->commit, work_enrol, e, enrolled, NULL);
    if (rc)
        mem_free(e);
    return code_of(rc);
}

/* ---- invite ----------------------------------------------------------------------- */

struct inviting {
    struct members *members;
    uint8_t secret[INVITE_SECRET_BYTES];
    struct store_invite invite;
    members_invited *done;
    void *arg;
};

static void inviting_free(struct inviting *i)
{
    secret_wipe(i, sizeof *i);
    mem_free(i);
}

static int work_invite(struct store *s, void *job)
{
    struct inviting *i = job;

    return store_invite_add(s, &i->invite);
}

static void invited(int rc, void *job, void *arg)
{
    struct inviting *i = job;

    (void)arg;
    i->done(rc, i->secret, &i->invite, i->arg);
    inviting_free(i);
}

int members_invite(struct members *m, uint32_t hours, members_invited *done, void *arg)
{
    struct inviting *i = mem_zalloc(sizeof *i);
    int rc;

    if (!i)
        return -ENOMEM;
    i->members = m;
    i->done = done;
    i->arg = arg;
    rc = rand_bytes(i->secret, sizeof i->secret);
    if (!rc) {
        invite_id(i->secret, i->invite.id);
        i->invite.made_hour = now_hour(m);
        i->invite.last_hour = i->invite.made_hour + hours;
        rc = commit_run(m->commit, work_invite, i, invited, NULL);
    }
    if (rc)
        inviting_free(i);
    return rc;
}

/* ---- revoke ----------------------------------------------------------------------- */

struct revoking {
    struct members *members;
    uint32_t number;
    members_revoked *done;
    void *arg;
};

static int work_revoke(struct store *s, void *job)
{
    struct revoking *r = job;

    return store_invite_revoke(s, r->number);
}

static void bite(struct members *m, uint32_t number)
{
    struct member *found = index_find(m, number);

    if (found)
        found->revoked = true;
}

static void revoked(int rc, void *job, void *arg)
{
    struct revoking *r = job;

    (void)arg;
    /* Again: the enrolment may have been on its way when it was asked for. */
    if (!rc)
        bite(r->members, r->number);
    r->done(rc, r->arg);
    mem_free(r);
}

int members_revoke(struct members *m, uint32_t number, members_revoked *done, void *arg)
{
    struct revoking *r = mem_zalloc(sizeof *r);
    int rc;

    if (!r)
        return -ENOMEM;
    r->members = m;
    r->number = number;
    r->done = done;
    r->arg = arg;
    rc = commit_run(m->commit, work_revoke, r, revoked, NULL);
    if (rc) {
        mem_free(r);
        return rc;
    }
    bite(m, number);
    return 0;
}
