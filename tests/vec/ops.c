/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/vec/ops.h"

#include "lib/aead.h"
#include "lib/kdf.h"
#include "lib/kem.h"
#include "lib/secret.h"
#include "tests/support/inspect.h"
#include "tests/vec/request.h"
#include "tests/vec/voprf.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    INSPECT_BYTES_MAX = 512 *
                        1024, /* typed JSON takes up to 400 bytes for each of them */
    PRK256_BYTES = 32,
};

/* ---- X-Wing ----------------------------------------------------------------------- */

static json_t *xwing_keygen(struct request *q)
{
    uint8_t pk[KEM_PK_BYTES], sk[KEM_SK_BYTES];
    struct bytes seed;
    json_t *answer = NULL;
    int rc;

    if (!request_hex(q, "seed", KEM_SK_BYTES, KEM_SK_BYTES, true, &seed))
        goto out;
    rc = seed.p ? kem_keypair_from(seed.p, pk, sk) : kem_keypair(pk, sk);
    if (rc)
        q->why = "no randomness";
    else
        answer = json_pack("{s:o,s:o}", "sk", inspect_hex(BYTES(sk)), "pk",
                           inspect_hex(BYTES(pk)));
out:
    request_drop(seed);
    return answer;
}

static json_t *xwing_encaps(struct request *q)
{
    uint8_t ct[KEM_CT_BYTES], ss[KEM_SS_BYTES];
    struct bytes pk, eseed = {NULL, 0};
    json_t *answer = NULL;
    int rc;

    if (!request_hex(q, "pk", KEM_PK_BYTES, KEM_PK_BYTES, false, &pk) ||
        !request_hex(q, "eseed", KEM_ESEED_BYTES, KEM_ESEED_BYTES, true, &eseed))
        goto out;
    rc = eseed.p ? kem_enc_from(pk.p, eseed.p, ct, ss) : kem_enc(pk.p, ct, ss);
    if (rc)
        q->why = rc == KEM_E_REFUSED ? "the key is refused" : "no randomness";
    else
        answer = json_pack("{s:o,s:o}", "ct", inspect_hex(BYTES(ct)), "ss",
                           inspect_hex(BYTES(ss)));
out:
    request_drop(pk);
    request_drop(eseed);
    return answer;
}

static json_t *xwing_decaps(struct request *q)
{
    uint8_t ss[KEM_SS_BYTES];
    struct bytes sk, ct = {NULL, 0};
    json_t *answer = NULL;

    if (!request_hex(q, "sk", KEM_SK_BYTES, KEM_SK_BYTES, false, &sk) ||
        !request_hex(q, "ct", KEM_CT_BYTES, KEM_CT_BYTES, false, &ct))
        goto out;
    if (kem_dec(sk.p, ct.p, ss))
        q->why = "the ciphertext is refused";
    else
        answer = json_pack("{s:o}", "ss", inspect_hex(BYTES(ss)));
out:
    request_drop(sk);
    request_drop(ct);
    return answer;
}

/* ---- HKDF ------------------------------------------------------------------------- */

static json_t *hkdf_run(bool large, struct bytes ikm, struct bytes salt,
                        struct bytes info, size_t n)
{
    uint8_t prk[PRK_BYTES], *okm = malloc(n + 1);
    json_t *answer = NULL;

    if (!okm)
        return NULL;
    if (large) {
        hkdf_extract(prk, salt, ikm);
        hkdf_expand(prk, info, okm, n);
    } else {
        hkdf256_extract(prk, salt, ikm);
        hkdf256_expand(prk, info, okm, n);
    }
    answer = json_pack("{s:o,s:o}", "prk",
                       inspect_hex((struct bytes){prk, large ? PRK_BYTES : PRK256_BYTES}),
                       "okm", inspect_hex((struct bytes){okm, n}));
    free(okm);
    return answer;
}

static json_t *hkdf(struct request *q)
{
    struct bytes ikm, salt = {NULL, 0}, info = {NULL, 0};
    const json_t *length = request_param(q, "L");
    char hash[REQUEST_NAME_BYTES];
    json_t *answer = NULL;
    bool large;
    json_int_t most;

    if (!request_hex(q, "ikm", 0, SIZE_MAX, false, &ikm) ||
        !request_hex(q, "salt", 0, SIZE_MAX, true, &salt) ||
        !request_hex(q, "info", 0, SIZE_MAX, true, &info) ||
        !request_name(q, "hash", hash))
        goto out;
    large = strcmp(hash, "sha512") == 0;
    most = 255 * (large ? 64 : 32);
    if (!large && strcmp(hash, "sha256") != 0)
        q->why = "hash is neither SHA-256 nor SHA-512";
    else if (!json_is_integer(length))
        q->why = length ? "L is not an integer" : request_missing;
    else if (json_integer_value(length) < 0 || json_integer_value(length) > most)
        q->why = "L is not in 0..255 times the hash's length";
    else
        answer = hkdf_run(large, ikm, salt, info, (size_t)json_integer_value(length));
out:
    request_drop(ikm);
    request_drop(salt);
    request_drop(info);
    return answer;
}

/* ---- AEAD ------------------------------------------------------------------------- */

typedef void seal_text(const uint8_t *key, const uint8_t *nonce, struct bytes ad,
                       struct bytes pt, uint8_t *out);
typedef int open_text(const uint8_t *key, const uint8_t *nonce, struct bytes ad,
                      struct bytes ct, uint8_t *out);

/* Not kith's, which seals one text per key; here because peers bring vectors for it. */
static void xchacha_seal(const uint8_t *key, const uint8_t *nonce, struct bytes ad,
                         struct bytes pt, uint8_t *out)
{
    crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, pt.p, pt.n, ad.p, ad.n, NULL,
                                               nonce, key);
}

static int xchacha_open(const uint8_t *key, const uint8_t *nonce, struct bytes ad,
                        struct bytes ct, uint8_t *out)
{
    return crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, ct.p, ct.n, ad.p,
                                                      ad.n, nonce, key);
}

static const struct cipher {
    const char *names[2];
    size_t key, nonce, tag;
    seal_text *seal;
    open_text *open;
} ciphers[] = {
    {{"chacha20poly1305", "chacha20poly1305ietf"},
     AEAD_KEY_BYTES,
     AEAD_NONCE_BYTES,
     AEAD_TAG_BYTES,
     aead_seal_nonce,
     aead_open_nonce},
    {{"aegis256", "aegis256"},
     AEGIS_KEY_BYTES,
     AEGIS_NONCE_BYTES,
     AEGIS_TAG_BYTES,
     aegis_seal,
     aegis_open},
    {{"xchacha20poly1305", "xchacha20poly1305ietf"},
     32,
     24,
     16,
     xchacha_seal,
     xchacha_open},
};

static const struct cipher *take_cipher(struct request *q)
{
    char name[REQUEST_NAME_BYTES];

    if (!request_name(q, "alg", name))
        return NULL;
    for (size_t i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++)
        if (strcmp(name, ciphers[i].names[0]) == 0 ||
            strcmp(name, ciphers[i].names[1]) == 0)
            return &ciphers[i];
    q->why = "alg is not chacha20-poly1305, aegis-256 or xchacha20-poly1305";
    return NULL;
}

static json_t *aead(struct request *q, bool seal)
{
    const struct cipher *c = take_cipher(q);
    struct bytes key = {NULL, 0}, nonce = {NULL, 0}, ad = {NULL, 0}, text = {NULL, 0};
    uint8_t *out = NULL;
    json_t *answer = NULL;

    if (!c || !request_hex(q, "key", c->key, c->key, false, &key) ||
        !request_hex(q, "nonce", c->nonce, c->nonce, false, &nonce) ||
        !request_hex(q, "ad", 0, SIZE_MAX, true, &ad) ||
        !request_hex(q, seal ? "pt" : "ct", seal ? 0 : c->tag, SIZE_MAX, false, &text))
        goto out;
    out = malloc(text.n + c->tag);
    if (!out)
        goto out;
    if (seal) {
        c->seal(key.p, nonce.p, ad, text, out);
        answer = json_pack("{s:o}", "ct",
                           inspect_hex((struct bytes){out, text.n + c->tag}));
    } else if (c->open(key.p, nonce.p, ad, text, out)) {
        q->why = "forged: the tag does not fit";
    } else {
        answer = json_pack("{s:o}", "pt",
                           inspect_hex((struct bytes){out, text.n - c->tag}));
    }
out:
    free(out);
    request_drop(key);
    request_drop(nonce);
    request_drop(ad);
    request_drop(text);
    return answer;
}

static json_t *aead_seal_op(struct request *q)
{
    return aead(q, true);
}

static json_t *aead_open_op(struct request *q)
{
    return aead(q, false);
}

/* ---- MessagePack ------------------------------------------------------------------ */

static json_t *msgpack_inspect(struct request *q)
{
    struct bytes in;
    json_t *value = NULL;

    if (request_hex(q, "hex", 0, INSPECT_BYTES_MAX, false, &in)) {
        value = inspect_value(in);
        if (!value)
            q->why = "malformed (SPEC 3.3)";
    }
    request_drop(in);
    return value ? json_pack("{s:o}", "value", value) : NULL;
}

/* ---- which is it? ----------------------------------------------------------------- */

static const struct {
    const char *name;
    json_t *(*run)(struct request *q);
} operations[] = {
    {"xwing.keygen", xwing_keygen},       {"xwing.encaps", xwing_encaps},
    {"xwing.decaps", xwing_decaps},       {"hkdf", hkdf},
    {"aead.seal", aead_seal_op},          {"aead.open", aead_open_op},
    {"msgpack.inspect", msgpack_inspect}, {"voprf.derive", voprf_derive},
    {"voprf.keygen", voprf_keygen},       {"voprf.blind", voprf_blind},
    {"voprf.evaluate", voprf_evaluate},   {"voprf.verify", voprf_verify},
    {"voprf.finalize", voprf_finalize},   {"voprf.prf", voprf_prf},
};

static const char *op_name(const json_t *all)
{
    static const char *const keys[] = {"op", "method", "fn", "cmd"};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (json_object_get(all, keys[i]))
            return json_string_value(json_object_get(all, keys[i]));
    return NULL;
}

static json_t *run(struct request *q)
{
    const char *name = op_name(q->all);

    if (!name) {
        q->why = "no operation is named";
        return NULL;
    }
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
        if (strcmp(name, operations[i].name) == 0)
            return operations[i].run(q);
    q->why = "no such operation";
    return NULL;
}

json_t *ops_error(const char *why)
{
    return json_pack("{s:s}", "error", why);
}

json_t *ops_answer(const char *line, size_t n)
{
    json_error_t error;
    json_t *all = json_loadb(line, n, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
    struct request q = {.all = all};
    json_t *answer, *id = json_object_get(all, "id");

    if (!json_is_object(all)) {
        json_decref(all);
        return ops_error(all ? "not a JSON object" : "not JSON, or not for this reader");
    }
    q.params = json_object_get(all, "params");
    if (!q.params)
        q.params = json_object_get(all, "args");
    answer = run(&q);
    if (!answer)
        answer = ops_error(q.why ? q.why : "out of memory");
    if (id && answer)
        json_object_set(answer, "id", id);
    json_decref(all);
    return answer;
}
