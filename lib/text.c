/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/text.h"

#include <errno.h>
#include <sodium.h>

void hex_encode(struct bytes in, char *out)
{
    sodium_bin2hex(out, in.n * 2 + 1, in.p, in.n);
}

int hex_decode(const char *in, size_t in_n, uint8_t *out, size_t n)
{
    size_t got = 0;

    if (n > SIZE_MAX / 2 || in_n != n * 2)
        return -EINVAL;
    if (n == 0)
        return 0;
    if (sodium_hex2bin(out, n, in, in_n, NULL, &got, NULL) || got != n)
        return -EINVAL;
    return 0;
}

static char base32_char(unsigned five)
{
    return (char)(five < 26 ? 'A' + five : '2' + (five - 26));
}

void base32_encode(struct bytes in, char *out)
{
    unsigned held = 0, bits = 0;

    for (size_t i = 0; i < in.n; i++) {
        held = (held << 8 | in.p[i]) & 0xfff;
        for (bits += 8; bits >= 5; bits -= 5)
            *out++ = base32_char(held >> (bits - 5) & 31);
    }
    if (bits > 0)
        *out++ = base32_char(held << (5 - bits) & 31);
    *out = 0;
}

static int base32_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a';
    if (c >= '2' && c <= '7')
        return c - '2' + 26;
    return -1;
}

int base32_decode(const char *in, size_t in_n, uint8_t *out, size_t n)
{
    unsigned held = 0, bits = 0;

    if (n > SIZE_MAX / 8 - 1 || in_n != BASE32_CHARS(n))
        return -EINVAL;
    for (size_t i = 0; i < in_n; i++) {
        int five = base32_value(in[i]);

        if (five < 0)
            return -EINVAL;
        held = (held << 5 | (unsigned)five) & 0xfff;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            *out++ = (uint8_t)(held >> bits);
        }
    }
    return held & ((1u << bits) - 1) ? -EINVAL : 0;
}

/* Bytes of the character that begins here, or 0.  The first continuation byte's range is
 * what keeps out overlong forms, surrogates and what lies beyond U+10FFFF (RFC 3629, 4).
 */
static size_t utf8_char(const uint8_t *p, size_t left)
{
    uint8_t least = 0x80, most = 0xbf;
    size_t n;

    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (left < n)
        return 0;
    if (p[0] == 0xe0)
        least = 0xa0;
    else if (p[0] == 0xed)
        most = 0x9f;
    else if (p[0] == 0xf0)
        least = 0x90;
    else if (p[0] == 0xf4)
        most = 0x8f;
    if (p[1] < least || p[1] > most)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

bool utf8_valid(struct bytes in)
{
    while (in.n > 0) {
        size_t n = utf8_char(in.p, in.n);

        if (n == 0)
            return false;
        in.p += n;
        in.n -= n;
    }
    return true;
}

size_t utf8_prefix(struct bytes in, size_t most)
{
    size_t n = most;

    if (in.n <= most)
        return in.n;
    while (n > 0 && (in.p[n] & 0xc0) == 0x80)
        n--;
    return n;
}
