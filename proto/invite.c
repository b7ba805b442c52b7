/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/invite.h"

#include "lib/kdf.h"
#include "lib/secret.h"
#include "lib/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define INVITE_HEAD "KITH:"
#define LINK_HEAD "KITH-C:"

enum {
    HEAD_BYTES_MAX = sizeof LINK_HEAD - 1,
    INVITE_KEYS_BYTES = 32, /* secret | fingerprint */
    INVITE_KEYS_CHARS = BASE32_CHARS(INVITE_KEYS_BYTES),
    LINK_CHECKED_BYTES = LINK_SECRET_BYTES + 2 + 4 + 4 + 4,
    LINK_BYTES = LINK_CHECKED_BYTES + 4,
    PREFIX_BYTES = 4, /* of the cohort id, and of the check */
    LABEL_BYTES_MAX = 63,
    IPV6_GROUPS = 8,
};

_Static_assert(INVITE_KEYS_CHARS == 52, "SPEC 5.4");
_Static_assert(LINK_BYTES == 50 && BASE32_CHARS(LINK_BYTES) == 80, "SPEC 5.5");
_Static_assert((int)LINK_CHARS <= (int)INVITE_CHARS_MAX, "one buffer takes either");
_Static_assert(LINK_CHARS == HEAD_BYTES_MAX + BASE32_CHARS(LINK_BYTES), "SPEC 5.5");
_Static_assert(sizeof INVITE_HEAD - 1 + ADDRESS_BYTES_MAX + 1 + INVITE_KEYS_CHARS ==
                   INVITE_CHARS_MAX,
               "the longest name fits an invite when the port is the usual one");

/* ---- addresses -------------------------------------------------------------------- */

/* A stretch of text under examination; nothing here looks at the current locale. */
struct span {
    const char *p;
    size_t n;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static size_t count_of(struct span s, char c)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == c;
    return n;
}

/* Up to the first c; the rest after it stays in *s, whose p is NULL when there was no c.
 */
static struct span cut(struct span *s, char c)
{
    const char *at = memchr(s->p, c, s->n);
    struct span first = *s;

    if (at) {
        first.n = (size_t)(at - s->p);
        *s = (struct span){at + 1, s->n - first.n - 1};
    } else {
        *s = (struct span){NULL, 0};
    }
    return first;
}

/* Decimal without leading zeros, 0..most. */
static bool number(struct span s, unsigned most, unsigned *out)
{
    unsigned v = 0;

    if (!s.n || s.n > 5 || (s.n > 1 && s.p[0] == '0'))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_digit(s.p[i]))
            return false;
        v = v * 10 + (unsigned)(s.p[i] - '0');
    }
    *out = v;
    return v <= most;
}

static bool is_ipv4(struct span s)
{
    unsigned octet;

    if (count_of(s, '.') != 3)
        return false;
    while (s.p)
        if (!number(cut(&s, '.'), 255, &octet))
            return false;
    return true;
}

/* Groups of 1..4 hex digits between colons; the last may be an IPv4 address, worth two.
 * Returns how many groups, or -1. */
static int ipv6_groups(struct span s, bool last_part)
{
    int groups = 0;

    if (!s.n)
        return 0;
    while (s.p) {
        struct span g = cut(&s, ':');

        if (last_part && !s.p && is_ipv4(g))
            return groups + 2;
        if (!g.n || g.n > 4)
            return -1;
        for (size_t i = 0; i < g.n; i++)
            if (!is_hex(g.p[i]))
                return -1;
        groups++;
    }
    return groups;
}

static bool is_ipv6(struct span s)
{
    for (size_t i = 0; i + 1 < s.n; i++) {
        int before, after;

        if (s.p[i] != ':' || s.p[i + 1] != ':')
            continue;
        before = ipv6_groups((struct span){s.p, i}, false);
        after = ipv6_groups((struct span){s.p + i + 2, s.n - i - 2}, true);
        return before >= 0 && after >= 0 && before + after < IPV6_GROUPS;
    }
    return ipv6_groups(s, true) == IPV6_GROUPS;
}

static bool is_label(struct span s)
{
    if (!s.n || s.n > LABEL_BYTES_MAX || s.p[0] == '-' || s.p[s.n - 1] == '-')
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_letter(s.p[i]) && !is_digit(s.p[i]) && s.p[i] != '-')
            return false;
    return true;
}

/* A name whose last label is a number would be read as an address by some resolvers. */
static bool is_name(struct span s)
{
    struct span label = s;
    bool letter = false;

    while (s.p) {
        label = cut(&s, '.');
        if (!is_label(label))
            return false;
    }
    for (size_t i = 0; i < label.n; i++)
        letter = letter || !is_digit(label.p[i]);
    return letter;
}

/* The host's part; *rest gets what follows it: nothing, ":port", or "*port". */
static bool split_host(struct span s, struct span *host, struct span *rest)
{
    const char *end;

    *host = s;
    if (s.n && s.p[0] == '[') {
        end = memchr(s.p, ']', s.n);
        if (!end)
            return false;
        *host = (struct span){s.p + 1, (size_t)(end - s.p) - 1};
        *rest = (struct span){end + 1, s.n - host->n - 2};
        return is_ipv6(*host) && (!rest->n || rest->p[0] == ':');
    }
    end = memchr(s.p, count_of(s, ':') >= 2 ? '*' : ':', s.n);
    if (end)
        host->n = (size_t)(end - s.p);
    *rest = (struct span){s.p + host->n, s.n - host->n};
    return count_of(s, ':') >= 2 ? is_ipv6(*host) : is_ipv4(*host) || is_name(*host);
}

int address_parse(const char *text, size_t n, struct address *out)
{
    struct address a = {.port = PORT_DEFAULT};
    struct span host, rest;
    unsigned port;

    if (!n || !split_host((struct span){text, n}, &host, &rest) ||
        host.n > ADDRESS_BYTES_MAX)
        return INVITE_E_FORM;
    if (rest.n) {
        if (!number((struct span){rest.p + 1, rest.n - 1}, UINT16_MAX, &port) || !port)
            return INVITE_E_FORM;
        a.port = (uint16_t)port;
    }
    for (size_t i = 0; i < host.n; i++)
        a.host[i] = lower(host.p[i]);
    *out = a;
    return 0;
}

void address_print(const struct address *a, char *out)
{
    const size_t room = ADDRESS_BYTES_MAX + 10;

    if (a->port == PORT_DEFAULT)
        snprintf(out, room, "%s", a->host);
    else if (strchr(a->host, ':'))
        snprintf(out, room, "[%s]:%u", a->host, (unsigned)a->port);
    else
        snprintf(out, room, "%s:%u", a->host, (unsigned)a->port);
}

/* ---- what a person pasted --------------------------------------------------------- */

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Upper case without white space; false when more than room characters are left. */
static bool squeeze(const char *text, size_t n, char *out, size_t room, size_t *out_n)
{
    size_t used = 0;

    for (size_t i = 0; i < n; i++) {
        if (is_space(text[i]))
            continue;
        if (used == room)
            return false;
        out[used++] = upper(text[i]);
    }
    *out_n = used;
    return true;
}

static bool begins(const char *text, size_t n, const char *head)
{
    return n >= strlen(head) && !memcmp(text, head, strlen(head));
}

/* ---- invite, SPEC 5.4 ------------------------------------------------------------- */

int invite_print(const struct invite *i, char *out)
{
    char keys[INVITE_KEYS_CHARS + 1], port[8] = "";
    uint8_t raw[INVITE_KEYS_BYTES];
    int n;

    memcpy(raw, i->secret, 16);
    memcpy(raw + 16, i->fingerprint, 16);
    base32_encode(BYTES(raw), keys);
    if (i->address.port != PORT_DEFAULT)
        snprintf(port, sizeof port, "%c%u", strchr(i->address.host, ':') ? '*' : ':',
                 (unsigned)i->address.port);
    n = snprintf(out, INVITE_CHARS_MAX + 1, "%s%s%s/%s", INVITE_HEAD, i->address.host,
                 port, keys);
    secret_wipe(raw, sizeof raw);
    secret_wipe(keys, sizeof keys);
    if (n < 0 || n > INVITE_CHARS_MAX) {
        secret_wipe(out, INVITE_CHARS_MAX + 1);
        return -EMSGSIZE;
    }
    for (char *c = out; *c; c++)
        *c = upper(*c);
    return 0;
}

/* What stands between head and keys, in the form of SPEC 5.4: without brackets. */
static int parse_after_head(struct span s, struct invite *out)
{
    const char *slash = memchr(s.p, '/', s.n);
    uint8_t raw[INVITE_KEYS_BYTES];
    struct invite i;
    int rc = INVITE_E_FORM;

    if (!slash || memchr(s.p, '[', s.n) ||
        address_parse(s.p, (size_t)(slash - s.p), &i.address))
        return INVITE_E_FORM;
    s = (struct span){slash + 1, s.n - (size_t)(slash - s.p) - 1};
    if (!base32_decode(s.p, s.n, raw, sizeof raw)) {
        memcpy(i.secret, raw, 16);
        memcpy(i.fingerprint, raw + 16, 16);
        *out = i;
        rc = 0;
    }
    secret_wipe(raw, sizeof raw);
    secret_wipe(&i, sizeof i);
    return rc;
}

int invite_parse(const char *text, size_t n, struct invite *out)
{
    const size_t head = sizeof INVITE_HEAD - 1;
    char s[INVITE_CHARS_MAX];
    size_t used;
    int rc;

    if (!squeeze(text, n, s, sizeof s, &used))
        rc = INVITE_E_FORM;
    else if (begins(s, used, LINK_HEAD))
        rc = INVITE_E_KIND;
    else if (!begins(s, used, INVITE_HEAD))
        rc = INVITE_E_FORM;
    else
        rc = parse_after_head((struct span){s + head, used - head}, out);
    secret_wipe(s, sizeof s);
    return rc;
}

/* ---- contact link, SPEC 5.5 ------------------------------------------------------- */

static void link_check(const uint8_t raw[LINK_CHECKED_BYTES], uint8_t check[PREFIX_BYTES])
{
    uint8_t h[HASH_BYTES];

    HASH(h, LABEL("kith1 link check"), (struct bytes){raw, LINK_CHECKED_BYTES});
    memcpy(check, h, PREFIX_BYTES);
    secret_wipe(h, sizeof h);
}

void link_print(const struct link *l, const uint8_t cohort[32], char out[LINK_CHARS + 1])
{
    uint8_t raw[LINK_BYTES], *at = raw + LINK_SECRET_BYTES;

    memcpy(raw, l->secret, LINK_SECRET_BYTES);
    le_put(at, l->bucket, 2);
    le_put(at + 2, l->from ? (l->from - 1) / BLOCK_SEQS : 0, 4);
    le_put(at + 6, l->last_hour, 4);
    memcpy(at + 10, cohort, PREFIX_BYTES);
    link_check(raw, raw + LINK_CHECKED_BYTES);
    memcpy(out, LINK_HEAD, HEAD_BYTES_MAX);
    base32_encode(BYTES(raw), out + HEAD_BYTES_MAX);
    secret_wipe(raw, sizeof raw);
}

static int parse_raw(const uint8_t raw[LINK_BYTES], const uint8_t cohort[32],
                     struct link *out)
{
    const uint8_t *at = raw + LINK_SECRET_BYTES;
    uint32_t bucket = (uint32_t)le_get(at, 2);
    uint8_t check[PREFIX_BYTES];

    link_check(raw, check);
    if (!secret_equal(check, raw + LINK_CHECKED_BYTES, sizeof check))
        return INVITE_E_CHECK;
    if (!secret_equal(at + 10, cohort, PREFIX_BYTES))
        return INVITE_E_COHORT;
    if (bucket < BUCKET_MAIL || bucket >= BUCKET_MAIL + BUCKETS_MAIL_MAX)
        return INVITE_E_FORM;
    memcpy(out->secret, raw, LINK_SECRET_BYTES);
    out->bucket = bucket;
    out->from = le_get(at + 2, 4) * BLOCK_SEQS + 1;
    out->last_hour = (uint32_t)le_get(at + 6, 4);
    return 0;
}

int link_parse(const char *text, size_t n, const uint8_t cohort[32], struct link *out)
{
    char s[INVITE_CHARS_MAX]; /* so that an invite is told apart, not just too long */
    uint8_t raw[LINK_BYTES];
    size_t used;
    int rc;

    if (!squeeze(text, n, s, sizeof s, &used))
        rc = INVITE_E_FORM;
    else if (begins(s, used, INVITE_HEAD))
        rc = INVITE_E_KIND;
    else if (!begins(s, used, LINK_HEAD) ||
             base32_decode(s + HEAD_BYTES_MAX, used - HEAD_BYTES_MAX, raw, sizeof raw))
        rc = INVITE_E_FORM;
    else
        rc = parse_raw(raw, cohort, out);
    secret_wipe(s, sizeof s);
    secret_wipe(raw, sizeof raw);
    return rc;
}

/* ---- fingerprint, SPEC 5.2 -------------------------------------------------------- */

void fingerprint_print(const uint8_t fingerprint[16], char out[40])
{
    for (size_t i = 0; i < 8; i++) {
        hex_encode((struct bytes){fingerprint + 2 * i, 2}, out + 5 * i);
        out[5 * i + 4] = i < 7 ? ' ' : '\0';
    }
}
