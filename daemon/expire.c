/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/expire.h"

#include "daemon/store_ops.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILE_BYTES_MAX = 128,
    SAVE_EVERY_S = 60 * 60, /* a jump is a day: an hour of forgetting changes nothing */
};

/* What is remembered of the clock. */
struct past {
    uint64_t believed_s; /* where a steady wall clock would be by now */
    uint64_t seen_s;     /* where it was at the last check */
    uint64_t steady_s;   /* for how long it has run evenly since it left believed_s */
};

enum verdict { EXPIRE_GO, EXPIRE_BEHIND, EXPIRE_HOLD };

struct expire {
    uv_timer_t timer;
    struct commit *commit;
    struct store *store;
    const struct clock *clock;
    char *path; /* NULL: nothing is remembered */
    uint64_t retention_s;
    struct past past;
    uint64_t mono_s, saved_s;
    bool warned, running, closing, closed;
    struct { /* the commit thread's, while running */
        enum verdict verdict;
        uint64_t now_s, retention_s;
        bool save;
        struct past past;
        uint32_t dropped, moved;
        int save_rc;
    } job;
};

/* ---- what the clock is worth ------------------------------------------------------ */

static uint64_t distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

static enum verdict judge(struct expire *e, uint64_t wall_s, uint64_t mono_s)
{
    struct past *p = &e->past;
    uint64_t elapsed = mono_s - e->mono_s;
    bool even = distance(wall_s, p->seen_s + elapsed) <= EXPIRE_JUMP_S;

    e->mono_s = mono_s;
    p->seen_s = wall_s;
    p->believed_s += elapsed;
    p->steady_s = even ? p->steady_s + elapsed : 0;
    if (distance(wall_s, p->believed_s) > EXPIRE_JUMP_S && p->steady_s < EXPIRE_STEADY_S)
        return wall_s > p->believed_s ? EXPIRE_HOLD : EXPIRE_BEHIND;
    p->believed_s = wall_s;
    p->steady_s = 0;
    return EXPIRE_GO;
}

static void tell(struct expire *e, enum verdict v)
{
    if (v == EXPIRE_GO && e->warned)
        log_notice("expire: the clock is steady again; expiry goes on");
    else if (v == EXPIRE_HOLD && !e->warned)
        log_warn(
            "expire: the clock is more than a day ahead of where it was, or kithd was "
            "off that long; nothing is dropped until it has run steadily for 24 hours");
    else if (v == EXPIRE_BEHIND && !e->warned)
        log_warn("expire: the clock is more than a day behind where it was");
    e->warned = v != EXPIRE_GO;
}

/* ---- remembering ------------------------------------------------------------------ */

static int past_print(const struct past *p, char text[FILE_BYTES_MAX])
{
    return snprintf(text, FILE_BYTES_MAX, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
                    p->believed_s, p->seen_s, p->steady_s);
}

/* Nothing but three numbers as they are written: what reads back otherwise is damaged. */
static int past_parse(const char *text, struct past *p)
{
    char again[FILE_BYTES_MAX], *end;

    p->believed_s = strtoull(text, &end, 10);
    p->seen_s = strtoull(end, &end, 10);
    p->steady_s = strtoull(end, &end, 10);
    (void)past_print(p, again);
    return strcmp(again, text) ? -EINVAL : 0;
}

static int past_read(const char *path, struct past *p)
{
    struct buf b;
    int rc;

    buf_init(&b, FILE_BYTES_MAX);
    rc = file_read(path, FILE_BYTES_MAX - 1, false, &b);
    if (!rc) {
        buf_put(&b, "", 1);
        rc = b.rc;
    }
    if (!rc)
        rc = past_parse((const char *)b.p, p);
    buf_free(&b);
    return rc;
}

static int past_write(const char *path, const struct past *p)
{
    char text[FILE_BYTES_MAX];
    int n = snprintf(text, sizeof text, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
                     p->believed_s, p->seen_s, p->steady_s);

    return file_replace(path, (struct bytes){(const uint8_t *)text, (size_t)n}, 0600);
}

/* Without a memory the newest day tells roughly when this relay last ran. */
static int past_guess(struct expire *e, uint64_t wall_s)
{
    struct store_figures f;
    int rc = store_figures(e->store, wall_s, &f);

    if (rc)
        return err_fold(rc);
    e->past.believed_s = e->past.seen_s = wall_s;
    if (f.days && distance(f.newest_day, wall_s / STORE_DAY_S) > 1)
        e->past.believed_s = (uint64_t)f.newest_day * STORE_DAY_S + STORE_DAY_S - 1;
    return 0;
}

static int past_load(struct expire *e)
{
    uint64_t wall_s = clock_wall_s(e->clock);
    int rc = e->path ? past_read(e->path, &e->past) : -ENOENT;

    e->mono_s = clock_mono_ms(e->clock) / 1000;
    if (!rc)
        return 0;
    if (rc != -ENOENT)
        log_warn("expire: what was remembered of the clock can't be read: %s",
                 err_text(rc));
    e->past = (struct past){0};
    return past_guess(e, wall_s);
}

/* ---- a check: loop, commit thread, loop ------------------------------------------- */

static int work(struct store *s, void *job)
{
    struct expire *e = job;
    int rc = 0;

    e->job.dropped = e->job.moved = 0;
    e->job.save_rc = 0;
    if (e->job.verdict == EXPIRE_GO)
        rc = store_redate(s, e->job.now_s, &e->job.moved);
    if (!rc && e->job.verdict != EXPIRE_HOLD)
        rc = store_expire(s, e->job.now_s, e->job.retention_s, &e->job.dropped);
    if (e->job.save)
        e->job.save_rc = past_write(e->path, &e->job.past);
    return rc;
}

static void free_when_over(struct expire *e)
{
    if (e->running || !e->closed)
        return;
    mem_free(e->path);
    mem_free(e);
}

static void worked(int rc, void *job, void *arg)
{
    struct expire *e = job;

    (void)arg;
    e->running = false;
    if (e->job.moved)
        log_notice("expire: %" PRIu32
                   " days from a clock that ran ahead have today's date now",
                   e->job.moved);
    if (e->job.dropped)
        log_info("expire: %" PRIu32 " days past the retention are gone", e->job.dropped);
    if (rc)
        log_warn(
            "expire: not everything past the retention is gone: %s; tried again in 10 "
            "minutes",
            rc < 0 ? err_text(rc) : "the store can't write");
    if (e->job.save && !e->job.save_rc)
        e->saved_s = e->job.past.seen_s;
    else if (e->job.save)
        log_warn("expire: the clock can't be remembered: %s", err_text(e->job.save_rc));
    free_when_over(e);
}

void expire_now(struct expire *e)
{
    uint64_t wall_s = clock_wall_s(e->clock);
    enum verdict v;
    bool changed;
    int rc;

    if (e->running || e->closing)
        return;
    v = judge(e, wall_s, clock_mono_ms(e->clock) / 1000);
    tell(e, v);
    changed = v != e->job.verdict;
    e->job.verdict = v;
    e->job.now_s = wall_s;
    e->job.retention_s = e->retention_s;
    e->job.past = e->past;
    e->job.save = e->path && (changed || distance(wall_s, e->saved_s) >= SAVE_EVERY_S);
    rc = commit_run(e->commit, work, e, worked, NULL);
    if (rc)
        log_warn("expire: no check this time: %s", err_text(rc));
    e->running = rc == 0;
}

static void on_timer(uv_timer_t *t)
{
    expire_now(t->data);
}

/* ---- start and stop --------------------------------------------------------------- */

void expire_set_retention(struct expire *e, uint64_t retention_s)
{
    e->retention_s = retention_s;
}

bool expire_holds(const struct expire *e)
{
    return e->job.verdict == EXPIRE_HOLD;
}

static int set_path(struct expire *e, const char *dir)
{
    size_t n = strlen(dir) + sizeof "/expire-clock";

    e->path = mem_alloc(n);
    if (!e->path)
        return -ENOMEM;
    (void)snprintf(e->path, n, "%s/expire-clock", dir);
    return 0;
}

int expire_start(uv_loop_t *loop, struct store *s, struct commit *c,
                 const struct clock *clock, const char *dir, uint64_t retention_s,
                 struct expire **out)
{
    struct expire *e = mem_zalloc(sizeof *e);
    int rc = e ? 0 : -ENOMEM;

    *out = NULL;
    if (rc)
        return rc;
    e->store = s;
    e->commit = c;
    e->clock = clock;
    e->retention_s = retention_s;
    if (dir)
        rc = set_path(e, dir);
    if (!rc)
        rc = past_load(e);
    if (!rc)
        rc = uv_timer_init(loop, &e->timer);
    if (rc) {
        mem_free(e->path);
        mem_free(e);
        return rc;
    }
    e->timer.data = e;
    (void)uv_timer_start(&e->timer, on_timer, EXPIRE_EVERY_MS, EXPIRE_EVERY_MS);
    expire_now(e);
    *out = e;
    return 0;
}

static void on_closed(uv_handle_t *h)
{
    struct expire *e = h->data;

    e->closed = true;
    free_when_over(e);
}

void expire_stop(struct expire *e)
{
    if (!e || e->closing)
        return;
    e->closing = true;
    uv_close((uv_handle_t *)&e->timer, on_closed);
}
