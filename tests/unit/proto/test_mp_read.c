/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/support.h"

#include "lib/kdf.h" /* LABEL */
#include "lib/secret.h"
#include "proto/mp_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what a caller sees: r over the bytes of a hex text, freed at the end of the claim
 * ---- */

#define OVER(r, hex)                     \
    struct bytes in_ = support_hex(hex); \
    struct mp r = mp_over(in_)
#define DONE() support_drop(in_)

static void takes_uint(const char *hex, uint64_t want)
{
    OVER(r, hex);
    assert_true(mp_uint(&r, 0, UINT64_MAX) == want);
    assert_int_equal(mp_end(&r), 0);
    r = mp_over(in_);
    if (want > 0) {
        assert_true(mp_uint(&r, 0, want - 1) == 0);
        assert_int_equal(mp_end(&r), MP_E_MALFORMED);
    }
    r = mp_over(in_);
    if (want < UINT64_MAX) {
        assert_true(mp_uint(&r, want + 1, UINT64_MAX) == 0);
        assert_int_equal(mp_end(&r), MP_E_MALFORMED);
    }
    DONE();
}

static void takes_int(const char *hex, int64_t want)
{
    OVER(r, hex);
    assert_true(mp_int(&r, INT64_MIN, INT64_MAX) == want);
    assert_int_equal(mp_end(&r), 0);
    r = mp_over(in_);
    assert_true(mp_int(&r, want, want) == want);
    assert_int_equal(mp_end(&r), 0);
    r = mp_over(in_);
    if (want < INT64_MAX) {
        (void)mp_int(&r, want + 1, INT64_MAX);
        assert_int_equal(mp_end(&r), MP_E_MALFORMED);
    }
    DONE();
}

static void refuses(const char *hex)
{
    OVER(r, hex);
    mp_skip(&r);
    if (mp_end(&r) != MP_E_MALFORMED)
        fail_msg("taken: %s", hex);
    DONE();
}

static void skips(const char *hex)
{
    OVER(r, hex);
    mp_skip(&r);
    if (mp_end(&r) || r.depth != MP_DEPTH_MAX)
        fail_msg("refused: %s", hex);
    DONE();
}

/* ---- integers --------------------------------------------------------------------- */

static void mp_uint__takes__each_width_from_its_least_to_its_most(void **state)
{
    (void)state;
    takes_uint("00", 0);
    takes_uint("7f", 127);
    takes_uint("cc80", 128);
    takes_uint("ccff", 255);
    takes_uint("cd0100", 256);
    takes_uint("cdffff", 65535);
    takes_uint("ce00010000", 65536);
    takes_uint("ceffffffff", UINT32_MAX);
    takes_uint("cf0000000100000000", 1ull << 32);
    takes_uint("cfffffffffffffffff", UINT64_MAX);
}

static void mp_int__takes__each_width_from_its_least_to_its_most(void **state)
{
    (void)state;
    takes_int("ff", -1);
    takes_int("e0", -32);
    takes_int("d0df", -33);
    takes_int("d080", -128);
    takes_int("d1ff7f", -129);
    takes_int("d18000", -32768);
    takes_int("d2ffff7fff", -32769);
    takes_int("d280000000", INT32_MIN);
    takes_int("d3ffffffff7fffffff", (int64_t)INT32_MIN - 1);
    takes_int("d38000000000000000", INT64_MIN);
    takes_int("cf7fffffffffffffff", INT64_MAX);
    takes_int("05", 5);
}

static void integers__are_refused__in_any_longer_form(void **state)
{
    static const char *const longer[] = {
        "cc7f",
        "cd00ff",
        "ce0000ffff",
        "cf00000000ffffffff",
        "d000",
        "d07f",
        "d0e0",
        "d0ff",
        "d100ff",
        "d17fff",
        "d1ff80",
        "d27fffffff",
        "d2ffff8000",
        "d37fffffffffffffff",
        "d3ffffffff80000000",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(longer); i++)
        refuses(longer[i]);
}

static void mp_uint__refuses__negatives_and_mp_int_what_is_too_large(void **state)
{
    (void)state;
    OVER(r, "ff");
    assert_int_equal(mp_uint(&r, 0, UINT64_MAX), 0);
    assert_int_equal(mp_end(&r), MP_E_MALFORMED);
    DONE();
    in_ = support_hex("cf8000000000000000");
    r = mp_over(in_);
    assert_int_equal(mp_int(&r, INT64_MIN, INT64_MAX), 0);
    assert_int_equal(mp_end(&r), MP_E_MALFORMED);
    DONE();
}

/* ---- lengths ---------------------------------------------------------------------- */

static void take_length(const char *head, size_t n, enum mp_type type)
{
    struct bytes h = support_hex(head);
    uint8_t *all = malloc(h.n + n);
    struct mp r;
    struct bytes got;

    assert_non_null(all);
    memcpy(all, h.p, h.n);
    memset(all + h.n, 'x', n);
    r = mp_over((struct bytes){all, h.n + n});
    assert_int_equal(mp_peek(&r), type);
    got = type == MP_STR ? mp_str(&r, n, n) : mp_bin(&r, n, n);
    assert_int_equal(mp_end(&r), 0);
    assert_int_equal(got.n, n);
    assert_ptr_equal(got.p, all + h.n);
    if (n > 0) { /* one byte short, in a block that ends there */
        struct bytes cut = support_exact(all, h.n + n - 1);

        r = mp_over(cut);
        got = type == MP_STR ? mp_str(&r, 0, SIZE_MAX) : mp_bin(&r, 0, SIZE_MAX);
        assert_int_equal(mp_end(&r), MP_E_MALFORMED);
        assert_int_equal(got.n, 0);
        support_drop(cut);
    }
    free(all);
    support_drop(h);
}

static void str_and_bin__take__each_width_from_its_least_to_its_most(void **state)
{
    (void)state;
    take_length("a0", 0, MP_STR);
    take_length("bf", 31, MP_STR);
    take_length("d920", 32, MP_STR);
    take_length("d9ff", 255, MP_STR);
    take_length("da0100", 256, MP_STR);
    take_length("daffff", 65535, MP_STR);
    take_length("db00010000", 65536, MP_STR);
    take_length("c400", 0, MP_BIN);
    take_length("c4ff", 255, MP_BIN);
    take_length("c50100", 256, MP_BIN);
    take_length("c5ffff", 65535, MP_BIN);
    take_length("c600010000", 65536, MP_BIN);
}

static void lengths__are_refused__in_any_longer_form(void **state)
{
    static const char *const longer[] = {
        "d900",
        "d90161",
        "da000161",
        "db0000000161",
        "c50001aa",
        "c600000001aa",
        "dc000105",
        "dc0000",
        "dd0000000105",
        "de000105c0",
        "df0000000105c0",
        "c70105aa",
        "c70205aaaa",
        "c70405aaaaaaaa",
        "c70805aaaaaaaaaaaaaaaa",
        "c71005aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "dc000fc0c0c0c0c0c0c0c0c0c0c0c0c0c0c0",
        "de000f00c001c002c003c004c005c006c007c008c009c00ac00bc00cc00dc00ec0",
        "c80001055a",
        "c9000000015aaa",
        "c8000005",
        "c900000000aa",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(longer); i++)
        refuses(longer[i]);
}

static void mp_str__refuses__lengths_outside_the_callers_range(void **state)
{
    (void)state;
    OVER(r, "a3616263");
    assert_int_equal(mp_str(&r, 0, 2).n, 0);
    assert_int_equal(mp_end(&r), MP_E_MALFORMED);
    r = mp_over(in_);
    assert_int_equal(mp_str(&r, 4, 9).n, 0);
    assert_int_equal(mp_end(&r), MP_E_MALFORMED);
    r = mp_over(in_);
    assert_int_equal(mp_bin(&r, 0, 9).n, 0); /* a str is not a bin */
    assert_int_equal(mp_end(&r), MP_E_MALFORMED);
    DONE();
}

static void mp_str__refuses__what_is_not_utf8(void **state)
{
    static const char *const broken[] = {"a2c328",     "a2c0af",   "a3eda080",
                                         "a4f4908080", "a180",     "a1c3",
                                         "a1ff",       "81a1ffc0", "92c0a2c328"};

    (void)state;
    for (size_t i = 0; i < COUNT(broken); i++)
        refuses(broken[i]);
    skips("a3610062"); /* a zero is a character like any other */
}

static void mp_fail__leaves__nothing_to_read(void **state)
{
    (void)state;
    OVER(r, "0102");
    mp_fail(&r);
    assert_int_equal(mp_peek(&r), MP_BAD);
    assert_int_equal(mp_uint(&r, 0, 9), 0);
    assert_int_equal(mp_any(&r).type, MP_BAD);
    assert_int_equal(mp_end(&r), MP_E_MALFORMED);
    DONE();
}

static void mp_bin_copy__gives__exactly_n_or_zeros(void **state)
{
    uint8_t out[3] = {9, 9, 9};

    (void)state;
    OVER(r, "c403010203");
    mp_bin_copy(&r, out, 3);
    assert_int_equal(mp_end(&r), 0);
    assert_memory_equal(out, "\x01\x02\x03", 3);
    r = mp_over(in_);
    mp_bin_copy(&r, out, 2);
    assert_int_equal(mp_end(&r), MP_E_MALFORMED);
    assert_memory_equal(out, "\0\0\x03", 3);
    DONE();
}

/* ---- the rest of the types -------------------------------------------------------- */

static void mp_nil_and_mp_bool__refuse__each_other(void **state)
{
    (void)state;
    OVER(r, "c0c2c3");
    mp_nil(&r);
    assert_false(mp_bool(&r));
    assert_true(mp_bool(&r));
    assert_int_equal(mp_end(&r), 0);
    r = mp_over(in_);
    assert_false(mp_bool(&r));
    assert_false(mp_bool(&r)); /* sticky: the c2 and c3 are never looked at */
    assert_false(mp_bool(&r));
    assert_int_equal(mp_end(&r), MP_E_MALFORMED);
    DONE();
}

static void mp_peek__names__every_first_byte(void **state)
{
    static const struct {
        unsigned to; /* and this byte */
        enum mp_type type;
    } ranges[] = {
        {0x7f, MP_INT}, {0x8f, MP_MAP},   {0x9f, MP_ARRAY}, {0xbf, MP_STR},
        {0xc0, MP_NIL}, {0xc1, MP_BAD},   {0xc3, MP_BOOL},  {0xc6, MP_BIN},
        {0xc9, MP_EXT}, {0xcb, MP_FLOAT}, {0xd3, MP_INT},   {0xd8, MP_EXT},
        {0xdb, MP_STR}, {0xdd, MP_ARRAY}, {0xdf, MP_MAP},   {0xff, MP_INT},
    };
    unsigned b = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(ranges); i++)
        for (; b <= ranges[i].to; b++) {
            uint8_t byte = (uint8_t)b;
            struct mp r = mp_over((struct bytes){&byte, 1});

            assert_int_equal(mp_peek(&r), ranges[i].type);
            assert_int_equal(r.left, 1);
        }
    assert_int_equal(b, 256);
}

static void mp_any__gives__floats_and_exts_as_they_are(void **state)
{
    struct mp_value v;

    (void)state;
    OVER(r, "ca3fc00000cb7ff0000000000000cb8000000000000000d4ff07c70005");
    v = mp_any(&r);
    assert_true(v.type == MP_FLOAT && v.number == 1.5);
    v = mp_any(&r);
    assert_true(v.type == MP_FLOAT && v.number > 1e308);
    v = mp_any(&r);
    assert_true(v.type == MP_FLOAT && v.number == 0 && 1 / v.number < 0);
    v = mp_any(&r);
    assert_true(v.type == MP_EXT && v.ext == -1 && v.view.n == 1 && v.view.p[0] == 7);
    v = mp_any(&r);
    assert_true(v.type == MP_EXT && v.ext == 5 && v.view.n == 0);
    assert_int_equal(mp_end(&r), 0);
    DONE();
}

static void mp_end__refuses__bytes_left_over(void **state)
{
    (void)state;
    OVER(r, "c0c0");
    mp_nil(&r);
    assert_int_equal(mp_end(&r), MP_E_MALFORMED);
    DONE();
}

/* ---- arrays, maps, depth ---------------------------------------------------------- */

static void mp_array__bounds__count_and_depth(void **state)
{
    (void)state;
    OVER(r, "93010203");
    assert_int_equal(mp_array(&r, 3, 3), 3);
    assert_int_equal(r.depth, MP_DEPTH_MAX - 1);
    for (uint64_t i = 1; i <= 3; i++)
        assert_true(mp_uint(&r, i, i) == i);
    mp_leave(&r);
    assert_int_equal(mp_end(&r), 0);
    assert_int_equal(r.depth, MP_DEPTH_MAX);
    r = mp_over(in_);
    assert_int_equal(mp_array(&r, 0, 2), 0);
    assert_int_equal(mp_end(&r), MP_E_MALFORMED);
    r = mp_over(in_);
    assert_int_equal(mp_array(&r, 4, 9), 0);
    assert_int_equal(mp_end(&r), MP_E_MALFORMED);
    DONE();
}

static void counts__beyond_what_is_left__are_refused_at_once(void **state)
{
    static const char *const lies[] = {
        "91",   "dcffff",     "ddffffffff00",       "81",
        "81a1", "deffff0000", "df7fffffff00000000", "82a161c0"};

    (void)state;
    for (size_t i = 0; i < COUNT(lies); i++) {
        OVER(r, lies[i]);
        assert_int_equal(mp_any(&r).count, 0); /* the count alone says it */
        assert_int_equal(mp_end(&r), MP_E_MALFORMED);
        DONE();
    }
}

/* head, then unit times over, then nil. */
static void repeat(char hex[400], const char *head, const char *unit, size_t times)
{
    int at = snprintf(hex, 400, "%s", head);

    while (times-- > 0)
        at += snprintf(hex + at, 400 - (size_t)at, "%s", unit);
    (void)snprintf(hex + at, 400 - (size_t)at, "c0");
}

static void mp_skip__takes__eight_levels_and_no_ninth(void **state)
{
    char hex[400];

    (void)state;
    repeat(hex, "", "91", MP_DEPTH_MAX);
    skips(hex);
    repeat(hex, "", "91", MP_DEPTH_MAX + 1);
    refuses(hex);
    repeat(hex, "", "81a161", MP_DEPTH_MAX);
    skips(hex);
    repeat(hex, "", "81a161", MP_DEPTH_MAX + 1);
    refuses(hex);
    skips("9391c091c091c0"); /* levels are given back */
}

static void mp_key__walks__a_map_and_leaves_it(void **state)
{
    struct mp_map m;
    struct bytes key;
    uint64_t a = 0, b = 0;

    (void)state;
    OVER(r, "83a16105a17aa0a16206");
    m = mp_map(&r);
    while (mp_key(&r, &m, &key))
        if (mp_is(key, "a"))
            a = mp_uint(&r, 0, 9);
        else if (mp_is(key, "b"))
            b = mp_uint(&r, 0, 9);
        else
            mp_skip(&r);
    assert_int_equal(mp_end(&r), 0);
    assert_int_equal(r.depth, MP_DEPTH_MAX);
    assert_int_equal(a, 5);
    assert_int_equal(b, 6);
    DONE();
    assert_false(mp_is((struct bytes){NULL, 0}, ""));
    assert_false(mp_is(LABEL("ab"), "a"));
    assert_false(mp_is(LABEL("a"), "ab"));
}

static int read_map(const char *hex)
{
    OVER(r, hex);
    struct mp_map m = mp_map(&r);
    struct bytes key;
    int rc;

    while (mp_key(&r, &m, &key))
        mp_skip(&r);
    rc = mp_end(&r);
    DONE();
    return rc;
}

static void maps__refuse__repeated_and_odd_keys(void **state)
{
    static const char *const odd[] = {
        "82a16101a16102", "82a001a002",           "81c0c0", "81c3c0",
        "81ca00000000c0", "81c40161c0",           "8190c0", "8180c0",
        "81d40500c0",     "81a16182a1620ea1620f", /* in a map further down */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(odd); i++) {
        refuses(odd[i]);
        assert_int_equal(read_map(odd[i]), MP_E_MALFORMED);
    }
    skips("8201c002c0"); /* int keys are data, and not kith's */
    assert_int_equal(read_map("8201c002c0"), MP_E_MALFORMED);
    refuses("8201c001c0");
    skips("82a13101 0102"); /* "1" and 1 are two keys */
    assert_int_equal(read_map("82a16101a162 02"), 0);
}

static void keys__of_kiths_own_maps__are_at_most_32_bytes(void **state)
{
    char hex[400], longer[400];

    (void)state;
    repeat(hex, "81d920", "61", 32);
    repeat(longer, "81d921", "61", 33);
    assert_int_equal(read_map(hex), 0);
    assert_int_equal(read_map(longer), MP_E_MALFORMED);
    skips(longer);
}

static void maps__take__sixty_four_keys_and_no_more(void **state)
{
    (void)state;
    for (unsigned n = MP_MAP_KEYS_MAX; n <= MP_MAP_KEYS_MAX + 1; n++) {
        char hex[1000];
        size_t at = (size_t)sprintf(hex, "de%04x", n);

        for (unsigned i = 0; i < n; i++)
            at += (size_t)sprintf(hex + at, "a2%02x%02xc0", 'a' + i / 20, 'a' + i % 20);
        {
            OVER(r, hex);
            assert_int_equal(mp_map(&r).left, n <= MP_MAP_KEYS_MAX ? n : 0);
            DONE();
        }
        assert_int_equal(read_map(hex), n <= MP_MAP_KEYS_MAX ? 0 : MP_E_MALFORMED);
        if (n <= MP_MAP_KEYS_MAX)
            skips(hex);
        else
            refuses(hex);
    }
}

/* ---- every truncation, and time --------------------------------------------------- */

static void mp_skip__refuses__every_truncation(void **state)
{
    struct bytes whole = support_hex(
        "8aa16193c0c2c3a162cd0100a163d1ff00a164ca3f800000a165cb3ff0000000000000"
        "a166c403010203a167d7ff0000000000000000a168de0000");
    struct bytes good = support_hex(
        "87a16193c0c2c3a162cd0100a163d1ff00a164ca3f800000a165cb3ff0000000000000"
        "a166c403010203a167d7ff0000000000000000");
    struct mp r = mp_over(whole);

    (void)state;
    mp_skip(&r);
    assert_int_equal(mp_end(&r), MP_E_MALFORMED);
    support_drop(whole);
    for (size_t n = 0; n <= good.n; n++) {
        struct bytes exact = support_exact(good.p, n);

        r = mp_over(exact);
        mp_skip(&r);
        assert_int_equal(mp_end(&r), n == good.n ? 0 : MP_E_MALFORMED);
        support_drop(exact);
    }
    support_drop(good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mp_uint__takes__each_width_from_its_least_to_its_most),
        cmocka_unit_test(mp_int__takes__each_width_from_its_least_to_its_most),
        cmocka_unit_test(integers__are_refused__in_any_longer_form),
        cmocka_unit_test(mp_uint__refuses__negatives_and_mp_int_what_is_too_large),
        cmocka_unit_test(str_and_bin__take__each_width_from_its_least_to_its_most),
        cmocka_unit_test(lengths__are_refused__in_any_longer_form),
        cmocka_unit_test(mp_str__refuses__lengths_outside_the_callers_range),
        cmocka_unit_test(mp_str__refuses__what_is_not_utf8),
        cmocka_unit_test(mp_fail__leaves__nothing_to_read),
        cmocka_unit_test(mp_bin_copy__gives__exactly_n_or_zeros),
        cmocka_unit_test(mp_nil_and_mp_bool__refuse__each_other),
        cmocka_unit_test(mp_peek__names__every_first_byte),
        cmocka_unit_test(mp_any__gives__floats_and_exts_as_they_are),
        cmocka_unit_test(mp_end__refuses__bytes_left_over),
        cmocka_unit_test(mp_array__bounds__count_and_depth),
        cmocka_unit_test(counts__beyond_what_is_left__are_refused_at_once),
        cmocka_unit_test(mp_skip__takes__eight_levels_and_no_ninth),
        cmocka_unit_test(mp_key__walks__a_map_and_leaves_it),
        cmocka_unit_test(maps__refuse__repeated_and_odd_keys),
        cmocka_unit_test(keys__of_kiths_own_maps__are_at_most_32_bytes),
        cmocka_unit_test(maps__take__sixty_four_keys_and_no_more),
        cmocka_unit_test(mp_skip__refuses__every_truncation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
