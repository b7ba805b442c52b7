/* SPDX-License-Identifier: Apache-2.0 */
/* Frames and payloads as the second implementation made them:
 * tests/vectors/messages.json. */
#include "tests/support/frozen.h"

#include "lib/secret.h"
#include "proto/msg.h"
#include "proto/payload.h"

#include <string.h>

static json_t *root;
static uint8_t room[16000], again[16000], envelopes[3 * ENVELOPE_BYTES], head[HASH_BYTES];

/* The frame of that name, whole; drop it. */
static struct bytes frozen_frame(const char *name)
{
    return vectors_hex(json_object_get(root, "frames"), name);
}

static struct frame cut(struct bytes in)
{
    struct frame f;

    assert_int_equal(frame_next(&in, &f), 0);
    assert_int_equal(in.n, 0);
    return f;
}

/* The message written is the frozen frame, and the frozen frame reads as the message.
 * `write` is a call with b and m for the buffer and the message. */
#define CHECK(name, what, value, write)                                              \
    do {                                                                             \
        struct bytes frozen = frozen_frame(name);                                    \
        struct buf room_b = BUF_OVER(room), again_b = BUF_OVER(again), *b = &room_b; \
        struct msg_##what read;                                                      \
        const struct msg_##what *m = &(value);                                       \
                                                                                     \
        write;                                                                       \
        support_equal(buf_view(b), frozen);                                          \
        assert_int_equal(msg_##what##_read(cut(frozen).body, &read), 0);             \
        b = &again_b;                                                                \
        m = &read;                                                                   \
        write;                                                                       \
        support_equal(buf_view(b), frozen);                                          \
        support_drop(frozen);                                                        \
    } while (0)

static void msg__of_a_client_is_the_frozen_one(void **state)
{
    const struct msg_hello hello = {1u << VERSION_ONE};
    const struct msg_descriptors descriptors = {1};
    const struct msg_post post = {2, {envelopes, ENVELOPE_BYTES}};
    const struct msg_subscribe from = {257, false, 257, 4096},
                               from_head = {2, true, 0, 0};
    const struct msg_unsubscribe unsubscribe = {2};
    const struct msg_credit credit = {2, 64};

    (void)state;
    CHECK("hello", hello, hello, msg_hello_write(b, 0, m));
    CHECK("descriptors", descriptors, descriptors, msg_descriptors_write(b, 1, m));
    CHECK("post", post, post, msg_post_write(b, 65536, m));
    CHECK("subscribe", subscribe, from, msg_subscribe_write(b, UINT32_MAX, m));
    CHECK("subscribe_head", subscribe, from_head, msg_subscribe_write(b, 5, m));
    CHECK("unsubscribe", unsubscribe, unsubscribe, msg_unsubscribe_write(b, 6, m));
    CHECK("credit", credit, credit, msg_credit_write(b, m));
}

static void msg__of_the_relay_is_the_frozen_one(void **state)
{
    const json_t *list = vectors_array(root, "signed");
    struct bytes one = support_hex(json_string_value(json_array_get(list, 0)));
    struct bytes two = support_hex(json_string_value(json_array_get(list, 1)));
    const struct msg_hello_result hello = {1, 1900000000, 3};
    const struct msg_descriptors_result descriptors = {2, {one, two}};
    struct msg_post_result posted = {.seq = (uint64_t)1 << 32};
    struct msg_subscribe_result subscribed = {.first = 257, .next = 300, .oldest = 1};
    struct msg_envelopes some = {.bucket = 2, .first = 256};
    struct msg_gap gap = {.bucket = 0, .first = 1025};

    (void)state;
    memcpy(posted.head, head, sizeof head);
    memcpy(subscribed.head, head, sizeof head);
    memcpy(some.head, head, sizeof head);
    memcpy(gap.head, head, sizeof head);
    some.envelopes = BYTES(envelopes);
    CHECK("hello_result", hello_result, hello, msg_hello_result_write(b, 0, m));
    CHECK("descriptors_result", descriptors_result, descriptors,
          msg_descriptors_result_write(b, 1, m));
    CHECK("post_result", post_result, posted, msg_post_result_write(b, 65536, m));
    CHECK("subscribe_result", subscribe_result, subscribed,
          msg_subscribe_result_write(b, 5, m));
    CHECK("envelopes", envelopes, some, msg_envelopes_write(b, m));
    CHECK("gap", gap, gap, msg_gap_write(b, m));
    support_drop(one);
    support_drop(two);
}

static void msg_nil__is_the_frozen_one(void **state)
{
    struct bytes frozen = frozen_frame("nil_result");
    struct buf b = BUF_OVER(room);

    (void)state;
    msg_nil_write(&b, 128);
    support_equal(buf_view(&b), frozen);
    assert_int_equal(msg_nil_read(cut(frozen).body), 0);
    support_drop(frozen);
}

static void msg__signs_as_frozen(void **state)
{
    uint8_t seed[32], pk[32], sk[64], cohort[32], h[64];
    struct msg_enrol enrol;
    struct msg_prove prove;

    (void)state;
    frozen_copy(root, "member_seed", seed, sizeof seed);
    frozen_copy(root, "cohort", cohort, sizeof cohort);
    frozen_copy(root, "hash", h, sizeof h);
    frozen_copy(root, "invite_secret", enrol.secret, sizeof enrol.secret);
    sign_keypair_from(seed, pk, sk);
    memcpy(enrol.key, pk, sizeof pk);
    memcpy(prove.key, pk, sizeof pk);
    assert_int_equal(msg_enrol_sign(&enrol, sk, cohort, h), 0);
    assert_int_equal(msg_prove_sign(&prove, sk, cohort, h), 0);
    CHECK("enrol", enrol, enrol, msg_enrol_write(b, 127, m));
    CHECK("prove", prove, prove, msg_prove_write(b, 128, m));
    assert_int_equal(msg_enrol_check(&enrol, cohort, h), 0);
    assert_int_equal(msg_prove_check(&prove, cohort, h), 0);
}

static void frame_error__is_the_frozen_one(void **state)
{
    struct bytes frozen = frozen_frame("error");
    struct buf b = BUF_OVER(room);

    (void)state;
    frame_error(&b, 7, CODE_NO_SUCH_BUCKET);
    support_equal(buf_view(&b), frozen);
    assert_int_equal(cut(frozen).code, CODE_NO_SUCH_BUCKET);
    support_drop(frozen);
}

/* ---- payloads --------------------------------------------------------------------- */

static void check_payload(const char *name, struct payload p)
{
    struct bytes frozen = vectors_hex(json_object_get(root, "payloads"), name);
    struct buf b = BUF_OVER(room);
    struct payload read;

    frozen_copy(root, "payload_id", p.id, sizeof p.id);
    payload_write(&b, &p);
    support_equal(buf_view(&b), frozen);
    assert_int_equal(payload_read(frozen, &read), 0);
    b = BUF_OVER(room);
    payload_write(&b, &read);
    support_equal(buf_view(&b), frozen);
    support_drop(frozen);
}

static struct payload full_part(void)
{
    static uint8_t letters[TEXT_PART_BYTES_MAX];
    struct payload p = {
        .type = PAYLOAD_TEXT,
        .minute = 31000000,
        .text = BYTES(letters),
        .part = 63,
        .parts = 64,
        .order = UINT32_MAX,
        .acks_n = 4,
        .acks = {{.turn = 1, .upto = 4, .missing = {5}},
                 {.turn = 3, .upto = 256},
                 {.turn = 5, .upto = 256, .missing = {[31] = 0x80}},
                 {.turn = 7, .upto = 9, .missing = {0xff, 1}}},
        .gossip = {.has_directory = true,
                   .has_descriptor = true,
                   .has_previous = true,
                   .directory_seq = 12,
                   .previous_bucket = 2,
                   .previous_seq = 77},
    };

    memset(letters, 'a', sizeof letters);
    memcpy(p.gossip.directory, head, 8);
    memcpy(p.gossip.descriptor, head + 8, 8);
    memcpy(p.gossip.previous, head + 16, 8);
    return p;
}

static void payload__is_the_frozen_one(void **state)
{
    struct payload take = {
        .type = PAYLOAD_TAKE, .name = LABEL(""), .has_home = true, .home = 257};

    (void)state;
    take.gossip.has_descriptor = true;
    memcpy(take.gossip.descriptor, head + 8, 8);
    check_payload("text",
                  (struct payload){.type = PAYLOAD_TEXT,
                                   .minute = 31000000,
                                   .text = LABEL("Bist du wach? \xf0\x9f\x99\x82")});
    check_payload("part", full_part());
    check_payload("ack", (struct payload){.type = PAYLOAD_ACK,
                                          .minute = 31000000,
                                          .acks_n = 1,
                                          .acks = {{.turn = 2, .upto = 1}}});
    check_payload("accept", (struct payload){.type = PAYLOAD_ACCEPT,
                                             .minute = 31000000,
                                             .name = LABEL("Mira"),
                                             .has_home = true,
                                             .home = 2});
    check_payload("take", take);
    check_payload("empty", (struct payload){.type = PAYLOAD_EMPTY, .minute = UINT32_MAX});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(msg__of_a_client_is_the_frozen_one),
        cmocka_unit_test(msg__of_the_relay_is_the_frozen_one),
        cmocka_unit_test(msg_nil__is_the_frozen_one),
        cmocka_unit_test(msg__signs_as_frozen),
        cmocka_unit_test(frame_error__is_the_frozen_one),
        cmocka_unit_test(payload__is_the_frozen_one),
    };
    struct bytes pattern;
    int failed;

    if (secret_start())
        return 1;
    root = frozen_load("messages.json");
    frozen_copy(root, "head", head, sizeof head);
    pattern = vectors_hex(root, "envelope_254_times_16");
    for (size_t i = 0; i < sizeof envelopes; i++)
        envelopes[i] = pattern.p[i % pattern.n];
    support_drop(pattern);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_decref(root);
    return failed;
}
