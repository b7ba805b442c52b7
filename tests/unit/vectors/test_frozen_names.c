/* SPDX-License-Identifier: Apache-2.0 */
/* Invites, links, descriptor and log heads as the second implementation made them:
 * tests/vectors/names.json, descriptor.json and chain.json. */
#include "tests/support/frozen.h"

#include "lib/secret.h"
#include "proto/chain.h"
#include "proto/descriptor.h"
#include "proto/invite.h"

#include <string.h>

static void invite__is_the_frozen_one(void **state)
{
    json_t *root = frozen_load("names.json"), *o;
    size_t k;

    (void)state;
    json_array_foreach(vectors_array(root, "invites"), k, o)
    {
        const char *text = vectors_text(o, "text");
        char out[INVITE_CHARS_MAX + 1];
        struct invite i = {0}, read;

        assert_true(json_string_length(json_object_get(o, "host")) <= ADDRESS_BYTES_MAX);
        strcpy(i.address.host, vectors_text(o, "host"));
        i.address.port = (uint16_t)vectors_number(o, "port");
        frozen_copy(o, "secret", i.secret, sizeof i.secret);
        frozen_copy(o, "fingerprint", i.fingerprint, sizeof i.fingerprint);
        assert_int_equal(invite_print(&i, out), 0);
        assert_string_equal(out, text);
        assert_int_equal(invite_parse(text, strlen(text), &read), 0);
        assert_memory_equal(&read, &i, sizeof i);
    }
    json_decref(root);
}

static void link__is_the_frozen_one(void **state)
{
    json_t *root = frozen_load("names.json"), *o;
    size_t k;

    (void)state;
    json_array_foreach(vectors_array(root, "links"), k, o)
    {
        const char *text = vectors_text(o, "text");
        char out[LINK_CHARS + 1];
        struct link l, read;
        uint8_t cohort[32];

        frozen_copy(o, "cohort", cohort, sizeof cohort);
        frozen_copy(o, "secret", l.secret, sizeof l.secret);
        l.bucket = (uint32_t)vectors_number(o, "bucket");
        l.from = (uint64_t)vectors_number(o, "from");
        l.last_hour = (uint32_t)vectors_number(o, "last_hour");
        link_print(&l, cohort, out);
        assert_string_equal(out, text);
        assert_int_equal(link_parse(text, strlen(text), cohort, &read), 0);
        assert_memory_equal(read.secret, l.secret, sizeof l.secret);
        assert_int_equal(read.bucket, l.bucket);
        assert_int_equal(read.from, l.from);
        assert_int_equal(read.last_hour, l.last_hour);
    }
    json_decref(root);
}

static struct descriptor described(const json_t *f)
{
    const json_t *relays = vectors_array(f, "r"), *admins = vectors_array(f, "a");
    struct descriptor d = {0};

    d.version = (uint32_t)vectors_number(f, "v");
    strcpy(d.name, vectors_text(f, "n"));
    d.admins_n = json_array_size(admins);
    for (size_t i = 0; i < d.admins_n; i++) {
        struct bytes key = support_hex(json_string_value(json_array_get(admins, i)));

        assert_int_equal(key.n, SIGN_PK_BYTES);
        memcpy(d.admins[i], key.p, key.n);
        support_drop(key);
    }
    d.needed = (uint32_t)vectors_number(f, "m");
    d.relays_n = json_array_size(relays);
    for (size_t i = 0; i < d.relays_n; i++) {
        const json_t *pair = json_array_get(relays, i);
        struct bytes hash = support_hex(json_string_value(json_array_get(pair, 1)));

        strcpy(d.relays[i].address, json_string_value(json_array_get(pair, 0)));
        assert_int_equal(hash.n, HASH_BYTES);
        memcpy(d.relays[i].key_hash, hash.p, hash.n);
        support_drop(hash);
    }
    d.mail_buckets = (uint32_t)vectors_number(f, "b");
    d.members = (uint32_t)vectors_number(f, "s");
    d.retention_days = (uint32_t)vectors_number(f, "d");
    d.expires_day = (uint32_t)vectors_number(f, "x");
    return d;
}

static void descriptor__is_the_frozen_one(void **state)
{
    json_t *root = frozen_load("descriptor.json");
    const json_t *o = json_object_get(root, "descriptor");
    struct descriptor d = described(json_object_get(o, "fields")), read;
    uint8_t seed[32], pk[32], sk[64], room[DESCRIPTOR_BYTES_MAX];
    struct bytes frozen = vectors_hex(o, "signed");
    struct buf b = BUF_OVER(room);

    (void)state;
    frozen_copy(o, "seed", seed, sizeof seed);
    sign_keypair_from(seed, pk, sk);
    frozen_equal(o, "pk", pk, sizeof pk);
    assert_int_equal(descriptor_sign(&d, sk, &b), 0);
    support_equal(buf_view(&b), frozen);
    frozen_equal(o, "id", d.hash, sizeof d.hash);
    assert_int_equal(descriptor_read(frozen, &read), 0);
    assert_memory_equal(&read, &d, sizeof d);
    support_drop(frozen);
    json_decref(root);
}

static void chain__has_the_frozen_heads(void **state)
{
    json_t *root = frozen_load("chain.json"), *row;
    uint8_t cohort[32], head[HASH_BYTES], envelope[16 * 254];
    size_t k;

    (void)state;
    assert_int_equal(sizeof envelope, ENVELOPE_BYTES);
    frozen_copy(root, "cohort", cohort, sizeof cohort);
    json_array_foreach(vectors_array(root, "chains"), k, row)
    {
        const json_t *heads = vectors_array(row, "heads");
        const json_t *patterns = vectors_array(row, "repeated_16_times");

        chain_first(cohort, (uint32_t)vectors_number(row, "bucket"), head);
        for (size_t seq = 0; seq < json_array_size(heads); seq++) {
            struct bytes want = support_hex(
                json_string_value(json_array_get(heads, seq)));

            if (seq > 0) {
                struct bytes p = support_hex(
                    json_string_value(json_array_get(patterns, seq - 1)));

                for (size_t i = 0; i < sizeof envelope; i++)
                    envelope[i] = p.p[i % p.n];
                chain_next(head, seq, envelope);
                support_drop(p);
            }
            support_equal(BYTES(head), want);
            support_drop(want);
        }
    }
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(invite__is_the_frozen_one),
        cmocka_unit_test(link__is_the_frozen_one),
        cmocka_unit_test(descriptor__is_the_frozen_one),
        cmocka_unit_test(chain__has_the_frozen_heads),
    };

    if (secret_start())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
