/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/feed.h"
#include "tests/support/meaning.h"

#include "lib/secret.h"
#include "proto/mp_write.h"
#include "proto/msg.h"

#include <string.h>

static uint8_t envelopes[ENVELOPES_PER_RECORD_MAX * ENVELOPE_BYTES];
static uint8_t descriptor_a[DESCRIPTOR_BYTES_MAX], descriptor_b[3];

union any {
    struct msg_hello hello;
    struct msg_hello_result hello_result;
    struct msg_descriptors descriptors;
    struct msg_descriptors_result descriptors_result;
    struct msg_enrol enrol;
    struct msg_prove prove;
    struct msg_post post;
    struct msg_post_result post_result;
    struct msg_subscribe subscribe;
    struct msg_subscribe_result subscribe_result;
    struct msg_unsubscribe unsubscribe;
    struct msg_credit credit;
    struct msg_envelopes envelopes;
    struct msg_gap gap;
};

/* One row a message: how it is read and written, the keys it knows, an example. */
struct codec {
    const char *name;
    enum method method; /* METHOD_COUNT: a result */
    const char *known;
    int (*read)(struct bytes body, union any *out);
    void (*write)(struct buf *b, const union any *m);
    union any example;
};

#define REQUEST(what)                                           \
    static int read_##what(struct bytes body, union any *out)   \
    {                                                           \
        return msg_##what##_read(body, &out->what);             \
    }                                                           \
    static void write_##what(struct buf *b, const union any *m) \
    {                                                           \
        msg_##what##_write(b, 77, &m->what);                    \
    }
#define NOTIFY(what)                                            \
    static int read_##what(struct bytes body, union any *out)   \
    {                                                           \
        return msg_##what##_read(body, &out->what);             \
    }                                                           \
    static void write_##what(struct buf *b, const union any *m) \
    {                                                           \
        msg_##what##_write(b, &m->what);                        \
    }
REQUEST(hello)
REQUEST(hello_result)
REQUEST(descriptors)
REQUEST(descriptors_result)
REQUEST(enrol)
REQUEST(prove)
REQUEST(post)
REQUEST(post_result)
REQUEST(subscribe)
REQUEST(subscribe_result)
REQUEST(unsubscribe)
NOTIFY(credit)
NOTIFY(envelopes)
NOTIFY(gap)

static int read_nil(struct bytes body, union any *out)
{
    (void)out;
    return msg_nil_read(body);
}

static void write_nil(struct buf *b, const union any *m)
{
    (void)m;
    msg_nil_write(b, 77);
}

#define CODEC(what, method, known) #what, method, known, read_##what, write_##what

static const struct codec codecs[] = {
    {CODEC(hello, METHOD_HELLO, "v"), {.hello = {1u << 1 | 1u << 7 | 1u << 31}}},
    {CODEC(hello_result, METHOD_COUNT, "vtd"), {.hello_result = {1, 1900000000, 300}}},
    {CODEC(descriptors, METHOD_DESCRIPTORS, "f"), {.descriptors = {UINT32_MAX}}},
    {CODEC(descriptors_result, METHOD_COUNT, "d"),
     {.descriptors_result = {2,
                             {{descriptor_a, sizeof descriptor_a}, {descriptor_b, 3}}}}},
    {CODEC(enrol, METHOD_ENROL, "iks"), {.enrol = {{1}, {2}, {3}}}},
    {CODEC(prove, METHOD_PROVE, "ks"), {.prove = {{2}, {3}}}},
    {CODEC(nil, METHOD_COUNT, ""), {.gap = {0}}},
    {CODEC(post, METHOD_POST, "be"), {.post = {257, {envelopes, ENVELOPE_BYTES}}}},
    {CODEC(post_result, METHOD_COUNT, "sh"), {.post_result = {70000, {4}}}},
    {CODEC(subscribe, METHOD_SUBSCRIBE, "bfc"), {.subscribe = {2, false, 257, 64}}},
    {CODEC(subscribe, METHOD_SUBSCRIBE, "bfc"), {.subscribe = {2, true, 0, 0}}},
    {CODEC(subscribe_result, METHOD_COUNT, "fhno"),
     {.subscribe_result = {257, {5}, (uint64_t)1 << 33, 1}}},
    {CODEC(unsubscribe, METHOD_UNSUBSCRIBE, "b"), {.unsubscribe = {3}}},
    {CODEC(credit, METHOD_CREDIT, "bc"), {.credit = {2, 4096}}},
    {CODEC(envelopes, METHOD_ENVELOPES, ""),
     {.envelopes = {2, 513, {6}, {envelopes, 2 * ENVELOPE_BYTES}}}},
    {CODEC(gap, METHOD_GAP, "bfh"), {.gap = {0, 1025, {7}}}},
};

/* The frame's params or result; room must outlive it. */
static struct bytes body_of(const struct codec *c, const union any *m, struct buf *b)
{
    struct bytes in;
    struct frame f;

    c->write(b, m);
    assert_int_equal(b->rc, 0);
    in = buf_view(b);
    assert_int_equal(frame_next(&in, &f), 0);
    assert_int_equal(in.n, 0);
    if (c->method != METHOD_COUNT) {
        assert_true(mp_is(f.method, method_table[c->method].name));
        assert_int_equal(f.kind, method_table[c->method].kind);
    }
    if (f.kind != FRAME_NOTIFY)
        assert_int_equal(f.id, 77);
    return f.body;
}

/* ---- what works ------------------------------------------------------------------- */

static void msg__reads__what_it_wrote(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(codecs); i++) {
        uint8_t one_room[64000], two_room[64000];
        struct buf one = BUF_OVER(one_room), two = BUF_OVER(two_room);
        struct bytes body = body_of(&codecs[i], &codecs[i].example, &one);
        union any out;

        memset(&out, 0, sizeof out);
        assert_int_equal(codecs[i].read(body, &out), 0);
        codecs[i].write(&two, &out);
        support_equal(buf_view(&two), buf_view(&one));
    }
}

static void msg_subscribe_read__tells__the_head_from_a_number(void **state)
{
    const struct msg_subscribe head = {2, true, 0, 9}, from = {2, false, 1, 9};
    const struct codec *c = &codecs[9];
    uint8_t room[64];
    union any out;
    struct buf b;

    (void)state;
    b = BUF_OVER(room);
    assert_int_equal(c->read(body_of(c, &(union any){.subscribe = head}, &b), &out), 0);
    assert_true(out.subscribe.from_head);
    b = BUF_OVER(room);
    assert_int_equal(c->read(body_of(c, &(union any){.subscribe = from}, &b), &out), 0);
    assert_false(out.subscribe.from_head);
    assert_int_equal(out.subscribe.from, 1);
}

static void method_find__finds__each_row_by_name_kind_and_side(void **state)
{
    (void)state;
    for (enum method m = 0; m < METHOD_COUNT; m++) {
        const struct method_row *row = &method_table[m];
        struct bytes name = {(const uint8_t *)row->name, strlen(row->name)};

        assert_int_equal(method_find(name, row->kind, row->from_client), m);
        assert_int_equal(method_find(name, row->kind, !row->from_client), METHOD_COUNT);
        assert_int_equal(method_find(name, FRAME_RESPONSE, row->from_client),
                         METHOD_COUNT);
        name.n--;
        assert_int_equal(method_find(name, row->kind, row->from_client), METHOD_COUNT);
    }
    assert_int_equal(method_find(LABEL("hellos"), FRAME_REQUEST, true), METHOD_COUNT);
    assert_int_equal(method_find(LABEL(""), FRAME_REQUEST, true), METHOD_COUNT);
}

/* ---- damage ----------------------------------------------------------------------- */

/* Versions are a set, written in ascending order and taken in any. */
static bool is_ascending(struct bytes hello)
{
    struct mp r = mp_over(hello);
    struct mp_map m = mp_map(&r);
    uint64_t last = 0, v = 0;
    struct bytes key;

    while (mp_key(&r, &m, &key)) {
        if (!mp_is(key, "v")) {
            mp_skip(&r);
            continue;
        }
        for (size_t n = mp_array(&r, 1, 8); n > 0 && v >= last; n--) {
            last = v;
            v = mp_uint(&r, 1, 31);
        }
        return v >= last;
    }
    return true;
}

static int taken_is_meant(struct bytes in, void *arg)
{
    static uint8_t room[64000];
    const struct codec *c = arg;
    const char *known[MEANING_DEPTH] = {c->known};
    struct buf b = BUF_OVER(room);
    union any out;

    memset(&out, 0, sizeof out);
    if (c->read(in, &out))
        return MP_E_MALFORMED;
    if (c->read != read_hello || is_ascending(in))
        meaning_equal(in, body_of(c, &out, &b), known);
    return 0;
}

static void msg__takes__no_damaged_message_for_another(void **state)
{
    size_t taken = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(codecs); i++) {
        uint8_t room[64000];
        struct buf b = BUF_OVER(room);
        struct codec c = codecs[i];

        taken += feed_survives(body_of(&c, &c.example, &b), taken_is_meant, &c, i + 1);
    }
    assert_true(taken > 0); /* a changed head is another head: somebody was compared */
}

/* ---- refused, by hand ------------------------------------------------------------- */

struct row {
    const char *hex;
    bool good;
};

static void table(int (*read)(struct bytes, union any *), const struct row *rows,
                  size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct bytes in = support_hex(rows[i].hex);
        union any out;
        int rc = read(in, &out);

        if (rc != (rows[i].good ? 0 : MP_E_MALFORMED))
            fail_msg("%s: %d", rows[i].hex, rc);
        support_drop(in);
    }
}

#define TABLE(read, ...)                           \
    table(read, (const struct row[]){__VA_ARGS__}, \
          sizeof((const struct row[]){__VA_ARGS__}) / sizeof(struct row))

static void msg_hello_read__takes__one_to_eight_versions_once_each(void **state)
{
    (void)state;
    TABLE(read_hello, {"81 a1 76 91 01", true}, {"81 a1 76 92 01 02", true},
          {"81 a1 76 98 01 02 03 04 05 06 07 1f", true},
          {"81 a1 76 99 01 02 03 04 05 06 07 08 09", false}, {"81 a1 76 90", false},
          {"81 a1 76 91 00", false}, {"81 a1 76 91 20", false},
          {"81 a1 76 92 01 01", false}, {"81 a1 76 01", false}, {"80", false},
          {"c0", false}, {"91 91 01", false},
          {"82 a1 76 91 01 a1 7a c0", true},     /* an unknown key */
          {"82 a1 76 91 01 a2 76 76 c0", true},  /* a longer one */
          {"82 a1 76 91 01 a0 c0", true},        /* an empty one */
          {"82 a1 76 91 01 a1 00 c0", true},     /* a zero */
          {"82 a1 76 91 01 a1 76 91 01", false}, /* repeated */
          {"82 a1 76 91 01 a1 7a c1", false},    /* unknown and bad */
          {"82 a1 76 91 01 01 c0", false},       /* a key that is no str */
          {"81 c4 01 76 91 01", false}, {"81 a1 76 91 01 00", false});
}

static void msg_hello_result_read__checks__ranges(void **state)
{
    (void)state;
    TABLE(read_hello_result, {"83 a1 76 01 a1 74 00 a1 64 01", true},
          {"83 a1 64 01 a1 74 00 a1 76 01", true}, /* any order */
          {"83 a1 76 00 a1 74 00 a1 64 01", false},
          {"83 a1 76 20 a1 74 00 a1 64 01", false},
          {"83 a1 76 01 a1 74 00 a1 64 00", false},
          {"83 a1 76 01 a1 74 ff a1 64 01", false},
          {"83 a1 76 01 a1 74 cf 0000010000000000 a1 64 01", true},
          {"83 a1 76 01 a1 74 cf 0000010000000001 a1 64 01", false},
          {"83 a1 76 01 a1 74 00 a1 64 ce ffffffff", true},
          {"83 a1 76 01 a1 74 00 a1 64 cf 0000000100000000", false},
          {"83 a1 76 01 a1 74 ca 00000000 a1 64 01", false}, /* a float */
          {"82 a1 76 01 a1 74 00", false}, {"82 a1 76 01 a1 64 01", false},
          {"82 a1 74 00 a1 64 01", false});
}

static void msg_subscribe_read__checks__ranges(void **state)
{
    (void)state;
    TABLE(
        read_subscribe, {"82 a1 62 02 a1 63 00", true},
        {"82 a1 62 00 a1 63 cd 1000", true}, {"82 a1 62 02 a1 63 cd 1001", false},
        {"83 a1 62 02 a1 66 01 a1 63 01", true}, {"83 a1 62 02 a1 66 00 a1 63 01", false},
        {"83 a1 62 02 a1 66 c0 a1 63 01", false},
        {"83 a1 62 02 a1 66 cf 0000010000000000 a1 63 01", true},
        {"83 a1 62 02 a1 66 cf 0000010000000001 a1 63 01", false},
        {"82 a1 62 cd ffff a1 63 00", true}, {"82 a1 62 ce 00010000 a1 63 00", false},
        {"82 a1 62 ff a1 63 00", false}, {"81 a1 62 02", false}, {"81 a1 63 02", false});
}

static void msg_credit_read__refuses__none_and_too_much(void **state)
{
    (void)state;
    TABLE(read_credit, {"82 a1 62 02 a1 63 01", true}, {"82 a1 62 02 a1 63 00", false},
          {"82 a1 62 02 a1 63 cd 1000", true}, {"82 a1 62 02 a1 63 cd 1001", false},
          {"82 a1 62 02 a1 63 cf ffffffffffffffff", false});
}

static void msg_unsubscribe_read__takes__a_bucket(void **state)
{
    (void)state;
    TABLE(read_unsubscribe, {"81 a1 62 02", true}, {"80", false}, {"81 a1 62 c0", false},
          {"81 a1 62 a1 32", false});
}

static void msg_descriptors_read__counts_from_one(void **state)
{
    (void)state;
    TABLE(read_descriptors, {"81 a1 66 01", true}, {"81 a1 66 00", false},
          {"81 a1 66 ce ffffffff", true}, {"81 a1 66 cf 0000000100000000", false});
    TABLE(read_descriptors_result, {"81 a1 64 90", true}, {"81 a1 64 91 c4 01 00", true},
          {"81 a1 64 92 c4 01 00 c4 01 00", true}, {"81 a1 64 91 c4 00", false},
          {"81 a1 64 93 c4 01 00 c4 01 00 c4 01 00", false}, {"81 a1 64 91 a1 00", false},
          {"81 a1 64 c4 01 00", false});
}

static void msg_nil_read__takes__nil_alone(void **state)
{
    (void)state;
    TABLE(read_nil, {"c0", true}, {"", false}, {"c2", false}, {"80", false},
          {"00", false}, {"c0 c0", false});
}

static void msg_descriptors_result_read__bounds__a_descriptor(void **state)
{
    static uint8_t big[DESCRIPTOR_BYTES_MAX + 1];

    (void)state;
    for (size_t n = DESCRIPTOR_BYTES_MAX; n <= DESCRIPTOR_BYTES_MAX + 1; n++) {
        union any m = {.descriptors_result = {1, {{big, n}}}}, out;
        uint8_t room[4096];
        struct buf b = BUF_OVER(room);
        struct bytes body = body_of(&codecs[3], &m, &b);

        assert_int_equal(read_descriptors_result(body, &out),
                         n > DESCRIPTOR_BYTES_MAX ? MP_E_MALFORMED : 0);
    }
}

static void msg_descriptors_result__of_two_fits_a_small_record(void **state)
{
    const union any m = {
        .descriptors_result = {2, {BYTES(descriptor_a), BYTES(descriptor_a)}}};
    uint8_t room[FRAME_CLIENT_MAX_BYTES];
    struct buf b = BUF_OVER(room);

    (void)state;
    write_descriptors_result(&b, &m);
    assert_int_equal(b.rc, 0);
}

static void msg_post_read__takes__envelopes_of_4064_bytes_only(void **state)
{
    (void)state;
    for (size_t n = ENVELOPE_BYTES - 2; n <= ENVELOPE_BYTES + 2; n++) {
        union any m = {.post = {2, {envelopes, n}}}, out;
        uint8_t room[5000];
        struct buf b = BUF_OVER(room);
        struct bytes body = body_of(&codecs[7], &m, &b);

        assert_int_equal(read_post(body, &out), n == ENVELOPE_BYTES ? 0 : MP_E_MALFORMED);
        if (n == ENVELOPE_BYTES)
            assert_true(out.post.envelope.p > room &&
                        out.post.envelope.p < room + sizeof room);
    }
}

static void msg_envelopes_read__takes__one_to_fifteen_whole_envelopes(void **state)
{
    static uint8_t big[16 * ENVELOPE_BYTES], room[70000];

    (void)state;
    for (size_t n = 0; n <= sizeof big; n += ENVELOPE_BYTES / 2) {
        union any m = {.envelopes = {2, 1, {0}, {big, n}}}, out;
        struct buf b = BUF_OVER(room);
        struct bytes body = body_of(&codecs[14], &m, &b);
        bool good = n && n % ENVELOPE_BYTES == 0 && n <= 15 * ENVELOPE_BYTES;

        assert_int_equal(read_envelopes(body, &out), good ? 0 : MP_E_MALFORMED);
    }
}

/* ---- signatures, SPEC 3.5 --------------------------------------------------------- */

struct member {
    uint8_t pk[SIGN_PK_BYTES], sk[SIGN_SK_BYTES];
};

static void msg_enrol_check__refuses__every_change(void **state)
{
    const uint8_t cohort[32] = {1}, h[64] = {2};
    struct msg_enrol m = {.secret = {3}};
    uint8_t other_cohort[32] = {1}, other_h[64] = {2};
    struct member who;

    (void)state;
    assert_int_equal(sign_keypair(who.pk, who.sk), 0);
    memcpy(m.key, who.pk, sizeof m.key);
    assert_int_equal(msg_enrol_sign(&m, who.sk, cohort, h), 0);
    assert_int_equal(msg_enrol_check(&m, cohort, h), 0);
    for (size_t bit = 0; bit < sizeof m * 8; bit++) {
        struct msg_enrol bad = m;

        ((uint8_t *)&bad)[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(msg_enrol_check(&bad, cohort, h), SIGN_E_FORGED);
    }
    for (size_t i = 0; i < 64; i++) {
        other_h[i] ^= 1;
        assert_int_equal(msg_enrol_check(&m, cohort, other_h), SIGN_E_FORGED);
        other_h[i] ^= 1;
    }
    other_cohort[31] ^= 1;
    assert_int_equal(msg_enrol_check(&m, other_cohort, h), SIGN_E_FORGED);
}

static void msg_prove_check__refuses__every_change(void **state)
{
    const uint8_t cohort[32] = {1}, h[64] = {2};
    uint8_t other_cohort[32] = {1}, other_h[64] = {2};
    struct msg_prove m = {{0}, {0}};
    struct member who;

    (void)state;
    assert_int_equal(sign_keypair(who.pk, who.sk), 0);
    memcpy(m.key, who.pk, sizeof m.key);
    assert_int_equal(msg_prove_sign(&m, who.sk, cohort, h), 0);
    assert_int_equal(msg_prove_check(&m, cohort, h), 0);
    for (size_t bit = 0; bit < sizeof m * 8; bit++) {
        struct msg_prove bad = m;

        ((uint8_t *)&bad)[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(msg_prove_check(&bad, cohort, h), SIGN_E_FORGED);
    }
    for (size_t i = 0; i < 64; i++) {
        other_h[i] ^= 1;
        assert_int_equal(msg_prove_check(&m, cohort, other_h), SIGN_E_FORGED);
        other_h[i] ^= 1;
    }
    other_cohort[0] ^= 1;
    assert_int_equal(msg_prove_check(&m, other_cohort, h), SIGN_E_FORGED);
}

static void msg_enrol_check__refuses__a_proof_in_place_of_an_enrolment(void **state)
{
    const uint8_t cohort[32] = {1}, h[64] = {2};
    struct msg_prove proof = {{0}, {0}};
    struct msg_enrol m = {.secret = {0}};
    struct member who;

    (void)state;
    assert_int_equal(sign_keypair(who.pk, who.sk), 0);
    memcpy(proof.key, who.pk, sizeof proof.key);
    assert_int_equal(msg_prove_sign(&proof, who.sk, cohort, h), 0);
    memcpy(m.key, who.pk, sizeof m.key);
    memcpy(m.sig, proof.sig, sizeof m.sig);
    assert_int_equal(msg_enrol_check(&m, cohort, h), SIGN_E_FORGED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(msg__reads__what_it_wrote),
        cmocka_unit_test(msg_subscribe_read__tells__the_head_from_a_number),
        cmocka_unit_test(method_find__finds__each_row_by_name_kind_and_side),
        cmocka_unit_test(msg__takes__no_damaged_message_for_another),
        cmocka_unit_test(msg_hello_read__takes__one_to_eight_versions_once_each),
        cmocka_unit_test(msg_hello_result_read__checks__ranges),
        cmocka_unit_test(msg_subscribe_read__checks__ranges),
        cmocka_unit_test(msg_credit_read__refuses__none_and_too_much),
        cmocka_unit_test(msg_unsubscribe_read__takes__a_bucket),
        cmocka_unit_test(msg_descriptors_read__counts_from_one),
        cmocka_unit_test(msg_nil_read__takes__nil_alone),
        cmocka_unit_test(msg_descriptors_result_read__bounds__a_descriptor),
        cmocka_unit_test(msg_descriptors_result__of_two_fits_a_small_record),
        cmocka_unit_test(msg_post_read__takes__envelopes_of_4064_bytes_only),
        cmocka_unit_test(msg_envelopes_read__takes__one_to_fifteen_whole_envelopes),
        cmocka_unit_test(msg_enrol_check__refuses__every_change),
        cmocka_unit_test(msg_prove_check__refuses__every_change),
        cmocka_unit_test(msg_enrol_check__refuses__a_proof_in_place_of_an_enrolment),
    };

    if (secret_start())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
