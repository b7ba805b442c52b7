/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kem.h"

#include "lib/secret.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>

static_assert(KEM_PK_BYTES == crypto_kem_xwing_PUBLICKEYBYTES, "pk");
static_assert(KEM_SK_BYTES == crypto_kem_xwing_SECRETKEYBYTES, "sk");
static_assert(KEM_SK_BYTES == crypto_kem_xwing_SEEDBYTES, "a seed is the secret key");
static_assert(KEM_CT_BYTES == crypto_kem_xwing_CIPHERTEXTBYTES, "ct");
static_assert(KEM_SS_BYTES == crypto_kem_xwing_SHAREDSECRETBYTES, "ss");

/* Randomness is drawn here and handed to the deterministic calls, so that all of it passes
 * the seam of lib/secret.h. */
int kem_keypair(uint8_t pk[KEM_PK_BYTES], uint8_t sk[KEM_SK_BYTES])
{
    uint8_t seed[KEM_SK_BYTES];
    int rc = rand_bytes(seed, sizeof seed);

    if (!rc)
        rc = kem_keypair_from(seed, pk, sk);
    secret_wipe(seed, sizeof seed);
    return rc;
}

int kem_keypair_from(const uint8_t seed[KEM_SK_BYTES], uint8_t pk[KEM_PK_BYTES],
                     uint8_t sk[KEM_SK_BYTES])
{
    return crypto_kem_xwing_seed_keypair(pk, sk, seed) ? -EIO : 0;
}

int kem_enc(const uint8_t pk[KEM_PK_BYTES], uint8_t ct[KEM_CT_BYTES],
            uint8_t ss[KEM_SS_BYTES])
{
    uint8_t eseed[KEM_ESEED_BYTES];
    int rc = rand_bytes(eseed, sizeof eseed);

    if (!rc)
        rc = kem_enc_from(pk, eseed, ct, ss);
    secret_wipe(eseed, sizeof eseed);
    return rc;
}

int kem_enc_from(const uint8_t pk[KEM_PK_BYTES], const uint8_t eseed[KEM_ESEED_BYTES],
                 uint8_t ct[KEM_CT_BYTES], uint8_t ss[KEM_SS_BYTES])
{
    if (crypto_kem_xwing_enc_deterministic(ct, ss, pk, eseed) == 0)
        return 0;
    secret_wipe(ct, KEM_CT_BYTES);
    secret_wipe(ss, KEM_SS_BYTES);
    return KEM_E_REFUSED;
}

int kem_dec(const uint8_t sk[KEM_SK_BYTES], const uint8_t ct[KEM_CT_BYTES],
            uint8_t ss[KEM_SS_BYTES])
{
    if (crypto_kem_xwing_dec(ss, ct, sk) == 0)
        return 0;
    secret_wipe(ss, KEM_SS_BYTES);
    return KEM_E_REFUSED;
}
