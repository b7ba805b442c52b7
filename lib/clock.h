/* SPDX-License-Identifier: Apache-2.0 */
/* clock: time comes in as an argument of this type; tests pass a virtual one.
 * lib/, proto/ and client/core/ never ask the system for the time; only the programs' own
 * files call clock_system(). */
#ifndef KITH_LIB_CLOCK_H
#define KITH_LIB_CLOCK_H

#include <stdint.h>

struct clock {
    uint64_t (*wall_ms)(void *arg); /* unix time, milliseconds; may jump */
    uint64_t (*mono_ms)(void *arg); /* never goes back; any origin */
    void *arg;
};

/* The machine's own clock.  Static storage. */
const struct clock *clock_system(void);

static inline uint64_t clock_wall_ms(const struct clock *c)
{
    return c->wall_ms(c->arg);
}
static inline uint64_t clock_wall_s(const struct clock *c)
{
    return c->wall_ms(c->arg) / 1000;
}
static inline uint64_t clock_mono_ms(const struct clock *c)
{
    return c->mono_ms(c->arg);
}

#endif
