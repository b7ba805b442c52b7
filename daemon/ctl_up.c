/* SPDX-License-Identifier: Apache-2.0 */
/* ctl_up: a running relay and an invite out of nothing; run again, it only reports.
 *
 *   ctl_up -> prepare (settings, keys) -> ctl_spawn -> check_port -> report ->
 * [ctl_spawn_wait] */
#include "daemon/ctl_invite.h"
#include "daemon/ctl_port.h"
#include "daemon/ctl_say.h"
#include "daemon/ctl_spawn.h"
#include "daemon/ctl_words.h"
#include "daemon/keys.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_loopback(const struct address *a)
{
    return strcmp(a->host, "localhost") == 0 || strcmp(a->host, "::1") == 0 ||
           strncmp(a->host, "127.", 4) == 0;
}

static void listen_on(struct config *config, const char *host, uint16_t port)
{
    struct address *a = &config->listen[config->listen_n++];

    (void)snprintf(a->host, sizeof a->host, "%s", host);
    a->port = port;
}

/* A name that only this machine knows is listened to on this machine only. */
static int choose_address(const struct ctl *c, struct config *config)
{
    const char *host = c->host != NULL ? c->host : "127.0.0.1";
    struct address a;

    if (address_parse(host, strlen(host), &a))
        return ctl_fail(c, CTL_USAGE, "usage", W_BAD_HOST, host);
    address_print(&a, config->address);
    config->listen_n = 0;
    if (is_loopback(&a)) {
        listen_on(config, strcmp(a.host, "localhost") == 0 ? "127.0.0.1" : a.host,
                  a.port);
    } else {
        listen_on(config, "0.0.0.0", a.port);
        listen_on(config, "::", a.port);
    }
    return CTL_DONE;
}

/* Text that its members' screens and the settings' file both take as it is. */
static bool is_plain(const char *name)
{
    for (const char *p = name; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return false;
    return strpbrk(name, "\"\\$") == NULL &&
           utf8_valid((struct bytes){(const uint8_t *)name, strlen(name)});
}

static int choose_name(const struct ctl *c, struct config *config)
{
    char line[4 * COHORT_NAME_BYTES_MAX];
    const char *name = c->name;
    size_t n;

    if (name == NULL) {
        if (c->no_input || c->json || !isatty(STDIN_FILENO))
            return ctl_fail(c, CTL_USAGE, "usage", "%s", W_WANT_NAME);
        (void)fputs(W_ASK_NAME, stderr);
        if (fgets(line, sizeof line, stdin) == NULL)
            return ctl_fail(c, CTL_USAGE, "usage", "%s", W_WANT_NAME);
        line[strcspn(line, "\n")] = '\0';
        name = line;
    }
    n = strlen(name);
    if (n < 1 || n > COHORT_NAME_BYTES_MAX || !is_plain(name))
        return ctl_fail(c, CTL_USAGE, "usage", "%s", W_BAD_NAME);
    memcpy(config->name, name, n + 1);
    return CTL_DONE;
}

static int write_config(const struct ctl *c, const char *path, struct config *config)
{
    int exit = choose_name(c, config);
    int rc;

    if (exit == CTL_DONE)
        exit = choose_address(c, config);
    if (exit != CTL_DONE)
        return exit;
    if (c->members != 0)
        config->members = c->members;
    rc = file_mkdirs(c->dir, 0700);
    if (rc == 0)
        rc = config_create(path, config);
    if (rc == -EINVAL)
        return ctl_fail(c, CTL_USAGE, "usage", "%s", W_BAD_NAME);
    return rc ? ctl_fail(c, CTL_DISK, "disk", W_CANNOT_WRITE, c->dir, err_text(rc))
              : CTL_DONE;
}

static int tell_problems(const struct ctl *c, const struct config_problems *problems)
{
    for (size_t i = 0; i < problems->count && !c->json; i++)
        (void)fprintf(stderr, "%s\n", problems->line[i]);
    return ctl_fail(c, CTL_CONFIG, "bad-config", W_SETTINGS_BAD, problems->count,
                    problems->count == 1 ? W_PROBLEM : W_PROBLEMS);
}

static int make_keys(const struct ctl *c, const struct config *config, bool *fresh)
{
    const struct keys_want want = {
        .name = config->name,
        .address = config->address,
        .mail_buckets = config->mail_buckets,
        .members = config->members,
        .retention_days = config->retention_days,
        .now_s = clock_wall_s(clock_system()),
    };
    char why[KEYS_WHY_BYTES];
    int rc = keys_create(c->dir, &want, why);

    if (rc == KEYS_E_EXISTS)
        return CTL_DONE;
    if (rc == KEYS_E_WANT)
        return ctl_fail(c, CTL_CONFIG, "bad-config", "%s", why);
    if (rc)
        return ctl_fail(c, CTL_DISK, "disk", W_CANNOT_WRITE, c->dir, err_text(rc));
    *fresh = true;
    return CTL_DONE;
}

/* Settings and keys: those that are there, or new ones. */
static int prepare(const struct ctl *c, struct config *config, bool *fresh)
{
    struct config_problems problems = {0};
    char path[CONFIG_PATH_BYTES];
    int exit = CTL_DONE;
    int rc;

    if (ctl_path(c, "kithd.conf", path))
        return ctl_fail(c, CTL_USAGE, "path-too-long", "%s", W_PATH_LONG);
    rc = config_load(path, config, &problems);
    if (rc == CONFIG_E_ABSENT) {
        config_defaults(config);
        exit = write_config(c, path, config);
    } else if (rc == CONFIG_E_BAD) {
        exit = tell_problems(c, &problems);
    } else if (rc) {
        exit = ctl_fail(c, CTL_DISK, "disk", "%s", err_text(rc));
    }
    config_problems_free(&problems);
    return exit == CTL_DONE ? make_keys(c, config, fresh) : exit;
}

/* The relay must answer on its own port with its own key: another program may have the
 * port, and no admin reads a log to find that out. */
static int check_port(const struct ctl *c, const struct config *config)
{
    const struct address *a = &config->listen[0];
    char why[KEYS_WHY_BYTES];
    struct keys *keys = NULL;
    int rc = keys_load(c->dir, &keys, why);

    if (rc > 0)
        return ctl_fail(c, CTL_CONFIG, "bad-keys", "%s", why);
    if (rc == 0)
        rc = ctl_port_check(a, keys->pk, keys->cohort, c->timeout_s);
    keys_free(keys);
    if (rc == CTL_PORT_E_DEAF)
        return ctl_fail(c, CTL_UNREACHABLE, "port-deaf", W_PORT_DEAF, a->port);
    if (rc == CTL_PORT_E_FOREIGN)
        return ctl_fail(c, CTL_UNREACHABLE, "port-foreign", W_PORT_FOREIGN, a->port);
    return rc ? ctl_fail(c, CTL_UNREACHABLE, "unreachable", "%s", err_text(rc))
              : CTL_DONE;
}

static void report(const struct ctl *c, const struct config *config, bool fresh)
{
    char path[CONFIG_PATH_BYTES];
    char fingerprint[40] = "";
    struct ctl_answer answer = {0};
    struct address a;

    if (ctl_ask(c, "status", (struct bytes){0}, &answer) == 0)
        ctl_get_str(answer.result, "fingerprint", fingerprint, sizeof fingerprint);
    ctl_answer_free(&answer);
    ctl_note(c, fresh ? W_UP_MADE : W_UP_THERE, c->dir);
    ctl_note(c, W_UP_RUNS, config->name, config->listen[0].port);
    ctl_note(c, W_UP_COHORT, fingerprint);
    if (fresh)
        ctl_note(c, W_UP_ADMIN_KEY, c->dir);
    if (address_parse(config->address, strlen(config->address), &a) == 0 &&
        is_loopback(&a) && ctl_path(c, "kithd.conf", path) == 0)
        ctl_note(c, W_LOCAL_ONLY, path);
    ctl_note(c, "\n");
}

/* It runs already: say how it is, change nothing. */
static int report_running(const struct ctl *c)
{
    if (!c->json)
        ctl_note(c, "%s", W_UP_ALREADY);
    return ctl_status(c);
}

static int is_running(const struct ctl *c, bool *running)
{
    struct ctl_answer answer = {0};
    int rc = ctl_ask(c, "status", (struct bytes){0}, &answer);
    int exit = CTL_DONE;

    *running = rc == 0;
    if (rc != 0 && rc != CTL_LINK_E_ABSENT)
        exit = ctl_tell(c, rc, &answer);
    ctl_answer_free(&answer);
    return exit;
}

int ctl_up(const struct ctl *c)
{
    struct config config = {0};
    pid_t relay = 0;
    bool running;
    bool fresh = false;
    int exit = is_running(c, &running);

    if (exit != CTL_DONE)
        return exit;
    if (running)
        return report_running(c);
    exit = prepare(c, &config, &fresh);
    if (exit == CTL_DONE)
        exit = ctl_spawn(c, &relay);
    if (exit != CTL_DONE)
        return exit;
    exit = check_port(c, &config);
    if (exit == CTL_DONE) {
        report(c, &config, fresh);
        exit = ctl_invite(c);
    }
    if (exit == CTL_DONE)
        ctl_note(c, W_UP_NEXT, c->dir, c->dir);
    (void)fflush(stdout);
    if (!c->foreground)
        return exit;
    if (exit == CTL_DONE)
        ctl_note(c, "%s", W_UP_FOREGROUND);
    return ctl_spawn_wait(c, relay, exit);
}
