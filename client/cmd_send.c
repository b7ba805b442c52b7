/* SPDX-License-Identifier: Apache-2.0 */
/* send: one text into the queue, and word of how far it got. */
#include "client/cmd.h"
#include "client/prompt.h"
#include "client/say.h"
#include "client/ui/words.h"

#include <errno.h>
#include <string.h>

struct sending {
    int64_t id;
    enum message_state state;
    enum message_why why;
    int rc;
};

static void copy_state(const struct message *m, void *arg)
{
    struct sending *s = arg;

    s->state = m->state;
    s->why = m->why;
}

static bool has_left(struct app *a, void *arg)
{
    struct sending *s = arg;

    s->rc = node_message(a->node, s->id, copy_state, s);
    if (s->rc || s->state != MESSAGE_QUEUED)
        return true;
    /* What only their device or the person can set going is not worth the wait. */
    return s->why == WHY_ALARM || s->why == WHY_PEER || app_gave_up(a);
}

static int read_text(struct app *a, const char *name, struct buf *out)
{
    char question[APP_NAME_ROOM + 64];
    int rc;

    if (prompt_stdin_is_terminal()) {
        if (a->args.no_input)
            return say_fail(a, EXIT_USAGE, "no-input", "%s", _(W_NO_INPUT_TEXT));
        (void)snprintf(question, sizeof question, _(W_ASK_TEXT), name);
        rc = prompt_line(question, out);
    } else {
        rc = prompt_all(TEXT_BYTES_MAX + 2, out);
    }
    if (rc == PROMPT_E_INTERRUPTED)
        return say_fail(a, EXIT_INTERRUPTED, "interrupted", "%s", _(W_INTERRUPTED));
    if (rc == -EFBIG)
        return say_fail(a, EXIT_DATA, "text-long", _(W_TEXT_LONG),
                        (unsigned)TEXT_BYTES_MAX);
    if (rc < 0)
        return say_rc(a, rc);
    while (out->n > 0 && (out->p[out->n - 1] == '\n' || out->p[out->n - 1] == '\r'))
        out->n--;
    if (out->n == 0)
        return say_fail(a, EXIT_DATA, "text-empty", "%s", _(W_TEXT_EMPTY));
    if (out->n > TEXT_BYTES_MAX)
        return say_fail(a, EXIT_DATA, "text-long", _(W_TEXT_LONG),
                        (unsigned)TEXT_BYTES_MAX);
    return 0;
}

static int put_in_queue(struct app *a, const struct conversation *c, struct sending *s)
{
    struct buf text;
    char name[APP_NAME_ROOM];
    int rc, exit;

    say_name(c, name);
    buf_init(&text, TEXT_BYTES_MAX + PROMPT_LINE_BYTES_MAX);
    exit = read_text(a, name, &text);
    if (exit == 0) {
        rc = node_send(a->node, c->id, (const char *)text.p, text.n, &s->id);
        if (rc == NODE_E_TEXT)
            exit = say_fail(a, EXIT_DATA, "text-not-utf8", "%s", _(W_TEXT_NOT_UTF8));
        else if (rc == NODE_E_STATE)
            exit = say_fail(a, EXIT_NOT_FOUND, "ended", "%s", _(W_CONV_ENDED));
        else if (rc)
            exit = say_rc(a, rc);
    }
    buf_free(&text);
    return exit;
}

static int say_result(struct app *a, const struct sending *s,
                      const struct conversation *c)
{
    struct message m = {.state = s->state, .why = s->why, .mine = true};
    char words[256];
    json_t *j;

    if (a->args.json) {
        j = json_begin();
        json_id(j, "id", 'm', s->id);
        json_id(j, "conv", 'c', c->id);
        json_text(j, "state", say_state_key(s->state));
        if (say_json(a, j))
            return EXIT_BUG;
    } else {
        say_message_state(&m, words, sizeof words);
        say_line("%s", words);
    }
    switch (s->state) {
    case MESSAGE_SENT:
    case MESSAGE_DELIVERED:
        return 0;
    case MESSAGE_QUEUED:
        return EXIT_QUEUED;
    default:
        return s->why == WHY_NO_MEMBER ? EXIT_LOCKED : EXIT_RELAY;
    }
}

/* Why it is still here, on standard error, in one line. */
static void say_queued(struct app *a, const struct sending *s)
{
    char why[512];

    if (a->args.offline || a->sync == NULL ||
        (s->why != WHY_NONE && s->why != WHY_RELAY)) {
        (void)say_fail_hint(a, EXIT_QUEUED, "queued", _(W_HINT_CRISIS), "%s",
                            _(W_KEPT_HERE));
        return;
    }
    say_trouble(a, why, sizeof why);
    (void)say_fail_hint(a, EXIT_QUEUED, "relay-unreachable", _(W_HINT_CRISIS), "%s %s",
                        why, _(W_KEPT_HERE));
}

int cmd_send(struct app *a)
{
    struct sending s = {.state = MESSAGE_QUEUED};
    struct conversation c;
    int exit = app_unlock(a);

    if (exit == 0)
        exit = say_find_conv(a, a->args.words[0], &c);
    if (exit == 0)
        exit = put_in_queue(a, &c, &s);
    if (exit)
        return exit;
    app_online(a);
    app_poke(a);
    if (!a->args.offline)
        exit = app_wait(a, has_left, &s, app_timeout_ms(a, APP_TIMEOUT_MS));
    if (exit && exit != EXIT_TIMEOUT)
        return say_stopped(a, exit);
    if (s.rc)
        return say_rc(a, s.rc);
    exit = say_result(a, &s, &c);
    if (exit == EXIT_QUEUED)
        say_queued(a, &s);
    else if (s.why == WHY_NO_MEMBER && exit == EXIT_LOCKED)
        (void)say_fail(a, EXIT_LOCKED, "not-a-member", "%s", _(W_RELAY_NOT_MEMBER));
    return exit;
}
