/* SPDX-License-Identifier: Apache-2.0 */
/* Handshakes and records as the second implementation made them:
 * tests/vectors/channel.json. */
#include "tests/support/frozen.h"

#include "lib/secret.h"
#include "proto/channel.h"

#include <string.h>

static json_t *root;

struct given {
    uint8_t relay_seed[32], relay_pk[KEM_PK_BYTES], client_seed[32];
    uint8_t client_eseed[64], relay_eseed[64], cohort[32];
    uint8_t message_1[CHANNEL_MSG1_BYTES], message_2[CHANNEL_MSG2_BYTES];
};

static struct given given_in(const json_t *o)
{
    struct given g;

    frozen_copy(o, "relay_seed", g.relay_seed, sizeof g.relay_seed);
    frozen_copy(o, "relay_pk", g.relay_pk, sizeof g.relay_pk);
    frozen_copy(o, "client_seed", g.client_seed, sizeof g.client_seed);
    frozen_copy(o, "client_eseed", g.client_eseed, sizeof g.client_eseed);
    frozen_copy(o, "relay_eseed", g.relay_eseed, sizeof g.relay_eseed);
    frozen_copy(o, "cohort", g.cohort, sizeof g.cohort);
    frozen_copy(o, "message_1", g.message_1, sizeof g.message_1);
    frozen_copy(o, "message_2", g.message_2, sizeof g.message_2);
    return g;
}

static void assert_keys(const json_t *o, const struct channel *c)
{
    assert_true(c->open);
    frozen_equal(o, "hash", c->h, sizeof c->h);
    frozen_equal(o, "key_to_relay", c->relay ? c->recv_key : c->send_key, 32);
    frozen_equal(o, "key_to_client", c->relay ? c->send_key : c->recv_key, 32);
}

static void channel_client__makes_the_frozen_handshakes(void **state)
{
    size_t i;
    json_t *o;

    (void)state;
    json_array_foreach(vectors_array(root, "handshakes"), i, o)
    {
        uint8_t es[32], msg1[CHANNEL_MSG1_BYTES];
        struct given g = given_in(o);
        struct channel c;

        assert_int_equal(channel_client_start_from(&c, g.relay_pk, g.client_seed,
                                                   g.client_eseed, es, msg1),
                         0);
        frozen_equal(o, "message_1", msg1, sizeof msg1);
        assert_int_equal(channel_client_finish(&c, es, g.message_2), 0);
        assert_keys(o, &c);
    }
    assert_true(i >= 3);
}

static void channel_relay__makes_the_frozen_handshakes(void **state)
{
    size_t i;
    json_t *o;

    (void)state;
    json_array_foreach(vectors_array(root, "handshakes"), i, o)
    {
        uint8_t pk[KEM_PK_BYTES], sk[32], msg2[CHANNEL_MSG2_BYTES];
        uint8_t fingerprint[CHANNEL_FINGERPRINT_BYTES];
        struct given g = given_in(o);
        struct channel c;

        assert_int_equal(kem_keypair_from(g.relay_seed, pk, sk), 0);
        assert_memory_equal(pk, g.relay_pk, sizeof pk);
        assert_int_equal(
            channel_relay_answer_from(&c, pk, sk, g.message_1, g.relay_eseed, msg2), 0);
        frozen_equal(o, "message_2", msg2, sizeof msg2);
        assert_keys(o, &c);
        channel_fingerprint(pk, g.cohort, fingerprint);
        frozen_equal(o, "fingerprint", fingerprint, sizeof fingerprint);
    }
}

/* An open channel as of a row: its key and counter, in that direction. */
static void at_row(const json_t *row, bool from_relay, struct channel *from,
                   struct channel *to)
{
    memset(from, 0, sizeof *from);
    frozen_copy(row, "key", from->send_key, 32);
    from->send_count = (uint64_t)vectors_number(row, "counter");
    from->relay = from_relay;
    from->open = true;
    *to = *from;
    to->relay = !from_relay;
    memcpy(to->recv_key, from->send_key, 32);
    to->recv_count = from->send_count;
}

static void check_record(const json_t *row, bool from_relay)
{
    static uint8_t record[CHANNEL_RECORD_MAX_BYTES];
    size_t used = (size_t)vectors_number(row, "used"), size;
    struct bytes pattern = vectors_hex(row, "pattern"), frames;
    struct channel from, to;
    uint8_t hash[HASH_BYTES];

    at_row(row, from_relay, &from, &to);
    for (size_t i = 0; i < used; i++)
        record[CHANNEL_FRAMES_AT + i] = pattern.p[i % pattern.n];
    assert_int_equal(channel_seal(&from, record, used), 0);
    size = channel_record_bytes(from_relay, used);
    assert_int_equal(size, vectors_number(row, "bytes"));
    HASH(hash, (struct bytes){record, size});
    frozen_equal(row, "hash", hash, sizeof hash);
    if (json_object_get(row, "record")) {
        frozen_equal(row, "record", record, size);
        frozen_copy(row, "record", record, size);
    }
    assert_int_equal(channel_open(&to, record, size, &frames), 0);
    assert_int_equal(frames.n, used);
    for (size_t i = 0; i < used; i++)
        assert_int_equal(frames.p[i], pattern.p[i % pattern.n]);
    assert_memory_equal(from.send_key, to.recv_key, 32);
    support_drop(pattern);
}

/* The key after each record is the key of the next row, also across the rekey. */
static void check_next_key(const json_t *row, const json_t *next, bool from_relay)
{
    static uint8_t record[CHANNEL_RECORD_MAX_BYTES];
    struct channel from, to;

    at_row(row, from_relay, &from, &to);
    if (vectors_number(next, "counter") != vectors_number(row, "counter") + 1)
        return;
    assert_int_equal(channel_seal(&from, record, 0), 0);
    frozen_equal(next, "key", from.send_key, 32);
}

static void check_direction(const char *name, bool from_relay)
{
    const json_t *rows = vectors_array(json_object_get(root, "records"), name);
    size_t count = json_array_size(rows);

    assert_true(count >= 7);
    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(rows, i);

        check_record(row, from_relay);
        if (i + 1 < count)
            check_next_key(row, json_array_get(rows, i + 1), from_relay);
    }
    assert_string_not_equal(vectors_text(json_array_get(rows, count - 1), "key"),
                            vectors_text(json_array_get(rows, 0), "key"));
}

static void channel__seals_and_opens__the_frozen_records_of_a_client(void **state)
{
    (void)state;
    check_direction("to_relay", false);
}

static void channel__seals_and_opens__the_frozen_records_of_the_relay(void **state)
{
    (void)state;
    check_direction("to_client", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(channel_client__makes_the_frozen_handshakes),
        cmocka_unit_test(channel_relay__makes_the_frozen_handshakes),
        cmocka_unit_test(channel__seals_and_opens__the_frozen_records_of_a_client),
        cmocka_unit_test(channel__seals_and_opens__the_frozen_records_of_the_relay),
    };
    int failed;

    if (secret_start())
        return 1;
    root = frozen_load("channel.json");
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_decref(root);
    return failed;
}
