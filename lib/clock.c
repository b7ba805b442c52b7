/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/clock.h"

#include <stddef.h>
#include <time.h>

static uint64_t read_ms(clockid_t id)
{
    struct timespec now;

    if (clock_gettime(id, &now) || now.tv_sec < 0) /* a wall clock before 1970 */
        return 0;
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t wall_ms(void *arg)
{
    (void)arg;
    return read_ms(CLOCK_REALTIME);
}

static uint64_t mono_ms(void *arg)
{
    (void)arg;
    return read_ms(CLOCK_MONOTONIC);
}

const struct clock *clock_system(void)
{
    static const struct clock system = {wall_ms, mono_ms, NULL};

    return &system;
}
