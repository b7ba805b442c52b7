/* SPDX-License-Identifier: Apache-2.0 */
#include "client/chat.h"

#include "client/ui/text.h"
#include "lib/nearest.h"

#include <string.h>

enum { WORD_MAX = 32, LINK_SECONDS = 7 * 86400 };

/* ---- showing ---------------------------------------------------------------------- */

void chat_prompt(struct chat *c)
{
    char prompt[APP_NAME_ROOM + 16];

    if (c->mode == CHAT_ASK_SAME)
        (void)snprintf(prompt, sizeof prompt, "%s", _(W_VERIFY_ASK));
    else if (c->conv == 0)
        (void)snprintf(prompt, sizeof prompt, "%s", _(W_CHAT_PROMPT_NOBODY));
    else
        (void)snprintf(prompt, sizeof prompt, _(W_CHAT_PROMPT), c->name);
    plain_prompt(c->plain, prompt);
}

struct printing {
    struct chat *chat;
    bool marked, live;
    bool any_new;
};

static void print_message(const struct message *m, void *arg)
{
    struct printing *p = arg;
    struct chat *c = p->chat;

    if (m->id > c->newest)
        c->newest = m->id;
    if (!m->mine && !m->read)
        p->any_new = true;
    if (p->live && m->id == c->last_mine)
        return; /* it stands on the screen as it was typed */
    if (!p->live && !p->marked && !m->mine && !m->read) {
        say_line("%s", _(W_CHAT_NEW_MARK));
        p->marked = true;
    }
    if (say_message(m, c->name, !p->live))
        c->exit = EXIT_BUG;
}

void chat_show(struct chat *c, uint32_t last)
{
    struct node_history q = {
        .conv = c->conv, .last = last, .after_id = last ? 0 : c->newest};
    struct printing p = {.chat = c, .live = last == 0};
    int rc = node_history(c->app->node, &q, print_message, &p);

    if (rc == 0 && p.any_new)
        rc = node_mark_read(c->app->node, c->conv, c->newest);
    if (rc < 0)
        c->exit = say_rc(c->app, rc);
}

/* ---- pages ------------------------------------------------------------------------ */

void chat_page(struct chat *c, enum words_page page)
{
    const char *line;

    plain_print_begin(c->plain);
    say_line("%s", "");
    for (size_t i = 0; (line = words_line(page, i)) != NULL; i++)
        say_line("%s", line);
    say_line("%s", "");
    plain_print_end(c->plain);
}

void chat_say_pasted(struct chat *c)
{
    char lines[64];

    words_count(COUNT_LINES, c->pasted, lines, sizeof lines);
    plain_print_begin(c->plain);
    say_line(_(W_CHAT_PASTE), lines, c->conv ? c->name : "kith");
    plain_print_end(c->plain);
}

/* ---- text ------------------------------------------------------------------------- */

static void copy_state(const struct message *m, void *arg)
{
    struct message *out = arg;

    *out = *m;
    out->text = NULL;
    out->text_n = 0;
}

/* Forgotten by another process meanwhile. */
static void leave(struct chat *c)
{
    (void)say_fail(c->app, EXIT_NOT_FOUND, "forgotten", "%s", _(W_CHAT_FORGOTTEN));
    c->conv = 0;
    c->newest = 0;
    c->name[0] = '\0';
    chat_prompt(c);
}

static void send_text(struct chat *c, const char *text, size_t n)
{
    struct message m;
    char words[256];
    int rc;

    if (c->conv == 0) {
        say_line("%s", _(W_CHAT_NOBODY));
        return;
    }
    /* First what came or was written elsewhere: then only this one, of all that is newer
     * than what was shown, stands on the screen already. */
    chat_show(c, 0);
    rc = node_send(c->app->node, c->conv, text, n, &c->last_mine);
    if (rc == NODE_E_TEXT)
        (void)say_fail(c->app, EXIT_DATA, "text",
                       n > TEXT_BYTES_MAX ? _(W_TEXT_LONG) : _(W_TEXT_NOT_UTF8),
                       (unsigned)TEXT_BYTES_MAX);
    else if (rc == NODE_E_STATE)
        (void)say_fail(c->app, EXIT_NOT_FOUND, "ended", "%s", _(W_CONV_ENDED));
    else if (rc == NODE_E_NONE)
        leave(c);
    else if (rc)
        (void)say_rc(c->app, rc);
    if (rc) {
        c->last_mine = 0;
        return;
    }
    c->last_state = MESSAGE_QUEUED;
    /* Said at once where it does not go out in a moment: offline, or held by an alarm. */
    if (node_message(c->app->node, c->last_mine, copy_state, &m) == 0 &&
        (!c->online || (m.why != WHY_NONE && m.why != WHY_RELAY))) {
        say_message_state(&m, words, sizeof words);
        say_line("%s", words);
    }
    app_poke(c->app);
}

/* ---- commands --------------------------------------------------------------------- */

void chat_to(struct chat *c, const struct conversation *conv)
{
    c->conv = conv->id;
    c->newest = 0;
    c->last_mine = 0;
    say_name(conv, c->name);
    say_line(_(W_CHAT_TO), c->name);
    chat_show(c, CHAT_SHOWN);
    if (conv->state == CONV_LINKED && !conv->verified)
        say_line(_(W_CHAT_NOT_VERIFIED), c->name);
    if (c->plain)
        c->renamed = true;
}

static void do_to(struct chat *c, const char *word)
{
    struct conversation conv;

    if (word[0] == '\0' || say_find_conv(c->app, word, &conv))
        return;
    chat_to(c, &conv);
    chat_prompt(c);
}

static void list_one(const struct conversation *conv, void *arg)
{
    char name[APP_NAME_ROOM], state[256], unread[96] = "";

    (void)arg;
    say_name(conv, name);
    say_conv_state(conv, state, sizeof state);
    if (conv->unread > 0)
        words_count(COUNT_UNREAD, conv->unread, unread, sizeof unread);
    say_line("  c%-4lld %s  %s%s%s", (long long)conv->id, name, state,
             unread[0] ? "; " : "", unread);
}

static void do_list(struct chat *c, const char *word)
{
    (void)word;
    if (node_convs(c->app->node, list_one, c))
        (void)say_fail(c->app, EXIT_DISK, "disk", "%s", _(W_PROFILE_BUSY));
}

static void do_status(struct chat *c, const char *word)
{
    struct status st;
    char ago[96], queued[96];

    (void)word;
    if (node_status(c->app->node, &st))
        return;
    say_ago(st.reached_s, clock_wall_s(clock_system()), ago, sizeof ago);
    if (st.relay == RELAY_CONNECTED)
        say_line(st.stopped ? _(W_STATUS_STOPPED) : _(W_STATUS_REACHED), ago);
    else if (st.reached_s)
        say_line(_(W_STATUS_NOT_NOW), ago, "");
    else
        say_line(_(W_STATUS_NEVER), "");
    words_count(COUNT_QUEUED, st.queued, queued, sizeof queued);
    if (st.queued > 0)
        say_line("%s.", queued);
    else
        say_line("%s", _(W_STATUS_QUIET));
}

static void do_verify(struct chat *c, const char *word)
{
    const char *words[VERIFY_WORDS];
    int rc;

    (void)word;
    if (c->conv == 0) {
        say_line("%s", _(W_CHAT_NOBODY));
        return;
    }
    rc = app_words(c->app, c->conv, words);
    if (rc == NODE_E_NONE)
        say_line("%s", _(W_VERIFY_EARLY));
    else if (rc)
        (void)say_rc(c->app, rc);
    if (rc)
        return;
    say_line(_(W_VERIFY_WORDS), c->name);
    say_line("  %s %s %s %s %s %s", words[0], words[1], words[2], words[3], words[4],
             words[5]);
    c->mode = CHAT_ASK_SAME;
    chat_prompt(c);
}

static void answer_same(struct chat *c, const char *text)
{
    int rc = 0;

    c->mode = CHAT_TALK;
    if (text[0] == 'y' || text[0] == 'Y') {
        rc = node_verified(c->app->node, c->conv, true);
        say_line(_(W_VERIFY_YES), c->name);
    } else if (text[0] == 'n' || text[0] == 'N') {
        rc = node_verified(c->app->node, c->conv, false);
        say_line("%s", _(W_VERIFY_NO));
    } else {
        say_line(_(W_VERIFY_OPEN), (long long)c->conv);
    }
    if (rc)
        (void)say_rc(c->app, rc);
    chat_prompt(c);
}

static void do_link(struct chat *c, const char *word)
{
    int rc = node_link_begin(c->app->node, LINK_SECONDS, &c->offered);

    (void)word;
    if (rc) {
        c->offered = 0;
        (void)say_rc(c->app, rc);
        return;
    }
    say_line("%s", _(W_LINK_MAKING));
    app_poke(c->app);
}

static void print_alarm(const struct alarm *m, void *arg)
{
    size_t *n = arg;

    (*n)++;
    say_alarm(m);
}

static void do_alarms(struct chat *c, const char *word)
{
    size_t n = 0;

    (void)word;
    if (node_alarms(c->app->node, false, print_alarm, &n) == 0 && n == 0)
        say_line("%s", _(W_ALARM_NONE));
}

static void do_crisis(struct chat *c, const char *word)
{
    (void)word;
    chat_page(c, PAGE_CRISIS);
}

static void do_limits(struct chat *c, const char *word)
{
    (void)word;
    chat_page(c, PAGE_LIMITS);
}

static void do_help(struct chat *c, const char *word)
{
    (void)word;
    chat_page(c, PAGE_KEYS);
}

static void do_hide(struct chat *c, const char *word)
{
    (void)word;
    c->hide = true;
}

static void do_quit(struct chat *c, const char *word)
{
    (void)word;
    c->ended = true;
}

typedef void do_fn(struct chat *c, const char *word);
static const struct {
    const char *name;
    do_fn *run;
} commands[] = {
    {"to", do_to},         {"list", do_list},     {"verify", do_verify},
    {"status", do_status}, {"crisis", do_crisis}, {"limits", do_limits},
    {"link", do_link},     {"alarms", do_alarms}, {"help", do_help},
    {"keys", do_help},     {"hide", do_hide},     {"quit", do_quit},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

/* An unknown /word is never sent: it may be a mistyped /hide. */
static void unknown(const char *word)
{
    const char *names[COMMANDS], *guess;

    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = commands[i].name;
    guess = nearest(word, names, COMMANDS);
    if (guess)
        say_line(_(W_CHAT_UNKNOWN_GUESS), word, guess);
    else
        say_line(_(W_CHAT_UNKNOWN), word);
}

static void command(struct chat *c, const char *text)
{
    char word[WORD_MAX + 1];
    size_t n = strcspn(text, " "), shown = n < WORD_MAX ? n : WORD_MAX;
    const char *rest = text + n + strspn(text + n, " ");

    text_name((struct bytes){(const uint8_t *)text, shown}, word, sizeof word);
    for (size_t i = 0; i < COMMANDS; i++)
        if (strlen(commands[i].name) == n && memcmp(commands[i].name, text, n) == 0) {
            commands[i].run(c, rest);
            return;
        }
    unknown(word);
}

void chat_line(struct chat *c, const char *text, size_t n)
{
    bool several = memchr(text, '\n', n) != NULL;

    if (c->mode == CHAT_ASK_SAME) {
        answer_same(c, text);
        return;
    }
    if (n == 0 || (n == 1 && text[0] == ' '))
        return;
    if (several) /* pasted and shown: all of it is text */
        send_text(c, text, n);
    else if (text[0] == '?' && n == 1)
        do_help(c, "");
    else if (text[0] == '/' && text[1] != '/')
        command(c, text + 1);
    else
        send_text(c, text + (text[0] == '/' || text[0] == ' '),
                  n - (text[0] == '/' || text[0] == ' '));
}
