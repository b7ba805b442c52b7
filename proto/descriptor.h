/* SPDX-License-Identifier: Apache-2.0 */
/* descriptor: what a cohort is, signed.  SPEC 5.3. */
#ifndef KITH_PROTO_DESCRIPTOR_H
#define KITH_PROTO_DESCRIPTOR_H

#include "lib/kdf.h"
#include "lib/sign.h"
#include "proto/limits.h"
#include "proto/mp_read.h"

enum { DESCRIPTOR_E_MALFORMED = 1, DESCRIPTOR_E_FORGED };

struct descriptor_relay {
    char address[ADDRESS_BYTES_MAX + 1];
    uint8_t key_hash[HASH_BYTES];
};
struct descriptor {
    uint32_t version;
    uint8_t previous[HASH_BYTES]; /* zeros in version 1 */
    char name[COHORT_NAME_BYTES_MAX + 1];
    size_t admins_n, relays_n;
    uint8_t admins[DESCRIPTOR_ADMINS_MAX][SIGN_PK_BYTES];
    uint32_t needed; /* signatures */
    struct descriptor_relay relays[DESCRIPTOR_RELAYS_MAX];
    uint32_t mail_buckets;
    uint32_t members; /* band */
    uint32_t retention_days;
    uint32_t expires_day;     /* unix days */
    uint8_t hash[HASH_BYTES]; /* H(body); filled by read and by sign */
};

/* Write the body, sign it with one admin key, append the signed form.  0, -ENOMEM,
 * -EMSGSIZE. */
MUST_USE int descriptor_sign(struct descriptor *d, const uint8_t sk[SIGN_SK_BYTES],
                             struct buf *out);
/* Strict.  Checks that `needed` distinct admins of its own list signed.  0,
 * DESCRIPTOR_E_* or -ENOMEM, which says nothing about the descriptor. */
MUST_USE int descriptor_read(struct bytes signed_, struct descriptor *out);

#endif
