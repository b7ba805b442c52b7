/* SPDX-License-Identifier: Apache-2.0 */
/* kithd: the relay.  Reads its arguments and settings, gives up what it does not need,
 * runs one relay on one loop until a signal or kithctl ends it. */
#include "daemon/config.h"
#include "daemon/harden.h"
#include "daemon/notify.h"
#include "daemon/relay.h"
#include "lib/log.h"
#include "lib/secret.h"

#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    OPT_CONFIG = 256,
    OPT_DIR,
    OPT_CHECK,
    OPT_SHOW,
    OPT_CHANGED,
    OPT_FOREGROUND,
    OPT_VERSION
};

struct arguments {
    char dir[CONFIG_PATH_BYTES], config[CONFIG_PATH_BYTES];
    bool check, show, changed;
};

struct program {
    uv_loop_t loop;
    struct relay *relay;
    uv_signal_t term, interrupt, hup;
    struct notify_watchdog watchdog;
    bool ended;
    int code;
};

/* ---- arguments -------------------------------------------------------------------- */

static const struct argp_option options[] = {
    {"dir", OPT_DIR, "DIR", 0,
     "The relay's folder (/var/lib/kithd for root, else $XDG_DATA_HOME/kithd)", 0},
    {"config", OPT_CONFIG, "FILE", 0, "The configuration (DIR/kithd.conf)", 0},
    {"check", OPT_CHECK, NULL, 0,
     "Read the configuration, say what is wrong with it, and end", 0},
    {"show-config", OPT_SHOW, NULL, 0,
     "Print the settings that would be in force, and end", 0},
    {"changed", OPT_CHANGED, NULL, 0,
     "With --show-config: only those that differ from defaults", 0},
    {"foreground", OPT_FOREGROUND, NULL, 0, "Stay in the foreground (kithd always does)",
     0},
    {"help", 'h', NULL, 0, "Say this, and end", 0},
    {"version", OPT_VERSION, NULL, 0, "Say which kithd this is, and end", 0},
    {0},
};

static const struct argp argp;

/* One line, as long as what was typed is one. */
static void refuse(const char *word, const char *why)
{
    int shown = 0;

    while (word[shown] >= 0x20 && word[shown] < 0x7f)
        shown++;
    (void)fprintf(stderr, "kithd: %.*s: %s. See: kithd --help\n", shown, word, why);
    exit(EX_USAGE);
}

/* getopt stopped at this word. */
static void refuse_flag(const char *word)
{
    bool known = strcmp(word, "--dir") == 0 || strcmp(word, "--config") == 0;

    refuse(word, known ? "wants a value" : "there is no such flag");
}

static void copy_path(char out[CONFIG_PATH_BYTES], const char *flag, const char *arg)
{
    int n = snprintf(out, CONFIG_PATH_BYTES, "%s", arg);

    if (n <= 0 || n >= CONFIG_PATH_BYTES)
        refuse(flag, "a path has 1 to 4,095 bytes");
}

static error_t on_option(int key, char *arg, struct argp_state *state)
{
    struct arguments *a = state->input;

    switch (key) {
    case OPT_DIR:
        copy_path(a->dir, "--dir", arg);
        break;
    case OPT_CONFIG:
        copy_path(a->config, "--config", arg);
        break;
    case OPT_CHECK:
        a->check = true;
        break;
    case OPT_SHOW:
        a->show = true;
        break;
    case OPT_CHANGED:
        a->changed = true;
        break;
    case OPT_FOREGROUND:
        break;
    case 'h':
        argp_help(&argp, stdout, ARGP_HELP_LONG | ARGP_HELP_DOC, (char *)"kithd");
        exit(0);
    case OPT_VERSION:
        (void)puts("kithd " KITH_VERSION);
        exit(0);
    case ARGP_KEY_ARG:
        refuse(arg, "kithd takes no verbs; kithctl does");
        break;
    case ARGP_KEY_ERROR:
        refuse_flag(state->argv[state->next - 1]);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp argp = {
    options,
    on_option,
    NULL,
    "kithd - the relay of a kith cohort: carries sealed envelopes and knows nothing "
    "worth taking.\v"
    "kithctl up makes a relay and starts it.",
    NULL,
    NULL,
    NULL};

/* ---- settings --------------------------------------------------------------------- */

static int complete_paths(struct arguments *a)
{
    int rc = a->dir[0] == '\0' ? config_default_dir(a->dir) : 0;
    int n;

    if (rc || a->config[0] != '\0')
        return rc;
    n = snprintf(a->config, sizeof a->config, "%s/kithd.conf", a->dir);
    return n < 0 || (size_t)n >= sizeof a->config ? -ENAMETOOLONG : 0;
}

static int read_config(const struct arguments *a, struct config *config)
{
    struct config_problems problems = {0};
    int rc = config_load(a->config, config, &problems);

    for (size_t i = 0; i < problems.count; i++)
        (void)fprintf(stderr, "%s\n", problems.line[i]);
    if (rc == CONFIG_E_BAD)
        (void)fprintf(stderr,
                      "kithd: %zu problem%s in the configuration. Nothing was started. "
                      "Mend it, then run: kithd --check --config %s\n",
                      problems.count, problems.count == 1 ? "" : "s", a->config);
    else if (rc == CONFIG_E_ABSENT)
        (void)fprintf(stderr,
                      "kithd: there is no configuration at %s. Nothing was started. "
                      "Run: kithctl up\n",
                      a->config);
    else if (rc)
        (void)fprintf(stderr, "kithd: the configuration can't be read: %s.\n",
                      err_text(rc));
    config_problems_free(&problems);
    return rc == 0 ? 0 : rc < 0 ? EX_IOERR : EX_CONFIG;
}

static void print_line(const char *text, void *unused)
{
    (void)unused;
    (void)puts(text);
}

/* ---- running ---------------------------------------------------------------------- */

static void on_stopped(int code, void *arg)
{
    struct program *p = arg;

    p->ended = true;
    p->code = code;
    uv_close((uv_handle_t *)&p->term, NULL);
    uv_close((uv_handle_t *)&p->interrupt, NULL);
    uv_close((uv_handle_t *)&p->hup, NULL);
    notify_watchdog_stop(&p->watchdog);
    log_notice("stopped");
    if (code != 0) /* whatever hangs there is not waited for */
        uv_stop(&p->loop);
}

static void on_end(uv_signal_t *s, int number)
{
    struct program *p = s->data;

    (void)number;
    log_notice("stopping: what was read is committed and answered first");
    notify_stopping();
    relay_stop(p->relay);
}

static void on_hup(uv_signal_t *s, int number)
{
    struct program *p = s->data;
    struct config_problems problems = {0};

    (void)number;
    notify_reloading();
    relay_reload(p->relay, &problems, NULL, NULL); /* it has logged its verdict */
    config_problems_free(&problems);
    notify_ready("running");
}

static int watch(struct program *p, uv_signal_t *s, uv_signal_cb cb, int number)
{
    int rc = uv_signal_init(&p->loop, s);

    s->data = p;
    return rc ? rc : uv_signal_start(s, cb, number);
}

static int start(struct program *p, const struct arguments *a,
                 const struct config *config, char why[RELAY_WHY_BYTES])
{
    int fds[NOTIFY_FDS_MAX];
    struct relay_options o = {
        .dir = a->dir,
        .config_file = a->config,
        .config = *config,
        .clock = clock_system(),
        .limits = relay_limits_default(),
        .fds = fds,
        .fds_n = notify_sockets(fds),
        .stopped = on_stopped,
        .stopped_arg = p,
    };

    return relay_start(&p->loop, &o, &p->relay, why);
}

static int exit_code(int rc)
{
    if (rc == RELAY_E_CONFIG)
        return EX_CONFIG;
    if (rc == -EADDRINUSE || rc == -EACCES || rc == -EADDRNOTAVAIL || rc == -EAFNOSUPPORT)
        return EX_UNAVAILABLE;
    return EX_IOERR;
}

static int run(const struct arguments *a, const struct config *config)
{
    static struct program p; /* outlives main(): a thread may still look at its loop */
    char why[RELAY_WHY_BYTES] = "";
    int rc = uv_loop_init(&p.loop);

    if (rc) {
        (void)fprintf(stderr, "kithd: no event loop: %s.\n", err_text(rc));
        return EX_OSERR;
    }
    rc = start(&p, a, config, why);
    if (rc) {
        (void)fprintf(stderr, "kithd: %s\n", why);
        (void)uv_loop_close(&p.loop);
        return exit_code(rc);
    }
    if (watch(&p, &p.term, on_end, SIGTERM) || watch(&p, &p.interrupt, on_end, SIGINT) ||
        watch(&p, &p.hup, on_hup, SIGHUP) || harden_late()) {
        log_error("the relay can't watch for signals, or can't be confined");
        return EX_OSERR;
    }
    notify_watchdog_start(&p.watchdog, &p.loop);
    notify_ready("running");
    (void)uv_run(&p.loop, UV_RUN_DEFAULT);
    if (p.code != 0)
        _exit(p.code);
    (void)uv_loop_close(&p.loop);
    return p.code;
}

int main(int argc, char **argv)
{
    static struct arguments a;
    static struct config config;
    int rc = harden_early();

    if (rc == 0)
        rc = secret_start();
    if (rc) {
        (void)fprintf(stderr, "kithd: this machine refuses what kithd needs: %s.\n",
                      err_text(rc));
        return EX_OSERR;
    }
    (void)argp_parse(&argp, argc, argv, ARGP_IN_ORDER | ARGP_NO_HELP | ARGP_NO_ERRS, NULL,
                     &a);
    rc = complete_paths(&a);
    if (rc) {
        (void)fprintf(stderr, "kithd: no folder to work in (%s). Name one with --dir.\n",
                      err_text(rc));
        return EX_CONFIG;
    }
    rc = read_config(&a, &config);
    if (rc)
        return rc;
    if (a.show)
        config_show(&config, a.changed, print_line, NULL);
    if (a.check && !a.show)
        (void)printf("%s: no problems.\n", a.config);
    if (a.show || a.check)
        return 0;
    log_start("kithd", config.log);
    return run(&a, &config);
}
