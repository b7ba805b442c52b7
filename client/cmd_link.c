/* SPDX-License-Identifier: Apache-2.0 */
/* link, accept-link, verify: two people find each other, and make sure of it. */
#include "client/cmd.h"
#include "client/prompt.h"
#include "client/say.h"
#include "client/ui/qr.h"
#include "client/ui/words.h"
#include "lib/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LINK_HOURS = 7 * 24,
    LINK_INPUT_MAX = 4096,
    ACCEPT_GRACE_MS = 3000, /* an inviter who is online answers within this */
};

/* ---- link ------------------------------------------------------------------------- */

struct offer {
    int64_t conv;
    char text[LINK_CHARS + 1];
    int rc;
};

/* A link that never got to the relay is as good as a new one. */
static void find_waiting(const struct conversation *c, void *arg)
{
    struct offer *o = arg;

    if (c->state == CONV_OFFERING && !c->taker)
        o->conv = c->id;
}

static bool has_text(struct app *a, void *arg)
{
    struct offer *o = arg;

    o->rc = node_link_text(a->node, o->conv, o->text);
    return o->rc != NODE_E_NONE || app_gave_up(a);
}

static void print_qr(const struct app *a, const char *text)
{
    struct buf lines;
    enum qr_style style = a->args.plain || a->args.color == COLOR_NEVER ? QR_ASCII
                                                                        : QR_BLOCKS;
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

    if ((no_color && no_color[0] && a->args.color == COLOR_AUTO) ||
        (term && strcmp(term, "dumb") == 0))
        style = QR_ASCII;
    if (a->args.color != COLOR_ALWAYS && !isatty(STDOUT_FILENO))
        return;
    buf_init(&lines, 1 << 20);
    if (qr_draw(text, style, &lines))
        say_talk(a, "%s", _(W_LINK_QR_LONG));
    else
        (void)fwrite(lines.p, 1, lines.n, stdout);
    (void)fflush(stdout);
    buf_free(&lines);
}

static int print_link(struct app *a, const struct offer *o)
{
    struct conversation c;
    char until[64];
    json_t *j;
    int rc = node_conv(a->node, o->conv, &c);

    if (rc)
        return say_rc(a, rc);
    say_when(c.link_until_s, until, sizeof until);
    if (a->args.json) {
        j = json_begin();
        json_text(j, "link", o->text);
        json_id(j, "conv", 'c', o->conv);
        json_time(j, "expires", c.link_until_s);
        return say_json(a, j);
    }
    say_talk(a, _(W_LINK_SHOW), until);
    say_line("%s", o->text);
    print_qr(a, o->text);
    say_talk(a, _(W_LINK_NEXT), (long long)o->conv);
    return 0;
}

static int begin_link(struct app *a, struct offer *o)
{
    uint32_t hours = a->args.expires_hours ? a->args.expires_hours : LINK_HOURS;
    int rc = 0;

    if (a->args.expires_hours == 0)
        rc = node_convs(a->node, find_waiting, o);
    if (rc == 0 && o->conv == 0)
        rc = node_link_begin(a->node, hours * 3600, &o->conv);
    return rc;
}

static int queued_link(struct app *a, const struct offer *o, int exit)
{
    json_t *j;

    if (exit && exit != EXIT_TIMEOUT)
        return say_stopped(a, exit);
    if (a->args.json) {
        j = json_begin();
        json_text(j, "link", NULL);
        json_id(j, "conv", 'c', o->conv);
        if (say_json(a, j))
            return EXIT_BUG;
    }
    return say_fail(a, EXIT_QUEUED, "queued", _(W_LINK_LATER), (long long)o->conv);
}

int cmd_link(struct app *a)
{
    struct offer o = {0};
    struct conversation c;
    int rc, exit = app_unlock(a);

    if (exit)
        return exit;
    if (a->args.words_n > 0) {
        exit = say_find_conv(a, a->args.words[0], &c);
        if (exit)
            return exit;
        o.conv = c.id;
    } else {
        rc = begin_link(a, &o);
        if (rc)
            return say_rc(a, rc);
    }
    if (node_link_text(a->node, o.conv, o.text) == 0)
        return print_link(a, &o);
    if (a->args.offline)
        return queued_link(a, &o, 0);
    say_talk(a, "%s", _(W_LINK_MAKING));
    app_online(a);
    app_poke(a);
    exit = app_wait(a, has_text, &o, app_timeout_ms(a, APP_TIMEOUT_MS));
    if (exit || o.rc == NODE_E_NONE)
        exit = queued_link(a, &o, exit);
    else
        exit = o.rc ? say_rc(a, o.rc) : print_link(a, &o);
    secret_wipe(&o, sizeof o);
    return exit;
}

/* ---- accept-link ------------------------------------------------------------------ */

static int say_link_error(struct app *a, int rc, int64_t conv)
{
    switch (rc) {
    case NODE_E_LINK_FORM:
        return say_fail(a, EXIT_DATA, "not-a-link", "%s", _(W_LINK_FORM));
    case NODE_E_LINK_KIND:
        return say_fail(a, EXIT_DATA, "not-a-link", "%s", _(W_LINK_IS_INVITE));
    case NODE_E_LINK_CHECK:
        return say_fail(a, EXIT_DATA, "link-mistyped", "%s", _(W_LINK_CHECK));
    case NODE_E_LINK_COHORT:
        return say_fail(a, EXIT_DATA, "link-cohort", "%s", _(W_LINK_COHORT));
    case NODE_E_LINK_EXPIRED:
        return say_fail(a, EXIT_DATA, "link-expired", "%s", _(W_LINK_EXPIRED));
    case NODE_E_LINK_OWN:
        return say_fail(a, EXIT_DATA, "link-own", "%s", _(W_LINK_OWN));
    case NODE_E_LINK_AGAIN:
        return say_fail(a, EXIT_DATA, "link-again", _(W_LINK_AGAIN), (long long)conv);
    default:
        return say_rc(a, rc);
    }
}

static int read_link_once(struct app *a, int64_t *conv)
{
    struct buf text;
    int rc, exit = 0;

    buf_init(&text, LINK_INPUT_MAX + 1);
    rc = prompt_stdin_is_terminal() ? prompt_line(_(W_ASK_LINK), &text)
                                    : prompt_all(LINK_INPUT_MAX, &text);
    if (rc == PROMPT_E_INTERRUPTED)
        exit = say_fail(a, EXIT_INTERRUPTED, "interrupted", "%s", _(W_INTERRUPTED));
    else if (rc == -EFBIG || rc > 0)
        exit = say_link_error(a, NODE_E_LINK_FORM, 0);
    else if (rc)
        exit = say_rc(a, rc);
    if (exit == 0) {
        rc = node_link_take(a->node, (const char *)text.p, text.n, conv);
        if (rc)
            exit = say_link_error(a, rc, *conv);
    }
    buf_free(&text);
    return exit;
}

static int read_link(struct app *a, int64_t *conv)
{
    int exit, tries = 1;

    if (prompt_stdin_is_terminal() && a->args.no_input)
        return say_fail(a, EXIT_USAGE, "no-input", "%s", _(W_NO_INPUT_LINK));
    do
        exit = read_link_once(a, conv);
    while (exit == EXIT_DATA && prompt_stdin_is_terminal() && tries++ < PROMPT_TRIES);
    return exit;
}

struct take {
    int64_t conv;
    bool whole; /* wait for their device as well */
    struct conversation now;
    int rc;
};

static bool is_taken(struct app *a, void *arg)
{
    struct take *t = arg;

    t->rc = node_conv(a->node, t->conv, &t->now);
    if (t->rc || t->now.state >= CONV_LINKED)
        return true;
    return t->whole ? false : t->now.state == CONV_TAKEN || app_gave_up(a);
}

static int say_failed(struct app *a, enum conv_why why)
{
    switch (why) {
    case CONV_WHY_NOT_FOUND:
        return say_fail(a, EXIT_DATA, "link-not-found", "%s", _(W_LINK_NOT_FOUND));
    case CONV_WHY_TAKEN:
        return say_fail(a, EXIT_DATA, "link-taken", "%s", _(W_LINK_TAKEN));
    case CONV_WHY_DAMAGED:
        return say_fail(a, EXIT_DATA, "link-damaged", "%s", _(W_LINK_DAMAGED));
    case CONV_WHY_REFUSED:
        return say_fail(a, EXIT_DATA, "link-refused", "%s", _(W_LINK_REFUSED));
    default:
        return say_fail(a, EXIT_DATA, "link-expired", "%s", _(W_LINK_EXPIRED));
    }
}

static int say_taken(struct app *a, const struct take *t)
{
    char name[APP_NAME_ROOM];
    bool going = t->now.state == CONV_TAKEN || t->now.state == CONV_LINKED;
    json_t *j;

    if (t->now.state == CONV_FAILED)
        return say_failed(a, t->now.why);
    say_name(&t->now, name);
    if (a->args.json) {
        j = json_begin();
        json_id(j, "conv", 'c', t->conv);
        json_text(j, "name", t->now.name);
        json_text(j, "state", say_conv_key(&t->now));
        if (say_json(a, j))
            return EXIT_BUG;
    } else if (t->now.state == CONV_LINKED) {
        say_line(_(W_LINK_DONE), name, (long long)t->conv, (long long)t->conv);
    } else if (going) {
        say_line(_(W_LINK_WAITS), (long long)t->conv);
    }
    return going
               ? 0
               : say_fail(a, EXIT_QUEUED, "queued", _(W_LINK_QUEUED), (long long)t->conv);
}

int cmd_accept_link(struct app *a)
{
    struct take t = {0};
    int exit = app_unlock(a);

    if (exit == 0)
        exit = read_link(a, &t.conv);
    if (exit)
        return exit;
    app_online(a);
    app_poke(a);
    if (!a->args.offline)
        exit = app_wait(a, is_taken, &t, app_timeout_ms(a, APP_TIMEOUT_MS));
    if (exit == 0 && t.rc == 0 && t.now.state == CONV_TAKEN) {
        t.whole = true;
        exit = app_wait(a, is_taken, &t, ACCEPT_GRACE_MS);
    }
    if (exit && exit != EXIT_TIMEOUT)
        return say_stopped(a, exit);
    t.rc = node_conv(a->node, t.conv, &t.now);
    return t.rc ? say_rc(a, t.rc) : say_taken(a, &t);
}

/* ---- verify ----------------------------------------------------------------------- */

static int ask_same(struct app *a, const struct conversation *c, const char *name)
{
    bool yes;
    int rc = prompt_yes(_(W_VERIFY_ASK), &yes);

    if (rc == PROMPT_E_INTERRUPTED)
        return say_fail(a, EXIT_INTERRUPTED, "interrupted", "%s", _(W_INTERRUPTED));
    if (rc) {
        say_talk(a, _(W_VERIFY_OPEN), (long long)c->id);
        return 0;
    }
    rc = node_verified(a->node, c->id, yes);
    if (rc)
        return say_rc(a, rc);
    if (yes)
        say_talk(a, _(W_VERIFY_YES), name);
    else
        say_talk(a, "%s", _(W_VERIFY_NO));
    return 0;
}

static int print_words(struct app *a, const char *words[VERIFY_WORDS], bool verified)
{
    json_t *j, *list;

    if (!a->args.json) {
        say_line("  %s %s %s %s %s %s", words[0], words[1], words[2], words[3], words[4],
                 words[5]);
        return 0;
    }
    j = json_begin();
    list = json_array();
    for (size_t i = 0; i < VERIFY_WORDS; i++)
        (void)json_array_append_new(list, json_string(words[i]));
    (void)json_object_set_new(j, "words", list);
    json_flag(j, "verified", verified);
    return say_json(a, j);
}

int cmd_verify(struct app *a)
{
    const char *words[VERIFY_WORDS];
    struct conversation c;
    char name[APP_NAME_ROOM];
    int rc, exit = app_unlock(a);

    if (exit == 0)
        exit = say_find_conv(a, a->args.words[0], &c);
    if (exit)
        return exit;
    rc = app_words(a, c.id, words);
    if (rc == NODE_E_NONE)
        return say_fail(a, EXIT_NOT_FOUND, "too-early", "%s", _(W_VERIFY_EARLY));
    if (rc)
        return say_rc(a, rc);
    say_name(&c, name);
    say_talk(a, _(W_VERIFY_WORDS), name);
    if (a->args.no_input || a->args.json)
        return print_words(a, words, c.verified);
    exit = print_words(a, words, c.verified);
    return exit ? exit : ask_same(a, &c, name);
}
