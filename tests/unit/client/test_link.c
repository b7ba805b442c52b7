/* SPDX-License-Identifier: Apache-2.0 */
/* A relay of forty lines on the same loop: it answers by the book, or breaks it in one
 * way. */
#include "tests/support/support.h"

#include "client/net/link.h"
#include "lib/mem.h"
#include "lib/secret.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_MS = 4000, ROOM = 2 * CHANNEL_RECORD_MAX_BYTES };

enum breaking {
    BY_THE_BOOK,
    OTHER_KEY, /* shows a key that the fingerprint does not name */
    HANGS_UP,  /* as soon as it is spoken to */
    SAYS_NOTHING,
    BAD_ANSWER, /* a flipped bit in message 2 */
    BAD_RECORD, /* a flipped bit in the first record */
    BAD_FRAME,  /* a record that opens and holds nonsense */
    BYTE_BY_BYTE,
    LATE_AND_TOGETHER, /* message 2 and the first record in one write */
};

static uint8_t relay_pk[KEM_PK_BYTES], relay_sk[KEM_SK_BYTES], cohort[32];

struct world {
    uv_loop_t loop;
    uv_tcp_t server, peer;
    uv_timer_t stop;
    uv_write_t writes[4];
    size_t writes_n;
    bool has_peer;
    enum breaking breaking;
    struct channel channel;
    uint8_t in[ROOM], out[ROOM];
    size_t in_n, out_n, out_at;
    uv_timer_t drip;
    bool shaken;
    size_t records; /* from the client */
    uint16_t port;
    /* what the link said */
    struct link_conn *link;
    bool opened, closed;
    enum link_why why;
    size_t frames;
    bool hang_up_when_opened;
    bool faulty; /* calls are made to fail, here as well */
};

/* ---- the relay -------------------------------------------------------------------- */

static void on_drip(uv_timer_t *t)
{
    struct world *w = t->data;
    uv_buf_t b = uv_buf_init((char *)w->out + w->out_at, 1);

    for (int i = 0; i < 64 && w->out_at < w->out_n; i++) {
        b.base = (char *)w->out + w->out_at;
        if (uv_try_write((uv_stream_t *)&w->peer, &b, 1) != 1)
            return;
        w->out_at++;
    }
    if (w->out_at == w->out_n)
        (void)uv_timer_stop(t);
}

static void relay_writes(struct world *w, const uint8_t *p, size_t n)
{
    uv_buf_t b;

    memcpy(w->out + w->out_n, p, n);
    b = uv_buf_init((char *)w->out + w->out_n, (unsigned)n);
    w->out_n += n;
    if (w->breaking == BYTE_BY_BYTE) {
        (void)uv_timer_start(&w->drip, on_drip, 0, 1);
        return;
    }
    assert_true(w->writes_n < COUNT(w->writes));
    assert_int_equal(
        uv_write(&w->writes[w->writes_n++], (uv_stream_t *)&w->peer, &b, 1, NULL), 0);
}

static size_t hello_record(struct world *w, uint8_t *record)
{
    struct buf b = {record + CHANNEL_FRAMES_AT, 0, 4000, 4000, 0, false};
    size_t size;

    if (w->breaking == BAD_FRAME)
        buf_put(&b, "\xc1\xc1\xc1", 3);
    else
        for (uint32_t i = 0; i < 3; i++)
            frame_error(&b, i, CODE_UNAVAILABLE);
    size = channel_record_bytes(true, b.n);
    assert_int_equal(channel_seal(&w->channel, record, b.n), 0);
    if (w->breaking == BAD_RECORD)
        record[size / 2] ^= 1;
    return size;
}

static void relay_shakes(struct world *w, const uint8_t *msg1)
{
    static uint8_t answer[CHANNEL_MSG2_BYTES + CHANNEL_RECORD_MAX_BYTES];
    size_t n = CHANNEL_MSG2_BYTES;

    if (channel_relay_answer(&w->channel, relay_pk, relay_sk, msg1, answer)) {
        assert_true(w->faulty);
        uv_close((uv_handle_t *)&w->peer, NULL);
        return;
    }
    if (w->breaking == BAD_ANSWER)
        answer[n - 1] ^= 1;
    n += hello_record(w, answer + n);
    w->shaken = true;
    if (w->breaking == LATE_AND_TOGETHER) {
        relay_writes(w, answer, n);
    } else {
        relay_writes(w, answer, CHANNEL_MSG2_BYTES);
        relay_writes(w, answer + CHANNEL_MSG2_BYTES, n - CHANNEL_MSG2_BYTES);
    }
}

static void relay_shows_key(struct world *w)
{
    uint8_t answer[CHANNEL_ASK_ANSWER_BYTES];

    memcpy(answer, relay_pk, sizeof relay_pk);
    memcpy(answer + sizeof relay_pk, cohort, sizeof cohort);
    if (w->breaking == OTHER_KEY)
        answer[0] ^= 1;
    relay_writes(w, answer, sizeof answer);
}

static bool relay_takes(struct world *w, size_t n)
{
    if (w->in_n < n)
        return false;
    w->in_n -= n;
    return true;
}

static void relay_reads(struct world *w)
{
    static uint8_t record[CHANNEL_RECORD_BYTES];
    struct bytes frames;

    if (!w->shaken && w->in_n > 0 && w->in[0] == CHANNEL_PREAMBLE_ASK &&
        relay_takes(w, 17)) {
        relay_shows_key(w);
        memmove(w->in, w->in + 17, w->in_n);
    }
    if (!w->shaken && w->in_n > 0 && w->in[0] == CHANNEL_PREAMBLE_GO &&
        relay_takes(w, 1 + CHANNEL_MSG1_BYTES)) {
        relay_shakes(w, w->in + 1);
        memmove(w->in, w->in + 1 + CHANNEL_MSG1_BYTES, w->in_n);
    }
    while (w->shaken && w->in_n >= CHANNEL_RECORD_BYTES) {
        memcpy(record, w->in, sizeof record);
        assert_int_equal(channel_open(&w->channel, record, sizeof record, &frames), 0);
        w->in_n -= sizeof record;
        memmove(w->in, w->in + sizeof record, w->in_n);
        w->records++;
    }
}

static void on_relay_alloc(uv_handle_t *h, size_t size, uv_buf_t *b)
{
    struct world *w = h->data;

    (void)size;
    *b = uv_buf_init((char *)w->in + w->in_n, (unsigned)(sizeof w->in - w->in_n));
}

static void on_relay_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    struct world *w = s->data;

    (void)b;
    if (n < 0 || w->breaking == HANGS_UP) {
        if (!uv_is_closing((uv_handle_t *)s))
            uv_close((uv_handle_t *)s, NULL);
        return;
    }
    w->in_n += (size_t)n;
    if (w->breaking != SAYS_NOTHING)
        relay_reads(w);
}

static void on_relay_accept(uv_stream_t *server, int status)
{
    struct world *w = server->data;

    assert_int_equal(status, 0);
    assert_int_equal(uv_tcp_init(&w->loop, &w->peer), 0);
    w->peer.data = w;
    w->has_peer = true;
    assert_int_equal(uv_accept(server, (uv_stream_t *)&w->peer), 0);
    assert_int_equal(
        uv_read_start((uv_stream_t *)&w->peer, on_relay_alloc, on_relay_read), 0);
}

/* ---- the link's side -------------------------------------------------------------- */

static void on_opened(struct link_conn *l, void *arg)
{
    struct world *w = arg;
    uint8_t room[64];
    struct buf b = BUF_OVER(room);

    w->opened = true;
    assert_memory_equal(link_hash(l), w->channel.h, CHANNEL_HASH_BYTES);
    frame_request(&b, 7, "hello");
    assert_true(link_send(l, buf_view(&b)) == 0 || w->faulty);
    if (w->hang_up_when_opened) {
        link_close(l);
        w->link = NULL;
    }
}

static int on_frame(struct link_conn *l, const struct frame *f, void *arg)
{
    struct world *w = arg;

    (void)l;
    assert_int_equal(f->kind, FRAME_RESPONSE);
    assert_int_equal(f->id, w->frames);
    w->frames++;
    return 0;
}

static void on_closed(enum link_why why, void *arg)
{
    struct world *w = arg;

    w->closed = true;
    w->why = why;
    w->link = NULL;
}

static void on_stop(uv_timer_t *t)
{
    uv_stop(t->loop);
}

static struct world *begin(enum breaking breaking)
{
    struct world *w = calloc(1, sizeof *w);
    struct sockaddr_in a;
    int n = sizeof a;

    assert_non_null(w);
    w->breaking = breaking;
    assert_int_equal(uv_loop_init(&w->loop), 0);
    assert_int_equal(uv_timer_init(&w->loop, &w->stop), 0);
    assert_int_equal(uv_timer_init(&w->loop, &w->drip), 0);
    assert_int_equal(uv_tcp_init(&w->loop, &w->server), 0);
    w->server.data = w->drip.data = w;
    assert_int_equal(uv_ip4_addr("127.0.0.1", 0, &a), 0);
    assert_int_equal(uv_tcp_bind(&w->server, (struct sockaddr *)&a, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&w->server, 4, on_relay_accept), 0);
    assert_int_equal(uv_tcp_getsockname(&w->server, (struct sockaddr *)&a, &n), 0);
    w->port = ntohs(a.sin_port);
    return w;
}

static struct link_target target(const struct world *w, bool have_key)
{
    struct link_target t = {.have_key = have_key, .times = {1500, 200, 1000}};

    strcpy(t.address.host, "127.0.0.1");
    t.address.port = w->port;
    memcpy(t.key, relay_pk, sizeof t.key);
    channel_fingerprint(relay_pk, cohort, t.fingerprint);
    return t;
}

static int dial(struct world *w, const struct link_target *t)
{
    static const struct link_events events = {on_opened, on_frame, on_closed};

    return link_open(&w->loop, t, &events, w, &w->link);
}

static void run(struct world *w, uint64_t ms)
{
    assert_int_equal(uv_timer_start(&w->stop, on_stop, ms, 0), 0);
    (void)uv_run(&w->loop, UV_RUN_DEFAULT);
}

static bool is_over(const struct world *w)
{
    return w->closed || w->frames == 3;
}

static void run_until_over(struct world *w)
{
    for (int i = 0; i < MOST_MS / 20 && !is_over(w); i++)
        run(w, 20);
    assert_true(is_over(w));
}

static void finish(struct world *w)
{
    link_close(w->link);
    uv_close((uv_handle_t *)&w->server, NULL);
    uv_close((uv_handle_t *)&w->stop, NULL);
    uv_close((uv_handle_t *)&w->drip, NULL);
    if (w->has_peer && !uv_is_closing((uv_handle_t *)&w->peer))
        uv_close((uv_handle_t *)&w->peer, NULL);
    (void)uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0); /* nothing was left behind */
    free(w);
}

/* ---- claims ----------------------------------------------------------------------- */

static void assert_talks(enum breaking how, bool have_key)
{
    struct world *w = begin(how);
    struct link_target t = target(w, have_key);

    assert_int_equal(dial(w, &t), 0);
    run_until_over(w);
    assert_true(w->opened && !w->closed);
    assert_int_equal(w->frames, 3);
    assert_memory_equal(link_key(w->link), relay_pk, sizeof relay_pk);
    if (have_key)
        assert_null(link_cohort(w->link));
    else
        assert_memory_equal(link_cohort(w->link), cohort, sizeof cohort);
    for (int i = 0; i < 50 && w->records == 0; i++)
        run(w, 20);
    assert_true(w->records >= 1);
    finish(w);
}

static void link_open__talks__to_a_relay_whose_key_it_knows(void **state)
{
    (void)state;
    assert_talks(BY_THE_BOOK, true);
}

static void link_open__asks__for_a_key_by_its_fingerprint(void **state)
{
    (void)state;
    assert_talks(BY_THE_BOOK, false);
}

static void link_open__talks__however_the_bytes_are_cut(void **state)
{
    (void)state;
    assert_talks(BYTE_BY_BYTE, false);
    assert_talks(LATE_AND_TOGETHER, true);
}

static void assert_ends(enum breaking how, bool have_key, enum link_why why, bool opened)
{
    struct world *w = begin(how);
    struct link_target t = target(w, have_key);

    assert_int_equal(dial(w, &t), 0);
    run_until_over(w);
    assert_true(w->closed);
    assert_int_equal(w->why, why);
    assert_int_equal(w->opened, opened);
    assert_int_equal(w->frames, 0);
    finish(w);
}

static void link_open__refuses__another_relay(void **state)
{
    (void)state;
    assert_ends(OTHER_KEY, false, LINK_STRANGER, false);
    assert_ends(BAD_ANSWER, true, LINK_STRANGER, false);
    assert_ends(HANGS_UP, true, LINK_STRANGER, false);
    assert_ends(HANGS_UP, false, LINK_STRANGER, false);
}

static void link_open__gives_up__on_a_silent_one(void **state)
{
    (void)state;
    assert_ends(SAYS_NOTHING, true, LINK_NO_ANSWER, false);
    assert_ends(SAYS_NOTHING, false, LINK_NO_ANSWER, false);
}

static void link__closes__on_a_damaged_record_or_frame(void **state)
{
    (void)state;
    assert_ends(BAD_RECORD, true, LINK_BROKEN, true);
    assert_ends(BAD_FRAME, true, LINK_BROKEN, true);
}

static void link_open__says__when_nobody_is_there(void **state)
{
    struct world *w = begin(BY_THE_BOOK);
    struct link_target t = target(w, true);

    (void)state;
    t.address.port = 1; /* nobody listens on tcpmux */
    assert_int_equal(dial(w, &t), 0);
    run_until_over(w);
    assert_int_equal(w->why, LINK_NO_ANSWER);
    w->closed = false;
    strcpy(t.address.host, "no.such.host.invalid");
    assert_int_equal(dial(w, &t), 0);
    run_until_over(w);
    assert_true(w->why == LINK_NO_NAME || w->why == LINK_NO_ANSWER);
    finish(w);
}

static void link__keeps_alive__and_notices_silence(void **state)
{
    struct world *w = begin(BY_THE_BOOK);
    struct link_target t = target(w, true);

    (void)state;
    assert_int_equal(dial(w, &t), 0);
    run_until_over(w);
    assert_false(w->closed);
    run(w, 700);
    assert_true(w->records >= 3); /* the hello, and one each 200 ms */
    for (int i = 0; i < 100 && !w->closed; i++)
        run(w, 20);
    assert_true(w->closed); /* this relay never says a second word */
    assert_int_equal(w->why, LINK_NO_ANSWER);
    finish(w);
}

static void link_close__is_safe__in_every_state(void **state)
{
    (void)state;
    for (uint64_t ms = 0; ms < 12; ms++) {
        struct world *w = begin(BY_THE_BOOK);
        struct link_target t = target(w, ms % 2 == 0);

        assert_int_equal(dial(w, &t), 0);
        if (ms > 0)
            run(w, ms - 1);
        link_close(w->link);
        link_close(w->link);
        w->link = NULL;
        run(w, 20);
        assert_false(w->closed); /* who closes is not told */
        finish(w);
    }
    link_close(NULL);
}

static void link_close__is_safe__from_inside_an_event(void **state)
{
    struct world *w = begin(BY_THE_BOOK);
    struct link_target t = target(w, true);

    (void)state;
    w->hang_up_when_opened = true;
    assert_int_equal(dial(w, &t), 0);
    run(w, 200);
    assert_true(w->opened && !w->closed);
    assert_int_equal(w->frames, 0);
    finish(w);
}

static void link_send__refuses__what_does_not_fit_a_record(void **state)
{
    static uint8_t much[FRAME_CLIENT_MAX_BYTES + 1];
    struct world *w = begin(BY_THE_BOOK);
    struct link_target t = target(w, true);

    (void)state;
    assert_int_equal(dial(w, &t), 0);
    assert_int_equal(link_send(w->link, BYTES(much)), -ENOTCONN);
    run_until_over(w);
    assert_int_equal(link_send(w->link, BYTES(much)), -EMSGSIZE);
    assert_int_equal(link_send(w->link, (struct bytes){much, FRAME_CLIENT_MAX_BYTES}), 0);
    finish(w);
}

static void link__survives__every_failing_call(void **state)
{
    static const enum seam kinds[] = {SEAM_ALLOC, SEAM_RANDOM, SEAM_WRITE, SEAM_SOCKET};

    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++)
        for (unsigned nth = 1;; nth++) {
            struct world *w = begin(BY_THE_BOOK);
            struct link_target t = target(w, false);
            struct support_fault fault;
            int rc;

            w->faulty = true;
            support_fail_nth(&fault, kinds[k], nth,
                             kinds[k] == SEAM_ALLOC ? -ENOMEM : -EIO);
            rc = dial(w, &t);
            for (int i = 0; rc == 0 && i < 50 && !is_over(w) && !fault.fired; i++)
                run(w, 10);
            support_fail_none();
            if (rc == 0)
                run_until_over(w); /* it ends or it works, and never hangs */
            finish(w);
            if (!fault.fired)
                break;
            assert_in_range(nth, 1, 50);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(link_open__talks__to_a_relay_whose_key_it_knows),
        cmocka_unit_test(link_open__asks__for_a_key_by_its_fingerprint),
        cmocka_unit_test(link_open__talks__however_the_bytes_are_cut),
        cmocka_unit_test(link_open__refuses__another_relay),
        cmocka_unit_test(link_open__gives_up__on_a_silent_one),
        cmocka_unit_test(link__closes__on_a_damaged_record_or_frame),
        cmocka_unit_test(link_open__says__when_nobody_is_there),
        cmocka_unit_test(link__keeps_alive__and_notices_silence),
        cmocka_unit_test(link_close__is_safe__in_every_state),
        cmocka_unit_test(link_close__is_safe__from_inside_an_event),
        cmocka_unit_test(link_send__refuses__what_does_not_fit_a_record),
        cmocka_unit_test(link__survives__every_failing_call),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* as kith does: a peer that left is a failed write */
    if (secret_start() || kem_keypair(relay_pk, relay_sk) ||
        rand_bytes(cohort, sizeof cohort))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
