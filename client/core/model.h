/* SPDX-License-Identifier: Apache-2.0 */
/* model: what a screen may see of one member: plain values, no keys, no handles.
 * Flow     core/node -> model -> client/app, client/ui, cmd_*
 * Owns     nothing: strings are inside the structs, or borrowed for one visit
 * Names and texts of other people are UTF-8 as they came: a screen cleans them (ui/text).
 * Words for all of this are the programs'; here are only kinds and facts. */
#ifndef KITH_CORE_MODEL_H
#define KITH_CORE_MODEL_H

#include "proto/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- conversations------------------------------------------------------------------
 *
 *   node_link_begin -> OFFERING -> OFFERED ----take read----------> LINKED -> CLOSED
 *                          |          | nobody in time                ^
 *                          +----------+-------> FAILED                |
 *   node_link_take  -> LOOKING -> TAKING -> TAKEN ----accept read-----+
 *                          |          +-----> FAILED (somebody was first; LINKED if
 *                          |                  accepted after all)
 *                          +----------------> FAILED
 */
enum conv_state {
    CONV_OFFERING =
        1, /* ours: the offer is not at the relay yet, there is no link to hand out */
    CONV_OFFERED, /* ours: the link can be handed out; nobody has taken it */
    CONV_LOOKING, /* theirs: looking for their offer at the relay */
    CONV_TAKING,  /* theirs: our answer is on its way */
    CONV_TAKEN,   /* theirs: our answer was the first; their device has yet to confirm.
                   * Texts may be written and go out */
    CONV_LINKED,  /* both devices know each other */
    CONV_CLOSED,  /* ended; the history stays */
    CONV_FAILED,  /* the link came to nothing: why */
};

enum conv_why {
    CONV_WHY_NONE = 0,
    CONV_WHY_EXPIRED,   /* past its last hour, or the relay no longer keeps the offer */
    CONV_WHY_NOT_FOUND, /* no such offer at the relay */
    CONV_WHY_TAKEN,     /* somebody else answered first */
    CONV_WHY_DAMAGED,   /* the offer is there and does not open, or says nonsense */
    CONV_WHY_REFUSED,   /* the relay refused the offer or the answer to it */
};

struct conversation {
    int64_t id; /* local to this profile, from 1, never given twice */
    enum conv_state state;
    enum conv_why why;             /* of FAILED */
    bool taker;                    /* we took their link; false: they took ours */
    bool verified;                 /* the person compared the words */
    bool words_ready;              /* node_verify_words() has an answer */
    bool second_taker;             /* somebody else has this link too */
    bool waits;                    /* their device has to answer before more can go */
    char name[NAME_BYTES_MAX + 1]; /* theirs; empty until known */
    uint64_t created_s;            /* unix seconds */
    uint64_t link_until_s; /* while OFFERING, OFFERED: after that nobody can take it */
    uint64_t changed_s;    /* newest message or change */
    uint32_t unread;       /* messages of theirs not marked read on this device */
    uint32_t queued;       /* messages of ours still only on this device */
};

/* ---- messages --------------------------------------------------------------------- */

enum message_kind {
    MESSAGE_TEXT = 1,
    MESSAGE_INCOMPLETE, /* parts of a long text that never all came; text is empty */
    MESSAGE_UNKNOWN, /* a type of a later version: "needs a newer kith"; text is empty */
};

enum message_state {
    MESSAGE_RECEIVED = 1, /* theirs */
    MESSAGE_QUEUED,       /* ours: on this device only; why says what it waits for */
    MESSAGE_SENT,         /* ours: the relay answered that every part is on its disk */
    MESSAGE_DELIVERED,    /* ours: their device said that it has every part */
    MESSAGE_NOT_SENT,     /* ours: will not go out by itself; why says the reason */
    MESSAGE_EXPIRED, /* ours: was sent, and the relay's time ran out before their device
                      * said that it has it */
};

enum message_why {
    WHY_NONE = 0,
    /* of QUEUED; goes on by itself */
    WHY_RELAY, /* not posted yet, or the answer did not come: no connection, or in turn */
    WHY_LINKING,      /* the link is not complete yet */
    WHY_PEER,         /* 256 went out unanswered: waiting for their device to answer */
    WHY_STORAGE_FULL, /* the relay's disk is full; tried again */
    WHY_UNAVAILABLE,  /* the relay can't just now, or asks to slow down; tried again */
    WHY_ALARM, /* an alarm stands: held until the person decides (node_alarm_accept) */
    /* of NOT_SENT */
    WHY_CLOSED,    /* the conversation ended before it went out */
    WHY_NO_MEMBER, /* the relay says that this membership does not exist or has ended */
    WHY_REFUSED,   /* the relay refused it for good */
};

struct message {
    int64_t id; /* local, from 1, never given twice; grows in the order stored on this
                   device */
    int64_t conv;
    enum message_kind kind;
    enum message_state state;
    enum message_why why;
    bool mine;
    bool read;       /* theirs: marked read on this device */
    uint32_t order;  /* SPEC 7.4: history is sorted by (order, taker's first) */
    uint32_t minute; /* unix minutes: when its writer says it was written */
    uint32_t
        resent; /* ours: how often it was sealed and sent again after the relay had it */
    uint64_t stored_s; /* unix seconds: written or received here */
    const char *text;  /* UTF-8, ends in zero; borrowed until the visit returns */
    size_t text_n;     /* bytes, without the zero */
};

/* ---- alarms: shown loudly, kept until the person has answered --------------------- */

enum alarm_kind {
    /* The relay's log contradicts itself.  These hold all posts until accepted; reading
     * of the bucket stops as well (status.stopped), but for ALARM_PEER_LOG, and where it
     * is only the answer to a post of ours that does not fit. */
    ALARM_LOG_BROKEN = 1, /* a hole, another order, or a head that does not fit the
                           * envelopes; a, b: sequence number wanted, given */
    ALARM_LOG_CHANGED, /* what we had read before is not what it was; a: sequence number
                        */
    ALARM_LOG_SHORTER, /* the log ends before what we had read; a, b: our next, theirs */
    ALARM_PEER_LOG, /* a contact's device saw another log than we; a: sequence number */
    ALARM_OMITTED,  /* a message the relay said it stored did not reach the contact's
                     * device, twice; message says which */
    /* The cohort's descriptor.  These hold all posts as well. */
    ALARM_DESCRIPTOR_FORGED, /* not signed as it must be, or of another cohort */
    ALARM_DESCRIPTOR_OTHER,  /* another text for a version we know; a: version */
    ALARM_DESCRIPTOR_OLDER,  /* older than the one we know; a, b: our version, theirs */
    /* Facts to know; nothing is held. */
    ALARM_DESCRIPTOR_EXPIRED, /* past its day; a: unix day */
    ALARM_SECOND_TAKER,       /* somebody else has the link of this conversation */
    ALARM_REPLAYED, /* an envelope of this conversation came a second time; a: seq */
    ALARM_DAMAGED,  /* an envelope of this conversation did not open; a: seq */
    ALARM_EXPIRED_UNREAD, /* the relay dropped a..b-1 of the log before we read them:
                           * messages of that time may be lost.  Not an accusation */
    ALARM_CLOCK, /* our clock and the relay's differ by over 10 minutes; a: seconds,
                  * b: 1 if ours is ahead */
};

struct alarm {
    int64_t id;
    enum alarm_kind kind;
    bool holds;      /* posts are held until node_alarm_accept */
    bool open;       /* not accepted yet */
    int64_t conv;    /* 0: none in particular */
    int64_t message; /* 0: none in particular */
    uint32_t bucket;
    uint64_t a, b;             /* as the kind says */
    uint64_t since_s, until_s; /* unix seconds: first and last time it was seen; for
                  * EXPIRED_UNREAD when we last read and when we found out */
    uint32_t times;
};

/* ---- the member and the relay ----------------------------------------------------- */

enum member_state {
    MEMBER_NONE = 0, /* an empty profile */
    MEMBER_JOINING,  /* relay and invite known; not enrolled yet */
    MEMBER_ENROLLED,
};

enum relay_state {
    RELAY_OFFLINE = 0,
    RELAY_CONNECTING,
    RELAY_CATCHING_UP,
    RELAY_CONNECTED,
};

struct status {
    enum member_state member;
    char name[NAME_BYTES_MAX + 1];
    char cohort[COHORT_NAME_BYTES_MAX + 1];
    char fingerprint[40]; /* the relay's, for people (SPEC 5.2) */
    char address[ADDRESS_BYTES_MAX + 1 + 10];
    uint32_t members;        /* the band of the descriptor */
    uint32_t retention_days; /* how long the relay keeps envelopes; 0: not known yet */
    enum relay_state relay;  /* as the holder last said; RELAY_OFFLINE after a restart */
    uint64_t reached_s;      /* unix seconds the relay last answered anything; 0: never */
    uint64_t checked_s;   /* when this device last knew that it had read all there was */
    uint64_t behind;      /* envelopes still to be read, while catching up */
    uint32_t queued;      /* messages of ours only on this device */
    uint32_t undelivered; /* sent, not yet said to be delivered */
    uint32_t unread;
    uint32_t alarms; /* open ones */
    bool held;       /* posts are held by an alarm */
    bool ended;   /* the relay last said that this membership does not exist any more */
    bool stopped; /* the home bucket is not read on until that alarm is accepted */
};

/* ---- events -------------------------------------------------------------------------
 * Stored in the transaction of what they tell, reported after it; every process that has
 * the profile open gets each once, the holder at once, others by node_refresh(). */
enum event_kind {
    EVENT_RELAY = 1,  /* relay_state changed: see node_status */
    EVENT_MEMBER,     /* member_state, name or descriptor changed */
    EVENT_CONV,       /* conv appeared, or changed its state, name, words or waits */
    EVENT_LINK_READY, /* conv: node_link_text() has the link now */
    EVENT_MESSAGE,    /* message of conv came and can be shown */
    EVENT_STATE,      /* message of conv changed its state, why or resent */
    EVENT_FORGOTTEN,  /* message of conv (0: the whole conv) is gone */
    EVENT_READ,       /* read marks of conv changed */
    EVENT_ALARM,      /* alarm appeared, came again or was accepted: see node_alarms */
    EVENT_CAUGHT_UP,  /* all that the relay had has been read */
    EVENT_MISSED,     /* too many at once: look at everything anew */
};

struct event {
    int64_t seq; /* grows; for resuming */
    enum event_kind kind;
    int64_t conv, message, alarm; /* 0: none */
    uint32_t state; /* EVENT_STATE: enum message_state; EVENT_CONV: enum conv_state */
};

#endif
