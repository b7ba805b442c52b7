/* SPDX-License-Identifier: Apache-2.0 */
/* platform: the calls of the client that only Linux has, in one place.
 * Flow     main, holder -> platform.
 * Owns     nothing.
 * Threads  any */
#ifndef KITH_CLIENT_PLATFORM_H
#define KITH_CLIENT_PLATFORM_H

#include <stdbool.h>

/* No dumps of this process's memory, from here on (RLIMIT_CORE, and the kernel's own
 * mark). */
void platform_forbid_dumps(void);
/* True if the process at the other end of this connected Unix socket runs as our user. */
bool platform_is_us(int fd);

#endif
