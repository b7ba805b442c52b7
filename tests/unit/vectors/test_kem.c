/* SPDX-License-Identifier: Apache-2.0 */
/* X-Wing: the draft's vectors, generated ones, and what must be refused. */
#include "tests/support/vectors.h"

#include "lib/kem.h"
#include "lib/secret.h"

#include <string.h>

static void check_case(const json_t *c)
{
    uint8_t pk[KEM_PK_BYTES], sk[KEM_SK_BYTES], ct[KEM_CT_BYTES], ss[KEM_SS_BYTES];
    struct bytes seed = vectors_hex(c, "seed"), eseed = vectors_hex(c, "eseed");
    struct bytes want_pk = vectors_hex(c, "pk"), want_sk = vectors_hex(c, "sk");
    struct bytes want_ct = vectors_hex(c, "ct"), want_ss = vectors_hex(c, "ss");

    assert_int_equal(seed.n, KEM_SK_BYTES);
    assert_int_equal(eseed.n, KEM_ESEED_BYTES);
    assert_int_equal(kem_keypair_from(seed.p, pk, sk), 0);
    support_equal(BYTES(pk), want_pk);
    support_equal(BYTES(sk), want_sk);
    assert_int_equal(kem_enc_from(pk, eseed.p, ct, ss), 0);
    support_equal(BYTES(ct), want_ct);
    support_equal(BYTES(ss), want_ss);
    memset(ss, 0, sizeof ss);
    assert_int_equal(kem_dec(sk, ct, ss), 0);
    support_equal(BYTES(ss), want_ss);
    support_drop(seed);
    support_drop(eseed);
    support_drop(want_pk);
    support_drop(want_sk);
    support_drop(want_ct);
    support_drop(want_ss);
}

static void check_file(const char *name)
{
    json_t *cases = vectors_load(name), *c;
    size_t i;

    assert_true(json_array_size(cases) > 0);
    json_array_foreach(cases, i, c) check_case(c);
    json_decref(cases);
}

static void kem__gives__the_drafts_vectors(void **state)
{
    (void)state;
    check_file("xwing-draft10.json");
}

static void kem__gives__the_generated_vectors(void **state)
{
    (void)state;
    check_file("xwing-generated.json");
}

/* A wrong length cannot even be said in C: the sizes are in the types.  Where bytes come
 * in, the reader's exact length says no (kith-vec; mp_bin_copy in the daemon). */
static int run(struct bytes key, struct bytes other, bool decaps,
               uint8_t ss[KEM_SS_BYTES])
{
    uint8_t ct[KEM_CT_BYTES];

    if (decaps)
        return key.n == KEM_SK_BYTES && other.n == KEM_CT_BYTES
                   ? kem_dec(key.p, other.p, ss)
                   : KEM_E_REFUSED;
    return key.n == KEM_PK_BYTES && other.n == KEM_ESEED_BYTES
               ? kem_enc_from(key.p, other.p, ct, ss)
               : KEM_E_REFUSED;
}

static void kem__decides__every_case_of_the_reject_file(void **state)
{
    json_t *cases = vectors_load("xwing-reject.json"), *c;
    size_t i, refused = 0;

    (void)state;
    json_array_foreach(cases, i, c)
    {
        bool decaps = strcmp(vectors_text(c, "op"), "decaps") == 0;
        struct bytes key = vectors_hex(c, decaps ? "sk" : "pk");
        struct bytes other = vectors_hex(c, decaps ? "ct" : "eseed");
        const char *want = vectors_text(c, "ss");
        uint8_t ss[KEM_SS_BYTES];
        int rc = run(key, other, decaps, ss);

        if (strcmp(want, "error") == 0) {
            assert_int_equal(rc, KEM_E_REFUSED);
            refused++;
        } else {
            struct bytes want_ss = vectors_hex(c, "ss");

            assert_int_equal(rc, 0);
            support_equal(BYTES(ss), want_ss);
            support_drop(want_ss);
        }
        support_drop(key);
        support_drop(other);
    }
    assert_true(refused > 0 && refused < json_array_size(cases));
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
        cmocka_unit_test(kem__gives__the_drafts_vectors),
        cmocka_unit_test(kem__gives__the_generated_vectors),
        cmocka_unit_test(kem__decides__every_case_of_the_reject_file),
    };

    return support_vectors() ? cmocka_run_group_tests(tests, start, NULL)
                             : SUPPORT_SKIPPED;
}
