/* SPDX-License-Identifier: Apache-2.0 */
/* Each file goes through config_scan (unknown names) and libconfuse (syntax), whose
 * validation hook hands every value to the table in config_keys.c; all of them report
 * into one list. */
#include "daemon/config.h"

#include "daemon/config_keys.h"
#include "daemon/config_scan.h"
#include "lib/file.h"
#include "lib/kdf.h"
#include "lib/mem.h"
#include "lib/nearest.h"

#include <confuse.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct reading {
    struct config *config;
    struct config_problems *problems;
    const char *file; /* as problems name it */
    bool no_memory;
};

/* libconfuse's callbacks carry no argument. */
static struct reading *reading;

static const char *const section_names[] = {"relay", "board", "limits", "log"};
enum { SECTIONS = sizeof section_names / sizeof section_names[0], KEYS_MAX = 16 };

/* ---- problems --------------------------------------------------------------------- */

void config_problems_free(struct config_problems *p)
{
    for (size_t i = 0; i < p->count; i++)
        mem_free(p->line[i]);
    p->count = 0;
}

/* A list is validated once more when it is complete: the same words are not said twice.
 */
static void add_problem(struct reading *r, const char *text)
{
    struct config_problems *p = r->problems;

    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->line[i], text) == 0)
            return;
    if (p->count == CONFIG_PROBLEMS_MAX)
        return;
    p->line[p->count] = mem_strdup(text);
    if (p->line[p->count] == NULL)
        r->no_memory = true;
    else
        p->count++;
}

/* line 0: of the file as a whole. */
__attribute__((format(printf, 3, 4))) static void problem(struct reading *r, size_t line,
                                                          const char *fmt, ...)
{
    char text[CONFIG_VALUE_CHARS];
    size_t n = (size_t)(line == 0
                            ? snprintf(text, sizeof text, "%s ", r->file)
                            : snprintf(text, sizeof text, "%s:%zu: ", r->file, line));
    va_list ap;

    if (n >= sizeof text)
        n = sizeof text - 1;
    va_start(ap, fmt);
    (void)vsnprintf(text + n, sizeof text - n, fmt, ap);
    va_end(ap);
    add_problem(r, text);
}

static void on_unknown(size_t line, const char *section, const char *name, void *arg)
{
    const char *names[KEYS_MAX] = {0};
    size_t n = 0;
    const char *guess;

    if (section == NULL) {
        guess = nearest(name, section_names, SECTIONS);
    } else {
        for (size_t i = 0; i < config_keys_n && n < KEYS_MAX; i++)
            if (strcmp(config_keys[i].section, section) == 0)
                names[n++] = config_keys[i].name;
        guess = nearest(name, names, n);
    }
    if (guess != NULL)
        problem(arg, line, "\"%s\" is not known here. Did you mean \"%s\"?", name, guess);
    else
        problem(arg, line, "\"%s\" is not known here.", name);
}

/* ---- libconfuse ------------------------------------------------------------------- */

static void on_syntax(cfg_t *cfg, const char *fmt, va_list ap)
{
    char text[CONFIG_VALUE_CHARS / 2];

    (void)vsnprintf(text, sizeof text, fmt, ap);
    problem(reading, (size_t)cfg->line, "%s. The rest of this file was not read.", text);
}

/* The value just read is the last one of opt. */
static int on_value(cfg_t *cfg, cfg_opt_t *opt)
{
    const struct config_key *key = config_key_find(cfg_name(cfg), cfg_opt_name(opt));
    char expected[CONFIG_EXPECT_CHARS];
    unsigned n = cfg_opt_size(opt);

    if (key == NULL || n == 0)
        return 0;
    if (key->list)
        reading->config->listen_n = 0;
    for (unsigned i = key->list ? 0 : n - 1; i < n; i++) {
        const char *value = cfg_opt_getnstr(opt, i);

        if (value != NULL && !key->set(reading->config, value, expected))
            problem(reading, (size_t)cfg->line, "%s %s, found \"%s\".", key->name,
                    expected, value);
    }
    return 0; /* go on: there may be more to tell */
}

static void section_options(const char *section, cfg_opt_t out[KEYS_MAX])
{
    const cfg_opt_t end = CFG_END();
    size_t n = 0;

    for (size_t i = 0; i < config_keys_n && n < KEYS_MAX - 1; i++) {
        cfg_opt_t one = CFG_STR(config_keys[i].name, NULL, CFGF_NODEFAULT);
        cfg_opt_t list = CFG_STR_LIST(config_keys[i].name, NULL, CFGF_NODEFAULT);

        if (strcmp(config_keys[i].section, section) == 0)
            out[n++] = config_keys[i].list ? list : one;
    }
    out[n] = end;
}

/* Parse one file's text, its unknown names blanked out already. */
static void parse(struct reading *r, const char *text)
{
    cfg_opt_t options[SECTIONS][KEYS_MAX];
    const cfg_opt_t end = CFG_END();
    cfg_opt_t sections[SECTIONS + 1];
    char path[2 * CONFIG_USER_BYTES_MAX];
    cfg_t *cfg;

    for (size_t i = 0; i < SECTIONS; i++) {
        cfg_opt_t section = CFG_SEC(section_names[i], options[i], CFGF_NONE);

        section_options(section_names[i], options[i]);
        sections[i] = section;
    }
    sections[SECTIONS] = end;
    cfg = cfg_init(sections, CFGF_NONE);
    if (cfg == NULL) {
        r->no_memory = true;
        return;
    }
    reading = r;
    (void)cfg_set_error_function(cfg, on_syntax);
    for (size_t i = 0; i < config_keys_n; i++) {
        (void)snprintf(path, sizeof path, "%s|%s", config_keys[i].section,
                       config_keys[i].name);
        (void)cfg_set_validate_func(cfg, path, on_value);
    }
    (void)cfg_parse_buf(cfg, text); /* on_syntax has told what is wrong */
    (void)cfg_free(cfg);
    reading = NULL;
}

/* ---- files ------------------------------------------------------------------------ */

/* 0; -ENOENT and other -errno when the file can't be read. */
static int read_file(struct reading *r, const char *path, const char *shown)
{
    struct buf text;
    int rc;

    buf_init(&text, CONFIG_FILE_BYTES_MAX + 1);
    rc = file_read(path, CONFIG_FILE_BYTES_MAX, false, &text);
    if (rc == 0)
        buf_put(&text, "", 1);
    if (rc == 0)
        rc = text.rc;
    r->file = shown;
    if (rc == 0 && memchr(text.p, '\0', text.n) != text.p + text.n - 1) {
        problem(r, 1, "this is not text.");
    } else if (rc == 0) {
        config_scan((char *)text.p, text.n - 1, on_unknown, r);
        parse(r, (const char *)text.p);
    }
    buf_free(&text);
    return rc;
}

static int only_conf(const struct dirent *e)
{
    size_t n = strlen(e->d_name);

    return e->d_name[0] != '.' && n > 5 && strcmp(e->d_name + n - 5, ".conf") == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

static void read_drop_in(struct reading *r, const char *folder, const char *name)
{
    char path[CONFIG_PATH_BYTES], shown[CONFIG_PATH_BYTES];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    int rc = -ENAMETOOLONG;

    (void)snprintf(shown, sizeof shown, "%.255s/%.255s", base_name(folder), name);
    if (n > 0 && (size_t)n < sizeof path)
        rc = read_file(r, path, shown);
    if (rc)
        problem(r, 0, "can't be read: %s.", err_text(rc));
}

static void read_drop_ins(struct reading *r, const char *file)
{
    char folder[CONFIG_PATH_BYTES];
    struct dirent **entries = NULL;
    int n = snprintf(folder, sizeof folder, "%s.d", file);

    if (n < 0 || (size_t)n >= sizeof folder)
        return;
    n = scandir(folder, &entries, only_conf, by_bytes);
    for (int i = 0; i < n; i++) {
        if (i < CONFIG_FILES_MAX)
            read_drop_in(r, folder, entries[i]->d_name);
        free(entries[i]); /* scandir's own allocation */
    }
    free(entries);
}

static void check_whole(struct reading *r, const char *file)
{
    r->file = base_name(file);
    if (r->config->name[0] == '\0')
        problem(r, 1, "relay { name = \"...\" } is missing: the name of the cohort.");
}

int config_load(const char *file, struct config *out, struct config_problems *problems)
{
    struct reading r = {.config = out, .problems = problems};
    int rc;

    config_defaults(out);
    rc = read_file(&r, file, base_name(file));
    if (rc == -ENOENT)
        return CONFIG_E_ABSENT;
    if (rc)
        problem(&r, 0, "can't be read: %s.", err_text(rc));
    read_drop_ins(&r, file);
    if (problems->count == 0)
        check_whole(&r, file);
    if (r.no_memory)
        return -ENOMEM;
    return problems->count > 0 ? CONFIG_E_BAD : 0;
}

void config_defaults(struct config *out)
{
    char unused[CONFIG_EXPECT_CHARS];
    const struct config_key *listen = config_key_find("relay", "listen");

    memset(out, 0, sizeof *out);
    (void)listen->set(out, "0.0.0.0:7443", unused);
    (void)listen->set(out, "[::]:7443", unused);
    out->retention_days = 14;
    out->mail_buckets = 1;
    out->members = 200;
    out->map_bytes = UINT64_C(64) << 30;
    out->connections = 4096;
    out->connections_per_address = 512;
    out->log = LOG_LEVEL_NOTICE;
}

/* ---- writing, showing, comparing -------------------------------------------------- */

void config_show(const struct config *c, bool changed_only,
                 void (*line)(const char *text, void *arg), void *arg)
{
    struct config defaults;
    char value[CONFIG_VALUE_CHARS], standard[CONFIG_VALUE_CHARS];
    char text[CONFIG_VALUE_CHARS + 2 * CONFIG_USER_BYTES_MAX];

    config_defaults(&defaults);
    for (size_t i = 0; i < config_keys_n; i++) {
        const struct config_key *key = &config_keys[i];

        key->show(c, value);
        key->show(&defaults, standard);
        if (changed_only && strcmp(value, standard) == 0)
            continue;
        (void)snprintf(text, sizeof text, "%s.%s = %s", key->section, key->name, value);
        line(text, arg);
    }
}

void config_diff(const struct config *was, const struct config *now,
                 void (*differs)(const char *key, enum config_applies how, void *arg),
                 void *arg)
{
    char before[CONFIG_VALUE_CHARS], after[CONFIG_VALUE_CHARS];
    char name[2 * CONFIG_USER_BYTES_MAX];

    for (size_t i = 0; i < config_keys_n; i++) {
        const struct config_key *key = &config_keys[i];

        key->show(was, before);
        key->show(now, after);
        if (strcmp(before, after) == 0)
            continue;
        (void)snprintf(name, sizeof name, "%s.%s", key->section, key->name);
        differs(name, key->applies, arg);
    }
}

static int write_readme(const char *file)
{
    static const char text[] =
        "Settings of your own go here, in files that end in .conf.  They are read in\n"
        "the order of their names, after kithd.conf; what is read later wins.  Then\n"
        "run: kithctl reload\n";
    char path[CONFIG_PATH_BYTES];
    int n = snprintf(path, sizeof path, "%s.d", file);
    int rc;

    if (n < 0 || (size_t)n >= sizeof path - sizeof "/README")
        return -ENAMETOOLONG;
    rc = file_mkdirs(path, 0700);
    if (rc)
        return rc;
    memcpy(path + n, "/README", sizeof "/README");
    return file_replace(path, LABEL(text), 0600);
}

static void put_setting(struct buf *b, const struct config *c, const char *section,
                        const char *name)
{
    char value[CONFIG_VALUE_CHARS], line[CONFIG_VALUE_CHARS + CONFIG_USER_BYTES_MAX];

    config_key_find(section, name)->show(c, value);
    (void)snprintf(line, sizeof line, "    %s = %s\n", name, value);
    buf_put(b, line, strlen(line));
}

int config_create(const char *file, const struct config *c)
{
    static const char head[] =
        "# kithd's settings.  kithd --show-config lists all of them; kithctl reload "
        "applies\n"
        "# what was changed.  Own settings outlast upgrades in the folder kithd.conf.d.\n"
        "relay {\n";
    struct buf text;
    int rc;

    if (access(file, F_OK) == 0)
        return -EEXIST;
    /* The name is the only value that comes as somebody typed it. */
    if (strpbrk(c->name, "\"\\$") != NULL)
        return -EINVAL;
    buf_init(&text, CONFIG_FILE_BYTES_MAX);
    buf_put(&text, head, sizeof head - 1);
    put_setting(&text, c, "relay", "name");
    put_setting(&text, c, "relay", "address");
    put_setting(&text, c, "relay", "listen");
    buf_put(&text, "}\nboard {\n", 10);
    put_setting(&text, c, "board", "retention");
    put_setting(&text, c, "board", "mail_buckets");
    put_setting(&text, c, "board", "members");
    buf_put(&text, "}\n", 2);
    rc = text.rc;
    if (rc == 0)
        rc = write_readme(file);
    if (rc == 0)
        rc = file_replace(file, buf_view(&text), 0600);
    buf_free(&text);
    return rc;
}

int config_default_dir(char out[CONFIG_PATH_BYTES])
{
    const char *data = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");
    int n;

    if (geteuid() == 0)
        n = snprintf(out, CONFIG_PATH_BYTES, "/var/lib/kithd");
    else if (data != NULL && data[0] == '/')
        n = snprintf(out, CONFIG_PATH_BYTES, "%s/kithd", data);
    else if (home != NULL && home[0] == '/')
        n = snprintf(out, CONFIG_PATH_BYTES, "%s/.local/share/kithd", home);
    else
        return -ENOENT;
    return n < 0 || n >= CONFIG_PATH_BYTES ? -ENAMETOOLONG : 0;
}
