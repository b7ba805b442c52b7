/* SPDX-License-Identifier: Apache-2.0 */
/* payload: the words inside an envelope.  SPEC 7.
 * Flow     core/compose -> payload -> core/ratchet; and back to core/receive
 * Owns     nothing: views into the payload */
#ifndef KITH_PROTO_PAYLOAD_H
#define KITH_PROTO_PAYLOAD_H

#include "proto/mp_read.h"

enum payload_type {
    PAYLOAD_TEXT = 1,
    PAYLOAD_ACK,
    PAYLOAD_ACCEPT,
    PAYLOAD_DECLINE,
    PAYLOAD_CLOSE,
    PAYLOAD_EMPTY,
    PAYLOAD_TIMER,
    PAYLOAD_INTRODUCE,
    PAYLOAD_INTRODUCE_REPLY,
    PAYLOAD_NUDGE,
    PAYLOAD_PROFILE,
    PAYLOAD_SURVEY_ANSWER,
    PAYLOAD_REPORT,
    PAYLOAD_OFFER,
    PAYLOAD_TAKE,
};
enum { MESSAGE_ID_BYTES = 16, HEAD_PREFIX_BYTES = 8, ACK_BITMAP_BYTES = 32 };

struct payload_ack {
    uint32_t turn;
    uint32_t upto;                     /* highest n + 1; 1..256 */
    uint8_t missing[ACK_BITMAP_BYTES]; /* bit n, LSB first, set: n is missing; n < upto */
};
struct payload_gossip {
    bool has_directory, has_descriptor, has_previous;
    uint64_t directory_seq;
    uint8_t directory[HEAD_PREFIX_BYTES];
    uint8_t descriptor[HEAD_PREFIX_BYTES];
    uint32_t previous_bucket;
    uint64_t previous_seq;
    uint8_t previous[HEAD_PREFIX_BYTES];
};
struct payload {
    uint32_t type; /* may be one we do not know: show "needs a newer kith" */
    uint8_t id[MESSAGE_ID_BYTES];
    uint32_t minute;
    struct bytes text;    /* .p NULL when absent */
    uint32_t part, parts; /* parts 0: whole */
    uint32_t order;       /* SPEC 7.4; 0: absent */
    size_t acks_n;
    struct payload_ack acks[ACKS_MAX];
    struct payload_gossip gossip;
    struct bytes name; /* .p NULL when absent */
    bool has_home;
    uint32_t home;
};

/* Appends; failure in b->rc.  Checks nothing: what is out of range is refused by the
 * reader. */
void payload_write(struct buf *b, const struct payload *p);
/* 0 or MP_E_MALFORMED; known types also need the keys that SPEC 7.1 says. */
MUST_USE int payload_read(struct bytes in, struct payload *out);

#endif
