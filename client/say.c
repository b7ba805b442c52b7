/* SPDX-License-Identifier: Apache-2.0 */
#include "client/say.h"

#include "client/ui/text.h"
#include "client/ui/words.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { SENTENCE_ROOM = 1024, NAME_ID_ROOM = 26 /* quotes and the widest id */ };

/* ---- failures --------------------------------------------------------------------- */

static void print_failure(const struct app *a, enum exit_code exit, const char *code,
                          const char *message, const char *hint)
{
    json_t *o, *e;

    if (!a->args.json) {
        (void)fprintf(stderr, "kith: %s%s%s\n", message, hint ? " " : "",
                      hint ? hint : "");
        return;
    }
    o = json_begin();
    e = json_object();
    json_text(e, "code", code);
    json_number(e, "exit", (uint64_t)exit);
    json_text(e, "message", message);
    json_text(e, "hint", hint);
    (void)json_object_set_new(o, "error", e);
    if (json_line(stderr, o)) {
        /* standard error is gone: the exit code still tells */
    }
}

int say_fail(const struct app *a, enum exit_code exit, const char *code, const char *fmt,
             ...)
{
    char message[SENTENCE_ROOM];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    print_failure(a, exit, code, message, NULL);
    return (int)exit;
}

int say_fail_hint(const struct app *a, enum exit_code exit, const char *code,
                  const char *hint, const char *fmt, ...)
{
    char message[SENTENCE_ROOM];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    print_failure(a, exit, code, message, hint);
    return (int)exit;
}

int say_rc(const struct app *a, int rc)
{
    switch (rc) {
    case -ENOMEM:
        return say_fail(a, EXIT_BUG, "no-memory", "%s", _(W_NO_MEMORY));
    case -EBUSY:
        return say_fail(a, EXIT_DISK, "busy", "%s", _(W_PROFILE_BUSY));
    case -EIO:
    case -ENOSPC:
    case -EACCES:
    case -EPERM:
    case -EROFS:
    case -ENOENT:
    case -ENOTDIR:
    case -EDQUOT:
        return say_fail(a, EXIT_DISK, "disk", _(W_PROFILE_DISK), err_text(rc));
    default:
        return say_fail(a, EXIT_BUG, "internal", _(W_BUG),
                        rc < 0 ? err_text(rc) : "state");
    }
}

static void address_of(const struct app *a, char *out, size_t room)
{
    struct status st;

    out[0] = '\0';
    if (a->node && node_status(a->node, &st) == 0)
        (void)snprintf(out, room, "%s", st.address);
}

static void say_link(enum link_why why, const char *where, char *out, size_t room)
{
    switch (why) {
    case LINK_NO_NAME:
        (void)snprintf(out, room, _(W_RELAY_NO_NAME), where);
        break;
    case LINK_STRANGER:
        (void)snprintf(out, room, _(W_RELAY_STRANGER), where);
        break;
    case LINK_BROKEN:
        (void)snprintf(out, room, _(W_RELAY_BROKEN), where);
        break;
    case LINK_ENDED:
        (void)snprintf(out, room, _(W_RELAY_ENDED), where);
        break;
    case LINK_OURS:
        (void)snprintf(out, room, "%s", _(W_NO_MEMORY));
        break;
    default:
        (void)snprintf(out, room, _(W_RELAY_NO_ANSWER), where);
    }
}

static void say_end(const struct peer_end *end, const char *where, char *out, size_t room)
{
    switch (end->fate) {
    case PEER_REFUSED:
        if (code_ends_member(end->code))
            (void)snprintf(out, room, "%s", _(W_RELAY_NOT_MEMBER));
        else
            (void)snprintf(out, room, _(W_RELAY_REFUSED), where, code_text(end->code));
        break;
    case PEER_LIE:
        (void)snprintf(out, room, _(W_RELAY_LIE), where);
        break;
    case PEER_KEY:
        (void)snprintf(out, room, _(W_RELAY_STRANGER), where);
        break;
    case PEER_DISK:
        (void)snprintf(out, room, _(W_SIDE_DISK), err_text(end->rc));
        break;
    default:
        say_link(end->link, where, out, room);
    }
}

void say_trouble(const struct app *a, char *out, size_t room)
{
    char where[128];
    struct peer_end end = {.fate = PEER_LINK, .link = LINK_NO_ANSWER};

    address_of(a, where, sizeof where);
    if (a->sync && sync_trouble(a->sync).fate)
        end = sync_trouble(a->sync);
    else if (a->sync && sync_state(a->sync) >= RELAY_CATCHING_UP) {
        /* It answers: no try has ended, and what was asked for has not come yet. */
        (void)snprintf(out, room, _(W_RELAY_SLOW), where);
        return;
    }
    say_end(&end, where, out, room);
}

int say_relay(const struct app *a, const char *kept)
{
    char why[SENTENCE_ROOM];

    say_trouble(a, why, sizeof why);
    return say_fail_hint(a, EXIT_RELAY, "relay-unreachable", kept, "%s", why);
}

int say_stopped(const struct app *a, int exit)
{
    if (exit == EXIT_INTERRUPTED)
        return say_fail(a, EXIT_INTERRUPTED, "interrupted", "%s", _(W_INTERRUPTED));
    if (exit == EXIT_LOCKED)
        return say_fail(a, EXIT_LOCKED, "locked", "%s", _(W_LOCKED_NOW));
    return exit;
}

/* ---- talk and results ------------------------------------------------------------- */

void say_talk(const struct app *a, const char *fmt, ...)
{
    va_list args;

    if (a->args.quiet || a->args.json)
        return;
    va_start(args, fmt);
    (void)vfprintf(stderr, fmt, args);
    va_end(args);
    (void)fputc('\n', stderr);
}

void say_line(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void)vprintf(fmt, args);
    va_end(args);
    (void)putchar('\n');
    (void)fflush(stdout);
}

int say_json(const struct app *a, json_t *o)
{
    int rc = json_line(stdout, o);

    if (rc == -EIO)
        return say_written(a);
    return rc ? say_rc(a, rc) : 0;
}

int say_written(const struct app *a)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    return say_fail(a, EXIT_DISK, "not-written", "%s", _(W_NOT_WRITTEN));
}

/* ---- names of things -------------------------------------------------------------- */

void say_name(const struct conversation *c, char out[APP_NAME_ROOM])
{
    char name[APP_NAME_ROOM - NAME_ID_ROOM];

    text_name((struct bytes){(const uint8_t *)c->name, strlen(c->name)}, name,
              sizeof name);
    if (name[0] == '\0')
        (void)snprintf(out, APP_NAME_ROOM, _(W_NAMELESS), (long long)c->id);
    else if (text_name_misleads((struct bytes){(const uint8_t *)name, strlen(name)}))
        (void)snprintf(out, APP_NAME_ROOM, "\"%s\" (c%lld)", name, (long long)c->id);
    else
        (void)snprintf(out, APP_NAME_ROOM, "%s", name);
}

int64_t say_id(char kind, const char *word)
{
    int64_t n = 0;
    size_t i = 1;

    if (word[0] != kind || word[1] < '1' || word[1] > '9')
        return 0;
    for (; word[i] >= '0' && word[i] <= '9' && i < 19; i++)
        n = n * 10 + (word[i] - '0');
    return word[i] ? 0 : n;
}

struct find {
    const char *word;
    struct conversation found;
    size_t count;
};

static void match_name(const struct conversation *c, void *arg)
{
    struct find *f = arg;
    char name[APP_NAME_ROOM];

    say_name(c, name);
    if (strcasecmp(name, f->word) != 0 || c->state == CONV_FAILED)
        return;
    f->found = *c;
    f->count++;
}

int say_find_conv(struct app *a, const char *word, struct conversation *out)
{
    struct find f = {.word = word};
    int64_t id = say_id('c', word);
    int rc;

    if (id > 0) {
        rc = node_conv(a->node, id, out);
        if (rc == 0)
            return 0;
        if (rc < 0)
            return say_rc(a, rc);
    }
    rc = node_convs(a->node, match_name, &f);
    if (rc)
        return say_rc(a, rc);
    if (f.count == 0)
        return say_fail(a, EXIT_NOT_FOUND, "no-conversation", _(W_NO_CONV), word);
    if (f.count > 1)
        return say_fail(a, EXIT_NOT_FOUND, "two-conversations", _(W_TWO_CONVS), word);
    *out = f.found;
    return 0;
}

const char *say_state_key(enum message_state s)
{
    static const char *const keys[] = {"",          "received", "queued", "sent",
                                       "delivered", "not-sent", "expired"};

    return (size_t)s < sizeof keys / sizeof keys[0] ? keys[s] : "";
}

const char *say_conv_key(const struct conversation *c)
{
    static const char *const keys[] = {"",        "offering", "offered",
                                       "looking", "taking",   "taken",
                                       "linked",  "closed",   "failed"};

    if (c->state == CONV_LINKED && c->verified)
        return "verified";
    return (size_t)c->state < sizeof keys / sizeof keys[0] ? keys[c->state] : "";
}

const char *say_relay_key(enum relay_state s)
{
    static const char *const keys[] = {"offline", "connecting", "catching-up",
                                       "connected"};

    return (size_t)s < sizeof keys / sizeof keys[0] ? keys[s] : "";
}

/* ---- states in words -------------------------------------------------------------- */

static const char *why_words(enum message_why why)
{
    switch (why) {
    case WHY_LINKING:
        return _(W_WHY_LINKING);
    case WHY_PEER:
        return _(W_WHY_PEER);
    case WHY_STORAGE_FULL:
        return _(W_WHY_STORAGE);
    case WHY_UNAVAILABLE:
        return _(W_WHY_UNAVAILABLE);
    case WHY_ALARM:
        return _(W_WHY_ALARM);
    case WHY_CLOSED:
        return _(W_WHY_CLOSED);
    case WHY_NO_MEMBER:
        return _(W_WHY_NO_MEMBER);
    case WHY_REFUSED:
        return _(W_WHY_REFUSED);
    default:
        return _(W_WHY_RELAY);
    }
}

void say_message_state(const struct message *m, char *out, size_t room)
{
    switch (m->state) {
    case MESSAGE_QUEUED:
        if (m->why == WHY_NONE || m->why == WHY_RELAY)
            (void)snprintf(out, room, "%s", _(W_STATE_QUEUED));
        else
            (void)snprintf(out, room, "%s: %s", _(W_STATE_QUEUED), why_words(m->why));
        break;
    case MESSAGE_SENT:
        (void)snprintf(out, room, "%s", _(W_STATE_SENT));
        break;
    case MESSAGE_DELIVERED:
        (void)snprintf(out, room, "%s", _(W_STATE_DELIVERED));
        break;
    case MESSAGE_NOT_SENT:
        (void)snprintf(out, room, _(W_STATE_NOT_SENT), why_words(m->why));
        break;
    case MESSAGE_EXPIRED:
        (void)snprintf(out, room, "%s", _(W_STATE_EXPIRED));
        break;
    default:
        out[0] = '\0';
    }
}

void say_message_mark(const struct message *m, char *out, size_t room)
{
    bool why = m->why != WHY_NONE && m->why != WHY_RELAY;

    switch (m->state) {
    case MESSAGE_QUEUED:
        (void)snprintf(out, room, "%s%s%s", _(W_MARK_QUEUED), why ? ": " : "",
                       why ? why_words(m->why) : "");
        break;
    case MESSAGE_SENT:
        (void)snprintf(out, room, "%s", _(W_MARK_SENT));
        break;
    case MESSAGE_DELIVERED:
        (void)snprintf(out, room, "%s", _(W_MARK_DELIVERED));
        break;
    case MESSAGE_EXPIRED:
        (void)snprintf(out, room, "%s", _(W_MARK_EXPIRED));
        break;
    default:
        say_message_state(m, out, room);
    }
}

static const char *conv_why_words(enum conv_why why)
{
    switch (why) {
    case CONV_WHY_NOT_FOUND:
        return _(W_CONV_WHY_NOT_FOUND);
    case CONV_WHY_TAKEN:
        return _(W_CONV_WHY_TAKEN);
    case CONV_WHY_DAMAGED:
        return _(W_CONV_WHY_DAMAGED);
    case CONV_WHY_REFUSED:
        return _(W_CONV_WHY_REFUSED);
    default:
        return _(W_CONV_WHY_EXPIRED);
    }
}

void say_conv_state(const struct conversation *c, char *out, size_t room)
{
    static const char *const words[] = {
        [CONV_OFFERING] = W_CONV_OFFERING, [CONV_OFFERED] = W_CONV_OFFERED,
        [CONV_LOOKING] = W_CONV_LOOKING,   [CONV_TAKING] = W_CONV_TAKING,
        [CONV_TAKEN] = W_CONV_TAKEN,       [CONV_LINKED] = W_CONV_LINKED,
        [CONV_CLOSED] = W_CONV_CLOSED,
    };

    if (c->state == CONV_FAILED)
        (void)snprintf(out, room, _(W_CONV_FAILED), conv_why_words(c->why));
    else if (c->state == CONV_LINKED && c->verified)
        (void)snprintf(out, room, "%s", _(W_CONV_VERIFIED));
    else
        (void)snprintf(out, room, "%s", _(words[c->state]));
}

void say_ago(uint64_t then_s, uint64_t now_s, char *out, size_t room)
{
    uint64_t s = now_s > then_s ? now_s - then_s : 0;

    if (s < 1)
        (void)snprintf(out, room, "%s", _(W_JUST_NOW));
    else if (s < 60)
        words_count(COUNT_SECONDS_AGO, s, out, room);
    else if (s < 3600)
        words_count(COUNT_MINUTES_AGO, s / 60, out, room);
    else if (s < 48 * 3600)
        words_count(COUNT_HOURS_AGO, s / 3600, out, room);
    else
        words_count(COUNT_DAYS_AGO, s / 86400, out, room);
}

void say_when(uint64_t unix_s, char *out, size_t room)
{
    time_t t = (time_t)unix_s;
    struct tm tm;

    out[0] = '\0';
    if (localtime_r(&t, &tm))
        (void)strftime(out, room, "%Y-%m-%d %H:%M", &tm);
}

static struct bytes message_text(const struct message *m)
{
    const char *s;

    if (m->kind == MESSAGE_TEXT)
        return (struct bytes){(const uint8_t *)m->text, m->text_n};
    s = m->kind == MESSAGE_INCOMPLETE ? _(W_MESSAGE_INCOMPLETE) : _(W_MESSAGE_UNKNOWN);
    return (struct bytes){(const uint8_t *)s, strlen(s)};
}

int say_message(const struct message *m, const char *name, bool with_state)
{
    struct buf safe;
    char state[256];
    int rc;

    buf_init(&safe, 16 * (TEXT_BYTES_MAX + 16));
    text_safe(message_text(m), TEXT_BLOCK, &safe);
    buf_put(&safe, "", 1);
    rc = safe.rc;
    if (rc == 0 && m->mine && with_state) {
        say_message_mark(m, state, sizeof state);
        say_line(_(W_CHAT_OWN_LINE), (const char *)safe.p, state);
    } else if (rc == 0) {
        say_line(_(W_CHAT_LINE), m->mine ? _(W_YOU) : name, (const char *)safe.p);
    }
    buf_free(&safe);
    return rc;
}
