/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/member.h"

#include "client/core/db_log.h"
#include "client/core/db_messages.h"
#include "client/core/db_outbox.h"
#include "client/core/db_profile.h"
#include "client/core/gossip.h"
#include "lib/secret.h"
#include "lib/text.h"
#include "proto/descriptor.h"

#include <errno.h>
#include <string.h>

enum { DAY_S = 24 * 60 * 60, CLOCK_OFF_S = 10 * 60 };

/* ---- joining ---------------------------------------------------------------------- */

static int make_key(struct profile *p)
{
    if (p->has_seed)
        return 0;
    p->has_seed = true;
    return rand_bytes(p->seed, sizeof p->seed);
}

int member_join(struct core *c, const struct invite *invite)
{
    struct profile p = {0};
    int rc = core_begin(c);

    if (!rc)
        rc = db_profile_get(c->db, &p);
    if (!rc && p.member == MEMBER_ENROLLED)
        rc = NODE_E_STATE;
    if (!rc)
        rc = make_key(&p);
    if (!rc) {
        p.member = MEMBER_JOINING;
        p.has_secret = true;
        memcpy(p.secret, invite->secret, sizeof p.secret);
        memcpy(p.fingerprint, invite->fingerprint, sizeof p.fingerprint);
        p.address = invite->address;
        rc = db_profile_put_member(c->db, &p);
    }
    /* Another invite may name another relay and cohort: nothing of the former one stays.
     */
    if (!rc)
        rc = db_profile_reset_cohort(c->db);
    if (!rc)
        rc = core_event(c, EVENT_MEMBER, 0, 0, 0);
    secret_wipe(&p, sizeof p);
    if (!rc) {
        c->has_cohort = false;
        c->home = c->retention_days = c->mail_buckets = 0;
    }
    return core_end(c, rc);
}

/* SPEC 5.2. */
static bool is_named(const struct profile *p, const uint8_t pk[KEM_PK_BYTES],
                     const uint8_t cohort[32])
{
    uint8_t key_hash[HASH_BYTES], fingerprint[PRF16_BYTES];

    HASH(key_hash, (struct bytes){pk, KEM_PK_BYTES});
    PRF16(fingerprint, LABEL("kith1 invite"), BYTES(key_hash),
          (struct bytes){cohort, 32});
    return secret_equal(fingerprint, p->fingerprint, sizeof fingerprint);
}

int member_relay(struct core *c, const uint8_t pk[KEM_PK_BYTES], const uint8_t cohort[32])
{
    struct profile p = {0};
    int rc = core_begin(c);

    if (!rc)
        rc = db_profile_get(c->db, &p);
    if (!rc && p.member == MEMBER_NONE)
        rc = NODE_E_STATE;
    if (!rc && !is_named(&p, pk, cohort))
        rc = NODE_E_RELAY_KEY;
    if (!rc)
        rc = db_profile_put_relay(c->db, pk, cohort);
    secret_wipe(&p, sizeof p);
    rc = core_end(c, rc);
    if (!rc) {
        memcpy(c->cohort, cohort, sizeof c->cohort);
        c->has_cohort = true;
    }
    return rc;
}

int member_relay_get(struct core *c, struct node_relay *out)
{
    struct profile p = {0};
    int rc = db_profile_get(c->db, &p);

    *out = (struct node_relay){.address = p.address};
    memcpy(out->fingerprint, p.fingerprint, sizeof out->fingerprint);
    memcpy(out->pk, p.relay_pk, sizeof out->pk);
    memcpy(out->cohort, p.cohort, sizeof out->cohort);
    if (!rc && !p.has_relay)
        rc = NODE_E_NONE;
    secret_wipe(&p, sizeof p);
    return rc;
}

int member_address(struct core *c, const struct address *a)
{
    struct profile p = {0};
    int rc = core_begin(c);

    if (!rc)
        rc = db_profile_get(c->db, &p);
    if (!rc && p.member == MEMBER_NONE)
        rc = NODE_E_STATE;
    if (!rc) {
        p.address = *a;
        rc = db_profile_put_member(c->db, &p);
    }
    secret_wipe(&p, sizeof p);
    if (!rc)
        rc = core_event(c, EVENT_MEMBER, 0, 0, 0);
    return core_end(c, rc);
}

int member_name(struct core *c, const char *name)
{
    struct bytes view = {(const uint8_t *)name, strlen(name)};
    struct profile p = {0};
    int rc;

    if (!view.n || view.n > NAME_BYTES_MAX || !utf8_valid(view))
        return NODE_E_TEXT;
    rc = core_begin(c);
    if (!rc)
        rc = db_profile_get(c->db, &p);
    if (!rc) {
        memcpy(p.name, name, view.n + 1);
        rc = db_profile_put_member(c->db, &p);
    }
    secret_wipe(&p, sizeof p);
    if (!rc)
        rc = core_event(c, EVENT_MEMBER, 0, 0, 0);
    return core_end(c, rc);
}

/* ---- descriptors ------------------------------------------------------------------ */

static int raise_alarm(struct core *c, enum alarm_kind kind, uint64_t a, uint64_t b)
{
    int rc = core_begin(c);

    if (!rc)
        rc = core_alarm(c, kind, 0, 0, a, b);
    return core_end(c, rc);
}

static int check_clock(struct core *c, uint64_t relay_s)
{
    uint64_t ours = core_now_s(c);
    uint64_t off = ours > relay_s ? ours - relay_s : relay_s - ours;

    return off > CLOCK_OFF_S ? raise_alarm(c, ALARM_CLOCK, off, ours > relay_s) : 0;
}

static int expired(struct core *c, uint32_t day)
{
    return core_now_s(c) / DAY_S > day ? raise_alarm(c, ALARM_DESCRIPTOR_EXPIRED, day, 0)
                                       : 0;
}

static int current(struct core *c, struct descriptor *out)
{
    struct buf signed_;
    int rc;

    buf_init(&signed_, DESCRIPTOR_BYTES_MAX);
    rc = db_profile_descriptor(c->db, &signed_);
    if (!rc) {
        rc = descriptor_read(buf_view(&signed_), out);
        if (rc > 0)
            rc = -EIO; /* it was checked when it was stored */
    }
    buf_free(&signed_);
    return rc;
}

int member_hello(struct core *c, const struct msg_hello_result *m, uint32_t *ask_from)
{
    struct descriptor d = {0};
    int rc = current(c, &d);

    if (rc && rc != DB_E_NONE)
        return rc;
    *ask_from = m->descriptor > d.version ? d.version + 1 : 0;
    rc = check_clock(c, m->clock_s);
    if (rc || !d.version)
        return rc;
    if (m->descriptor < d.version) {
        rc = raise_alarm(c, ALARM_DESCRIPTOR_OLDER, d.version, m->descriptor);
        return rc ? rc : NODE_E_LIE;
    }
    if (m->descriptor > d.version)
        return 0;
    rc = expired(c, d.expires_day);
    if (!rc)
        rc = core_begin(c);
    if (!rc)
        rc = gossip_descriptors(c);
    return core_end(c, rc);
}

/* Version 1 is named by the cohort's id.  A later one follows it by its hash, and only
 * the same admins are taken to have signed it: a change of admins needs the signatures of
 * both lists, which this version does not read. */
static enum alarm_kind follows(const struct core *c, const struct descriptor *old,
                               const struct descriptor *new)
{
    if (new->version == 1)
        return memcmp(new->hash, c->cohort, HASH_BYTES) == 0 ? 0
                                                             : ALARM_DESCRIPTOR_FORGED;
    if (new->version != old->version + 1 ||
        memcmp(new->previous, old->hash, HASH_BYTES) != 0)
        return ALARM_DESCRIPTOR_FORGED;
    if (new->admins_n != old->admins_n || new->needed < old->needed ||
        memcmp(new->admins, old->admins, old->admins_n * sizeof old->admins[0]) != 0)
        return ALARM_DESCRIPTOR_FORGED;
    return 0;
}

static bool names_relay(const struct profile *p, const struct descriptor *d)
{
    uint8_t hash[HASH_BYTES];

    HASH(hash, BYTES(p->relay_pk));
    for (size_t i = 0; i < d->relays_n; i++)
        if (memcmp(d->relays[i].key_hash, hash, sizeof hash) == 0)
            return true;
    return false;
}

static int keep(struct core *c, struct bytes signed_, const struct descriptor *d)
{
    struct profile p = {0};
    uint32_t home = 0;
    int rc = core_begin(c);

    if (!rc)
        rc = db_profile_get(c->db, &p);
    if (!rc && !names_relay(&p, d))
        rc = NODE_E_LIE;
    if (!rc)
        rc = db_profile_put_descriptor(c->db, signed_, d->version, d->hash);
    if (!rc && !p.home) {
        rc = rand_below(d->mail_buckets, &home);
        home += BUCKET_MAIL;
        if (!rc)
            rc = db_profile_put_home(c->db, home);
    }
    secret_wipe(&p, sizeof p);
    if (!rc)
        rc = core_event(c, EVENT_MEMBER, 0, 0, 0);
    rc = core_end(c, rc);
    if (rc)
        return rc;
    if (home)
        c->home = home;
    c->retention_days = d->retention_days;
    c->mail_buckets = d->mail_buckets;
    return 0;
}

/* A version that we have: the same, or a lie. */
static int again(struct core *c, const struct descriptor *d)
{
    uint8_t hash[HASH_BYTES];
    int rc = db_profile_hash(c->db, d->version, hash);

    if (rc == DB_E_NONE || (!rc && memcmp(hash, d->hash, sizeof hash) == 0))
        return 0;
    if (!rc)
        rc = raise_alarm(c, ALARM_DESCRIPTOR_OTHER, d->version, 0);
    return rc ? rc : NODE_E_LIE;
}

int member_descriptor(struct core *c, struct bytes signed_)
{
    struct descriptor old = {0}, new;
    enum alarm_kind bad;
    int rc;

    if (!c->has_cohort)
        return NODE_E_STATE;
    rc = current(c, &old);
    if (rc && rc != DB_E_NONE)
        return rc;
    rc = descriptor_read(signed_, &new);
    if (rc < 0)
        return rc; /* out of memory says nothing about the relay */
    if (rc) {
        rc = raise_alarm(c, ALARM_DESCRIPTOR_FORGED, 0, 0);
        return rc ? rc : NODE_E_LIE;
    }
    if (new.version <= old.version)
        return again(c, &new);
    bad = follows(c, &old, &new);
    rc = bad ? NODE_E_LIE : keep(c, signed_, &new);
    if (rc == NODE_E_LIE) {
        rc = raise_alarm(c, ALARM_DESCRIPTOR_FORGED, new.version, 0);
        return rc ? rc : NODE_E_LIE;
    }
    return rc ? rc : expired(c, new.expires_day);
}

/* ---- membership ------------------------------------------------------------------- */

static int sign_as_member(struct core *c, const uint8_t h[64], struct msg_enrol *enrol,
                          struct msg_prove *prove)
{
    struct profile p = {0};
    uint8_t *sk = secret_alloc(SIGN_SK_BYTES);
    int rc = sk ? db_profile_get(c->db, &p) : -ENOMEM;

    if (rc)
        goto out;
    rc = NODE_E_STATE;
    if (!p.has_seed || !p.has_relay || !p.has_descriptor)
        goto out;
    if (enrol ? p.member != MEMBER_JOINING || !p.has_secret : p.member != MEMBER_ENROLLED)
        goto out;
    if (enrol) {
        sign_keypair_from(p.seed, enrol->key, sk);
        memcpy(enrol->secret, p.secret, sizeof enrol->secret);
        rc = msg_enrol_sign(enrol, sk, p.cohort, h);
    } else {
        sign_keypair_from(p.seed, prove->key, sk);
        rc = msg_prove_sign(prove, sk, p.cohort, h);
    }
out:
    secret_wipe(&p, sizeof p);
    secret_free(sk);
    return rc;
}

int member_enrol(struct core *c, const uint8_t h[64], struct msg_enrol *out)
{
    return sign_as_member(c, h, out, NULL);
}

int member_prove(struct core *c, const uint8_t h[64], struct msg_prove *out)
{
    return sign_as_member(c, h, NULL, out);
}

int member_enrolled(struct core *c)
{
    struct profile p = {0};
    int rc = core_begin(c);

    if (!rc)
        rc = db_profile_get(c->db, &p);
    if (!rc && p.member == MEMBER_NONE)
        rc = NODE_E_STATE;
    if (!rc) {
        p.member = MEMBER_ENROLLED;
        p.has_secret = false;
        rc = db_profile_put_member(c->db, &p);
    }
    secret_wipe(&p, sizeof p);
    if (!rc)
        rc = core_event(c, EVENT_MEMBER, 0, 0, 0);
    return core_end(c, rc);
}

/* ---- status ----------------------------------------------------------------------- */

static int fill_counts(struct core *c, struct status *out)
{
    struct message_totals totals;
    int rc = db_messages_totals(c->db, &totals);

    if (rc)
        return rc;
    out->queued = totals.queued;
    out->undelivered = totals.undelivered;
    out->unread = totals.unread;
    return db_notes_open(c->db, &out->alarms, &out->held);
}

static int fill_stopped(struct core *c, struct status *out)
{
    struct cursor at;
    int rc = c->home ? db_log_cursor(c->db, c->home, &at) : DB_E_NONE;

    out->stopped = !rc && at.stopped;
    return rc == DB_E_NONE ? 0 : rc;
}

int member_status(struct core *c, struct status *out)
{
    struct profile p = {0};
    struct descriptor d = {0};
    int rc = db_profile_get(c->db, &p);

    *out = (struct status){
        .member = p.member,
        .relay = p.relay,
        .reached_s = p.reached_s,
        .checked_s = p.checked_s,
        .behind = p.behind,
        .ended = code_ends_member((enum code)p.trouble),
    };
    memcpy(out->name, p.name, sizeof out->name);
    if (!rc && p.member != MEMBER_NONE) {
        fingerprint_print(p.fingerprint, out->fingerprint);
        address_print(&p.address, out->address);
    }
    secret_wipe(&p, sizeof p);
    if (!rc)
        rc = current(c, &d);
    if (rc && rc != DB_E_NONE)
        return rc;
    memcpy(out->cohort, d.name, sizeof out->cohort);
    out->members = d.members;
    out->retention_days = d.retention_days;
    rc = fill_stopped(c, out);
    return rc ? rc : fill_counts(c, out);
}

/* Nothing that waits here can leave any more; a queue that says it will is untrue. */
static int end_queued(struct core *c)
{
    int64_t conv, id;
    int rc;

    while ((rc = db_messages_queued(c->db, &conv, &id)) == 0) {
        rc = db_outbox_delete_message(c->db, id);
        if (!rc)
            rc = core_message_state(c, conv, id, MESSAGE_NOT_SENT, WHY_NO_MEMBER);
        if (rc)
            return rc;
    }
    return rc == DB_E_NONE ? 0 : rc;
}

int member_refused(struct core *c, enum code code)
{
    struct profile p = {0};
    int rc;

    if (!code_ends_member(code))
        return 0;
    rc = core_begin(c);
    if (!rc)
        rc = db_profile_get(c->db, &p);
    if (!rc)
        rc = end_queued(c);
    if (!rc && p.trouble != code) {
        rc = db_profile_put_trouble(c->db, code);
        if (!rc)
            rc = core_event(c, EVENT_RELAY, 0, 0, 0);
    }
    secret_wipe(&p, sizeof p);
    return core_end(c, rc);
}

int member_relay_is(struct core *c, enum relay_state state, bool reached)
{
    struct profile p = {0};
    bool changed;
    int rc = core_begin(c);

    if (!rc)
        rc = db_profile_get(c->db, &p);
    changed = p.relay != state;
    p.relay = state;
    if (reached)
        p.reached_s = core_now_s(c);
    if (!rc)
        rc = db_profile_put_link(c->db, &p);
    if (!rc && state >= RELAY_CATCHING_UP && code_ends_member((enum code)p.trouble))
        rc = db_profile_put_trouble(c->db, 0); /* it took the proof again */
    secret_wipe(&p, sizeof p);
    if (!rc && changed)
        rc = core_event(c, EVENT_RELAY, 0, 0, (uint32_t)state);
    return core_end(c, rc);
}
