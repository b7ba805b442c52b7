/* SPDX-License-Identifier: Apache-2.0 */
/* node: everything one member is, on top of one profile database.  Bytes, time and
 * randomness come in; bytes and events go out.  No sockets, no threads, no terminal.
 *
 * Flow     client/app, cmd_* -> node -> compose, outbox -> ratchet -> envelope ->
 *          client/net/sync
 *          client/net/sync -> node -> receive -> ratchet -> history -> events ->
 *          client/app
 * Owns     the database handle, the sessions' keys in memory (guarded, wiped by
 *          node_close)
 * Threads  one node on one thread.  Several processes may have a node each on one
 *          profile: one of them is the holder (client/profile decides which) and alone
 *          calls what is marked [holder]; all may write, read, link, mark and forget at
 *          any time.
 *
 * Everything that changes is one transaction.  What node_post_next() hands out was
 * committed before it returns, so a crash can neither use a key twice nor show a text as
 * sent that was not.
 *
 * Errors   0; negative -errno (-EIO and -ENOSPC from the disk, -EBUSY when another
 * process held the database for over 10 s, -ENOMEM; nothing was changed then and the call
 * may be repeated); positive enum node_error, where the function says so. */
#ifndef KITH_CORE_NODE_H
#define KITH_CORE_NODE_H

#include "client/core/model.h"
#include "lib/clock.h"
#include "lib/kem.h"
#include "proto/frame.h"
#include "proto/invite.h"
#include "proto/msg.h"

struct node;

enum node_error {
    NODE_E_NONE = 1,    /* nothing there: no post is due, no such row, not known yet */
    NODE_E_KEY,         /* the key does not open this profile */
    NODE_E_NEWER,       /* the profile was written by a later kith */
    NODE_E_NOT_PROFILE, /* the file is something else, or damaged */
    NODE_E_STATE,       /* not in this state: no member yet, no link to hand out, ended */
    NODE_E_TEXT, /* empty, over TEXT_BYTES_MAX, not UTF-8; a name: over NAME_BYTES_MAX */
    NODE_E_LINK_FORM,   /* not a contact link */
    NODE_E_LINK_KIND,   /* an invite, not a contact link */
    NODE_E_LINK_CHECK,  /* mistyped */
    NODE_E_LINK_COHORT, /* of another cohort */
    NODE_E_LINK_EXPIRED,
    NODE_E_LINK_OWN,   /* made by this profile */
    NODE_E_LINK_AGAIN, /* this profile has taken it already; *conv says where */
    NODE_E_MANY,       /* too many links are open: forget some, or wait for them to end */
    NODE_E_LIE,        /* the relay contradicts what was known: an alarm was raised; stop
                        * reading this bucket, or this relay, as the function says */
    NODE_E_RELAY_KEY,  /* not the relay that the invite names */
};

/* ---- opening ---------------------------------------------------------------------- */

enum { NODE_KEY_BYTES = 32 };

typedef void node_event_fn(const struct event *e, void *arg);

struct node_config {
    const char *path; /* the database file, or ":memory:" */
    uint8_t
        key[NODE_KEY_BYTES];   /* from the passphrase; copied, the caller wipes its own */
    bool create;               /* make it if it is not there (-ENOENT otherwise) */
    bool holder;               /* take the holder's part at once */
    const struct clock *clock; /* outlives the node */
    node_event_fn *event; /* may be NULL; runs inside node_* calls after their commit;
                           * may call reading functions, no other */
    void *event_arg;
    /* Spans, in ms; 0: the default.  SPEC 8.5, 8.1, 8.3. */
    uint32_t ack_least_ms, ack_most_ms; /* 5,000 and 60,000 */
    uint32_t accept_most_ms;            /* 4,000 */
    uint32_t empty_most_ms;             /* 3,600,000 */
    bool quick;                         /* tests: no syncs to disk */
};

/* Open or create.  Returns 0, NODE_E_KEY, NODE_E_NEWER, NODE_E_NOT_PROFILE or -errno. */
MUST_USE int node_open(const struct node_config *c, struct node **out);
void node_close(struct node *n); /* wipes; NULL is fine */

/* Become the holder after another process gave it up (what it had on its way counts as
 * lost), and give it up. */
MUST_USE int node_hold(struct node *n);
void node_release(struct node *n);

/* Report what other processes changed since the last call (events), and take it into
 * account. Cheap when nothing changed: call it every second or when told that the file
 * changed. */
MUST_USE int node_refresh(struct node *n);
/* Events after `since` that are still kept (the newest 4,096), oldest first, to visit;
 * gone ones are told by one EVENT_MISSED.  since 0: all.  *newest (may be NULL) gets the
 * last seq. */
MUST_USE int node_events(struct node *n, int64_t since, node_event_fn *visit, void *arg,
                         int64_t *newest);

/* ---- joining: invite -> relay -> descriptor -> name -> enrol ---------------------- */

/* Begin, or begin anew with another invite before enrolment: makes the member key on
 * first use. Returns 0, NODE_E_STATE (already enrolled). */
MUST_USE int node_join(struct node *n, const struct invite *invite);
/* The relay's answer to preamble 0x01: checked against the invite's fingerprint
 * (SPEC 2.1). Returns 0, NODE_E_RELAY_KEY or NODE_E_STATE. */
MUST_USE int node_relay(struct node *n, const uint8_t pk[KEM_PK_BYTES],
                        const uint8_t cohort[32]);
/* What a connection needs.  NODE_E_NONE: pk not known yet (ask with the fingerprint). */
struct node_relay {
    struct address address;
    uint8_t fingerprint[16];
    uint8_t pk[KEM_PK_BYTES];
    uint8_t cohort[32];
};
MUST_USE int node_relay_get(struct node *n,
                            struct node_relay *out); /* address, fingerprint are
                                                      * filled with NODE_E_NONE too */
/* The relay moved: another address of the same key (typed by a person). */
MUST_USE int node_address(struct node *n, const struct address *a);
/* The name others see, 1..NAME_BYTES_MAX bytes of UTF-8.  0 or NODE_E_TEXT. */
MUST_USE int node_name(struct node *n, const char *name);

/* [holder] The answer to hello, first on every connection.  *ask_from: 0, or the first
 * version of the descriptor to ask for.  Returns 0 or NODE_E_LIE (older than the newest
 * known). */
MUST_USE int node_hello(struct node *n, const struct msg_hello_result *m,
                        uint32_t *ask_from);
/* [holder] One signed descriptor, in the order received (SPEC 5.3).  Returns 0 (also for
 * the one already known) or NODE_E_LIE. */
MUST_USE int node_descriptor(struct node *n, struct bytes signed_);

/* Enrol, on a connection of its own: the request for this channel.  Needs relay and
 * descriptor. Returns 0 or NODE_E_STATE.  After the durable answer node_enrolled(); an
 * answer that got lost: do it again, the relay answers the same key alike.  The invite's
 * secret is wiped then. */
MUST_USE int node_enrol(struct node *n, const uint8_t h[64], struct msg_enrol *out);
MUST_USE int node_enrolled(struct node *n);
/* Proof of membership for a connection that reads or posts.  0 or NODE_E_STATE. */
MUST_USE int node_prove(struct node *n, const uint8_t h[64], struct msg_prove *out);
/* [holder] The relay's refusal of that proof.  NOT_A_MEMBER and REVOKED: everything
 * queued becomes NOT_SENT with WHY_NO_MEMBER, and status.ended is set until the relay
 * takes a proof again; any other code changes nothing. */
MUST_USE int node_prove_refused(struct node *n, enum code code);

/* ---- people: links ---------------------------------------------------------------- */

/* A link for one person, good for valid_s seconds from now (at least to the end of the
 * hour). The offer goes out with the posts; EVENT_LINK_READY tells when node_link_text()
 * has the text. Returns 0, NODE_E_STATE (not enrolled) or NODE_E_MANY. */
MUST_USE int node_link_begin(struct node *n, uint32_t valid_s, int64_t *conv);
/* 0 or NODE_E_NONE: not at the relay yet, taken, or over. */
MUST_USE int node_link_text(struct node *n, int64_t conv, char out[LINK_CHARS + 1]);
/* Take a link as typed or pasted.  The rest happens with reads and posts;
 * conversation.state tells.  Returns 0 or NODE_E_LINK_*, NODE_E_STATE, NODE_E_MANY. */
MUST_USE int node_link_take(struct node *n, const char *text, size_t text_n,
                            int64_t *conv);
/* What verify_words() (client/core/verify.h, slow: off the loop) is fed.  0 or
 * NODE_E_NONE. */
MUST_USE int node_verify_input(struct node *n, int64_t conv, uint8_t th_2[32]);
MUST_USE int node_verified(struct node *n, int64_t conv,
                           bool same); /* 0 or NODE_E_NONE */

/* ---- words ------------------------------------------------------------------------ */

/* Write a text to somebody: it is in the history and the queue when this returns. Allowed
 * in every state up to LINKED, also long before the link is complete. Returns 0,
 * NODE_E_TEXT, NODE_E_NONE (no such conversation), NODE_E_STATE (ended, failed). */
MUST_USE int node_send(struct node *n, int64_t conv, const char *text, size_t text_n,
                       int64_t *message);
/* Put a NOT_SENT or EXPIRED message back into the queue.  0, NODE_E_NONE or NODE_E_STATE.
 */
MUST_USE int node_send_again(struct node *n, int64_t message);
/* Tell the other side that this ends, after everything queued went out.  0 or
 * NODE_E_NONE. */
MUST_USE int node_end(struct node *n, int64_t conv);

typedef void node_conv_fn(const struct conversation *c, void *arg);
typedef void node_message_fn(const struct message *m, void *arg);
typedef void node_alarm_fn(const struct alarm *a, void *arg);

MUST_USE int node_status(struct node *n, struct status *out);
/* Newest change first. */
MUST_USE int node_convs(struct node *n, node_conv_fn *visit, void *arg);
MUST_USE int node_conv(struct node *n, int64_t conv,
                       struct conversation *out); /* 0, NODE_E_NONE */
/* In the order of SPEC 7.4, oldest first.  after_id: only messages stored here after that
 * one (local id), for following; they come in the order of their ids.  last: only the
 * newest so many, 0 for all. */
struct node_history {
    int64_t conv;
    int64_t after_id;
    uint32_t last;
};
MUST_USE int node_history(struct node *n, const struct node_history *q,
                          node_message_fn *visit, void *arg);
MUST_USE int node_message(struct node *n, int64_t message, node_message_fn *visit,
                          void *arg);
/* Messages up to this id of this conversation have been seen.  Stays on this device. */
MUST_USE int node_mark_read(struct node *n, int64_t conv, int64_t upto);
/* Open alarms, oldest first; all: accepted ones too. */
MUST_USE int node_alarms(struct node *n, bool all, node_alarm_fn *visit, void *arg);
/* The person has seen it and wants to go on.  Of an alarm that holds: posts go out again
 * when no other holds; a bucket whose log had changed is read anew from its oldest
 * envelope, and what had not been said to be delivered is sent again.  0 or NODE_E_NONE.
 */
MUST_USE int node_alarm_accept(struct node *n, int64_t alarm);

/* Exact deletion: overwritten in the database, keys with it, and the journal emptied.  A
 * message of ours not yet sent does not go out.  0 or NODE_E_NONE. */
MUST_USE int node_forget_message(struct node *n, int64_t message);
MUST_USE int node_forget(struct node *n, int64_t conv);

/* ---- posts [holder] ------------------------------------------------------------------
 * On a connection that only posts: take node_post_next() until NODE_E_NONE, write each in
 * order, and report what came of it.  At most NODE_POSTS_MAX are on their way at once. */

enum { NODE_POSTS_MAX = 128, NODE_POSTS_CONV_MAX = 32 };

struct node_post {
    uint64_t id; /* for the three calls below; not kept over a restart */
    uint32_t bucket;
    uint8_t envelope[ENVELOPE_BYTES];
};
/* Seals and commits, then hands out.  0 or NODE_E_NONE (nothing due: see node_next_due;
 * or the home bucket has not been subscribed to yet). */
MUST_USE int node_post_next(struct node *n, struct node_post *out);
/* The durable answer.  Unknown ids are -EINVAL. */
MUST_USE int node_post_done(struct node *n, uint64_t id, uint64_t seq,
                            const uint8_t head[32]);
/* The relay's refusal: STORAGE_FULL, UNAVAILABLE, RATE_LIMITED and INTERNAL are tried
 * again later by themselves (all posts pause 5 s, then up to 60 s), others for good. */
MUST_USE int node_post_refused(struct node *n, uint64_t id, enum code code);
/* The connection is gone: what had no answer is sealed anew when asked for next
 * (SPEC 8.7). */
MUST_USE int node_posts_lost(struct node *n);

/* ---- reads [holder] ------------------------------------------------------------------
 * Slot 0 is the connection for directory, knocks and home bucket, in the order given.
 * Any other slot is a connection of its own that reads one bucket for one link, and
 * closes when the slot is no longer listed.  The list changes with events: look again
 * after each EVENT_CONV, EVENT_ALARM and EVENT_MEMBER, and when a connection was made. */

enum { NODE_READS_MAX = 16 };

struct node_read {
    uint32_t slot;
    uint32_t bucket;
    bool from_head; /* no position yet: subscribe without f */
    uint64_t from;  /* 1 modulo 256 */
};
MUST_USE int node_reads(struct node *n, struct node_read out[NODE_READS_MAX],
                        size_t *count);
/* The answer to subscribe.  All four reading calls return 0, NODE_E_LIE (unsubscribe: the
 * slot is no longer listed), NODE_E_NONE (not asked for: unsubscribe) or -errno: nothing
 * of this batch was kept, subscribe anew. */
MUST_USE int node_subscribed(struct node *n, uint32_t slot, uint32_t bucket,
                             const struct msg_subscribe_result *m);
MUST_USE int node_envelopes(struct node *n, uint32_t slot, const struct msg_envelopes *m);
MUST_USE int node_gap(struct node *n, uint32_t slot, const struct msg_gap *m);
/* The connection of this slot is gone. */
void node_read_lost(struct node *n, uint32_t slot);
/* How the link to the relay is; for node_status and EVENT_RELAY.  reached: the relay
 * answered something just now (call it at most every few seconds). */
MUST_USE int node_relay_is(struct node *n, enum relay_state state, bool reached);

/* ---- time ------------------------------------------------------------------------- */

/* [holder] Milliseconds until node_tick() or node_post_next() has something to do; 0:
 * now; UINT64_MAX: nothing waits for time. */
uint64_t node_next_due(struct node *n);
/* [holder] The program is about to end: acks that are owed are due within a random part
 * of most_ms from now (SPEC 8.5). */
MUST_USE int node_hurry(struct node *n, uint32_t most_ms);
/* [holder] Something is on its way to the relay, or goes there by itself within so many
 * milliseconds. */
bool node_owes(struct node *n, uint32_t within_ms);
/* [holder] Expiry, resends at 80 % of the retention, parts that never came, tidying. */
MUST_USE int node_tick(struct node *n);

#endif
