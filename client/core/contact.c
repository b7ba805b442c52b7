/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/contact.h"

#include "lib/secret.h"

#include <errno.h>
#include <string.h>

int contact_offer_new(struct contact_offer *out)
{
    int rc = rand_bytes(out->secret, sizeof out->secret);

    if (!rc)
        rc = kem_keypair(out->pk, out->sk);
    if (rc)
        secret_wipe(out, sizeof *out);
    return rc;
}

int contact_offer_seal(const struct contact_offer *offer, struct bytes payload,
                       uint8_t envelope[ENVELOPE_BYTES])
{
    uint8_t salt[ENVELOPE_SALT_BYTES];
    int rc = rand_bytes(salt, sizeof salt);

    return rc ? rc
              : envelope_offer_seal(offer->secret, salt, offer->pk, payload, envelope);
}

bool contact_is(const uint8_t secret[LINK_SECRET_BYTES], enum envelope_link_kind kind,
                const uint8_t envelope[ENVELOPE_BYTES])
{
    return envelope_link_is(secret, kind, envelope);
}

int contact_offer_open(const uint8_t secret[LINK_SECRET_BYTES],
                       const uint8_t envelope[ENVELOPE_BYTES], uint8_t pk[KEM_PK_BYTES],
                       uint8_t *payload, size_t *payload_n)
{
    if (envelope_offer_open(secret, envelope, pk, payload, payload_n))
        return CONTACT_E_REFUSED;
    return 0;
}

int contact_take_start(const uint8_t secret[LINK_SECRET_BYTES],
                       const uint8_t cohort[HASH_BYTES], const uint8_t pk[KEM_PK_BYTES],
                       struct ratchet **out)
{
    int rc = ratchet_start_taker(secret, cohort, pk, out);

    return rc == RATCHET_E_REFUSED ? CONTACT_E_REFUSED : err_fold(rc);
}

int contact_take_seal(const struct ratchet *r, const uint8_t secret[LINK_SECRET_BYTES],
                      struct bytes payload, uint8_t envelope[ENVELOPE_BYTES])
{
    uint8_t salt[ENVELOPE_SALT_BYTES];
    struct ratchet_take take;
    int rc = rand_bytes(salt, sizeof salt);

    if (rc)
        return rc;
    if (ratchet_take_parts(r, salt, &take))
        return CONTACT_E_TAKEN;
    rc = envelope_take_seal(secret, salt, take.ct, take.pk, take.k_body, take.th_1,
                            payload, envelope);
    secret_wipe(&take, sizeof take);
    return rc;
}

/* The take's body under the session that its outer layer began. */
static int open_first(struct ratchet *r, const uint8_t *envelope,
                      const uint8_t body[ENVELOPE_BODY_BYTES], uint8_t *payload,
                      size_t *payload_n)
{
    uint8_t k_body[AEAD_KEY_BYTES], th_1[HASH_BYTES];
    int rc = ratchet_take_open_key(r, envelope + ENVELOPE_TAG_BYTES, k_body, th_1);

    if (!rc)
        rc = envelope_take_body_open(envelope, body, k_body, th_1, payload, payload_n);
    secret_wipe(k_body, sizeof k_body);
    return rc ? CONTACT_E_REFUSED : 0;
}

int contact_accept(const struct contact_offer *offer, const uint8_t cohort[HASH_BYTES],
                   const uint8_t envelope[ENVELOPE_BYTES], uint32_t minute,
                   uint8_t *payload, size_t *payload_n, struct ratchet **out)
{
    uint8_t ct[KEM_CT_BYTES], pk[KEM_PK_BYTES], body[ENVELOPE_BODY_BYTES];
    struct ratchet *r = NULL;
    int rc;

    if (envelope_take_open(offer->secret, envelope, ct, pk, body))
        return CONTACT_E_REFUSED;
    rc = ratchet_start_inviter(offer->secret, cohort, offer->pk, offer->sk, ct, pk, &r);
    if (rc)
        return rc == RATCHET_E_REFUSED ? CONTACT_E_REFUSED : err_fold(rc);
    rc = open_first(r, envelope, body, payload, payload_n);
    if (rc)
        goto out;
    ratchet_take_opened(r, minute);
    *out = r;
    r = NULL;
out:
    ratchet_free(r);
    return rc;
}

int contact_take_id(const uint8_t secret[LINK_SECRET_BYTES],
                    const uint8_t envelope[ENVELOPE_BYTES], uint8_t id[HASH_BYTES])
{
    uint8_t ct[KEM_CT_BYTES], pk[KEM_PK_BYTES], body[ENVELOPE_BODY_BYTES];

    if (envelope_take_open(secret, envelope, ct, pk, body))
        return CONTACT_E_REFUSED;
    HASH(id, BYTES(ct), BYTES(pk));
    return 0;
}
