/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/notify.h"

#include <inttypes.h>
#include <systemd/sd-daemon.h>
#include <time.h>

size_t notify_sockets(int fds[NOTIFY_FDS_MAX])
{
    int n = sd_listen_fds(1);
    size_t used = 0;

    for (int i = 0; i < n && used < NOTIFY_FDS_MAX; i++)
        if (sd_is_socket(SD_LISTEN_FDS_START + i, AF_UNSPEC, SOCK_STREAM, 1) > 0)
            fds[used++] = SD_LISTEN_FDS_START + i;
    return used;
}

void notify_ready(const char *status)
{
    (void)sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void notify_reloading(void)
{
    struct timespec t;

    /* The manager wants the moment beside it. */
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
                     (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000);
}

void notify_stopping(void)
{
    (void)sd_notify(0, "STOPPING=1\nSTATUS=stopping");
}

void notify_status(const char *status)
{
    (void)sd_notifyf(0, "STATUS=%s", status);
}

static void on_watchdog(uv_timer_t *timer)
{
    (void)timer;
    (void)sd_notify(0, "WATCHDOG=1");
}

void notify_watchdog_start(struct notify_watchdog *w, uv_loop_t *loop)
{
    uint64_t every_us = 0;

    w->active = sd_watchdog_enabled(0, &every_us) > 0 && every_us >= 4000;
    if (!w->active)
        return;
    (void)uv_timer_init(loop, &w->timer);
    (void)uv_timer_start(&w->timer, on_watchdog, 0, every_us / 2000);
    uv_unref((uv_handle_t *)&w->timer);
}

void notify_watchdog_stop(struct notify_watchdog *w)
{
    if (w->active)
        uv_close((uv_handle_t *)&w->timer, NULL);
    w->active = false;
}
