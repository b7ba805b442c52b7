/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* nftw */
#include "tests/support/relay_host.h"

#include "tests/support/control_client.h"
#include "tests/support/support.h"

#include "lib/secret.h"

#include <arpa/inet.h>
#include <ftw.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void relay_host_prepare(struct relay_host *h)
{
    char why[KEYS_WHY_BYTES], file[128];
    struct keys_want want = {"Night Owls", "127.0.0.1", 2,
                             200,          14,          clock_wall_s(clock_system())};
    struct keys *keys;

    memset(h, 0, sizeof *h);
    assert_int_equal(secret_start(), 0);
    (void)strcpy(h->dir, "/tmp/kith-relay-XXXXXX");
    assert_non_null(mkdtemp(h->dir));
    assert_int_equal(keys_create(h->dir, &want, why), 0);
    assert_int_equal(keys_load(h->dir, &keys, why), 0);
    memcpy(h->pk, keys->pk, sizeof h->pk);
    memcpy(h->cohort, keys->cohort, sizeof h->cohort);
    memcpy(h->fingerprint, keys->fingerprint, sizeof h->fingerprint);
    keys_free(keys);
    config_defaults(&h->config);
    (void)strcpy(h->config.name, want.name);
    (void)strcpy(h->config.address, want.address);
    h->config.mail_buckets = want.mail_buckets;
    h->config.map_bytes = UINT64_C(256) << 20;
    h->config.log = LOG_LEVEL_ERROR;
    (void)snprintf(file, sizeof file, "%s/kithd.conf", h->dir);
    assert_int_equal(config_create(file, &h->config), 0);
    h->limits = relay_limits_default();
}

static void on_stopped(int code, void *arg)
{
    struct relay_host *h = arg;

    h->code = code;
    uv_close((uv_handle_t *)&h->wish, NULL);
}

static void on_wish(uv_async_t *a)
{
    relay_stop(((struct relay_host *)a->data)->relay);
}

static void on_thread(void *arg)
{
    struct relay_host *h = arg;
    char why[RELAY_WHY_BYTES], file[128];
    struct relay_options o = {
        .dir = h->dir,
        .config_file = file,
        .config = h->config,
        .clock = clock_system(),
        .limits = h->limits,
        .in_memory = h->in_memory,
        .fds = &h->listening,
        .fds_n = 1,
        .stopped = on_stopped,
        .stopped_arg = h,
    };

    (void)snprintf(file, sizeof file, "%s/kithd.conf", h->dir);
    (void)uv_loop_init(&h->loop);
    (void)uv_async_init(&h->loop, &h->wish, on_wish);
    h->wish.data = h;
    if (relay_start(&h->loop, &o, &h->relay, why)) {
        (void)fprintf(stderr, "relay_host: %s\n", why);
        abort();
    }
    uv_sem_post(&h->ready);
    (void)uv_run(&h->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&h->loop);
}

void relay_host_start(struct relay_host *h)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t n = sizeof at;

    h->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(h->listening, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(h->listening, 1024), 0);
    assert_int_equal(getsockname(h->listening, (struct sockaddr *)&at, &n), 0);
    h->port = ntohs(at.sin_port);
    log_start("kithd", h->config.log);
    assert_int_equal(uv_sem_init(&h->ready, 0), 0);
    assert_int_equal(uv_thread_create(&h->thread, on_thread, h), 0);
    uv_sem_wait(&h->ready);
    h->running = true;
}

int relay_host_stop(struct relay_host *h)
{
    if (!h->running)
        return h->code;
    h->running = false;
    (void)uv_async_send(&h->wish);
    (void)uv_thread_join(&h->thread);
    uv_sem_destroy(&h->ready);
    return h->code;
}

static int remove_one(const char *path, const struct stat *st, int kind,
                      struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

void relay_host_drop(struct relay_host *h)
{
    (void)nftw(h->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void relay_host_greet(struct relay_host *h, struct wire *w)
{
    assert_int_equal(wire_connect(w, h->port, NULL), 0);
    assert_int_equal(wire_handshake(w, h->pk), 0);
    assert_int_equal(wire_hello(w, NULL), 0);
}

void relay_host_member(struct relay_host *h, uint8_t sk[SIGN_SK_BYTES])
{
    uint8_t secret[INVITE_SECRET_BYTES], pk[SIGN_PK_BYTES];
    struct wire *w = malloc(sizeof *w);

    assert_non_null(w);
    assert_int_equal(sign_keypair(pk, sk), 0);
    assert_int_equal(control_invite(h->dir, secret, NULL), 0);
    relay_host_greet(h, w);
    assert_int_equal(wire_enrol(w, secret, sk, h->cohort), 0);
    wire_close(w);
    free(w);
}

void relay_host_enter(struct relay_host *h, struct wire *w,
                      const uint8_t sk[SIGN_SK_BYTES])
{
    assert_int_equal(wire_member(w, h->port, h->pk, sk, h->cohort), 0);
}
