/* SPDX-License-Identifier: Apache-2.0 */
/* kith: the person's side.
 * Flow     argv -> args -> app -> cmd_* -> exit code. */
#include "client/cmd.h"
#include "client/platform.h"
#include "client/prompt.h"
#include "client/say.h"
#include "client/ui/words.h"
#include "lib/log.h"
#include "lib/secret.h"

#include <string.h>
#include <sys/stat.h>

typedef int cmd_fn(struct app *a);
static cmd_fn *const commands[VERB_COUNT] = {
    [VERB_CHAT] = cmd_chat,     [VERB_JOIN] = cmd_join,
    [VERB_LINK] = cmd_link,     [VERB_ACCEPT_LINK] = cmd_accept_link,
    [VERB_VERIFY] = cmd_verify, [VERB_SEND] = cmd_send,
    [VERB_READ] = cmd_read,     [VERB_LIST] = cmd_list,
    [VERB_STATUS] = cmd_status, [VERB_ALARMS] = cmd_alarms,
    [VERB_LIMITS] = cmd_limits, [VERB_CRISIS] = cmd_crisis,
    [VERB_FORGET] = cmd_forget, [VERB_WIPE] = cmd_wipe,
    [VERB_LOCK] = cmd_lock,
};

/* ---- what was wrong with the arguments -------------------------------------------- */

static int say_text_inside(const struct app *a, const struct args_problem *p)
{
    const char *conv = a->args.words_n > 0 ? a->args.words[0] : "CONV";
    char form[256];

    if (p->verb == VERB_SEND)
        (void)snprintf(form, sizeof form, _(W_FORM_SEND), conv, conv);
    else
        (void)snprintf(form, sizeof form, "%s",
                       p->verb == VERB_JOIN ? _(W_FORM_JOIN) : _(W_FORM_ACCEPT));
    return say_fail(a, EXIT_USAGE, "text-in-arguments", _(W_TEXT_INSIDE), form);
}

static int say_problem(const struct app *a, const struct args_problem *p)
{
    const char *verb = args_verb_name(p->verb);

    switch (p->error) {
    case ARGS_E_FLAG:
        return p->guess ? say_fail(a, EXIT_USAGE, "usage", _(W_NO_FLAG_GUESS), p->what,
                                   p->guess)
                        : say_fail(a, EXIT_USAGE, "usage", _(W_NO_FLAG), p->what);
    case ARGS_E_VERB:
        return p->guess ? say_fail(a, EXIT_USAGE, "usage", _(W_NO_VERB_GUESS), p->what,
                                   p->guess)
                        : say_fail(a, EXIT_USAGE, "usage", _(W_NO_VERB), p->what);
    case ARGS_E_NO_VALUE:
        return say_fail(a, EXIT_USAGE, "usage", _(W_FLAG_NO_VALUE), p->what);
    case ARGS_E_HAS_VALUE:
        return say_fail(a, EXIT_USAGE, "usage", _(W_FLAG_HAS_VALUE), p->what);
    case ARGS_E_VALUE:
        return say_fail(a, EXIT_USAGE, "usage", _(W_FLAG_VALUE), p->what, p->guess);
    case ARGS_E_NOT_HERE:
        if (strcmp(p->what, "--guest") == 0)
            return say_fail(a, EXIT_USAGE, "usage", "%s", _(W_GUEST_ONLY));
        return say_fail(a, EXIT_USAGE, "usage", _(W_FLAG_NOT_HERE), p->what, verb, verb);
    case ARGS_E_MISSING:
        if (p->verb == VERB_FORGET)
            return say_fail(a, EXIT_USAGE, "usage", "%s", _(W_MISSING_WHAT));
        return say_fail(a, EXIT_USAGE, "usage", _(W_MISSING_CONV), verb);
    case ARGS_E_EXTRA:
        return say_fail(a, EXIT_USAGE, "usage", _(W_EXTRA), p->what, verb);
    case ARGS_E_TEXT_INSIDE:
        return say_text_inside(a, p);
    }
    return EXIT_USAGE;
}

/* ---- help ------------------------------------------------------------------------- */

static int help(const struct app *a)
{
    const char *line;
    size_t i = 0;

    if (a->args.has_verb)
        for (; (line = words_example(args_verb_name(a->args.verb), i)) != NULL; i++)
            say_line("%s", line);
    else
        for (; (line = words_line(PAGE_HELP, i)) != NULL; i++)
            say_line("%s", line);
    return 0;
}

/* An alarm must not go unseen because the command was about something else. */
static void say_alarms(struct app *a)
{
    struct status st;
    char count[128];

    if (a->args.verb == VERB_ALARMS || a->args.verb == VERB_CHAT || a->args.json ||
        a->node == NULL || node_status(a->node, &st) || st.alarms == 0)
        return;
    words_count(COUNT_ALARMS, st.alarms, count, sizeof count);
    (void)fprintf(stderr, "kith: %s\n", count);
}

/* A result that did not arrive is not a result. */
static int written(const struct app *a, int exit)
{
    return exit ? exit : say_written(a);
}

/* ---- main ------------------------------------------------------------------------- */

static bool wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}

static enum log_level level(const struct args *args)
{
    static const enum log_level more[] = {LOG_LEVEL_WARN, LOG_LEVEL_NOTICE,
                                          LOG_LEVEL_INFO};

    if (args->quiet)
        return LOG_LEVEL_ERROR;
    return args->verbose < 3 ? more[args->verbose] : LOG_LEVEL_DEBUG;
}

int main(int argc, char **argv)
{
    static struct app app;
    struct args args;
    struct args_problem problem;
    int exit;

    words_start();
    json_start();
    (void)umask(077);
    log_start("kith", LOG_LEVEL_WARN);
    if (args_read(argc, argv, &args, &problem)) {
        app.args = args;
        app.args.json = wants_json(argc, argv);
        return say_problem(&app, &problem);
    }
    app.args = args;
    if (args.version) {
        say_line("kith %s", KITH_VERSION);
        return written(&app, 0);
    }
    if (args.help)
        return written(&app, help(&app));
    log_set_level(level(&args));
    /* Before anything that can fail: the card needs neither keys nor a network. */
    if (args.verb == VERB_CRISIS)
        return written(&app, cmd_crisis(&app));
    if (args.verb == VERB_LIMITS)
        return written(&app, cmd_limits(&app));
    platform_forbid_dumps();
    if (secret_start())
        return say_fail(&app, EXIT_BUG, "internal", _(W_BUG), "libsodium");
    exit = app_start(&app, &args);
    if (exit)
        return exit;
    exit = written(&app, commands[args.verb](&app));
    /* Whoever leaves a chat wants to be gone; every other command ends by itself. */
    if (args.verb != VERB_CHAT && !app.guest && exit != EXIT_INTERRUPTED &&
        exit != EXIT_LOCKED)
        app_tell(&app);
    say_alarms(&app);
    if (exit)
        prompt_drop_typed();
    return app_close(&app, exit);
}
