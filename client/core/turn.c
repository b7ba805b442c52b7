/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/turn.h"

#include "lib/secret.h"

#include <string.h>

/* ---- deriving --------------------------------------------------------------------- */

void turn_link_root(struct turn_root *out, const uint8_t secret[TURN_KEY_BYTES],
                    const uint8_t cohort[HASH_BYTES], const uint8_t pk[KEM_PK_BYTES])
{
    const struct bytes s = {secret, TURN_KEY_BYTES};
    uint8_t of_secret[HASH_BYTES], prk[PRK_BYTES];

    memset(out, 0, sizeof *out);
    HASH(of_secret, s);
    HASH(out->th, LABEL("kith1 link0"), (struct bytes){cohort, HASH_BYTES},
         BYTES(of_secret), (struct bytes){pk, KEM_PK_BYTES});
    hkdf_extract(prk, BYTES(out->th), s);
    hkdf_expand(prk, LABEL("kith1 link"), out->rk, sizeof out->rk);
    secret_wipe(prk, sizeof prk);
}

void turn_derive(struct turn_secrets *out, const struct turn_root *before, uint32_t turn,
                 const uint8_t pk[KEM_PK_BYTES], const uint8_t ct[KEM_CT_BYTES],
                 const uint8_t ss[KEM_SS_BYTES])
{
    static const char label[] = "kith1 turn";
    uint8_t prk[PRK_BYTES], info[sizeof label - 1 + HASH_BYTES];
    uint8_t okm[4 * TURN_KEY_BYTES]; /* RK | CK | HK_{t+1} | HK_1 */
    size_t okm_n = turn == 1 ? sizeof okm : sizeof okm - TURN_KEY_BYTES;

    memset(out, 0, sizeof *out);
    HASH(out->root.th, LABEL("kith1 th"), BYTES(before->th),
         (struct bytes){pk, KEM_PK_BYTES}, (struct bytes){ct, KEM_CT_BYTES});
    hkdf_extract(prk, BYTES(before->rk), (struct bytes){ss, KEM_SS_BYTES});
    memcpy(info, label, sizeof label - 1);
    memcpy(info + sizeof label - 1, out->root.th, HASH_BYTES);
    hkdf_expand(prk, BYTES(info), okm, okm_n);
    memcpy(out->root.rk, okm, TURN_KEY_BYTES);
    memcpy(out->ck, okm + TURN_KEY_BYTES, TURN_KEY_BYTES);
    memcpy(out->root.hk_next, okm + (size_t)2 * TURN_KEY_BYTES, TURN_KEY_BYTES);
    if (turn == 1) {
        memcpy(out->hk_1, okm + (size_t)3 * TURN_KEY_BYTES, TURN_KEY_BYTES);
        hkdf_expand(prk, LABEL("kith1 reset"), out->rs, sizeof out->rs);
    }
    secret_wipe(prk, sizeof prk);
    secret_wipe(okm, sizeof okm);
}

void turn_heads(struct turn_heads *out, const uint8_t hk[TURN_KEY_BYTES])
{
    const struct bytes key = {hk, TURN_KEY_BYTES};

    PRF(out->tk, key, LABEL("kith1 tag"));
    PRF(out->he, key, LABEL("kith1 header"));
}

void turn_tag(uint8_t tag[PRF16_BYTES], const struct turn_heads *heads, uint32_t n)
{
    uint8_t le[4];

    le_put(le, n, sizeof le);
    PRF16(tag, BYTES(heads->tk), BYTES(le));
}

void turn_header_key(uint8_t key[PRF_BYTES], const struct turn_heads *heads, uint32_t n,
                     const uint8_t salt[16])
{
    uint8_t le[4];

    le_put(le, n, sizeof le);
    PRF(key, BYTES(heads->he), BYTES(le), (struct bytes){salt, 16});
}

void turn_step(uint8_t ck[TURN_KEY_BYTES], uint8_t mk[TURN_KEY_BYTES])
{
    uint8_t next[PRF_BYTES];
    const struct bytes key = {ck, TURN_KEY_BYTES};

    PRF(mk, key, LABEL("kith1 message"));
    PRF(next, key, LABEL("kith1 chain"));
    memcpy(ck, next, sizeof next);
    secret_wipe(next, sizeof next);
}

void turn_body_key(uint8_t key[PRF_BYTES], const uint8_t mk[TURN_KEY_BYTES],
                   const uint8_t salt[16])
{
    PRF(key, ((struct bytes){mk, TURN_KEY_BYTES}), LABEL("kith1 body"),
        (struct bytes){salt, 16});
}

/* ---- one envelope ----------------------------------------------------------------- */

int turn_seal(const struct turn_heads *heads, const struct envelope_header *header,
              const uint8_t mk[TURN_KEY_BYTES], const uint8_t th[HASH_BYTES],
              const uint8_t salt[ENVELOPE_SALT_BYTES], struct bytes payload,
              uint8_t envelope[ENVELOPE_BYTES])
{
    uint8_t tag[ENVELOPE_TAG_BYTES], k_hdr[PRF_BYTES], k_body[PRF_BYTES];
    int rc;

    turn_tag(tag, heads, header->n);
    turn_header_key(k_hdr, heads, header->n, salt);
    turn_body_key(k_body, mk, salt);
    rc = envelope_mail_seal(tag, salt, k_hdr, header, k_body, th, payload, envelope);
    secret_wipe(k_hdr, sizeof k_hdr);
    secret_wipe(k_body, sizeof k_body);
    return rc;
}

int turn_open_header(const struct turn_heads *heads, uint32_t n,
                     const uint8_t envelope[ENVELOPE_BYTES],
                     struct envelope_header *header)
{
    uint8_t k_hdr[PRF_BYTES];
    int rc;

    turn_header_key(k_hdr, heads, n, envelope + ENVELOPE_TAG_BYTES);
    rc = envelope_header_open(envelope, k_hdr, header);
    secret_wipe(k_hdr, sizeof k_hdr);
    if (rc || header->n != n || header->pn > TURN_ENVELOPES_MAX)
        return TURN_E_REFUSED;
    return 0;
}

int turn_open_body(const uint8_t mk[TURN_KEY_BYTES], const uint8_t th[HASH_BYTES],
                   const uint8_t envelope[ENVELOPE_BYTES], uint8_t *payload,
                   size_t *payload_n)
{
    uint8_t k_body[PRF_BYTES];
    int rc;

    turn_body_key(k_body, mk, envelope + ENVELOPE_TAG_BYTES);
    rc = envelope_body_open(envelope, k_body, th, payload, payload_n);
    secret_wipe(k_body, sizeof k_body);
    return rc ? TURN_E_REFUSED : 0;
}
