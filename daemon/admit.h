/* SPDX-License-Identifier: Apache-2.0 */
/* admit: who may connect: a cap on all, and one on each address (IPv6: on each /64).
 * Flow     listener -> admit -> conn; conn's end -> admit
 * Owns     the counts; an address is in memory only while it is connected
 * Threads  the loop's
 * Loopback has no cap of its own: everybody who comes through Tor or a local proxy has
 * it. */
#ifndef KITH_DAEMON_ADMIT_H
#define KITH_DAEMON_ADMIT_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct admit;

enum { ADMIT_E_FULL = 1, ADMIT_E_ADDRESS };

/* One admitted connection; give it back exactly once. */
struct admit_ticket {
    uint8_t key[9]; /* family, then 4 or 8 bytes of address; family 0: not counted by
                       address */
};

MUST_USE int admit_new(struct admit **out);
void admit_free(struct admit *a); /* NULL is fine */
/* 0; ADMIT_E_FULL: `most` are connected; ADMIT_E_ADDRESS: `most_each` from there;
 * -ENOMEM. */
MUST_USE int admit_take(struct admit *a, const struct sockaddr *peer, uint32_t most,
                        uint32_t most_each, struct admit_ticket *out);
void admit_give(struct admit *a, const struct admit_ticket *t);
size_t admit_count(const struct admit *a);

#endif
