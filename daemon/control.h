/* SPDX-License-Identifier: Apache-2.0 */
/* control: the relay's local socket, server side; kithctl is the other end.
 * Flow     kithctl -> control.sock -> control -> relay, members, store; and back
 * Owns     the socket, at most CONTROL_CLIENTS_MAX connections to it, their buffers
 * Threads  the loop's
 *
 * THE PROTOCOL.  A Unix stream socket, DIR/control.sock, mode 0600.  The peer's uid must
 * be root's or the daemon's own (SO_PEERCRED); others are closed without a word.  Both
 * ways a message is  le32 length | one MessagePack value  of 1 to CONTROL_MESSAGE_MAX
 * bytes.  A connection carries one request at a time, any number one after another; a
 * request that is malformed, or too long, closes the connection.  Values are read
 * strictly (proto/mp_read.h); unknown keys are skipped by both ends.
 *
 *   request   [method str, params map]
 *   answer    [error, result]       exactly one of them is nil
 *   error     {"code": str, "message": str, "problems": [str, ...]}
 *             message: a sentence for people: what happened, what was kept, what to do
 *             next; problems: with bad-config only, one line each, "file:line: ..."
 *   codes     unknown-method, bad-params, bad-config, absent, full, broken, stopping,
 *             internal
 *
 * All numbers are unsigned integers; *_s are unix seconds (uptime_s: seconds), *_hour
 * unix hours, *_day unix days.  `?` may be missing.
 *
 *   status {}
 *       {"state": "running" | "draining" | "stopping", "store": "ok" | "full" | "broken",
 *        "version": str, "protocol": 1, "name": str, "address": str (what invites say),
 *        "listen": [str, ...], "fingerprint": str (8 groups of 4 hex digits),
 *        "cohort": bin 32, "descriptor": newest version, "descriptor_expires_day": n,
 *        "uptime_s": n, "clock_s": n, "connections": str, "members": str}
 *       connections and members are floored counts in words: "0", "1-4", "5-9", "10-19",
 *       "20-49", "50-99", "100-199", ...
 *   invite {"hours"? 1..8760, default 168}
 *       {"invite": str, "number": n, "expires_s": n}
 *       The string is shown once: the relay does not keep the secret.  full: no room;
 *       broken: the store acknowledges nothing.
 *   invites {"from"? n, default 1}
 *       {"invites": [{"number": n, "state": "open" | "used" | "revoked" | "expired",
 *                     "made_hour": n, "last_hour": n}, ...], "next": n}
 *       in order of number, at most CONTROL_INVITES_MAX from `from` on; next: the number
 *       to ask from next, 0 when these were the last.
 *   revoke {"number": n}
 *       {}  A member that used it is refused from this moment on.  Again: {}.  absent: no
 *       invite of that number; full, broken: refused from now on, but forgotten by a
 *       restart.
 *   held {}
 *       {"envelopes": n, "bytes_on_disk": n, "days": n, "oldest_day": n, "newest_day": n
 *        (0 when days is 0), "invites_open": n, "invites_used": n, "invites_revoked": n,
 *        "invites_expired": n, "member_keys": n, "retention_days": n, "mail_buckets": n,
 *        "descriptors": n, "settings": [str, ...] ("relay.name = ...", one a line)}
 *       the whole of what could be taken or demanded, in counts.
 *   reload {}
 *       {"changed": [str, ...], "restart": [str, ...]}
 *       changed: applied now; restart: read, but in force only after a restart (each a
 *       sentence).  bad-config: the old settings stay.
 *   drain {}
 *       {}  no new connections from now on; the answer comes when the last one is gone
 *       (may take long; hanging up changes nothing).
 *   stop {}
 *       {}  as SIGTERM: the answer comes first.
 *   descriptor {}
 *       {"version": n, "signed": bin}  the newest one
 */
#ifndef KITH_DAEMON_CONTROL_H
#define KITH_DAEMON_CONTROL_H

#include "lib/buf.h"

enum {
    CONTROL_MESSAGE_MAX = 64 * 1024, /* 500 invites are about 35 KB */
    CONTROL_CLIENTS_MAX = 8, /* an admin's terminals; each may hold a request open */
    CONTROL_INVITES_MAX = 500,
    CONTROL_INVITE_HOURS = 7 * 24, /* of an invite, when not said */
    CONTROL_INVITE_HOURS_MAX = 365 * 24,
    CONTROL_LENGTH_BYTES = 4,
    CONTROL_FLOOR_CHARS = 48,
};
#define CONTROL_SOCKET_NAME "control.sock"

struct control;
struct relay;

/* Bind DIR/control.sock (a stale one is replaced: the caller holds the folder's lock) and
 * serve it.  0; -ENAMETOOLONG when the folder's path is too long for a socket; -errno. */
MUST_USE int control_start(struct relay *r, struct control **out);
/* The last client of the board is gone: answers waiting `drain` requests. */
void control_drained(struct control *c);
/* Stop serving, take the socket's name away; closed runs when every handle is gone.
 * NULL runs it at once. */
void control_stop(struct control *c, void (*closed)(void *arg), void *arg);
void control_free(struct control *c); /* after closed; NULL is fine */

/* "0", "1-4", "5-9", "10-19", "20-49", "50-99", "100-199", ...: small counts name
 * people. */
void control_floor(uint64_t count, char out[CONTROL_FLOOR_CHARS]);

#endif
