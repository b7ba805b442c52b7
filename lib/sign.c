/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/sign.h"

#include "lib/secret.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>

static_assert(SIGN_PK_BYTES == crypto_sign_ed25519_PUBLICKEYBYTES, "pk");
static_assert(SIGN_SK_BYTES == crypto_sign_ed25519_SECRETKEYBYTES, "sk");
static_assert(SIGN_SEED_BYTES == crypto_sign_ed25519_SEEDBYTES, "seed");
static_assert(SIGN_BYTES == crypto_sign_ed25519_BYTES, "signature");

int sign_keypair(uint8_t pk[SIGN_PK_BYTES], uint8_t sk[SIGN_SK_BYTES])
{
    uint8_t seed[SIGN_SEED_BYTES];
    int rc = rand_bytes(seed, sizeof seed);

    if (!rc)
        sign_keypair_from(seed, pk, sk);
    secret_wipe(seed, sizeof seed);
    return rc;
}

void sign_keypair_from(const uint8_t seed[SIGN_SEED_BYTES], uint8_t pk[SIGN_PK_BYTES],
                       uint8_t sk[SIGN_SK_BYTES])
{
    crypto_sign_ed25519_seed_keypair(pk, sk, seed);
}

/* Ed25519 reads its message twice, so the parts have to stand side by side. */
static int join(struct bytes label, const struct bytes *parts, size_t count,
                struct buf *out)
{
    size_t n = label.n;

    for (size_t i = 0; i < count; i++)
        n += parts[i].n;
    buf_init(out, n);
    buf_put(out, label.p, label.n);
    for (size_t i = 0; i < count; i++)
        buf_put(out, parts[i].p, parts[i].n);
    return out->rc;
}

int sign_parts(const uint8_t sk[SIGN_SK_BYTES], struct bytes label,
               const struct bytes *parts, size_t count, uint8_t sig[SIGN_BYTES])
{
    struct buf message;
    int rc = join(label, parts, count, &message);

    if (!rc)
        crypto_sign_ed25519_detached(sig, NULL, message.p, message.n, sk);
    buf_free(&message);
    return rc;
}

int sign_check(const uint8_t pk[SIGN_PK_BYTES], struct bytes label,
               const struct bytes *parts, size_t count, const uint8_t sig[SIGN_BYTES])
{
    struct buf message;
    int rc = join(label, parts, count, &message);

    if (!rc && crypto_sign_ed25519_verify_detached(sig, message.p, message.n, pk))
        rc = SIGN_E_FORGED;
    buf_free(&message);
    return rc;
}
