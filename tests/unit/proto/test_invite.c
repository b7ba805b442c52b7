/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/feed.h"

#include "lib/kdf.h"
#include "lib/secret.h"
#include "lib/text.h"
#include "proto/invite.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define KEYS "AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYPQ" /* 0, 1, 2, ... 31 */
#define LONGEST "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.onion"

static const uint8_t cohort[32] = {1, 2, 3, 4, 5};

static int parse(const char *text, struct invite *out)
{
    struct bytes exact = support_exact(text, strlen(text));
    int rc = invite_parse((const char *)exact.p, exact.n, out);

    support_drop(exact);
    return rc;
}

static int parse_link(const char *text, struct link *out)
{
    struct bytes exact = support_exact(text, strlen(text));
    int rc = link_parse((const char *)exact.p, exact.n, cohort, out);

    support_drop(exact);
    return rc;
}

/* ---- invites ---------------------------------------------------------------------- */

static void invite_parse__takes__what_people_paste(void **state)
{
    static const struct {
        const char *text, *host;
        uint16_t port;
    } rows[] = {
        {"KITH:RELAY.EXAMPLE/" KEYS, "relay.example", 7443},
        {"KITH:RELAY.EXAMPLE:443/" KEYS, "relay.example", 443},
        {"KITH:10.0.0.7/" KEYS, "10.0.0.7", 7443},
        {"KITH:10.0.0.7:80/" KEYS, "10.0.0.7", 80},
        {"KITH:2001:DB8::1/" KEYS, "2001:db8::1", 7443},
        {"KITH:2001:DB8::1*443/" KEYS, "2001:db8::1", 443},
        {"KITH:::1*443/" KEYS, "::1", 443},
        {"KITH:" LONGEST "/" KEYS, LONGEST, 7443},
        {"kith:relay.example/" KEYS, "relay.example", 7443},
        {"kith:relay.example/aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypq",
         "relay.example", 7443},
        {"  \t\n KITH: RELAY.EXAMPLE /\r\n" KEYS "\n\n", "relay.example", 7443},
        {"K I T H : R E L A Y . E X A M P L E / " KEYS, "relay.example", 7443},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct invite out;

        if (parse(rows[i].text, &out))
            fail_msg("refused: %s", rows[i].text);
        assert_string_equal(out.address.host, rows[i].host);
        assert_int_equal(out.address.port, rows[i].port);
        for (size_t j = 0; j < 16; j++) {
            assert_int_equal(out.secret[j], j);
            assert_int_equal(out.fingerprint[j], j + 16);
        }
    }
}

static void invite_parse__says__why_not(void **state)
{
    static const struct {
        const char *text;
        int rc;
    } rows[] = {
        {"", INVITE_E_FORM},
        {"   ", INVITE_E_FORM},
        {"hello", INVITE_E_FORM},
        {"KITH", INVITE_E_FORM},
        {"KITH:", INVITE_E_FORM},
        {"KITH:/", INVITE_E_FORM},
        {"KITH:/" KEYS, INVITE_E_FORM},
        {"KITH:relay.example", INVITE_E_FORM},
        {"KITH:relay.example/", INVITE_E_FORM},
        {"KITH:relay.example" KEYS, INVITE_E_FORM},
        {"KITH:relay.example//" KEYS, INVITE_E_FORM},
        {"KITH:relay.example/" KEYS "A", INVITE_E_FORM},
        {"KITH:relay.example/A" KEYS, INVITE_E_FORM},
        {"KITH:" LONGEST "/" KEYS "A", INVITE_E_FORM}, /* 120 good ones, and one more */
        {"KITH:relay.example/" KEYS "/", INVITE_E_FORM},
        {"KITH:relay.example/" KEYS "====", INVITE_E_FORM},
        {"KITH:relay.example/AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYP",
         INVITE_E_FORM},
        {"KITH:relay.example/AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYPR",
         INVITE_E_FORM}, /* spare bits */
        {"KITH:relay.example/0AAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYPQ",
         INVITE_E_FORM},
        {"KITH:relay_example/" KEYS, INVITE_E_FORM},
        {"KITH:relay.example:0/" KEYS, INVITE_E_FORM},
        {"KITH:relay.example*443/" KEYS, INVITE_E_FORM},
        {"KITH:[::1]:443/" KEYS, INVITE_E_FORM}, /* brackets have no place in a QR code */
        {"KITH:[::1]/" KEYS, INVITE_E_FORM},
        {"KITH:1.2.3/" KEYS, INVITE_E_FORM},
        {"xKITH:relay.example/" KEYS, INVITE_E_FORM},
        {"KITH;relay.example/" KEYS, INVITE_E_FORM},
        {"https://relay.example/" KEYS, INVITE_E_FORM},
        {"KITH:" LONGEST ":1/" KEYS, INVITE_E_FORM}, /* over 120 characters */
        {"KITH-C:", INVITE_E_KIND},
        {"kith-c: abc", INVITE_E_KIND},
        {"KITH-", INVITE_E_FORM},
        {"KITH-D:" KEYS, INVITE_E_FORM},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct invite out;
        int rc;

        memset(&out, 0x5a, sizeof out);
        rc = parse(rows[i].text, &out);
        if (rc != rows[i].rc)
            fail_msg("%s: %d", rows[i].text, rc);
        assert_int_equal(out.secret[0], 0x5a);
    }
}

static void invite_print__is_for_qr_codes_and_at_most_120_characters(void **state)
{
    static const char allowed[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$%*+-./:";
    struct invite i = {.address = {LONGEST, 7443}};
    char out[INVITE_CHARS_MAX + 1];

    (void)state;
    assert_int_equal(invite_print(&i, out), 0);
    assert_int_equal(strlen(out), INVITE_CHARS_MAX);
    assert_int_equal(strspn(out, allowed), INVITE_CHARS_MAX);
    i.address.port = 80;
    assert_int_equal(invite_print(&i, out), -EMSGSIZE);
    assert_string_equal(out, "");
}

static void random_address(struct support_random *r, struct address *a)
{
    uint32_t kind = support_random_below(r, 4);
    uint8_t b[16];

    support_random_fill(r, b, sizeof b);
    if (kind == 0)
        (void)snprintf(a->host, sizeof a->host, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
    else if (kind == 1)
        assert_non_null(inet_ntop(AF_INET6, b, a->host, sizeof a->host));
    else if (kind == 2)
        (void)snprintf(a->host, sizeof a->host, "r%u.x-%u.example", b[0], b[1]);
    else
        (void)snprintf(a->host, sizeof a->host, "::%x", b[0] + 1u);
    a->port = support_random_below(r, 2) ? PORT_DEFAULT
                                         : (uint16_t)(1 + support_random_below(r, 65535));
}

/* White space and letters of either case, as mail programs and people leave them. */
static size_t crumple(struct support_random *r, const char *in, char *out)
{
    static const char space[] = " \t\r\n";
    size_t n = 0;

    for (; *in; in++) {
        while (support_random_below(r, 8) == 0)
            out[n++] = space[support_random_below(r, 4)];
        out[n++] = *in;
        if (*in >= 'A' && *in <= 'Z' && support_random_below(r, 2))
            out[n - 1] = (char)(*in - 'A' + 'a');
    }
    return n;
}

static void invite__comes_through__1000_random_ones(void **state)
{
    struct support_random random;

    (void)state;
    support_random_start(&random, 2);
    for (int i = 0; i < 1000; i++) {
        struct invite in = {0}, out = {0};
        char text[INVITE_CHARS_MAX + 1], crumpled[2000];

        random_address(&random, &in.address);
        support_random_fill(&random, in.secret, 16);
        support_random_fill(&random, in.fingerprint, 16);
        assert_int_equal(invite_print(&in, text), 0);
        assert_int_equal(invite_parse(crumpled, crumple(&random, text, crumpled), &out),
                         0);
        assert_memory_equal(&out, &in, sizeof in);
    }
}

/* What is taken from damaged text is another invite in full: printed, it is the text. */
static int taken_is_meant(struct bytes in, void *arg)
{
    char text[INVITE_CHARS_MAX + 1], plain[INVITE_CHARS_MAX + 8];
    struct invite out;
    size_t n = 0;

    (void)arg;
    if (invite_parse((const char *)in.p, in.n, &out))
        return INVITE_E_FORM;
    assert_int_equal(invite_print(&out, text), 0);
    for (size_t i = 0; i < in.n; i++) {
        char c = (char)in.p[i];

        if (c != ' ' && (c < '\t' || c > '\r'))
            plain[n++] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    if (n > strlen(text)) { /* the usual port, spelt out: then the rest is the same */
        char *at = memchr(plain + 5, '/', n - 5);

        assert_non_null(at);
        assert_memory_equal(at - 4, "7443", 4);
        memmove(at - 5, at, n - (size_t)(at - plain));
        n -= 5;
    }
    assert_int_equal(n, strlen(text));
    assert_memory_equal(plain, text, n);
    return 0;
}

static void invite_parse__takes__no_damaged_invite_for_another(void **state)
{
    static const char *const texts[] = {"KITH:RELAY.EXAMPLE:443/" KEYS,
                                        "KITH:10.0.0.7/" KEYS,
                                        "KITH:2001:DB8::1*443/" KEYS};

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct bytes whole = {(const uint8_t *)texts[i], strlen(texts[i])};
        struct support_random random;
        char p[200];

        feed_truncations(whole, taken_is_meant, NULL);
        support_random_start(&random, i + 3);
        for (int j = 0; j < FEED_MUTATIONS; j++) {
            size_t n = whole.n;
            struct bytes exact;

            memcpy(p, whole.p, n);
            support_mutate(&random, (uint8_t *)p, &n, sizeof p);
            exact = support_exact(p, n);
            (void)taken_is_meant(exact, NULL);
            support_drop(exact);
        }
    }
}

/* ---- contact links ---------------------------------------------------------------- */

static const struct link some_link = {
    .secret = {9, 8, 7}, .bucket = 77, .from = 256 * 12345 + 1, .last_hour = 500000};

static void assert_same_link(const struct link *a, const struct link *b)
{
    assert_memory_equal(a->secret, b->secret, LINK_SECRET_BYTES);
    assert_int_equal(a->bucket, b->bucket);
    assert_int_equal(a->from, b->from);
    assert_int_equal(a->last_hour, b->last_hour);
}

static void link_print__is_87_characters_for_qr_codes(void **state)
{
    static const char allowed[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$%*+-./:";
    char text[LINK_CHARS + 1];

    (void)state;
    link_print(&some_link, cohort, text);
    assert_int_equal(strlen(text), LINK_CHARS);
    assert_int_equal(strspn(text, allowed), LINK_CHARS);
    assert_memory_equal(text, "KITH-C:", 7);
}

static void link_parse__takes__the_ends_of_each_range(void **state)
{
    static const struct link rows[] = {
        {.bucket = 2, .from = 1, .last_hour = 0},
        {.bucket = 257, .from = ((uint64_t)UINT32_MAX << 8) + 1, .last_hour = UINT32_MAX},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[LINK_CHARS + 1];
        struct link out = {{0}, 0, 0, 0};

        link_print(&rows[i], cohort, text);
        assert_int_equal(parse_link(text, &out), 0);
        assert_same_link(&out, &rows[i]);
    }
}

static void link_parse__refuses__a_bucket_that_is_not_mail(void **state)
{
    static const uint32_t buckets[] = {0, 1, 258, 65535};

    (void)state;
    for (size_t i = 0; i < COUNT(buckets); i++) {
        struct link l = some_link, out;
        char text[LINK_CHARS + 1];

        l.bucket = buckets[i];
        link_print(&l, cohort, text);
        assert_int_equal(parse_link(text, &out), INVITE_E_FORM);
    }
}

static void link_parse__says__why_not(void **state)
{
    const uint8_t other[32] = {1, 2, 3, 5};
    char text[LINK_CHARS + 1], bad[LINK_CHARS + 2];
    struct link out;

    (void)state;
    link_print(&some_link, cohort, text);
    assert_int_equal(parse_link(text, &out), 0);
    assert_int_equal(link_parse(text, LINK_CHARS, other, &out), INVITE_E_COHORT);
    assert_int_equal(parse_link("", &out), INVITE_E_FORM);
    assert_int_equal(parse_link("KITH-C:", &out), INVITE_E_FORM);
    assert_int_equal(parse_link(text + 1, &out), INVITE_E_FORM);
    assert_int_equal(parse_link("KITH:relay.example/" KEYS, &out), INVITE_E_KIND);
    assert_int_equal(parse_link("kith: " LONGEST "/" KEYS, &out), INVITE_E_KIND);
    (void)snprintf(bad, sizeof bad, "%sA", text);
    assert_int_equal(parse_link(bad, &out), INVITE_E_FORM);
    (void)snprintf(bad, sizeof bad, "%s", text);
    bad[20] = '1'; /* not a digit of base32 */
    assert_int_equal(parse_link(bad, &out), INVITE_E_FORM);
    bad[20] = text[20] == 'A' ? 'B' : 'A';
    assert_int_equal(parse_link(bad, &out), INVITE_E_CHECK);
}

static int takes_link(struct bytes in, void *arg)
{
    struct link out;

    (void)arg;
    return link_parse((const char *)in.p, in.n, cohort, &out);
}

/* The same letters, with other white space or in the other case. */
static bool is_same_text(const char *p, size_t n, const char *text)
{
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        char c = p[i] >= 'a' && p[i] <= 'z' ? (char)(p[i] - 'a' + 'A') : p[i];

        if (c == ' ' || (c >= '\t' && c <= '\r'))
            continue;
        if (at == LINK_CHARS || c != text[at++])
            return false;
    }
    return at == LINK_CHARS;
}

static void link_parse__refuses__every_damaged_link(void **state)
{
    struct support_random random;
    char text[LINK_CHARS + 1], p[LINK_CHARS + 16];

    (void)state;
    link_print(&some_link, cohort, text);
    feed_truncations((struct bytes){(const uint8_t *)text, LINK_CHARS}, takes_link, NULL);
    support_random_start(&random, 6);
    for (int i = 0; i < FEED_MUTATIONS; i++) {
        size_t n = LINK_CHARS;
        struct bytes exact;
        bool taken;

        memcpy(p, text, n);
        if (i < LINK_CHARS * 8)
            p[i / 8] = (char)(p[i / 8] ^ (1 << i % 8));
        else
            support_mutate(&random, (uint8_t *)p, &n, sizeof p);
        exact = support_exact(p, n);
        taken = takes_link(exact, NULL) == 0;
        assert_true(taken == is_same_text(p, n, text));
        support_drop(exact);
    }
}

static void link__comes_through__1000_random_ones(void **state)
{
    struct support_random random;

    (void)state;
    support_random_start(&random, 7);
    for (int i = 0; i < 1000; i++) {
        struct link in = {{0}, 0, 0, 0}, out = {{0}, 0, 0, 0};
        char text[LINK_CHARS + 1], crumpled[2000];

        support_random_fill(&random, in.secret, sizeof in.secret);
        in.bucket = 2 + support_random_below(&random, 256);
        in.from = 1 + 256 * (uint64_t)support_random_below(&random, UINT32_MAX);
        in.last_hour = support_random_below(&random, UINT32_MAX);
        link_print(&in, cohort, text);
        assert_int_equal(
            link_parse(crumpled, crumple(&random, text, crumpled), cohort, &out), 0);
        assert_same_link(&out, &in);
    }
}

/* ---- fingerprint ------------------------------------------------------------------ */

static void fingerprint_print__gives__eight_groups_of_four(void **state)
{
    uint8_t f[16];
    char out[40];

    (void)state;
    for (size_t i = 0; i < sizeof f; i++)
        f[i] = (uint8_t)(i * 17);
    fingerprint_print(f, out);
    assert_string_equal(out, "0011 2233 4455 6677 8899 aabb ccdd eeff");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(invite_parse__takes__what_people_paste),
        cmocka_unit_test(invite_parse__says__why_not),
        cmocka_unit_test(invite_print__is_for_qr_codes_and_at_most_120_characters),
        cmocka_unit_test(invite__comes_through__1000_random_ones),
        cmocka_unit_test(invite_parse__takes__no_damaged_invite_for_another),
        cmocka_unit_test(link_print__is_87_characters_for_qr_codes),
        cmocka_unit_test(link_parse__takes__the_ends_of_each_range),
        cmocka_unit_test(link_parse__refuses__a_bucket_that_is_not_mail),
        cmocka_unit_test(link_parse__says__why_not),
        cmocka_unit_test(link_parse__refuses__every_damaged_link),
        cmocka_unit_test(link__comes_through__1000_random_ones),
        cmocka_unit_test(fingerprint_print__gives__eight_groups_of_four),
    };

    if (secret_start())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
