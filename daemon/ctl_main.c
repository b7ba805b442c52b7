/* SPDX-License-Identifier: Apache-2.0 */
/* kithctl: everything a relay's admin does.  argv -> the verb's row -> ctl_*.c. */
#include "daemon/ctl.h"
#include "daemon/ctl_say.h"
#include "daemon/ctl_words.h"
#include "lib/nearest.h"
#include "lib/secret.h"

#include <argp.h>
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef KITH_VERSION
#define KITH_VERSION "0.1"
#endif

enum { TIMEOUT_S = 10, TIMEOUT_MAX_S = 3600, HOURS_A_DAY = 24 };

/* Keys of flags without a letter; `verbs` in the rows below names where each belongs. */
enum flag {
    FLAG_DIR = 256,
    FLAG_JSON,
    FLAG_NO_INPUT,
    FLAG_TIMEOUT,
    FLAG_VERSION,
    FLAG_NAME,
    FLAG_HOST,
    FLAG_MEMBERS,
    FLAG_FOREGROUND,
    FLAG_EXPIRES,
    FLAG_ALL,
    FLAG_CONFIRM,
};

struct verb_row {
    const char *name;
    ctl_verb *run;
    bool argument; /* takes one word */
    const char *help;
};

static const struct verb_row verb_table[] = {
    {"up", ctl_up, false,
     "  kithctl up --name \"Night Owls\" --host relay.example.edu\n"
     "  kithctl --dir /srv/kith up --foreground\n\n"
     "Writes settings and keys where there are none, starts the relay, checks that it\n"
     "answers, and prints an invite.  Safe to run again: then it only reports.\n\n"
     "  --name NAME      of the cohort, as members see it\n"
     "  --host H[:PORT]  what members connect to (this machine only, if not given)\n"
     "  --members N      for how many it is laid out (default 200)\n"
     "  --foreground     keep the relay in this window\n"},
    {"invite", ctl_invite, false,
     "  kithctl invite\n  kithctl -q invite --expires 2d > slip.txt\n\n"
     "An invite for one member, shown once.\n\n"
     "  --expires 7d     hours (h) or days (d), 1h to 365d\n"},
    {"invites", ctl_invites, false,
     "  kithctl invites\n  kithctl invites --json\n\nAll invites: never who used one.\n"},
    {"revoke", ctl_revoke, true,
     "  kithctl revoke 17\n  kithctl revoke --all\n\n"
     "An unused invite no longer works; a used one: its member can read and "
     "post no more.\n\n"
     "  --all            every invite that is still unused\n"},
    {"status", ctl_status, false,
     "  kithctl status\n  kithctl status --json\n\nHow the relay is.\n"},
    {"held", ctl_held, false,
     "  kithctl held\n  kithctl held --json\n\n"
     "Everything the relay keeps: all that could be taken or demanded.\n"},
    {"reload", ctl_reload, false,
     "  kithctl reload\n  kithctl --dir /srv/kith reload\n\n"
     "Reads the settings again.  A bad file changes nothing, and says all "
     "that is wrong.\n"},
    {"drain", ctl_drain, false,
     "  kithctl drain && kithctl stop\n  kithctl --timeout 600 drain\n\n"
     "Takes no new connections and waits until the last member has left.\n"},
    {"stop", ctl_stop, false,
     "  kithctl stop\n  kithctl --dir /srv/kith stop\n\nStops the relay; "
     "nothing is lost.\n"},
    {"destroy", ctl_destroy, false,
     "  kithctl destroy\n  kithctl destroy --confirm=\"Night Owls\"\n\n"
     "Deletes the relay: keys, settings, invites, envelopes.\n\n"
     "  --confirm=NAME   the cohort's name, to show that it is meant\n"},
};
enum { VERBS = sizeof verb_table / sizeof verb_table[0] };

static const struct argp_option options[] = {
    {"dir", FLAG_DIR, "DIR", 0, NULL, 0},
    {"json", FLAG_JSON, NULL, 0, NULL, 0},
    {"quiet", 'q', NULL, 0, NULL, 0},
    {"no-input", FLAG_NO_INPUT, NULL, 0, NULL, 0},
    {"timeout", FLAG_TIMEOUT, "SEC", 0, NULL, 0},
    {"help", 'h', NULL, 0, NULL, 0},
    {"version", FLAG_VERSION, NULL, 0, NULL, 0},
    {"name", FLAG_NAME, "NAME", 0, NULL, 0},
    {"host", FLAG_HOST, "HOST", 0, NULL, 0},
    {"members", FLAG_MEMBERS, "N", 0, NULL, 0},
    {"foreground", FLAG_FOREGROUND, NULL, 0, NULL, 0},
    {"expires", FLAG_EXPIRES, "TIME", 0, NULL, 0},
    {"all", FLAG_ALL, NULL, 0, NULL, 0},
    {"confirm", FLAG_CONFIRM, "NAME", 0, NULL, 0},
    {0},
};

/* Flags that belong to single verbs. */
static const struct {
    enum flag flag;
    const char *name, *verb;
} owned[] = {
    {FLAG_NAME, "name", "up"},
    {FLAG_HOST, "host", "up"},
    {FLAG_MEMBERS, "members", "up"},
    {FLAG_FOREGROUND, "foreground", "up"},
    {FLAG_EXPIRES, "expires", "invite"},
    {FLAG_ALL, "all", "revoke"},
    {FLAG_CONFIRM, "confirm", "destroy"},
};
enum { OWNED = sizeof owned / sizeof owned[0] };

struct parse {
    struct ctl ctl;
    bool given[OWNED];
    bool help;
    int exit; /* set when an error has been told */
};

static bool parse_number(const char *text, uint32_t least, uint32_t most, uint32_t *out)
{
    char *end;
    unsigned long v;

    errno = 0;
    v = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] < '0' || text[0] > '9' ||
        v < least || v > most)
        return false;
    *out = (uint32_t)v;
    return true;
}

/* "36h", "7d", and a bare number of days. */
static bool parse_hours(const char *text, uint32_t *out)
{
    char digits[8];
    size_t n = strlen(text);
    uint32_t unit = HOURS_A_DAY;
    uint32_t v;

    if (n > 0 && (text[n - 1] == 'h' || text[n - 1] == 'd')) {
        unit = text[n - 1] == 'h' ? 1 : HOURS_A_DAY;
        n--;
    }
    if (n == 0 || n >= sizeof digits)
        return false;
    memcpy(digits, text, n);
    digits[n] = '\0';
    if (!parse_number(digits, 1, 365 * HOURS_A_DAY, &v) || v > 365 * HOURS_A_DAY / unit)
        return false;
    *out = v * unit;
    return true;
}

static void take_number(struct parse *p, const char *flag, const char *text,
                        uint32_t most, uint32_t *out)
{
    if (!parse_number(text, 1, most, out))
        p->exit = ctl_fail(&p->ctl, CTL_USAGE, "usage", W_BAD_NUMBER, flag, 1U, most,
                           text);
}

static void take_owned(struct parse *p, int flag, const char *value)
{
    struct ctl *c = &p->ctl;

    for (size_t i = 0; i < OWNED; i++)
        if ((int)owned[i].flag == flag)
            p->given[i] = true;
    if (flag == FLAG_NAME)
        c->name = value;
    else if (flag == FLAG_HOST)
        c->host = value;
    else if (flag == FLAG_CONFIRM)
        c->confirm = value;
    else if (flag == FLAG_FOREGROUND)
        c->foreground = true;
    else if (flag == FLAG_ALL)
        c->all = true;
    else if (flag == FLAG_MEMBERS)
        take_number(p, "--members", value, MEMBERS_MAX, &c->members);
    else if (flag == FLAG_EXPIRES && !parse_hours(value, &c->hours))
        p->exit = ctl_fail(c, CTL_USAGE, "usage", W_BAD_EXPIRES, value);
}

static void take_word(struct parse *p, const char *word)
{
    struct ctl *c = &p->ctl;

    if (c->verb == NULL)
        c->verb = word;
    else if (c->argument == NULL)
        c->argument = word;
    else
        p->exit = ctl_fail(c, CTL_USAGE, "usage", W_EXTRA, word, c->verb);
}

/* getopt stopped at this word: a flag nobody knows, or one whose value is missing. */
static void tell_bad_flag(struct parse *p, const char *word)
{
    const char *names[sizeof options / sizeof options[0]] = {0};
    const char *bare = word + strspn(word, "-");
    const char *guess = NULL;
    size_t count = 0;

    if (p->exit != 0)
        return;
    for (; options[count].name != NULL; count++) {
        names[count] = options[count].name;
        if (options[count].arg != NULL && strcmp(bare, names[count]) == 0) {
            p->exit = ctl_fail(&p->ctl, CTL_USAGE, "usage", W_NO_VALUE, word);
            return;
        }
    }
    guess = nearest(bare, names, count);
    p->exit = ctl_fail(&p->ctl, CTL_USAGE, "usage", W_UNKNOWN_FLAG, word,
                       guess != NULL ? W_GUESS_FLAG : "", guess != NULL ? guess : "",
                       guess != NULL ? W_GUESS_END : "");
}

static const char *flag_name(int key)
{
    for (size_t i = 0; options[i].name != NULL; i++)
        if (options[i].key == key)
            return options[i].name;
    return "";
}

static void take_dir(struct parse *p, const char *value)
{
    struct ctl *c = &p->ctl;

    /* Empty is what an unset variable in a script gives, not a wish for the default. */
    if (value[0] == '\0')
        p->exit = ctl_fail(c, CTL_USAGE, "usage", W_NO_VALUE, "--dir");
    else if (strlen(value) >= sizeof c->dir)
        p->exit = ctl_fail(c, CTL_USAGE, "usage", "%s", W_PATH_LONG);
    else
        memcpy(c->dir, value, strlen(value) + 1);
}

static error_t take(int key, char *value, struct argp_state *state)
{
    struct parse *p = state->input;
    struct ctl *c = &p->ctl;

    if (p->exit != 0)
        return 0; /* the first error is the one to tell */
    if (value == NULL)
        value = ""; /* a flag that takes none */
    if (key != ARGP_KEY_ARG && value[0] == '-' && value[1] != '\0') {
        p->exit = ctl_fail(c, CTL_USAGE, "usage", W_LOOKS_LIKE_FLAG, flag_name(key),
                           value);
        return 0;
    }
    switch (key) {
    case FLAG_DIR:
        take_dir(p, value);
        return 0;
    case FLAG_JSON:
        c->json = true;
        return 0;
    case 'q':
        c->quiet = true;
        return 0;
    case FLAG_NO_INPUT:
        c->no_input = true;
        return 0;
    case FLAG_TIMEOUT:
        take_number(p, "--timeout", value, TIMEOUT_MAX_S, &c->timeout_s);
        c->timeout_given = true;
        return 0;
    case 'h':
        p->help = true;
        return 0;
    case FLAG_VERSION:
        (void)printf("kithctl %s\n", KITH_VERSION);
        exit(CTL_DONE);
    case ARGP_KEY_ARG:
        take_word(p, value);
        return 0;
    case ARGP_KEY_ERROR:
        tell_bad_flag(p, state->argv[state->next - 1]);
        return 0;
    default:
        if (key < FLAG_NAME || key > FLAG_CONFIRM)
            return ARGP_ERR_UNKNOWN;
        take_owned(p, key, value);
        return 0;
    }
}

static const struct verb_row *find_verb(struct parse *p)
{
    const char *names[VERBS];
    const char *guess;

    if (p->ctl.verb == NULL) {
        p->exit = ctl_fail(&p->ctl, CTL_USAGE, "usage", "%s", W_NO_VERB);
        return NULL;
    }
    for (size_t i = 0; i < VERBS; i++) {
        names[i] = verb_table[i].name;
        if (strcmp(p->ctl.verb, names[i]) == 0)
            return &verb_table[i];
    }
    guess = nearest(p->ctl.verb, names, VERBS);
    p->exit = ctl_fail(&p->ctl, CTL_USAGE, "usage", W_UNKNOWN_VERB, p->ctl.verb,
                       guess != NULL ? W_GUESS_BEGIN : "", guess != NULL ? guess : "",
                       guess != NULL ? W_GUESS_END : "");
    return NULL;
}

static int check_flags(struct parse *p, const struct verb_row *row)
{
    for (size_t i = 0; i < OWNED; i++)
        if (p->given[i] && strcmp(owned[i].verb, row->name) != 0)
            return ctl_fail(&p->ctl, CTL_USAGE, "usage", W_BAD_FLAG, owned[i].name,
                            row->name, row->name);
    if (p->ctl.argument != NULL && !row->argument)
        return ctl_fail(&p->ctl, CTL_USAGE, "usage", W_EXTRA, p->ctl.argument, row->name);
    return 0;
}

static int run(struct parse *p)
{
    const struct verb_row *row;

    if (p->help && p->ctl.verb == NULL) {
        (void)fputs(W_HELP_HEAD, stdout);
        return CTL_DONE;
    }
    row = find_verb(p);
    if (row == NULL)
        return p->exit;
    if (p->help) {
        (void)fputs(row->help, stdout);
        return CTL_DONE;
    }
    p->exit = check_flags(p, row);
    if (p->exit != 0)
        return p->exit;
    if (p->ctl.dir[0] == '\0' && config_default_dir(p->ctl.dir))
        return ctl_fail(&p->ctl, CTL_USAGE, "no-home", "%s", W_NO_DIR);
    return row->run(&p->ctl);
}

int main(int argc, char **argv)
{
    static const struct argp argp = {options, take, NULL, NULL, NULL, NULL, NULL};
    struct parse p = {.ctl = {.timeout_s = TIMEOUT_S}};

    (void)setlocale(LC_ALL, "");
    (void)signal(SIGPIPE,
                 SIG_IGN); /* a relay that hangs up is an error to tell, not a death */
    log_start("kithctl", LOG_LEVEL_WARN);
    if (secret_start())
        return ctl_fail(&p.ctl, CTL_BUG, "internal", "%s", err_text(-EIO));
    if (argp_parse(&argp, argc, argv, ARGP_NO_HELP | ARGP_NO_ERRS, NULL, &p) &&
        p.exit == 0)
        p.exit = CTL_USAGE;
    if (p.exit == 0)
        p.exit = run(&p);
    if ((fflush(stdout) != 0 || ferror(stdout)) && p.exit == CTL_DONE)
        return ctl_fail(&p.ctl, CTL_DISK, "not-written", "%s", W_NOT_WRITTEN);
    return p.exit;
}
