/* SPDX-License-Identifier: Apache-2.0 */
/* relay_host: a whole relay in this process, on a thread of its own, for tests.
 * Everything here ends the test when it cannot do its work. */
#ifndef KITH_TESTS_RELAY_HOST_H
#define KITH_TESTS_RELAY_HOST_H

#include "daemon/relay.h"
#include "tests/support/wire_client.h"

#include <uv.h>

struct relay_host {
    struct relay_limits limits; /* set between prepare and start */
    struct config config;
    bool in_memory;

    char dir[64];
    uint16_t port;
    uint8_t pk[KEM_PK_BYTES], cohort[HASH_BYTES];
    uint8_t fingerprint[CHANNEL_FINGERPRINT_BYTES];

    uv_thread_t thread;
    uv_sem_t ready;
    uv_loop_t loop;
    uv_async_t wish;
    struct relay *relay;
    int listening, code;
    bool running;
};

/* A fresh folder with keys and kithd.conf; limits and settings as usual. */
void relay_host_prepare(struct relay_host *h);
void relay_host_start(struct relay_host *h);
/* Stop as SIGTERM would; returns the exit code. */
int relay_host_stop(struct relay_host *h);
/* Take the folder away. */
void relay_host_drop(struct relay_host *h);

/* A new member: invited, enrolled on a connection of its own. */
void relay_host_member(struct relay_host *h, uint8_t sk[SIGN_SK_BYTES]);
/* A connection with its handshake done and hello said. */
void relay_host_greet(struct relay_host *h, struct wire *w);
/* A connection of this member, proven. */
void relay_host_enter(struct relay_host *h, struct wire *w,
                      const uint8_t sk[SIGN_SK_BYTES]);

#endif
