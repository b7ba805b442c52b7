/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/support.h"

#include "lib/kdf.h" /* LABEL */
#include "lib/secret.h"
#include "lib/text.h"

#include <errno.h>
#include <string.h>

static void hex__round_trips__and_takes_both_cases(void **state)
{
    uint8_t all[256], back[256];
    char hex[513];

    (void)state;
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (uint8_t)i;
    hex_encode(BYTES(all), hex);
    assert_int_equal(strlen(hex), 512);
    assert_memory_equal(hex, "000102", 6);
    assert_int_equal(hex_decode(hex, 512, back, 256), 0);
    assert_memory_equal(all, back, sizeof all);
    assert_int_equal(hex_decode("aBcDEf", 6, back, 3), 0);
    assert_memory_equal(back, "\xab\xcd\xef", 3);
    hex_encode((struct bytes){NULL, 0}, hex);
    assert_string_equal(hex, "");
}

static void hex_decode__refuses__another_length_or_letter(void **state)
{
    uint8_t out[4];

    (void)state;
    assert_int_equal(hex_decode("abc", 3, out, 1), -EINVAL);
    assert_int_equal(hex_decode("abc", 3, out, 2), -EINVAL);
    assert_int_equal(hex_decode("abcd", 4, out, 1), -EINVAL);
    assert_int_equal(hex_decode("", 0, out, 1), -EINVAL);
    assert_int_equal(hex_decode("", 0, out, 0), 0);
    for (int c = 0; c < 256; c++) {
        char text[2] = {'0', (char)c};
        bool digit = c && strchr("0123456789abcdefABCDEF", c);

        assert_int_equal(hex_decode(text, 2, out, 1), digit ? 0 : -EINVAL);
    }
    assert_int_equal(hex_decode("ab", 2, out, SIZE_MAX / 2 + 2), -EINVAL);
}

/* RFC 4648, section 10, without its padding. */
static void base32__gives__the_rfcs_vectors(void **state)
{
    static const char *const want[] = {"",        "MY",       "MZXQ",      "MZXW6",
                                       "MZXW6YQ", "MZXW6YTB", "MZXW6YTBOI"};
    char out[16];
    uint8_t back[8];

    (void)state;
    for (size_t n = 0; n < COUNT(want); n++) {
        base32_encode((struct bytes){(const uint8_t *)"foobar", n}, out);
        assert_string_equal(out, want[n]);
        assert_int_equal(BASE32_CHARS(n), strlen(want[n]));
        assert_int_equal(base32_decode(want[n], strlen(want[n]), back, n), 0);
        assert_memory_equal(back, "foobar", n);
    }
}

static void base32__round_trips__random_bytes(void **state)
{
    struct support_random r;
    uint8_t bytes[70], back[70];
    char text[BASE32_CHARS(70) + 1];

    (void)state;
    support_random_start(&r, 1);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        support_random_fill(&r, bytes, n);
        base32_encode((struct bytes){bytes, n}, text);
        for (size_t i = 0; i < strlen(text); i += 2)
            if (text[i] >= 'A')
                text[i] = (char)(text[i] + 32); /* either case */
        assert_int_equal(base32_decode(text, strlen(text), back, n), 0);
        assert_memory_equal(bytes, back, n);
    }
}

/* One text for one value: spare bits that are not zero would make a second one. */
static void base32_decode__refuses__spare_bits_lengths_and_letters(void **state)
{
    uint8_t out[8];

    (void)state;
    assert_int_equal(base32_decode("MZ", 2, out, 1), -EINVAL);
    assert_int_equal(base32_decode("MY", 2, out, 2), -EINVAL);
    assert_int_equal(base32_decode("MY=", 3, out, 1), -EINVAL);
    assert_int_equal(base32_decode("MYA", 3, out, 1), -EINVAL);
    assert_int_equal(base32_decode("M", 1, out, 1), -EINVAL);
    assert_int_equal(base32_decode("M1", 2, out, 1), -EINVAL);
    assert_int_equal(base32_decode("M0", 2, out, 1), -EINVAL);
    assert_int_equal(base32_decode("M8", 2, out, 1), -EINVAL);
    assert_int_equal(base32_decode("M ", 2, out, 1), -EINVAL);
    assert_int_equal(base32_decode("MZXW6YTR", 8, out, SIZE_MAX), -EINVAL);
}

/* A second decoder, by the definition: decode to a number, then judge the number. */
static size_t slow_length(uint8_t first)
{
    static const struct {
        uint8_t mask, value;
    } heads[] = {{0x80, 0x00}, {0xe0, 0xc0}, {0xf0, 0xe0}, {0xf8, 0xf0}};

    for (size_t i = 0; i < COUNT(heads); i++)
        if ((first & heads[i].mask) == heads[i].value)
            return i + 1;
    return 0;
}

static bool slow_point(const uint8_t *p, size_t n)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t point = n == 1 ? *p : *p & (0xffu >> (n + 1));

    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return false;
        point = point << 6 | (p[i] & 0x3f);
    }
    return point >= least[n] && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
}

static bool slow_utf8(const uint8_t *p, size_t n)
{
    while (n > 0) {
        size_t length = slow_length(*p);

        if (length == 0 || length > n || !slow_point(p, length))
            return false;
        p += length;
        n -= length;
    }
    return true;
}

/* Every text of up to 3 bytes, and every of 4 that begins with a byte from 0xef on, in
 * steps. */
static void utf8_valid__agrees__with_the_definition(void **state)
{
    uint8_t p[4];

    (void)state;
    for (uint32_t v = 0; v < 1u << 24; v += v < 0xc00000 ? 61 : 1) {
        be_put(p, v, 3);
        if (utf8_valid((struct bytes){p, 3}) != slow_utf8(p, 3))
            fail_msg("3 bytes: %06x", v);
    }
    for (uint32_t v = 0; v < 1u << 16; v++) {
        be_put(p, v, 2);
        if (utf8_valid((struct bytes){p, 2}) != slow_utf8(p, 2))
            fail_msg("2 bytes: %04x", v);
    }
    for (uint32_t v = 0xef000000; v < 0xf9000000; v += 31) {
        be_put(p, v, 4);
        if (utf8_valid((struct bytes){p, 4}) != slow_utf8(p, 4))
            fail_msg("4 bytes: %08x", v);
    }
}

static void utf8_valid__reads__nothing_past_the_end(void **state)
{
    static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x8d\xba";

    (void)state;
    for (size_t n = 0; n < sizeof text; n++) {
        struct bytes exact = support_exact(text, n);
        bool whole = n == 0 || n == 1 || n == 3 || n == 6 || n == 10;

        assert_int_equal(utf8_valid(exact), whole);
        support_drop(exact);
    }
    assert_true(utf8_valid((struct bytes){NULL, 0}));
}

static void utf8_prefix__ends__between_characters(void **state)
{
    struct bytes text = LABEL("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x8d\xba");
    static const size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};

    (void)state;
    for (size_t most = 0; most < COUNT(want); most++)
        assert_int_equal(utf8_prefix(text, most), want[most]);
    assert_int_equal(utf8_prefix(text, SIZE_MAX), text.n);
}

static int start(void **state)
{
    (void)state;
    return secret_start();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex__round_trips__and_takes_both_cases),
        cmocka_unit_test(hex_decode__refuses__another_length_or_letter),
        cmocka_unit_test(base32__gives__the_rfcs_vectors),
        cmocka_unit_test(base32__round_trips__random_bytes),
        cmocka_unit_test(base32_decode__refuses__spare_bits_lengths_and_letters),
        cmocka_unit_test(utf8_valid__agrees__with_the_definition),
        cmocka_unit_test(utf8_valid__reads__nothing_past_the_end),
        cmocka_unit_test(utf8_prefix__ends__between_characters),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
