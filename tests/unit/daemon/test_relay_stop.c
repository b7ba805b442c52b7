/* SPDX-License-Identifier: Apache-2.0 */
/* How a relay ends, and what it does when its machine fails it. */
#include "tests/support/control_client.h"
#include "tests/support/relay_host.h"
#include "tests/support/support.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct relay_host host;
static uint8_t alice[SIGN_SK_BYTES];
static struct wire one, two;

static void fill(uint8_t envelope[ENVELOPE_BYTES], uint32_t mark)
{
    memset(envelope, (int)(mark & 0xff), ENVELOPE_BYTES);
    le_put(envelope, mark, 4);
}

static uint64_t now_ms(void)
{
    return clock_mono_ms(clock_system());
}

static void start_again(void)
{
    relay_host_start(&host);
}

static void end(int code)
{
    assert_int_equal(relay_host_stop(&host), code);
    relay_host_drop(&host);
}

/* ---- stopping --------------------------------------------------------------------- */

static void relay_stop__closes_idle_and_half_open_connections__in_a_second(void **state)
{
    struct wire *w = calloc(50, sizeof *w);
    uint64_t since;

    (void)state;
    assert_non_null(w);
    relay_host_prepare(&host);
    host.in_memory = true;
    relay_host_start(&host);
    for (size_t i = 0; i < 50; i++) {
        assert_int_equal(wire_connect(&w[i], host.port, NULL), 0);
        if (i % 3 > 0)
            assert_int_equal(wire_handshake(&w[i], host.pk), 0);
        if (i % 3 > 1)
            assert_int_equal(wire_hello(&w[i], NULL), 0);
    }
    since = now_ms();
    assert_int_equal(relay_host_stop(&host), 0);
    assert_in_range(now_ms() - since, 0,
                    3000); /* peers that do not answer our FIN: 1 s */
    for (size_t i = 0; i < 50; i++)
        wire_close(&w[i]);
    free(w);
    relay_host_drop(&host);
}

static void on_stopping(void *h)
{
    (void)relay_host_stop(h);
}

/* Posts without end; what is acknowledged before the relay closes is counted. */
static uint32_t post_until_closed(uint64_t seqs[], uint32_t most, uv_thread_t *stopper)
{
    uint8_t envelope[ENVELOPE_BYTES];
    uint32_t sent = 0, acked = 0, id;
    bool open = true;

    while (acked < most) {
        struct msg_post_result r;
        struct frame f;

        while (open && sent < most && sent - acked < 100) {
            fill(envelope, sent);
            open = wire_post_send(&one, BUCKET_MAIL, envelope, &id) == 0;
            sent += open;
        }
        if (wire_next(&one, &f))
            break;
        assert_int_equal(f.code, CODE_OK);
        assert_int_equal(msg_post_result_read(f.body, &r), 0);
        seqs[acked++] = r.seq;
        if (acked == 500)
            assert_int_equal(uv_thread_create(stopper, on_stopping, &host), 0);
    }
    return acked;
}

static void relay_stop__keeps_every_post__that_it_acknowledged(void **state)
{
    enum { MOST = 20000 };
    uint64_t *seqs = calloc(MOST, sizeof *seqs);
    uv_thread_t stopper;
    uint32_t acked, seen = 0;

    (void)state;
    assert_non_null(seqs);
    relay_host_prepare(&host);
    relay_host_start(&host);
    relay_host_member(&host, alice);
    relay_host_enter(&host, &one, alice);
    acked = post_until_closed(seqs, MOST, &stopper);
    (void)uv_thread_join(&stopper);
    wire_close(&one);
    assert_int_equal(host.code, 0);
    assert_in_range(acked, 500, MOST - 1);

    start_again();
    relay_host_enter(&host, &two, alice);
    assert_int_equal(wire_subscribe(&two, BUCKET_MAIL, 1, CREDIT_MAX, NULL), 0);
    while (seen < acked) {
        struct msg_envelopes got;
        struct msg_gap gap;
        bool is_gap;
        size_t n;

        assert_int_equal(wire_envelopes(&two, &got, &gap, &is_gap), 0);
        n = got.envelopes.n / ENVELOPE_BYTES;
        for (size_t i = 0; i < n && seen < acked; i++, seen++) {
            assert_int_equal(seqs[seen], got.first + i);
            assert_int_equal(le_get(got.envelopes.p + i * ENVELOPE_BYTES, 4), seen);
        }
        assert_int_equal(wire_credit(&two, BUCKET_MAIL, (uint32_t)n), 0);
    }
    wire_close(&two);
    free(seqs);
    end(0);
}

/* ---- a disk that fails ------------------------------------------------------------ */

static atomic_bool sync_fails;

static int fail_syncs(enum seam kind, void *arg)
{
    (void)arg;
    return kind == SEAM_SYNC && atomic_load(&sync_fails) ? -EIO : 0;
}

static void relay__acknowledges_nothing__after_a_failed_sync_and_goes_on_reading(
    void **state)
{
    uint8_t envelope[ENVELOPE_BYTES];
    struct msg_envelopes got;
    struct msg_gap gap;
    struct buf answer;
    char text[64];
    bool is_gap;

    (void)state;
    atomic_store(&sync_fails, false);
    seam_set(fail_syncs, NULL);
    relay_host_prepare(&host);
    host.config.log = LOG_LEVEL_ERROR;
    relay_host_start(&host);
    relay_host_member(&host, alice);
    relay_host_enter(&host, &one, alice);
    fill(envelope, 1);
    assert_int_equal(wire_post(&one, BUCKET_MAIL, envelope, NULL), 0);

    atomic_store(&sync_fails, true);
    fill(envelope, 2);
    assert_int_equal(wire_post(&one, BUCKET_MAIL, envelope, NULL), CODE_UNAVAILABLE);
    atomic_store(&sync_fails, false); /* it seems well again: nobody may believe it */
    assert_int_equal(wire_post(&one, BUCKET_MAIL, envelope, NULL), CODE_UNAVAILABLE);
    wire_close(&one);

    assert_int_equal(control_once(host.dir, "status", NULL, 0, &answer), 0);
    assert_true(control_text(&answer, "store", text, sizeof text));
    assert_string_equal(text, "broken");
    buf_free(&answer);
    assert_int_equal(control_once(host.dir, "invite", NULL, 0, &answer), 0);
    assert_true(control_text(&answer, "code", text, sizeof text));
    assert_string_equal(text, "broken");
    buf_free(&answer);

    relay_host_enter(&host, &two, alice);
    assert_int_equal(wire_subscribe(&two, BUCKET_MAIL, 1, 10, NULL), 0);
    assert_int_equal(wire_envelopes(&two, &got, &gap, &is_gap), 0);
    assert_int_equal(got.envelopes.n, ENVELOPE_BYTES);
    assert_int_equal(le_get(got.envelopes.p, 4), 1);
    wire_close(&two);
    end(74);
    seam_set(NULL, NULL);
}

/* ---- a machine that fails --------------------------------------------------------- */

static void note(int code, void *arg)
{
    *(int *)arg = code;
}

static struct relay_options options_for(struct relay_host *h, const char *file, int *code)
{
    return (struct relay_options){
        .dir = h->dir,
        .config_file = file,
        .config = h->config,
        .clock = clock_system(),
        .limits = h->limits,
        .stopped = note,
        .stopped_arg = code,
    };
}

static void relay_start__takes_everything_down__when_the_nth_call_fails(void **state)
{
    static const struct {
        enum seam kind;
        int rc;
    } kinds[] = {{SEAM_ALLOC, -ENOMEM}, {SEAM_OPEN, -EMFILE},   {SEAM_READ, -EIO},
                 {SEAM_MAP, -ENOMEM},   {SEAM_THREAD, -EAGAIN}, {SEAM_SOCKET, -EMFILE},
                 {SEAM_RANDOM, -EIO},   {SEAM_WRITE, -EIO}};
    char file[128], why[RELAY_WHY_BYTES];

    (void)state;
    relay_host_prepare(&host);
    host.config.listen_n = 1;
    (void)strcpy(host.config.listen[0].host, "127.0.0.1");
    (void)snprintf(file, sizeof file, "%s/kithd.conf", host.dir);
    log_start("kithd", LOG_LEVEL_ERROR);
    for (size_t k = 0; k < COUNT(kinds); k++) {
        for (unsigned nth = 1;; nth++) {
            int code = -1, rc;
            struct relay_options o = options_for(&host, file, &code);
            struct support_fault fault;
            struct relay *r = NULL;
            uv_loop_t loop;

            host.config.listen[0].port = (uint16_t)(20000 + (nth + 37 * k) % 20000);
            o.config = host.config;
            assert_int_equal(uv_loop_init(&loop), 0);
            support_fail_nth(&fault, kinds[k].kind, nth, kinds[k].rc);
            rc = relay_start(&loop, &o, &r, why);
            support_fail_none();
            if (rc == 0) {
                relay_stop(r);
                (void)uv_run(&loop, UV_RUN_DEFAULT);
                assert_int_equal(code, 0);
            } else {
                assert_true(why[0] != '\0');
                (void)uv_run(&loop, UV_RUN_DEFAULT);
            }
            assert_int_equal(uv_loop_close(&loop), 0);
            if (!fault.fired)
                break;
        }
    }
    relay_host_drop(&host);
}

/* One run of all that a member does; whichever call fails, the relay must live on. */
static void use(struct relay_host *h)
{
    uint8_t secret[INVITE_SECRET_BYTES], pk[SIGN_PK_BYTES], sk[SIGN_SK_BYTES];
    uint8_t envelope[ENVELOPE_BYTES] = {0};
    struct msg_envelopes got;
    struct msg_gap gap;
    bool is_gap;

    if (sign_keypair(pk, sk) || control_invite(h->dir, secret, NULL))
        return;
    one.fd = two.fd = -1;
    if (wire_connect(&one, h->port, NULL) == 0 && wire_handshake(&one, h->pk) == 0 &&
        wire_hello(&one, NULL) == 0)
        (void)!wire_enrol(&one, secret, sk, h->cohort);
    wire_close(&one);
    if (wire_member(&two, h->port, h->pk, sk, h->cohort) == 0 &&
        wire_subscribe(&two, BUCKET_MAIL, 0, 10, NULL) == 0 &&
        wire_member(&one, h->port, h->pk, sk, h->cohort) == 0 &&
        wire_post(&one, BUCKET_MAIL, envelope, NULL) == 0)
        (void)!wire_envelopes(&two, &got, &gap, &is_gap);
    wire_close(&one);
    wire_close(&two);
}

/* Fails the nth call on the relay's side only: this thread's own calls are let through.
 */
struct relay_fault {
    enum seam kind;
    int rc;
    atomic_uint seen;
    unsigned nth;
    uv_thread_t tester;
    atomic_bool armed,
        fired; /* the hook itself is set before the relay's threads start */
};

static int fail_on_relay(enum seam kind, void *arg)
{
    struct relay_fault *f = arg;
    uv_thread_t self = uv_thread_self();

    if (!atomic_load(&f->armed) || kind != f->kind || uv_thread_equal(&self, &f->tester))
        return 0;
    if (atomic_fetch_add(&f->seen, 1) + 1 != f->nth)
        return 0;
    atomic_store(&f->fired, true);
    return f->rc;
}

static void relay__lives_on__when_the_nth_call_fails_while_serving(void **state)
{
    static const struct {
        enum seam kind;
        int rc;
    } kinds[] = {{SEAM_ALLOC, -ENOMEM},  {SEAM_WRITE, -EIO},  {SEAM_SOCKET, -EMFILE},
                 {SEAM_THREAD, -EAGAIN}, {SEAM_RANDOM, -EIO}, {SEAM_OPEN, -EMFILE}};
    struct relay_fault fault;

    (void)state;
    relay_host_prepare(&host);
    host.in_memory = true;
    host.config.log = LOG_LEVEL_ERROR;
    host.limits.handshake_ms = 200;
    host.limits.tick_ms = 20;
    atomic_store(&fault.armed, false);
    fault.tester = uv_thread_self();
    seam_set(fail_on_relay, &fault);
    relay_host_start(&host);
    relay_host_member(&host, alice);
    for (size_t k = 0; k < COUNT(kinds); k++) {
        for (fault.nth = 1; fault.nth < 400; fault.nth++) {
            fault.kind = kinds[k].kind;
            fault.rc = kinds[k].rc;
            atomic_store(&fault.seen, 0);
            atomic_store(&fault.fired, false);
            one.timeout_ms = two.timeout_ms = 1000;
            atomic_store(&fault.armed, true);
            use(&host);
            atomic_store(&fault.armed, false);
            if (!atomic_load(&fault.fired))
                break;
            relay_host_enter(&host, &one, alice); /* still there for the others */
            wire_close(&one);
        }
        assert_true(fault.nth < 400);
    }
    end(0);
    seam_set(NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relay_stop__closes_idle_and_half_open_connections__in_a_second),
        cmocka_unit_test(relay_stop__keeps_every_post__that_it_acknowledged),
        cmocka_unit_test(
            relay__acknowledges_nothing__after_a_failed_sync_and_goes_on_reading),
        cmocka_unit_test(relay_start__takes_everything_down__when_the_nth_call_fails),
        cmocka_unit_test(relay__lives_on__when_the_nth_call_fails_while_serving),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
