/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memmem */
/* The control socket of a whole relay in this process (daemon/control.h). */
#include "daemon/control.h"
#include "tests/support/control_client.h"
#include "tests/support/relay_host.h"
#include "tests/support/support.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct relay_host host;
static struct wire one;
static char path[128];

static int start(void **state)
{
    (void)state;
    relay_host_prepare(&host);
    host.in_memory = true;
    relay_host_start(&host);
    (void)snprintf(path, sizeof path, "%s/kithd.conf", host.dir);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    assert_int_equal(relay_host_stop(&host), 0);
    relay_host_drop(&host);
    return 0;
}

static void write_text(const char *where, const char *text)
{
    FILE *f = fopen(where, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void expect_text(const struct buf *answer, const char *key, const char *want)
{
    char got[512];

    assert_true(control_text(answer, key, got, sizeof got));
    assert_string_equal(got, want);
}

static void control_floor__names_bands__and_no_small_count(void **state)
{
    static const struct {
        uint64_t count;
        const char *text;
    } cases[] = {
        {0, "0"},
        {1, "1-4"},
        {4, "1-4"},
        {5, "5-9"},
        {9, "5-9"},
        {10, "10-19"},
        {19, "10-19"},
        {20, "20-49"},
        {49, "20-49"},
        {50, "50-99"},
        {100, "100-199"},
        {199, "100-199"},
        {200, "200-499"},
        {999, "500-999"},
        {4096, "2000-4999"},
        {1000000, "1000000-1999999"},
    };
    char text[CONTROL_FLOOR_CHARS];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        control_floor(cases[i].count, text);
        assert_string_equal(text, cases[i].text);
    }
    control_floor(UINT64_MAX, text);
    assert_true(strlen(text) > 10);
}

static void control__is_open__to_its_own_user_only(void **state)
{
    char socket_path[128];
    struct stat st;

    (void)state;
    (void)snprintf(socket_path, sizeof socket_path, "%s/" CONTROL_SOCKET_NAME, host.dir);
    assert_int_equal(stat(socket_path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    if (geteuid() != 0) {
        print_message("not root: another user's attempt is left out\n");
        return;
    }
    {
        int fd;
        char byte;

        /* The folder and the mode would stop them already: both out of the way. */
        assert_int_equal(chmod(host.dir, 0755), 0);
        assert_int_equal(chmod(socket_path, 0666), 0);
        /* This thread alone: the C library's seteuid() would take the relay's thread
         * along. */
        assert_int_equal(syscall(SYS_setresuid, -1, 65534, -1), 0);
        fd = control_open(host.dir);
        assert_int_equal(syscall(SYS_setresuid, -1, 0, -1), 0);
        assert_true(fd >= 0);
        assert_int_equal(recv(fd, &byte, 1, 0), 0);
        (void)close(fd);
        assert_int_equal(chmod(host.dir, 0700), 0);
    }
}

static void control__answers_status__with_coarse_counts(void **state)
{
    struct buf answer;

    (void)state;
    relay_host_greet(&host, &one);
    assert_int_equal(control_once(host.dir, "status", NULL, 0, &answer), 0);
    assert_true(control_good(&answer));
    expect_text(&answer, "state", "running");
    expect_text(&answer, "store", "ok");
    expect_text(&answer, "name", "Night Owls");
    expect_text(&answer, "connections", "1-4");
    assert_int_equal(control_number(&answer, "descriptor"), 1);
    buf_free(&answer);
    wire_close(&one);
}

static void control__counts_what_is_held(void **state)
{
    uint8_t sk[SIGN_SK_BYTES], envelope[ENVELOPE_BYTES] = {0};
    struct buf before, after;

    (void)state;
    assert_int_equal(control_once(host.dir, "held", NULL, 0, &before), 0);
    relay_host_member(&host, sk);
    relay_host_enter(&host, &one, sk);
    for (int i = 0; i < 5; i++)
        assert_int_equal(wire_post(&one, BUCKET_MAIL, envelope, NULL), 0);
    wire_close(&one);
    assert_int_equal(control_once(host.dir, "held", NULL, 0, &after), 0);
    assert_int_equal(control_number(&after, "envelopes"),
                     control_number(&before, "envelopes") + 5);
    assert_int_equal(control_number(&after, "member_keys"),
                     control_number(&before, "member_keys") + 1);
    assert_int_equal(control_number(&after, "retention_days"), 14);
    buf_free(&before);
    buf_free(&after);
}

static void control__lists_invites__in_pages_and_revokes_them(void **state)
{
    uint8_t secret[INVITE_SECRET_BYTES], pk[SIGN_PK_BYTES], sk[SIGN_SK_BYTES];
    uint64_t number, next;
    struct buf answer;
    unsigned pages = 0;

    (void)state;
    for (int i = 0; i < CONTROL_INVITES_MAX + 1; i++)
        assert_int_equal(control_invite(host.dir, secret, &number), 0);
    for (next = 1; next != 0; pages++) {
        assert_int_equal(control_once(host.dir, "invites", "from", next, &answer), 0);
        assert_true(control_good(&answer));
        next = control_number(&answer, "next");
        buf_free(&answer);
    }
    assert_int_equal(pages, 2);
    assert_int_equal(control_once(host.dir, "revoke", "number", number, &answer), 0);
    assert_true(control_good(&answer));
    buf_free(&answer);
    assert_int_equal(sign_keypair(pk, sk), 0);
    relay_host_greet(&host, &one);
    assert_int_equal(wire_enrol(&one, secret, sk, host.cohort), CODE_INVITE_USED);
    wire_close(&one);
    assert_int_equal(control_once(host.dir, "revoke", "number", 1000000, &answer), 0);
    expect_text(&answer, "code", "absent");
    buf_free(&answer);
}

static void control__refuses__numbers_out_of_range_and_unknown_methods(void **state)
{
    struct buf answer;

    (void)state;
    assert_int_equal(control_once(host.dir, "invite", "hours", 0, &answer), 0);
    expect_text(&answer, "code", "bad-params");
    buf_free(&answer);
    assert_int_equal(control_once(host.dir, "invite", "hours", 100000, &answer), 0);
    expect_text(&answer, "code", "bad-params");
    buf_free(&answer);
    assert_int_equal(control_once(host.dir, "revoke", NULL, 0, &answer), 0);
    expect_text(&answer, "code", "bad-params");
    buf_free(&answer);
    assert_int_equal(control_once(host.dir, "frob", NULL, 0, &answer), 0);
    expect_text(&answer, "code", "unknown-method");
    buf_free(&answer);
}

static void control__closes__on_what_is_no_request(void **state)
{
    static const char *const bad[] = {
        "00000000",      "ffffffff",        "01000100",           "01000000c1",
        "02000000 93c0", "03000000 92a1c0", "04000000 92a1 73c0", "05000000 92a1738000",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct bytes request = support_hex(bad[i]);
        int fd = control_open(host.dir);
        struct pollfd closed = {.fd = fd, .events = POLLIN};
        char byte;

        assert_true(fd >= 0);
        assert_int_equal(send(fd, request.p, request.n, MSG_NOSIGNAL), request.n);
        assert_int_equal(poll(&closed, 1, 5000), 1);
        assert_true(recv(fd, &byte, 1, 0) <= 0);
        (void)close(fd);
        support_drop(request);
    }
}

static void control__serves__at_most_8_at_once(void **state)
{
    static const uint8_t empty_map[] = {0x80};
    int fds[CONTROL_CLIENTS_MAX];
    struct buf answer;
    int extra;

    (void)state;
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = control_open(host.dir);
        assert_true(fds[i] >= 0);
    }
    for (size_t i = 0; i < COUNT(fds); i++) {
        buf_init(&answer, CONTROL_MESSAGE_MAX);
        assert_int_equal(control_ask(fds[i], "status", BYTES(empty_map), &answer), 0);
        buf_free(&answer);
    }
    extra = control_open(host.dir);
    assert_true(extra >= 0);
    buf_init(&answer, CONTROL_MESSAGE_MAX);
    assert_true(control_ask(extra, "status", BYTES(empty_map), &answer) < 0);
    buf_free(&answer);
    (void)close(extra);
    for (size_t i = 0; i < COUNT(fds); i++)
        (void)close(fds[i]);
}

static void control__reloads__a_good_file_and_keeps_the_old_settings_over_a_bad_one(
    void **state)
{
    struct buf answer;
    char text[512];

    (void)state;
    write_text(path, "relay { name = \"Night Owls\" address = \"two.example.edu\" }\n"
                     "board { mail_buckets = 2 }\nlog { level = error }\n"
                     "limits { connections = 77 }\n");
    assert_int_equal(control_once(host.dir, "reload", NULL, 0, &answer), 0);
    assert_true(control_good(&answer));
    buf_free(&answer);
    assert_int_equal(control_once(host.dir, "status", NULL, 0, &answer), 0);
    expect_text(&answer, "address", "two.example.edu");
    buf_free(&answer);

    write_text(path, "relay { nmae = \"x\" }\nlimits { connections = none }\n");
    log_set_level(LOG_LEVEL_ERROR);
    assert_int_equal(control_once(host.dir, "reload", NULL, 0, &answer), 0);
    assert_false(control_good(&answer));
    expect_text(&answer, "code", "bad-config");
    assert_non_null(memmem(answer.p, answer.n, "kithd.conf:1: \"nmae\"", 20));
    assert_non_null(memmem(answer.p, answer.n, "kithd.conf:2: connections", 25));
    buf_free(&answer);
    assert_int_equal(control_once(host.dir, "held", NULL, 0, &answer), 0);
    assert_non_null(memmem(answer.p, answer.n, "limits.connections = 77", 23));
    buf_free(&answer);

    assert_int_equal(unlink(path), 0);
    assert_int_equal(control_once(host.dir, "reload", NULL, 0, &answer), 0);
    assert_true(control_text(&answer, "code", text, sizeof text));
    assert_string_equal(text, "bad-config");
    buf_free(&answer);
}

static void control__answers_drain__when_the_last_connection_is_gone(void **state)
{
    static const uint8_t request[] = {7, 0, 0, 0, 0x92, 0xa5, 'd', 'r', 'a', 'i', 'n'};
    static const uint8_t rest[] = {0x80};
    struct pollfd ready = {.events = POLLIN};
    struct buf answer;

    (void)state;
    relay_host_greet(&host, &one);
    ready.fd = control_open(host.dir);
    assert_true(ready.fd >= 0);
    assert_int_equal(send(ready.fd, (const uint8_t[]){8, 0, 0, 0}, 4, 0), 4);
    assert_int_equal(send(ready.fd, request + 4, sizeof request - 4, 0),
                     sizeof request - 4);
    assert_int_equal(send(ready.fd, rest, 1, 0), 1);
    assert_int_equal(poll(&ready, 1, 300), 0);
    assert_int_equal(control_once(host.dir, "status", NULL, 0, &answer), 0);
    expect_text(&answer, "state", "draining");
    buf_free(&answer);
    wire_close(&one);
    assert_int_equal(poll(&ready, 1, 5000), 1);
    (void)close(ready.fd);
    assert_true(wire_connect(&one, host.port, NULL) < 0);
    wire_close(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_floor__names_bands__and_no_small_count),
        cmocka_unit_test(control__is_open__to_its_own_user_only),
        cmocka_unit_test(control__answers_status__with_coarse_counts),
        cmocka_unit_test(control__counts_what_is_held),
        cmocka_unit_test(control__lists_invites__in_pages_and_revokes_them),
        cmocka_unit_test(control__refuses__numbers_out_of_range_and_unknown_methods),
        cmocka_unit_test(control__closes__on_what_is_no_request),
        cmocka_unit_test(control__serves__at_most_8_at_once),
        cmocka_unit_test(
            control__reloads__a_good_file_and_keeps_the_old_settings_over_a_bad_one),
        cmocka_unit_test(control__answers_drain__when_the_last_connection_is_gone),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
