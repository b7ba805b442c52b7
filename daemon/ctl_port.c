/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl_port.h"

#include "lib/file.h"
#include "lib/secret.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PORT_CHARS = 8 };

static int port_open(const struct address *a, uint32_t timeout_s, int *out)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct timeval wait = {.tv_sec = (time_t)timeout_s};
    struct addrinfo *found = NULL;
    const char *host = a->host;
    char port[PORT_CHARS];
    int fd;
    int rc = 0;

    if (strcmp(host, "0.0.0.0") == 0)
        host = "127.0.0.1";
    else if (strcmp(host, "::") == 0)
        host = "::1";
    (void)snprintf(port, sizeof port, "%u", a->port);
    if (getaddrinfo(host, port, &hints, &found) || found == NULL)
        return CTL_PORT_E_DEAF;
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        rc = -errno;
    else if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) ||
             setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) ||
             connect(fd, found->ai_addr, found->ai_addrlen))
        rc = CTL_PORT_E_DEAF;
    freeaddrinfo(found);
    if (rc && fd >= 0)
        (void)close(fd);
    else
        *out = fd;
    return rc;
}

static int port_ask(int fd, const uint8_t pk[KEM_PK_BYTES],
                    const uint8_t cohort[CHANNEL_COHORT_BYTES])
{
    uint8_t question[1 + CHANNEL_FINGERPRINT_BYTES] = {CHANNEL_PREAMBLE_ASK};
    uint8_t answer[CHANNEL_ASK_ANSWER_BYTES];
    size_t have = 0;
    int rc;

    channel_fingerprint(pk, cohort, question + 1);
    rc = file_write_all(fd, question, sizeof question);
    if (rc)
        return CTL_PORT_E_FOREIGN;
    while (have < sizeof answer) {
        ssize_t n = read(fd, answer + have, sizeof answer - have);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return CTL_PORT_E_DEAF;
        if (n <= 0)
            return CTL_PORT_E_FOREIGN; /* a relay of another key closes without a word */
        have += (size_t)n;
    }
    if (!secret_equal(answer, pk, KEM_PK_BYTES) ||
        !secret_equal(answer + KEM_PK_BYTES, cohort, CHANNEL_COHORT_BYTES))
        return CTL_PORT_E_FOREIGN;
    return 0;
}

int ctl_port_check(const struct address *a, const uint8_t pk[KEM_PK_BYTES],
                   const uint8_t cohort[CHANNEL_COHORT_BYTES], uint32_t timeout_s)
{
    int fd = -1;
    int rc = port_open(a, timeout_s, &fd);

    if (rc)
        return rc;
    rc = port_ask(fd, pk, cohort);
    (void)close(fd);
    return rc;
}
