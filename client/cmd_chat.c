/* SPDX-License-Identifier: Apache-2.0 */
/* chat: plain lines, both ways.  Callbacks only make notes; everything is done in turn(),
 * between two turns of the loop, where printing, asking the node and slow steps are all
 * allowed. Nothing is printed while a line is half typed: one bell, and the rest waits
 * (ux, trap 3). */
#include "client/chat.h"
#include "client/cmd.h"
#include "client/prompt.h"
#include "client/ui/text.h"
#include "client/ui/words.h"
#include "lib/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- notes: from callbacks -------------------------------------------------------- */

static void on_line(struct bytes text, void *arg)
{
    struct chat *c = arg;
    struct chat_line *l = mem_alloc(sizeof *l + text.n + 1);

    holder_touch(c->app->holder);
    if (l == NULL) {
        c->exit = say_rc(c->app, -ENOMEM);
        return;
    }
    l->next = NULL;
    l->n = text.n;
    if (text.n > 0)
        memcpy(l->text, text.p, text.n);
    l->text[text.n] = '\0';
    *c->lines_end = l;
    c->lines_end = &l->next;
}

static void on_key(enum plain_key key, void *arg)
{
    struct chat *c = arg;

    if (key == PLAIN_HIDE)
        c->hide = true;
    else if (key == PLAIN_CRISIS)
        c->card = true;
    else if (key == PLAIN_DROPPED)
        c->dropped = true;
    else
        c->exit = EXIT_INTERRUPTED;
}

static void on_pasted(size_t lines, void *arg)
{
    struct chat *c = arg;

    c->pasted = lines;
}

static void on_input_end(void *arg)
{
    struct chat *c = arg;

    c->ended = true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct chat *c = poll->data;

    (void)events;
    if (status == 0 || status == UV_EBADF)
        plain_input(c->plain);
    if (c->ended)
        (void)uv_poll_stop(poll);
}

static void note_elsewhere(struct chat *c, int64_t conv)
{
    for (size_t i = 0; i < c->elsewhere_n; i++)
        if (c->elsewhere[i] == conv)
            return;
    if (c->elsewhere_n < CHAT_ELSEWHERE_MAX)
        c->elsewhere[c->elsewhere_n++] = conv;
}

/* Inside a call of the node: look at nothing, write it down. */
static void on_event(const struct event *e, void *arg)
{
    struct chat *c = arg;

    switch (e->kind) {
    case EVENT_MESSAGE:
        if (e->conv == c->conv)
            c->fresh = true;
        else
            note_elsewhere(c, e->conv);
        break;
    case EVENT_STATE:
        if (e->message == c->last_mine)
            c->state_moved = true;
        else if (e->conv == c->conv && e->state == MESSAGE_QUEUED &&
                 e->message > c->newest)
            c->fresh = true; /* written in another window */
        break;
    case EVENT_CONV:
        c->conv_moved = true;
        if (e->state == CONV_LINKED && e->conv != c->conv)
            c->linked = e->conv;
        break;
    case EVENT_RELAY:
        c->relay_moved = true;
        break;
    case EVENT_ALARM:
        c->alarmed = true;
        break;
    case EVENT_MISSED:
        c->fresh = c->state_moved = c->conv_moved = c->relay_moved = c->alarmed = true;
        break;
    default:
        break;
    }
}

/* ---- showing ---------------------------------------------------------------------- */

static void show_relay(struct chat *c)
{
    struct status st;

    if (node_status(c->app->node, &st))
        return;
    if (c->online && st.relay == RELAY_OFFLINE) {
        c->online = false;
        say_line("%s", _(W_CHAT_OFFLINE));
    } else if (!c->online && st.relay == RELAY_CONNECTED) {
        c->online = true;
        say_line("%s", _(W_CHAT_ONLINE));
    }
}

static void copy_message(const struct message *m, void *arg)
{
    struct message *out = arg;

    *out = *m;
    out->text = NULL;
    out->text_n = 0;
}

/* Word of the newest message sent from here; older ones are behind it in any case. */
static void show_state(struct chat *c)
{
    struct message m;
    char words[256];

    if (c->last_mine == 0 || node_message(c->app->node, c->last_mine, copy_message, &m) ||
        m.state == c->last_state)
        return;
    c->last_state = m.state;
    say_message_state(&m, words, sizeof words);
    if (m.state == MESSAGE_SENT)
        say_line("%s", _(W_CHAT_SAID_SENT));
    else if (m.state == MESSAGE_DELIVERED)
        say_line("%s", _(W_CHAT_SAID_DELIVERED));
    else
        say_line("%s", words);
}

static void show_elsewhere(struct chat *c)
{
    struct conversation conv;
    char name[APP_NAME_ROOM], id[32];

    for (size_t i = 0; i < c->elsewhere_n; i++) {
        if (node_conv(c->app->node, c->elsewhere[i], &conv) || conv.unread == 0)
            continue;
        say_name(&conv, name);
        (void)snprintf(id, sizeof id, "c%lld", (long long)conv.id);
        say_line(_(W_CHAT_NEW_ELSEWHERE), name, id);
    }
    c->elsewhere_n = 0;
}

static void show_conv(struct chat *c)
{
    struct conversation conv;
    char name[APP_NAME_ROOM];

    if (c->linked && node_conv(c->app->node, c->linked, &conv) == 0) {
        say_name(&conv, name);
        say_line(_(W_CHAT_NEW_CONV), name, (long long)conv.id, (long long)conv.id);
    }
    c->linked = 0;
    if (c->conv == 0 || node_conv(c->app->node, c->conv, &conv))
        return;
    say_name(&conv, name);
    if (strcmp(name, c->name) != 0) {
        (void)snprintf(c->name, sizeof c->name, "%s", name);
        c->renamed = true;
    }
}

static void print_alarm(const struct alarm *m, void *arg)
{
    struct chat *c = arg;

    if (m->id > c->last_alarm) {
        c->last_alarm = m->id;
        say_line("%s", "");
        say_alarm(m);
        say_line("%s", "");
    }
}

static void show_link(struct chat *c)
{
    char text[LINK_CHARS + 1];

    if (c->offered == 0 || node_link_text(c->app->node, c->offered, text))
        return;
    say_line(_(W_CHAT_LINK), text);
    c->offered = 0;
}

static bool anything_to_show(const struct chat *c)
{
    return c->fresh || c->state_moved || c->conv_moved || c->relay_moved || c->alarmed ||
           c->elsewhere_n > 0;
}

static void show_all(struct chat *c)
{
    plain_print_begin(c->plain);
    if (c->alarmed && node_alarms(c->app->node, false, print_alarm, c))
        log_debug("alarms could not be read");
    if (c->relay_moved)
        show_relay(c);
    if (c->conv_moved)
        show_conv(c);
    show_link(c);
    if (c->fresh && c->conv)
        chat_show(c, 0);
    show_elsewhere(c);
    if (c->state_moved)
        show_state(c);
    c->fresh = c->state_moved = c->conv_moved = c->relay_moved = c->alarmed = false;
    c->belled = false;
    plain_print_end(c->plain);
    if (c->renamed)
        chat_prompt(c);
    c->renamed = false;
}

/* ---- one turn --------------------------------------------------------------------- */

static void take_lines(struct chat *c)
{
    while (c->lines && c->exit == CHAT_STAY) {
        struct chat_line *l = c->lines;

        c->lines = l->next;
        if (c->lines == NULL)
            c->lines_end = &c->lines;
        plain_print_begin(c->plain);
        chat_line(c, l->text, l->n);
        plain_print_end(c->plain);
        mem_free(l);
    }
}

static bool has_emptied(struct chat *c)
{
    struct status st;

    return c->app->args.offline || node_status(c->app->node, &st) || st.queued == 0 ||
           uv_now(&c->app->loop) >= c->leave_by_ms;
}

static void leave(struct chat *c)
{
    struct status st;
    char queued[96];

    plain_print_begin(c->plain);
    if (node_status(c->app->node, &st) == 0 && st.queued > 0 && !c->app->guest) {
        words_count(COUNT_QUEUED, st.queued, queued, sizeof queued);
        say_line(_(W_CHAT_BYE_QUEUED), queued);
    } else {
        say_line("%s", c->app->guest ? _(W_CHAT_BYE_GUEST) : _(W_CHAT_BYE));
    }
    c->exit = 0;
}

static void turn_end(struct chat *c)
{
    if (c->terminal || has_emptied(c)) {
        leave(c);
    } else if (c->leave_by_ms == 0) {
        c->leave_by_ms = uv_now(&c->app->loop) + app_timeout_ms(c->app, APP_TIMEOUT_MS);
    }
}

static void turn_keys(struct chat *c)
{
    if (c->card)
        chat_page(c, PAGE_CRISIS);
    if (c->pasted)
        chat_say_pasted(c);
    if (c->dropped) {
        plain_print_begin(c->plain);
        say_line("%s", _(W_CHAT_DROPPED));
        plain_print_end(c->plain);
    }
    c->card = c->dropped = false;
    c->pasted = 0;
}

static bool turn(struct app *a, void *arg)
{
    struct chat *c = arg;

    (void)a;
    if (!c->pollable && !c->ended)
        plain_input(c->plain);
    if (c->hide) {
        plain_wipe_screen(c->plain);
        c->exit = 0;
        return true;
    }
    turn_keys(c);
    take_lines(c);
    if (c->exit == CHAT_STAY && anything_to_show(c)) {
        if (!plain_busy(c->plain)) {
            show_all(c);
        } else if (!c->belled && (c->fresh || c->elsewhere_n || c->alarmed)) {
            plain_bell(c->plain);
            c->belled = true;
        }
    }
    if (c->exit == CHAT_STAY && c->ended && c->lines == NULL)
        turn_end(c);
    return c->exit != CHAT_STAY;
}

/* ---- beginning and end ------------------------------------------------------------ */

static void pick_newest(const struct conversation *conv, void *arg)
{
    struct conversation *best = arg;

    /* Newest first; one with something unread before all, the others only if alone. */
    if (conv->state == CONV_FAILED || conv->state == CONV_CLOSED)
        return;
    if (best->id == 0 || (best->unread == 0 && conv->unread > 0))
        *best = *conv;
}

static int greet(struct chat *c)
{
    struct app *a = c->app;
    struct status st;
    struct conversation conv = {0};
    char cohort[3 * COHORT_NAME_BYTES_MAX + 1];
    int rc = node_status(a->node, &st), exit = 0;

    if (rc)
        return say_rc(a, rc);
    text_name((struct bytes){(const uint8_t *)st.cohort, strlen(st.cohort)}, cohort,
              sizeof cohort);
    c->online = st.relay == RELAY_CONNECTED && !a->args.offline;
    say_line(c->online ? _(W_CHAT_HELLO) : _(W_CHAT_HELLO_OFFLINE),
             c->online ? cohort : st.name, c->online ? st.name : cohort);
    if (a->args.words_n > 0)
        exit = say_find_conv(a, a->args.words[0], &conv);
    else
        rc = node_convs(a->node, pick_newest, &conv);
    if (exit || rc)
        return exit ? exit : say_rc(a, rc);
    if (conv.id > 0)
        chat_to(c, &conv);
    else
        say_line("%s", _(W_CHAT_NOBODY));
    return 0;
}

static bool is_up(struct app *a, void *arg)
{
    (void)arg;
    return a->sync == NULL || sync_state(a->sync) == RELAY_CONNECTED ||
           sync_failures(a->sync) > 0;
}

static int open_input(struct chat *c)
{
    static const struct plain_events events = {on_line, on_key, on_pasted, on_input_end};
    int rc = plain_open(c->terminal, &events, c, &c->plain);

    if (rc)
        return say_rc(c->app, rc);
    c->poll.data = c;
    rc = uv_poll_init(&c->app->loop, &c->poll, STDIN_FILENO);
    c->pollable = rc == 0;
    if (c->pollable)
        (void)uv_poll_start(&c->poll, UV_READABLE | UV_DISCONNECT, on_readable);
    return 0; /* a file cannot be polled: it is read in turn() */
}

static int run(struct chat *c)
{
    struct app *a = c->app;
    int exit = greet(c);

    if (exit)
        return exit;
    exit = open_input(c);
    if (exit)
        return exit;
    chat_prompt(c);
    c->alarmed = true; /* what stood open before */
    exit = app_wait(a, turn, c, 0);
    plain_print_begin(c->plain);
    if (exit == EXIT_LOCKED) {
        plain_wipe_screen(c->plain);
        say_line("%s", _(W_LOCKED_NOW));
        c->exit = exit = 0;
    }
    plain_close(c->plain);
    c->plain = NULL;
    if (c->pollable)
        uv_close((uv_handle_t *)&c->poll, NULL);
    exit = exit ? exit : c->exit;
    return exit ? say_stopped(a, exit) : 0;
}

int cmd_chat(struct app *a)
{
    static struct chat chat; /* its poll handle is the loop's until app_close() */
    struct chat *c = &chat;
    int exit;

    if (a->args.no_input && prompt_stdin_is_terminal())
        return say_fail(a, EXIT_USAGE, "no-input", "%s", _(W_NO_INPUT_CHAT));
    exit = a->node ? 0 : app_unlock(a);
    if (exit)
        return exit;
    c->app = a;
    c->exit = CHAT_STAY;
    c->lines_end = &c->lines;
    c->terminal = prompt_stdin_is_terminal() && isatty(STDOUT_FILENO) == 1;
    app_online(a);
    exit = app_wait(a, is_up, NULL, CHAT_FIRST_WAIT_MS);
    if (exit && exit != EXIT_TIMEOUT)
        return say_stopped(a, exit);
    a->on_event = on_event;
    a->arg = c;
    exit = run(c);
    a->on_event = NULL;
    while (c->lines) {
        struct chat_line *l = c->lines;

        c->lines = l->next;
        mem_free(l);
    }
    return exit;
}
