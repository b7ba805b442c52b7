/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/core.h"

#include "client/core/db_messages.h"
#include "client/core/db_profile.h"
#include "lib/log.h"
#include "lib/secret.h"
#include "proto/descriptor.h"

#include <errno.h>
#include <string.h>

/* ---- time ------------------------------------------------------------------------- */

uint64_t core_now_s(const struct core *c)
{
    return clock_wall_s(c->clock);
}

uint32_t core_minute(const struct core *c)
{
    return (uint32_t)(clock_wall_s(c->clock) / 60);
}

uint64_t core_mono_ms(const struct core *c)
{
    return clock_mono_ms(c->clock);
}

int core_due(const struct core *c, uint32_t least_ms, uint32_t most_ms, uint64_t *due)
{
    uint32_t more = 0;
    int rc = most_ms > least_ms ? rand_below(most_ms - least_ms + 1, &more) : 0;

    *due = core_mono_ms(c) + least_ms + more;
    if (*due == 0)
        *due = 1; /* 0 says none */
    return rc;
}

/* ---- what memory holds of the database -------------------------------------------- */

int core_reload_links(struct core *c)
{
    if (!c->sessions)
        return 0;
    secret_wipe(c->links, CORE_LINKS_MAX * sizeof *c->links);
    return db_convs_links(c->db, c->links, CORE_LINKS_MAX, &c->links_n);
}

static int reload_profile(struct core *c)
{
    struct profile p = {0};
    struct buf signed_;
    struct descriptor d;
    int rc = db_profile_get(c->db, &p);

    if (rc)
        return rc;
    memcpy(c->cohort, p.cohort, sizeof c->cohort);
    c->has_cohort = p.has_relay;
    c->home = p.home;
    secret_wipe(&p, sizeof p);
    buf_init(&signed_, DESCRIPTOR_BYTES_MAX);
    rc = db_profile_descriptor(c->db, &signed_);
    if (!rc && descriptor_read(buf_view(&signed_), &d) == 0) {
        c->retention_days = d.retention_days;
        c->mail_buckets = d.mail_buckets;
    }
    buf_free(&signed_);
    return rc == DB_E_NONE ? 0 : rc;
}

int core_reload(struct core *c)
{
    int rc = reload_profile(c);

    if (!rc && c->sessions)
        rc = sessions_sync(c->sessions, c->db);
    if (!rc)
        rc = core_reload_links(c);
    return rc;
}

/* ---- the frame of a change -------------------------------------------------------- */

static int catch_up(struct core *c)
{
    int64_t version;
    int rc = db_version(c->db, &version);

    if (rc || version == c->version)
        return rc;
    rc = core_reload(c);
    if (!rc)
        c->version = version;
    return rc;
}

int core_begin(struct core *c)
{
    int rc = db_begin(c->db);

    if (rc)
        return rc;
    rc = catch_up(c);
    if (rc)
        db_rollback(c->db);
    return rc;
}

int core_end(struct core *c, int rc)
{
    if (!db_inside(c->db)) /* it did not begin, or core_begin() failed */
        return rc;
    if (!rc)
        rc = db_commit(c->db);
    else
        db_rollback(c->db);
    if (c->sessions)
        sessions_settle(c->sessions, c->db, !rc);
    if (rc) {
        /* What memory took over from this transaction did not happen; nothing of it is
         * lost if reading it back has to wait. */
        c->version = -1;
        return rc;
    }
    /* A later call tells them if this one cannot. */
    if (core_tell(c))
        log_warn("events of a change are told later");
    return 0;
}

int core_tell(struct core *c)
{
    enum { AT_ONCE = 32 };
    struct event events[AT_ONCE];
    size_t count = AT_ONCE;

    if (c->telling) /* inside an event callback */
        return 0;
    while (count == AT_ONCE) {
        int rc = db_notes_events(c->db, c->told, events, AT_ONCE, &count);
        if (rc)
            return rc;
        for (size_t i = 0; i < count; i++) {
            c->told = events[i].seq;
            c->telling = true;
            if (c->event)
                c->event(&events[i], c->event_arg);
            c->telling = false;
        }
    }
    return 0;
}

/* ---- short forms ------------------------------------------------------------------ */

int core_event(struct core *c, enum event_kind kind, int64_t conv, int64_t message,
               uint32_t state)
{
    return db_notes_event(c->db, kind, conv, message, state);
}

int core_alarm(struct core *c, enum alarm_kind kind, int64_t conv, uint32_t bucket,
               uint64_t a, uint64_t b)
{
    struct alarm alarm = {.kind = kind, .conv = conv, .bucket = bucket, .a = a, .b = b};

    return db_notes_alarm(c->db, &alarm, core_now_s(c));
}

int core_conv_state(struct core *c, int64_t conv, enum conv_state state,
                    enum conv_why why)
{
    int rc = db_convs_state(c->db, conv, state, why, core_now_s(c));

    return rc ? rc : core_event(c, EVENT_CONV, conv, 0, state);
}

int core_message_state(struct core *c, int64_t conv, int64_t message,
                       enum message_state state, enum message_why why)
{
    int rc = db_messages_state(c->db, message, state, why);

    return rc ? rc : core_event(c, EVENT_STATE, conv, message, state);
}

int core_fold(int rc, int none)
{
    return rc == DB_E_NONE ? none : err_fold(rc);
}
