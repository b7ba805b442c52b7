/* SPDX-License-Identifier: Apache-2.0 */
#include "client/ui/text.h"

#include <string.h>
#include <utf8proc.h>

enum { REPLACEMENT = 0xFFFD, FSI = 0x2068, PDI = 0x2069, ZWNJ = 0x200C, ZWJ = 0x200D };
enum { FOLDED_MAX = 1024 /* a name of 64 bytes takes no more, even as ligatures */ };

/* One decoded character; size is how many bytes of the input it took. */
struct one {
    utf8proc_int32_t c;
    size_t size;
};

static struct one next_char(struct bytes in)
{
    utf8proc_int32_t c = -1;
    utf8proc_ssize_t n = utf8proc_iterate(in.p, (utf8proc_ssize_t)in.n, &c);

    if (n <= 0 || c < 0)
        return (struct one){REPLACEMENT, 1};
    return (struct one){c, (size_t)n};
}

static void put_char(struct buf *out, utf8proc_int32_t c)
{
    utf8proc_uint8_t bytes[4] = {0};

    buf_put(out, bytes, (size_t)utf8proc_encode_char(c, bytes));
}

static bool is_line_end(utf8proc_int32_t c)
{
    return c == '\n' || c == '\r' || c == 0x0B || c == 0x0C || c == 0x85 || c == 0x2028 ||
           c == 0x2029;
}

/* Letters and marks that print as nothing although Unicode files them as visible. */
static bool is_blank_trick(utf8proc_int32_t c)
{
    return c == 0x034F || c == 0x115F || c == 0x1160 || c == 0x17B4 || c == 0x17B5 ||
           c == 0x180B || c == 0x180C || c == 0x180D || c == 0x180F || c == 0x3164 ||
           c == 0xFFA0 || c == 0x2800 || (c >= 0xE0100 && c <= 0xE01EF);
}

static bool is_forbidden(utf8proc_int32_t c)
{
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF: /* direction, zero width, tags, soft hyphen */
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
        return true;
    case UTF8PROC_CATEGORY_CN: /* unassigned: letters newer than our tables may pass, but
                                  not the planes set aside for invisible things */
        return c >= 0xE0000 || (c & 0xFFFE) == 0xFFFE || (c >= 0xFDD0 && c <= 0xFDEF) ||
               (c >= 0x2060 && c <= 0x206F) || (c >= 0xFFF0 && c <= 0xFFF8);
    default:
        return is_blank_trick(c);
    }
}

static bool is_mark(utf8proc_int32_t c)
{
    utf8proc_category_t k = utf8proc_category(c);

    return k == UTF8PROC_CATEGORY_MN || k == UTF8PROC_CATEGORY_ME;
}

static bool is_right_to_left(utf8proc_int32_t c)
{
    switch (utf8proc_get_property(c)->bidi_class) {
    case UTF8PROC_BIDI_CLASS_R:
    case UTF8PROC_BIDI_CLASS_AL:
    case UTF8PROC_BIDI_CLASS_AN:
        return true;
    default:
        return false;
    }
}

static bool has_right_to_left(struct bytes in)
{
    while (in.n > 0) {
        struct one o = next_char(in);

        if (is_right_to_left(o.c) && !is_forbidden(o.c))
            return true;
        in.p += o.size;
        in.n -= o.size;
    }
    return false;
}

/* A joiner is real spelling only between two characters beyond ASCII (Persian, Hindi,
 * joined pictures); anywhere else it only hides a difference. */
static bool joiner_belongs(utf8proc_int32_t before, struct bytes rest)
{
    struct one after;

    if (before < 0x80 || before == ZWJ || before == ZWNJ || rest.n == 0)
        return false;
    after = next_char(rest);
    return after.c >= 0x80 && !is_forbidden(after.c) && !is_line_end(after.c);
}

/* Where the copying stands. */
struct state {
    enum text_shape shape;
    utf8proc_int32_t before;
    int marks;   /* in a row */
    int pending; /* line ends not written yet: those at the very end are dropped */
    bool begun;
};

static void put_pending(struct state *s, struct buf *out)
{
    if (s->pending > 0 && s->begun) {
        if (s->shape != TEXT_BLOCK) {
            put_char(out, ' ');
        } else {
            put_char(out, '\n');
            if (s->pending >
                1) /* one empty line at most: a message may not push others away */
                put_char(out, '\n');
            buf_put(out, "  ", 2);
        }
    }
    s->pending = 0;
}

static void one_char(struct state *s, utf8proc_int32_t c, struct bytes rest,
                     struct buf *out)
{
    if (c == ZWJ || c == ZWNJ) {
        if (s->shape == TEXT_NAME || s->pending || !joiner_belongs(s->before, rest))
            return;
    } else if (c == '\t') {
        c = ' ';
    } else if (is_forbidden(c)) {
        return;
    }
    if (!is_mark(c))
        s->marks = 0;
    else if (++s->marks > TEXT_MARKS_MAX)
        return;
    put_pending(s, out);
    put_char(out, c);
    s->before = c;
    s->begun = true;
}

void text_safe(struct bytes in, enum text_shape shape, struct buf *out)
{
    struct state s = {.shape = shape};
    bool isolate = has_right_to_left(in);

    if (isolate)
        put_char(out, FSI);
    while (in.n > 0) {
        struct one o = next_char(in);
        struct bytes rest = {in.p + o.size, in.n - o.size};

        if (o.c == '\r' && rest.n > 0 && rest.p[0] == '\n') {
            /* one line end, written twice */
        } else if (is_line_end(o.c)) {
            s.pending++;
            s.before = 0;
        } else {
            one_char(&s, o.c, rest, out);
        }
        in = rest;
    }
    if (isolate)
        put_char(out, PDI);
}

size_t text_width(struct bytes in)
{
    size_t columns = 0;

    while (in.n > 0) {
        struct one o = next_char(in);
        int w = utf8proc_charwidth(o.c);

        columns += w > 0 ? (size_t)w : 0;
        in.p += o.size;
        in.n -= o.size;
    }
    return columns;
}

/* The longest prefix of at most `most` bytes that ends between characters. */
static size_t whole_prefix(struct bytes in, size_t most)
{
    size_t n = 0;

    while (n < in.n) {
        struct one o = next_char((struct bytes){in.p + n, in.n - n});

        if (n + o.size > most)
            break;
        n += o.size;
    }
    return n;
}

void text_name(struct bytes in, char *out, size_t room)
{
    struct buf safe;
    size_t n;

    buf_init(&safe, 8 * (in.n + 1));
    text_safe(in, TEXT_NAME, &safe);
    n = safe.rc ? 0 : whole_prefix(buf_view(&safe), room - 1);
    if (n > 0)
        memcpy(out, safe.p, n);
    out[n] = '\0';
    buf_free(&safe);
}

/* Where s, of lower-case characters, equals the word. */
static bool is_word(const utf8proc_int32_t *s, size_t n, const char *word)
{
    size_t i = 0;

    for (; i < n && word[i]; i++)
        if (s[i] != (utf8proc_int32_t)word[i])
            return false;
    return i == n && word[i] == '\0';
}

static bool is_id(const utf8proc_int32_t *s, size_t n)
{
    if (n < 2 || (s[0] != 'c' && s[0] != 'm'))
        return false;
    for (size_t i = 1; i < n; i++)
        if (s[i] < '0' || s[i] > '9')
            return false;
    return true;
}

static bool is_blank(utf8proc_int32_t c)
{
    return utf8proc_category(c) == UTF8PROC_CATEGORY_ZS || is_blank_trick(c);
}

bool text_name_misleads(struct bytes name)
{
    static const char *const words[] = {"you", "me", "kith"};
    utf8proc_int32_t folded[FOLDED_MAX], *s = folded;
    utf8proc_ssize_t got = utf8proc_decompose(
        name.p, (utf8proc_ssize_t)name.n, folded, FOLDED_MAX,
        UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
    size_t n = got > 0 ? (size_t)got : 0;

    if (got > FOLDED_MAX)
        return false; /* none of the words is that long */
    while (n > 0 && is_blank(s[n - 1]))
        n--;
    for (; n > 0 && is_blank(*s); s++)
        n--;
    if (n == 0 || is_id(s, n))
        return true;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (is_word(s, n, words[i]))
            return true;
    return false;
}
