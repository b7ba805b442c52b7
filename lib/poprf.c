/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/poprf.h"

#include "lib/kdf.h"
#include "lib/secret.h"

#include <assert.h>
#include <string.h>

static_assert(sizeof(struct poprf_proof) == POPRF_PROOF_BYTES, "no padding");
static_assert(sizeof(struct poprf_output) == SHA512_BYTES, "outputs are hashes");

enum {
    TAG_BYTES_MAX = 64,
    LENGTH_BYTES = 2, /* I2OSP(length, 2) stands before whatever is hashed */
    TRANSCRIPT_BYTES_MAX = 256,
};

/* ---- tags and framing ----------------------------------------------------------- */

struct tag {
    uint8_t b[TAG_BYTES_MAX];
    size_t n;
};

/* What it is for, then the context string of 3.1. */
static struct tag tag_for(const char *purpose, enum poprf_mode mode)
{
    static const char suite[] = "-ristretto255-SHA512";
    const uint8_t number = (uint8_t)mode;
    struct tag tag = {.n = 0};
    struct buf b = BUF_OVER(tag.b);

    buf_put(&b, purpose, strlen(purpose));
    buf_put(&b, "OPRFV1-", 7);
    buf_put(&b, &number, 1);
    buf_put(&b, suite, sizeof suite - 1);
    assert(b.rc == 0);
    tag.n = b.n;
    return tag;
}

static struct bytes tag_view(const struct tag *tag)
{
    return (struct bytes){tag->b, tag->n};
}

static void put_framed(struct buf *b, const uint8_t *p, size_t n)
{
    uint8_t length[LENGTH_BYTES];

    be_put(length, n, sizeof length);
    buf_put(b, length, sizeof length);
    buf_put(b, p, n);
}

static void hash_transcript(struct group_scalar *out, enum poprf_mode mode,
                            const struct buf *b)
{
    struct tag tag = tag_for("HashToScalar-", mode);
    struct bytes whole = buf_view(b);

    assert(b->rc == 0);
    group_hash_to_scalar(out, tag_view(&tag), &whole, 1);
}

/* ---- keys ----------------------------------------------------------------------- */

int poprf_public(const struct group_scalar *sk, struct group_element *pk)
{
    return group_mul_base(pk, sk) ? POPRF_E_REFUSED : 0;
}

int poprf_keypair(struct group_scalar *sk, struct group_element *pk)
{
    int rc = group_scalar_random(sk);

    if (rc) {
        secret_wipe(pk, sizeof *pk);
        return rc;
    }
    return poprf_public(sk, pk);
}

int poprf_keypair_from(enum poprf_mode mode, const uint8_t seed[POPRF_SEED_BYTES],
                       struct bytes key_info, struct group_scalar *sk,
                       struct group_element *pk)
{
    struct tag tag = tag_for("DeriveKeyPair", mode);
    uint8_t length[LENGTH_BYTES], counter[1] = {0};
    int rc = POPRF_E_REFUSED;

    secret_wipe(sk, sizeof *sk);
    secret_wipe(pk, sizeof *pk);
    if (key_info.n > POPRF_INFO_BYTES_MAX)
        return rc;
    be_put(length, key_info.n, sizeof length);
    do {
        group_hash_to_scalar(
            sk, tag_view(&tag),
            (const struct bytes[]){
                {seed, POPRF_SEED_BYTES}, BYTES(length), key_info, BYTES(counter)},
            4);
        rc = poprf_public(sk, pk); /* refuses only zero, which asks for another try */
    } while (rc && ++counter[0] != 0);
    return rc;
}

/* ---- the info's part in a key --------------------------------------------------- */

static int info_scalar(const struct poprf *p, struct group_scalar *m)
{
    struct tag tag = tag_for("HashToScalar-", p->mode);
    uint8_t length[LENGTH_BYTES];

    if (p->info.n > POPRF_INFO_BYTES_MAX)
        return POPRF_E_REFUSED;
    be_put(length, p->info.n, sizeof length);
    group_hash_to_scalar(m, tag_view(&tag),
                         (const struct bytes[]){LABEL("Info"), BYTES(length), p->info},
                         3);
    return 0;
}

int poprf_key_make(struct poprf_key *key, const struct poprf *p,
                   const struct group_scalar *sk)
{
    struct group_scalar m;
    int rc = group_scalar_check(sk) ? POPRF_E_REFUSED : 0;

    *key = (struct poprf_key){.poprf = *p, .key = *sk, .factor = *sk};
    if (!rc && p->mode == POPRF_MODE_POPRF) {
        rc = info_scalar(p, &m);
        if (!rc)
            group_scalar_add(&key->key, sk, &m);
        if (!rc && group_scalars_invert(&key->factor, &key->key, 1))
            rc = POPRF_E_REFUSED;
    }
    if (!rc)
        rc = poprf_public(&key->key, &key->shown);
    if (rc)
        secret_wipe(key, sizeof *key);
    return rc;
}

/* What the client knows of it: pk, or the tweaked key pk + mG. */
static int public_half(const struct poprf *p, const struct group_element *pk,
                       struct group_element *key)
{
    struct group_scalar m;
    struct group_element tweak;

    if (!pk || group_element_check(pk))
        return POPRF_E_REFUSED;
    *key = *pk;
    if (p->mode != POPRF_MODE_POPRF)
        return 0;
    if (info_scalar(p, &m) || group_mul_base(&tweak, &m) || group_add(key, &tweak, pk))
        return POPRF_E_REFUSED;
    return 0;
}

/* ---- client: blind -------------------------------------------------------------- */

static bool is_batch(size_t count)
{
    return count >= 1 && count <= POPRF_BATCH_MAX;
}

static int input_element(enum poprf_mode mode, struct bytes input,
                         struct group_element *out)
{
    struct tag tag = tag_for("HashToGroup-", mode);

    if (input.n > POPRF_INPUT_BYTES_MAX)
        return POPRF_E_REFUSED;
    return group_hash_to_element(out, tag_view(&tag), &input, 1) ? POPRF_E_REFUSED : 0;
}

static int blind_one(enum poprf_mode mode, struct bytes input,
                     const struct group_scalar *blind, struct group_element *blinded)
{
    struct group_element element;
    int rc = input_element(mode, input, &element);

    if (!rc && (group_scalar_check(blind) || group_mul(blinded, blind, &element)))
        rc = POPRF_E_REFUSED;
    secret_wipe(&element, sizeof element); /* joins the input to what is blinded */
    return rc;
}

int poprf_blind_from(const struct poprf *p, const struct group_element *pk,
                     const struct bytes *inputs, size_t count,
                     const struct group_scalar *blinds, struct group_element *blinded)
{
    struct group_element key;
    int rc = 0;

    if (!is_batch(count))
        return POPRF_E_REFUSED;
    /* A key that will not verify is found here, before anything is spent on it. */
    if (pk || p->mode == POPRF_MODE_POPRF)
        rc = public_half(p, pk, &key);
    for (size_t i = 0; !rc && i < count; i++)
        rc = blind_one(p->mode, inputs[i], &blinds[i], &blinded[i]);
    if (rc)
        secret_wipe(blinded, count * sizeof *blinded);
    return rc;
}

int poprf_blind(const struct poprf *p, const struct group_element *pk,
                const struct bytes *inputs, size_t count, struct group_scalar *blinds,
                struct group_element *blinded)
{
    int rc = 0;

    if (!is_batch(count))
        return POPRF_E_REFUSED;
    for (size_t i = 0; !rc && i < count; i++)
        rc = group_scalar_random(&blinds[i]);
    if (!rc)
        rc = poprf_blind_from(p, pk, inputs, count, blinds, blinded);
    if (rc) {
        secret_wipe(blinds, count * sizeof *blinds);
        secret_wipe(blinded, count * sizeof *blinded);
    }
    return rc;
}

/* ---- the proof: discrete logarithms are equal (2.2) ----------------------------- */

/* For one k: key = k G, and d[i] = k c[i] for each i. */
struct claim {
    enum poprf_mode mode;
    const struct group_element *key, *c, *d;
    size_t count;
};

static struct claim claim_of(const struct poprf *p, const struct group_element *key,
                             const struct group_element *blinded,
                             const struct group_element *evaluated, size_t count)
{
    /* In mode POPRF evaluating divides by the key, so what is proved is the way back. */
    bool back = p->mode == POPRF_MODE_POPRF;

    return (struct claim){p->mode, key, back ? evaluated : blinded,
                          back ? blinded : evaluated, count};
}

static void claim_seed(const struct claim *claim, uint8_t seed[SHA512_BYTES])
{
    struct tag tag = tag_for("Seed-", claim->mode);
    uint8_t room[TRANSCRIPT_BYTES_MAX];
    struct buf b = BUF_OVER(room);
    struct bytes whole;

    put_framed(&b, claim->key->b, sizeof claim->key->b);
    put_framed(&b, tag.b, tag.n);
    assert(b.rc == 0);
    whole = buf_view(&b);
    sha512_parts(seed, &whole, 1);
}

static void claim_weight(const struct claim *claim, const uint8_t seed[SHA512_BYTES],
                         size_t i, struct group_scalar *weight)
{
    uint8_t room[TRANSCRIPT_BYTES_MAX], index[LENGTH_BYTES];
    struct buf b = BUF_OVER(room);

    put_framed(&b, seed, SHA512_BYTES);
    be_put(index, i, sizeof index);
    buf_put(&b, index, sizeof index);
    put_framed(&b, claim->c[i].b, sizeof claim->c[i].b);
    put_framed(&b, claim->d[i].b, sizeof claim->d[i].b);
    buf_put(&b, "Composite", 9);
    hash_transcript(weight, claim->mode, &b);
}

/* sum += weight e; the first one starts the sum. */
static int add_weighted(struct group_element *sum, bool first,
                        const struct group_scalar *weight, const struct group_element *e)
{
    struct group_element term;

    if (group_mul(&term, weight, e))
        return POPRF_E_REFUSED;
    if (first)
        *sum = term;
    else if (group_add(sum, sum, &term))
        return POPRF_E_REFUSED;
    return 0;
}

/* ComputeComposites; without z the first half of ComputeCompositesFast, whose owner
 * gets Z = k M for one multiplication. */
static int claim_composites(const struct claim *claim, struct group_element *m,
                            struct group_element *z)
{
    uint8_t seed[SHA512_BYTES];
    struct group_scalar weight;

    claim_seed(claim, seed);
    for (size_t i = 0; i < claim->count; i++) {
        claim_weight(claim, seed, i, &weight);
        if (add_weighted(m, i == 0, &weight, &claim->c[i]) ||
            (z && add_weighted(z, i == 0, &weight, &claim->d[i])))
            return POPRF_E_REFUSED;
    }
    return 0;
}

static void claim_challenge(const struct claim *claim, const struct group_element *m,
                            const struct group_element *z, const struct group_element *t2,
                            const struct group_element *t3, struct group_scalar *c)
{
    uint8_t room[TRANSCRIPT_BYTES_MAX];
    struct buf b = BUF_OVER(room);

    put_framed(&b, claim->key->b, sizeof claim->key->b);
    put_framed(&b, m->b, sizeof m->b);
    put_framed(&b, z->b, sizeof z->b);
    put_framed(&b, t2->b, sizeof t2->b);
    put_framed(&b, t3->b, sizeof t3->b);
    buf_put(&b, "Challenge", 9);
    hash_transcript(c, claim->mode, &b);
}

/* GenerateProof. */
static int prove(const struct claim *claim, const struct group_scalar *k,
                 const struct group_scalar *r, struct poprf_proof *proof)
{
    struct group_element m, z, t2, t3;
    struct group_scalar ck;

    if (group_scalar_check(r) || claim_composites(claim, &m, NULL) ||
        group_mul(&z, k, &m) || group_mul_base(&t2, r) || group_mul(&t3, r, &m))
        return POPRF_E_REFUSED;
    claim_challenge(claim, &m, &z, &t2, &t3, &proof->c);
    group_scalar_mul(&ck, &proof->c, k);
    group_scalar_sub(&proof->s, r, &ck);
    secret_wipe(&ck, sizeof ck);
    return 0;
}

/* VerifyProof.  No honest proof has a c or s of zero, or a nonce of zero behind it. */
static int check(const struct claim *claim, const struct poprf_proof *proof)
{
    struct group_element m, z, t2, t3, sg, ck, sm, cz;
    struct group_scalar c;

    if (group_scalar_check(&proof->c) || group_scalar_check(&proof->s))
        return POPRF_E_FORGED;
    if (claim_composites(claim, &m, &z))
        return POPRF_E_REFUSED;
    if (group_mul_base(&sg, &proof->s) || group_mul(&ck, &proof->c, claim->key) ||
        group_add(&t2, &sg, &ck) || group_mul(&sm, &proof->s, &m) ||
        group_mul(&cz, &proof->c, &z) || group_add(&t3, &sm, &cz))
        return POPRF_E_FORGED;
    claim_challenge(claim, &m, &z, &t2, &t3, &c);
    return secret_equal(c.b, proof->c.b, sizeof c.b) ? 0 : POPRF_E_FORGED;
}

/* ---- server: evaluate ----------------------------------------------------------- */

int poprf_evaluate_from(const struct poprf_key *key, const struct group_scalar *r,
                        const struct group_element *blinded, size_t count,
                        struct group_element *evaluated, struct poprf_proof *proof)
{
    struct claim claim = claim_of(&key->poprf, &key->shown, blinded, evaluated, count);
    int rc = 0;

    if (!is_batch(count))
        return POPRF_E_REFUSED;
    for (size_t i = 0; !rc && i < count; i++)
        if (group_mul(&evaluated[i], &key->factor, &blinded[i]))
            rc = POPRF_E_REFUSED;
    if (!rc && key->poprf.mode != POPRF_MODE_OPRF)
        rc = prove(&claim, &key->key, r, proof);
    if (rc)
        secret_wipe(evaluated, count * sizeof *evaluated);
    if (rc && proof)
        secret_wipe(proof, sizeof *proof);
    return rc;
}

int poprf_evaluate(const struct poprf_key *key, const struct group_element *blinded,
                   size_t count, struct group_element *evaluated,
                   struct poprf_proof *proof)
{
    struct group_scalar r;
    int rc;

    if (!is_batch(count))
        return POPRF_E_REFUSED;
    if (key->poprf.mode == POPRF_MODE_OPRF)
        return poprf_evaluate_from(key, NULL, blinded, count, evaluated, NULL);
    rc = group_scalar_random(&r);
    if (rc) {
        secret_wipe(evaluated, count * sizeof *evaluated);
        secret_wipe(proof, sizeof *proof);
    } else {
        rc = poprf_evaluate_from(key, &r, blinded, count, evaluated, proof);
    }
    secret_wipe(&r, sizeof r);
    return rc;
}

/* ---- client: verify, finalize --------------------------------------------------- */

int poprf_verify(const struct poprf *p, const struct group_element *pk,
                 const struct group_element *blinded,
                 const struct group_element *evaluated, size_t count,
                 const struct poprf_proof *proof)
{
    struct group_element key = {0};
    struct claim claim = claim_of(p, &key, blinded, evaluated, count);

    if (p->mode == POPRF_MODE_OPRF || !is_batch(count) || public_half(p, pk, &key))
        return POPRF_E_REFUSED;
    return check(&claim, proof);
}

static void hash_output(const struct poprf *p, struct bytes input,
                        const struct group_element *element, struct poprf_output *out)
{
    uint8_t input_n[LENGTH_BYTES], info_n[LENGTH_BYTES], element_n[LENGTH_BYTES];
    bool with_info = p->mode == POPRF_MODE_POPRF;
    const struct bytes none = {NULL, 0};

    be_put(input_n, input.n, sizeof input_n);
    be_put(info_n, p->info.n, sizeof info_n);
    be_put(element_n, sizeof element->b, sizeof element_n);
    sha512_parts(out->b,
                 (const struct bytes[]){BYTES(input_n), input,
                                        with_info ? BYTES(info_n) : none,
                                        with_info ? p->info : none, BYTES(element_n),
                                        BYTES(element->b), LABEL("Finalize")},
                 7);
}

static int unblind_one(const struct poprf *p, struct bytes input,
                       const struct group_scalar *inverse,
                       const struct group_element *evaluated, struct poprf_output *output)
{
    struct group_element element;
    int rc = 0;

    if (input.n > POPRF_INPUT_BYTES_MAX || group_mul(&element, inverse, evaluated))
        rc = POPRF_E_REFUSED;
    else
        hash_output(p, input, &element, output);
    secret_wipe(&element, sizeof element);
    return rc;
}

static int unblind(const struct poprf *p, const struct poprf_batch *batch,
                   struct poprf_output *outputs)
{
    struct group_scalar inverses[POPRF_BATCH_MAX];
    int rc = 0;

    for (size_t i = 0; i < batch->count; i++)
        if (group_scalar_check(&batch->blinds[i]))
            return POPRF_E_REFUSED;
    if (group_scalars_invert(inverses, batch->blinds, batch->count))
        return POPRF_E_REFUSED;
    for (size_t i = 0; !rc && i < batch->count; i++)
        rc = unblind_one(p, batch->inputs[i], &inverses[i], &batch->evaluated[i],
                         &outputs[i]);
    secret_wipe(inverses, batch->count * sizeof *inverses);
    return rc;
}

int poprf_finalize(const struct poprf *p, const struct poprf_batch *batch,
                   struct poprf_output *outputs)
{
    int rc = 0;

    if (!is_batch(batch->count))
        return POPRF_E_REFUSED;
    if (p->mode != POPRF_MODE_OPRF)
        rc = poprf_verify(p, batch->pk, batch->blinded, batch->evaluated, batch->count,
                          batch->proof);
    if (!rc)
        rc = unblind(p, batch, outputs);
    if (rc)
        secret_wipe(outputs, batch->count * sizeof *outputs);
    return rc;
}

/* ---- server: the function itself ------------------------------------------------ */

int poprf_prf(const struct poprf_key *key, struct bytes input,
              struct poprf_output *output)
{
    struct group_element element;
    int rc = input_element(key->poprf.mode, input, &element);

    if (!rc && group_mul(&element, &key->factor, &element))
        rc = POPRF_E_REFUSED;
    if (rc)
        secret_wipe(output, sizeof *output);
    else
        hash_output(&key->poprf, input, &element, output);
    secret_wipe(&element, sizeof element);
    return rc;
}
