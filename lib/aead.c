/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/aead.h"

#include "lib/secret.h"

#include <assert.h>
#include <sodium.h>

static_assert(AEAD_KEY_BYTES == crypto_aead_chacha20poly1305_ietf_KEYBYTES, "key");
static_assert(AEAD_NONCE_BYTES == crypto_aead_chacha20poly1305_ietf_NPUBBYTES, "nonce");
static_assert(AEAD_TAG_BYTES == crypto_aead_chacha20poly1305_ietf_ABYTES, "tag");
static_assert(AEGIS_KEY_BYTES == crypto_aead_aegis256_KEYBYTES, "key");
static_assert(AEGIS_NONCE_BYTES == crypto_aead_aegis256_NPUBBYTES, "nonce");
static_assert(AEGIS_TAG_BYTES == crypto_aead_aegis256_ABYTES, "tag");

static const uint8_t
    once[AEAD_NONCE_BYTES]; /* zeros: each key seals one text (SPEC 6.1) */

void aead_seal(const uint8_t key[AEAD_KEY_BYTES], struct bytes ad, struct bytes pt,
               uint8_t *out)
{
    aead_seal_nonce(key, once, ad, pt, out);
}

int aead_open(const uint8_t key[AEAD_KEY_BYTES], struct bytes ad, struct bytes ct,
              uint8_t *out)
{
    return aead_open_nonce(key, once, ad, ct, out);
}

void aead_seal_nonce(const uint8_t key[AEAD_KEY_BYTES],
                     const uint8_t nonce[AEAD_NONCE_BYTES], struct bytes ad,
                     struct bytes pt, uint8_t *out)
{
    crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, pt.p, pt.n, ad.p, ad.n, NULL,
                                              nonce, key);
}

int aead_open_nonce(const uint8_t key[AEAD_KEY_BYTES],
                    const uint8_t nonce[AEAD_NONCE_BYTES], struct bytes ad,
                    struct bytes ct, uint8_t *out)
{
    if (ct.n < AEAD_TAG_BYTES)
        return AEAD_E_FORGED;
    if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, ct.p, ct.n, ad.p, ad.n,
                                                  nonce, key) == 0)
        return 0;
    if (ct.n > AEAD_TAG_BYTES)
        secret_wipe(out, ct.n - AEAD_TAG_BYTES);
    return AEAD_E_FORGED;
}

void aegis_seal(const uint8_t key[AEGIS_KEY_BYTES],
                const uint8_t nonce[AEGIS_NONCE_BYTES], struct bytes ad, struct bytes pt,
                uint8_t *out)
{
    crypto_aead_aegis256_encrypt(out, NULL, pt.p, pt.n, ad.p, ad.n, NULL, nonce, key);
}

int aegis_open(const uint8_t key[AEGIS_KEY_BYTES], const uint8_t nonce[AEGIS_NONCE_BYTES],
               struct bytes ad, struct bytes ct, uint8_t *out)
{
    if (ct.n < AEGIS_TAG_BYTES)
        return AEAD_E_FORGED;
    if (crypto_aead_aegis256_decrypt(out, NULL, NULL, ct.p, ct.n, ad.p, ad.n, nonce,
                                     key) == 0)
        return 0;
    if (ct.n > AEGIS_TAG_BYTES)
        secret_wipe(out, ct.n - AEGIS_TAG_BYTES);
    return AEAD_E_FORGED;
}
