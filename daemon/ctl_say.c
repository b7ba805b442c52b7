/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl_say.h"

#include "lib/matrix.h"
#include "lib/text.h"
#include "proto/mp_read.h"

#include <langinfo.h>
#include <qrencode.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SENTENCE_CHARS = 2048, LINE_CHARS = 512, QR_BYTES_MAX = 64 * 1024 };

/* An error repeats what was typed: it stays one line, moves no cursor, and is UTF-8,
 * without which there is no JSON. */
static void clean_sentence(char *s)
{
    bool valid = utf8_valid((struct bytes){(const uint8_t *)s, strlen(s)});

    for (; *s != '\0'; s++) {
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            *s = ' ';
        else if (!valid && (unsigned char)*s >= 0x80)
            *s = '?';
    }
}

int ctl_fail(const struct ctl *c, int exit, const char *code, const char *fmt, ...)
{
    char sentence[SENTENCE_CHARS];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(sentence, sizeof sentence, fmt, args);
    va_end(args);
    clean_sentence(sentence);
    if (c->json) {
        json_t *error = json_pack("{s:i,s:{s:s,s:i,s:s}}", "v", 1, "error", "code", code,
                                  "exit", exit, "message", sentence);

        if (error != NULL)
            (void)json_dumpf(error, stderr, JSON_COMPACT | JSON_ENSURE_ASCII);
        (void)fputc('\n', stderr);
        json_decref(error);
    } else {
        (void)fprintf(stderr, "kithctl: %s\n", sentence);
    }
    return exit;
}

void ctl_say(const struct ctl *c, const char *fmt, ...)
{
    va_list args;

    if (c->json)
        return;
    va_start(args, fmt);
    (void)vprintf(fmt, args);
    va_end(args);
}

void ctl_note(const struct ctl *c, const char *fmt, ...)
{
    va_list args;

    if (c->json || c->quiet)
        return;
    (void)fflush(stdout); /* one order for both where they end in one file */
    va_start(args, fmt);
    (void)vfprintf(stderr, fmt, args);
    va_end(args);
}

int ctl_json(json_t *object)
{
    int rc = CTL_DONE;

    /* What cannot be written is told by main, for every verb alike. */
    if (object == NULL ||
        (json_dumpf(object, stdout, JSON_COMPACT | JSON_ENSURE_ASCII) && !ferror(stdout)))
        rc = CTL_BUG;
    (void)fputc('\n', stdout);
    json_decref(object);
    return rc;
}

void ctl_lines(struct bytes array, const char *fmt, FILE *to)
{
    struct mp r = mp_over(array);
    size_t count = mp_array(&r, 0, SIZE_MAX);

    for (size_t i = 0; i < count && r.rc == 0; i++) {
        char line[LINE_CHARS];

        ctl_clean(mp_str(&r, 0, SIZE_MAX), line, sizeof line);
        (void)fprintf(to, fmt, line);
    }
}

json_t *ctl_json_lines(struct bytes array)
{
    struct mp r = mp_over(array);
    size_t count = mp_array(&r, 0, SIZE_MAX);
    json_t *out = json_array();

    for (size_t i = 0; i < count && r.rc == 0; i++) {
        char line[LINE_CHARS];

        ctl_clean(mp_str(&r, 0, SIZE_MAX), line, sizeof line);
        (void)json_array_append_new(out, json_string(line));
    }
    return out;
}

void ctl_clean(struct bytes text, char *out, size_t room)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n && n + 1 < room; i++)
        if (text.p[i] >= 0x20 && text.p[i] != 0x7f)
            out[n++] = (char)text.p[i];
    out[n] = '\0';
}

static void print_time(uint64_t unix_s, const char *fmt, char out[CTL_TIME_CHARS])
{
    time_t t = (time_t)unix_s;
    struct tm parts;

    if (gmtime_r(&t, &parts) == NULL || strftime(out, CTL_TIME_CHARS, fmt, &parts) == 0)
        memcpy(out, "?", sizeof "?");
}

void ctl_date(uint64_t unix_s, char out[CTL_TIME_CHARS])
{
    print_time(unix_s, "%Y-%m-%d", out);
}

void ctl_minute(uint64_t unix_s, char out[CTL_TIME_CHARS])
{
    print_time(unix_s, "%Y-%m-%d %H:%M", out);
}

void ctl_rfc3339(uint64_t unix_s, char out[CTL_TIME_CHARS])
{
    print_time(unix_s, "%Y-%m-%dT%H:%M:%SZ", out);
}

void ctl_size(uint64_t bytes, char out[CTL_SIZE_CHARS])
{
    static const char *const unit[] = {"bytes", "KB", "MB", "GB", "TB"};
    double value = (double)bytes;
    size_t step = 0;

    while (value >= 1000 && step + 1 < sizeof unit / sizeof unit[0]) {
        value /= 1000;
        step++;
    }
    (void)snprintf(out, CTL_SIZE_CHARS, step == 0 ? "%.0f %s" : "%.1f %s", value,
                   unit[step]);
}

/* Half blocks need UTF-8 and colours; otherwise two characters a module, which every
 * printer and every screen shows alike. */
static enum matrix_style qr_style(void)
{
    const char *term = getenv("TERM");
    const char *plain = getenv("NO_COLOR");

    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0 || (plain != NULL && *plain != '\0') ||
        (term != NULL && strcmp(term, "dumb") == 0))
        return MATRIX_ASCII;
    return MATRIX_BLOCKS;
}

void ctl_qr(const char *text)
{
    QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
    struct buf out;

    if (code == NULL)
        return;
    buf_init(&out, QR_BYTES_MAX);
    matrix_draw(code->data, (size_t)code->width, qr_style(), &out);
    if (out.rc == 0)
        (void)fwrite(out.p, 1, out.n, stdout);
    buf_free(&out);
    QRcode_free(code);
}
