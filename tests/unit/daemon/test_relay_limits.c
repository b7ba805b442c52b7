/* SPDX-License-Identifier: Apache-2.0 */
/* What a relay lets a connection cost it: deadlines, caps, memory.  SPEC 2.6. */
#include "tests/support/relay_host.h"
#include "tests/support/support.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

static struct relay_host host;
static uint8_t alice[SIGN_SK_BYTES];
static struct wire one, two;

/* Deadlines a hundred times shorter than in life. */
static void begin(uint32_t connections)
{
    relay_host_prepare(&host);
    host.in_memory = true;
    host.config.connections = connections;
    host.limits.handshake_ms = 300;
    host.limits.record_ms = 300;
    host.limits.silence_ms = 900;
    host.limits.keepalive_ms = 300;
    host.limits.tick_ms = 20;
    relay_host_start(&host);
    relay_host_member(&host, alice);
}

static void end(void)
{
    assert_int_equal(relay_host_stop(&host), 0);
    relay_host_drop(&host);
}

static uint64_t now_ms(void)
{
    return clock_mono_ms(clock_system());
}

static void nap(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    (void)nanosleep(&t, NULL);
}

static void fill(uint8_t envelope[ENVELOPE_BYTES], uint32_t mark)
{
    memset(envelope, (int)(mark & 0xff), ENVELOPE_BYTES);
    le_put(envelope, mark, 4);
}

/* ---- deadlines -------------------------------------------------------------------- */

static void conn__closes__a_handshake_that_does_not_end_in_time(void **state)
{
    static const size_t sent[] = {0, 1, 2, 1000, CHANNEL_MSG1_BYTES};
    uint8_t first[1 + CHANNEL_MSG1_BYTES] = {CHANNEL_PREAMBLE_GO};

    (void)state;
    begin(100);
    for (size_t i = 0; i < COUNT(sent); i++) {
        uint64_t since = now_ms();

        assert_int_equal(wire_connect(&one, host.port, NULL), 0);
        assert_int_equal(channel_client_start(&one.channel, host.pk, one.es, first + 1),
                         0);
        assert_int_equal(wire_write(&one, first, sent[i]), 0);
        assert_int_equal(wire_await_close(&one), 0);
        assert_in_range(now_ms() - since, 250, 3000);
        wire_close(&one);
    }
    end();
}

static void conn__closes__who_asks_for_the_key_and_goes_no_further(void **state)
{
    uint8_t pk[KEM_PK_BYTES], cohort[HASH_BYTES];

    (void)state;
    begin(100);
    assert_int_equal(wire_connect(&one, host.port, NULL), 0);
    assert_int_equal(wire_ask(&one, host.fingerprint, pk, cohort), 0);
    assert_int_equal(wire_await_close(&one), 0);
    wire_close(&one);
    end();
}

static void conn__closes__a_record_that_comes_byte_by_byte_for_too_long(void **state)
{
    uint8_t record[CHANNEL_RECORD_BYTES];
    uint64_t since;
    int rc = 0;

    (void)state;
    begin(100);
    relay_host_greet(&host, &one);
    assert_int_equal(channel_seal(&one.channel, record, 0), 0);
    since = now_ms();
    for (size_t i = 0; i < sizeof record && rc == 0; i++) {
        rc = wire_write(&one, record + i, 1);
        nap(5);
    }
    assert_int_equal(rc, -ECONNRESET);
    assert_in_range(now_ms() - since, 250, 3000);
    wire_close(&one);
    end();
}

static void conn__sends_keep_alives__and_closes_after_silence(void **state)
{
    uint8_t record[CHANNEL_RECORD_BYTES];
    unsigned heard = 0;
    uint64_t since;

    (void)state;
    begin(100);
    relay_host_greet(&host, &one);
    since = now_ms();
    for (;;) {
        struct bytes frames;

        if (wire_read(&one, record, sizeof record))
            break;
        assert_int_equal(channel_open(&one.channel, record, sizeof record, &frames), 0);
        assert_int_equal(frames.n, 0);
        heard++;
    }
    assert_in_range(now_ms() - since, 850, 4000);
    assert_in_range(heard, 2, 4);
    wire_close(&one);
    end();
}

static void conn__stays_open__while_the_peer_sends_keep_alives(void **state)
{
    (void)state;
    begin(100);
    relay_host_greet(&host, &one);
    for (int i = 0; i < 10; i++) {
        nap(200);
        assert_int_equal(wire_send(&one, (struct bytes){NULL, 0}), 0);
    }
    assert_int_equal(wire_prove(&one, alice, host.cohort), 0);
    wire_close(&one);
    end();
}

static void conn__closes__a_reader_that_takes_nothing_and_keeps_serving_the_others(
    void **state)
{
    uint8_t envelope[ENVELOPE_BYTES];
    int small = 4096;
    uint64_t seen = 0, since;

    (void)state;
    begin(100);
    relay_host_enter(&host, &one,
                     alice); /* reads nothing from here on, and says "alive" */
    (void)setsockopt(one.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    assert_int_equal(wire_subscribe(&one, BUCKET_MAIL, 1, CREDIT_MAX, NULL), 0);
    relay_host_enter(&host, &two, alice);
    assert_int_equal(wire_subscribe(&two, BUCKET_MAIL, 1, CREDIT_MAX, NULL), 0);
    {
        struct wire *poster = malloc(sizeof *poster);

        assert_non_null(poster);
        relay_host_enter(&host, poster, alice);
        for (uint32_t i = 0; i < 2000; i++) {
            fill(envelope, i);
            assert_int_equal(wire_post(poster, BUCKET_MAIL, envelope, NULL), 0);
        }
        wire_close(poster);
        free(poster);
    }
    while (seen < 2000) {
        struct msg_envelopes got;
        struct msg_gap gap;
        bool is_gap;

        assert_int_equal(wire_envelopes(&two, &got, &gap, &is_gap), 0);
        seen += got.envelopes.n / ENVELOPE_BYTES;
    }
    since = now_ms();
    while (wire_send(&one, (struct bytes){NULL, 0}) == 0 && now_ms() - since < 5000) {
        nap(50);
        if (wire_send(&two, (struct bytes){NULL, 0}))
            fail_msg("the reader that reads was closed");
    }
    assert_in_range(now_ms() - since, 0, 3000);
    wire_close(&one);
    wire_close(&two);
    end();
}

/* ---- caps ------------------------------------------------------------------------- */

static void conn__turns_away__who_is_one_too_many_until_somebody_leaves(void **state)
{
    struct wire *w = calloc(4, sizeof *w);

    (void)state;
    assert_non_null(w);
    begin(4);
    host.limits.silence_ms = 60000;
    for (size_t i = 0; i < 4; i++)
        relay_host_greet(&host, &w[i]);
    assert_int_equal(wire_connect(&one, host.port, NULL), 0);
    one.timeout_ms = 200; /* under the handshake's deadline */
    assert_int_equal(wire_await_close(&one), 0);
    wire_close(&one);
    wire_close(&w[0]);
    nap(100);
    relay_host_greet(&host, &one);
    wire_close(&one);
    for (size_t i = 1; i < 4; i++)
        wire_close(&w[i]);
    free(w);
    end();
}

static void conn__leaves_no_trace__of_500_that_connect_and_leave_at_any_point(
    void **state)
{
    uint8_t first[1 + CHANNEL_MSG1_BYTES] = {CHANNEL_PREAMBLE_GO};
    struct support_random random;

    (void)state;
    begin(1000);
    support_random_start(&random, 11);
    for (int i = 0; i < 500; i++) {
        assert_int_equal(wire_connect(&one, host.port, NULL), 0);
        assert_int_equal(channel_client_start(&one.channel, host.pk, one.es, first + 1),
                         0);
        if (wire_write(&one, first, support_random_below(&random, sizeof first + 1)))
            print_message("closed before all was sent\n");
        wire_close(&one);
    }
    relay_host_greet(&host, &one);
    wire_close(&one);
    end(); /* ASan and the leak check say the rest */
}

/* ---- memory ----------------------------------------------------------------------- */

enum { IDLE = 1000, IDLE_BYTES_MAX = 6 * 1024 };

static size_t heap_in_use(void)
{
#if defined(__SANITIZE_ADDRESS__)
    extern size_t __sanitizer_get_current_allocated_bytes(void);

    return __sanitizer_get_current_allocated_bytes();
#else
    return mallinfo2().uordblks;
#endif
}

/* The kernel's own share is not counted here; tests/e2e measures the whole process. */
static void conn__costs_at_most_6_kilobytes__when_idle_and_subscribed(void **state)
{
    struct wire *w = malloc(sizeof *w);
    int *fds = calloc(IDLE, sizeof *fds);
    struct rlimit files;
    size_t before, after;

    (void)state;
    assert_non_null(w);
    assert_non_null(fds);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
    relay_host_prepare(&host);
    host.in_memory = true;
    relay_host_start(&host);
    relay_host_member(&host, alice);
    for (int round = 0; round < 2;
         round++) { /* the first one warms what is allocated once */
        size_t many = round == 0 ? 10 : IDLE;

        before = heap_in_use();
        for (size_t i = 0; i < many; i++) {
            relay_host_enter(&host, w, alice);
            for (uint32_t b = 0; b < 3; b++)
                assert_int_equal(wire_subscribe(w, b, 0, 100, NULL), 0);
            fds[i] = w->fd;
        }
        after = heap_in_use();
        for (size_t i = 0; i < many; i++) {
            w->fd = fds[i];
            wire_close(w);
        }
    }
    print_message("an idle reader of three buckets: %zu bytes of heap\n",
                  (after - before) / IDLE);
    assert_in_range((after - before) / IDLE, 1, IDLE_BYTES_MAX);
    free(fds);
    free(w);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conn__closes__a_handshake_that_does_not_end_in_time),
        cmocka_unit_test(conn__closes__who_asks_for_the_key_and_goes_no_further),
        cmocka_unit_test(conn__closes__a_record_that_comes_byte_by_byte_for_too_long),
        cmocka_unit_test(conn__sends_keep_alives__and_closes_after_silence),
        cmocka_unit_test(conn__stays_open__while_the_peer_sends_keep_alives),
        cmocka_unit_test(
            conn__closes__a_reader_that_takes_nothing_and_keeps_serving_the_others),
        cmocka_unit_test(conn__turns_away__who_is_one_too_many_until_somebody_leaves),
        cmocka_unit_test(
            conn__leaves_no_trace__of_500_that_connect_and_leave_at_any_point),
        cmocka_unit_test(conn__costs_at_most_6_kilobytes__when_idle_and_subscribed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
