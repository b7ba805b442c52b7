/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/feed.h"
#include "tests/support/meaning.h"

#include "lib/kdf.h"
#include "lib/secret.h"
#include "proto/mp_write.h"
#include "proto/payload.h"

#include <stdio.h>
#include <string.h>

static const struct payload text = {
    .type = PAYLOAD_TEXT,
    .id = {1, 2, 3},
    .minute = 31000000,
    .text = {(const uint8_t *)"are you awake?", 14},
    .part = 3,
    .parts = 5,
    .order = 70000,
    .acks_n = 3,
    .acks = {{.turn = 2, .upto = 256, .missing = {0x11, [31] = 0x80}},
             {.turn = 4, .upto = 9, .missing = {0, 1}},
             {.turn = 70000, .upto = 1}},
    .gossip = {.has_directory = true,
               .has_descriptor = true,
               .has_previous = true,
               .directory_seq = 70000,
               .directory = {4},
               .descriptor = {5},
               .previous_bucket = 2,
               .previous_seq = 17,
               .previous = {6}},
};
static const struct payload take = {
    .type = PAYLOAD_TAKE,
    .id = {9},
    .minute = 1,
    .gossip = {.has_descriptor = true, .descriptor = {5}},
    .name = {(const uint8_t *)"Mira \xf0\x9f\x8c\xb1", 9},
    .has_home = true,
    .home = 2,
};
static const struct payload ack = {.type = PAYLOAD_ACK,
                                   .acks_n = 1,
                                   .acks = {{.turn = 1, .upto = 8, .missing = {0x7e}}}};
static const struct payload empty = {.type = PAYLOAD_EMPTY};
static const struct payload later = {
    .type = 1000, .id = {1}, .acks_n = 1, .acks = {{1, 1, {0}}}};

static const struct payload *const examples[] = {&text, &take, &ack, &empty, &later};

static struct bytes written(const struct payload *p, struct buf *b)
{
    payload_write(b, p);
    assert_int_equal(b->rc, 0);
    return buf_view(b);
}

static bool same_view(struct bytes a, struct bytes b)
{
    return a.n == b.n && !a.p == !b.p && (!a.n || !memcmp(a.p, b.p, a.n));
}

static void assert_same(const struct payload *a, const struct payload *b)
{
    struct payload x = *a, y = *b;

    assert_true(same_view(a->text, b->text));
    assert_true(same_view(a->name, b->name));
    x.text = y.text = x.name = y.name = (struct bytes){NULL, 0};
    assert_int_equal(x.type, y.type);
    assert_memory_equal(x.id, y.id, sizeof x.id);
    assert_int_equal(x.minute, y.minute);
    assert_int_equal(x.part, y.part);
    assert_int_equal(x.parts, y.parts);
    assert_int_equal(x.order, y.order);
    assert_int_equal(x.acks_n, y.acks_n);
    assert_memory_equal(x.acks, y.acks, sizeof x.acks);
    assert_int_equal(x.gossip.has_directory, y.gossip.has_directory);
    assert_int_equal(x.gossip.has_descriptor, y.gossip.has_descriptor);
    assert_int_equal(x.gossip.has_previous, y.gossip.has_previous);
    assert_int_equal(x.gossip.directory_seq, y.gossip.directory_seq);
    assert_int_equal(x.gossip.previous_bucket, y.gossip.previous_bucket);
    assert_int_equal(x.gossip.previous_seq, y.gossip.previous_seq);
    assert_memory_equal(x.gossip.directory, y.gossip.directory, 8);
    assert_memory_equal(x.gossip.descriptor, y.gossip.descriptor, 8);
    assert_memory_equal(x.gossip.previous, y.gossip.previous, 8);
    assert_int_equal(x.has_home, y.has_home);
    assert_int_equal(x.home, y.home);
}

/* ---- what works ------------------------------------------------------------------- */

static void payload_read__gives__what_was_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(examples); i++) {
        uint8_t room[PAYLOAD_BYTES_MAX];
        struct buf b = BUF_OVER(room);
        struct payload out;

        assert_int_equal(payload_read(written(examples[i], &b), &out), 0);
        assert_same(&out, examples[i]);
    }
}

/* The largest text with everything beside it: it fits, and leaves the reserve of
 * SPEC 7.3. */
static void payload_write__fits__a_full_part_with_all_acks_and_gossip(void **state)
{
    uint8_t room[PAYLOAD_BYTES_MAX - PAYLOAD_RESERVED_BYTES],
        letters[TEXT_PART_BYTES_MAX];
    struct buf b = BUF_OVER(room);
    struct payload p = text, out;

    (void)state;
    memset(letters, 'a', sizeof letters);
    p.text = BYTES(letters);
    p.minute = UINT32_MAX;
    p.part = 62;
    p.parts = 64;
    p.order = UINT32_MAX;
    p.acks_n = ACKS_MAX;
    for (size_t i = 0; i < ACKS_MAX; i++) {
        p.acks[i] = (struct payload_ack){.turn = UINT32_MAX - (uint32_t)i, .upto = 256};
        memset(p.acks[i].missing, 0xff, ACK_BITMAP_BYTES);
    }
    p.gossip.directory_seq = p.gossip.previous_seq = SEQ_MAX;
    p.gossip.previous_bucket = BUCKET_MAX;
    assert_int_equal(payload_read(written(&p, &b), &out), 0);
    assert_same(&out, &p);
}

static void payload_read__takes__the_keys_in_any_order(void **state)
{
    struct bytes in = support_hex("84 a162 a2 6869 a16d 05 a169 c410 "
                                  "000102030405060708090a0b0c0d0e0f a174 01");
    struct payload out;

    (void)state;
    assert_int_equal(payload_read(in, &out), 0);
    assert_int_equal(out.type, PAYLOAD_TEXT);
    assert_int_equal(out.minute, 5);
    assert_int_equal(out.text.n, 2);
    support_drop(in);
}

/* A type of a later version: its id, time, acks and gossip are what they are in every
 * type; of its other keys we know nothing, not even those whose letters we use. */
static void payload_read__takes__an_unknown_type_without_reading_its_keys(void **state)
{
    struct bytes in = support_hex(
        "88 a174 cd03e8 a16f 00 a169 c410 000102030405060708090a0b0c0d0e0f"
        "a16d 05 a162 07 a170 c3 a16e 91c0 a16b a178");
    struct payload out;

    (void)state;
    assert_int_equal(payload_read(in, &out), 0);
    assert_int_equal(out.type, 1000);
    assert_null(out.text.p);
    assert_null(out.name.p);
    assert_false(out.has_home);
    support_drop(in);
}

/* ---- damage ----------------------------------------------------------------------- */

static const char *letters_of(uint32_t type)
{
    if (type == PAYLOAD_TEXT)
        return "timagbpo";
    if (type == PAYLOAD_OFFER || type == PAYLOAD_TAKE || type == PAYLOAD_ACCEPT ||
        type == PAYLOAD_PROFILE)
        return "timagnk";
    return "timag";
}

static int taken_is_meant(struct bytes in, void *arg)
{
    const char *known[MEANING_DEPTH] = {NULL, "dcp"};
    uint8_t room[2 * PAYLOAD_BYTES_MAX];
    struct buf b = BUF_OVER(room);
    struct payload out;

    (void)arg;
    if (payload_read(in, &out))
        return MP_E_MALFORMED;
    known[0] = letters_of(out.type);
    meaning_equal(in, written(&out, &b), known);
    return 0;
}

static void payload_read__takes__no_damaged_payload_for_another(void **state)
{
    size_t taken = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(examples); i++) {
        uint8_t room[PAYLOAD_BYTES_MAX];
        struct buf b = BUF_OVER(room);

        taken += feed_survives(written(examples[i], &b), taken_is_meant, NULL, i + 1);
    }
    assert_true(taken > 0);
}

static void payload_read__refuses__more_than_1622_bytes(void **state)
{
    uint8_t room[PAYLOAD_BYTES_MAX + 1];
    struct payload out;

    (void)state;
    for (size_t n = PAYLOAD_BYTES_MAX; n <= PAYLOAD_BYTES_MAX + 1; n++) {
        struct buf b = BUF_OVER(room);
        struct bytes whole;
        uint8_t filler[PAYLOAD_BYTES_MAX] = {0};

        mw_map(&b, 4);
        mw_cstr(&b, "t");
        mw_uint(&b, PAYLOAD_EMPTY);
        mw_cstr(&b, "i");
        mw_bin(&b, (struct bytes){filler, 16});
        mw_cstr(&b, "m");
        mw_uint(&b, 1);
        mw_cstr(&b, "unknown");
        mw_bin(&b, (struct bytes){filler, n - b.n - 3});
        assert_int_equal(b.rc, 0);
        assert_int_equal(b.n, n);
        whole = support_exact(b.p, b.n);
        assert_int_equal(payload_read(whole, &out),
                         n > PAYLOAD_BYTES_MAX ? MP_E_MALFORMED : 0);
        support_drop(whole);
    }
}

/* ---- refused, by hand ------------------------------------------------------------- */

#define START "a169 c410 000102030405060708090a0b0c0d0e0f a16d 05 "

struct row {
    const char *hex;
    bool good;
};

static void table(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct bytes in = support_hex(rows[i].hex);
        struct payload out;
        int rc = payload_read(in, &out);

        if (rc != (rows[i].good ? 0 : MP_E_MALFORMED))
            fail_msg("%s: %d", rows[i].hex, rc);
        support_drop(in);
    }
}

#define TABLE(...)                           \
    table((const struct row[]){__VA_ARGS__}, \
          sizeof((const struct row[]){__VA_ARGS__}) / sizeof(struct row))

static void payload_read__wants__type_id_and_minute(void **state)
{
    (void)state;
    TABLE({"83" START "a174 06", true}, {"82" START, false},
          {"83" START "a174 00", false}, {"83" START "a174 ff", false},
          {"83" START "a174 c0", false}, {"83" START "a174 a131", false},
          {"83" START "a174 ce ffffffff", true},
          {"83" START "a174 cf 0000000100000000", false},
          {"84" START "a174 06 a174 06", false}, {"82 a16d 05 a174 06", false},
          {"82 a169 c410 000102030405060708090a0b0c0d0e0f a174 06", false},
          {"83 a169 c40f 0102030405060708090a0b0c0d0e0f a16d 05 a174 06", false},
          {"83 a169 c411 01000102030405060708090a0b0c0d0e0f a16d 05 a174 06", false},
          {"", false}, {"c0", false}, {"90", false}, {"80", false});
}

static void payload_read__wants__the_text_of_a_text(void **state)
{
    (void)state;
    TABLE({"84" START "a174 01 a162 a0", true}, {"83" START "a174 01", false},
          {"84" START "a174 01 a162 c400", false},
          {"84" START "a174 01 a162 a1ff", false},
          {"85" START "a174 01 a162 a0 a170 92 00 02", true},
          {"85" START "a174 01 a162 a0 a170 92 01 02", true},
          {"85" START "a174 01 a162 a0 a170 92 02 02", false},
          {"85" START "a174 01 a162 a0 a170 92 00 01", false},
          {"85" START "a174 01 a162 a0 a170 92 3f 40", true},
          {"85" START "a174 01 a162 a0 a170 92 3f 41", false},
          {"85" START "a174 01 a162 a0 a170 91 00", false},
          {"85" START "a174 01 a162 a0 a16f 01", true},
          {"85" START "a174 01 a162 a0 a16f 00", false},
          {"85" START "a174 01 a162 a0 a16f ce ffffffff", true},
          {"85" START "a174 01 a162 a0 a16f cf 0000000100000000", false},
          {"85" START "a174 01 a162 a0 a170 93 00 02 00", false});
}

static void payload_read__bounds__the_text(void **state)
{
    uint8_t letters[TEXT_PART_BYTES_MAX + 1], room[PAYLOAD_BYTES_MAX];
    struct payload p = {.type = PAYLOAD_TEXT}, out;

    (void)state;
    memset(letters, 'x', sizeof letters);
    for (size_t n = TEXT_PART_BYTES_MAX; n <= TEXT_PART_BYTES_MAX + 1; n++) {
        struct buf b = BUF_OVER(room);

        p.text = (struct bytes){letters, n};
        assert_int_equal(payload_read(written(&p, &b), &out),
                         n > TEXT_PART_BYTES_MAX ? MP_E_MALFORMED : 0);
    }
}

static void payload_read__wants__name_and_home_where_they_belong(void **state)
{
    static const char *const types[] = {"03", "0b", "0e", "0f"};

    (void)state;
    for (size_t i = 0; i < COUNT(types); i++) {
        static const struct row rows[] = {
            {"a16e a0 a16b 02", true},    {"a16e a162 a16b cd 0101", true},
            {"a16e a0 a16b 01", false},   {"a16e a0 a16b cd 0102", false},
            {"a16e a0 a16b c0", false},   {"a16e c400 a16b 02", false},
            {"a16e a0 a178 00", false},   {"a178 00 a16b 02", false},
            {"a16e a1ff a16b 02", false},
        };

        for (size_t j = 0; j < COUNT(rows); j++) {
            char hex[256];

            (void)snprintf(hex, sizeof hex, "85" START "a174 %s %s", types[i],
                           rows[j].hex);
            TABLE({hex, rows[j].good});
        }
    }
}

static void payload_read__bounds__the_name(void **state)
{
    uint8_t letters[NAME_BYTES_MAX + 1], room[PAYLOAD_BYTES_MAX];
    struct payload p = take, out;

    (void)state;
    memset(letters, 'x', sizeof letters);
    for (size_t n = NAME_BYTES_MAX; n <= NAME_BYTES_MAX + 1; n++) {
        struct buf b = BUF_OVER(room);

        p.name = (struct bytes){letters, n};
        assert_int_equal(payload_read(written(&p, &b), &out),
                         n > NAME_BYTES_MAX ? MP_E_MALFORMED : 0);
    }
}

static void payload_read__takes__acks_in_one_form_only(void **state)
{
    (void)state;
    TABLE({"84" START "a174 02 a161 91 93 01 01 c400", true},
          {"83" START "a174 02", false},                       /* an ack of nothing */
          {"84" START "a174 02 a161 90", false},               /* likewise */
          {"84" START "a174 02 a161 91 93 00 01 c400", false}, /* turn 0 */
          {"84" START "a174 02 a161 91 93 01 00 c400", false}, /* none received */
          {"84" START "a174 02 a161 91 93 01 cd 0100 c400", true},
          {"84" START "a174 02 a161 91 93 01 cd 0101 c400", false},
          {"84" START "a174 02 a161 91 93 01 05 c401 11", true},
          {"84" START "a174 02 a161 91 93 01 05 c401 00", false}, /* says what "" says */
          {"84" START "a174 02 a161 91 93 01 05 c401 20", false}, /* bit 5 of 5 */
          {"84" START "a174 02 a161 91 93 01 08 c401 80", true},
          {"84" START "a174 02 a161 91 93 01 09 c401 80", false}, /* a byte short */
          {"84" START "a174 02 a161 91 93 01 09 c402 8000", true},
          {"84" START "a174 02 a161 91 93 01 09 c402 0002", false},
          {"84" START "a174 02 a161 91 93 01 08 c402 8000", false}, /* a byte long */
          {"84" START "a174 02 a161 91 92 01 08", false},
          {"84" START "a174 02 a161 91 94 01 08 c400 00", false},
          {"84" START
           "a174 02 a161 94 93 01 01 c400 93 03 01 c400 93 05 01 c400 93 07 01 c400",
           true},
          {"84" START
           "a174 02 a161 95 93 01 01 c400 93 03 01 c400 93 05 01 c400 93 07 01 c400 "
           "93 09 01 c400",
           false});
}

static void payload_read__checks__gossip(void **state)
{
    (void)state;
    TABLE({"84" START "a174 06 a167 81 a163 c408 0001020304050607", true},
          {"84" START "a174 06 a167 81 a163 c407 00010203040506", false},
          {"84" START "a174 06 a167 81 a164 92 00 c408 0001020304050607", true},
          {"84" START "a174 06 a167 81 a164 91 c408 0001020304050607", false},
          {"84" START "a174 06 a167 81 a164 92 cf 0000010000000001 c408 0001020304050607",
           false},
          {"84" START "a174 06 a167 81 a170 93 02 01 c408 0001020304050607", true},
          {"84" START "a174 06 a167 81 a170 93 02 00 c408 0001020304050607", false},
          {"84" START "a174 06 a167 81 a170 93 ce 00010000 01 c408 0001020304050607",
           false},
          {"84" START "a174 06 a167 82 a163 c408 0001020304050607 a178 c0", true},
          {"84" START
           "a174 06 a167 82 a163 c408 0001020304050607 a163 c408 0001020304050607",
           false},
          {"84" START "a174 06 a167 c0", false}, {"84" START "a174 06 a167 90", false});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payload_read__gives__what_was_written),
        cmocka_unit_test(payload_write__fits__a_full_part_with_all_acks_and_gossip),
        cmocka_unit_test(payload_read__takes__the_keys_in_any_order),
        cmocka_unit_test(payload_read__takes__an_unknown_type_without_reading_its_keys),
        cmocka_unit_test(payload_read__takes__no_damaged_payload_for_another),
        cmocka_unit_test(payload_read__refuses__more_than_1622_bytes),
        cmocka_unit_test(payload_read__wants__type_id_and_minute),
        cmocka_unit_test(payload_read__wants__the_text_of_a_text),
        cmocka_unit_test(payload_read__bounds__the_text),
        cmocka_unit_test(payload_read__wants__name_and_home_where_they_belong),
        cmocka_unit_test(payload_read__bounds__the_name),
        cmocka_unit_test(payload_read__takes__acks_in_one_form_only),
        cmocka_unit_test(payload_read__checks__gossip),
    };

    if (secret_start())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
