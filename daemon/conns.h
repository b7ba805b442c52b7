/* SPDX-License-Identifier: Apache-2.0 */
/* conns: all connections: who is there, who has something to do, whose deadline is
 * over.
 * Flow     listener -> conns -> conn;  fanout, handle_* -> conn_wake -> conns ->
 *          conn_pump
 * Owns     the list, the index by id, two scratch buffers that all connections share
 * Threads  the loop's
 * A connection that is idle costs its struct conn and nothing else: bytes are read into
 * one scratch buffer and records are built in the other; only what is incomplete gets
 * memory. */
#ifndef KITH_DAEMON_CONNS_H
#define KITH_DAEMON_CONNS_H

#include "daemon/admit.h"
#include "daemon/list.h"
#include "daemon/relay.h"

struct conn;

/* The part of a connection that conns looks after; the first member of struct conn. */
struct conns_member {
    struct list all;
    struct list ready; /* in a ring while it waits to be pumped */
    uint64_t id;       /* never used twice in a process */
};

enum {
    CONNS_READ_BYTES = 14 *
                       CHANNEL_RECORD_BYTES, /* a read takes a burst of posts at once */
};

struct conns {
    struct relay *relay;
    struct admit *admit;
    struct map *by_id;
    struct list all, ready;
    uint64_t next_id;
    size_t count;           /* members */
    size_t alive;           /* their memory, until the last close callback */
    uv_idle_t pump;         /* active while somebody is ready */
    uv_timer_t tick;        /* active while somebody is there */
    uint8_t *read_scratch;  /* CONNS_READ_BYTES */
    uint8_t *write_scratch; /* CHANNEL_RECORD_MAX_BYTES */
};

MUST_USE int conns_new(struct relay *r, struct conns **out);
/* The memory of one more connection is in use; it no longer is. */
void conns_arrive(struct conns *cs);
void conns_depart(struct conns *cs);
/* The options that every connection's socket has. */
void conns_tune(uv_tcp_t *tcp);
/* A member joins, and gets its id.  0 or -ENOMEM. */
MUST_USE int conns_add(struct conns *cs, struct conns_member *m);
/* It leaves: nobody finds it, pumps it or looks at its deadlines any more. */
void conns_remove(struct conns *cs, struct conns_member *m);
/* NULL when that connection is gone. */
struct conn *conns_find(const struct conns *cs, uint64_t id);
/* Pump it in the next turn of the loop; once, however often it is called. */
void conns_ready(struct conns *cs, struct conns_member *m);
/* conn_finish() or conn_close() for everybody. */
void conns_finish_all(struct conns *cs, const char *why);
void conns_close_all(struct conns *cs, const char *why);
size_t conns_count(const struct conns *cs);
/* Nothing of any connection is left, not even a handle being closed. */
bool conns_gone(const struct conns *cs);
/* When all are gone: close the two handles (closed runs once for each; returns 2); then
 * free. */
int conns_stop(struct conns *cs, uv_close_cb closed);
void conns_free(struct conns *cs); /* NULL is fine */

#endif
