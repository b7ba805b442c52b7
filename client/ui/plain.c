/* SPDX-License-Identifier: Apache-2.0 */
#include "client/ui/plain.h"

#include "client/core/model.h"
#include "client/ui/text.h"
#include "lib/mem.h"
#include "lib/secret.h"

#include <errno.h>
#include <histedit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

enum {
    LINE_BYTES_MAX = TEXT_BYTES_MAX +
                     1, /* one more than a text may have, so that it is refused */
    PROMPT_ROOM = 256,
    KEYS_MAX = 64, /* characters of one key: an escape sequence is under 16 */
    ESC = 0x1B,
    CTRL_C = 3,
    CTRL_D = 4,
    CTRL_G = 7,
    CTRL_Q = 17,
};
static const char paste_on[] = "\033[?2004h", paste_off[] = "\033[?2004l";

struct plain {
    const struct plain_events *events;
    void *arg;
    bool terminal, smart, ended, editing;
    EditLine *el;
    struct termios before;
    char prompt[PROMPT_ROOM];
    struct buf raw;   /* bytes not yet cut into keys */
    struct buf line;  /* not a terminal: the line so far */
    struct buf paste; /* pasted and not sent */
    bool pasting;
    wchar_t keys[KEYS_MAX]; /* the key that libedit reads now */
    size_t keys_n, keys_at;
};

/* ---- libedit's side --------------------------------------------------------------- */

static char *give_prompt(EditLine *el)
{
    struct plain *p = NULL;

    (void)el_get(el, EL_CLIENTDATA, &p);
    return p->prompt;
}

static int give_key(EditLine *el, wchar_t *out)
{
    struct plain *p = NULL;

    (void)el_get(el, EL_CLIENTDATA, &p);
    if (p->keys_at == p->keys_n)
        return 0;
    *out = p->keys[p->keys_at++];
    return 1;
}

static void edit_begin(struct plain *p)
{
    struct termios t;

    if (p->el == NULL || p->editing || p->ended)
        return;
    p->editing = true;
    (void)el_set(p->el, EL_UNBUFFERED, 1); /* raw, an empty line, the prompt */
    /* As a signal, Ctrl-C would overtake what was typed before it, or throw it away. */
    if (tcgetattr(STDIN_FILENO, &t) == 0) {
        t.c_cc[VINTR] = _POSIX_VDISABLE;
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &t);
    }
}

static void edit_end(struct plain *p)
{
    if (p->el && p->editing) {
        p->editing = false;
        (void)el_set(p->el, EL_UNBUFFERED, 0);
    }
}

static size_t typed(const struct plain *p)
{
    const LineInfo *l = p->el && p->editing ? el_line(p->el) : NULL;

    return l ? (size_t)(l->lastchar - l->buffer) : 0;
}

static int edit_open(struct plain *p)
{
    struct termios t;

    if (tcgetattr(STDIN_FILENO, &p->before))
        return -errno;
    t = p->before;
    t.c_iflag &= ~(tcflag_t)(IXON | IXOFF); /* Ctrl-Q and Ctrl-S are keys */
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &t);
    p->el = el_init("kith", stdin, stdout, stderr);
    if (p->el == NULL)
        return -ENOMEM;
    (void)el_set(p->el, EL_CLIENTDATA, p);
    (void)el_set(p->el, EL_PROMPT, give_prompt);
    (void)el_set(p->el, EL_EDITOR, "emacs");
    (void)el_set(p->el, EL_SIGNAL, 0);
    (void)el_set(p->el, EL_GETCFN, give_key);
    (void)el_set(p->el, EL_PREP_TERM, 1);
    if (p->smart)
        (void)fputs(paste_on, stdout);
    edit_begin(p);
    (void)fflush(stdout);
    return 0;
}

/* ---- opening and closing ---------------------------------------------------------- */

int plain_open(bool terminal, const struct plain_events *events, void *arg,
               struct plain **out)
{
    struct plain *p = mem_zalloc(sizeof *p);
    const char *term = getenv("TERM");
    int rc = 0;

    *out = NULL;
    if (p == NULL)
        return -ENOMEM;
    p->events = events;
    p->arg = arg;
    p->terminal = terminal;
    p->smart = terminal && term && strcmp(term, "dumb") != 0 && term[0] != '\0';
    buf_init(&p->raw, 2 * (size_t)LINE_BYTES_MAX);
    buf_init(&p->line, LINE_BYTES_MAX);
    buf_init(&p->paste, LINE_BYTES_MAX);
    if (terminal)
        rc = edit_open(p);
    if (rc) {
        plain_close(p);
        return rc;
    }
    *out = p;
    return 0;
}

void plain_close(struct plain *p)
{
    if (p == NULL)
        return;
    if (p->el) {
        edit_end(p);
        if (p->smart)
            (void)fputs(paste_off, stdout);
        (void)fputc('\r', stdout);
        (void)fflush(stdout);
        el_end(p->el);
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &p->before);
    }
    buf_free(&p->raw);
    buf_free(&p->line);
    buf_free(&p->paste);
    secret_wipe(p, sizeof *p);
    mem_free(p);
}

/* ---- a line is whole -------------------------------------------------------------- */

static void give_line(struct plain *p, struct bytes typed_text)
{
    struct buf whole;

    if (p->paste.n == 0) {
        p->events->line(typed_text, p->arg);
        return;
    }
    buf_init(&whole, 2 * (size_t)LINE_BYTES_MAX);
    buf_put(&whole, p->paste.p, p->paste.n);
    if (typed_text.n > 0) {
        buf_put(&whole, "\n", 1);
        buf_put(&whole, typed_text.p, typed_text.n);
    }
    p->paste.n = 0;
    p->events->line(buf_view(&whole), p->arg);
    buf_free(&whole);
}

/* ---- pasting ---------------------------------------------------------------------- */

static void show_paste(struct plain *p, size_t lines)
{
    struct buf safe;

    buf_init(&safe, 16 * (size_t)LINE_BYTES_MAX);
    text_safe(buf_view(&p->paste), TEXT_BLOCK, &safe);
    plain_print_begin(p);
    (void)fputs("  ", stdout);
    (void)fwrite(safe.p, 1, safe.n, stdout);
    (void)fputc('\n', stdout);
    plain_print_end(p);
    buf_free(&safe);
    p->events->pasted(lines, p->arg);
}

/* One pasted line goes into the line being typed; several become one message, shown
 * first.  What was typed before stands first in it. */
static void paste_done(struct plain *p)
{
    const LineInfo *l = el_line(p->el);
    size_t before = (size_t)(l->lastchar - l->buffer), lines = 1;
    struct buf whole;

    while (p->paste.n > 0 && p->paste.p[p->paste.n - 1] == '\n')
        p->paste.n--;
    for (size_t i = 0; i < p->paste.n; i++)
        lines += p->paste.p[i] == '\n';
    if (p->paste.rc || p->paste.n == 0) {
        p->paste.rc = 0;
        p->paste.n = 0;
        return;
    }
    buf_init(&whole, 2 * (size_t)LINE_BYTES_MAX);
    buf_put(&whole, l->buffer, before);
    buf_put(&whole, p->paste.p, p->paste.n);
    buf_put(&whole, "", 1);
    p->paste.n = 0;
    if (whole.rc == 0 && lines == 1) {
        (void)el_insertstr(p->el, (const char *)whole.p + before);
        (void)el_set(p->el, EL_REFRESH);
    } else if (whole.rc == 0) {
        buf_put(&p->paste, whole.p, whole.n - 1);
        edit_end(p);
        (void)fputc('\n', stdout);
        edit_begin(p); /* an empty line */
        show_paste(p, lines);
    }
    buf_free(&whole);
}

static void paste_byte(struct plain *p, uint8_t c)
{
    if (c == '\r')
        c = '\n'; /* terminals send the Enter key's byte for each line end */
    buf_put(&p->paste, &c, 1);
}

/* ---- keys ------------------------------------------------------------------------- */

static void edit_key(struct plain *p)
{
    int n = 0;
    const char *line;

    p->keys_at = 0;
    line = el_gets(p->el, &n);
    if (line == NULL || n <= 0 || (line[n - 1] != '\n' && line[n - 1] != '\r'))
        return;
    edit_end(p);
    give_line(p, (struct bytes){(const uint8_t *)line, (size_t)n - 1});
    edit_begin(p);
    (void)fflush(stdout);
}

static void interrupt(struct plain *p)
{
    bool any = plain_busy(p);

    p->paste.n = 0;
    p->pasting = false;
    edit_end(p);
    (void)fputc('\n', stdout);
    edit_begin(p); /* an empty line */
    p->events->key(any ? PLAIN_DROPPED : PLAIN_STOP, p->arg);
}

static void one_key(struct plain *p, struct bytes key)
{
    mbstate_t state;

    if (key.n == 1 && key.p[0] == CTRL_G) {
        p->events->key(PLAIN_CRISIS, p->arg);
        return;
    }
    if (key.n == 1 && key.p[0] == CTRL_Q) {
        p->events->key(PLAIN_HIDE, p->arg);
        return;
    }
    if (key.n == 1 && key.p[0] == CTRL_D && !plain_busy(p)) {
        p->ended = true;
        p->events->ended(p->arg);
        return;
    }
    p->keys_n = 0;
    memset(&state, 0, sizeof state);
    while (key.n > 0 && p->keys_n < KEYS_MAX) {
        size_t n = mbrtowc(&p->keys[p->keys_n], (const char *)key.p, key.n, &state);

        if (n == 0 || n > key.n)
            return; /* a key that means nothing */
        p->keys_n++;
        key.p += n;
        key.n -= n;
    }
    edit_key(p);
}

/* How many bytes the key at the front takes; 0: more has to come. */
static size_t key_size(struct bytes in)
{
    static const uint8_t lead[] = {0xC0, 0xE0, 0xF0};
    size_t n = 1;

    if (in.p[0] >= 0xC0) {
        for (size_t i = 0; i < 3; i++)
            if (in.p[0] >= lead[i])
                n = i + 2;
        return in.n >= n ? n : 0;
    }
    if (in.p[0] != ESC)
        return 1;
    if (in.n < 2)
        return 0;
    if (in.p[1] == 'O')
        return in.n >= 3 ? 3 : 0;
    if (in.p[1] != '[')
        return 2;
    for (n = 2; n < in.n && n < 32; n++)
        if (in.p[n] >= 0x40 && in.p[n] <= 0x7E)
            return n + 1;
    return n >= 32 ? n : 0;
}

static bool is_sequence(struct bytes key, const char *what)
{
    return key.n == strlen(what) && memcmp(key.p, what, key.n) == 0;
}

static bool next_key(struct plain *p)
{
    struct bytes in = buf_view(&p->raw);
    uint8_t key[32];
    size_t n;

    if (in.n == 0 || p->ended)
        return false;
    n = p->pasting && in.p[0] != ESC ? 1 : key_size(in);
    if (n == 0)
        return false;
    memcpy(key, in.p, n);
    buf_eat(&p->raw, n);
    in = (struct bytes){key, n};
    if (n == 1 && key[0] == CTRL_C) {
        interrupt(p);
    } else if (is_sequence(in, "\033[200~")) {
        p->pasting = true;
    } else if (is_sequence(in, "\033[201~")) {
        p->pasting = false;
        paste_done(p);
    } else if (p->pasting) {
        for (size_t i = 0; i < n; i++)
            paste_byte(p, key[i]);
    } else {
        one_key(p, in);
    }
    return true;
}

/* ---- a pipe ----------------------------------------------------------------------- */

static void pipe_bytes(struct plain *p, struct bytes in)
{
    for (size_t i = 0; i < in.n && !p->ended; i++) {
        if (in.p[i] != '\n') {
            buf_put(&p->line, &in.p[i], 1); /* over-long: cut one byte above the limit */
            p->line.rc = p->line.rc == -ENOSPC ? 0 : p->line.rc;
            continue;
        }
        p->events->line(buf_view(&p->line), p->arg);
        p->line.n = 0;
    }
}

static void input_ended(struct plain *p)
{
    if (p->ended)
        return;
    if (!p->terminal && p->line.n > 0)
        p->events->line(buf_view(&p->line), p->arg);
    p->line.n = 0;
    p->ended = true;
    p->events->ended(p->arg);
}

void plain_input(struct plain *p)
{
    uint8_t some[4096];
    ssize_t n;

    if (p->ended)
        return;
    n = read(STDIN_FILENO, some, sizeof some);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        input_ended(p);
    } else if (p->terminal) {
        buf_put(&p->raw, some, (size_t)n);
        while (next_key(p))
            continue;
        (void)fflush(stdout);
    } else {
        pipe_bytes(p, (struct bytes){some, (size_t)n});
    }
    secret_wipe(some, sizeof some);
}

/* ---- printing --------------------------------------------------------------------- */

void plain_prompt(struct plain *p, const char *prompt)
{
    plain_print_begin(p);
    (void)snprintf(p->prompt, sizeof p->prompt, "%s", prompt);
    plain_print_end(p);
}

bool plain_busy(const struct plain *p)
{
    return p->paste.n > 0 || p->pasting || typed(p) > 0;
}

void plain_print_begin(struct plain *p)
{
    if (p->el == NULL || !p->editing || typed(p) > 0)
        return;
    edit_end(p);
    (void)fputs(p->smart ? "\r\033[K" : "\n", stdout); /* take the empty prompt away */
}

void plain_print_end(struct plain *p)
{
    if (p->el)
        edit_begin(p);
    (void)fflush(stdout);
}

void plain_bell(struct plain *p)
{
    if (p->terminal) {
        (void)fputc('\a', stdout);
        (void)fflush(stdout);
    }
}

void plain_wipe_screen(struct plain *p)
{
    if (p->smart)
        (void)fputs("\033[H\033[2J\033[3J", stdout);
    (void)fflush(stdout);
}
