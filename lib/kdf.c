/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kdf.h"

#include "lib/seam.h"
#include "lib/secret.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

static_assert(PRK_BYTES == crypto_kdf_hkdf_sha512_KEYBYTES, "prk");
static_assert(SHA512_BYTES == crypto_hash_sha512_BYTES, "sha512");
static_assert(PW_SALT_BYTES == crypto_pwhash_argon2id_SALTBYTES, "salt");

/* A key or hash that was not made must not be used: there is no caller to go on with. */
static void must(int rc)
{
    if (rc)
        abort();
}

static void blake2b(uint8_t *out, size_t out_n, struct bytes key,
                    const struct bytes *parts, size_t count)
{
    crypto_generichash_blake2b_state state;

    must(crypto_generichash_blake2b_init(&state, key.p, key.n, out_n));
    for (size_t i = 0; i < count; i++)
        must(crypto_generichash_blake2b_update(&state, parts[i].p, parts[i].n));
    must(crypto_generichash_blake2b_final(&state, out, out_n));
    secret_wipe(&state, sizeof state);
}

void hash_parts(uint8_t out[HASH_BYTES], const struct bytes *parts, size_t count)
{
    blake2b(out, HASH_BYTES, (struct bytes){NULL, 0}, parts, count);
}

void prf_parts(uint8_t out[PRF_BYTES], struct bytes key, const struct bytes *parts,
               size_t count)
{
    must(key.n == 0); /* libsodium would take it for no key at all */
    blake2b(out, PRF_BYTES, key, parts, count);
}

void prf16_parts(uint8_t out[PRF16_BYTES], struct bytes key, const struct bytes *parts,
                 size_t count)
{
    must(key.n == 0);
    blake2b(out, PRF16_BYTES, key, parts, count);
}

void sha512_parts(uint8_t out[SHA512_BYTES], const struct bytes *parts, size_t count)
{
    crypto_hash_sha512_state state;

    must(crypto_hash_sha512_init(&state));
    for (size_t i = 0; i < count; i++)
        must(crypto_hash_sha512_update(&state, parts[i].p, parts[i].n));
    must(crypto_hash_sha512_final(&state, out));
    secret_wipe(&state, sizeof state);
}

void hkdf_extract(uint8_t prk[PRK_BYTES], struct bytes salt, struct bytes ikm)
{
    must(crypto_kdf_hkdf_sha512_extract(prk, salt.p, salt.n, ikm.p, ikm.n));
}

void hkdf_expand(const uint8_t prk[PRK_BYTES], struct bytes info, uint8_t *out,
                 size_t out_n)
{
    must(crypto_kdf_hkdf_sha512_expand(out, out_n, (const char *)info.p, info.n, prk));
}

void hkdf256_extract(uint8_t prk[32], struct bytes salt, struct bytes ikm)
{
    must(crypto_kdf_hkdf_sha256_extract(prk, salt.p, salt.n, ikm.p, ikm.n));
}

void hkdf256_expand(const uint8_t prk[32], struct bytes info, uint8_t *out, size_t out_n)
{
    must(crypto_kdf_hkdf_sha256_expand(out, out_n, (const char *)info.p, info.n, prk));
}

int pw_derive(struct bytes password, const uint8_t salt[PW_SALT_BYTES], uint32_t mem_kib,
              uint32_t passes, uint8_t *out, size_t out_n)
{
    int rc = seam_check(SEAM_ALLOC);

    if (!rc && crypto_pwhash_argon2id(out, out_n, (const char *)password.p, password.n,
                                      salt, passes, (size_t)mem_kib * 1024,
                                      crypto_pwhash_argon2id_ALG_ARGON2ID13))
        rc = -ENOMEM;
    if (rc)
        secret_wipe(out, out_n);
    return rc;
}
