/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/support.h"

#include "client/holder.h"
#include "lib/secret.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { IDLE_MS = 1200, SWEEP_AND_ROOM_MS = 3000 };

struct fixture {
    uv_loop_t loop;
    uv_timer_t tick; /* keeps uv_run() turning */
    char *dir;
    struct profile profile;
    uint8_t key[PROFILE_KEY_BYTES];
    struct holder *holder;
};

static void on_tick(uv_timer_t *t)
{
    (void)t;
}

static void on_poked(void *arg)
{
    (void)arg;
}

static const struct holder_events events = {on_poked, on_poked};

static void start(struct fixture *f)
{
    f->dir = support_dir();
    assert_int_equal(setenv("XDG_RUNTIME_DIR", f->dir, 1), 0);
    f->profile = (struct profile){.lock = -1};
    assert_true(strlen(f->dir) < sizeof f->profile.dir);
    memcpy(f->profile.dir, f->dir, strlen(f->dir) + 1);
    memset(f->key, 7, sizeof f->key);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    assert_int_equal(uv_timer_init(&f->loop, &f->tick), 0);
    assert_int_equal(uv_timer_start(&f->tick, on_tick, 10, 10), 0);
    assert_int_equal(
        holder_open(&f->loop, &f->profile, f->key, IDLE_MS, &events, NULL, &f->holder),
        0);
}

static void stop(struct fixture *f)
{
    holder_close(f->holder);
    uv_close((uv_handle_t *)&f->tick, NULL);
    assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    support_dir_drop(f->dir);
}

static void run_for(struct fixture *f, uint64_t ms)
{
    uint64_t end;

    uv_update_time(&f->loop);
    end = uv_now(&f->loop) + ms;
    while (uv_now(&f->loop) < end)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
}

/* A client asks and waits: in a thread of its own, while the holder's loop runs. */
struct borrowing {
    const struct profile *profile;
    uint8_t key[PROFILE_KEY_BYTES];
    int rc;
    atomic_bool done;
};

static void borrow_in_thread(void *arg)
{
    struct borrowing *b = arg;

    b->rc = holder_borrow(b->profile, b->key);
    atomic_store(&b->done, true);
}

static int borrow(struct fixture *f, uint8_t key[PROFILE_KEY_BYTES])
{
    struct borrowing b = {.profile = &f->profile};
    uv_thread_t thread;

    assert_int_equal(uv_thread_create(&thread, borrow_in_thread, &b), 0);
    while (!atomic_load(&b.done))
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    assert_int_equal(uv_thread_join(&thread), 0);
    memcpy(key, b.key, sizeof b.key);
    return b.rc;
}

static void holder__lends__until_nobody_did_anything_for_its_span(void **state)
{
    struct fixture f;
    uint8_t key[PROFILE_KEY_BYTES];

    (void)state;
    start(&f);
    assert_int_equal(borrow(&f, key), 0);
    assert_memory_equal(key, f.key, sizeof key);
    run_for(&f, IDLE_MS + SWEEP_AND_ROOM_MS);
    assert_false(holder_lends(f.holder));
    assert_int_equal(borrow(&f, key), HOLDER_E_ASK); /* it is there, without the key */
    stop(&f);
}

static void holder_touch__and_each_loan__begin_the_span_anew(void **state)
{
    struct fixture f;
    uint8_t key[PROFILE_KEY_BYTES];

    (void)state;
    start(&f);
    for (int i = 0; i < 10; i++) {
        run_for(&f, IDLE_MS / 4);
        if (i % 2)
            holder_touch(f.holder);
        else
            assert_int_equal(borrow(&f, key), 0);
    }
    assert_true(holder_lends(f.holder));
    stop(&f);
}

static int knock(struct fixture *f)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0);
    assert_int_equal(holder_path(&f->profile, false, to.sun_path), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void holder__with_all_places_taken__turns_away_and_serves_again(void **state)
{
    enum { MORE = 12 };
    struct fixture f;
    uint8_t key[PROFILE_KEY_BYTES], byte;
    int fd[HOLDER_CLIENTS_MAX + MORE];

    (void)state;
    start(&f);
    for (size_t i = 0; i < HOLDER_CLIENTS_MAX; i++) {
        fd[i] = knock(&f);
        assert_int_equal(send(fd[i], "w", 1, MSG_NOSIGNAL), 1);
        run_for(&f, 20);
    }
    for (size_t i = HOLDER_CLIENTS_MAX; i < HOLDER_CLIENTS_MAX + MORE; i++)
        fd[i] = knock(&f); /* all at once */
    run_for(&f, 200);
    for (size_t i = 0; i < HOLDER_CLIENTS_MAX + MORE; i++)
        if (i < HOLDER_CLIENTS_MAX)
            assert_int_equal(recv(fd[i], &byte, 1, 0), -1); /* still there */
        else
            assert_int_equal(recv(fd[i], &byte, 1, 0), 0);
    for (size_t i = 0; i < HOLDER_CLIENTS_MAX + MORE; i++)
        assert_int_equal(close(fd[i]), 0);
    run_for(&f, 100);
    assert_int_equal(borrow(&f, key), 0);
    stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holder__lends__until_nobody_did_anything_for_its_span),
        cmocka_unit_test(holder_touch__and_each_loan__begin_the_span_anew),
        cmocka_unit_test(holder__with_all_places_taken__turns_away_and_serves_again),
    };

    if (secret_start())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
