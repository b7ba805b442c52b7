/* SPDX-License-Identifier: Apache-2.0 */
/* app: what every command of kith needs: the profile opened, the relay kept in touch
 * with, the loop run until something is so, and one way to say that it did not work.
 * Flow     main -> app, cmd_* -> core/node, net/sync, holder, profile
 * Owns     the loop, the node, the sync, the key, the lock
 * Threads  the loop's */
#ifndef KITH_CLIENT_APP_H
#define KITH_CLIENT_APP_H

#include "client/args.h"
#include "client/core/node.h"
#include "client/core/verify.h"
#include "client/holder.h"
#include "client/net/sync.h"
#include "client/profile.h"

enum {
    APP_TIMEOUT_MS = 10 * 1000, /* a command waits so long for the relay, when not told */
    APP_TICK_WAITING_MS = 100,
    APP_TICK_MS = 1000,
    APP_NAME_ROOM = 3 * NAME_BYTES_MAX + 32,
    APP_FAILURES_ENOUGH = 2, /* tries of the relay before a command stops waiting */
    APP_HANDOVER_MS = 1000,  /* a holder that ends has let go within this */
    APP_TELL_MS = 3000,      /* acks that are owed leave within this before the end */
    APP_OWES_MS = 4000,      /* with accepts, which have a span of their own */
    APP_TELL_MOST_MS = 6000, /* and their answers are waited for as long as this */
};

struct app {
    struct args args;
    uv_loop_t loop;
    uv_timer_t tick;
    struct profile profile;
    uint8_t *key; /* guarded; NULL until unlocked */
    struct node *node;
    struct sync *sync;     /* while we hold and want to be online */
    struct holder *holder; /* our side of lending, while we hold a profile on disk */
    struct watch *watch;   /* the holder's word, while another holds */
    bool holding;
    bool guest;
    bool want_online;
    bool typed;  /* the passphrase came from a person */
    bool locked; /* somebody ran kith lock */
    bool in_close;
    /* A command's own ears: after sync has seen the event; and each tick. */
    node_event_fn *on_event;
    void (*on_tick)(void *arg);
    void *arg;
};

/* args are copied.  0 or an exit code (said already). */
int app_start(struct app *a, const struct args *args);

/* Open the profile: borrow the key, or ask for the passphrase; become the holder if
 * nobody is. 0 or an exit code (said already). */
int app_unlock(struct app *a);
/* Find the profile's paths; nothing is opened.  0 or an exit code (said already). */
int app_locate(struct app *a);
/* Open a database (a->profile.db, or ":memory:") with a->key; create as in node_config.
 * 0 or an exit code (said already). */
int app_open_node(struct app *a, const char *path, bool create);
/* Read how the key of the located profile is made.  0 or an exit code (said already). */
int app_read_kdf(struct app *a, struct profile_kdf *kdf);
/* Open the profile's database; a passphrase that a person mistyped is asked for again.
 * 0 or an exit code (said already). */
int app_open_profile(struct app *a, const struct profile_kdf *kdf, bool create);
/* a->key from the holder, or from the passphrase.  0 or an exit code (said already). */
int app_get_key(struct app *a, const struct profile_kdf *kdf);
/* Ask for (or read) a passphrase and make a->key of it.  twice: a new one.  0 or an exit
 * code. */
int app_ask_key(struct app *a, const struct profile_kdf *kdf, bool twice);
/* The passphrase itself, for a profile that does not exist yet. */
int app_ask_passphrase(struct app *a, bool twice, struct buf *out);
int app_derive_key(struct app *a, struct bytes passphrase, const struct profile_kdf *kdf);

/* Stay in touch with the relay from now on, unless --offline. */
void app_online(struct app *a);
/* Something was written or changed: whoever holds looks at once. */
void app_poke(struct app *a);

/* Run the loop until done() is true: 0.  EXIT_TIMEOUT after ms (0: never),
 * EXIT_INTERRUPTED, EXIT_LOCKED (somebody ran kith lock). */
typedef bool app_done_fn(struct app *a, void *arg);
int app_wait(struct app *a, app_done_fn *done, void *arg, uint64_t ms);
/* --timeout, or fallback_ms. */
uint64_t app_timeout_ms(const struct app *a, uint64_t fallback_ms);
/* True when waiting longer is of no use: two tries failed and the person named no time.
 */
bool app_gave_up(const struct app *a);

/* Before a command that was online ends: what is owed to other devices goes out, after a
 * short random span (SPEC 8.5). */
void app_tell(struct app *a);

/* The six words of a conversation, made in the thread pool; runs the loop meanwhile, so
 * not from inside its callbacks.  0, NODE_E_NONE (not yet) or -errno. */
int app_words(struct app *a, int64_t conv, const char *words[VERIFY_WORDS]);

/* Everything closed and wiped; returns exit. */
int app_close(struct app *a, int exit);

#endif
