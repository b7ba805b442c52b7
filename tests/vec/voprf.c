/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/vec/voprf.h"

#include "lib/poprf.h"
#include "tests/support/inspect.h"

#include <string.h>

/* ---- what is asked -------------------------------------------------------------- */

enum { ITEM_BYTES = GROUP_ELEMENT_BYTES };

/* Everything that a line may hold, as it came; each operation takes what it needs. */
struct asked {
    struct poprf poprf;
    struct bytes info, seed, key_info, sk, pk, r, proof, input;
    struct request_list inputs, blinds, blinded, evaluated;
};

/* The lists of 32-byte things, side by side, and room for the answers. */
struct table {
    struct group_scalar blinds[POPRF_BATCH_MAX];
    struct group_element blinded[POPRF_BATCH_MAX];
    struct group_element evaluated[POPRF_BATCH_MAX];
    struct poprf_output outputs[POPRF_BATCH_MAX];
};

static bool ask_mode(struct request *q, struct asked *a)
{
    static const char *const names[] = {"oprf", "voprf", "poprf"};
    char name[REQUEST_NAME_BYTES];

    memset(a, 0, sizeof *a);
    if (!request_name(q, "mode", name))
        return false;
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0) {
            a->poprf.mode = (enum poprf_mode)i;
            return true;
        }
    q->why = "mode is not oprf, voprf or poprf";
    return false;
}

/* Of any length: whether that is right is a verdict, see fits(). */
static bool ask_hex(struct request *q, const char *name, bool optional, struct bytes *out)
{
    return request_hex(q, name, 0, SIZE_MAX, optional, out);
}

static bool ask_function(struct request *q, struct asked *a)
{
    if (!ask_mode(q, a) ||
        (a->poprf.mode == POPRF_MODE_POPRF && !ask_hex(q, "info", false, &a->info)))
        return false;
    a->poprf.info = a->info;
    return true;
}

static void drop(struct asked *a)
{
    request_drop(a->info);
    request_drop(a->seed);
    request_drop(a->key_info);
    request_drop(a->sk);
    request_drop(a->pk);
    request_drop(a->r);
    request_drop(a->proof);
    request_drop(a->input);
    request_list_drop(a->inputs);
    request_list_drop(a->blinds);
    request_list_drop(a->blinded);
    request_list_drop(a->evaluated);
}

static bool fits(struct bytes b, size_t n, void *out)
{
    if (b.n != n)
        return false;
    memcpy(out, b.p, n);
    return true;
}

static bool all_fit(struct request_list list, void *out)
{
    if (list.n > POPRF_BATCH_MAX)
        return false;
    for (size_t i = 0; i < list.n; i++)
        if (!fits(list.p[i], ITEM_BYTES, (uint8_t *)out + i * ITEM_BYTES))
            return false;
    return true;
}

/* ---- what is answered ----------------------------------------------------------- */

static json_t *refused(struct request *q, int rc)
{
    if (rc == POPRF_E_FORGED)
        q->why = "forged: the proof does not fit";
    else
        q->why = rc < 0 ? "no randomness"
                        : "refused: a scalar, an element, a length or a count";
    return NULL;
}

static json_t *hexes(const void *items, size_t count, size_t each)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            list, inspect_hex((struct bytes){(const uint8_t *)items + i * each, each}));
    return list;
}

static json_t *pair(const struct group_scalar *sk, const struct group_element *pk)
{
    return json_pack("{s:o,s:o}", "sk", inspect_hex(BYTES(sk->b)), "pk",
                     inspect_hex(BYTES(pk->b)));
}

/* ---- keys ----------------------------------------------------------------------- */

json_t *voprf_derive(struct request *q)
{
    struct asked a;
    struct group_scalar sk;
    struct group_element pk;
    json_t *answer = NULL;
    int rc = POPRF_E_REFUSED;

    if (!ask_mode(q, &a) || !ask_hex(q, "seed", false, &a.seed) ||
        !ask_hex(q, "keyInfo", true, &a.key_info))
        goto out;
    if (a.seed.n == POPRF_SEED_BYTES)
        rc = poprf_keypair_from(a.poprf.mode, a.seed.p, a.key_info, &sk, &pk);
    answer = rc ? refused(q, rc) : pair(&sk, &pk);
out:
    drop(&a);
    return answer;
}

json_t *voprf_keygen(struct request *q)
{
    struct group_scalar sk;
    struct group_element pk;
    int rc = poprf_keypair(&sk, &pk);

    return rc ? refused(q, rc) : pair(&sk, &pk);
}

/* The public key where the mode has one; *pk is NULL where it has none or needs none. */
static int take_pk(const struct asked *a, struct group_element *room,
                   const struct group_element **pk)
{
    *pk = NULL;
    if (a->poprf.mode == POPRF_MODE_OPRF || !a->pk.p)
        return 0;
    *pk = room;
    return fits(a->pk, sizeof room->b, room->b) ? 0 : POPRF_E_REFUSED;
}

/* ---- client: blind -------------------------------------------------------------- */

json_t *voprf_blind(struct request *q)
{
    struct asked a;
    struct table t;
    struct group_element room;
    const struct group_element *pk;
    json_t *answer = NULL;
    int rc = POPRF_E_REFUSED;

    if (!ask_function(q, &a) ||
        !ask_hex(q, "pk", a.poprf.mode != POPRF_MODE_POPRF, &a.pk) ||
        !request_hexes(q, "inputs", false, &a.inputs) ||
        !request_hexes(q, "blinds", true, &a.blinds))
        goto out;
    if (take_pk(&a, &room, &pk))
        rc = POPRF_E_REFUSED;
    else if (!a.blinds.p)
        rc = poprf_blind(&a.poprf, pk, a.inputs.p, a.inputs.n, t.blinds, t.blinded);
    else if (a.blinds.n == a.inputs.n && all_fit(a.blinds, t.blinds))
        rc = poprf_blind_from(&a.poprf, pk, a.inputs.p, a.inputs.n, t.blinds, t.blinded);
    answer = rc ? refused(q, rc)
                : json_pack("{s:o,s:o}", "blinds",
                            hexes(t.blinds, a.inputs.n, ITEM_BYTES), "blinded",
                            hexes(t.blinded, a.inputs.n, ITEM_BYTES));
out:
    drop(&a);
    return answer;
}

/* ---- server: evaluate ----------------------------------------------------------- */

/* A pk beside sk is not needed, but must then be its own. */
static int take_key(const struct asked *a, struct poprf_key *key)
{
    struct group_scalar sk;
    struct group_element room, own;
    const struct group_element *pk;

    if (!fits(a->sk, sizeof sk.b, sk.b) || take_pk(a, &room, &pk) ||
        poprf_public(&sk, &own) || (pk && memcmp(pk->b, own.b, sizeof own.b) != 0))
        return POPRF_E_REFUSED;
    return poprf_key_make(key, &a->poprf, &sk);
}

static int run_evaluate(const struct asked *a, struct table *t, struct poprf_proof *proof)
{
    struct poprf_key key;
    struct group_scalar r;
    int rc = take_key(a, &key);

    if (rc)
        return rc;
    if (!all_fit(a->blinded, t->blinded))
        return POPRF_E_REFUSED;
    if (a->poprf.mode == POPRF_MODE_OPRF || !a->r.p)
        return poprf_evaluate(&key, t->blinded, a->blinded.n, t->evaluated, proof);
    if (!fits(a->r, sizeof r.b, r.b))
        return POPRF_E_REFUSED;
    return poprf_evaluate_from(&key, &r, t->blinded, a->blinded.n, t->evaluated, proof);
}

json_t *voprf_evaluate(struct request *q)
{
    struct asked a;
    struct table t;
    struct poprf_proof proof;
    json_t *answer = NULL;
    int rc;

    if (!ask_function(q, &a) || !ask_hex(q, "sk", false, &a.sk) ||
        !ask_hex(q, "pk", true, &a.pk) ||
        !request_hexes(q, "blinded", false, &a.blinded) || !ask_hex(q, "r", true, &a.r))
        goto out;
    rc = run_evaluate(&a, &t, &proof);
    if (rc) {
        answer = refused(q, rc);
        goto out;
    }
    answer = json_pack("{s:o}", "evaluated", hexes(t.evaluated, a.blinded.n, ITEM_BYTES));
    if (a.poprf.mode != POPRF_MODE_OPRF)
        json_object_set_new(
            answer, "proof",
            inspect_hex((struct bytes){(const uint8_t *)&proof, sizeof proof}));
out:
    drop(&a);
    return answer;
}

/* ---- client: verify, finalize --------------------------------------------------- */

/* What both need.  The lists have to be equally long. */
static int take_answer(const struct asked *a, struct table *t, struct group_element *room,
                       const struct group_element **pk, struct poprf_proof *proof)
{
    if (take_pk(a, room, pk) || !all_fit(a->evaluated, t->evaluated))
        return POPRF_E_REFUSED;
    if (a->poprf.mode == POPRF_MODE_OPRF && !a->blinded.p)
        return 0;
    if (a->blinded.n != a->evaluated.n || !all_fit(a->blinded, t->blinded))
        return POPRF_E_REFUSED;
    if (a->poprf.mode == POPRF_MODE_OPRF)
        return 0;
    return fits(a->proof, sizeof *proof, proof) ? 0 : POPRF_E_FORGED;
}

json_t *voprf_verify(struct request *q)
{
    struct asked a;
    struct table t;
    struct group_element room;
    const struct group_element *pk;
    struct poprf_proof proof;
    json_t *answer = NULL;
    int rc;

    if (!ask_function(q, &a))
        goto out;
    if (a.poprf.mode == POPRF_MODE_OPRF) {
        q->why = "mode oprf has no proof";
        goto out;
    }
    if (!ask_hex(q, "pk", false, &a.pk) ||
        !request_hexes(q, "blinded", false, &a.blinded) ||
        !request_hexes(q, "evaluated", false, &a.evaluated) ||
        !ask_hex(q, "proof", false, &a.proof))
        goto out;
    rc = take_answer(&a, &t, &room, &pk, &proof);
    if (!rc)
        rc = poprf_verify(&a.poprf, pk, t.blinded, t.evaluated, a.evaluated.n, &proof);
    answer = json_pack("{s:b}", "valid", rc == 0);
out:
    drop(&a);
    return answer;
}

static int run_finalize(const struct asked *a, struct table *t)
{
    struct group_element room;
    struct poprf_proof proof;
    struct poprf_batch batch = {.inputs = a->inputs.p,
                                .blinds = t->blinds,
                                .blinded = t->blinded,
                                .evaluated = t->evaluated,
                                .proof = &proof,
                                .count = a->inputs.n};
    int rc = take_answer(a, t, &room, &batch.pk, &proof);

    if (rc)
        return rc;
    if (a->blinds.n != a->inputs.n || a->evaluated.n != a->inputs.n ||
        !all_fit(a->blinds, t->blinds))
        return POPRF_E_REFUSED;
    return poprf_finalize(&a->poprf, &batch, t->outputs);
}

json_t *voprf_finalize(struct request *q)
{
    struct asked a;
    struct table t;
    json_t *answer = NULL;
    bool bare;
    int rc;

    if (!ask_function(q, &a))
        goto out;
    bare = a.poprf.mode == POPRF_MODE_OPRF;
    if (!ask_hex(q, "pk", bare, &a.pk) || !request_hexes(q, "inputs", false, &a.inputs) ||
        !request_hexes(q, "blinds", false, &a.blinds) ||
        !request_hexes(q, "blinded", bare, &a.blinded) ||
        !request_hexes(q, "evaluated", false, &a.evaluated) ||
        !ask_hex(q, "proof", bare, &a.proof))
        goto out;
    rc = run_finalize(&a, &t);
    answer = rc ? refused(q, rc)
                : json_pack("{s:o}", "outputs",
                            hexes(t.outputs, a.inputs.n, POPRF_OUTPUT_BYTES));
out:
    drop(&a);
    return answer;
}

/* ---- server: the function itself ------------------------------------------------ */

json_t *voprf_prf(struct request *q)
{
    struct asked a;
    struct poprf_key key;
    struct poprf_output output;
    json_t *answer = NULL;
    int rc;

    if (!ask_function(q, &a) || !ask_hex(q, "sk", false, &a.sk) ||
        !ask_hex(q, "input", false, &a.input))
        goto out;
    rc = take_key(&a, &key);
    if (!rc)
        rc = poprf_prf(&key, a.input, &output);
    answer = rc ? refused(q, rc)
                : json_pack("{s:o}", "output", inspect_hex(BYTES(output.b)));
out:
    drop(&a);
    return answer;
}
