/* SPDX-License-Identifier: Apache-2.0 */
/* ctl_state: status, held, reload, drain, stop: one question each to the running relay.
 */
#include "daemon/ctl_link.h"
#include "daemon/ctl_say.h"
#include "daemon/ctl_words.h"

#include <stdio.h>
#include <string.h>

enum {
    SPAN_CHARS = 32,
    WORD_CHARS = 32,
    FINGERPRINT_CHARS = 40,
    ADDRESS_CHARS = ADDRESS_BYTES_MAX + 10,
    SECONDS_A_MINUTE = 60,
    SECONDS_AN_HOUR = 3600,
    SECONDS_A_DAY = 86400,
    WAIT_MAX_S = 7 * 86400, /* drain waits for people, not for a machine */
};

static void print_span(uint64_t s, char out[SPAN_CHARS])
{
    unsigned days = (unsigned)(s / SECONDS_A_DAY);
    unsigned hours = (unsigned)(s % SECONDS_A_DAY / SECONDS_AN_HOUR);
    unsigned minutes = (unsigned)(s % SECONDS_AN_HOUR / SECONDS_A_MINUTE);

    if (days > 0)
        (void)snprintf(out, SPAN_CHARS, "%u d %u h", days, hours);
    else if (hours > 0)
        (void)snprintf(out, SPAN_CHARS, "%u h %u min", hours, minutes);
    else
        (void)snprintf(out, SPAN_CHARS, "%u min", minutes);
}

static const char *state_words(const char *state)
{
    if (strcmp(state, "draining") == 0)
        return W_STATE_DRAINING;
    return strcmp(state, "stopping") == 0 ? W_STATE_STOPPING : W_STATE_RUNNING;
}

static const char *store_words(const char *store)
{
    if (strcmp(store, "full") == 0)
        return W_STORE_FULL;
    return strcmp(store, "broken") == 0 ? W_STORE_BROKEN : W_STORE_OK;
}

struct status_facts {
    char state[WORD_CHARS], store[WORD_CHARS], version[WORD_CHARS];
    char name[COHORT_NAME_BYTES_MAX + 1], address[ADDRESS_CHARS];
    char fingerprint[FINGERPRINT_CHARS], connections[WORD_CHARS], members[WORD_CHARS];
    uint64_t uptime_s, clock_s, expires_s;
    uint32_t descriptor;
};

static void status_read(struct bytes result, struct status_facts *f)
{
    ctl_get_str(result, "state", f->state, sizeof f->state);
    ctl_get_str(result, "store", f->store, sizeof f->store);
    ctl_get_str(result, "version", f->version, sizeof f->version);
    ctl_get_str(result, "name", f->name, sizeof f->name);
    ctl_get_str(result, "address", f->address, sizeof f->address);
    ctl_get_str(result, "fingerprint", f->fingerprint, sizeof f->fingerprint);
    ctl_get_str(result, "connections", f->connections, sizeof f->connections);
    ctl_get_str(result, "members", f->members, sizeof f->members);
    f->uptime_s = ctl_get_uint(result, "uptime_s");
    f->clock_s = ctl_get_uint(result, "clock_s");
    f->expires_s = ctl_get_uint(result, "descriptor_expires_day") * SECONDS_A_DAY;
    f->descriptor = (uint32_t)ctl_get_uint(result, "descriptor");
}

static int status_json(const struct status_facts *f)
{
    char clock[CTL_TIME_CHARS];
    char expires[CTL_TIME_CHARS];

    ctl_rfc3339(f->clock_s, clock);
    ctl_rfc3339(f->expires_s, expires);
    return ctl_json(json_pack(
        "{s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:s,s:I,s:s}", "v", 1, "state",
        f->state, "store", f->store, "version", f->version, "name", f->name, "address",
        f->address, "fingerprint", f->fingerprint, "connections", f->connections,
        "members", f->members, "uptime_s", (json_int_t)f->uptime_s, "clock", clock,
        "descriptor", (json_int_t)f->descriptor, "descriptor_expires", expires));
}

/* A relay that cannot acknowledge is not well, and scripts see it in the exit code. */
static int status_exit(const struct status_facts *f)
{
    return strcmp(f->store, "ok") == 0 ? CTL_DONE : CTL_DISK;
}

int ctl_status(const struct ctl *c)
{
    struct ctl_answer answer = {0};
    struct status_facts f;
    char up[SPAN_CHARS];
    char clock[CTL_TIME_CHARS];
    char expires[CTL_TIME_CHARS];
    int exit = ctl_ask_or_tell(c, "status", (struct bytes){0}, &answer);

    if (exit != CTL_DONE)
        goto out;
    status_read(answer.result, &f);
    if (c->json) {
        exit = status_json(&f);
    } else {
        print_span(f.uptime_s, up);
        ctl_minute(f.clock_s, clock);
        ctl_date(f.expires_s, expires);
        ctl_say(c, W_STATUS, state_words(f.state), up, f.name, f.fingerprint, f.address,
                store_words(f.store), f.connections, f.members, f.descriptor, expires,
                clock, f.version);
    }
    if (exit == CTL_DONE)
        exit = status_exit(&f);
out:
    ctl_answer_free(&answer);
    return exit;
}

struct held_facts {
    uint64_t envelopes, bytes;
    uint32_t days, oldest_day, newest_day;
    uint32_t open, used, revoked, expired, member_keys;
    uint32_t retention_days, mail_buckets, descriptors;
    struct bytes settings;
};

static void held_read(struct bytes result, struct held_facts *f)
{
    struct mp settings = ctl_get(result, "settings");

    f->envelopes = ctl_get_uint(result, "envelopes");
    f->bytes = ctl_get_uint(result, "bytes_on_disk");
    f->days = (uint32_t)ctl_get_uint(result, "days");
    f->oldest_day = (uint32_t)ctl_get_uint(result, "oldest_day");
    f->newest_day = (uint32_t)ctl_get_uint(result, "newest_day");
    f->open = (uint32_t)ctl_get_uint(result, "invites_open");
    f->used = (uint32_t)ctl_get_uint(result, "invites_used");
    f->revoked = (uint32_t)ctl_get_uint(result, "invites_revoked");
    f->expired = (uint32_t)ctl_get_uint(result, "invites_expired");
    f->member_keys = (uint32_t)ctl_get_uint(result, "member_keys");
    f->retention_days = (uint32_t)ctl_get_uint(result, "retention_days");
    f->mail_buckets = (uint32_t)ctl_get_uint(result, "mail_buckets");
    f->descriptors = (uint32_t)ctl_get_uint(result, "descriptors");
    f->settings = (struct bytes){settings.p, 0};
    mp_skip(&settings);
    if (settings.rc == 0)
        f->settings.n = (size_t)(settings.p - f->settings.p);
}

static int held_json(const struct held_facts *f)
{
    json_t *o = json_pack("{s:i,s:I,s:I,s:I}", "v", 1, "envelopes",
                          (json_int_t)f->envelopes, "bytes_on_disk", (json_int_t)f->bytes,
                          "days", (json_int_t)f->days);
    char day[CTL_TIME_CHARS];

    if (o == NULL)
        return CTL_BUG;
    if (f->days > 0) {
        ctl_date((uint64_t)f->oldest_day * SECONDS_A_DAY, day);
        (void)json_object_set_new(o, "oldest_day", json_string(day));
        ctl_date((uint64_t)f->newest_day * SECONDS_A_DAY, day);
        (void)json_object_set_new(o, "newest_day", json_string(day));
    }
    (void)json_object_set_new(o, "invites",
                              json_pack("{s:I,s:I,s:I,s:I}", "open", (json_int_t)f->open,
                                        "used", (json_int_t)f->used, "revoked",
                                        (json_int_t)f->revoked, "expired",
                                        (json_int_t)f->expired));
    (void)json_object_set_new(o, "member_keys", json_integer(f->member_keys));
    (void)json_object_set_new(o, "retention_days", json_integer(f->retention_days));
    (void)json_object_set_new(o, "mail_buckets", json_integer(f->mail_buckets));
    (void)json_object_set_new(o, "descriptors", json_integer(f->descriptors));
    (void)json_object_set_new(o, "settings", ctl_json_lines(f->settings));
    return ctl_json(o);
}

int ctl_held(const struct ctl *c)
{
    struct ctl_answer answer = {0};
    struct held_facts f;
    char oldest[CTL_TIME_CHARS];
    char newest[CTL_TIME_CHARS];
    char span[2 * CTL_TIME_CHARS + 16];
    char size[CTL_SIZE_CHARS];
    int exit = ctl_ask_or_tell(c, "held", (struct bytes){0}, &answer);

    if (exit != CTL_DONE)
        goto out;
    held_read(answer.result, &f);
    if (c->json) {
        exit = held_json(&f);
        goto out;
    }
    ctl_date((uint64_t)f.oldest_day * SECONDS_A_DAY, oldest);
    ctl_date((uint64_t)f.newest_day * SECONDS_A_DAY, newest);
    (void)snprintf(span, sizeof span, f.days > 0 ? W_HELD_DAYS : W_HELD_NO_DAYS, oldest,
                   newest);
    ctl_size(f.bytes, size);
    ctl_say(c, W_HELD, (unsigned long long)f.envelopes, span, f.retention_days,
            f.mail_buckets, f.open, f.used, f.revoked, f.expired, f.member_keys,
            f.descriptors, size);
    ctl_lines(f.settings, "  %s\n", stdout);
out:
    ctl_answer_free(&answer);
    return exit;
}

static struct bytes result_array(struct bytes result, const char *key)
{
    struct mp r = ctl_get(result, key);
    struct bytes value = {r.p, 0};

    mp_skip(&r);
    if (r.rc == 0)
        value.n = (size_t)(r.p - value.p);
    return value;
}

static bool is_empty(struct bytes array)
{
    struct mp r = mp_over(array);

    return mp_array(&r, 0, SIZE_MAX) == 0;
}

/* The relay's list of problems, each on a line of its own before the sentence. */
static int tell_problems(const struct ctl *c, const struct ctl_answer *answer)
{
    struct mp r = mp_over(answer->problems);
    size_t count = mp_array(&r, 0, SIZE_MAX);

    if (!c->json)
        ctl_lines(answer->problems, "%s\n", stderr);
    return ctl_fail(c, CTL_CONFIG, "bad-config", W_RELOAD_KEPT, count,
                    count == 1 ? W_PROBLEM : W_PROBLEMS);
}

int ctl_reload(const struct ctl *c)
{
    struct ctl_answer answer = {0};
    struct bytes changed;
    struct bytes restart;
    int rc = ctl_ask(c, "reload", (struct bytes){0}, &answer);
    int exit;

    if (rc == CTL_LINK_E_REFUSED && strcmp(answer.code, "bad-config") == 0)
        exit = tell_problems(c, &answer);
    else
        exit = ctl_tell(c, rc, &answer);
    if (exit != CTL_DONE)
        goto out;
    changed = result_array(answer.result, "changed");
    restart = result_array(answer.result, "restart");
    if (c->json) {
        exit = ctl_json(json_pack("{s:i,s:o,s:o}", "v", 1, "changed",
                                  ctl_json_lines(changed), "restart",
                                  ctl_json_lines(restart)));
        goto out;
    }
    ctl_say(c, "%s", is_empty(changed) && is_empty(restart) ? W_RELOAD_SAME : W_RELOADED);
    ctl_lines(changed, W_CHANGED, stdout);
    ctl_lines(restart, W_RESTART, stdout);
out:
    ctl_answer_free(&answer);
    return exit;
}

/* Ask for something that has no result but "done". */
static int simple(const struct ctl *c, const char *method, const char *done)
{
    struct ctl_answer answer = {0};
    int exit = ctl_ask_or_tell(c, method, (struct bytes){0}, &answer);

    if (exit == CTL_DONE && c->json)
        exit = ctl_json(json_pack("{s:i,s:b}", "v", 1, method, 1));
    else if (exit == CTL_DONE)
        ctl_say(c, "%s", done);
    ctl_answer_free(&answer);
    return exit;
}

int ctl_drain(const struct ctl *c)
{
    struct ctl patient = *c;

    if (!c->timeout_given)
        patient.timeout_s = WAIT_MAX_S;
    ctl_note(c, "%s", W_DRAINING);
    return simple(&patient, "drain", W_DRAINED);
}

int ctl_stop(const struct ctl *c)
{
    return simple(c, "stop", W_STOPPING);
}
