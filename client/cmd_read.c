/* SPDX-License-Identifier: Apache-2.0 */
/* list, read: what is on this device, after a look at the relay. */
#include "client/cmd.h"
#include "client/say.h"
#include "client/ui/text.h"
#include "client/ui/words.h"

#include <string.h>
#include <unistd.h>

enum { LOOK_MS = 5000, STEADY_MS = 300 };

/* ---- a look at the relay ---------------------------------------------------------- */

static bool is_caught_up(struct app *a, void *arg)
{
    (void)arg;
    return a->sync == NULL || sync_state(a->sync) == RELAY_CONNECTED || app_gave_up(a);
}

/* Fetch what there is; what does not come in time is not worth failing for. */
static int catch_up(struct app *a)
{
    struct status st;
    int exit;

    app_online(a);
    if (a->sync == NULL)
        return 0; /* offline, or another kith keeps the profile up to date */
    exit = app_wait(a, is_caught_up, NULL, app_timeout_ms(a, LOOK_MS));
    if (exit == EXIT_INTERRUPTED || exit == EXIT_LOCKED)
        return say_stopped(a, exit);
    if (sync_state(a->sync) != RELAY_CONNECTED) {
        char why[512];

        say_trouble(a, why, sizeof why);
        say_talk(a, "kith: %s", why);
    } else if (node_status(a->node, &st) == 0 && st.stopped) {
        say_talk(a, "kith: %s", _(W_READ_STOPPED));
    }
    return 0;
}

/* ---- list ------------------------------------------------------------------------- */

struct listing {
    struct app *app;
    json_t *array; /* with --json */
    size_t count, width;
};

static void measure(const struct conversation *c, void *arg)
{
    struct listing *l = arg;
    char name[APP_NAME_ROOM];
    size_t w;

    say_name(c, name);
    w = text_width((struct bytes){(const uint8_t *)name, strlen(name)});
    l->width = w > l->width ? w : l->width;
    l->count++;
}

static void list_one(const struct conversation *c, void *arg)
{
    struct listing *l = arg;
    char name[APP_NAME_ROOM], state[256], count[96], queued[96];
    size_t w;

    say_name(c, name);
    say_conv_state(c, state, sizeof state);
    w = text_width((struct bytes){(const uint8_t *)name, strlen(name)});
    count[0] = queued[0] = '\0';
    if (c->unread > 0)
        words_count(COUNT_UNREAD, c->unread, count, sizeof count);
    if (c->queued > 0)
        words_count(COUNT_QUEUED, c->queued, queued, sizeof queued);
    say_line("c%-4lld %s%*s  %s%s%s%s%s", (long long)c->id, name,
             (int)(l->width > w ? l->width - w : 0), "", state, count[0] ? "; " : "",
             count, queued[0] ? "; " : "", queued);
}

static void list_json(const struct conversation *c, void *arg)
{
    struct listing *l = arg;
    json_t *o = json_begin();

    json_id(o, "conv", 'c', c->id);
    json_text(o, "name", c->name);
    json_number(o, "unread", c->unread);
    json_number(o, "queued", c->queued);
    json_text(o, "state", say_conv_key(c));
    json_time(o, "expires", c->state <= CONV_OFFERED ? c->link_until_s : 0);
    (void)json_array_append_new(l->array, o);
}

static int list_as_json(struct app *a, struct listing *l)
{
    int rc;

    l->array = json_array();
    rc = node_convs(a->node, list_json, l);
    if (rc == 0)
        return say_json(a, l->array);
    json_decref(l->array);
    return say_rc(a, rc);
}

int cmd_list(struct app *a)
{
    struct listing l = {.app = a};
    int rc, exit = app_unlock(a);

    if (exit == 0)
        exit = catch_up(a);
    if (exit)
        return exit;
    if (a->args.json)
        return list_as_json(a, &l);
    rc = node_convs(a->node, measure, &l);
    if (rc == 0 && l.count == 0)
        say_talk(a, "%s", _(W_NO_CONVS));
    if (rc == 0)
        rc = node_convs(a->node, list_one, &l);
    return rc ? say_rc(a, rc) : 0;
}

/* ---- read ------------------------------------------------------------------------- */

struct reading {
    struct app *app;
    struct conversation conv;
    char name[APP_NAME_ROOM];
    int64_t newest; /* local id */
    int exit;
};

static void print_one(const struct message *m, void *arg)
{
    struct reading *r = arg;
    json_t *o;

    if (m->id > r->newest)
        r->newest = m->id;
    if (r->exit)
        return;
    if (!r->app->args.json) {
        if (say_message(m, r->name, true))
            r->exit = EXIT_DISK;
        return;
    }
    o = json_begin();
    json_id(o, "id", 'm', m->id);
    json_id(o, "conv", 'c', m->conv);
    json_text(o, "from", m->mine ? "me" : r->conv.name);
    json_flag(o, "mine", m->mine); /* anybody may be called "me" */
    json_time(o, "at", m->minute * 60ull);
    if (m->kind == MESSAGE_TEXT)
        json_bytes(o, "text", (struct bytes){(const uint8_t *)m->text, m->text_n});
    else
        json_text(o, "text", NULL);
    json_text(o, "state", say_state_key(m->state));
    r->exit = say_json(r->app, o);
}

static int print_new(struct reading *r)
{
    struct node_history q = {.conv = r->conv.id, .after_id = r->newest};
    int64_t before = r->newest;
    int rc = node_history(r->app->node, &q, print_one, r);

    if (rc == 0 && r->exit == 0)
        r->exit = say_written(r->app); /* what nobody could see is not read */
    if (rc == 0 && r->exit == 0 && r->newest > before)
        rc = node_mark_read(r->app->node, r->conv.id, r->newest);
    return rc < 0 ? say_rc(r->app, rc) : r->exit;
}

static bool follow(struct app *a, void *arg)
{
    struct reading *r = arg;

    /* The name comes with the first answer from their device. */
    if (r->name[0] == '\0' || r->conv.name[0] == '\0')
        if (node_conv(a->node, r->conv.id, &r->conv) == 0)
            say_name(&r->conv, r->name);
    r->exit = print_new(r);
    return r->exit != 0;
}

int cmd_read(struct app *a)
{
    struct reading r = {.app = a};
    int exit = app_unlock(a);

    if (exit == 0)
        exit = say_find_conv(a, a->args.words[0], &r.conv);
    if (exit == 0)
        exit = catch_up(a);
    if (exit)
        return exit;
    if (node_conv(a->node, r.conv.id, &r.conv))
        return say_fail(a, EXIT_NOT_FOUND, "no-conversation", _(W_NO_CONV),
                        a->args.words[0]);
    say_name(&r.conv, r.name);
    exit = print_new(&r);
    if (exit || !a->args.follow)
        return exit;
    exit = app_wait(a, follow, &r, app_timeout_ms(a, 0));
    if (exit == EXIT_TIMEOUT)
        return EXIT_TIMEOUT;
    return exit ? say_stopped(a, exit) : r.exit;
}
