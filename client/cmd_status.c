/* SPDX-License-Identifier: Apache-2.0 */
/* status, alarms: how things stand, in words that are true. */
#include "client/cmd.h"
#include "client/say.h"
#include "client/ui/text.h"
#include "client/ui/words.h"

#include <string.h>

enum { LOOK_MS = 5000 };

/* ---- status ----------------------------------------------------------------------- */

static bool is_known(struct app *a, void *arg)
{
    (void)arg;
    return a->sync == NULL || sync_state(a->sync) == RELAY_CONNECTED || app_gave_up(a);
}

static void print_relay(struct app *a, const struct status *st)
{
    char ago[96], why[512], behind[96];
    uint64_t now = clock_wall_s(clock_system());

    say_ago(st->reached_s, now, ago, sizeof ago);
    if (st->ended)
        say_line("%s", _(W_STATUS_ENDED));
    if (a->args.offline) {
        say_line(_(W_STATUS_NOT_ASKED), st->reached_s ? ago : _(W_STATUS_NEVER_WORD));
    } else if (st->relay == RELAY_CONNECTED) {
        say_line(st->stopped ? _(W_STATUS_STOPPED) : _(W_STATUS_REACHED), ago);
    } else if (st->relay == RELAY_CATCHING_UP) {
        words_count(COUNT_BEHIND, st->behind, behind, sizeof behind);
        say_line(_(W_STATUS_CATCHING), behind);
    } else if (!st->ended) {
        why[0] = '\0';
        if (a->sync)
            say_trouble(a, why, sizeof why);
        if (st->reached_s == 0)
            say_line(_(W_STATUS_NEVER), why);
        else
            say_line(_(W_STATUS_NOT_NOW), ago, why);
    }
}

static void print_status(struct app *a, const struct status *st)
{
    char cohort[3 * COHORT_NAME_BYTES_MAX + 1], line[128];

    text_name((struct bytes){(const uint8_t *)st->cohort, strlen(st->cohort)}, cohort,
              sizeof cohort);
    say_line(_(W_STATUS_YOU), st->name, cohort);
    say_line(_(W_STATUS_RELAY), st->address);
    say_line(_(W_STATUS_KEY), st->fingerprint);
    print_relay(a, st);
    if (st->queued > 0) {
        words_count(COUNT_QUEUED, st->queued, line, sizeof line);
        say_line("%s.", line);
    } else {
        say_line("%s", _(W_STATUS_QUIET));
    }
    if (st->unread > 0) {
        words_count(COUNT_UNREAD, st->unread, line, sizeof line);
        say_line("%s.", line);
    }
    if (st->alarms > 0) {
        words_count(COUNT_ALARMS, st->alarms, line, sizeof line);
        say_line("%s.", line);
    }
    if (st->held)
        say_line("%s", _(W_STATUS_HELD));
}

static int status_json(struct app *a, const struct status *st)
{
    json_t *o = json_begin();

    json_text(o, "profile", a->profile.name);
    json_text(o, "name", st->name);
    json_text(o, "cohort", st->cohort);
    json_text(o, "relay", a->args.offline ? "not-asked" : say_relay_key(st->relay));
    json_text(o, "address", st->address);
    json_text(o, "fingerprint", st->fingerprint);
    json_time(o, "reached_at", st->reached_s);
    json_time(o, "checked_at", st->checked_s);
    json_number(o, "behind", st->behind);
    json_number(o, "queued", st->queued);
    json_number(o, "undelivered", st->undelivered);
    json_number(o, "unread", st->unread);
    json_number(o, "alarms", st->alarms);
    json_flag(o, "held", st->held);
    json_flag(o, "stopped", st->stopped);
    json_flag(o, "membership_ended", st->ended);
    json_number(o, "members", st->members);
    json_number(o, "retention_days", st->retention_days);
    return say_json(a, o);
}

int cmd_status(struct app *a)
{
    struct status st;
    int rc, exit = app_unlock(a);

    if (exit)
        return exit;
    app_online(a);
    if (a->sync) {
        exit = app_wait(a, is_known, NULL, app_timeout_ms(a, LOOK_MS));
        if (exit == EXIT_INTERRUPTED || exit == EXIT_LOCKED)
            return say_stopped(a, exit);
    }
    rc = node_status(a->node, &st);
    if (rc)
        return say_rc(a, rc);
    if (a->args.json)
        return status_json(a, &st);
    print_status(a, &st);
    return 0;
}

/* ---- alarms ----------------------------------------------------------------------- */

static void alarm_json(const struct alarm *m, void *arg)
{
    json_t *list = arg, *o = json_begin();

    json_id(o, "alarm", 'a', m->id);
    json_text(o, "kind", say_alarm_key(m->kind));
    json_flag(o, "holds", m->holds);
    json_id(o, "conv", 'c', m->conv);
    json_id(o, "message", 'm', m->message);
    json_number(o, "times", m->times);
    json_time(o, "since", m->since_s);
    json_time(o, "until", m->until_s);
    (void)json_array_append_new(list, o);
}

static void alarm_line(const struct alarm *m, void *arg)
{
    size_t *count = arg;

    (*count)++;
    say_alarm(m);
}

static int list_alarms(struct app *a)
{
    size_t count = 0;
    json_t *list;
    int rc;

    if (a->args.json) {
        list = json_array();
        rc = node_alarms(a->node, false, alarm_json, list);
        if (rc == 0)
            return say_json(a, list);
        json_decref(list);
        return say_rc(a, rc);
    }
    rc = node_alarms(a->node, false, alarm_line, &count);
    if (rc == 0 && count == 0)
        say_line("%s", _(W_ALARM_NONE));
    return rc ? say_rc(a, rc) : 0;
}

static int accept_alarm(struct app *a, const char *word)
{
    int64_t id = say_id('a', word);
    json_t *o;
    int rc = id > 0 ? node_alarm_accept(a->node, id) : NODE_E_NONE;

    if (rc == NODE_E_NONE)
        return say_fail(a, EXIT_NOT_FOUND, "no-alarm", _(W_ALARM_WHICH), word);
    if (rc)
        return say_rc(a, rc);
    app_poke(a);
    if (a->args.json) {
        o = json_begin();
        json_id(o, "accepted", 'a', id);
        return say_json(a, o);
    }
    say_line(_(W_ALARM_ACCEPTED), (long long)id);
    return 0;
}

int cmd_alarms(struct app *a)
{
    int exit;

    if (a->args.words_n > 0 &&
        (a->args.words_n != 2 || strcmp(a->args.words[0], "accept") != 0))
        return say_fail(a, EXIT_USAGE, "usage", "%s", _(W_ALARM_USE));
    exit = app_unlock(a);
    if (exit)
        return exit;
    return a->args.words_n > 0 ? accept_alarm(a, a->args.words[1]) : list_alarms(a);
}
