/* SPDX-License-Identifier: Apache-2.0 */
/* wire_client: a client of the relay on blocking sockets, for tests: it can do everything
 * a client may, and a good deal that no client should.
 * Errors   0; an enum code (positive) when the relay refused; -ETIMEDOUT; -ECONNRESET
 *          when it closed the connection; -EBADMSG when what it said can't be
 *          understood */
#ifndef KITH_TESTS_WIRE_CLIENT_H
#define KITH_TESTS_WIRE_CLIENT_H

#include "proto/channel.h"
#include "proto/msg.h"

enum { WIRE_TIMEOUT_MS = 10 * 1000, WIRE_PENDING_MAX = 64 };

struct wire {
    int fd;
    int timeout_ms;
    uint32_t next_id;
    struct channel channel;
    uint8_t es[KEM_SK_BYTES];
    uint8_t record[CHANNEL_RECORD_MAX_BYTES];
    struct bytes frames; /* of the record read last, not yet cut off */
};

/* TCP to loopback.  from: NULL, or a local address to come from ("127.0.0.2"). */
MUST_USE int wire_connect(struct wire *w, uint16_t port, const char *from);
void wire_close(struct wire *w);

/* Raw bytes, and reading exactly n of them. */
MUST_USE int wire_write(struct wire *w, const void *p, size_t n);
MUST_USE int wire_read(struct wire *w, void *p, size_t n);
/* 0 when the relay closes the connection before the timeout, whatever else it says. */
MUST_USE int wire_await_close(struct wire *w);

/* Preamble 0x01: the relay's key and cohort. */
MUST_USE int wire_ask(struct wire *w,
                      const uint8_t fingerprint[CHANNEL_FINGERPRINT_BYTES],
                      uint8_t pk[KEM_PK_BYTES], uint8_t cohort[CHANNEL_COHORT_BYTES]);
/* Preamble 0x00 and the handshake; in two halves, or at once. */
MUST_USE int wire_handshake_send(struct wire *w, const uint8_t pk[KEM_PK_BYTES]);
MUST_USE int wire_handshake_finish(struct wire *w);
MUST_USE int wire_handshake(struct wire *w, const uint8_t pk[KEM_PK_BYTES]);

/* Seal frames (at most FRAME_CLIENT_MAX_BYTES; n 0: a keep-alive) in one record and send
 * it. */
MUST_USE int wire_send(struct wire *w, struct bytes frames);
/* The next frame; f borrows from w until the next call.  Keep-alives are passed over. */
MUST_USE int wire_next(struct wire *w, struct frame *f);
/* Send a request written with msg_*_write() under this id, and wait for its answer;
 * frames of other kinds that come first are dropped. */
MUST_USE int wire_call(struct wire *w, struct buf *request, uint32_t id,
                       struct frame *answer);

MUST_USE int wire_hello(struct wire *w,
                        struct msg_hello_result *out); /* out may be NULL */
MUST_USE int wire_enrol(struct wire *w, const uint8_t secret[INVITE_SECRET_BYTES],
                        const uint8_t sk[SIGN_SK_BYTES], const uint8_t cohort[32]);
MUST_USE int wire_prove(struct wire *w, const uint8_t sk[SIGN_SK_BYTES],
                        const uint8_t cohort[32]);
MUST_USE int wire_post(struct wire *w, uint32_t bucket,
                       const uint8_t envelope[ENVELOPE_BYTES],
                       struct msg_post_result *out);
/* Only send; the answer is read by wire_next(). */
MUST_USE int wire_post_send(struct wire *w, uint32_t bucket,
                            const uint8_t envelope[ENVELOPE_BYTES], uint32_t *id);
/* from 0: the head. */
MUST_USE int wire_subscribe(struct wire *w, uint32_t bucket, uint64_t from,
                            uint32_t credit, struct msg_subscribe_result *out);
MUST_USE int wire_credit(struct wire *w, uint32_t bucket, uint32_t credit);
/* The next `envelopes` or `gap` notification: *gap says which; other frames are dropped.
 */
MUST_USE int wire_envelopes(struct wire *w, struct msg_envelopes *out,
                            struct msg_gap *gap, bool *is_gap);

/* connect, handshake, hello, prove. */
MUST_USE int wire_member(struct wire *w, uint16_t port, const uint8_t pk[KEM_PK_BYTES],
                         const uint8_t sk[SIGN_SK_BYTES], const uint8_t cohort[32]);

#endif
