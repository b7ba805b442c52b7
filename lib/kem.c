/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kem.h"

#include "lib/secret.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

static_assert(KEM_PK_BYTES == crypto_kem_xwing_PUBLICKEYBYTES, "pk");
static_assert(KEM_SK_BYTES == crypto_kem_xwing_SECRETKEYBYTES, "sk");
static_assert(KEM_SK_BYTES == crypto_kem_xwing_SEEDBYTES, "a seed is the secret key");
static_assert(KEM_CT_BYTES == crypto_kem_xwing_CIPHERTEXTBYTES, "ct");
static_assert(KEM_SS_BYTES == crypto_kem_xwing_SHAREDSECRETBYTES, "ss");

/* Randomness is drawn here and handed to the deterministic calls, so that all of it
 * passes the seam of lib/secret.h. */
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

/* ---- kem_pk_check: the two reasons for which kem_enc refuses a key ---------------- */

enum { MLKEM_Q = 3329, MLKEM_VECTOR_BYTES = 1152, X25519_BYTES = 32 };

/* FIPS 203, 7.2: each 12-bit number of the encoded vector is below q. */
static bool vector_is_reduced(const uint8_t *pk)
{
    for (size_t i = 0; i < MLKEM_VECTOR_BYTES; i += 3) {
        unsigned first = pk[i] | (pk[i + 1] & 0x0fU) << 8;
        unsigned second = (unsigned)pk[i + 1] >> 4 | (unsigned)pk[i + 2] << 4;

        if (first >= MLKEM_Q || second >= MLKEM_Q)
            return false;
    }
    return true;
}

/* u-coordinates of order 1, 2, 4 and 8 of Curve25519 and its twist, unreduced forms below
 * 2^255 too; the top bit of a coordinate is not looked at (RFC 7748, 5). */
static bool point_is_small(const uint8_t u[X25519_BYTES])
{
    static const uint8_t order_8[2][X25519_BYTES] = {
        {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
         0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
         0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
        {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
         0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
         0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
    };
    uint8_t v[X25519_BYTES];
    size_t i;

    memcpy(v, u, sizeof v);
    v[31] &= 0x7f;
    if (memcmp(v, order_8[0], sizeof v) == 0 || memcmp(v, order_8[1], sizeof v) == 0)
        return true;
    for (i = 1; i < 31 && v[i] == v[1]; i++)
        ;
    if (i < 31)
        return false;
    if (v[1] == 0 && v[31] == 0)
        return v[0] <= 1; /* 0 and 1 */
    return v[1] == 0xff && v[31] == 0x7f && v[0] >= 0xec &&
           v[0] <= 0xee; /* p-1, p, p+1 */
}

int kem_pk_check(const uint8_t pk[KEM_PK_BYTES])
{
    if (!vector_is_reduced(pk) || point_is_small(pk + KEM_PK_BYTES - X25519_BYTES))
        return KEM_E_REFUSED;
    return 0;
}
