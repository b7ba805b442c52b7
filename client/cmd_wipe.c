/* SPDX-License-Identifier: Apache-2.0 */
/* forget, wipe, lock: taking things away.  wipe --all needs no passphrase: who can reach
 * the folder can delete it in any case, and who needs it gone may not have the time. */
#include "client/cmd.h"
#include "client/prompt.h"
#include "client/say.h"
#include "client/ui/words.h"

#include <string.h>
#include <strings.h>

enum { LET_GO_MS = 3000 };

static int say_wiped(struct app *a, const char *key, const char *what, const char *words)
{
    json_t *o;

    if (!a->args.json) {
        say_line("%s", words);
        return 0;
    }
    o = json_begin();
    json_text(o, key, what);
    return say_json(a, o);
}

/* ---- forget ----------------------------------------------------------------------- */

static int forget_message(struct app *a, int64_t id)
{
    int rc = node_forget_message(a->node, id);

    if (rc == NODE_E_NONE)
        return say_fail(a, EXIT_NOT_FOUND, "no-message", _(W_NO_MESSAGE),
                        a->args.words[0]);
    return rc ? say_rc(a, rc)
              : say_wiped(a, "forgotten", a->args.words[0], _(W_FORGOTTEN));
}

static int forget_conv(struct app *a, const struct conversation *c, const char *key,
                       const char *words)
{
    char id[32];
    int rc = node_forget(a->node, c->id);

    if (rc)
        return say_rc(a, rc);
    app_poke(a);
    (void)snprintf(id, sizeof id, "c%lld", (long long)c->id);
    return say_wiped(a, key, id, words);
}

int cmd_forget(struct app *a)
{
    struct conversation c;
    int64_t id = say_id('m', a->args.words[0]);
    int exit = app_unlock(a);

    if (exit)
        return exit;
    if (id > 0)
        return forget_message(a, id);
    exit = say_find_conv(a, a->args.words[0], &c);
    return exit ? exit : forget_conv(a, &c, "forgotten", _(W_FORGOTTEN));
}

/* ---- wipe ------------------------------------------------------------------------- */

/* Asked once: whoever types another name does not want this. */
static int ask_name(const char *question, const char *want, bool *same)
{
    struct buf line;
    int rc;

    buf_init(&line, PROMPT_LINE_BYTES_MAX + 1);
    rc = prompt_line(question, &line);
    *same = rc == 0 && line.n == strlen(want) && memcmp(line.p, want, line.n) == 0;
    buf_free(&line);
    return rc;
}

/* The person's answer to a question, or --confirm.  0: go on; else an exit code, said. */
static int confirm(struct app *a, const char *question, const char *want,
                   bool yes_will_do)
{
    const char *how = yes_will_do ? _(W_WIPE_CONFIRM_CONV) : _(W_WIPE_CONFIRM);
    bool same;
    int rc;

    if (a->args.confirm) {
        same = strcasecmp(a->args.confirm, want) == 0;
        return same ? 0 : say_fail(a, EXIT_USAGE, "not-confirmed", how, want, want);
    }
    if (a->args.no_input)
        return say_fail(a, EXIT_USAGE, "not-confirmed", how, want, want);
    rc = yes_will_do ? prompt_yes(question, &same) : ask_name(question, want, &same);
    if (rc == PROMPT_E_INTERRUPTED)
        return say_fail(a, EXIT_INTERRUPTED, "interrupted", "%s", _(W_WIPE_NOT));
    return same ? 0 : say_fail(a, EXIT_USAGE, "not-confirmed", "%s", _(W_WIPE_NOT));
}

static bool is_free(struct app *a, void *arg)
{
    int *rc = arg;

    *rc = profile_hold(&a->profile);
    return *rc != PROFILE_E_HELD;
}

static int wipe_all(struct app *a)
{
    char question[512], done[512];
    const char *name = a->profile.name;
    int rc = 0, exit = app_locate(a);

    if (exit)
        return exit;
    if (!profile_exists(&a->profile))
        return say_fail(a, EXIT_SETUP, "no-profile", _(W_PROFILE_NONE), name);
    (void)snprintf(question, sizeof question, _(W_ASK_WIPE_ALL), name);
    exit = confirm(a, question, name, false);
    if (exit)
        return exit;
    if (holder_lock(&a->profile) == 0)
        say_talk(a, "%s", _(W_LOCKED));
    exit = app_wait(a, is_free, &rc, LET_GO_MS);
    if (exit == EXIT_TIMEOUT)
        return say_fail(a, EXIT_LOCKED, "held", "%s", _(W_WIPE_HELD));
    if (exit)
        return say_stopped(a, exit);
    if (rc == 0)
        rc = profile_destroy(&a->profile);
    if (rc)
        return say_rc(a, rc);
    (void)snprintf(done, sizeof done, _(W_WIPED_ALL), name);
    return say_wiped(a, "wiped", name, done);
}

int cmd_wipe(struct app *a)
{
    struct conversation c;
    char question[APP_NAME_ROOM + 128], name[APP_NAME_ROOM];
    int exit;

    if (a->args.all == (a->args.words_n > 0))
        return say_fail(a, EXIT_USAGE, "usage", "%s", _(W_WIPE_WHAT));
    if (a->args.all)
        return wipe_all(a);
    exit = app_unlock(a);
    if (exit == 0)
        exit = say_find_conv(a, a->args.words[0], &c);
    if (exit)
        return exit;
    say_name(&c, name);
    (void)snprintf(question, sizeof question, _(W_ASK_WIPE_CONV), name);
    exit = confirm(a, question, a->args.words[0], true);
    return exit ? exit : forget_conv(a, &c, "wiped", _(W_WIPED_CONV));
}

/* ---- lock ------------------------------------------------------------------------- */

/* Nobody answered: either nobody holds, or a holder cannot be reached, and then its key
 * is still lent.  0 or an exit code, said. */
static int nobody_holds(struct app *a)
{
    int rc = 0, exit = app_wait(a, is_free, &rc, APP_HANDOVER_MS);

    if (exit == EXIT_TIMEOUT)
        return say_fail(a, EXIT_LOCKED, "held", "%s", _(W_LOCK_HELD));
    if (exit)
        return say_stopped(a, exit);
    return rc ? say_rc(a, rc) : 0;
}

int cmd_lock(struct app *a)
{
    json_t *o;
    int exit = app_locate(a);
    bool locked;

    if (exit)
        return exit;
    if (!profile_exists(&a->profile))
        return say_fail(a, EXIT_SETUP, "no-profile", _(W_PROFILE_NONE), a->profile.name);
    locked = holder_lock(&a->profile) == 0;
    exit = locked ? 0 : nobody_holds(a);
    if (exit)
        return exit;
    if (a->args.json) {
        o = json_begin();
        json_flag(o, "locked", locked);
        return say_json(a, o);
    }
    say_line("%s", locked ? _(W_LOCKED) : _(W_NOT_UNLOCKED));
    return 0;
}
