/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/group.h"

#include "lib/kdf.h"
#include "lib/secret.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

enum { WIDE_BYTES = 64, SHA512_BLOCK_BYTES = 128 };

static_assert(GROUP_SCALAR_BYTES == crypto_core_ristretto255_SCALARBYTES, "scalar");
static_assert(GROUP_ELEMENT_BYTES == crypto_core_ristretto255_BYTES, "element");
static_assert(WIDE_BYTES == crypto_core_ristretto255_HASHBYTES, "hash to element");
static_assert(WIDE_BYTES == crypto_core_ristretto255_NONREDUCEDSCALARBYTES, "to scalar");
static_assert((int)WIDE_BYTES == (int)SHA512_BYTES, "expand() makes one block");
static_assert(sizeof(struct group_scalar) == GROUP_SCALAR_BYTES, "no padding");
static_assert(sizeof(struct group_element) == GROUP_ELEMENT_BYTES, "no padding");

/* ---- what comes in -------------------------------------------------------------- */

/* In 0..order-1: what reducing leaves as it is. */
static bool is_reduced(const struct group_scalar *s)
{
    uint8_t wide[WIDE_BYTES] = {0};
    struct group_scalar reduced;
    bool same;

    memcpy(wide, s->b, sizeof s->b);
    crypto_core_ristretto255_scalar_reduce(reduced.b, wide);
    same = secret_equal(reduced.b, s->b, sizeof s->b);
    secret_wipe(wide, sizeof wide);
    secret_wipe(&reduced, sizeof reduced);
    return same;
}

int group_scalar_check(const struct group_scalar *s)
{
    return is_reduced(s) && !secret_is_zero(s->b, sizeof s->b) ? 0 : GROUP_E_REFUSED;
}

int group_element_check(const struct group_element *e)
{
    if (crypto_core_ristretto255_is_valid_point(e->b) != 1 ||
        secret_is_zero(e->b, sizeof e->b))
        return GROUP_E_REFUSED;
    return 0;
}

/* ---- scalars -------------------------------------------------------------------- */

int group_scalar_random(struct group_scalar *s)
{
    uint8_t wide[WIDE_BYTES];
    int rc = rand_bytes(wide, sizeof wide);

    /* Twice the bits that are needed: the remainder is uniform to within 2^-250. */
    crypto_core_ristretto255_scalar_reduce(s->b, wide);
    secret_wipe(wide, sizeof wide);
    if (!rc && secret_is_zero(s->b, sizeof s->b))
        rc = -EIO; /* chance would need longer than there is time: the source is broken */
    if (rc)
        secret_wipe(s, sizeof *s);
    return rc;
}

void group_scalar_add(struct group_scalar *out, const struct group_scalar *a,
                      const struct group_scalar *b)
{
    crypto_core_ristretto255_scalar_add(out->b, a->b, b->b);
}

void group_scalar_sub(struct group_scalar *out, const struct group_scalar *a,
                      const struct group_scalar *b)
{
    crypto_core_ristretto255_scalar_sub(out->b, a->b, b->b);
}

void group_scalar_mul(struct group_scalar *out, const struct group_scalar *a,
                      const struct group_scalar *b)
{
    crypto_core_ristretto255_scalar_mul(out->b, a->b, b->b);
}

/* Montgomery's trick: invert the product of all, then peel one after the other off it. */
int group_scalars_invert(struct group_scalar *out, const struct group_scalar *in,
                         size_t count)
{
    struct group_scalar rest; /* 1 / (in[0] .. in[i]) */

    out[0] = in[0];
    for (size_t i = 1; i < count; i++)
        group_scalar_mul(&out[i], &out[i - 1], &in[i]);
    if (crypto_core_ristretto255_scalar_invert(rest.b, out[count - 1].b)) {
        secret_wipe(out, count * sizeof *out);
        return GROUP_E_REFUSED;
    }
    for (size_t i = count - 1; i > 0; i--) {
        group_scalar_mul(&out[i], &rest, &out[i - 1]);
        group_scalar_mul(&rest, &rest, &in[i]);
    }
    out[0] = rest;
    secret_wipe(&rest, sizeof rest);
    return 0;
}

/* ---- elements ------------------------------------------------------------------- */

static int refuse(struct group_element *out)
{
    secret_wipe(out, sizeof *out);
    return GROUP_E_REFUSED;
}

/* libsodium's own answer here covers bad encodings and the identity as the result; with
 * a group of prime order that leaves no way for the identity as an argument. */
int group_mul(struct group_element *out, const struct group_scalar *s,
              const struct group_element *e)
{
    struct group_element product;

    if (!is_reduced(s) || crypto_scalarmult_ristretto255(product.b, s->b, e->b))
        return refuse(out);
    *out = product;
    return 0;
}

int group_mul_base(struct group_element *out, const struct group_scalar *s)
{
    if (!is_reduced(s) || crypto_scalarmult_ristretto255_base(out->b, s->b))
        return refuse(out);
    return 0;
}

int group_add(struct group_element *out, const struct group_element *a,
              const struct group_element *b)
{
    struct group_element sum;

    if (secret_is_zero(a->b, sizeof a->b) || secret_is_zero(b->b, sizeof b->b) ||
        crypto_core_ristretto255_add(sum.b, a->b, b->b) ||
        secret_is_zero(sum.b, sizeof sum.b))
        return refuse(out);
    *out = sum;
    return 0;
}

/* ---- hashing -------------------------------------------------------------------- */

/* expand_message_xmd with SHA-512, always asked for 64 bytes: b_1 is the whole answer. */
static void expand(uint8_t out[WIDE_BYTES], struct bytes dst, const struct bytes *parts,
                   size_t count)
{
    static const uint8_t pad[SHA512_BLOCK_BYTES];
    static const uint8_t wanted[] = {0, WIDE_BYTES, 0};
    static const uint8_t one[] = {1};
    const uint8_t dst_bytes[] = {(uint8_t)dst.n};
    struct bytes first[GROUP_PARTS_MAX + 4] = {BYTES(pad)};
    uint8_t b_0[SHA512_BYTES];

    assert(count <= GROUP_PARTS_MAX && dst.n <= GROUP_DST_BYTES_MAX);
    for (size_t i = 0; i < count; i++)
        first[1 + i] = parts[i];
    first[1 + count] = BYTES(wanted);
    first[2 + count] = dst;
    first[3 + count] = BYTES(dst_bytes);
    sha512_parts(b_0, first, count + 4);
    sha512_parts(
        out, (const struct bytes[]){BYTES(b_0), BYTES(one), dst, BYTES(dst_bytes)}, 4);
    secret_wipe(b_0, sizeof b_0);
}

int group_hash_to_element(struct group_element *out, struct bytes dst,
                          const struct bytes *parts, size_t count)
{
    uint8_t wide[WIDE_BYTES];
    int rc;

    expand(wide, dst, parts, count);
    rc = crypto_core_ristretto255_from_hash(out->b, wide) ||
         secret_is_zero(out->b, sizeof out->b);
    secret_wipe(wide, sizeof wide);
    return rc ? refuse(out) : 0;
}

void group_hash_to_scalar(struct group_scalar *out, struct bytes dst,
                          const struct bytes *parts, size_t count)
{
    uint8_t wide[WIDE_BYTES];

    expand(wide, dst, parts, count);
    crypto_core_ristretto255_scalar_reduce(out->b, wide);
    secret_wipe(wide, sizeof wide);
}
