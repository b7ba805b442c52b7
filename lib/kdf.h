/* SPDX-License-Identifier: Apache-2.0 */
/* kdf: hashes, PRFs and key derivation (SPEC, page head and 1).  Threads: any. */
#ifndef KITH_LIB_KDF_H
#define KITH_LIB_KDF_H

#include "lib/buf.h"

enum {
    HASH_BYTES = 32,
    PRF_BYTES = 32,
    PRF16_BYTES = 16,
    PRK_BYTES = 64,
    SHA512_BYTES = 64,
    PW_SALT_BYTES = 16
};

/* H over the concatenation of count views (count <= 8). */
void hash_parts(uint8_t out[HASH_BYTES], const struct bytes *parts, size_t count);
#define HASH(out, ...)                                     \
    hash_parts((out), (const struct bytes[]){__VA_ARGS__}, \
               sizeof((const struct bytes[]){__VA_ARGS__}) / sizeof(struct bytes))

/* B(key, parts) and B16; key 1..64 bytes. */
void prf_parts(uint8_t out[PRF_BYTES], struct bytes key, const struct bytes *parts,
               size_t count);
void prf16_parts(uint8_t out[PRF16_BYTES], struct bytes key, const struct bytes *parts,
                 size_t count);
#define PRF(out, key, ...)                                       \
    prf_parts((out), (key), (const struct bytes[]){__VA_ARGS__}, \
              sizeof((const struct bytes[]){__VA_ARGS__}) / sizeof(struct bytes))
#define PRF16(out, key, ...)                                       \
    prf16_parts((out), (key), (const struct bytes[]){__VA_ARGS__}, \
                sizeof((const struct bytes[]){__VA_ARGS__}) / sizeof(struct bytes))

/* The bytes of a string literal, without its closing zero. */
#define LABEL(s) ((struct bytes){(const uint8_t *)(s), sizeof(s) - 1})

void sha512_parts(uint8_t out[SHA512_BYTES], const struct bytes *parts, size_t count);

/* HKDF-SHA-512, RFC 5869.  out_n at most 16,320. */
void hkdf_extract(uint8_t prk[PRK_BYTES], struct bytes salt, struct bytes ikm);
void hkdf_expand(const uint8_t prk[PRK_BYTES], struct bytes info, uint8_t *out,
                 size_t out_n);
/* HKDF-SHA-256, for vectors only. prk 32 bytes; out_n at most 8,160. */
void hkdf256_extract(uint8_t prk[32], struct bytes salt, struct bytes ikm);
void hkdf256_expand(const uint8_t prk[32], struct bytes info, uint8_t *out, size_t out_n);

/* Argon2id, one lane.  mem_kib >= 8, passes >= 1, out_n >= 16.  Slow: off the loop.
 * Returns 0 or -ENOMEM (out zeroed). */
MUST_USE int pw_derive(struct bytes password, const uint8_t salt[PW_SALT_BYTES],
                       uint32_t mem_kib, uint32_t passes, uint8_t *out, size_t out_n);

#endif
