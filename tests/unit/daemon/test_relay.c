/* SPDX-License-Identifier: Apache-2.0 */
/* A whole relay in this process, spoken to over real sockets: SPEC 2 to 4 as a client
 * sees it. */
#include "tests/support/control_client.h"
#include "tests/support/relay_host.h"
#include "tests/support/support.h"

#include "lib/secret.h"
#include "proto/mp_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static struct relay_host host;
static uint8_t alice[SIGN_SK_BYTES];
static struct wire one, two; /* 64 KB each: not on the stack */

static int start(void **state)
{
    (void)state;
    relay_host_prepare(&host);
    relay_host_start(&host);
    relay_host_member(&host, alice);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    assert_int_equal(relay_host_stop(&host), 0);
    relay_host_drop(&host);
    return 0;
}

static void fill(uint8_t envelope[ENVELOPE_BYTES], uint32_t mark)
{
    memset(envelope, (int)(mark & 0xff), ENVELOPE_BYTES);
    le_put(envelope, mark, 4);
}

/* ---- preamble and handshake ------------------------------------------------------- */

static void relay__gives_its_key__to_who_knows_the_fingerprint(void **state)
{
    uint8_t pk[KEM_PK_BYTES], cohort[HASH_BYTES];

    (void)state;
    assert_int_equal(wire_connect(&one, host.port, NULL), 0);
    assert_int_equal(wire_ask(&one, host.fingerprint, pk, cohort), 0);
    assert_memory_equal(pk, host.pk, sizeof pk);
    assert_memory_equal(cohort, host.cohort, sizeof cohort);
    assert_int_equal(wire_handshake(&one, pk), 0);
    assert_int_equal(wire_hello(&one, NULL), 0);
    wire_close(&one);
}

static void relay__says_nothing__to_who_asks_with_another_fingerprint(void **state)
{
    uint8_t wrong[CHANNEL_FINGERPRINT_BYTES], pk[KEM_PK_BYTES], cohort[HASH_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof wrong; i++) {
        memcpy(wrong, host.fingerprint, sizeof wrong);
        wrong[i] ^= 1;
        assert_int_equal(wire_connect(&one, host.port, NULL), 0);
        assert_int_equal(wire_ask(&one, wrong, pk, cohort), -ECONNRESET);
        wire_close(&one);
    }
}

static void relay__closes__on_a_second_question_and_on_another_preamble(void **state)
{
    uint8_t pk[KEM_PK_BYTES], cohort[HASH_BYTES];

    (void)state;
    assert_int_equal(wire_connect(&one, host.port, NULL), 0);
    assert_int_equal(wire_ask(&one, host.fingerprint, pk, cohort), 0);
    assert_int_equal(wire_ask(&one, host.fingerprint, pk, cohort), -ECONNRESET);
    wire_close(&one);
    for (unsigned b = 2; b < 256; b += 11) {
        uint8_t preamble = (uint8_t)b;

        assert_int_equal(wire_connect(&one, host.port, NULL), 0);
        assert_int_equal(wire_write(&one, &preamble, 1), 0);
        assert_int_equal(wire_await_close(&one), 0);
        wire_close(&one);
    }
}

static void relay__closes_without_a_word__when_the_handshake_is_damaged(void **state)
{
    uint8_t first[1 + CHANNEL_MSG1_BYTES] = {CHANNEL_PREAMBLE_GO};
    uint8_t sink;

    (void)state;
    for (size_t at = 1; at < sizeof first; at += 131) {
        assert_int_equal(wire_connect(&one, host.port, NULL), 0);
        assert_int_equal(channel_client_start(&one.channel, host.pk, one.es, first + 1),
                         0);
        first[at] ^= 0x10;
        assert_int_equal(wire_write(&one, first, sizeof first), 0);
        assert_int_equal(wire_read(&one, &sink, 1), -ECONNRESET);
        wire_close(&one);
    }
}

static void relay__closes__on_bytes_before_the_handshake_ended(void **state)
{
    uint8_t first[1 + CHANNEL_MSG1_BYTES + 1] = {CHANNEL_PREAMBLE_GO};

    (void)state;
    assert_int_equal(wire_connect(&one, host.port, NULL), 0);
    assert_int_equal(channel_client_start(&one.channel, host.pk, one.es, first + 1), 0);
    assert_int_equal(wire_write(&one, first, sizeof first), 0);
    assert_int_equal(wire_await_close(&one), 0);
    wire_close(&one);
}

static void relay__opens_a_handshake__that_comes_byte_by_byte(void **state)
{
    uint8_t first[1 + CHANNEL_MSG1_BYTES] = {CHANNEL_PREAMBLE_GO};

    (void)state;
    assert_int_equal(wire_connect(&one, host.port, NULL), 0);
    assert_int_equal(channel_client_start(&one.channel, host.pk, one.es, first + 1), 0);
    for (size_t i = 0; i < sizeof first; i++)
        assert_int_equal(wire_write(&one, first + i, 1), 0);
    assert_int_equal(wire_handshake_finish(&one), 0);
    assert_int_equal(wire_hello(&one, NULL), 0);
    wire_close(&one);
}

static void relay__opens_or_closes_each__of_100_handshakes_at_once(void **state)
{
    struct wire *w = calloc(100, sizeof *w);
    unsigned good = 0;

    (void)state;
    assert_non_null(w);
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(wire_connect(&w[i], host.port, NULL), 0);
        assert_int_equal(wire_handshake_send(&w[i], host.pk), 0);
    }
    for (size_t i = 0; i < 100; i++) {
        int rc = wire_handshake_finish(&w[i]);

        assert_true(rc == 0 || rc == -ECONNRESET);
        if (rc == 0)
            assert_int_equal(wire_hello(&w[i], NULL), 0);
        good += rc == 0;
        wire_close(&w[i]);
    }
    assert_true(good >= CHANNEL_HANDSHAKES_WAITING_MAX);
    free(w);
}

/* ---- records and frames ----------------------------------------------------------- */

static void relay__closes__on_each_damaged_record(void **state)
{
    uint8_t record[CHANNEL_RECORD_BYTES];

    (void)state;
    for (size_t at = 0; at < sizeof record; at += 373) {
        assert_int_equal(wire_connect(&one, host.port, NULL), 0);
        assert_int_equal(wire_handshake(&one, host.pk), 0);
        assert_int_equal(channel_seal(&one.channel, record, 0), 0);
        record[at] ^= 1;
        assert_int_equal(wire_write(&one, record, sizeof record), 0);
        assert_int_equal(wire_await_close(&one), 0);
        wire_close(&one);
    }
}

static void relay__closes__when_a_record_is_replayed(void **state)
{
    uint8_t record[CHANNEL_RECORD_BYTES];

    (void)state;
    relay_host_greet(&host, &one);
    assert_int_equal(channel_seal(&one.channel, record, 0), 0);
    assert_int_equal(wire_write(&one, record, sizeof record), 0);
    assert_int_equal(wire_write(&one, record, sizeof record), 0);
    assert_int_equal(wire_await_close(&one), 0);
    wire_close(&one);
}

static void relay__closes__on_frames_it_cannot_read(void **state)
{
    static const char *const bad[] = {
        "c1",
        "00",
        "93",
        "9400",
        "9401 00 c0 c0",
        "9400 01 ab64657363726970746f7273 c0",
        "9403 01 a568656c6c6f 80",
        "94 cc00 01 a568656c6c6f 80",
        "9302 a3666f6f c1",
        "9400 01 ab64657363726970746f7273 81 a166 ca00000000",
        "dd ffffffff",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct bytes frame = support_hex(bad[i]);

        relay_host_greet(&host, &one);
        assert_int_equal(wire_send(&one, frame), 0);
        assert_int_equal(wire_await_close(&one), 0);
        wire_close(&one);
        support_drop(frame);
    }
}

static void relay__answers_malformed_then_closes__on_bad_params(void **state)
{
    static const char *const bad[] = {
        "9400 09 ab64657363726970746f7273 80",                 /* no `f` */
        "9400 09 ab64657363726970746f7273 81 a166 00",         /* from version 0 */
        "9400 09 ab64657363726970746f7273 82 a166 01 a166 01", /* twice */
        "9400 09 a570726f7665 81 a16b c40100",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct bytes frame = support_hex(bad[i]);
        struct frame f;
        int rc;

        relay_host_greet(&host, &one);
        assert_int_equal(wire_send(&one, frame), 0);
        rc = wire_next(&one, &f);
        if (rc == 0) { /* frame_next() may have refused it before */
            assert_int_equal(f.code, CODE_MALFORMED);
            assert_int_equal(f.id, 9);
            assert_int_equal(wire_await_close(&one), 0);
        } else {
            assert_int_equal(rc, -ECONNRESET);
        }
        wire_close(&one);
        support_drop(frame);
    }
}

static void relay__answers_unsupported__to_an_unknown_method_and_goes_on(void **state)
{
    struct bytes frame = support_hex("9400 07 a666726f626263 80"); /* "frobbc" */
    struct bytes note = support_hex("9302 a666726f626263 80");
    struct frame f;

    (void)state;
    relay_host_greet(&host, &one);
    assert_int_equal(wire_send(&one, note), 0);
    assert_int_equal(wire_send(&one, frame), 0);
    assert_int_equal(wire_next(&one, &f), 0);
    assert_int_equal(f.id, 7);
    assert_int_equal(f.code, CODE_UNSUPPORTED);
    assert_int_equal(wire_prove(&one, alice, host.cohort), 0);
    wire_close(&one);
    support_drop(frame);
    support_drop(note);
}

static void relay__answers_several_frames__of_one_record(void **state)
{
    uint8_t room[FRAME_CLIENT_MAX_BYTES];
    struct buf b = BUF_OVER(room);
    const struct msg_descriptors m = {1};
    struct msg_descriptors_result r;
    struct frame f;

    (void)state;
    relay_host_greet(&host, &one);
    for (uint32_t id = 0; id < 10; id++)
        msg_descriptors_write(&b, 100 + id, &m);
    assert_int_equal(b.rc, 0);
    assert_int_equal(wire_send(&one, buf_view(&b)), 0);
    for (uint32_t id = 0; id < 10; id++) {
        assert_int_equal(wire_next(&one, &f), 0);
        assert_int_equal(f.id, 100 + id);
        assert_int_equal(f.code, CODE_OK);
        assert_int_equal(msg_descriptors_result_read(f.body, &r), 0);
        assert_int_equal(r.count, 1);
    }
    wire_close(&one);
}

/* ---- who may do what -------------------------------------------------------------- */

static void relay__refuses_everything__before_hello(void **state)
{
    uint8_t envelope[ENVELOPE_BYTES] = {0};

    (void)state;
    assert_int_equal(wire_connect(&one, host.port, NULL), 0);
    assert_int_equal(wire_handshake(&one, host.pk), 0);
    assert_int_equal(wire_prove(&one, alice, host.cohort), CODE_UNSUPPORTED);
    assert_int_equal(wire_post(&one, BUCKET_MAIL, envelope, NULL), CODE_UNSUPPORTED);
    assert_int_equal(wire_subscribe(&one, BUCKET_MAIL, 0, 1, NULL), CODE_UNSUPPORTED);
    assert_int_equal(wire_hello(&one, NULL), 0);
    assert_int_equal(wire_hello(&one, NULL), CODE_UNSUPPORTED);
    wire_close(&one);
}

static void relay__answers_hello__with_version_clock_and_descriptor(void **state)
{
    struct msg_hello_result r;
    uint64_t now = clock_wall_s(clock_system());

    (void)state;
    assert_int_equal(wire_connect(&one, host.port, NULL), 0);
    assert_int_equal(wire_handshake(&one, host.pk), 0);
    assert_int_equal(wire_hello(&one, &r), 0);
    assert_int_equal(r.version, VERSION_ONE);
    assert_int_equal(r.descriptor, 1);
    assert_in_range(r.clock_s, now - 5, now + 5);
    wire_close(&one);
}

static void relay__refuses_hello__of_other_versions(void **state)
{
    const struct msg_hello m = {.versions = 1u << 2 | 1u << 9};
    uint8_t room[256];
    struct buf b = BUF_OVER(room);
    struct frame f;

    (void)state;
    assert_int_equal(wire_connect(&one, host.port, NULL), 0);
    assert_int_equal(wire_handshake(&one, host.pk), 0);
    msg_hello_write(&b, 5, &m);
    assert_int_equal(wire_call(&one, &b, 5, &f), CODE_UNSUPPORTED);
    wire_close(&one);
}

static void relay__refuses_strangers__without_telling_them_anything(void **state)
{
    uint8_t envelope[ENVELOPE_BYTES] = {0}, pk[SIGN_PK_BYTES], sk[SIGN_SK_BYTES];

    (void)state;
    assert_int_equal(sign_keypair(pk, sk), 0);
    relay_host_greet(&host, &one);
    assert_int_equal(wire_post(&one, BUCKET_MAIL, envelope, NULL), CODE_NOT_A_MEMBER);
    assert_int_equal(wire_post(&one, 9999, envelope, NULL), CODE_NOT_A_MEMBER);
    assert_int_equal(wire_subscribe(&one, BUCKET_MAIL, 0, 1, NULL), CODE_NOT_A_MEMBER);
    assert_int_equal(wire_prove(&one, sk, host.cohort), CODE_NOT_A_MEMBER);
    assert_int_equal(wire_post(&one, BUCKET_MAIL, envelope, NULL), CODE_NOT_A_MEMBER);
    wire_close(&one);
}

static void relay__refuses_a_proof__made_on_another_connection(void **state)
{
    uint8_t room[512], h[CHANNEL_HASH_BYTES];
    struct buf b = BUF_OVER(room);
    struct msg_prove m;
    struct frame f;

    (void)state;
    relay_host_greet(&host, &one);
    memcpy(h, one.channel.h, sizeof h);
    wire_close(&one);
    relay_host_greet(&host, &one);
    memcpy(m.key, alice + SIGN_SK_BYTES - SIGN_PK_BYTES, sizeof m.key);
    assert_int_equal(msg_prove_sign(&m, alice, host.cohort, h), 0);
    msg_prove_write(&b, 77, &m);
    assert_int_equal(wire_call(&one, &b, 77, &f), CODE_NOT_A_MEMBER);
    wire_close(&one);
}

static void relay__checks_only_a_few_proofs__of_one_connection(void **state)
{
    uint8_t room[FRAME_CLIENT_MAX_BYTES];
    struct buf b = BUF_OVER(room);
    struct msg_prove m = {{1}, {2}};
    struct frame f;
    uint32_t refused = 0;

    (void)state;
    relay_host_greet(&host, &one);
    for (uint32_t id = 0; id < 20; id++)
        msg_prove_write(&b, id, &m);
    assert_int_equal(b.rc, 0);
    assert_int_equal(wire_send(&one, buf_view(&b)), 0);
    while (wire_next(&one, &f) == 0 && f.code == CODE_NOT_A_MEMBER)
        refused++;
    assert_int_equal(f.code, CODE_RATE_LIMITED);
    assert_int_equal(refused, 8);
    assert_int_equal(wire_next(&one, &f), -ECONNRESET);
    wire_close(&one);
}

static void relay__binds_an_invite__to_one_key_only(void **state)
{
    uint8_t secret[INVITE_SECRET_BYTES], pk[SIGN_PK_BYTES], sk[2][SIGN_SK_BYTES];

    (void)state;
    assert_int_equal(sign_keypair(pk, sk[0]), 0);
    assert_int_equal(sign_keypair(pk, sk[1]), 0);
    assert_int_equal(control_invite(host.dir, secret, NULL), 0);
    relay_host_greet(&host, &one);
    assert_int_equal(wire_enrol(&one, secret, sk[0], host.cohort), 0);
    wire_close(&one);
    relay_host_greet(&host, &one);
    assert_int_equal(wire_enrol(&one, secret, sk[1], host.cohort), CODE_INVITE_USED);
    assert_int_equal(wire_enrol(&one, secret, sk[0], host.cohort),
                     0); /* its answer was lost */
    wire_close(&one);
    secret[0] ^= 1;
    relay_host_greet(&host, &one);
    assert_int_equal(wire_enrol(&one, secret, sk[1], host.cohort), CODE_INVITE_USED);
    wire_close(&one);
}

static void relay__keeps_posting_and_reading__on_connections_of_their_own(void **state)
{
    uint8_t envelope[ENVELOPE_BYTES];

    (void)state;
    fill(envelope, 1);
    relay_host_enter(&host, &one, alice);
    assert_int_equal(wire_post(&one, BUCKET_MAIL, envelope, NULL), 0);
    assert_int_equal(wire_subscribe(&one, BUCKET_MAIL, 0, 1, NULL), CODE_UNSUPPORTED);
    wire_close(&one);
    relay_host_enter(&host, &one, alice);
    assert_int_equal(wire_subscribe(&one, BUCKET_MAIL, 0, 1, NULL), 0);
    assert_int_equal(wire_post(&one, BUCKET_MAIL, envelope, NULL), CODE_UNSUPPORTED);
    wire_close(&one);
}

static void relay__refuses__a_bucket_that_is_not_there(void **state)
{
    uint8_t envelope[ENVELOPE_BYTES] = {0};

    (void)state;
    relay_host_enter(&host, &one, alice);
    assert_int_equal(wire_post(&one, BUCKET_MAIL + 2, envelope, NULL),
                     CODE_NO_SUCH_BUCKET);
    wire_close(&one);
    relay_host_enter(&host, &one, alice);
    assert_int_equal(wire_subscribe(&one, BUCKET_MAIL + 2, 0, 1, NULL),
                     CODE_NO_SUCH_BUCKET);
    assert_int_equal(wire_subscribe(&one, BUCKETS_MAIL_MAX + 1, 1, 1, NULL),
                     CODE_NO_SUCH_BUCKET);
    wire_close(&one);
}

static void relay__ends_reading_and_posting__when_a_member_is_revoked(void **state)
{
    uint8_t secret[INVITE_SECRET_BYTES], pk[SIGN_PK_BYTES], sk[SIGN_SK_BYTES];
    uint8_t envelope[ENVELOPE_BYTES] = {0};
    struct msg_envelopes got;
    struct msg_gap gap;
    struct buf answer;
    uint64_t number;
    bool is_gap;

    (void)state;
    assert_int_equal(sign_keypair(pk, sk), 0);
    assert_int_equal(control_invite(host.dir, secret, &number), 0);
    relay_host_greet(&host, &one);
    assert_int_equal(wire_enrol(&one, secret, sk, host.cohort), 0);
    wire_close(&one);
    relay_host_enter(&host, &one, sk);
    assert_int_equal(wire_post(&one, BUCKET_MAIL, envelope, NULL), 0);
    relay_host_enter(&host, &two, sk);
    assert_int_equal(wire_subscribe(&two, BUCKET_MAIL, 0, 10, NULL), 0);
    assert_int_equal(control_once(host.dir, "revoke", "number", number, &answer), 0);
    assert_true(control_good(&answer));
    buf_free(&answer);
    assert_int_equal(wire_post(&one, BUCKET_MAIL, envelope, NULL), CODE_REVOKED);
    wire_close(&one);
    /* Also one that nothing is sent to: it need not wait for somebody's post. */
    assert_int_equal(wire_envelopes(&two, &got, &gap, &is_gap), -ECONNRESET);
    wire_close(&two);
    relay_host_greet(&host, &one);
    assert_int_equal(wire_prove(&one, sk, host.cohort), CODE_REVOKED);
    wire_close(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relay__gives_its_key__to_who_knows_the_fingerprint),
        cmocka_unit_test(relay__says_nothing__to_who_asks_with_another_fingerprint),
        cmocka_unit_test(relay__closes__on_a_second_question_and_on_another_preamble),
        cmocka_unit_test(relay__closes_without_a_word__when_the_handshake_is_damaged),
        cmocka_unit_test(relay__closes__on_bytes_before_the_handshake_ended),
        cmocka_unit_test(relay__opens_a_handshake__that_comes_byte_by_byte),
        cmocka_unit_test(relay__opens_or_closes_each__of_100_handshakes_at_once),
        cmocka_unit_test(relay__closes__on_each_damaged_record),
        cmocka_unit_test(relay__closes__when_a_record_is_replayed),
        cmocka_unit_test(relay__closes__on_frames_it_cannot_read),
        cmocka_unit_test(relay__answers_malformed_then_closes__on_bad_params),
        cmocka_unit_test(relay__answers_unsupported__to_an_unknown_method_and_goes_on),
        cmocka_unit_test(relay__answers_several_frames__of_one_record),
        cmocka_unit_test(relay__refuses_everything__before_hello),
        cmocka_unit_test(relay__answers_hello__with_version_clock_and_descriptor),
        cmocka_unit_test(relay__refuses_hello__of_other_versions),
        cmocka_unit_test(relay__refuses_strangers__without_telling_them_anything),
        cmocka_unit_test(relay__refuses_a_proof__made_on_another_connection),
        cmocka_unit_test(relay__checks_only_a_few_proofs__of_one_connection),
        cmocka_unit_test(relay__binds_an_invite__to_one_key_only),
        cmocka_unit_test(relay__keeps_posting_and_reading__on_connections_of_their_own),
        cmocka_unit_test(relay__refuses__a_bucket_that_is_not_there),
        cmocka_unit_test(relay__ends_reading_and_posting__when_a_member_is_revoked),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
