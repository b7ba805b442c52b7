/* SPDX-License-Identifier: Apache-2.0 */
/* Every case of msgpack-suite.json and msgpack-reject.json; SPEC 3.3 has the decisions.
 */
#include "tests/support/inspect.h"
#include "tests/support/vectors.h"

#include "lib/secret.h"
#include "proto/mp_read.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* Decided policy cases, by what they say; each must be in the file or its other half. */
static const struct decision {
    const char *why;
    bool taken;
} decisions[] = {
    {"int ", false},             /* not in its shortest form */
    {"str of ", false},          /* the same */
    {"bin of ", false},          /* the same */
    {"array of ", false},        /* the same */
    {"map of ", false},          /* the same */
    {"ext of ", false},          /* the same */
    {"duplicate", false},        /* which one holds? */
    {"str is not UTF-8", false}, /* bytes are bin */
    {"str: ", false},            /* overlong, surrogates, beyond U+10FFFF */
    {"str with NUL", true},      /* UTF-8 like any other */
    {"NaN", true},               /* floats are data here; kith's messages have none */
    {"signalling NaN", true},    /* the same */
    {"minus zero", true},        /* the same */
    {"infinity", true},          /* the same */
    {"timestamp", true},         /* ext -1, not interpreted */
    {"ext 8 of 0 bytes", true},  /* its shortest form */
};

static bool taken(struct bytes in)
{
    struct bytes exact = support_exact(in.p, in.n);
    json_t *value = inspect_value(exact);
    bool yes = value != NULL;

    json_decref(value);
    support_drop(exact);
    return yes;
}

static bool decided(const char *why)
{
    for (size_t i = 0; i < COUNT(decisions); i++)
        if (strncmp(why, decisions[i].why, strlen(decisions[i].why)) == 0)
            return decisions[i].taken;
    fail_msg("no decision on: %s", why);
    return false;
}

static void check_case(const json_t *c)
{
    const char *expect = vectors_text(c, "expect");
    const char *why = vectors_text(c, "why");
    struct bytes in = vectors_hex(c, "hex");
    json_t *value = inspect_value(in);
    bool want = strcmp(expect, "accept") == 0 ||
                (strcmp(expect, "policy") == 0 && decided(why));

    if ((value != NULL) != want)
        fail_msg("case %lld, %s: %s", (long long)vectors_number(c, "tcId"), why,
                 value ? "taken" : "refused");
    if (json_object_get(c, "value") && !json_equal(value, json_object_get(c, "value")))
        fail_msg("case %lld: another value", (long long)vectors_number(c, "tcId"));
    if (!value)
        assert_false(taken(in));
    json_decref(value);
    support_drop(in);
}

static void inspect__decides__every_case_of_the_reject_file(void **state)
{
    json_t *cases = vectors_load("msgpack-reject.json"), *c;
    size_t i, seen = 0;

    (void)state;
    json_array_foreach(cases, i, c)
    {
        if (strcmp(vectors_text(c, "expect"), "bounded") == 0)
            continue;
        check_case(c);
        seen++;
    }
    assert_true(seen > 100);
    json_decref(cases);
}

static struct bytes repeated(const json_t *c)
{
    json_t *repeat = vectors_array(c, "repeat");
    struct bytes unit = support_hex(json_string_value(json_array_get(repeat, 0)));
    struct bytes tail = vectors_hex(c, "tail");
    size_t times = (size_t)json_integer_value(json_array_get(repeat, 1));
    uint8_t *all = malloc(unit.n * times + tail.n);
    size_t n = unit.n * times + tail.n;

    assert_non_null(all);
    for (size_t i = 0; i < times; i++)
        memcpy(all + i * unit.n, unit.p, unit.n);
    if (tail.n)
        memcpy(all + unit.n * times, tail.p, tail.n);
    support_drop(unit);
    support_drop(tail);
    return (struct bytes){all, n};
}

static void inspect__ends_fast__on_every_bounded_case(void **state)
{
    json_t *cases = vectors_load("msgpack-reject.json"), *c;
    size_t i, seen = 0;
    clock_t before = clock();

    (void)state;
    json_array_foreach(cases, i, c)
    {
        struct bytes in;

        if (strcmp(vectors_text(c, "expect"), "bounded") != 0)
            continue;
        in = repeated(c);
        for (int times = 0; times < 100; times++)
            assert_null(
                inspect_value(in)); /* each is deeper than 8, or lies about a size */
        support_drop(in);
        seen++;
    }
    assert_true(seen > 0);
    assert_true(clock() - before < CLOCKS_PER_SEC); /* a hundred times all of them */
    json_decref(cases);
}

/* ---- the suite -------------------------------------------------------------------- */

static bool names_int(const char *text)
{
    return strspn(text, "-0123456789") == strlen(text);
}

static json_t *suite_plain(const json_t *v);

static json_t *suite_container(const json_t *v)
{
    json_t *items = json_array(), *item;
    const char *key;
    size_t i;

    if (json_is_array(v)) {
        json_array_foreach((json_t *)(uintptr_t)v, i, item)
            json_array_append_new(items, suite_plain(item));
        return json_pack("{s:o}", "array", items);
    }
    json_object_foreach((json_t *)(uintptr_t)v, key, item) json_array_append_new(
        items, json_pack("[{s:s},o]", "str", key, suite_plain(item)));
    return json_pack("{s:o}", "map", items);
}

/* A JSON value as the suite means it, in the shape of inspect_value(). */
static json_t *suite_plain(const json_t *v)
{
    char digits[32];

    if (json_is_integer(v)) {
        (void)snprintf(digits, sizeof digits, "%lld", (long long)json_integer_value(v));
        return json_pack("{s:s}", "int", digits);
    }
    if (json_is_real(v))
        return json_pack("{s:f}", "float", json_real_value(v));
    if (json_is_string(v))
        return json_pack("{s:O}", "str", v);
    if (json_is_array(v) || json_is_object(v))
        return suite_container(v);
    return json_incref((json_t *)(uintptr_t)v);
}

static json_t *hex_of(const char *dashed)
{
    struct bytes b = support_hex(dashed);
    json_t *hex = inspect_hex(b);

    support_drop(b);
    return hex;
}

/* What an entry's encodings stand for; NULL for timestamps (judged apart). */
static json_t *suite_value(const json_t *entry)
{
    const json_t *v;

    if ((v = json_object_get(entry, "binary")))
        return json_pack("{s:o}", "bin", hex_of(json_string_value(v)));
    if ((v = json_object_get(entry, "ext")))
        return json_pack("{s:[i,o]}", "ext",
                         (int)json_integer_value(json_array_get(v, 0)),
                         hex_of(json_string_value(json_array_get(v, 1))));
    if ((v = json_object_get(entry, "bignum"))) {
        assert_true(names_int(json_string_value(v)));
        return json_pack("{s:O}", "int", v);
    }
    if (json_object_get(entry, "timestamp"))
        return NULL;
    v = json_object_iter_value(json_object_iter((json_t *)(uintptr_t)entry));
    return suite_plain(v);
}

static double number_of(const json_t *typed)
{
    const json_t *number = json_object_get(typed, "float");

    if (!number)
        return strtod(json_string_value(json_object_get(typed, "int")), NULL);
    return json_real_value(number);
}

/* Shortest forms only: of the legal encodings of one value exactly one is taken, the
 * shortest (the first of the shortest); the others are refused.  Floats stand apart: they
 * are values of a type of their own, and either width is data. */
static void check_entry(const json_t *entry)
{
    json_t *forms = vectors_array(entry, "msgpack"), *want = suite_value(entry), *form;
    size_t i, least = SIZE_MAX, as_is = 0;

    json_array_foreach(forms, i, form)
    {
        struct bytes in = support_hex(json_string_value(form));
        bool is_float = in.p[0] == 0xca || in.p[0] == 0xcb;
        json_t *value = inspect_value(in);

        if (is_float) {
            assert_non_null(value);
            assert_true(number_of(value) == number_of(want));
        } else if (value) {
            as_is++;
            assert_true(in.n < least);
            assert_true(!want || json_equal(value, want));
            assert_true(want || json_integer_value(json_array_get(
                                    json_object_get(value, "ext"), 0)) == -1);
        }
        if (!is_float && in.n < least)
            least = in.n;
        json_decref(value);
        support_drop(in);
    }
    assert_int_equal(as_is, least == SIZE_MAX ? 0 : 1);
    json_decref(want);
}

static void inspect__takes__one_form_of_each_value_of_the_suite(void **state)
{
    json_t *suite = vectors_load("msgpack-suite.json"), *list, *entry;
    const char *kind;
    size_t i, seen = 0;

    (void)state;
    json_object_foreach(suite, kind, list) json_array_foreach(list, i, entry)
    {
        check_entry(entry);
        seen++;
    }
    assert_true(seen > 30);
    json_decref(suite);
}

static int start(void **state)
{
    (void)state;
    return secret_start();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inspect__decides__every_case_of_the_reject_file),
        cmocka_unit_test(inspect__ends_fast__on_every_bounded_case),
        cmocka_unit_test(inspect__takes__one_form_of_each_value_of_the_suite),
    };

    return support_vectors() ? cmocka_run_group_tests(tests, start, NULL)
                             : SUPPORT_SKIPPED;
}
