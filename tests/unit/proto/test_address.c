/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses, as invites, descriptors and settings have them: proto/invite.h. */
#include "tests/support/support.h"

#include "lib/secret.h"
#include "proto/invite.h"

#include <arpa/inet.h>
#include <string.h>

/* An onion name: the longest that an invite has room for. */
#define LONGEST "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.onion"

static void address_parse__takes__what_people_write(void **state)
{
    static const struct {
        const char *text, *host;
        uint16_t port;
    } rows[] = {
        {"localhost", "localhost", 7443},
        {"Relay.Example", "relay.example", 7443},
        {"relay.example:443", "relay.example", 443},
        {"relay.example:7443", "relay.example", 7443},
        {"relay.example:65535", "relay.example", 65535},
        {"relay.example:1", "relay.example", 1},
        {"r2-d2.x-1.de", "r2-d2.x-1.de", 7443},
        {"1.2.3.4", "1.2.3.4", 7443},
        {"255.255.255.255:5", "255.255.255.255", 5},
        {"0.0.0.0", "0.0.0.0", 7443},
        {"4u.de", "4u.de", 7443},
        {"10.0.0.1.example", "10.0.0.1.example", 7443},
        {"::1", "::1", 7443},
        {"::", "::", 7443},
        {"::1*5", "::1", 5},
        {"[::1]", "::1", 7443},
        {"[::1]:5", "::1", 5},
        {"2001:DB8::7443", "2001:db8::7443", 7443},
        {"2001:db8:0:0:0:0:0:1*443", "2001:db8:0:0:0:0:0:1", 443},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1", 7443},
        {"64:ff9b::1.2.3.4*80", "64:ff9b::1.2.3.4", 80},
        {LONGEST, LONGEST, 7443},
        {LONGEST ":80", LONGEST, 80},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct address a;

        if (address_parse(rows[i].text, strlen(rows[i].text), &a))
            fail_msg("refused: %s", rows[i].text);
        assert_string_equal(a.host, rows[i].host);
        assert_int_equal(a.port, rows[i].port);
    }
}

static const char *const no_hosts[] = {
    "",
    ":",
    ":443",
    "*443",
    ".",
    "a..b",
    ".a",
    "a.",
    "-a",
    "a-",
    "a.-b",
    "a_b",
    "a b",
    "a/b",
    "a\tb",
    "ä.de",
    "a%b",
    "a\\b",
    "a@b",
    "a*443",
    "1.2.3.4*5",
    "a:",
    "a:0",
    "a:00443",
    "a:0443",
    "a:65536",
    "a:99999",
    "a:100000",
    "a:4294967739",
    "a:-1",
    "a:+1",
    "a:1a",
    "a: 1",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "1.2.3.04",
    "1.2.3.",
    "1.2..3",
    "1234",
    "example.1",
    "0x7f.1",
    ":::",
    ":::1",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::8",
    "1:2:3:4:5:6:7:",
    ":1:2:3:4:5:6:7",
    "12345::",
    "g::1",
    "::1%eth0",
    "::1.2.3",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "1:2:3:4:5:6:7:1.2.3.4",
    "::1*",
    "::1*0",
    "::1*a",
    "::1**5",
    "[::1",
    "::1]",
    "[]",
    "[a]",
    "[1.2.3.4]",
    "[::1]5",
    "[::1]*5",
    "[::1]:",
    "[[::1]]",
    ("a" LONGEST),
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
};

static void address_parse__refuses__what_no_host_is_called(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(no_hosts); i++) {
        struct bytes exact = support_exact(no_hosts[i], strlen(no_hosts[i]));
        struct address a;

        memset(&a, 0x5a, sizeof a);
        if (address_parse((const char *)exact.p, exact.n, &a) != INVITE_E_FORM)
            fail_msg("taken: %s", no_hosts[i]);
        assert_int_equal(a.host[0], 0x5a);
        support_drop(exact);
    }
    assert_int_equal(address_parse("a\0b", 3, &(struct address){.port = 0}),
                     INVITE_E_FORM);
}

/* The C library knows what an IPv6 address is; ask it about 200,000 strings that look
 * like one. */
static void address_parse__agrees__with_inet_pton(void **state)
{
    static const char letters[] = "0123456789abcdef:::::::::::....";
    struct support_random random;
    size_t good = 0;

    (void)state;
    support_random_start(&random, 1);
    for (int i = 0; i < 200000; i++) {
        size_t n = 2 + support_random_below(&random, 14);
        uint8_t binary[16];
        char text[24];
        struct address a;
        bool theirs, ours;

        for (size_t j = 0; j < n; j++)
            text[j] = letters[support_random_below(&random, sizeof letters - 1)];
        text[n] = '\0';
        if (memchr(text, ':', n) == NULL || strchr(strchr(text, ':') + 1, ':') == NULL)
            continue;
        theirs = inet_pton(AF_INET6, text, binary) == 1;
        ours = address_parse(text, n, &a) == 0;
        if (theirs != ours)
            fail_msg("%s: %d", text, ours);
        good += ours;
    }
    assert_true(good > 100);
}

static void address_print__prints__what_it_parses(void **state)
{
    static const char *const rows[] = {"a.de",      "a.de:443", "1.2.3.4:5",       "::1",
                                       "[::1]:443", LONGEST,    (LONGEST ":65535")};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char out[ADDRESS_BYTES_MAX + 10];
        struct address a;

        assert_int_equal(address_parse(rows[i], strlen(rows[i]), &a), 0);
        address_print(&a, out);
        assert_string_equal(out, rows[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address_parse__takes__what_people_write),
        cmocka_unit_test(address_parse__refuses__what_no_host_is_called),
        cmocka_unit_test(address_parse__agrees__with_inet_pton),
        cmocka_unit_test(address_print__prints__what_it_parses),
    };

    if (secret_start())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
