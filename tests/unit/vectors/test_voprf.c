/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 9497 with ristretto255 and SHA-512: its own vectors, generated ones, and what a
 * peer must refuse. */
#include "tests/support/vectors.h"

#include "lib/poprf.h"
#include "lib/secret.h"

#include <stdlib.h>
#include <string.h>

/* ---- lists ------------------------------------------------------------------------ */

struct list {
    struct bytes items[POPRF_BATCH_MAX];
    size_t n;
};

static void list_add(struct list *list, const char *hex)
{
    assert_true(list->n < COUNT(list->items));
    list->items[list->n++] = support_hex(hex);
}

/* Of a string with commas. */
static struct list list_split(const json_t *o, const char *key)
{
    struct list list = {.n = 0};
    char *copy = strdup(vectors_text(o, key)), *at = copy, *item;

    assert_non_null(copy);
    while ((item = strsep(&at, ",")))
        list_add(&list, item);
    free(copy);
    return list;
}

/* Of an array of strings. */
static struct list list_of(const json_t *o, const char *key)
{
    struct list list = {.n = 0};
    const json_t *array = vectors_array(o, key), *item;
    size_t i;

    json_array_foreach(array, i, item)
    {
        assert_true(json_is_string(item));
        list_add(&list, json_string_value(item));
    }
    return list;
}

static void list_drop(struct list *list)
{
    for (size_t i = 0; i < list->n; i++)
        support_drop(list->items[i]);
}

/* Side by side; false if one of them is not 32 bytes long. */
static bool list_join(const struct list *list, void *out)
{
    for (size_t i = 0; i < list->n; i++) {
        if (list->items[i].n != GROUP_ELEMENT_BYTES)
            return false;
        memcpy((uint8_t *)out + i * GROUP_ELEMENT_BYTES, list->items[i].p,
               GROUP_ELEMENT_BYTES);
    }
    return true;
}

static void list_equal(const struct list *want, const void *got, size_t each)
{
    for (size_t i = 0; i < want->n; i++)
        support_equal((struct bytes){(const uint8_t *)got + i * each, each},
                      want->items[i]);
}

static bool copy_of(const json_t *o, const char *key, size_t n, void *out)
{
    struct bytes b = vectors_hex(o, key);
    bool fits = b.n == n;

    if (fits)
        memcpy(out, b.p, n);
    support_drop(b);
    return fits;
}

/* ---- what must come out ----------------------------------------------------------- */

struct answers {
    struct group_scalar blinds[POPRF_BATCH_MAX];
    struct group_element blinded[POPRF_BATCH_MAX], evaluated[POPRF_BATCH_MAX];
    struct poprf_output outputs[POPRF_BATCH_MAX];
};

static void derive(const json_t *suite, enum poprf_mode mode, struct group_scalar *sk,
                   struct group_element *pk)
{
    struct bytes seed = vectors_hex(suite, "seed"), info = vectors_hex(suite, "keyInfo");
    struct bytes want_sk = vectors_hex(suite, "skSm");

    assert_int_equal(seed.n, POPRF_SEED_BYTES);
    assert_int_equal(poprf_keypair_from(mode, seed.p, info, sk, pk), 0);
    support_equal(BYTES(sk->b), want_sk);
    if (mode != POPRF_MODE_OPRF) {
        struct bytes want_pk = vectors_hex(suite, "pkSm");

        support_equal(BYTES(pk->b), want_pk);
        support_drop(want_pk);
    }
    support_drop(seed);
    support_drop(info);
    support_drop(want_sk);
}

static void serve(const struct poprf_key *key, const json_t *v, size_t count,
                  struct answers *a, struct poprf_proof *proof)
{
    const json_t *given = json_object_get(v, "Proof");
    struct group_scalar r;

    if (key->poprf.mode == POPRF_MODE_OPRF) {
        assert_null(given);
        assert_int_equal(poprf_evaluate(key, a->blinded, count, a->evaluated, NULL), 0);
        return;
    }
    assert_true(copy_of(given, "r", sizeof r, &r));
    assert_int_equal(poprf_evaluate_from(key, &r, a->blinded, count, a->evaluated, proof),
                     0);
    {
        struct bytes want = vectors_hex(given, "proof");

        support_equal((struct bytes){(const uint8_t *)proof, sizeof *proof}, want);
        support_drop(want);
    }
}

static void check_one(const struct poprf *p, const struct group_scalar *sk,
                      const struct group_element *pk, const json_t *v)
{
    struct list inputs = list_split(v, "Input"), blinds = list_split(v, "Blind");
    struct list blinded = list_split(v, "BlindedElement");
    struct list evaluated = list_split(v, "EvaluationElement");
    struct list outputs = list_split(v, "Output");
    size_t n = (size_t)vectors_number(v, "Batch");
    struct answers a;
    struct poprf_key key;
    struct poprf_proof proof;
    struct poprf_output again;
    struct poprf_batch batch = {.pk = pk,
                                .inputs = inputs.items,
                                .blinds = a.blinds,
                                .blinded = a.blinded,
                                .evaluated = a.evaluated,
                                .proof = &proof,
                                .count = n};

    assert_true(inputs.n == n && blinds.n == n && blinded.n == n && evaluated.n == n &&
                outputs.n == n && list_join(&blinds, a.blinds));
    assert_int_equal(poprf_blind_from(p, pk, inputs.items, n, a.blinds, a.blinded), 0);
    list_equal(&blinded, a.blinded, sizeof a.blinded[0]);
    assert_int_equal(poprf_key_make(&key, p, sk), 0);
    serve(&key, v, n, &a, &proof);
    list_equal(&evaluated, a.evaluated, sizeof a.evaluated[0]);
    assert_int_equal(poprf_finalize(p, &batch, a.outputs), 0);
    list_equal(&outputs, a.outputs, sizeof a.outputs[0]);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(poprf_prf(&key, inputs.items[i], &again), 0);
        support_equal(BYTES(again.b), outputs.items[i]);
    }
    list_drop(&inputs);
    list_drop(&blinds);
    list_drop(&blinded);
    list_drop(&evaluated);
    list_drop(&outputs);
}

static void check_suite(const json_t *suite)
{
    struct poprf p = {.mode = (enum poprf_mode)vectors_number(suite, "mode")};
    struct group_scalar sk;
    struct group_element pk;
    const json_t *cases = vectors_array(suite, "vectors"), *v;
    size_t i;

    assert_string_equal(vectors_text(suite, "identifier"), "ristretto255-SHA512");
    derive(suite, p.mode, &sk, &pk);
    assert_true(json_array_size(cases) > 0);
    json_array_foreach(cases, i, v)
    {
        struct bytes info = {NULL, 0};

        if (p.mode == POPRF_MODE_POPRF)
            info = vectors_hex(v, "Info");
        p.info = info;
        check_one(&p, &sk, &pk, v);
        support_drop(info);
    }
}

static void check_file(const char *name)
{
    json_t *suites = vectors_load(name);
    const json_t *suite;
    size_t i;

    assert_int_equal(json_array_size(suites), 3); /* a mode each */
    json_array_foreach(suites, i, suite) check_suite(suite);
    json_decref(suites);
}

static void poprf__gives__the_rfcs_vectors(void **state)
{
    (void)state;
    check_file("voprf-rfc9497-ristretto255.json");
}

static void poprf__gives__the_generated_vectors(void **state)
{
    (void)state;
    check_file("voprf-generated.json");
}

/* ---- what must not ---------------------------------------------------------------- */

/* Lengths are in the types; where bytes come in, their reader holds them to it, as the
 * copies here do. */
static int run_evaluate(const struct poprf *p, const json_t *c)
{
    struct list blinded = list_of(c, "blinded");
    struct answers a;
    struct group_scalar sk;
    struct poprf_key key;
    struct poprf_proof proof;
    int rc = POPRF_E_REFUSED;

    assert_true(copy_of(c, "sk", sizeof sk, &sk));
    if (list_join(&blinded, a.blinded)) {
        rc = poprf_key_make(&key, p, &sk);
        assert_int_equal(rc, 0);
        rc = poprf_evaluate(&key, a.blinded, blinded.n, a.evaluated, &proof);
    }
    list_drop(&blinded);
    return rc;
}

static int run_finalize(const struct poprf *p, const json_t *c)
{
    struct list inputs = list_of(c, "inputs"), blinds = list_of(c, "blinds");
    struct list blinded = list_of(c, "blinded"), evaluated = list_of(c, "evaluated");
    struct answers a;
    struct group_element pk;
    struct poprf_proof proof;
    struct poprf_batch batch = {.pk = &pk,
                                .inputs = inputs.items,
                                .blinds = a.blinds,
                                .blinded = a.blinded,
                                .evaluated = a.evaluated,
                                .proof = &proof,
                                .count = inputs.n};
    int rc = POPRF_E_REFUSED;

    if (copy_of(c, "pk", sizeof pk, &pk) && copy_of(c, "proof", sizeof proof, &proof) &&
        blinds.n == inputs.n && blinded.n == inputs.n && evaluated.n == inputs.n &&
        list_join(&blinds, a.blinds) && list_join(&blinded, a.blinded) &&
        list_join(&evaluated, a.evaluated))
        rc = poprf_finalize(p, &batch, a.outputs);
    list_drop(&inputs);
    list_drop(&blinds);
    list_drop(&blinded);
    list_drop(&evaluated);
    return rc;
}

static void poprf__decides__every_case_of_the_reject_file(void **state)
{
    json_t *cases = vectors_load("voprf-reject.json");
    const json_t *c;
    size_t i, accepted = 0, refused = 0;

    (void)state;
    json_array_foreach(cases, i, c)
    {
        bool with_info = strcmp(vectors_text(c, "mode"), "poprf") == 0;
        struct bytes info = {NULL, 0};
        struct poprf p = {with_info ? POPRF_MODE_POPRF : POPRF_MODE_VOPRF, info};
        int rc;

        if (with_info)
            p.info = info = vectors_hex(c, "info");
        rc = strcmp(vectors_text(c, "op"), "evaluate") == 0 ? run_evaluate(&p, c)
                                                            : run_finalize(&p, c);
        if ((rc == 0) != (strcmp(vectors_text(c, "expect"), "accept") == 0))
            fail_msg("case %d, %s: %d", (int)vectors_number(c, "tcId"),
                     vectors_text(c, "why"), rc);
        accepted += rc == 0;
        refused += rc == POPRF_E_REFUSED || rc == POPRF_E_FORGED;
        support_drop(info);
    }
    print_message("%zu accepted, %zu refused\n", accepted, refused);
    assert_true(accepted > 0 && refused > accepted);
    assert_int_equal(accepted + refused, json_array_size(cases));
    json_decref(cases);
}

static int start(void **state)
{
    (void)state;
    return secret_start();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(poprf__gives__the_rfcs_vectors),
        cmocka_unit_test(poprf__gives__the_generated_vectors),
        cmocka_unit_test(poprf__decides__every_case_of_the_reject_file),
    };

    return support_vectors() ? cmocka_run_group_tests(tests, start, NULL)
                             : SUPPORT_SKIPPED;
}
