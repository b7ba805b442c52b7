/* SPDX-License-Identifier: Apache-2.0 */
/* group: ristretto255, its scalars and elements, strict where libsodium is lenient.
 * libsodium's calls reduce scalars, drop their top bit and take the identity for an
 * element; everything here refuses that.  RFC 9496; RFC 9497, 2.1 and 4.1; hashing as
 * RFC 9380, 5.3.1 (expand_message_xmd) with SHA-512.
 * Flow     poprf -> group -> libsodium
 * Owns     nothing; secret values on its own stack are wiped
 * Threads  any.  Constant time in scalars and elements, but for the verdict. */
#ifndef KITH_LIB_GROUP_H
#define KITH_LIB_GROUP_H

#include "lib/buf.h"

enum {
    GROUP_SCALAR_BYTES = 32,  /* little-endian, below the group's order */
    GROUP_ELEMENT_BYTES = 32, /* the canonical encoding */
    GROUP_DST_BYTES_MAX = 255,
    GROUP_PARTS_MAX = 4,
};

enum { GROUP_E_REFUSED = 1 /* not a scalar, not an element, zero or the identity */ };

/* As they travel, without padding: an array of them is their bytes side by side. */
struct group_scalar {
    uint8_t b[GROUP_SCALAR_BYTES];
};
struct group_element {
    uint8_t b[GROUP_ELEMENT_BYTES];
};

/* Is s in 1..order-1?  Returns 0 or GROUP_E_REFUSED. */
MUST_USE int group_scalar_check(const struct group_scalar *s);
/* Is e the canonical encoding of an element that is not the identity?  Returns 0 or
 * GROUP_E_REFUSED. */
MUST_USE int group_element_check(const struct group_element *e);

/* A uniform scalar in 1..order-1 (RFC 9497, 4.7.2).  Returns 0 or -EIO (s zeroed). */
MUST_USE int group_scalar_random(struct group_scalar *s);

/* a, b: scalars that passed group_scalar_check or came from here.  out may be a or b.
 * The result may be zero. */
void group_scalar_add(struct group_scalar *out, const struct group_scalar *a,
                      const struct group_scalar *b);
void group_scalar_sub(struct group_scalar *out, const struct group_scalar *a,
                      const struct group_scalar *b);
void group_scalar_mul(struct group_scalar *out, const struct group_scalar *a,
                      const struct group_scalar *b);
/* out[i] = 1/in[i] for count >= 1 of such; apart from each other.  All together cost
 * little more than one.  Returns 0 or GROUP_E_REFUSED: one is zero (out zeroed). */
MUST_USE int group_scalars_invert(struct group_scalar *out, const struct group_scalar *in,
                                  size_t count);

/* out = s e, s G and a + b; out may be an argument.  Return 0 or GROUP_E_REFUSED (out
 * zeroed): an argument is no scalar in 0..order-1 or no element, or an argument or the
 * result is the identity. */
MUST_USE int group_mul(struct group_element *out, const struct group_scalar *s,
                       const struct group_element *e);
MUST_USE int group_mul_base(struct group_element *out, const struct group_scalar *s);
MUST_USE int group_add(struct group_element *out, const struct group_element *a,
                       const struct group_element *b);

/* HashToGroup and HashToScalar of RFC 9497, 4.1, over the concatenation of count views
 * (count <= GROUP_PARTS_MAX) under the tag dst (dst.n <= GROUP_DST_BYTES_MAX).  The
 * element: 0, or GROUP_E_REFUSED for the identity, which nobody can aim at.  The scalar
 * is in 0..order-1. */
MUST_USE int group_hash_to_element(struct group_element *out, struct bytes dst,
                                   const struct bytes *parts, size_t count);
void group_hash_to_scalar(struct group_scalar *out, struct bytes dst,
                          const struct bytes *parts, size_t count);

#endif
