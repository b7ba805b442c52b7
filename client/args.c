/* SPDX-License-Identifier: Apache-2.0 */
#include "client/args.h"

#include "lib/nearest.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define BIT(v) (1u << (v))
#define EVERY (BIT(VERB_COUNT) - 1)

/* ---- verbs ------------------------------------------------------------------------ */

/* After the verb: `least` to `most` plain words; then, where reads_text, an optional "-".
 */
struct verb_row {
    const char *name;
    size_t least, most;
    bool reads_text; /* a text, invite or link comes from the prompt or standard input */
};
static const struct verb_row verbs[VERB_COUNT] = {
    [VERB_CHAT] = {"chat", 0, 1, false},
    [VERB_JOIN] = {"join", 0, 0, true},
    [VERB_LINK] = {"link", 0, 1, false},
    [VERB_ACCEPT_LINK] = {"accept-link", 0, 0, true},
    [VERB_VERIFY] = {"verify", 1, 1, false},
    [VERB_SEND] = {"send", 1, 1, true},
    [VERB_READ] = {"read", 1, 1, false},
    [VERB_LIST] = {"list", 0, 0, false},
    [VERB_STATUS] = {"status", 0, 0, false},
    [VERB_ALARMS] = {"alarms", 0, 2, false},
    [VERB_LIMITS] = {"limits", 0, 0, false},
    [VERB_CRISIS] = {"crisis", 0, 0, false},
    [VERB_FORGET] = {"forget", 1, 1, false},
    [VERB_WIPE] = {"wipe", 0, 1, false},
    [VERB_LOCK] = {"lock", 0, 0, false},
};

const char *args_verb_name(enum verb v)
{
    return v < VERB_COUNT ? verbs[v].name : "";
}

/* ---- flags ------------------------------------------------------------------------ */

typedef int take_value(struct args *a, const char *value);

static int take_color(struct args *a, const char *value)
{
    static const char *const names[] = {"auto", "never", "always"};

    for (size_t i = 0; i < 3; i++)
        if (strcmp(value, names[i]) == 0) {
            a->color = (enum color)i;
            return 0;
        }
    return -EINVAL;
}

static int take_timeout(struct args *a, const char *value)
{
    uint64_t s;

    if (args_duration(value, 1, &s) || s > TIMEOUT_S_MAX)
        return -EINVAL;
    a->timeout_s = (uint32_t)s;
    a->has_timeout = true;
    return 0;
}

static int take_expires(struct args *a, const char *value)
{
    uint64_t s;

    if (args_duration(value, 0, &s) || s < 3600 || s > EXPIRES_HOURS_MAX * 3600ull)
        return -EINVAL;
    a->expires_hours = (uint32_t)(s / 3600);
    return 0;
}

static int take_profile(struct args *a, const char *value)
{
    a->profile = value;
    return value[0] ? 0 : -EINVAL;
}

static int take_passphrase_file(struct args *a, const char *value)
{
    a->passphrase_file = value;
    return value[0] ? 0 : -EINVAL;
}

static int take_confirm(struct args *a, const char *value)
{
    a->confirm = value;
    return 0;
}

static int take_as(struct args *a, const char *value)
{
    a->as = value;
    return value[0] ? 0 : -EINVAL;
}

struct flag_row {
    const char *name; /* with its dashes */
    char letter;      /* 0: none */
    size_t on;        /* offset of the bool it sets, where take is NULL */
    take_value *take;
    unsigned verbs; /* bits of the verbs it is for */
};
static const struct flag_row flags[] = {
    {"--json", 0, offsetof(struct args, json), NULL, EVERY},
    {"--plain", 0, offsetof(struct args, plain), NULL, EVERY},
    {"--no-input", 0, offsetof(struct args, no_input), NULL, EVERY},
    {"--quiet", 'q', offsetof(struct args, quiet), NULL, EVERY},
    {"--verbose", 'v', 0, NULL, EVERY},
    {"--help", 'h', offsetof(struct args, help), NULL, EVERY},
    {"--version", 0, offsetof(struct args, version), NULL, EVERY},
    {"--offline", 0, offsetof(struct args, offline), NULL, EVERY},
    {"--color", 0, 0, take_color, EVERY},
    {"--profile", 0, 0, take_profile, EVERY},
    {"--passphrase-file", 0, 0, take_passphrase_file, EVERY},
    {"--timeout", 0, 0, take_timeout, EVERY},
    {"--guest", 0, offsetof(struct args, guest), NULL,
     BIT(VERB_JOIN) | BIT(VERB_CRISIS) | BIT(VERB_LIMITS)},
    {"--as", 0, 0, take_as, BIT(VERB_JOIN)},
    {"--expires", 0, 0, take_expires, BIT(VERB_LINK)},
    {"--follow", 0, offsetof(struct args, follow), NULL, BIT(VERB_READ)},
    {"--all", 0, offsetof(struct args, all), NULL, BIT(VERB_WIPE)},
    {"--confirm", 0, 0, take_confirm, BIT(VERB_WIPE)},
};
enum { FLAGS = sizeof flags / sizeof flags[0] };

static void flag_set(struct args *a, const struct flag_row *f)
{
    if (f->letter == 'v')
        a->verbose++;
    else
        *(bool *)((char *)a + f->on) = true;
}

/* ---- numbers ---------------------------------------------------------------------- */

static uint64_t unit_seconds(const char *unit, uint64_t default_s)
{
    static const struct {
        const char *name;
        uint64_t s;
    } units[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"w", 7 * 86400}};

    if (unit[0] == '\0')
        return default_s;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(unit, units[i].name) == 0)
            return units[i].s;
    return 0;
}

int args_duration(const char *text, uint64_t default_unit_s, uint64_t *seconds)
{
    uint64_t n = 0, unit;
    size_t i = 0;

    for (; text[i] >= '0' && text[i] <= '9' && i < 9; i++)
        n = n * 10 + (uint64_t)(text[i] - '0');
    unit = unit_seconds(text + i, default_unit_s);
    if (i == 0 || unit == 0 || n == 0)
        return -EINVAL;
    *seconds = n * unit;
    return 0;
}

/* ---- reading ---------------------------------------------------------------------- */

struct reader {
    int argc, at;
    char **argv;
    struct args *out;
    struct args_problem *problem;
    unsigned given[FLAGS]; /* flags seen, checked against the verb at the end */
    bool only_words;       /* after "--" */
};

static int fail(struct reader *r, enum args_error e, const char *what, const char *guess)
{
    *r->problem = (struct args_problem){e, what, guess, r->out->verb};
    return (int)e;
}

static const char *guess_flag(const char *name)
{
    const char *names[FLAGS];

    for (size_t i = 0; i < FLAGS; i++)
        names[i] = flags[i].name;
    return nearest(name, names, FLAGS);
}

static int read_value(struct reader *r, size_t i, const char *inside)
{
    const char *value = inside;

    if (value == NULL && r->at < r->argc)
        value = r->argv[r->at++];
    if (value == NULL || (inside == NULL && value[0] == '-' && value[1] != '\0'))
        return fail(r, ARGS_E_NO_VALUE, flags[i].name, NULL);
    if (flags[i].take(r->out, value))
        return fail(r, ARGS_E_VALUE, value, flags[i].name);
    return 0;
}

static int read_long(struct reader *r, const char *arg)
{
    const char *eq = strchr(arg, '=');
    size_t n = eq ? (size_t)(eq - arg) : strlen(arg);

    for (size_t i = 0; i < FLAGS; i++) {
        if (strlen(flags[i].name) != n || memcmp(flags[i].name, arg, n) != 0)
            continue;
        r->given[i]++;
        if (flags[i].take)
            return read_value(r, i, eq ? eq + 1 : NULL);
        if (eq)
            return fail(r, ARGS_E_HAS_VALUE, flags[i].name, NULL);
        flag_set(r->out, &flags[i]);
        return 0;
    }
    return fail(r, ARGS_E_FLAG, arg, eq ? NULL : guess_flag(arg));
}

static int read_letters(struct reader *r, const char *arg)
{
    for (const char *p = arg + 1; *p; p++) {
        size_t i = 0;

        while (i < FLAGS && flags[i].letter != *p)
            i++;
        if (i == FLAGS)
            return fail(r, ARGS_E_FLAG, arg, NULL);
        r->given[i]++;
        flag_set(r->out, &flags[i]);
    }
    return 0;
}

static int read_verb(struct reader *r, const char *word)
{
    const char *names[VERB_COUNT];

    for (size_t i = 0; i < VERB_COUNT; i++) {
        names[i] = verbs[i].name;
        if (strcmp(word, names[i]) == 0) {
            r->out->verb = (enum verb)i;
            r->out->has_verb = true;
            return 0;
        }
    }
    return fail(r, ARGS_E_VERB, word, nearest(word, names, VERB_COUNT));
}

static int read_word(struct reader *r, const char *word)
{
    const struct verb_row *v = &verbs[r->out->verb];

    if (!r->out->has_verb)
        return read_verb(r, word);
    if (r->out->words_n < v->most) {
        r->out->words[r->out->words_n++] = word;
        return 0;
    }
    if (v->reads_text && strcmp(word, "-") == 0)
        return 0; /* standard input is read in any case when it is not a terminal */
    return fail(r, v->reads_text ? ARGS_E_TEXT_INSIDE : ARGS_E_EXTRA, word, NULL);
}

static int check_whole(struct reader *r)
{
    struct args *a = r->out;

    if (a->help || a->version)
        return 0;
    for (size_t i = 0; i < FLAGS; i++)
        if (r->given[i] > 0 && !(flags[i].verbs & BIT(a->verb)))
            return fail(r, ARGS_E_NOT_HERE, flags[i].name, NULL);
    if (a->words_n < verbs[a->verb].least)
        return fail(r, ARGS_E_MISSING, verbs[a->verb].name, NULL);
    return 0;
}

int args_read(int argc, char **argv, struct args *out, struct args_problem *problem)
{
    struct reader r = {
        .argc = argc, .at = 1, .argv = argv, .out = out, .problem = problem};
    int rc = 0;

    *out = (struct args){.verb = VERB_CHAT};
    *problem = (struct args_problem){0};
    while (rc == 0 && r.at < argc) {
        const char *arg = argv[r.at++];

        if (r.only_words || arg[0] != '-' || arg[1] == '\0')
            rc = read_word(&r, arg);
        else if (strcmp(arg, "--") == 0)
            r.only_words = true;
        else if (arg[1] == '-')
            rc = read_long(&r, arg);
        else
            rc = read_letters(&r, arg);
    }
    return rc ? rc : check_whole(&r);
}
