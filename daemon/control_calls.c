/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/control_calls.h"

#include "daemon/conns.h"
#include "daemon/members.h"
#include "daemon/store.h"
#include "lib/mem.h"
#include "lib/secret.h"
#include "proto/invite.h"
#include "proto/mp_read.h"
#include "proto/mp_write.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { METHOD_BYTES_MAX = 32, LINES_MAX = 32, SECONDS_AN_HOUR = 3600 };

struct call {
    struct control *control;
    struct relay *relay;
    uint64_t client;
};

/* ---- answers ---------------------------------------------------------------------- */

static void begin_result(struct buf *b)
{
    buf_init(b, CONTROL_MESSAGE_MAX);
    mw_array(b, 2);
    mw_nil(b);
}

static void put_uint(struct buf *b, const char *key, uint64_t v)
{
    mw_cstr(b, key);
    mw_uint(b, v);
}

static void put_str(struct buf *b, const char *key, const char *v)
{
    mw_cstr(b, key);
    mw_cstr(b, v);
}

static void answer_error(const struct call *c, const char *code, const char *message,
                         const struct config_problems *problems)
{
    struct buf b;

    buf_init(&b, CONTROL_MESSAGE_MAX);
    mw_array(&b, 2);
    mw_map(&b, problems == NULL ? 2 : 3);
    put_str(&b, "code", code);
    put_str(&b, "message", message);
    if (problems != NULL) {
        mw_cstr(&b, "problems");
        mw_array(&b, problems->count);
        for (size_t i = 0; i < problems->count; i++)
            mw_cstr(&b, problems->line[i]);
    }
    mw_nil(&b);
    control_answer(c->control, c->client, &b);
}

static void answer_done(const struct call *c)
{
    struct buf b;

    begin_result(&b);
    mw_map(&b, 0);
    control_answer(c->control, c->client, &b);
}

static void answer_store(const struct call *c, int rc)
{
    switch (rc) {
    case STORE_E_FULL:
        answer_error(
            c, "full",
            "The relay's disk is full. Nothing was changed. Make room and try again.",
            NULL);
        break;
    case STORE_E_BROKEN:
        answer_error(
            c, "broken",
            "The relay could not write to its disk and accepts nothing new. Nothing was "
            "changed. Look at the disk, then start the relay again.",
            NULL);
        break;
    case STORE_E_ABSENT:
        answer_error(c, "absent",
                     "There is no invite of that number. Nothing was changed.", NULL);
        break;
    case -ESHUTDOWN:
        answer_error(c, "stopping", "The relay is stopping. Nothing was changed.", NULL);
        break;
    default:
        answer_error(c, "internal",
                     rc < 0 ? err_text(rc) : "What is on the relay's disk can't be read.",
                     NULL);
        break;
    }
}

static void answer_params(const struct call *c, const char *what)
{
    answer_error(c, "bad-params", what, NULL);
}

/* The one number a method takes.  False: it was not a number in least..most, and is
 * answered. */
static bool read_number(const struct call *c, struct bytes params, const char *name,
                        uint64_t least, uint64_t most, uint64_t *v)
{
    struct mp r = mp_over(params);
    struct mp_map m = mp_map(&r);
    struct bytes key;

    while (mp_key(&r, &m, &key))
        if (mp_is(key, name))
            *v = mp_uint(&r, least, most);
        else
            mp_skip(&r);
    if (mp_end(&r) == 0 && *v >= least)
        return true;
    answer_params(c, "That number is missing or out of range. Nothing was changed.");
    return false;
}

/* ---- status, held, descriptor ----------------------------------------------------- */

static void put_listen(struct buf *b, const struct config *c)
{
    char text[ADDRESS_BYTES_MAX + 10];

    mw_cstr(b, "listen");
    mw_array(b, c->listen_n);
    for (size_t i = 0; i < c->listen_n; i++) {
        (void)snprintf(text, sizeof text,
                       strchr(c->listen[i].host, ':') ? "[%s]:%u" : "%s:%u",
                       c->listen[i].host, (unsigned)c->listen[i].port);
        mw_cstr(b, text);
    }
}

static void put_counts(struct buf *b, const struct relay *r, uint64_t members)
{
    char text[CONTROL_FLOOR_CHARS];

    control_floor(conns_count(r->conns), text);
    put_str(b, "connections", text);
    control_floor(members, text);
    put_str(b, "members", text);
}

static const char *store_state(const struct relay *r)
{
    if (r->broken || store_broken(r->store))
        return "broken";
    return r->full ? "full" : "ok";
}

static void on_status(const struct call *c, struct bytes params)
{
    static const char *const states[] = {[RELAY_RUNNING] = "running",
                                         [RELAY_DRAINING] = "draining",
                                         [RELAY_STOPPING] = "stopping"};
    struct relay *r = c->relay;
    uint64_t now_s = clock_wall_s(r->clock);
    char fingerprint[40];
    struct store_figures figures;
    struct buf b;
    int rc = store_figures(r->store, now_s, &figures);

    (void)params;
    if (rc) {
        answer_store(c, rc);
        return;
    }
    fingerprint_print(r->keys->fingerprint, fingerprint);
    begin_result(&b);
    mw_map(&b, 15);
    put_str(&b, "state", states[r->state]);
    put_str(&b, "store", store_state(r));
    put_str(&b, "version", KITH_VERSION);
    put_uint(&b, "protocol", 1);
    put_str(&b, "name", r->keys->newest.name);
    put_str(&b, "address", r->config.address);
    put_listen(&b, &r->config);
    put_str(&b, "fingerprint", fingerprint);
    mw_cstr(&b, "cohort");
    mw_bin(&b, BYTES(r->keys->cohort));
    put_uint(&b, "descriptor", r->keys->count);
    put_uint(&b, "descriptor_expires_day", r->keys->newest.expires_day);
    put_uint(&b, "uptime_s", (clock_mono_ms(r->clock) - r->started_ms) / 1000);
    put_uint(&b, "clock_s", now_s);
    put_counts(&b, r, figures.invites_enrolled);
    control_answer(c->control, c->client, &b);
}

static bool count_key(const struct store_invite *invite, void *arg)
{
    uint64_t *n = arg;

    *n += !secret_is_zero(invite->key, sizeof invite->key);
    return true;
}

struct lines {
    size_t count;
    char *line[LINES_MAX];
    bool no_memory;
};

static void add_line(const char *text, void *arg)
{
    struct lines *l = arg;

    if (l->count == LINES_MAX)
        return;
    l->line[l->count] = mem_strdup(text);
    if (l->line[l->count] == NULL)
        l->no_memory = true;
    else
        l->count++;
}

static void put_lines(struct buf *b, const char *key, struct lines *l)
{
    mw_cstr(b, key);
    mw_array(b, l->count);
    for (size_t i = 0; i < l->count; i++) {
        mw_cstr(b, l->line[i]);
        mem_free(l->line[i]);
    }
    l->count = 0;
    if (l->no_memory && b->rc == 0)
        b->rc = -ENOMEM;
}

static void on_held(const struct call *c, struct bytes params)
{
    struct relay *r = c->relay;
    struct store_figures f;
    struct lines settings = {0};
    uint64_t keys = 0;
    struct buf b;
    int rc = store_figures(r->store, clock_wall_s(r->clock), &f);

    (void)params;
    if (rc == 0)
        rc = store_invites(r->store, count_key, &keys);
    if (rc) {
        answer_store(c, rc);
        return;
    }
    config_show(&r->config, false, add_line, &settings);
    begin_result(&b);
    mw_map(&b, 14);
    put_uint(&b, "envelopes", f.envelopes);
    put_uint(&b, "bytes_on_disk", f.bytes_on_disk);
    put_uint(&b, "days", f.days);
    put_uint(&b, "oldest_day", f.oldest_day);
    put_uint(&b, "newest_day", f.newest_day);
    put_uint(&b, "invites_open", f.invites_open);
    put_uint(&b, "invites_used", f.invites_enrolled);
    put_uint(&b, "invites_revoked", f.invites_revoked);
    put_uint(&b, "invites_expired", f.invites_expired);
    put_uint(&b, "member_keys", keys);
    put_uint(&b, "retention_days", r->keys->newest.retention_days);
    put_uint(&b, "mail_buckets", r->keys->newest.mail_buckets);
    put_uint(&b, "descriptors", r->keys->count);
    put_lines(&b, "settings", &settings);
    control_answer(c->control, c->client, &b);
}

static void on_descriptor(const struct call *c, struct bytes params)
{
    const struct keys *k = c->relay->keys;
    struct buf b;

    (void)params;
    begin_result(&b);
    mw_map(&b, 2);
    put_uint(&b, "version", k->count);
    mw_cstr(&b, "signed");
    mw_bin(&b, buf_view(&k->chain[k->count - 1]));
    control_answer(c->control, c->client, &b);
}

/* ---- invites ---------------------------------------------------------------------- */

static struct call *keep_call(const struct call *c)
{
    struct call *kept = mem_alloc(sizeof *kept);

    if (kept == NULL)
        answer_store(c, -ENOMEM);
    else
        *kept = *c;
    return kept;
}

static void on_invited(int rc, const uint8_t secret[INVITE_SECRET_BYTES],
                       const struct store_invite *made, void *arg)
{
    struct call *c = arg;
    struct invite invite;
    char text[INVITE_CHARS_MAX + 1];
    struct buf b;

    relay_note_store(c->relay, rc);
    if (rc == 0) {
        memcpy(invite.secret, secret, sizeof invite.secret);
        memcpy(invite.fingerprint, c->relay->keys->fingerprint,
               sizeof invite.fingerprint);
        rc = address_parse(c->relay->config.address, strlen(c->relay->config.address),
                           &invite.address)
                 ? -EDESTADDRREQ
                 : invite_print(&invite, text);
    }
    if (rc) {
        answer_store(c, rc);
    } else {
        begin_result(&b);
        mw_map(&b, 3);
        put_str(&b, "invite", text);
        put_uint(&b, "number", made->number);
        put_uint(&b, "expires_s", ((uint64_t)made->last_hour + 1) * SECONDS_AN_HOUR);
        control_answer(c->control, c->client, &b);
    }
    secret_wipe(&invite, sizeof invite);
    secret_wipe(text, sizeof text);
    mem_free(c);
}

static void on_invite(const struct call *c, struct bytes params)
{
    uint64_t hours = CONTROL_INVITE_HOURS;
    struct call *kept;
    int rc;

    if (!read_number(c, params, "hours", 1, CONTROL_INVITE_HOURS_MAX, &hours))
        return;
    if (c->relay->config.address[0] == '\0') {
        answer_error(
            c, "bad-config",
            "The configuration does not say what address invites shall name. No invite "
            "was made. Set relay.address, then run: kithctl reload",
            NULL);
        return;
    }
    kept = keep_call(c);
    if (kept == NULL)
        return;
    rc = members_invite(c->relay->members, (uint32_t)hours, on_invited, kept);
    if (rc == 0)
        return;
    answer_store(c, rc);
    mem_free(kept);
}

struct page {
    struct buf rows;
    uint64_t from, now_hour, next;
    size_t count;
};

static bool add_invite(const struct store_invite *i, void *arg)
{
    static const char *const states[] = {[INVITE_OPEN] = "open",
                                         [INVITE_ENROLLED] = "used",
                                         [INVITE_REVOKED] = "revoked",
                                         [INVITE_EXPIRED] = "expired"};
    struct page *p = arg;
    enum invite_state state = i->state;

    if (i->number < p->from)
        return true;
    if (p->count == CONTROL_INVITES_MAX) {
        p->next = i->number;
        return false;
    }
    if (state == INVITE_OPEN && i->last_hour < p->now_hour)
        state = INVITE_EXPIRED;
    p->count++;
    mw_map(&p->rows, 4);
    put_uint(&p->rows, "number", i->number);
    put_str(&p->rows, "state", states[state]);
    put_uint(&p->rows, "made_hour", i->made_hour);
    put_uint(&p->rows, "last_hour", i->last_hour);
    return true;
}

static void on_invites(const struct call *c, struct bytes params)
{
    struct page p = {.from = 1};
    struct buf b;
    int rc;

    if (!read_number(c, params, "from", 1, UINT32_MAX, &p.from))
        return;
    p.now_hour = clock_wall_s(c->relay->clock) / SECONDS_AN_HOUR;
    buf_init(&p.rows, CONTROL_MESSAGE_MAX);
    rc = store_invites(c->relay->store, add_invite, &p);
    if (rc) {
        answer_store(c, rc);
    } else {
        begin_result(&b);
        mw_map(&b, 2);
        mw_cstr(&b, "invites");
        mw_array(&b, p.count);
        buf_put(&b, p.rows.p, p.rows.n);
        put_uint(&b, "next", p.next);
        if (p.rows.rc && b.rc == 0)
            b.rc = p.rows.rc;
        control_answer(c->control, c->client, &b);
    }
    buf_free(&p.rows);
}

static void on_revoked(int rc, void *arg)
{
    struct call *c = arg;

    relay_note_store(c->relay, rc == STORE_E_ABSENT ? 0 : rc);
    if (rc == 0)
        answer_done(c);
    else if (rc == STORE_E_ABSENT || rc == -ESHUTDOWN)
        answer_store(c, rc);
    else
        answer_error(
            c, rc == STORE_E_FULL ? "full" : "broken",
            "That invite is refused from now on, but this could not be written to the "
            "disk: after a restart it would be good again. Mend the disk, then revoke it "
            "again.",
            NULL);
    mem_free(c);
}

static void on_revoke(const struct call *c, struct bytes params)
{
    uint64_t number = 0;
    struct call *kept;
    int rc;

    if (!read_number(c, params, "number", 1, UINT32_MAX, &number))
        return;
    kept = keep_call(c);
    if (kept == NULL)
        return;
    rc = members_revoke(c->relay->members, (uint32_t)number, on_revoked, kept);
    if (rc == 0)
        return;
    answer_store(c, rc);
    mem_free(kept);
}

/* ---- reload, drain, stop ---------------------------------------------------------- */

struct reloaded {
    struct lines now, later;
};

static void add_reloaded(const char *text, bool now, void *arg)
{
    struct reloaded *r = arg;

    add_line(text, now ? &r->now : &r->later);
}

static void on_reload(const struct call *c, struct bytes params)
{
    struct config_problems problems = {0};
    struct reloaded changes = {{0}, {0}};
    struct buf b;
    int rc = relay_reload(c->relay, &problems, add_reloaded, &changes);

    (void)params;
    if (rc == CONFIG_E_BAD) {
        answer_error(c, "bad-config", "The old configuration stays in force.", &problems);
    } else if (rc == CONFIG_E_ABSENT) {
        answer_error(
            c, "bad-config",
            "The configuration file is gone. The old configuration stays in force.",
            NULL);
    } else if (rc) {
        answer_store(c, rc);
    } else {
        begin_result(&b);
        mw_map(&b, 2);
        put_lines(&b, "changed", &changes.now);
        put_lines(&b, "restart", &changes.later);
        control_answer(c->control, c->client, &b);
    }
    config_problems_free(&problems);
}

static void on_drain(const struct call *c, struct bytes params)
{
    (void)params;
    control_await_drained(c->control, c->client);
    relay_drain(c->relay);
}

void control_calls_drained(struct control *control, uint64_t client)
{
    const struct call c = {.control = control, .client = client};

    answer_done(&c);
}

static void on_stop(const struct call *c, struct bytes params)
{
    (void)params;
    answer_done(c);
    relay_stop(c->relay);
}

/* ---- the table -------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*handle)(const struct call *c, struct bytes params);
} methods[] = {
    {"status", on_status}, {"invite", on_invite}, {"invites", on_invites},
    {"revoke", on_revoke}, {"held", on_held},     {"reload", on_reload},
    {"drain", on_drain},   {"stop", on_stop},     {"descriptor", on_descriptor},
};

int control_call(struct control *control, struct relay *r, uint64_t client,
                 struct bytes request)
{
    const struct call c = {control, r, client};
    struct mp in = mp_over(request);
    struct bytes name, params;

    (void)mp_array(&in, 2, 2);
    name = mp_str(&in, 1, METHOD_BYTES_MAX);
    params.p = in.p;
    if (mp_peek(&in) != MP_MAP)
        mp_fail(&in);
    mp_skip(&in);
    params.n = (size_t)(in.p - params.p);
    mp_leave(&in);
    if (mp_end(&in))
        return -EBADMSG;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (mp_is(name, methods[i].name)) {
            methods[i].handle(&c, params);
            return 0;
        }
    answer_error(
        &c, "unknown-method",
        "This relay does not know that request. Are kithd and kithctl of one version?",
        NULL);
    return 0;
}

void control_floor(uint64_t count, char out[CONTROL_FLOOR_CHARS])
{
    static const uint8_t steps[] = {2, 5, 10};
    uint64_t low = 5, scale = 1;

    if (count == 0 || count < low) {
        (void)snprintf(out, CONTROL_FLOOR_CHARS, "%s", count == 0 ? "0" : "1-4");
        return;
    }
    /* 5, 10, 20, 50, 100, 200, ...: each step begins where the one before ended. */
    for (;;) {
        for (size_t i = 0; i < sizeof steps; i++) {
            uint64_t high = steps[i] * scale;

            if (high > low && count < high) {
                (void)snprintf(out, CONTROL_FLOOR_CHARS, "%" PRIu64 "-%" PRIu64, low,
                               high - 1);
                return;
            }
            if (high > low)
                low = high;
        }
        if (scale > UINT64_MAX / 100) {
            (void)snprintf(out, CONTROL_FLOOR_CHARS, "%" PRIu64 "-", low);
            return;
        }
        scale *= 10;
    }
}
