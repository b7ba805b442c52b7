/* SPDX-License-Identifier: Apache-2.0 */
/* holder: several kith of one person on one profile.
 * Flow     app -> holder -> (Unix socket) -> holder -> app
 * Owns     the socket, its clients, a copy of the profile's key
 * Threads  the loop's; the three calls of the other side block, 2 s at most
 *
 * The holder (who has the profile's lock) listens on XDG_RUNTIME_DIR/kith/ID.sock, or
 * where that is unset or too long on /tmp/kith-UID/ID.sock; ID comes from the folder's
 * path.  Folder 0700, both ends check that the other one's uid is their own.  One byte
 * asks, one byte answers:
 *
 *   'k' lend the key      -> 'k' and 32 bytes, or 'n': not any more, ask for the
 * passphrase 'p' something changed -> 'p' 'w' tell me           -> nothing, until 'l':
 * locked, forget everything; or the end 'l' lock              -> 'l', to all that wait,
 * and the holder ends
 *
 * The key is lent until lock, HOLDER_IDLE_MS without a touch, or the holder's end. */
#ifndef KITH_CLIENT_HOLDER_H
#define KITH_CLIENT_HOLDER_H

#include "client/profile.h"

enum {
    HOLDER_IDLE_MS = 15 * 60 * 1000,
    HOLDER_CLIENTS_MAX = 32, /* one person's windows and scripts */
    HOLDER_SILENT_MS = 5000, /* a client that connects asks within this */
    HOLDER_ANSWER_MS = 2000,
};
enum {
    HOLDER_E_NONE = 1, /* nobody holds this profile */
    HOLDER_E_ASK,      /* somebody does, and no longer lends the key */
};

/* ---- the holder's side ------------------------------------------------------------ */

struct holder;
struct holder_events {
    void (*poked)(void *arg);
    void (*locked)(void *arg); /* the key is wiped already; end */
};
/* p is held by us.  key: copied into guarded memory, and lent until idle_ms have passed
 * without a loan or a holder_touch() (HOLDER_IDLE_MS).  0 or -errno. */
MUST_USE int holder_open(uv_loop_t *loop, const struct profile *p, const uint8_t *key,
                         uint32_t idle_ms, const struct holder_events *events, void *arg,
                         struct holder **out);
void holder_touch(struct holder *h); /* the person did something; NULL is fine */
bool holder_lends(const struct holder *h);
void holder_close(struct holder *h); /* NULL is fine; run the loop to its end */

/* ---- everybody else's ------------------------------------------------------------- */

/* 0, HOLDER_E_NONE, HOLDER_E_ASK. */
MUST_USE int holder_borrow(const struct profile *p, uint8_t key[PROFILE_KEY_BYTES]);
MUST_USE int holder_poke(const struct profile *p); /* 0 or HOLDER_E_NONE */
MUST_USE int holder_lock(const struct profile *p); /* 0 or HOLDER_E_NONE */

/* Wait for the holder's word.  locked: it said lock; gone: it ended.  0 or HOLDER_E_NONE.
 */
struct watch;
struct watch_events {
    void (*locked)(void *arg);
    void (*gone)(void *arg); /* the last event */
};
MUST_USE int watch_open(uv_loop_t *loop, const struct profile *p,
                        const struct watch_events *events, void *arg, struct watch **out);
void watch_close(struct watch *w); /* NULL is fine */

/* Where the socket is; out has room for a Unix socket's path.  make: create the folder.
 * 0 or -errno. */
enum { HOLDER_PATH_MAX = 108 };
MUST_USE int holder_path(const struct profile *p, bool make, char out[HOLDER_PATH_MAX]);

#endif
