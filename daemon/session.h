/* SPDX-License-Identifier: Apache-2.0 */
/* session: what one open connection asked for and is owed.  SPEC 3.
 * Flow     conn -> session_feed -> frame -> dispatch -> handle_*; answers ->
 *          session_fill -> conn
 * Owns     answers that wait to be sealed (bounded), subscriptions
 * Threads  the loop's
 * Bounds   while SESSION_OUT_BYTES of answers or REQUESTS_OPEN_MAX requests wait, it
 *          takes no further frame, and conn reads no further bytes: the peer's own
 *          kernel waits
 */
#ifndef KITH_DAEMON_SESSION_H
#define KITH_DAEMON_SESSION_H

#include "daemon/relay.h"
#include "proto/frame.h"

struct conn;
struct subscription;

enum session_state {                  /* in the order of the protocol */
                     SESSION_NEW,     /* nothing but hello */
                     SESSION_GREETED, /* descriptors, enrol, prove */
                     SESSION_PROVEN,  /* a member: may post or subscribe, and by that
                                         decides which */
                     SESSION_POSTING, /* SPEC 3.7: posts, never reads */
                     SESSION_READING, /* reads, never posts */
};
enum {
    /* A signature to check is 60 us of the loop's time: who wants more pays with a
       handshake. */
    SESSION_PROOFS_MAX = 8,
    SESSION_OUT_BYTES = 8 * 1024,
    /* One answer more may come on top: two descriptors and their frame. */
    SESSION_OUT_MAX_BYTES = SESSION_OUT_BYTES +
                            DESCRIPTORS_PER_ANSWER_MAX * DESCRIPTOR_BYTES_MAX + 256 +
                            REQUESTS_OPEN_MAX * 64,
};
_Static_assert((int)SESSION_OUT_MAX_BYTES <= (int)FRAME_RELAY_MAX_BYTES,
               "all answers fit one record");

enum {
    SESSION_E_MALFORMED = 1, /* SPEC 3.2: the connection ends (an answer may wait) */
};

struct session {
    struct relay *relay;
    struct conn *conn;
    uint64_t id; /* the connection's */
    enum session_state state;
    uint32_t member; /* its invite's number, once proven */
    uint32_t proofs; /* enrol and prove asked for so far */
    bool over;       /* takes nothing more */
    uint32_t open;   /* requests whose answers come later */
    struct buf out;  /* whole frames */
    size_t subs_n, turn;
    struct subscription *subs[SUBSCRIPTIONS_MAX];
};

MUST_USE int session_new(struct relay *r, struct conn *c, uint64_t id,
                         struct session **out);
void session_free(struct session *s); /* NULL is fine */

/* May it take another frame now? */
bool session_takes(const struct session *s);
/* Take whole frames off the front of `frames`, until none is left or session_takes() is
 * false. 0, SESSION_E_MALFORMED or -errno: the connection is to be finished. */
MUST_USE int session_feed(struct session *s, struct bytes *frames);

/* Put the next frames to send into an empty buffer of FRAME_RELAY_MAX_BYTES: answers
 * first, then, unless answers_only, envelopes of the subscriptions in turn.  0; -EACCES:
 * no member any more; another -errno. */
MUST_USE int session_fill(struct session *s, bool answers_only, struct buf *frames);
/* A reader whose membership has ended: the connection is to be closed, idle or not.  (One
 * that posts is told so by the answer to its next post.) */
bool session_is_over(const struct session *s);
/* Would session_fill() give anything? */
bool session_owes(const struct session *s, bool answers_only);

/* Answers; each wakes the connection.  A failure (no memory) closes it. */
void session_answer_error(struct session *s, uint32_t id, enum code c);
/* After a msg_*_result_write() into s->out. */
void session_answered(struct session *s);
/* May it ask for one more enrol or prove?  False: it is answered, and the connection
 * ends. */
bool session_may_prove(struct session *s, uint32_t id);
/* The session of a connection that may have gone; one of its open requests ends here. */
struct session *session_resume(struct relay *r, uint64_t id);

#endif
