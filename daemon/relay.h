/* SPDX-License-Identifier: Apache-2.0 */
/* relay: the parts of one running relay, and their start, reload and stop.
 * Flow     main -> relay -> listener, conns, handshakes, fanout, control, commit, expire
 * Owns     every part below, in the order of the struct; the folder's lock
 * Threads  the loop's; commit and handshakes work elsewhere and come back to the loop
 *
 *   relay_start -> RUNNING -> relay_drain -> DRAINING
 *                     |                         |
 *                     +------- relay_stop ------+-> STOPPING -> stopped(exit code)
 */
#ifndef KITH_DAEMON_RELAY_H
#define KITH_DAEMON_RELAY_H

#include "daemon/commit.h"
#include "daemon/config.h"
#include "daemon/keys.h"
#include "daemon/members.h"
#include "daemon/store.h"
#include "lib/clock.h"

#include <uv.h>

enum relay_state { RELAY_RUNNING, RELAY_DRAINING, RELAY_STOPPING };

/* Deadlines; relay_limits_default() has those of SPEC 2.6 and limits.h.  Tests shorten
 * them. */
struct relay_limits {
    uint64_t handshake_ms; /* from accept to an open channel */
    uint64_t record_ms;    /* from a record's first byte to its last */
    uint64_t silence_ms;   /* nothing came; or a write was not taken */
    uint64_t keepalive_ms; /* nothing sent */
    uint64_t linger_ms;    /* from our FIN to the peer's */
    uint64_t stop_ms;      /* relay_stop: then whoever is left is closed */
    uint64_t tick_ms;      /* how often deadlines are looked at */
};
struct relay_limits relay_limits_default(void);

struct relay_options {
    const char *dir;         /* the relay's folder */
    const char *config_file; /* read again by relay_reload */
    struct config config;    /* as read before */
    const struct clock *clock;
    struct relay_limits limits;
    bool in_memory; /* keep the board in memory (tests) */
    const int
        *fds; /* listening sockets from the service manager, instead of relay.listen */
    size_t fds_n;
    /* Runs once, last, when everything is closed.  code: exit status (0, 74, 70). */
    void (*stopped)(int code, void *arg);
    void *stopped_arg;
};

struct relay {
    uv_loop_t *loop;
    const struct clock *clock;
    struct relay_limits limits;
    struct config config;
    char dir[CONFIG_PATH_BYTES], config_file[CONFIG_PATH_BYTES];
    int lock; /* descriptor of DIR/kithd.pid */
    uint64_t started_ms;
    enum relay_state state;
    bool broken; /* a sync failed: nothing is acknowledged any more */
    bool full;   /* the last post found no room */
    uint32_t buckets;

    struct keys *keys;
    struct store *store;
    struct commit *commit;
    struct members *members;
    struct expire *expire;
    struct fanout *fanout;
    struct handshakes *handshakes;
    struct conns *conns;
    struct listener *listener;
    struct control *control;

    uv_timer_t stop_timer;
    bool commit_stopped, control_closed, listener_closed;
    int closing; /* handles of our own still to be closed */
    void (*stopped)(int code, void *arg);
    void *stopped_arg;
};

/* Start everything.  why: a sentence for a person.  On failure everything is taken down
 * again before it returns. 0, RELAY_E_CONFIG (exit 78: why says what to run or mend), or
 * -errno (exit 74 or 69). */
enum { RELAY_E_CONFIG = 1, RELAY_WHY_BYTES = 1024 };
MUST_USE int relay_start(uv_loop_t *loop, const struct relay_options *o,
                         struct relay **out, char why[RELAY_WHY_BYTES]);

/* Accept no more connections; control is told when the last one is gone. */
void relay_drain(struct relay *r);
/* No more connections, no more reading; what was read is committed and answered; then all
 * is closed and freed (r too), and `stopped` runs.  Any number of times. */
void relay_stop(struct relay *r);

/* Read the configuration again.  CONFIG_E_BAD or CONFIG_E_ABSENT: the old one stays. Each
 * visit: a sentence, and whether it is in force now (else: after a restart).  Logs the
 * verdict. */
typedef void relay_reloaded(const char *text, bool now, void *arg);
int relay_reload(struct relay *r, struct config_problems *problems, relay_reloaded *visit,
                 void *arg);

/* A write of the store ended this way: remembers broken and full, logs the change. */
void relay_note_store(struct relay *r, int rc);
/* conns: the last connection is gone. */
void relay_note_empty(struct relay *r);

#endif
