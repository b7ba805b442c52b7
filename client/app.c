/* SPDX-License-Identifier: Apache-2.0 */
#include "client/app.h"

#include "client/prompt.h"
#include "client/say.h"
#include "client/ui/words.h"
#include "lib/log.h"
#include "lib/secret.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void on_poked(void *arg);
static void on_locked(void *arg);
static void on_holder_gone(void *arg);
static void become_holder(struct app *a);

static const struct holder_events holder_events_of_app = {on_poked, on_locked};
static const struct watch_events watch_events_of_app = {on_locked, on_holder_gone};

/* ---- events ----------------------------------------------------------------------- */

static void on_node_event(const struct event *e, void *arg)
{
    struct app *a = arg;

    if (a->sync)
        sync_event(a->sync, e);
    if (a->on_event)
        a->on_event(e, a->arg);
}

static void refresh(struct app *a)
{
    if (a->node && node_refresh(a->node))
        log_debug("the profile could not be looked at; trying again");
}

static void on_poked(void *arg)
{
    struct app *a = arg;

    refresh(a);
    if (a->sync)
        sync_poke(a->sync);
}

static void on_locked(void *arg)
{
    struct app *a = arg;

    a->locked = true;
}

static void on_holder_gone(void *arg)
{
    struct app *a = arg;

    a->watch = NULL;
    if (!a->locked && !a->in_close)
        become_holder(a);
}

static void on_tick(uv_timer_t *t)
{
    struct app *a = t->data;

    refresh(a);
    if (!a->holding && !a->guest && a->watch == NULL && !a->locked)
        become_holder(a);
    if (a->on_tick)
        a->on_tick(a->arg);
}

/* ---- starting --------------------------------------------------------------------- */

static uv_async_t waker;

static void wake(void)
{
    (void)uv_async_send(&waker);
}

static void on_wake(uv_async_t *handle)
{
    (void)handle; /* app_wait() looks at prompt_signal() after each turn of the loop */
}

int app_start(struct app *a, const struct args *args)
{
    memset(a, 0, sizeof *a);
    a->args = *args;
    a->profile.lock = -1;
    if (uv_loop_init(&a->loop) || uv_async_init(&a->loop, &waker, on_wake) ||
        uv_timer_init(&a->loop, &a->tick))
        return say_fail(a, EXIT_BUG, "internal", _(W_NO_MEMORY));
    uv_unref((uv_handle_t *)&waker);
    uv_unref((uv_handle_t *)&a->tick);
    a->tick.data = a;
    prompt_catch_signals(wake);
    return 0;
}

/* ---- the key ---------------------------------------------------------------------- */

static int passphrase_from_file(struct app *a, struct buf *out)
{
    int rc = prompt_secret_file(a->args.passphrase_file, out);

    switch (rc) {
    case 0:
        return 0;
    case PROMPT_E_NONE:
        return say_fail(a, EXIT_LOCKED, "passphrase-file", _(W_PASSPHRASE_FILE_EMPTY));
    case PROMPT_E_OPEN:
        return say_fail(a, EXIT_LOCKED, "passphrase-file", _(W_PASSPHRASE_FILE_OPEN));
    case PROMPT_E_INTERRUPTED:
        return say_fail(a, EXIT_INTERRUPTED, "interrupted", _(W_INTERRUPTED));
    default:
        return say_fail(a, EXIT_LOCKED, "passphrase-file", _(W_PASSPHRASE_FILE),
                        err_text(rc));
    }
}

static int passphrase_from_person(struct app *a, const char *question, struct buf *out)
{
    int rc;

    if (a->args.no_input)
        return say_fail(a, EXIT_LOCKED, "locked", _(W_NO_INPUT_PASSPHRASE));
    rc = prompt_secret(question, out);
    if (rc == PROMPT_E_NO_TTY)
        return say_fail(a, EXIT_LOCKED, "locked", _(W_NO_TERMINAL_PASSPHRASE));
    if (rc == PROMPT_E_INTERRUPTED)
        return say_fail(a, EXIT_INTERRUPTED, "interrupted", _(W_INTERRUPTED));
    if (rc < 0)
        return say_rc(a, rc);
    a->typed = true;
    return 0;
}

static size_t count_characters(struct bytes utf8)
{
    size_t n = 0;

    for (size_t i = 0; i < utf8.n; i++)
        n += (utf8.p[i] & 0xC0) != 0x80;
    return n;
}

static int ask_twice_once(struct app *a, struct buf *out)
{
    struct buf again;
    int exit;

    buf_eat(out, out->n);
    exit = passphrase_from_person(a, _(W_ASK_NEW_PASSPHRASE), out);
    if (exit)
        return exit;
    if (count_characters(buf_view(out)) < PASSPHRASE_CHARS_MIN)
        return say_fail(a, EXIT_DATA, "passphrase-short", _(W_SHORT_PASSPHRASE));
    buf_init(&again, PROMPT_LINE_BYTES_MAX + 1);
    exit = passphrase_from_person(a, _(W_ASK_AGAIN), &again);
    if (exit == 0 && (again.n != out->n || !secret_equal(again.p, out->p, out->n)))
        exit = say_fail(a, EXIT_DATA, "passphrase-differs", _(W_PASSPHRASES_DIFFER));
    buf_free(&again);
    return exit;
}

static int ask_twice(struct app *a, struct buf *out)
{
    int exit, tries = 1;

    do
        exit = ask_twice_once(a, out);
    while (exit == EXIT_DATA && tries++ < PROMPT_TRIES);
    return exit;
}

int app_ask_passphrase(struct app *a, bool twice, struct buf *out)
{
    int exit;

    if (a->args.passphrase_file)
        exit = passphrase_from_file(a, out);
    else if (twice)
        exit = ask_twice(a, out);
    else
        exit = passphrase_from_person(a, _(W_ASK_PASSPHRASE), out);
    if (exit == 0 && twice && !a->typed &&
        count_characters(buf_view(out)) < PASSPHRASE_CHARS_MIN)
        exit = say_fail(a, EXIT_DATA, "passphrase-short", _(W_SHORT_PASSPHRASE));
    return exit;
}

int app_derive_key(struct app *a, struct bytes passphrase, const struct profile_kdf *kdf)
{
    int rc;

    a->key = a->key ? a->key : secret_alloc(PROFILE_KEY_BYTES);
    if (a->key == NULL)
        return say_rc(a, -ENOMEM);
    if (!a->args.passphrase_file)
        say_talk(a, "%s", _(W_UNLOCKING));
    rc = profile_derive(&a->loop, passphrase, kdf, a->key);
    return rc ? say_rc(a, rc) : 0;
}

int app_ask_key(struct app *a, const struct profile_kdf *kdf, bool twice)
{
    struct buf passphrase;
    int exit;

    buf_init(&passphrase, PROMPT_LINE_BYTES_MAX + 1);
    exit = app_ask_passphrase(a, twice, &passphrase);
    if (exit == 0)
        exit = app_derive_key(a, buf_view(&passphrase), kdf);
    buf_free(&passphrase);
    return exit;
}

/* ---- the profile ------------------------------------------------------------------ */

static int say_open(struct app *a, int rc)
{
    const char *name = a->profile.name;

    switch (rc) {
    case NODE_E_KEY:
        return say_fail(a, EXIT_LOCKED, "wrong-passphrase", _(W_WRONG_PASSPHRASE), name);
    case NODE_E_NEWER:
        return say_fail(a, EXIT_OTHER_SIDE, "newer-profile", _(W_PROFILE_NEWER), name);
    case NODE_E_NOT_PROFILE:
        return say_fail(a, EXIT_DISK, "damaged-profile", _(W_PROFILE_DAMAGED), name);
    default:
        return say_rc(a, rc);
    }
}

int app_open_node(struct app *a, const char *path, bool create)
{
    struct node_config c = {.path = path,
                            .create = create,
                            .holder = a->holding,
                            .clock = clock_system(),
                            .event = on_node_event,
                            .event_arg = a};
    int rc;

    if (a->key)
        memcpy(c.key, a->key, sizeof c.key);
    rc = node_open(&c, &a->node);
    secret_wipe(c.key, sizeof c.key);
    return rc ? say_open(a, rc) : 0;
}

/* Without the socket other commands ask for the passphrase, and lock does not reach us:
 * worth a line, not a failure. */
static void lend(struct app *a)
{
    int rc = holder_open(&a->loop, &a->profile, a->key, HOLDER_IDLE_MS,
                         &holder_events_of_app, a, &a->holder);

    if (rc) {
        char why[512];

        (void)snprintf(why, sizeof why, _(W_NOT_LENT), err_text(rc));
        say_talk(a, "kith: %s", why);
    }
}

static void watch_holder(struct app *a)
{
    if (watch_open(&a->loop, &a->profile, &watch_events_of_app, a, &a->watch))
        a->watch =
            NULL; /* it ended just now, or does not listen: the next tick looks again */
}

static void become_holder(struct app *a)
{
    if (a->guest || a->holding || a->node == NULL || profile_hold(&a->profile))
        return;
    if (node_hold(a->node)) {
        profile_release(&a->profile);
        return;
    }
    a->holding = true;
    lend(a);
    if (a->want_online)
        app_online(a);
}

int app_locate(struct app *a)
{
    int rc = profile_locate(a->args.profile, &a->profile);

    if (rc == PROFILE_E_NAME || rc == -ENAMETOOLONG)
        return say_fail(a, EXIT_USAGE, "profile-name", _(W_PROFILE_NAME),
                        a->args.profile ? a->args.profile : "KITH_PROFILE");
    if (rc)
        return say_fail(a, EXIT_SETUP, "no-home", _(W_PROFILE_HOME));
    return 0;
}

int app_read_kdf(struct app *a, struct profile_kdf *kdf)
{
    int rc = profile_read_kdf(&a->profile, kdf);

    switch (rc) {
    case 0:
        return 0;
    case PROFILE_E_NONE:
        return say_fail(a, EXIT_SETUP, "no-profile", _(W_PROFILE_NONE), a->profile.name);
    case PROFILE_E_KDF:
        return say_fail(a, EXIT_DISK, "damaged-profile", _(W_PROFILE_KDF),
                        a->profile.name);
    case PROFILE_E_OPEN:
        return say_fail(a, EXIT_SETUP, "open-profile", _(W_PROFILE_OPEN), a->profile.name,
                        a->profile.dir);
    default:
        return say_rc(a, rc);
    }
}

int app_get_key(struct app *a, const struct profile_kdf *kdf)
{
    a->key = secret_alloc(PROFILE_KEY_BYTES);
    if (a->key == NULL)
        return say_rc(a, -ENOMEM);
    if (holder_borrow(&a->profile, a->key) == 0)
        return 0;
    return app_ask_key(a, kdf, false);
}

static bool has_holder(struct app *a, void *arg)
{
    (void)arg;
    return a->holding || a->watch;
}

/* The lock is taken and nobody answers: most likely a holder that is just ending.  What
 * it last wrote about the relay is no longer so; whoever holds next knows. */
static int wait_for_holder(struct app *a)
{
    int exit = app_wait(a, has_holder, NULL, APP_HANDOVER_MS);

    return exit == 0 || exit == EXIT_TIMEOUT ? 0 : say_stopped(a, exit);
}

int app_open_profile(struct app *a, const struct profile_kdf *kdf, bool create)
{
    int exit = app_open_node(a, a->profile.db, create);

    for (int i = 1; exit == EXIT_LOCKED && a->typed && i < PROMPT_TRIES; i++) {
        exit = app_ask_key(a, kdf, false);
        if (exit)
            return exit;
        exit = app_open_node(a, a->profile.db, create);
    }
    return exit;
}

int app_unlock(struct app *a)
{
    struct profile_kdf kdf;
    struct status st;
    int rc, exit = app_locate(a);

    if (exit == 0)
        exit = app_read_kdf(a, &kdf);
    /* An interrupted join left no more than the file that says how the key is made. */
    if (exit == 0 && access(a->profile.db, F_OK) && errno == ENOENT)
        exit = say_fail(a, EXIT_SETUP, "joining", _(W_PROFILE_JOINING), a->profile.name);
    if (exit == 0)
        exit = app_get_key(a, &kdf);
    if (exit)
        return exit;
    rc = profile_hold(&a->profile);
    if (rc < 0)
        return say_rc(a, rc);
    a->holding = rc == 0;
    exit = app_open_profile(a, &kdf, false);
    if (exit)
        return exit;
    rc = node_status(a->node, &st);
    if (rc)
        return say_rc(a, rc);
    if (st.member != MEMBER_ENROLLED)
        return say_fail(a, EXIT_SETUP, "joining", _(W_PROFILE_JOINING), a->profile.name);
    if (a->holding)
        lend(a);
    else
        watch_holder(a);
    return wait_for_holder(a);
}

/* ---- the relay -------------------------------------------------------------------- */

void app_online(struct app *a)
{
    struct sync_config c = {.loop = &a->loop, .node = a->node};

    a->want_online = !a->args.offline;
    if (!a->want_online || !a->holding || a->sync)
        return;
    if (sync_new(&c, &a->sync)) {
        a->sync =
            NULL; /* out of memory: shown as offline, tried again by the next poke */
        return;
    }
    sync_start(a->sync);
}

void app_poke(struct app *a)
{
    if (a->args.offline)
        return;
    if (a->holding) {
        if (a->sync)
            sync_poke(a->sync);
        else if (a->want_online)
            app_online(a);
        return;
    }
    if (holder_poke(&a->profile))
        become_holder(a);
}

uint64_t app_timeout_ms(const struct app *a, uint64_t fallback_ms)
{
    return a->args.has_timeout ? a->args.timeout_s * 1000ull : fallback_ms;
}

bool app_gave_up(const struct app *a)
{
    return !a->args.has_timeout && a->sync &&
           sync_failures(a->sync) >= APP_FAILURES_ENOUGH;
}

/* ---- waiting ---------------------------------------------------------------------- */

int app_wait(struct app *a, app_done_fn *done, void *arg, uint64_t ms)
{
    uint64_t end, tick = ms > 0 ? APP_TICK_WAITING_MS : APP_TICK_MS;
    int exit = 0;

    uv_update_time(&a->loop);
    end = uv_now(&a->loop) + ms;
    /* The tick alone must keep the loop turning: it is referenced while we wait. */
    uv_ref((uv_handle_t *)&a->tick);
    (void)uv_timer_start(&a->tick, on_tick, tick, tick);
    while (exit == 0 && !done(a, arg)) {
        if (prompt_signal())
            exit = EXIT_INTERRUPTED;
        else if (a->locked)
            exit = EXIT_LOCKED;
        else if (ms > 0 && uv_now(&a->loop) >= end)
            exit = EXIT_TIMEOUT;
        else
            (void)uv_run(&a->loop, UV_RUN_ONCE);
    }
    (void)uv_timer_stop(&a->tick);
    uv_unref((uv_handle_t *)&a->tick);
    return exit;
}

static bool has_told(struct app *a, void *arg)
{
    (void)arg;
    return !node_owes(a->node, APP_OWES_MS) || sync_state(a->sync) != RELAY_CONNECTED;
}

void app_tell(struct app *a)
{
    struct status st;

    if (a->sync == NULL || sync_state(a->sync) != RELAY_CONNECTED ||
        node_status(a->node, &st) || st.held || node_hurry(a->node, APP_TELL_MS) ||
        !node_owes(a->node, APP_OWES_MS))
        return;
    say_talk(a, "%s", _(W_TELLING));
    sync_poke(a->sync);
    if (app_wait(a, has_told, NULL, APP_TELL_MOST_MS))
        log_debug("acks are told by the next command");
}

/* ---- slow words ------------------------------------------------------------------- */

struct words_work {
    uv_work_t work;
    uint8_t th_2[HASH_BYTES];
    const char **words;
    int rc;
    bool done;
};

static void words_in_pool(uv_work_t *w)
{
    struct words_work *x = w->data;

    x->rc = verify_words(x->th_2, x->words);
}

static void on_words(uv_work_t *w, int status)
{
    struct words_work *x = w->data;

    x->done = true;
    if (status)
        x->rc = status;
}

int app_words(struct app *a, int64_t conv, const char *words[VERIFY_WORDS])
{
    struct words_work x = {.words = words};
    int rc = node_verify_input(a->node, conv, x.th_2);

    if (rc)
        return rc;
    x.work.data = &x;
    rc = uv_queue_work(&a->loop, &x.work, words_in_pool, on_words);
    if (rc)
        return rc;
    while (!x.done)
        (void)uv_run(&a->loop, UV_RUN_ONCE);
    secret_wipe(x.th_2, sizeof x.th_2);
    return x.rc;
}

/* ---- the end ---------------------------------------------------------------------- */

static void close_left(uv_handle_t *h, void *arg)
{
    (void)arg;
    if (!uv_is_closing(h))
        uv_close(h, NULL);
}

int app_close(struct app *a, int exit)
{
    a->in_close = true;
    sync_free(a->sync);
    a->sync = NULL;
    watch_close(a->watch);
    a->watch = NULL;
    holder_close(a->holder);
    a->holder = NULL;
    if (a->node && a->holding)
        node_release(a->node);
    node_close(a->node);
    a->node = NULL;
    profile_release(&a->profile);
    secret_free(a->key);
    a->key = NULL;
    prompt_catch_signals(NULL);
    uv_close((uv_handle_t *)&waker, NULL);
    uv_close((uv_handle_t *)&a->tick, NULL);
    (void)uv_run(&a->loop, UV_RUN_DEFAULT);
    uv_walk(&a->loop, close_left, NULL);
    (void)uv_run(&a->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&a->loop);
    return exit;
}
