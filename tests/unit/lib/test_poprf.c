/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/support.h"

#include "lib/poprf.h"
#include "lib/secret.h"

#include <errno.h>
#include <string.h>

static const struct group_scalar order = {{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                           0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
                                           0x14, [31] = 0x10}};
static const struct group_scalar zero, one = {{1}};
static const struct group_element identity;

static const enum poprf_mode modes[] = {POPRF_MODE_OPRF, POPRF_MODE_VOPRF,
                                        POPRF_MODE_POPRF};

/* ---- one exchange ----------------------------------------------------------------- */

enum { INPUT_BYTES = 32 };

struct exchange {
    struct poprf poprf;
    struct group_scalar sk;
    struct group_element pk;
    struct poprf_key key;
    size_t count;
    uint8_t nonces[POPRF_BATCH_MAX][INPUT_BYTES];
    struct bytes inputs[POPRF_BATCH_MAX];
    struct group_scalar blinds[POPRF_BATCH_MAX];
    struct group_element blinded[POPRF_BATCH_MAX], evaluated[POPRF_BATCH_MAX];
    struct poprf_proof proof;
    struct poprf_output outputs[POPRF_BATCH_MAX];
};

static int blind(struct exchange *x)
{
    return poprf_blind(&x->poprf, &x->pk, x->inputs, x->count, x->blinds, x->blinded);
}

static int evaluate(struct exchange *x)
{
    return poprf_evaluate(&x->key, x->blinded, x->count, x->evaluated, &x->proof);
}

static int finalize(struct exchange *x)
{
    bool bare = x->poprf.mode == POPRF_MODE_OPRF;
    struct poprf_batch batch = {.pk = bare ? NULL : &x->pk,
                                .inputs = x->inputs,
                                .blinds = x->blinds,
                                .blinded = bare ? NULL : x->blinded,
                                .evaluated = x->evaluated,
                                .proof = bare ? NULL : &x->proof,
                                .count = x->count};

    return poprf_finalize(&x->poprf, &batch, x->outputs);
}

static void set_key(struct exchange *x)
{
    assert_int_equal(poprf_keypair(&x->sk, &x->pk), 0);
    assert_int_equal(poprf_key_make(&x->key, &x->poprf, &x->sk), 0);
}

/* Up to where the answer is in the client's hand. */
static void begin(struct exchange *x, enum poprf_mode mode, size_t count)
{
    memset(x, 0, sizeof *x);
    x->poprf = (struct poprf){mode, {(const uint8_t *)"a public info", 13}};
    x->count = count;
    set_key(x);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(rand_bytes(x->nonces[i], INPUT_BYTES), 0);
        x->inputs[i] = (struct bytes){x->nonces[i], INPUT_BYTES};
    }
    assert_int_equal(blind(x), 0);
    assert_int_equal(evaluate(x), 0);
}

static void assert_no_outputs(struct exchange *x, int rc, int want)
{
    assert_int_equal(rc, want);
    assert_true(secret_is_zero(x->outputs, x->count * sizeof *x->outputs));
    memset(x->outputs, 1, sizeof x->outputs);
}

static void agree(struct exchange *x, enum poprf_mode mode, size_t count)
{
    struct poprf_output again;

    begin(x, mode, count);
    assert_int_equal(finalize(x), 0);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(poprf_prf(&x->key, x->inputs[i], &again), 0);
        assert_memory_equal(&again, &x->outputs[i], sizeof again);
    }
}

static void poprf__agrees__on_both_sides_in_every_batch(void **state)
{
    struct exchange x;

    (void)state;
    for (size_t m = 0; m < COUNT(modes); m++) {
        for (size_t count = 1; count <= 32; count++)
            agree(&x, modes[m], count);
        agree(&x, modes[m], POPRF_BATCH_MAX);
    }
}

static void poprf__gives__other_outputs_by_mode_info_and_key(void **state)
{
    const struct bytes input = {(const uint8_t *)"x", 1};
    struct poprf_output outputs[5];
    struct group_scalar sk, other;
    struct group_element pk;
    struct poprf_key key;

    (void)state;
    assert_int_equal(poprf_keypair(&sk, &pk), 0);
    assert_int_equal(poprf_keypair(&other, &pk), 0);
    for (size_t i = 0; i < COUNT(outputs); i++) {
        struct poprf p = {i < 3 ? modes[i] : POPRF_MODE_POPRF, {NULL, 0}};

        if (i == 3)
            p.info = (struct bytes){(const uint8_t *)"i", 1};
        assert_int_equal(poprf_key_make(&key, &p, i == 4 ? &other : &sk), 0);
        assert_int_equal(poprf_prf(&key, input, &outputs[i]), 0);
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(&outputs[k], &outputs[i], sizeof outputs[i]);
    }
}

/* ---- a server that lies ----------------------------------------------------------- */

static void poprf_finalize__refuses__another_key_or_info(void **state)
{
    struct exchange x, other;

    (void)state;
    for (size_t m = 1; m < COUNT(modes); m++) {
        begin(&x, modes[m], 3);
        begin(&other, modes[m], 3);
        x.pk = other.pk;
        assert_no_outputs(&x, finalize(&x), POPRF_E_FORGED);
        begin(&x, modes[m], 3);
        x.proof = other.proof;
        assert_no_outputs(&x, finalize(&x), POPRF_E_FORGED);
        begin(&x, modes[m], 3);
        x.evaluated[2] = other.evaluated[2];
        assert_no_outputs(&x, finalize(&x), POPRF_E_FORGED);
        begin(&x, modes[m], 3);
        x.blinded[0] = other.blinded[0];
        assert_no_outputs(&x, finalize(&x), POPRF_E_FORGED);
    }
    begin(&x, POPRF_MODE_POPRF, 3);
    for (x.poprf.info.n = 0; x.poprf.info.n < 13; x.poprf.info.n++)
        assert_no_outputs(&x, finalize(&x), POPRF_E_FORGED);
    assert_int_equal(finalize(&x), 0);
    x.poprf.mode = POPRF_MODE_VOPRF;
    assert_no_outputs(&x, finalize(&x), POPRF_E_FORGED);
}

/* One of the batch with a second key marks a member; the honest rest does not hide it. */
static void poprf_finalize__refuses__one_element_of_another_key(void **state)
{
    struct exchange x;
    struct poprf_key second;
    struct group_scalar sk;
    struct group_element pk;
    struct poprf_proof proof;

    (void)state;
    for (size_t i = 0; i < 8; i++) {
        begin(&x, POPRF_MODE_POPRF, 8);
        assert_int_equal(poprf_keypair(&sk, &pk), 0);
        assert_int_equal(poprf_key_make(&second, &x.poprf, &sk), 0);
        assert_int_equal(
            poprf_evaluate(&second, &x.blinded[i], 1, &x.evaluated[i], &proof), 0);
        assert_no_outputs(&x, finalize(&x), POPRF_E_FORGED);
    }
}

static void swap(struct group_element *a, struct group_element *b)
{
    struct group_element kept = *a;

    *a = *b;
    *b = kept;
}

static void poprf_finalize__refuses__another_order_or_count(void **state)
{
    struct exchange x;

    (void)state;
    for (size_t m = 1; m < COUNT(modes); m++) {
        begin(&x, modes[m], 4);
        swap(&x.evaluated[1], &x.evaluated[3]);
        assert_no_outputs(&x, finalize(&x), POPRF_E_FORGED);
        swap(&x.blinded[1], &x.blinded[3]);
        assert_no_outputs(&x, finalize(&x), POPRF_E_FORGED);
        swap(&x.evaluated[1], &x.evaluated[3]);
        swap(&x.blinded[1], &x.blinded[3]);
        swap(&x.evaluated[0], &x.blinded[0]);
        assert_no_outputs(&x, finalize(&x), POPRF_E_FORGED);
        swap(&x.evaluated[0], &x.blinded[0]);
        x.count = 3;
        assert_no_outputs(&x, finalize(&x), POPRF_E_FORGED);
        x.count = 4;
        assert_int_equal(finalize(&x), 0);
    }
}

static void poprf_verify__refuses__every_flipped_bit_of_the_proof(void **state)
{
    struct exchange x;
    uint8_t *bytes = (uint8_t *)&x.proof;

    (void)state;
    begin(&x, POPRF_MODE_POPRF, 1);
    for (size_t bit = 0; bit < POPRF_PROOF_BYTES * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(
            poprf_verify(&x.poprf, &x.pk, x.blinded, x.evaluated, 1, &x.proof),
            POPRF_E_FORGED);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(finalize(&x), 0);
}

/* s += L, as a number of 32 bytes; false where it no longer fits. */
static bool add_order(struct group_scalar *s)
{
    unsigned carry = 0;

    for (size_t i = 0; i < sizeof s->b; i++) {
        carry += (unsigned)s->b[i] + order.b[i];
        s->b[i] = (uint8_t)carry;
        carry >>= 8;
    }
    return carry == 0;
}

static void refuse_scalar(struct exchange *x, struct group_scalar *in_proof,
                          struct group_scalar instead)
{
    struct group_scalar kept = *in_proof;

    *in_proof = instead;
    assert_no_outputs(x, finalize(x), POPRF_E_FORGED);
    *in_proof = kept;
}

static void poprf_finalize__refuses__a_malleated_proof(void **state)
{
    struct exchange x;

    (void)state;
    for (size_t m = 1; m < COUNT(modes); m++) {
        begin(&x, modes[m], 2);
        for (int which = 0; which < 2; which++) {
            struct group_scalar *s = which ? &x.proof.s : &x.proof.c, other = *s;

            while (add_order(&other))
                refuse_scalar(&x, s, other);
            for (unsigned bit = 5; bit < 8; bit++) {
                other = *s;
                other.b[31] |= (uint8_t)(1u << bit);
                refuse_scalar(&x, s, other);
            }
            group_scalar_sub(&other, &zero, s);
            refuse_scalar(&x, s, other);
            refuse_scalar(&x, s, zero);
            refuse_scalar(&x, s, order);
        }
        assert_int_equal(finalize(&x), 0);
    }
}

/* ---- what is no key, element or scalar -------------------------------------------- */

/* The nth thing that is not an element; false after the last. */
static bool bad_element(size_t nth, const struct group_element *good,
                        struct group_element *out)
{
    *out = *good;
    if (nth == 0)
        *out = identity;
    else if (nth == 1)
        out->b[31] |= 0x80;
    else if (nth == 2)
        *out = (struct group_element){{1}};
    else if (nth < 6)
        memset(out, 0xff, sizeof *out);
    if (nth == 3 || nth == 4)
        out->b[31] = 0x7f;
    if (nth == 3)
        out->b[0] = 0xed; /* p, a second spelling of the identity */
    return nth < 6;
}

static void poprf__refuses__a_bad_element_in_every_place(void **state)
{
    struct exchange x;
    struct group_element kept;

    (void)state;
    for (size_t m = 0; m < COUNT(modes); m++) {
        begin(&x, modes[m], 3);
        for (size_t nth = 0; bad_element(nth, &x.evaluated[1], &kept); nth++) {
            swap(&kept, &x.evaluated[1]);
            assert_no_outputs(&x, finalize(&x), POPRF_E_REFUSED);
            swap(&kept, &x.evaluated[1]);
        }
        for (size_t nth = 0; m > 0 && bad_element(nth, &x.pk, &kept); nth++) {
            swap(&kept, &x.pk);
            assert_no_outputs(&x, finalize(&x), POPRF_E_REFUSED);
            assert_int_equal(blind(&x), POPRF_E_REFUSED);
            assert_true(secret_is_zero(x.blinds, 3 * sizeof *x.blinds));
            assert_true(secret_is_zero(x.blinded, 3 * sizeof *x.blinded));
            swap(&kept, &x.pk);
        }
        begin(&x, modes[m], 3);
        for (size_t nth = 0; bad_element(nth, &x.blinded[2], &kept); nth++) {
            swap(&kept, &x.blinded[2]);
            if (m > 0)
                assert_no_outputs(&x, finalize(&x), POPRF_E_REFUSED);
            assert_int_equal(evaluate(&x), POPRF_E_REFUSED);
            assert_true(secret_is_zero(x.evaluated, 3 * sizeof *x.evaluated));
            assert_true(m == 0 || secret_is_zero(&x.proof, sizeof x.proof));
            swap(&kept, &x.blinded[2]);
            assert_int_equal(evaluate(&x), 0);
        }
    }
}

static void poprf__refuses__scalars_out_of_range(void **state)
{
    struct group_scalar bad[5] = {zero, order, order, one};
    struct exchange x;
    struct group_element pk;

    (void)state;
    bad[2].b[0]++;
    bad[3].b[31] = 0x80;
    memset(&bad[4], 0xff, sizeof bad[4]);
    for (size_t i = 0; i < COUNT(bad); i++)
        for (size_t m = 0; m < COUNT(modes); m++) {
            begin(&x, modes[m], 2);
            assert_int_equal(poprf_public(&bad[i], &pk), POPRF_E_REFUSED);
            assert_true(secret_is_zero(&pk, sizeof pk));
            x.blinds[1] = bad[i];
            assert_no_outputs(&x, finalize(&x), POPRF_E_REFUSED);
            assert_int_equal(
                poprf_blind_from(&x.poprf, &x.pk, x.inputs, 2, x.blinds, x.blinded),
                POPRF_E_REFUSED);
            assert_true(secret_is_zero(x.blinded, 2 * sizeof *x.blinded));
            begin(&x, modes[m], 2);
            if (m > 0)
                assert_int_equal(poprf_evaluate_from(&x.key, &bad[i], x.blinded, 2,
                                                     x.evaluated, &x.proof),
                                 POPRF_E_REFUSED);
            assert_int_equal(poprf_key_make(&x.key, &x.poprf, &bad[i]), POPRF_E_REFUSED);
            assert_true(secret_is_zero(&x.key, sizeof x.key));
        }
}

/* The info's scalar m, as RFC 9497, 3.3.3 writes it; sk = -m then makes a key of zero. */
static void poprf__refuses__a_tweaked_key_of_zero(void **state)
{
    static const uint8_t tag[] = "HashToScalar-OPRFV1-\2-ristretto255-SHA512";
    static const uint8_t framed[] = "Info\0\015a public info";
    const struct bytes message = {framed, sizeof framed - 1};
    struct exchange x;
    struct group_scalar m;

    (void)state;
    begin(&x, POPRF_MODE_POPRF, 1);
    group_hash_to_scalar(&m, (struct bytes){tag, sizeof tag - 1}, &message, 1);
    group_scalar_sub(&x.sk, &zero, &m);
    assert_int_equal(poprf_key_make(&x.key, &x.poprf, &x.sk), POPRF_E_REFUSED);
    assert_true(secret_is_zero(&x.key, sizeof x.key));
    assert_int_equal(poprf_public(&x.sk, &x.pk), 0);
    assert_no_outputs(&x, finalize(&x), POPRF_E_REFUSED);
    assert_int_equal(blind(&x), POPRF_E_REFUSED);
    x.poprf.info.n--; /* nothing is wrong with it for another info */
    assert_int_equal(poprf_key_make(&x.key, &x.poprf, &x.sk), 0);
    assert_int_equal(blind(&x), 0);
    assert_int_equal(evaluate(&x), 0);
    assert_int_equal(finalize(&x), 0);
}

static void poprf_blind__needs__a_key_in_mode_poprf_only(void **state)
{
    struct exchange x;

    (void)state;
    for (size_t m = 0; m < COUNT(modes); m++) {
        begin(&x, modes[m], 2);
        assert_int_equal(poprf_blind(&x.poprf, NULL, x.inputs, 2, x.blinds, x.blinded),
                         modes[m] == POPRF_MODE_POPRF ? POPRF_E_REFUSED : 0);
    }
}

/* ---- lengths ---------------------------------------------------------------------- */

static void poprf__refuses__empty_and_long_batches(void **state)
{
    static const size_t counts[] = {0, POPRF_BATCH_MAX + 1, SIZE_MAX};
    struct exchange x;

    (void)state;
    for (size_t m = 0; m < COUNT(modes); m++) {
        begin(&x, modes[m], 1);
        for (size_t i = 0; i < COUNT(counts); i++) {
            x.count = counts[i];
            assert_int_equal(blind(&x), POPRF_E_REFUSED);
            assert_int_equal(
                poprf_blind_from(&x.poprf, &x.pk, x.inputs, x.count, x.blinds, x.blinded),
                POPRF_E_REFUSED);
            assert_int_equal(evaluate(&x), POPRF_E_REFUSED);
            assert_int_equal(poprf_evaluate_from(&x.key, &one, x.blinded, x.count,
                                                 x.evaluated, &x.proof),
                             POPRF_E_REFUSED);
            assert_int_equal(
                poprf_verify(&x.poprf, &x.pk, x.blinded, x.evaluated, x.count, &x.proof),
                POPRF_E_REFUSED);
            assert_int_equal(finalize(&x), POPRF_E_REFUSED);
        }
        x.count = 1;
        assert_int_equal(finalize(&x), 0);
    }
    x.poprf.mode = POPRF_MODE_OPRF;
    assert_int_equal(poprf_verify(&x.poprf, &x.pk, x.blinded, x.evaluated, 1, &x.proof),
                     POPRF_E_REFUSED);
}

static void poprf__takes__inputs_and_infos_of_up_to_64_kib(void **state)
{
    static const uint8_t most[POPRF_INPUT_BYTES_MAX + 1];
    static const size_t lengths[] = {0, 1, POPRF_INPUT_BYTES_MAX};
    struct exchange x;
    struct poprf_output again;

    (void)state;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        begin(&x, POPRF_MODE_POPRF, 1);
        x.poprf.info = x.inputs[0] = (struct bytes){most, lengths[i]};
        set_key(&x);
        assert_int_equal(blind(&x), 0);
        assert_int_equal(evaluate(&x), 0);
        assert_int_equal(finalize(&x), 0);
        assert_int_equal(poprf_prf(&x.key, x.inputs[0], &again), 0);
        assert_memory_equal(&again, &x.outputs[0], sizeof again);
    }
    x.inputs[0].n = sizeof most;
    assert_int_equal(blind(&x), POPRF_E_REFUSED);
    begin(&x, POPRF_MODE_POPRF, 1);
    x.inputs[0] = (struct bytes){most, sizeof most};
    assert_no_outputs(&x, finalize(&x), POPRF_E_REFUSED);
    assert_int_equal(poprf_prf(&x.key, x.inputs[0], &again), POPRF_E_REFUSED);
    assert_true(secret_is_zero(&again, sizeof again));
    begin(&x, POPRF_MODE_POPRF, 1);
    x.poprf.info = (struct bytes){most, sizeof most};
    assert_no_outputs(&x, finalize(&x), POPRF_E_REFUSED);
    assert_int_equal(blind(&x), POPRF_E_REFUSED);
    assert_int_equal(poprf_key_make(&x.key, &x.poprf, &x.sk), POPRF_E_REFUSED);
}

static void poprf_keypair_from__repeats__by_seed_mode_and_info(void **state)
{
    static const uint8_t most[POPRF_INFO_BYTES_MAX + 1];
    const uint8_t seed[POPRF_SEED_BYTES] = {9};
    struct bytes info = {most, POPRF_INFO_BYTES_MAX};
    struct group_scalar sk[4];
    struct group_element pk, again;

    (void)state;
    for (size_t i = 0; i < COUNT(sk); i++) {
        enum poprf_mode mode = modes[i % COUNT(modes)];

        info.n -= i == 3;
        assert_int_equal(poprf_keypair_from(mode, seed, info, &sk[i], &pk), 0);
        assert_int_equal(poprf_public(&sk[i], &again), 0);
        assert_memory_equal(&pk, &again, sizeof pk);
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(&sk[k], &sk[i], sizeof sk[i]);
    }
    info.n = sizeof most;
    assert_int_equal(poprf_keypair_from(POPRF_MODE_POPRF, seed, info, &sk[0], &pk),
                     POPRF_E_REFUSED);
    assert_true(secret_is_zero(&sk[0], sizeof sk[0]));
    assert_true(secret_is_zero(&pk, sizeof pk));
}

/* ---- faults ----------------------------------------------------------------------- */

static int whole_exchange(struct exchange *x)
{
    int rc = poprf_keypair(&x->sk, &x->pk);

    if (!rc)
        rc = poprf_key_make(&x->key, &x->poprf, &x->sk);
    if (!rc)
        rc = blind(x);
    if (!rc)
        rc = evaluate(x);
    return rc ? rc : finalize(x);
}

static void poprf__stops__at_each_draw_that_fails(void **state)
{
    struct exchange x;
    struct support_fault fault;
    unsigned nth;

    (void)state;
    for (nth = 1;; nth++) {
        int rc;

        begin(&x, POPRF_MODE_POPRF, 5);
        support_fail_nth(&fault, SEAM_RANDOM, nth, -EIO);
        rc = whole_exchange(&x);
        support_fail_none();
        if (!fault.fired)
            break;
        assert_int_equal(rc, -EIO);
        if (nth == 1) {
            assert_true(secret_is_zero(&x.sk, sizeof x.sk));
            assert_true(secret_is_zero(&x.pk, sizeof x.pk));
        } else if (nth < 7) {
            assert_true(secret_is_zero(x.blinds, 5 * sizeof *x.blinds));
            assert_true(secret_is_zero(x.blinded, 5 * sizeof *x.blinded));
        } else {
            assert_true(secret_is_zero(x.evaluated, 5 * sizeof *x.evaluated));
            assert_true(secret_is_zero(&x.proof, sizeof x.proof));
        }
    }
    assert_int_equal(nth, 8); /* the key, five blinds, the nonce */
}

static void poprf__asks__for_no_memory(void **state)
{
    struct exchange x;
    struct support_fault fault;

    (void)state;
    for (size_t m = 0; m < COUNT(modes); m++) {
        begin(&x, modes[m], POPRF_BATCH_MAX);
        support_fail_nth(&fault, SEAM_ALLOC, 1, -ENOMEM);
        assert_int_equal(whole_exchange(&x), 0);
        support_fail_none();
        assert_false(fault.fired);
    }
}

static int start(void **state)
{
    (void)state;
    return secret_start();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(poprf__agrees__on_both_sides_in_every_batch),
        cmocka_unit_test(poprf__gives__other_outputs_by_mode_info_and_key),
        cmocka_unit_test(poprf_finalize__refuses__another_key_or_info),
        cmocka_unit_test(poprf_finalize__refuses__one_element_of_another_key),
        cmocka_unit_test(poprf_finalize__refuses__another_order_or_count),
        cmocka_unit_test(poprf_verify__refuses__every_flipped_bit_of_the_proof),
        cmocka_unit_test(poprf_finalize__refuses__a_malleated_proof),
        cmocka_unit_test(poprf__refuses__a_bad_element_in_every_place),
        cmocka_unit_test(poprf__refuses__scalars_out_of_range),
        cmocka_unit_test(poprf__refuses__a_tweaked_key_of_zero),
        cmocka_unit_test(poprf_blind__needs__a_key_in_mode_poprf_only),
        cmocka_unit_test(poprf__refuses__empty_and_long_batches),
        cmocka_unit_test(poprf__takes__inputs_and_infos_of_up_to_64_kib),
        cmocka_unit_test(poprf_keypair_from__repeats__by_seed_mode_and_info),
        cmocka_unit_test(poprf__stops__at_each_draw_that_fails),
        cmocka_unit_test(poprf__asks__for_no_memory),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
