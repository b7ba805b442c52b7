/* SPDX-License-Identifier: Apache-2.0 */
/* join: invite -> look at the relay in memory -> passphrase -> profile -> enrol.
 * Nothing is on disk before the relay has shown the key that the invite names; what is on
 * disk goes again when the relay refuses the invite, and stays when its answer got lost
 * (the member key is in it, and the relay answers the same key alike). */
#include "client/cmd.h"
#include "client/core/names.h"
#include "client/prompt.h"
#include "client/say.h"
#include "client/ui/text.h"
#include "client/ui/words.h"
#include "lib/mem.h"
#include "lib/secret.h"

#include <errno.h>
#include <string.h>

enum { JOIN_TIMEOUT_MS = 20 * 1000, SMALL_COHORT = 50, INVITE_INPUT_MAX = 4096 };

struct join {
    struct app *app;
    struct invite invite;
    struct node_relay relay; /* as the look showed it */
    char name[NAME_BYTES_MAX + 1];
    struct peer *peer;
    bool ready, ended;
    struct peer_end end;
};

/* ---- one connection --------------------------------------------------------------- */

static void on_ready(struct peer *p, void *arg)
{
    struct join *j = arg;

    (void)p;
    j->ready = true;
}

static void on_answer(struct peer *p, const struct frame *f, void *arg)
{
    (void)p, (void)f, (void)arg; /* nothing is asked after it is ready */
}

static void on_notify(struct peer *p, enum method m, struct bytes body, void *arg)
{
    (void)p, (void)m, (void)body, (void)arg;
}

static void on_ended(struct peer *p, const struct peer_end *end, void *arg)
{
    struct join *j = arg;

    (void)p;
    j->peer = NULL;
    j->ended = true;
    j->end = *end;
}

static bool is_over(struct app *a, void *arg)
{
    const struct join *j = arg;

    (void)a;
    return j->ready || j->ended;
}

static int say_end(struct join *j)
{
    struct app *a = j->app;
    char where[ADDRESS_BYTES_MAX + 16];

    address_print(&j->invite.address, where);
    if (j->ended && j->end.fate == PEER_REFUSED)
        return say_fail(a, EXIT_DATA, "invite-used", "%s", _(W_INVITE_USED));
    if (j->ended && j->end.fate == PEER_DISK)
        return say_rc(a, j->end.rc);
    if (j->ended && (j->end.fate == PEER_KEY || j->end.link == LINK_STRANGER))
        return say_fail_hint(a, EXIT_OTHER_SIDE, "not-the-relay", _(W_HINT_AGAIN),
                             _(W_RELAY_STRANGER), where);
    if (j->ended && j->end.fate == PEER_LIE)
        return say_fail(a, EXIT_OTHER_SIDE, "relay-contradicts", "%s",
                        _(W_ALARM_DESCRIPTOR_FORGED));
    if (j->ended && j->end.link == LINK_NO_NAME)
        return say_fail_hint(a, EXIT_RELAY, "relay-unreachable", _(W_HINT_AGAIN),
                             _(W_RELAY_NO_NAME), where);
    if (j->ended && j->end.link == LINK_BROKEN)
        return say_fail_hint(a, EXIT_OTHER_SIDE, "relay-version", _(W_HINT_AGAIN),
                             _(W_RELAY_BROKEN), where);
    return say_fail_hint(a, EXIT_RELAY, "relay-unreachable", _(W_HINT_AGAIN),
                         _(W_RELAY_NO_ANSWER), where);
}

/* 0, or an exit code that is not said yet (-1: see j->end). */
static int connect_for(struct join *j, enum peer_for what)
{
    static const struct peer_events events = {on_ready, on_answer, on_notify, on_ended};
    struct app *a = j->app;
    int rc, exit;

    j->ready = j->ended = false;
    rc = peer_open(&a->loop, a->node, what, NULL, &events, j, &j->peer);
    if (rc) {
        j->ended = true;
        j->end = (struct peer_end){.fate = PEER_DISK, .rc = rc};
        return -1;
    }
    exit = app_wait(a, is_over, j, app_timeout_ms(a, JOIN_TIMEOUT_MS));
    peer_close(j->peer);
    j->peer = NULL;
    if (exit == EXIT_INTERRUPTED)
        return exit;
    return j->ready ? 0 : -1;
}

/* ---- the invite ------------------------------------------------------------------- */

static int read_invite_once(struct join *j)
{
    struct app *a = j->app;
    struct buf text;
    int rc, exit = 0;

    buf_init(&text, INVITE_INPUT_MAX + 1);
    /* A guest goes on into a chat: what follows the invite's line is the chat's. */
    rc = prompt_stdin_is_terminal() || a->guest ? prompt_line(_(W_ASK_INVITE), &text)
                                                : prompt_all(INVITE_INPUT_MAX, &text);
    if (rc == PROMPT_E_INTERRUPTED)
        exit = say_fail(a, EXIT_INTERRUPTED, "interrupted", "%s", _(W_INTERRUPTED));
    else if (rc < 0 && rc != -EFBIG)
        exit = say_rc(a, rc);
    else
        rc = rc ? INVITE_E_FORM : invite_parse((const char *)text.p, text.n, &j->invite);
    if (exit == 0 && rc == INVITE_E_KIND)
        exit = say_fail(a, EXIT_DATA, "not-an-invite", "%s", _(W_INVITE_IS_LINK));
    else if (exit == 0 && rc)
        exit = say_fail(a, EXIT_DATA, "not-an-invite", "%s", _(W_INVITE_FORM));
    buf_free(&text);
    return exit;
}

static bool ask_again(int exit, int tries)
{
    return exit == EXIT_DATA && prompt_stdin_is_terminal() && tries < PROMPT_TRIES;
}

static int read_invite(struct join *j)
{
    int exit, tries = 0;

    if (prompt_stdin_is_terminal() && j->app->args.no_input)
        return say_fail(j->app, EXIT_USAGE, "no-input", "%s", _(W_NO_INPUT_INVITE));
    do
        exit = read_invite_once(j);
    while (ask_again(exit, ++tries));
    return exit;
}

/* ---- the look --------------------------------------------------------------------- */

static void show_cohort(struct join *j, const struct status *st)
{
    struct app *a = j->app;
    char name[3 * COHORT_NAME_BYTES_MAX + 1];
    const char *line;

    text_name((struct bytes){(const uint8_t *)st->cohort, strlen(st->cohort)}, name,
              sizeof name);
    say_talk(a, _(W_JOIN_RELAY), st->fingerprint);
    say_talk(a, _(W_JOIN_COHORT), name, st->members);
    if (st->members < SMALL_COHORT)
        say_talk(a, "%s", _(W_JOIN_SMALL));
    say_talk(a, "%s", "");
    for (size_t i = 0; (line = words_line(PAGE_JOIN, i)) != NULL; i++)
        say_talk(a, "%s", line);
    say_talk(a, "%s", "");
}

/* A member that lives in memory asks for key and rules; for a guest it is the one that
 * stays. */
static int look(struct join *j)
{
    struct app *a = j->app;
    struct status st;
    char where[ADDRESS_BYTES_MAX + 16];
    int rc, exit;

    a->holding = true;
    exit = app_open_node(a, ":memory:", true);
    if (exit)
        return exit;
    rc = node_join(a->node, &j->invite);
    if (rc)
        return say_rc(a, rc);
    address_print(&j->invite.address, where);
    say_talk(a, _(W_JOIN_ASKING), where);
    exit = connect_for(j, PEER_LOOK);
    if (exit)
        return exit == -1 ? say_end(j) : say_stopped(a, exit);
    rc = node_relay_get(a->node, &j->relay);
    if (rc == 0)
        rc = node_status(a->node, &st);
    if (rc)
        return say_rc(a, rc);
    show_cohort(j, &st);
    return 0;
}

/* ---- the name --------------------------------------------------------------------- */

static bool name_is_good(const char *name, size_t n)
{
    char safe[3 * NAME_BYTES_MAX + 16];

    if (n == 0 || n > NAME_BYTES_MAX)
        return false;
    text_name((struct bytes){(const uint8_t *)name, n}, safe, sizeof safe);
    return strlen(safe) == n && memcmp(safe, name, n) == 0;
}

static void with_hyphen(char *name)
{
    for (; *name; name++) {
        if (*name >= 'A' && *name <= 'Z')
            *name = (char)(*name - 'A' + 'a');
        else if (*name == ' ')
            *name = '-';
    }
}

static int take_name(struct join *j, const char *name, size_t n)
{
    if (!name_is_good(name, n))
        return say_fail(j->app, EXIT_DATA, "bad-name", "%s", _(W_NAME_BAD));
    if (text_name_misleads((struct bytes){(const uint8_t *)name, n}))
        return say_fail(j->app, EXIT_DATA, "bad-name", "%s", _(W_NAME_MISLEADS));
    memcpy(j->name, name, n);
    j->name[n] = '\0';
    return 0;
}

static int ask_name(struct join *j, char names[NAMES_SUGGESTED][NAMES_CHARS_MAX + 1])
{
    struct buf line;
    int rc, exit = 0;

    buf_init(&line, PROMPT_LINE_BYTES_MAX + 1);
    rc = prompt_line(_(W_ASK_NAME), &line);
    if (rc == PROMPT_E_INTERRUPTED)
        exit = say_fail(j->app, EXIT_INTERRUPTED, "interrupted", "%s", _(W_INTERRUPTED));
    else if (rc == -EFBIG)
        exit = say_fail(j->app, EXIT_DATA, "bad-name", "%s", _(W_NAME_BAD));
    else if (rc < 0)
        exit = say_rc(j->app, rc);
    else if (line.n == 0)
        exit = take_name(j, names[0], strlen(names[0]));
    else if (line.n == 1 && line.p[0] >= '1' && line.p[0] < '1' + NAMES_SUGGESTED)
        exit = take_name(j, names[line.p[0] - '1'], strlen(names[line.p[0] - '1']));
    else
        exit = take_name(j, (const char *)line.p, line.n);
    buf_free(&line);
    return exit;
}

static int choose_name(struct join *j)
{
    struct app *a = j->app;
    char names[NAMES_SUGGESTED][NAMES_CHARS_MAX + 1];
    int rc, exit, tries = 0;

    if (a->args.as)
        return take_name(j, a->args.as, strlen(a->args.as));
    rc = names_suggest(names);
    if (rc)
        return say_rc(a, rc);
    for (int i = 0; i < NAMES_SUGGESTED; i++)
        with_hyphen(names[i]);
    if (a->args.no_input || !prompt_stdin_is_terminal())
        return take_name(j, names[0], strlen(names[0]));
    say_talk(a, "%s", _(W_NAMES));
    for (int i = 0; i < NAMES_SUGGESTED; i++)
        say_talk(a, "  %d  %s", i + 1, names[i]);
    do
        exit = ask_name(j, names);
    while (ask_again(exit, ++tries));
    return exit;
}

/* ---- the profile ------------------------------------------------------------------ */

static int make_profile(struct join *j, struct bytes passphrase)
{
    struct app *a = j->app;
    struct profile_kdf kdf;
    int rc, exit;

    rc = profile_create(&a->profile, &kdf);
    if (rc == PROFILE_E_EXISTS)
        return say_fail(a, EXIT_SETUP, "profile-exists", _(W_PROFILE_EXISTS),
                        a->profile.name);
    if (rc == PROFILE_E_OPEN)
        return say_fail(a, EXIT_SETUP, "open-profile", _(W_PROFILE_OPEN), a->profile.name,
                        a->profile.dir);
    if (rc)
        return say_rc(a, rc);
    exit = app_derive_key(a, passphrase, &kdf);
    if (exit)
        return exit;
    rc = profile_hold(&a->profile);
    if (rc)
        return say_rc(a, rc < 0 ? rc : -EBUSY);
    exit = app_open_node(a, a->profile.db, true);
    if (exit)
        return exit;
    rc = node_join(a->node, &j->invite);
    if (rc == 0)
        rc = node_relay(a->node, j->relay.pk, j->relay.cohort);
    return rc ? say_rc(a, rc) : 0;
}

static void forget_profile(struct app *a)
{
    node_close(a->node);
    a->node = NULL;
    if (!a->guest && profile_destroy(&a->profile))
        say_talk(a, _(W_PROFILE_DISK), err_text(-EIO));
}

static int finish(struct join *j)
{
    struct app *a = j->app;
    struct status st;
    char cohort[3 * COHORT_NAME_BYTES_MAX + 1];
    json_t *o;
    int rc = node_status(a->node, &st);

    if (rc)
        return say_rc(a, rc);
    text_name((struct bytes){(const uint8_t *)st.cohort, strlen(st.cohort)}, cohort,
              sizeof cohort);
    if (!a->args.json) {
        say_line(a->guest ? _(W_JOINED_GUEST) : _(W_JOINED), st.name, cohort);
        return 0;
    }
    o = json_begin();
    json_text(o, "profile", a->guest ? NULL : a->profile.name);
    json_text(o, "cohort", st.cohort);
    json_text(o, "name", st.name);
    json_text(o, "role", "member");
    json_text(o, "card", "built-in");
    json_text(o, "fingerprint", st.fingerprint);
    json_number(o, "members", st.members);
    return say_json(a, o);
}

static int enrol(struct join *j)
{
    struct app *a = j->app;
    int exit;

    if (j->name[0]) {
        int rc = node_name(a->node, j->name);

        if (rc)
            return say_rc(a, rc);
    }
    exit = connect_for(j, PEER_ENROL);
    if (exit == 0)
        return finish(j);
    if (exit == -1 && j->ended && j->end.fate == PEER_REFUSED) {
        exit = say_end(j);
        forget_profile(a);
        return exit;
    }
    if (exit == EXIT_INTERRUPTED || a->guest)
        return exit == -1 ? say_end(j) : say_stopped(a, exit);
    exit = say_end(j);
    say_talk(a, "%s", _(W_JOIN_KEPT));
    return exit;
}

/* ---- the ways through ------------------------------------------------------------- */

static int join_again(struct join *j)
{
    struct app *a = j->app;
    struct profile_kdf kdf;
    struct status st;
    struct node_relay known;
    int rc, exit = app_read_kdf(a, &kdf);

    if (exit == 0)
        exit = app_get_key(a, &kdf);
    if (exit)
        return exit;
    rc = profile_hold(&a->profile);
    if (rc < 0)
        return say_rc(a, rc);
    if (rc)
        return say_fail(a, EXIT_SETUP, "profile-exists", _(W_PROFILE_EXISTS),
                        a->profile.name);
    a->holding = true;
    /* The interruption may have come before the database was there. */
    exit = app_open_profile(a, &kdf, true);
    if (exit)
        return exit;
    rc = node_status(a->node, &st);
    if (rc)
        return say_rc(a, rc);
    if (st.member == MEMBER_ENROLLED)
        return say_fail(a, EXIT_SETUP, "profile-exists", _(W_PROFILE_EXISTS),
                        a->profile.name);
    rc = node_relay_get(a->node, &known);
    if (st.member == MEMBER_NONE || rc) {
        exit = read_invite(j);
        rc = exit ? 0 : node_join(a->node, &j->invite);
        if (exit || rc)
            return exit ? exit : say_rc(a, rc);
    } else {
        say_talk(a, "%s", _(W_JOIN_GOING_ON));
        j->invite.address = known.address;
    }
    if (st.name[0] == '\0')
        exit = choose_name(j);
    return exit ? exit : enrol(j);
}

static int join_new(struct join *j)
{
    struct app *a = j->app;
    struct buf passphrase;
    int exit = read_invite(j);

    if (exit == 0)
        exit = look(j);
    if (exit)
        return exit;
    node_close(a->node);
    a->node = NULL;
    say_talk(a, "%s", _(W_NO_RECOVERY));
    buf_init(&passphrase, PROMPT_LINE_BYTES_MAX + 1);
    exit = app_ask_passphrase(a, true, &passphrase);
    if (exit == 0)
        exit = choose_name(j);
    if (exit == 0)
        exit = make_profile(j, buf_view(&passphrase));
    buf_free(&passphrase);
    return exit ? exit : enrol(j);
}

static int join_guest(struct join *j)
{
    struct app *a = j->app;
    int exit;

    a->guest = true;
    exit = read_invite(j);
    if (exit == 0)
        exit = look(j);
    if (exit == 0)
        exit = choose_name(j);
    if (exit == 0)
        exit = enrol(j);
    return exit ? exit : cmd_chat(a);
}

int cmd_join(struct app *a)
{
    struct join *j;
    int exit;

    if (a->args.offline)
        return say_fail(a, EXIT_USAGE, "offline", "%s", _(W_JOIN_OFFLINE));
    j = mem_zalloc(sizeof *j);
    if (j == NULL)
        return say_rc(a, -ENOMEM);
    j->app = a;
    if (a->args.guest) {
        exit = join_guest(j);
    } else {
        exit = app_locate(a);
        if (exit == 0)
            exit = profile_exists(&a->profile) ? join_again(j) : join_new(j);
    }
    secret_wipe(j, sizeof *j);
    mem_free(j);
    return exit;
}
