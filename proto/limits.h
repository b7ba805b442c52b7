/* SPDX-License-Identifier: Apache-2.0 */
/* limits: every bound on bytes from outside, with its unit in the name and its reason. */
#ifndef KITH_PROTO_LIMITS_H
#define KITH_PROTO_LIMITS_H

#include <stdint.h>

enum {
    /* Board: one envelope fills one LMDB overflow page together with its record header.
     */
    ENVELOPE_BYTES = 4064,
    RECORD_HEADER_BYTES = 16,
    BLOCK_SEQS =
        256, /* resumes are rounded to this, so a cursor names nobody (SPEC 4.3) */
    BUCKET_DIRECTORY = 0,
    BUCKET_KNOCKS = 1,
    BUCKET_MAIL = 2,        /* the first mail bucket */
    BUCKETS_MAIL_MAX = 256, /* cohorts of 50,000 members */
    BUCKET_MAX = 65535, /* u16 in a contact link; beyond the cohort's: no-such-bucket */

    /* Channel (SPEC 2): one client record holds one post; 15 envelopes fit the relay's.
     */
    CHANNEL_RECORD_BYTES = 4480,
    CHANNEL_RECORD_MAX_BYTES = 62720,
    CHANNEL_HANDSHAKES_MAX = 2, /* two cores: half of one stays for everybody else */
    CHANNEL_HANDSHAKES_WAITING_MAX = 64, /* about a tenth of a second of work */
    ENVELOPES_PER_RECORD_MAX = 15,

    /* Deadlines. */
    HANDSHAKE_MS = 10 * 1000, /* a slow phone link over Tor needs about 5 s */
    KEEPALIVE_MS = 30 * 1000, /* under the shortest common NAT timeout, 60 s */
    SILENCE_MS = 90 * 1000,   /* three keep-alives */
    RECORD_MS = 30 *
                1000, /* from a record's first byte to its last: 150 bytes a second */

    /* MessagePack reader. */
    MP_DEPTH_MAX = 8, /* the deepest message has 4 */
    MP_MAP_KEYS_MAX =
        64, /* duplicate keys are looked for pairwise: 64 * 63 / 2 compares */
    MP_KEY_BYTES_MAX = 32, /* in our own messages, whose keys are one letter today */

    /* Frames: what fits one client record, and one relay record. */
    FRAME_CLIENT_MAX_BYTES = 4444,
    FRAME_RELAY_MAX_BYTES = 62684,
    REQUESTS_OPEN_MAX = 256, /* posts on their way per connection; 16 KB of bookkeeping */
    CREDIT_MAX = 4096,       /* envelopes a client may ask for ahead: 16 MB on the wire */
    SUBSCRIPTIONS_MAX = 4,   /* directory, knocks, home, and a former home */

    /* Descriptor and invite. */
    DESCRIPTOR_BYTES_MAX = 2048, /* two in an answer that fits a client-sized record */
    DESCRIPTOR_ADMINS_MAX = 16,
    DESCRIPTOR_RELAYS_MAX = 4,
    DESCRIPTORS_PER_ANSWER_MAX = 2,
    COHORT_NAME_BYTES_MAX = 64,
    DESCRIPTOR_SIGNATURES_MAX = 2 *
                                DESCRIPTOR_ADMINS_MAX, /* of the old and the new admins */
    DESCRIPTOR_DAY_MAX = 65535, /* year 2149: in seconds it fits any type in use */
    MEMBERS_MAX = 100 * 1000,   /* twice what 256 mail buckets are laid out for */
    ADDRESS_BYTES_MAX =
        62, /* leaves an invite within 120 characters; an onion name's length */
    INVITE_CHARS_MAX = 120, /* its QR code fits a terminal of 80 x 24 */
    PORT_DEFAULT = 7443,
    RETENTION_DAYS_MAX = 90,

    /* Payloads (SPEC 7). */
    PAYLOAD_BYTES_MAX = 1622,
    PAYLOAD_RESERVED_BYTES = 96, /* kept free for proofs of authorship */
    NAME_BYTES_MAX = 64,
    TEXT_PART_BYTES_MAX = 1200, /* leaves room for acks, gossip and the reserve */
    TEXT_PARTS_MAX = 64,
    TEXT_BYTES_MAX = 64 * 1200, /* a long letter; about 13,000 words */
    ACKS_MAX = 4,

    /* Ratchet (SPEC 8). */
    TURN_ENVELOPES_MAX = 256, /* the reader's tag window: none is unrecognisable */
    TURN_ANSWER_AT = 128,
    TURN_RESERVED =
        16, /* of them for after a silence: all others may have expired unread */
    TURNS_KEPT = 4,
};

/* Beyond the range of an enum. */
#define SEQ_MAX \
    ((uint64_t)1 << 40) /* what a contact link's block can name; 4 PB of log */
#define CLOCK_S_MAX ((uint64_t)1 << 40) /* in milliseconds it is far from 2^64 */

#endif
