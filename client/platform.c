/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE 1 /* struct ucred */
#include "client/platform.h"

#include "lib/log.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

void platform_forbid_dumps(void)
{
    struct rlimit none = {0, 0};

    if (setrlimit(RLIMIT_CORE, &none) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
        log_warn("core dumps could not be switched off here");
}

bool platform_is_us(int fd)
{
    struct ucred peer;
    socklen_t n = sizeof peer;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 &&
           peer.uid == geteuid();
}
