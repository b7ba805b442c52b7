/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/envelope.h"

#include "lib/secret.h"

#include <errno.h>
#include <string.h>

enum {
    PREFIX_BYTES = ENVELOPE_TAG_BYTES +
                   ENVELOPE_SALT_BYTES, /* what every ad begins with */
    HEADER_PLAIN_BYTES = ENVELOPE_HEADER_BYTES - AEAD_TAG_BYTES,
    BODY_PLAIN_BYTES = ENVELOPE_BODY_BYTES - AEAD_TAG_BYTES,
    LINK_PLAIN_BYTES = ENVELOPE_LINK_BYTES - AEAD_TAG_BYTES,
    BODY_AT = PREFIX_BYTES + ENVELOPE_HEADER_BYTES,
    TAKE_ZEROS_BYTES = LINK_PLAIN_BYTES - KEM_CT_BYTES - KEM_PK_BYTES -
                       ENVELOPE_BODY_BYTES,
    TH_BYTES = 32,
};

_Static_assert(ENVELOPE_BYTES == 4064, "SPEC 4.1");
_Static_assert(ENVELOPE_HEADER_BYTES == 2360, "SPEC 6: a sealed header");
_Static_assert(ENVELOPE_BODY_BYTES == 1672, "SPEC 6: a sealed body");
_Static_assert(ENVELOPE_LINK_BYTES == 4032, "SPEC 6: offer and take");
_Static_assert(TAKE_ZEROS_BYTES == 8, "SPEC 6: the zeros of a take");
_Static_assert(PAYLOAD_BYTES_MAX == 1622, "SPEC 7.1");

/* le16 length | payload | zeros: the end of a body and of an offer. */
static void put_padded(uint8_t *at, size_t room, struct bytes payload)
{
    le_put(at, payload.n, 2);
    if (payload.n)
        memcpy(at + 2, payload.p, payload.n);
    memset(at + 2 + payload.n, 0, room - 2 - payload.n);
}

/* True, and *n, if the length is one a sender may use and the rest is zeros. */
static bool padded_length(const uint8_t *at, size_t room, size_t *n)
{
    size_t claimed = (size_t)le_get(at, 2);

    if (claimed > PAYLOAD_BYTES_MAX ||
        !secret_is_zero(at + 2 + claimed, room - 2 - claimed))
        return false;
    *n = claimed;
    return true;
}

static void put_prefix(uint8_t *out, const uint8_t tag[16], const uint8_t salt[16])
{
    memcpy(out, tag, ENVELOPE_TAG_BYTES);
    memcpy(out + ENVELOPE_TAG_BYTES, salt, ENVELOPE_SALT_BYTES);
}

/* ---- bodies, SPEC 6: AEAD(K_body; th|..; 32 zeros | le16 len | payload | zeros) ---- */

/* ad of a body: th and then ad_n bytes of the envelope. */
static struct bytes body_ad(uint8_t out[TH_BYTES + BODY_AT], const uint8_t th[TH_BYTES],
                            const uint8_t *envelope, size_t ad_n)
{
    memcpy(out, th, TH_BYTES);
    memcpy(out + TH_BYTES, envelope, ad_n);
    return (struct bytes){out, TH_BYTES + ad_n};
}

static void body_seal(const uint8_t key[32], struct bytes ad, struct bytes payload,
                      uint8_t out[ENVELOPE_BODY_BYTES])
{
    uint8_t plain[BODY_PLAIN_BYTES] = {0};

    put_padded(plain + ENVELOPE_COMMIT_BYTES, sizeof plain - ENVELOPE_COMMIT_BYTES,
               payload);
    aead_seal(key, ad, BYTES(plain), out);
    secret_wipe(plain, sizeof plain);
}

static int body_open(const uint8_t key[32], struct bytes ad,
                     const uint8_t sealed[ENVELOPE_BODY_BYTES], uint8_t *payload,
                     size_t *payload_n)
{
    uint8_t plain[BODY_PLAIN_BYTES];
    const uint8_t *at = plain + ENVELOPE_COMMIT_BYTES;
    int rc = ENVELOPE_E_REFUSED;
    size_t n;

    if (aead_open(key, ad, (struct bytes){sealed, ENVELOPE_BODY_BYTES}, plain))
        goto out;
    /* ChaCha20-Poly1305 commits to no key: somebody can make one ciphertext that verifies
     * under two.  Under the second the zeros will not come out. */
    if (!secret_is_zero(plain, ENVELOPE_COMMIT_BYTES) ||
        !padded_length(at, sizeof plain - ENVELOPE_COMMIT_BYTES, &n))
        goto out;
    memcpy(payload, at + 2, n);
    *payload_n = n;
    rc = 0;
out:
    secret_wipe(plain, sizeof plain);
    return rc;
}

/* ---- mail ------------------------------------------------------------------------- */

int envelope_mail_seal(const uint8_t tag[16], const uint8_t salt[16],
                       const uint8_t k_hdr[32], const struct envelope_header *header,
                       const uint8_t k_body[32], const uint8_t th[32],
                       struct bytes payload, uint8_t *out)
{
    uint8_t plain[HEADER_PLAIN_BYTES], ad[TH_BYTES + BODY_AT];

    if (payload.n > PAYLOAD_BYTES_MAX)
        return -EMSGSIZE;
    put_prefix(out, tag, salt);
    memcpy(plain, header->pk, KEM_PK_BYTES);
    memcpy(plain + KEM_PK_BYTES, header->ct, KEM_CT_BYTES);
    le_put(plain + KEM_PK_BYTES + KEM_CT_BYTES, header->n, 4);
    le_put(plain + KEM_PK_BYTES + KEM_CT_BYTES + 4, header->pn, 4);
    aead_seal(k_hdr, (struct bytes){out, PREFIX_BYTES}, BYTES(plain), out + PREFIX_BYTES);
    body_seal(k_body, body_ad(ad, th, out, BODY_AT), payload, out + BODY_AT);
    secret_wipe(plain, sizeof plain);
    secret_wipe(ad, sizeof ad);
    return 0;
}

int envelope_header_open(const uint8_t *envelope, const uint8_t k_hdr[32],
                         struct envelope_header *out)
{
    uint8_t plain[HEADER_PLAIN_BYTES];
    int rc = ENVELOPE_E_REFUSED;

    if (aead_open(k_hdr, (struct bytes){envelope, PREFIX_BYTES},
                  (struct bytes){envelope + PREFIX_BYTES, ENVELOPE_HEADER_BYTES}, plain))
        goto out;
    memcpy(out->pk, plain, KEM_PK_BYTES);
    memcpy(out->ct, plain + KEM_PK_BYTES, KEM_CT_BYTES);
    out->n = (uint32_t)le_get(plain + KEM_PK_BYTES + KEM_CT_BYTES, 4);
    out->pn = (uint32_t)le_get(plain + KEM_PK_BYTES + KEM_CT_BYTES + 4, 4);
    rc = 0;
out:
    secret_wipe(plain, sizeof plain);
    return rc;
}

int envelope_body_open(const uint8_t *envelope, const uint8_t k_body[32],
                       const uint8_t th[32], uint8_t *payload, size_t *payload_n)
{
    uint8_t ad[TH_BYTES + BODY_AT];
    int rc = body_open(k_body, body_ad(ad, th, envelope, BODY_AT), envelope + BODY_AT,
                       payload, payload_n);

    secret_wipe(ad, sizeof ad);
    return rc;
}

/* ---- link envelopes, SPEC 6.2 ----------------------------------------------------- */

void envelope_link_keys(const uint8_t secret[32], enum envelope_link_kind kind,
                        const uint8_t salt[16], uint8_t tag[16], uint8_t key[32])
{
    const struct bytes s = {secret, 32};
    const uint8_t kind_byte = (uint8_t)kind;
    const struct bytes parts[] = {{&kind_byte, 1}, {salt, ENVELOPE_SALT_BYTES}};
    uint8_t of_tag[PRF_BYTES], of_key[PRF_BYTES];

    PRF(of_tag, s, LABEL("kith1 link tag"));
    PRF(of_key, s, LABEL("kith1 link key"));
    prf16_parts(tag, BYTES(of_tag), parts, 2);
    prf_parts(key, BYTES(of_key), parts, 2);
    secret_wipe(of_tag, sizeof of_tag);
    secret_wipe(of_key, sizeof of_key);
}

bool envelope_link_is(const uint8_t secret[32], enum envelope_link_kind kind,
                      const uint8_t *envelope)
{
    uint8_t tag[ENVELOPE_TAG_BYTES], key[32];

    envelope_link_keys(secret, kind, envelope + ENVELOPE_TAG_BYTES, tag, key);
    secret_wipe(key, sizeof key);
    return secret_equal(tag, envelope, sizeof tag);
}

static void link_seal(const uint8_t secret[32], enum envelope_link_kind kind,
                      const uint8_t plain[LINK_PLAIN_BYTES], uint8_t *out)
{
    uint8_t tag[ENVELOPE_TAG_BYTES], key[32];

    envelope_link_keys(secret, kind, out + ENVELOPE_TAG_BYTES, tag, key);
    memcpy(out, tag, sizeof tag);
    aead_seal(key, (struct bytes){out, PREFIX_BYTES},
              (struct bytes){plain, LINK_PLAIN_BYTES}, out + PREFIX_BYTES);
    secret_wipe(key, sizeof key);
}

static int link_open(const uint8_t secret[32], enum envelope_link_kind kind,
                     const uint8_t *envelope, uint8_t plain[LINK_PLAIN_BYTES])
{
    uint8_t tag[ENVELOPE_TAG_BYTES], key[32];
    int rc = 0;

    envelope_link_keys(secret, kind, envelope + ENVELOPE_TAG_BYTES, tag, key);
    if (!secret_equal(tag, envelope, sizeof tag) ||
        aead_open(key, (struct bytes){envelope, PREFIX_BYTES},
                  (struct bytes){envelope + PREFIX_BYTES, ENVELOPE_LINK_BYTES}, plain))
        rc = ENVELOPE_E_REFUSED;
    secret_wipe(key, sizeof key);
    return rc;
}

int envelope_offer_seal(const uint8_t secret[32], const uint8_t salt[16],
                        const uint8_t pk[KEM_PK_BYTES], struct bytes payload,
                        uint8_t *out)
{
    uint8_t plain[LINK_PLAIN_BYTES];

    if (payload.n > PAYLOAD_BYTES_MAX)
        return -EMSGSIZE;
    memcpy(out + ENVELOPE_TAG_BYTES, salt, ENVELOPE_SALT_BYTES);
    memcpy(plain, pk, KEM_PK_BYTES);
    put_padded(plain + KEM_PK_BYTES, sizeof plain - KEM_PK_BYTES, payload);
    link_seal(secret, ENVELOPE_OFFER, plain, out);
    secret_wipe(plain, sizeof plain);
    return 0;
}

int envelope_offer_open(const uint8_t secret[32], const uint8_t *envelope,
                        uint8_t pk[KEM_PK_BYTES], uint8_t *payload, size_t *payload_n)
{
    uint8_t plain[LINK_PLAIN_BYTES];
    int rc = link_open(secret, ENVELOPE_OFFER, envelope, plain);
    size_t n;

    if (rc)
        goto out;
    rc = ENVELOPE_E_REFUSED;
    if (!padded_length(plain + KEM_PK_BYTES, sizeof plain - KEM_PK_BYTES, &n))
        goto out;
    memcpy(pk, plain, KEM_PK_BYTES);
    memcpy(payload, plain + KEM_PK_BYTES + 2, n);
    *payload_n = n;
    rc = 0;
out:
    secret_wipe(plain, sizeof plain);
    return rc;
}

int envelope_take_seal(const uint8_t secret[32], const uint8_t salt[16],
                       const uint8_t ct[KEM_CT_BYTES], const uint8_t pk[KEM_PK_BYTES],
                       const uint8_t k_body[32], const uint8_t th_1[32],
                       struct bytes payload, uint8_t *out)
{
    uint8_t plain[LINK_PLAIN_BYTES] = {0}, ad[TH_BYTES + BODY_AT];
    uint8_t tag[ENVELOPE_TAG_BYTES], key[32];

    if (payload.n > PAYLOAD_BYTES_MAX)
        return -EMSGSIZE;
    envelope_link_keys(secret, ENVELOPE_TAKE, salt, tag, key);
    put_prefix(out, tag, salt); /* the body's ad covers both */
    memcpy(plain, ct, KEM_CT_BYTES);
    memcpy(plain + KEM_CT_BYTES, pk, KEM_PK_BYTES);
    body_seal(k_body, body_ad(ad, th_1, out, PREFIX_BYTES), payload,
              plain + KEM_CT_BYTES + KEM_PK_BYTES);
    link_seal(secret, ENVELOPE_TAKE, plain, out);
    secret_wipe(plain, sizeof plain);
    secret_wipe(ad, sizeof ad);
    secret_wipe(key, sizeof key);
    return 0;
}

int envelope_take_open(const uint8_t secret[32], const uint8_t *envelope,
                       uint8_t ct[KEM_CT_BYTES], uint8_t pk[KEM_PK_BYTES],
                       uint8_t body[ENVELOPE_BODY_BYTES])
{
    uint8_t plain[LINK_PLAIN_BYTES];
    int rc = link_open(secret, ENVELOPE_TAKE, envelope, plain);

    if (rc)
        goto out;
    rc = ENVELOPE_E_REFUSED;
    if (!secret_is_zero(plain + sizeof plain - TAKE_ZEROS_BYTES, TAKE_ZEROS_BYTES))
        goto out;
    memcpy(ct, plain, KEM_CT_BYTES);
    memcpy(pk, plain + KEM_CT_BYTES, KEM_PK_BYTES);
    memcpy(body, plain + KEM_CT_BYTES + KEM_PK_BYTES, ENVELOPE_BODY_BYTES);
    rc = 0;
out:
    secret_wipe(plain, sizeof plain);
    return rc;
}

int envelope_take_body_open(const uint8_t *envelope,
                            const uint8_t body[ENVELOPE_BODY_BYTES],
                            const uint8_t k_body[32], const uint8_t th_1[32],
                            uint8_t *payload, size_t *payload_n)
{
    uint8_t ad[TH_BYTES + BODY_AT];
    int rc = body_open(k_body, body_ad(ad, th_1, envelope, PREFIX_BYTES), body, payload,
                       payload_n);

    secret_wipe(ad, sizeof ad);
    return rc;
}
