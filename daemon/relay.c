/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/relay.h"

#include "daemon/conn.h"
#include "daemon/conns.h"
#include "daemon/control.h"
#include "daemon/expire.h"
#include "daemon/fanout.h"
#include "daemon/handshake.h"
#include "daemon/harden.h"
#include "daemon/listener.h"
#include "daemon/notify.h"
#include "daemon/session.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/seam.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SECONDS_A_DAY = 24 * 60 * 60,
    EXIT_DISK = 74,     /* EX_IOERR */
    LAST_WAIT_MS = 800, /* for a disk that does not answer, after stop_ms */
};

static void advance(struct relay *r);

__attribute__((format(printf, 2, 3))) static void say(char why[RELAY_WHY_BYTES],
                                                      const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(why, RELAY_WHY_BYTES, fmt, ap);
    va_end(ap);
}

struct relay_limits relay_limits_default(void)
{
    return (struct relay_limits){
        .handshake_ms = HANDSHAKE_MS,
        .record_ms = RECORD_MS,
        .silence_ms = SILENCE_MS,
        .keepalive_ms = KEEPALIVE_MS,
        .linger_ms = 1000,
        .stop_ms = 4000,
        .tick_ms = 1000,
    };
}

/* ---- what the parts call ---------------------------------------------------------- */

static void on_grown(uint32_t bucket, void *arg)
{
    struct relay *r = arg;

    fanout_grown(r->fanout, bucket);
}

static void on_wake(void *session)
{
    conn_wake(((struct session *)session)->conn);
}

static void on_handshaken(uint64_t conn, int rc, const struct channel *channel,
                          const uint8_t msg2[CHANNEL_MSG2_BYTES], void *arg)
{
    struct relay *r = arg;

    conn_handshaken(conn, rc, channel, msg2, r);
    advance(r);
}

void relay_note_empty(struct relay *r)
{
    if (r->state == RELAY_DRAINING)
        log_notice("drained: the last connection is gone");
    if (r->state != RELAY_RUNNING && r->control != NULL)
        control_drained(r->control);
    advance(r);
}

void relay_note_store(struct relay *r, int rc)
{
    if (rc == STORE_E_BROKEN && !r->broken) {
        r->broken = true;
        log_error(
            "writing to the disk failed: nothing is acknowledged any more; what was "
            "acknowledged is kept and can be read. Look at the disk, then restart kithd");
        notify_status("the disk failed: nothing is acknowledged");
    } else if (rc == STORE_E_FULL && !r->full) {
        r->full = true;
        log_error("the disk is full: posts are refused, reading goes on. Make room");
        notify_status("the disk is full: posts are refused");
    } else if (rc == 0 && r->full) {
        r->full = false;
        log_notice("there is room again: posts are accepted");
        notify_status("running");
    } else if (rc < 0 && rc != -ESHUTDOWN) {
        log_error("a write was not kept: %s", err_text(rc));
    }
}

/* ---- start ------------------------------------------------------------------------ */

static int take_lock(struct relay *r, char why[RELAY_WHY_BYTES])
{
    char path[CONFIG_PATH_BYTES + 16], pid[32];
    struct stat st;
    int n, rc;

    (void)snprintf(path, sizeof path, "%s/kithd.pid", r->dir);
    rc = seam_check(SEAM_OPEN);
    if (rc)
        return rc;
    r->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (r->lock < 0 && errno == ENOENT) {
        say(why, "There is no relay in %s yet. Run: kithctl up", r->dir);
        return RELAY_E_CONFIG;
    }
    if (r->lock < 0)
        return -errno;
    if (flock(r->lock, LOCK_EX | LOCK_NB)) {
        say(why, "Another kithd is running in %s. It was left alone.", r->dir);
        return errno == EWOULDBLOCK ? RELAY_E_CONFIG : -errno;
    }
    n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(r->lock, 0) || write(r->lock, pid, (size_t)n) != n)
        return -errno;
    /* The user we become owns the folder, and must be able to lock it by itself next
     * time. */
    if (geteuid() == 0 && stat(r->dir, &st) == 0 && fchown(r->lock, st.st_uid, st.st_gid))
        return -errno;
    return 0;
}

static int load_keys(struct relay *r, char why[RELAY_WHY_BYTES])
{
    char cause[KEYS_WHY_BYTES];
    int rc = keys_load(r->dir, &r->keys, cause);

    if (rc == 0)
        return 0;
    say(why, "%s%s", cause, rc == KEYS_E_ABSENT ? " Run: kithctl up" : "");
    return rc > 0 ? RELAY_E_CONFIG : rc;
}

static void warn_if(bool differs, const char *key)
{
    if (differs)
        log_warn("%s is not what the signed descriptor says: the descriptor holds", key);
}

/* What members were told, signed, holds; a configuration that says otherwise is pointed
 * out. */
static void compare_descriptor(const struct relay *r)
{
    const struct descriptor *d = &r->keys->newest;
    const struct config *c = &r->config;

    warn_if(strcmp(d->name, c->name) != 0, "relay.name");
    warn_if(d->retention_days != c->retention_days, "board.retention");
    warn_if(d->mail_buckets != c->mail_buckets, "board.mail_buckets");
    warn_if(d->members != c->members, "board.members");
    if (clock_wall_s(r->clock) / SECONDS_A_DAY > d->expires_day)
        log_warn(
            "the cohort's descriptor has expired (or the clock here is wrong): clients "
            "will refuse it");
}

static void say_board(const struct relay *r, int rc, char why[RELAY_WHY_BYTES])
{
    const char *what;

    switch (rc) {
    case STORE_E_CORRUPT:
        what = "is damaged: what is there can't be what was written. Bring back a copy, "
               "or make a new relay";
        break;
    case STORE_E_FULL:
        what = "can't be opened: the disk is full. Make room, then start again";
        break;
    case STORE_E_BROKEN:
        what = "can't be written: the disk failed. Look at the disk, then start again";
        break;
    case -EXDEV:
        what =
            "belongs to another cohort than the keys beside it. Bring the right one back";
        break;
    case -ENOTSUP:
        what = "was written by a newer kithd. Start that one";
        break;
    default:
        say(why, "The board in %s can't be opened: %s.", r->dir, err_text(rc));
        return;
    }
    say(why, "The board in %s %s. Nothing was changed.", r->dir, what);
}

static int open_board(struct relay *r, bool in_memory, char why[RELAY_WHY_BYTES])
{
    int rc;

    r->buckets = r->keys->newest.mail_buckets + BUCKET_MAIL;
    rc = in_memory ? store_open_mem(r->keys->cohort, r->buckets, &r->store)
                   : store_open_lmdb(r->dir, r->keys->cohort, r->buckets,
                                     r->config.map_bytes, &r->store);
    if (rc)
        say_board(r, rc, why);
    return rc > 0 ? -EIO : rc;
}

static int start_board(struct relay *r, bool in_memory)
{
    uint64_t retention_s = (uint64_t)r->keys->newest.retention_days * SECONDS_A_DAY;
    int rc = commit_start(r->loop, r->store, r->clock, on_grown, r, &r->commit);

    if (rc == 0)
        rc = members_open(r->store, r->commit, r->clock, r->keys->cohort, &r->members);
    if (rc == 0)
        rc = expire_start(r->loop, r->store, r->commit, r->clock,
                          in_memory ? NULL : r->dir, retention_s, &r->expire);
    if (rc == 0)
        rc = fanout_new(r->store, r->buckets, on_wake, &r->fanout);
    if (rc == 0)
        rc = handshakes_new(r->loop, r->keys, on_handshaken, r, &r->handshakes);
    if (rc == 0)
        rc = conns_new(r, &r->conns);
    return err_fold(rc);
}

static int start_control(struct relay *r, char why[RELAY_WHY_BYTES])
{
    int rc = control_start(r, &r->control);

    if (rc == -ENAMETOOLONG)
        say(why,
            "The path of the relay's folder is too long for a socket in it (about 90 "
            "characters are possible). Choose another with --dir.");
    return rc;
}

static void fit_descriptors(struct relay *r)
{
    uint32_t room = harden_descriptors(r->config.connections);

    if (room >= r->config.connections)
        return;
    log_warn(
        "this machine allows the relay only %u open files: connections are limited to %u",
        (unsigned)room, (unsigned)room);
    r->config.connections = room;
}

static int start_parts(struct relay *r, const struct relay_options *o,
                       char why[RELAY_WHY_BYTES])
{
    char cause[HARDEN_WHY_BYTES] = "";
    int rc = take_lock(r, why);

    /* Bind as whoever we are, then drop, then touch the folder. */
    if (rc == 0)
        rc = listener_start(r, o->fds, o->fds_n, &r->listener, why);
    if (rc)
        return rc;
    rc = harden_drop(r->config.user, r->dir, cause);
    if (rc == HARDEN_E_USER) {
        say(why, "%s", cause);
        return RELAY_E_CONFIG;
    }
    if (rc == 0)
        rc = load_keys(r, why);
    if (rc == 0)
        rc = open_board(r, o->in_memory, why);
    if (rc == 0)
        rc = start_board(r, o->in_memory);
    if (rc == 0)
        rc = start_control(r, why);
    return rc;
}

static struct relay *relay_new(uv_loop_t *loop, const struct relay_options *o)
{
    struct relay *r = mem_zalloc(sizeof *r);

    if (r == NULL)
        return NULL;
    r->loop = loop;
    r->clock = o->clock;
    r->limits = o->limits;
    r->config = o->config;
    (void)snprintf(r->dir, sizeof r->dir, "%s", o->dir);
    (void)snprintf(r->config_file, sizeof r->config_file, "%s", o->config_file);
    r->lock = -1;
    r->started_ms = clock_mono_ms(o->clock);
    (void)uv_timer_init(loop, &r->stop_timer);
    r->stop_timer.data = r;
    return r;
}

static void on_undone(int code, void *arg)
{
    bool *undone = arg;

    (void)code;
    *undone = true;
}

static void undo(struct relay *r)
{
    uv_loop_t *loop = r->loop;
    bool undone = false;

    r->stopped = on_undone;
    /* cppcheck-suppress autoVariables ; r is gone before this function returns */
    r->stopped_arg = &undone;
    relay_stop(r);
    while (!undone)
        (void)uv_run(loop, UV_RUN_ONCE);
}

int relay_start(uv_loop_t *loop, const struct relay_options *o, struct relay **out,
                char why[RELAY_WHY_BYTES])
{
    struct relay *r = relay_new(loop, o);
    int rc;

    say(why, "The relay can't start: %s.", err_text(-ENOMEM));
    if (r == NULL)
        return -ENOMEM;
    why[0] = '\0';
    rc = start_parts(r, o, why);
    if (rc) {
        if (why[0] == '\0')
            say(why, "The relay can't start: %s.", err_text(rc));
        undo(r);
        return rc;
    }
    r->stopped = o->stopped;
    r->stopped_arg = o->stopped_arg;
    fit_descriptors(r);
    compare_descriptor(r);
    log_notice("started: version %s, %u mail bucket(s), retention %u days", KITH_VERSION,
               (unsigned)r->keys->newest.mail_buckets,
               (unsigned)r->keys->newest.retention_days);
    *out = r;
    return 0;
}

/* ---- reload ----------------------------------------------------------------------- */

struct change {
    struct relay *relay;
    relay_reloaded *visit;
    void *arg;
    unsigned now, later;
};

static void on_differs(const char *key, enum config_applies how, void *arg)
{
    struct change *c = arg;
    const char *fmt = how == CONFIG_LIVE ? "%s is in force now"
                      : how == CONFIG_RESTART
                          ? "%s takes effect after a restart"
                          : "%s is signed in the cohort's descriptor, which "
                            "holds until there is a new one";
    char text[160];

    (void)snprintf(text, sizeof text, fmt, key);
    if (how == CONFIG_LIVE)
        c->now++;
    else
        c->later++;
    if (c->visit != NULL)
        c->visit(text, how == CONFIG_LIVE, c->arg);
}

static void apply(struct relay *r, const struct config *now)
{
    struct config *c = &r->config;

    c->log = now->log;
    c->connections = now->connections;
    c->connections_per_address = now->connections_per_address;
    memcpy(c->address, now->address, sizeof c->address);
    log_set_level(c->log);
    fit_descriptors(r);
}

int relay_reload(struct relay *r, struct config_problems *problems, relay_reloaded *visit,
                 void *arg)
{
    struct change change = {r, visit, arg, 0, 0};
    struct config *now = mem_alloc(sizeof *now);
    int rc = now == NULL ? -ENOMEM : config_load(r->config_file, now, problems);

    if (rc == 0) {
        config_diff(&r->config, now, on_differs, &change);
        apply(r, now);
        log_notice("reloaded: %u setting(s) changed, %u need more than a reload",
                   change.now, change.later);
    } else {
        for (size_t i = 0; i < problems->count; i++)
            log_error("%s", problems->line[i]);
        log_error("the configuration %s: the old one stays in force",
                  rc == CONFIG_E_ABSENT ? "file is gone"
                  : rc == CONFIG_E_BAD  ? "has problems"
                                        : err_text(rc));
    }
    mem_free(now);
    return rc;
}

/* ---- drain, stop ------------------------------------------------------------------ */

static void on_listener_closed(void *arg)
{
    struct relay *r = arg;

    r->listener_closed = true;
    listener_free(r->listener);
    r->listener = NULL;
    advance(r);
}

static void close_listener(struct relay *r)
{
    struct listener *l = r->listener;

    if (l != NULL && r->state == RELAY_RUNNING)
        listener_stop(l, on_listener_closed, r);
    else if (l == NULL && r->state == RELAY_RUNNING)
        r->listener_closed = true;
}

void relay_drain(struct relay *r)
{
    if (r->state == RELAY_RUNNING) {
        close_listener(r);
        r->state = RELAY_DRAINING;
        log_notice("draining: no new connections");
        notify_status("draining");
    }
    if (r->state == RELAY_DRAINING && conns_gone(r->conns))
        control_drained(r->control);
}

static void on_commit_stopped(void *arg)
{
    struct relay *r = arg;

    r->commit_stopped = true;
    advance(r);
}

static void on_late(uv_timer_t *timer)
{
    struct relay *r = timer->data;

    if (r->conns != NULL)
        conns_close_all(r->conns, "the relay stops");
    if (r->commit_stopped)
        return;
    if (uv_timer_get_repeat(timer) == 0) {
        uv_timer_set_repeat(timer, LAST_WAIT_MS);
        (void)uv_timer_again(timer);
        return;
    }
    /* What was acknowledged is on the disk; what was not, nobody relies on.  Nothing is
     * freed: the thread that waits for the disk still uses it. */
    log_error("the disk does not answer: leaving without it");
    (void)uv_timer_stop(timer);
    r->stopped(EXIT_DISK, r->stopped_arg);
}

void relay_stop(struct relay *r)
{
    if (r->state == RELAY_STOPPING)
        return;
    close_listener(r);
    r->state = RELAY_STOPPING;
    (void)uv_timer_start(&r->stop_timer, on_late, r->limits.stop_ms, 0);
    expire_stop(r->expire);
    r->expire = NULL;
    if (r->conns != NULL)
        conns_finish_all(r->conns, "the relay stops");
    if (r->commit != NULL)
        commit_stop(r->commit, on_commit_stopped, r);
    else
        r->commit_stopped = true;
    advance(r);
}

static void free_all(struct relay *r)
{
    int code = r->broken ? EXIT_DISK : 0;
    void (*stopped)(int, void *) = r->stopped;
    void *arg = r->stopped_arg;

    control_free(r->control);
    conns_free(r->conns);
    handshakes_free(r->handshakes);
    fanout_free(r->fanout);
    members_free(r->members);
    commit_free(r->commit);
    store_close(r->store);
    keys_free(r->keys);
    if (r->lock >= 0)
        (void)close(r->lock);
    mem_free(r);
    stopped(code, arg);
}

static void on_part_closed(struct relay *r)
{
    if (--r->closing == 0)
        free_all(r);
}

static void on_conns_handle_closed(uv_handle_t *h)
{
    on_part_closed(((struct conns *)h->data)->relay);
}

static void on_timer_closed(uv_handle_t *h)
{
    on_part_closed(h->data);
}

static void on_control_closed(void *arg)
{
    on_part_closed(arg);
}

/* The next step of stopping, when all that it waits for is done. */
static void advance(struct relay *r)
{
    if (r->state != RELAY_STOPPING || r->closing > 0)
        return;
    if (!r->listener_closed || !r->commit_stopped)
        return;
    if (r->conns != NULL && !conns_gone(r->conns))
        return;
    if (r->handshakes != NULL && !handshakes_idle(r->handshakes))
        return;
    r->closing = 2;
    if (r->conns != NULL)
        r->closing += conns_stop(r->conns, on_conns_handle_closed);
    uv_close((uv_handle_t *)&r->stop_timer, on_timer_closed);
    control_stop(r->control, on_control_closed, r);
}
