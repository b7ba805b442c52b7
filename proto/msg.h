/* SPDX-License-Identifier: Apache-2.0 */
/* msg: one codec per message of SPEC 3.5.
 * Flow     frame -> msg -> daemon/dispatch and handle_*, client/net/sync
 * Owns     nothing: views into the frame
 * Every msg_x_read(body, out) returns 0 or MP_E_MALFORMED and checks lengths and ranges;
 * every msg_x_write appends a whole frame to b (failure in b->rc).
 * What a read lets through: buckets 0..BUCKET_MAX (whether the cohort has it is the
 * handler's question), sequence numbers 1..SEQ_MAX, versions 1..31 and none twice, a
 * clock of at most CLOCK_S_MAX, credit of at most CREDIT_MAX (subscribe may say 0),
 * descriptor versions from 1, whole envelopes only.  It does not compare one number with
 * another. */
#ifndef KITH_PROTO_MSG_H
#define KITH_PROTO_MSG_H

#include "lib/kdf.h"
#include "lib/sign.h"
#include "proto/frame.h"

enum method { /* the order of SPEC 3.5; dead numbers keep their row */
              METHOD_HELLO,
              METHOD_DESCRIPTORS,
              METHOD_ENROL,
              METHOD_PROVE,
              METHOD_POST,
              METHOD_SUBSCRIBE,
              METHOD_UNSUBSCRIBE,
              METHOD_CREDIT,    /* notification, client to relay */
              METHOD_ENVELOPES, /* notification, relay to client */
              METHOD_GAP,       /* notification, relay to client */
              METHOD_COUNT,
};
struct method_row {
    const char *name;
    enum frame_kind kind;
    bool from_client;
};
extern const struct method_row method_table[METHOD_COUNT];
/* METHOD_COUNT if unknown. */
enum method method_find(struct bytes name, enum frame_kind kind, bool from_client);

enum { INVITE_SECRET_BYTES = 16, VERSION_ONE = 1 };

struct msg_hello {
    uint32_t versions; /* bit v set when v (0..31) was offered */
};
struct msg_hello_result {
    uint32_t version;
    uint64_t clock_s;
    uint32_t descriptor;
};
struct msg_descriptors {
    uint32_t from;
};
struct msg_descriptors_result {
    size_t count;
    struct bytes signed_[DESCRIPTORS_PER_ANSWER_MAX];
};
struct msg_enrol {
    uint8_t secret[INVITE_SECRET_BYTES], key[SIGN_PK_BYTES], sig[SIGN_BYTES];
};
struct msg_prove {
    uint8_t key[SIGN_PK_BYTES], sig[SIGN_BYTES];
};
struct msg_post {
    uint32_t bucket;
    struct bytes envelope;
};
struct msg_post_result {
    uint64_t seq;
    uint8_t head[HASH_BYTES];
};
struct msg_subscribe {
    uint32_t bucket;
    bool from_head;
    uint64_t from;
    uint32_t credit;
};
struct msg_subscribe_result {
    uint64_t first;
    uint8_t head[HASH_BYTES];
    uint64_t next, oldest;
};
struct msg_unsubscribe {
    uint32_t bucket;
};
struct msg_credit {
    uint32_t bucket, credit;
};
struct msg_envelopes {
    uint32_t bucket;
    uint64_t first;
    uint8_t head[HASH_BYTES];
    struct bytes envelopes;
};
struct msg_gap {
    uint32_t bucket;
    uint64_t first;
    uint8_t head[HASH_BYTES];
};

MUST_USE int msg_hello_read(struct bytes body, struct msg_hello *out);
MUST_USE int msg_hello_result_read(struct bytes body, struct msg_hello_result *out);
MUST_USE int msg_descriptors_read(struct bytes body, struct msg_descriptors *out);
MUST_USE int msg_descriptors_result_read(struct bytes body,
                                         struct msg_descriptors_result *out);
MUST_USE int msg_enrol_read(struct bytes body, struct msg_enrol *out);
MUST_USE int msg_prove_read(struct bytes body, struct msg_prove *out);
MUST_USE int msg_post_read(struct bytes body, struct msg_post *out);
MUST_USE int msg_post_result_read(struct bytes body, struct msg_post_result *out);
MUST_USE int msg_subscribe_read(struct bytes body, struct msg_subscribe *out);
MUST_USE int msg_subscribe_result_read(struct bytes body,
                                       struct msg_subscribe_result *out);
MUST_USE int msg_unsubscribe_read(struct bytes body, struct msg_unsubscribe *out);
MUST_USE int msg_credit_read(struct bytes body, struct msg_credit *out);
MUST_USE int msg_envelopes_read(struct bytes body, struct msg_envelopes *out);
MUST_USE int msg_gap_read(struct bytes body, struct msg_gap *out);
MUST_USE int msg_nil_read(struct bytes body); /* enrol, prove, unsubscribe answers */

void msg_hello_write(struct buf *b, uint32_t id, const struct msg_hello *m);
void msg_hello_result_write(struct buf *b, uint32_t id, const struct msg_hello_result *m);
void msg_descriptors_write(struct buf *b, uint32_t id, const struct msg_descriptors *m);
void msg_descriptors_result_write(struct buf *b, uint32_t id,
                                  const struct msg_descriptors_result *m);
void msg_enrol_write(struct buf *b, uint32_t id, const struct msg_enrol *m);
void msg_prove_write(struct buf *b, uint32_t id, const struct msg_prove *m);
void msg_post_write(struct buf *b, uint32_t id, const struct msg_post *m);
void msg_post_result_write(struct buf *b, uint32_t id, const struct msg_post_result *m);
void msg_subscribe_write(struct buf *b, uint32_t id, const struct msg_subscribe *m);
void msg_subscribe_result_write(struct buf *b, uint32_t id,
                                const struct msg_subscribe_result *m);
void msg_unsubscribe_write(struct buf *b, uint32_t id, const struct msg_unsubscribe *m);
void msg_credit_write(struct buf *b, const struct msg_credit *m);
void msg_envelopes_write(struct buf *b, const struct msg_envelopes *m);
void msg_gap_write(struct buf *b, const struct msg_gap *m);
void msg_nil_write(struct buf *b, uint32_t id);

/* What enrol and prove sign: SPEC 3.5.  h is the channel hash.  The caller has filled in
 * key and secret; sign fills in sig.  sign: 0 or -ENOMEM; check: 0, SIGN_E_FORGED or
 * -ENOMEM. */
MUST_USE int msg_enrol_sign(struct msg_enrol *m, const uint8_t sk[SIGN_SK_BYTES],
                            const uint8_t cohort[32], const uint8_t h[64]);
MUST_USE int msg_enrol_check(const struct msg_enrol *m, const uint8_t cohort[32],
                             const uint8_t h[64]);
MUST_USE int msg_prove_sign(struct msg_prove *m, const uint8_t sk[SIGN_SK_BYTES],
                            const uint8_t cohort[32], const uint8_t h[64]);
MUST_USE int msg_prove_check(const struct msg_prove *m, const uint8_t cohort[32],
                             const uint8_t h[64]);

#endif
