/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/channel.h"

#include "lib/secret.h"

#include <errno.h>
#include <string.h>

static const char protocol_name[] = "Noise_pqNK_XWing_AEGIS256_SHA512";

enum {
    REKEY_RECORDS = 65536, /* SPEC 2.5 */
    OVERHEAD_BYTES = 2 + AEGIS_TAG_BYTES + 2,
};

_Static_assert(CHANNEL_MSG1_BYTES == 2368, "SPEC 2.2: message 1");
_Static_assert(CHANNEL_MSG2_BYTES == 1152, "SPEC 2.2: message 2");
_Static_assert(CHANNEL_ASK_ANSWER_BYTES == 1248, "SPEC 2.1: key and cohort id");
_Static_assert(CHANNEL_RECORD_BYTES == 4480, "SPEC 2.4: a client's record");
_Static_assert(CHANNEL_RECORD_MAX_BYTES == 62720, "SPEC 2.4: the relay's largest record");
_Static_assert(CHANNEL_RECORD_MAX_BYTES % CHANNEL_RECORD_BYTES == 0,
               "SPEC 2.4: a multiple");
_Static_assert(CHANNEL_RECORD_MAX_BYTES - 2 <= UINT16_MAX, "clen has 16 bits");
_Static_assert(CHANNEL_FRAMES_ROOM(CHANNEL_RECORD_BYTES) == FRAME_CLIENT_MAX_BYTES,
               "what fits a client's record");
_Static_assert(CHANNEL_FRAMES_ROOM(CHANNEL_RECORD_MAX_BYTES) == FRAME_RELAY_MAX_BYTES,
               "what fits the relay's largest record");
_Static_assert(sizeof protocol_name - 1 <= CHANNEL_HASH_BYTES,
               "a longer name would be hashed");

void channel_wipe(struct channel *c)
{
    secret_wipe(c, sizeof *c);
}

/* ---- handshake, SPEC 2.2 ---------------------------------------------------------- */

static void nonce_of(uint64_t n, uint8_t nonce[AEGIS_NONCE_BYTES])
{
    memset(nonce, 0, AEGIS_NONCE_BYTES);
    le_put(nonce, n, 8);
}

static void mix_hash(struct channel *c, const uint8_t *data, size_t n)
{
    const struct bytes parts[] = {BYTES(c->h), {data, n}};
    uint8_t h[CHANNEL_HASH_BYTES];

    sha512_parts(h, parts, 2);
    memcpy(c->h, h, sizeof h);
}

/* Noise's HKDF with two outputs is RFC 5869's Expand with an empty info. */
static void two_keys(const uint8_t ck[CHANNEL_HASH_BYTES], struct bytes ikm,
                     uint8_t out[2 * SHA512_BYTES])
{
    uint8_t prk[PRK_BYTES];

    hkdf_extract(prk, (struct bytes){ck, CHANNEL_HASH_BYTES}, ikm);
    hkdf_expand(prk, LABEL(""), out, 2 * SHA512_BYTES);
    secret_wipe(prk, sizeof prk);
}

static void mix_key(struct channel *c, const uint8_t ss[KEM_SS_BYTES])
{
    uint8_t okm[2 * SHA512_BYTES];

    two_keys(c->ck, (struct bytes){ss, KEM_SS_BYTES}, okm);
    memcpy(c->ck, okm, sizeof c->ck);
    memcpy(c->k, okm + SHA512_BYTES, sizeof c->k);
    c->n = 0;
    secret_wipe(okm, sizeof okm);
}

static void seal_empty(struct channel *c, uint8_t tag[AEGIS_TAG_BYTES])
{
    uint8_t nonce[AEGIS_NONCE_BYTES];

    nonce_of(c->n++, nonce);
    aegis_seal(c->k, nonce, BYTES(c->h), LABEL(""), tag);
    mix_hash(c, tag, AEGIS_TAG_BYTES);
}

static int open_empty(struct channel *c, const uint8_t tag[AEGIS_TAG_BYTES])
{
    uint8_t nonce[AEGIS_NONCE_BYTES], nothing[1];

    nonce_of(c->n++, nonce);
    if (aegis_open(c->k, nonce, BYTES(c->h), (struct bytes){tag, AEGIS_TAG_BYTES},
                   nothing))
        return CHANNEL_E_REFUSED;
    mix_hash(c, tag, AEGIS_TAG_BYTES);
    return 0;
}

static void start(struct channel *c, const uint8_t relay_pk[KEM_PK_BYTES], bool relay)
{
    memset(c, 0, sizeof *c);
    c->relay = relay;
    memcpy(c->h, protocol_name, sizeof protocol_name - 1);
    memcpy(c->ck, c->h, sizeof c->ck);
    mix_hash(c, (const uint8_t *)"kith/1", 6);
    mix_hash(c, relay_pk, KEM_PK_BYTES);
}

static void split(struct channel *c)
{
    uint8_t okm[2 * SHA512_BYTES];

    two_keys(c->ck, LABEL(""), okm);
    memcpy(c->relay ? c->recv_key : c->send_key, okm, AEGIS_KEY_BYTES);
    memcpy(c->relay ? c->send_key : c->recv_key, okm + SHA512_BYTES, AEGIS_KEY_BYTES);
    secret_wipe(okm, sizeof okm);
    secret_wipe(c->ck, sizeof c->ck);
    secret_wipe(c->k, sizeof c->k);
    c->n = 0;
    c->open = true;
}

/* A condition of the KEM is the peer's doing, and ours towards our own caller. */
static int of_kem(int rc)
{
    return rc > 0 ? CHANNEL_E_REFUSED : rc;
}

int channel_client_start_from(struct channel *c, const uint8_t relay_pk[KEM_PK_BYTES],
                              const uint8_t seed[KEM_SK_BYTES],
                              const uint8_t eseed[KEM_ESEED_BYTES],
                              uint8_t es[KEM_SK_BYTES], uint8_t msg1[CHANNEL_MSG1_BYTES])
{
    uint8_t *ct = msg1, *pk = msg1 + KEM_CT_BYTES, *tag = pk + KEM_PK_BYTES;
    uint8_t ss[KEM_SS_BYTES];
    int rc;

    start(c, relay_pk, false);
    rc = of_kem(kem_enc_from(relay_pk, eseed, ct, ss));
    if (rc)
        goto out;
    mix_hash(c, ct, KEM_CT_BYTES);
    mix_key(c, ss);
    rc = of_kem(kem_keypair_from(seed, pk, es));
    if (rc)
        goto out;
    mix_hash(c, pk, KEM_PK_BYTES);
    seal_empty(c, tag);
out:
    secret_wipe(ss, sizeof ss);
    if (rc) {
        channel_wipe(c);
        secret_wipe(es, KEM_SK_BYTES);
    }
    return rc;
}

int channel_client_start(struct channel *c, const uint8_t relay_pk[KEM_PK_BYTES],
                         uint8_t es[KEM_SK_BYTES], uint8_t msg1[CHANNEL_MSG1_BYTES])
{
    uint8_t seed[KEM_SK_BYTES], eseed[KEM_ESEED_BYTES];
    int rc = rand_bytes(seed, sizeof seed);

    if (!rc)
        rc = rand_bytes(eseed, sizeof eseed);
    if (!rc)
        rc = channel_client_start_from(c, relay_pk, seed, eseed, es, msg1);
    else
        channel_wipe(c);
    secret_wipe(seed, sizeof seed);
    secret_wipe(eseed, sizeof eseed);
    return rc;
}

int channel_client_finish(struct channel *c, uint8_t es[KEM_SK_BYTES],
                          const uint8_t msg2[CHANNEL_MSG2_BYTES])
{
    uint8_t ss[KEM_SS_BYTES];
    int refused = kem_dec(es, msg2, ss);

    /* A refused ciphertext and a damaged one take the same road and end alike (SPEC 1);
     * the tag alone would not do, since the ss of a refused one is known to everybody. */
    mix_hash(c, msg2, KEM_CT_BYTES);
    mix_key(c, ss);
    refused |= open_empty(c, msg2 + KEM_CT_BYTES);
    secret_wipe(ss, sizeof ss);
    secret_wipe(es, KEM_SK_BYTES);
    if (refused) {
        channel_wipe(c);
        return CHANNEL_E_REFUSED;
    }
    split(c);
    return 0;
}

static int read_message_1(struct channel *c, const uint8_t relay_sk[KEM_SK_BYTES],
                          const uint8_t msg1[CHANNEL_MSG1_BYTES])
{
    uint8_t ss[KEM_SS_BYTES];
    int refused = kem_dec(relay_sk, msg1, ss); /* as in channel_client_finish() */

    mix_hash(c, msg1, KEM_CT_BYTES);
    mix_key(c, ss);
    mix_hash(c, msg1 + KEM_CT_BYTES, KEM_PK_BYTES);
    refused |= open_empty(c, msg1 + KEM_CT_BYTES + KEM_PK_BYTES);
    secret_wipe(ss, sizeof ss);
    return refused ? CHANNEL_E_REFUSED : 0;
}

int channel_relay_answer_from(struct channel *c, const uint8_t relay_pk[KEM_PK_BYTES],
                              const uint8_t relay_sk[KEM_SK_BYTES],
                              const uint8_t msg1[CHANNEL_MSG1_BYTES],
                              const uint8_t eseed[KEM_ESEED_BYTES],
                              uint8_t msg2[CHANNEL_MSG2_BYTES])
{
    uint8_t ss[KEM_SS_BYTES] = {0};
    int rc;

    start(c, relay_pk, true);
    rc = read_message_1(c, relay_sk, msg1);
    if (rc)
        goto out;
    rc = of_kem(kem_enc_from(msg1 + KEM_CT_BYTES, eseed, msg2, ss));
    if (rc)
        goto out;
    mix_hash(c, msg2, KEM_CT_BYTES);
    mix_key(c, ss);
    seal_empty(c, msg2 + KEM_CT_BYTES);
    split(c);
out:
    secret_wipe(ss, sizeof ss);
    if (rc)
        channel_wipe(c);
    return rc;
}

int channel_relay_answer(struct channel *c, const uint8_t relay_pk[KEM_PK_BYTES],
                         const uint8_t relay_sk[KEM_SK_BYTES],
                         const uint8_t msg1[CHANNEL_MSG1_BYTES],
                         uint8_t msg2[CHANNEL_MSG2_BYTES])
{
    uint8_t eseed[KEM_ESEED_BYTES];
    int rc = rand_bytes(eseed, sizeof eseed);

    if (rc)
        channel_wipe(c);
    else
        rc = channel_relay_answer_from(c, relay_pk, relay_sk, msg1, eseed, msg2);
    secret_wipe(eseed, sizeof eseed);
    return rc;
}

/* ---- records, SPEC 2.4 and 2.5 ---------------------------------------------------- */

size_t channel_record_bytes(bool relay, size_t frames)
{
    size_t most = relay ? CHANNEL_RECORD_MAX_BYTES : CHANNEL_RECORD_BYTES;
    size_t multiple;

    if (frames > CHANNEL_FRAMES_ROOM(most))
        return 0;
    multiple = (frames + OVERHEAD_BYTES + CHANNEL_RECORD_BYTES - 1) /
               CHANNEL_RECORD_BYTES;
    return multiple * CHANNEL_RECORD_BYTES;
}

static void rekey_when_due(uint8_t key[AEGIS_KEY_BYTES], uint64_t count)
{
    uint8_t zeros[AEGIS_KEY_BYTES] = {0}, next[AEGIS_KEY_BYTES + AEGIS_TAG_BYTES];
    uint8_t nonce[AEGIS_NONCE_BYTES];

    if (count % REKEY_RECORDS)
        return;
    nonce_of(UINT64_MAX, nonce);
    aegis_seal(key, nonce, LABEL(""), BYTES(zeros), next);
    memcpy(key, next, AEGIS_KEY_BYTES);
    secret_wipe(next, sizeof next);
}

int channel_seal(struct channel *c, uint8_t *record, size_t used)
{
    size_t size = channel_record_bytes(c->relay, used);
    uint8_t nonce[AEGIS_NONCE_BYTES];

    if (!c->open || !size)
        return -EINVAL;
    le_put(record, size - 2, 2);
    le_put(record + 2, used, 2);
    memset(record + CHANNEL_FRAMES_AT + used, 0, CHANNEL_FRAMES_ROOM(size) - used);
    nonce_of(c->send_count, nonce);
    aegis_seal(c->send_key, nonce, LABEL(""),
               (struct bytes){record + 2, size - 2 - AEGIS_TAG_BYTES}, record + 2);
    c->send_count++;
    rekey_when_due(c->send_key, c->send_count);
    return 0;
}

int channel_record_size(const struct channel *c, struct bytes in, size_t *size)
{
    size_t most = c->relay ? CHANNEL_RECORD_BYTES : CHANNEL_RECORD_MAX_BYTES;
    size_t n;

    if (in.n < 2)
        return CHANNEL_E_MORE;
    n = (size_t)le_get(in.p, 2) + 2;
    if (n % CHANNEL_RECORD_BYTES || n > most)
        return CHANNEL_E_REFUSED;
    *size = n;
    return 0;
}

static int open_record(struct channel *c, uint8_t *record, size_t size,
                       struct bytes *frames)
{
    uint8_t nonce[AEGIS_NONCE_BYTES];
    size_t claimed, used;

    if (!c->open || channel_record_size(c, (struct bytes){record, size}, &claimed) ||
        claimed != size)
        return CHANNEL_E_REFUSED;
    nonce_of(c->recv_count, nonce);
    if (aegis_open(c->recv_key, nonce, LABEL(""), (struct bytes){record + 2, size - 2},
                   record + 2))
        return CHANNEL_E_REFUSED;
    used = (size_t)le_get(record + 2, 2);
    /* Also refuses a record longer than its frames need: sizes carry no message. */
    if (channel_record_bytes(!c->relay, used) != size ||
        !secret_is_zero(record + CHANNEL_FRAMES_AT + used,
                        CHANNEL_FRAMES_ROOM(size) - used))
        return CHANNEL_E_REFUSED;
    c->recv_count++;
    rekey_when_due(c->recv_key, c->recv_count);
    *frames = (struct bytes){record + CHANNEL_FRAMES_AT, used};
    return 0;
}

int channel_open(struct channel *c, uint8_t *record, size_t size, struct bytes *frames)
{
    int rc = open_record(c, record, size, frames);

    /* Whoever sent a bad record gets no second try on this connection. */
    if (rc)
        channel_wipe(c);
    return rc;
}

/* ---- names, SPEC 5.2 -------------------------------------------------------------- */

void channel_fingerprint_of_hash(const uint8_t key_hash[HASH_BYTES],
                                 const uint8_t cohort[CHANNEL_COHORT_BYTES],
                                 uint8_t out[CHANNEL_FINGERPRINT_BYTES])
{
    const struct bytes parts[] = {{key_hash, HASH_BYTES}, {cohort, CHANNEL_COHORT_BYTES}};

    prf16_parts(out, LABEL("kith1 invite"), parts, 2);
}

void channel_fingerprint(const uint8_t relay_pk[KEM_PK_BYTES],
                         const uint8_t cohort[CHANNEL_COHORT_BYTES],
                         uint8_t out[CHANNEL_FINGERPRINT_BYTES])
{
    const struct bytes key = {relay_pk, KEM_PK_BYTES};
    uint8_t key_hash[HASH_BYTES];

    hash_parts(key_hash, &key, 1);
    channel_fingerprint_of_hash(key_hash, cohort, out);
}
