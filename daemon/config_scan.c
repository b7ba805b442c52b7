/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar, as far as it matters here:  name [+]= value | name = { values } | name {
 * ... } with strings in '' or "", and comments after #, // or between slash-star and
 * star-slash. */
#include "daemon/config_scan.h"

#include "daemon/config_keys.h"

#include <ctype.h>
#include <string.h>

enum { WORD_CHARS = 64 };

struct scan {
    char *p, *end;
    size_t line;
};

static void step(struct scan *s)
{
    if (*s->p == '\n')
        s->line++;
    s->p++;
}

static bool at(const struct scan *s, const char *what)
{
    size_t n = strlen(what);

    return (size_t)(s->end - s->p) >= n && memcmp(s->p, what, n) == 0;
}

static void skip_past(struct scan *s, const char *what)
{
    while (s->p < s->end && !at(s, what))
        step(s);
    for (size_t n = strlen(what); n > 0 && s->p < s->end; n--)
        step(s);
}

/* White space and comments. */
static void skip_space(struct scan *s)
{
    while (s->p < s->end) {
        if (isspace((unsigned char)*s->p))
            step(s);
        else if (*s->p == '#' || at(s, "//"))
            skip_past(s, "\n");
        else if (at(s, "/*"))
            skip_past(s, "*/");
        else
            return;
    }
}

static void skip_string(struct scan *s)
{
    char quote = *s->p;

    step(s);
    while (s->p < s->end && *s->p != quote) {
        if (*s->p == '\\' && s->p + 1 < s->end)
            step(s);
        step(s);
    }
    if (s->p < s->end)
        step(s);
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || strchr("_-.:/[]*", c) != NULL;
}

/* One string, word or single character. */
static void skip_token(struct scan *s)
{
    if (*s->p == '"' || *s->p == '\'') {
        skip_string(s);
    } else if (*s->p != '\0' && is_word(*s->p)) {
        while (s->p < s->end && *s->p != '\0' && is_word(*s->p) && !at(s, "//") &&
               !at(s, "/*"))
            step(s);
    } else {
        step(s);
    }
}

/* From an opening brace past the one that closes it. */
static void skip_braces(struct scan *s)
{
    size_t depth = 0;

    while (s->p < s->end) {
        skip_space(s);
        if (s->p == s->end)
            return;
        depth += *s->p == '{';
        depth -= *s->p == '}' && depth > 0;
        skip_token(s);
        if (depth == 0)
            return;
    }
}

/* What follows a name: a value, a list, or a block. */
static void skip_value(struct scan *s)
{
    skip_space(s);
    if (at(s, "+="))
        step(s);
    if (s->p < s->end && *s->p == '=') {
        step(s);
        skip_space(s);
    }
    if (s->p < s->end && *s->p == '{')
        skip_braces(s);
    else if (s->p < s->end && *s->p != '}')
        skip_token(s);
}

static void blank(char *from, const char *to)
{
    for (; from < to; from++)
        if (*from != '\n')
            *from = ' ';
}

static bool read_name(struct scan *s, char name[WORD_CHARS])
{
    char *from = s->p;
    size_t n;

    while (s->p < s->end &&
           (isalnum((unsigned char)*s->p) || *s->p == '_' || *s->p == '-'))
        step(s);
    n = (size_t)(s->p - from);
    if (n == 0)
        return false;
    if (n >= WORD_CHARS)
        n = WORD_CHARS - 1;
    memcpy(name, from, n);
    name[n] = '\0';
    return true;
}

static void scan_section(struct scan *s, const char *section, config_unknown *unknown,
                         void *arg);

/* A statement: at the top (section NULL) or inside a section. */
static void scan_statement(struct scan *s, const char *section, config_unknown *unknown,
                           void *arg)
{
    char name[WORD_CHARS];
    char *from = s->p;
    size_t line = s->line;

    if (!read_name(s, name)) {
        skip_token(s); /* not ours to judge: the parser will say what is wrong with it */
        return;
    }
    if (section == NULL && config_section_known(name)) {
        skip_space(s);
        if (s->p < s->end && *s->p == '{')
            scan_section(s, name, unknown, arg);
        return;
    }
    skip_value(s);
    if (section != NULL && config_key_find(section, name) != NULL)
        return;
    unknown(line, section, name, arg);
    blank(from, s->p);
}

static void scan_section(struct scan *s, const char *section, config_unknown *unknown,
                         void *arg)
{
    char name[WORD_CHARS];

    memcpy(name, section, strlen(section) + 1);
    step(s); /* { */
    for (;;) {
        skip_space(s);
        if (s->p == s->end)
            return;
        if (*s->p == '}') {
            step(s);
            return;
        }
        scan_statement(s, name, unknown, arg);
    }
}

void config_scan(char *text, size_t n, config_unknown *unknown, void *arg)
{
    struct scan s = {text, text + n, 1};

    for (;;) {
        skip_space(&s);
        if (s.p == s.end)
            return;
        scan_statement(&s, NULL, unknown, arg);
    }
}
