/* SPDX-License-Identifier: Apache-2.0 */
/* mp_write against mp_read, and mp_read against msgpack-c, which is the oracle. */
#include "tests/support/support.h"

#include "lib/kdf.h" /* LABEL */
#include "lib/secret.h"
#include "lib/text.h"
#include "proto/mp_read.h"
#include "proto/mp_write.h"

#include <errno.h>
#include <math.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_BYTES = 4096, MUTATIONS = 100000, ROUNDS = 3000 };

/* ---- writing and reading back ----------------------------------------------------- */

static void mw__writes__what_mp_reads_back(void **state)
{
    static const uint64_t numbers[] = {0,          1,          127,       128,
                                       255,        256,        65535,     65536,
                                       UINT32_MAX, 1ull << 32, INT64_MAX, UINT64_MAX};
    uint8_t room[512];
    struct buf b = BUF_OVER(room);
    struct mp r;

    (void)state;
    mw_array(&b, 5);
    mw_nil(&b);
    mw_bool(&b, true);
    mw_cstr(&b, "caf\xc3\xa9");
    mw_bin(&b, LABEL("\0\1\2"));
    mw_map(&b, COUNT(numbers));
    for (size_t i = 0; i < COUNT(numbers); i++) {
        uint8_t key = (uint8_t)('a' + i);

        mw_str(&b, (struct bytes){&key, 1});
        mw_uint(&b, numbers[i]);
    }
    assert_int_equal(b.rc, 0);
    r = mp_over(buf_view(&b));
    assert_int_equal(mp_array(&r, 5, 5), 5);
    mp_nil(&r);
    assert_true(mp_bool(&r));
    support_equal(mp_str(&r, 0, 9), LABEL("caf\xc3\xa9"));
    support_equal(mp_bin(&r, 0, 9), LABEL("\0\1\2"));
    {
        struct mp_map m = mp_map(&r);
        struct bytes key;

        for (size_t i = 0; mp_key(&r, &m, &key); i++)
            assert_true(mp_uint(&r, 0, UINT64_MAX) == numbers[i]);
    }
    mp_leave(&r);
    assert_int_equal(mp_end(&r), 0);
}

static void mw_int__round_trips__around_every_edge(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 63; bit++)
        for (int off = -2; off <= 2; off++)
            for (int sign = -1; sign <= 1; sign += 2) {
                int64_t v = sign * (int64_t)(1ull << bit) + off;
                uint8_t room[9];
                struct buf b = BUF_OVER(room);
                struct mp r;

                mw_int(&b, v);
                r = mp_over(buf_view(&b));
                assert_true(mp_int(&r, INT64_MIN, INT64_MAX) == v);
                assert_int_equal(mp_end(&r), 0);
            }
}

static void mw__sticks__when_the_buffer_is_full(void **state)
{
    uint8_t room[4], more[16];
    struct buf b = BUF_OVER(room);

    (void)state;
    mw_cstr(&b, "abcd"); /* its head fits, its bytes do not */
    assert_int_equal(b.rc, -ENOSPC);
    mw_nil(&b);
    mw_bool(&b, false);
    mw_map(&b, 1);
    assert_true(b.n <= sizeof room);
    b = BUF_OVER(more);
    mw_bin(&b, (struct bytes){room,
                              (size_t)UINT32_MAX + 1}); /* beyond what the format says */
    assert_int_equal(b.rc, -ENOSPC);
    assert_int_equal(b.n, 0);
}

static void mw__passes_on__the_lack_of_memory(void **state)
{
    struct support_fault f;
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    support_fail_nth(&f, SEAM_ALLOC, 1, -ENOMEM);
    mw_uint(&b, 5);
    support_fail_none();
    assert_int_equal(b.rc, -ENOMEM);
    buf_free(&b);
}

/* ---- random values by msgpack-c, and its opinion of mutated ones ------------------ */

static int append(void *arg, const char *p, size_t n)
{
    buf_put(arg, p, n);
    return ((struct buf *)arg)->rc;
}

static void pack_random_int(struct support_random *r, msgpack_packer *pk)
{
    uint64_t v;

    support_random_fill(r, &v, sizeof v);
    v >>= support_random_below(r, 64);
    if (support_random_below(r, 2))
        msgpack_pack_uint64(pk, v);
    else
        msgpack_pack_int64(pk, -(int64_t)(v >> 1));
}

static void pack_random_text(struct support_random *r, msgpack_packer *pk)
{
    static const char text[] =
        "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x8d\xba plain, long enough for str 8";
    size_t n = utf8_prefix((struct bytes){(const uint8_t *)text, sizeof text - 1},
                           support_random_below(r, sizeof text));

    msgpack_pack_str(pk, n);
    msgpack_pack_str_body(pk, text, n);
}

static void pack_random_bytes(struct support_random *r, msgpack_packer *pk)
{
    uint8_t bytes[300];
    size_t n = support_random_below(r, support_random_below(r, 4) ? 20 : sizeof bytes);

    support_random_fill(r, bytes, n);
    if (support_random_below(r, 3)) {
        msgpack_pack_bin(pk, n);
        msgpack_pack_bin_body(pk, bytes, n);
    } else {
        msgpack_pack_ext(pk, n, (int8_t)support_random_below(r, 256));
        msgpack_pack_ext_body(pk, bytes, n);
    }
}

static void pack_random(struct support_random *r, msgpack_packer *pk, int levels);

static void pack_random_map(struct support_random *r, msgpack_packer *pk, int levels)
{
    uint32_t n = support_random_below(r, 20);

    msgpack_pack_map(pk, n);
    for (uint32_t i = 0; i < n; i++) {
        char key[8];

        if (support_random_below(r, 2)) {
            msgpack_pack_str(pk, (size_t)snprintf(key, sizeof key, "k%u", i));
            msgpack_pack_str_body(pk, key, strlen(key));
        } else {
            msgpack_pack_int(pk, (int)i * 50 - 200);
        }
        pack_random(r, pk, levels - 1);
    }
}

static void pack_random(struct support_random *r, msgpack_packer *pk, int levels)
{
    uint32_t n;

    switch (support_random_below(r, levels > 0 ? 9 : 7)) {
    case 0:
        msgpack_pack_nil(pk);
        break;
    case 1:
        msgpack_pack_true(pk);
        break;
    case 2:
        msgpack_pack_float(pk, (float)support_random_below(r, 1000) / 8);
        break;
    case 3:
        msgpack_pack_double(pk, -1.0 / (1 + support_random_below(r, 1000)));
        break;
    case 4:
        pack_random_int(r, pk);
        break;
    case 5:
        pack_random_text(r, pk);
        break;
    case 6:
        pack_random_bytes(r, pk);
        break;
    case 7:
        n = support_random_below(r, 20);
        msgpack_pack_array(pk, n);
        while (n-- > 0)
            pack_random(r, pk, levels - 1);
        break;
    default:
        pack_random_map(r, pk, levels);
        break;
    }
}

static void random_message(struct support_random *r, struct buf *b)
{
    msgpack_packer pk;

    do {
        b->n = 0;
        b->rc = 0;
        msgpack_packer_init(&pk, b, append);
        pack_random(r, &pk, 3);
    } while (b->rc);
}

static bool ours_takes(struct bytes in)
{
    struct mp r = mp_over(in);

    mp_skip(&r);
    return mp_end(&r) == 0;
}

/* msgpack-c keeps a float 32 as a double, which turns a signalling NaN into a quiet one.
 */
static bool has_nan32(const msgpack_object *o)
{
    if (o->type == MSGPACK_OBJECT_FLOAT32)
        return isnan(o->via.f64);
    if (o->type == MSGPACK_OBJECT_ARRAY)
        for (uint32_t i = 0; i < o->via.array.size; i++)
            if (has_nan32(&o->via.array.ptr[i]))
                return true;
    if (o->type == MSGPACK_OBJECT_MAP)
        for (uint32_t i = 0; i < o->via.map.size; i++)
            if (has_nan32(&o->via.map.ptr[i].val))
                return true;
    return false;
}

/* What we take, msgpack-c takes, to the last byte, and writes again as the same bytes. */
static void oracle_agrees(struct bytes in)
{
    uint8_t room[2 * MESSAGE_BYTES];
    struct buf again = BUF_OVER(room);
    msgpack_packer pk;
    msgpack_unpacked unpacked;
    size_t off = 0;

    msgpack_unpacked_init(&unpacked);
    assert_int_equal(msgpack_unpack_next(&unpacked, (const char *)in.p, in.n, &off),
                     MSGPACK_UNPACK_SUCCESS);
    assert_int_equal(off, in.n);
    msgpack_packer_init(&pk, &again, append);
    assert_int_equal(msgpack_pack_object(&pk, unpacked.data), 0);
    assert_int_equal(again.n, in.n);
    if (!has_nan32(&unpacked.data))
        support_equal(buf_view(&again), in);
    msgpack_unpacked_destroy(&unpacked);
}

static void mp_skip__takes__whatever_msgpack_c_writes(void **state)
{
    struct support_random r;
    uint8_t room[MESSAGE_BYTES];
    struct buf b = BUF_OVER(room);

    (void)state;
    support_random_start(&r, 11);
    for (int i = 0; i < ROUNDS; i++) {
        struct bytes exact;

        random_message(&r, &b);
        exact = support_exact(b.p, b.n);
        assert_true(ours_takes(exact));
        oracle_agrees(exact);
        support_drop(exact);
    }
}

static void mp_skip__takes__no_mutation_that_msgpack_c_would_write_otherwise(void **state)
{
    struct support_random r;
    uint8_t room[MESSAGE_BYTES], changed[MESSAGE_BYTES + 8];
    struct buf b = BUF_OVER(room);
    unsigned taken = 0;

    (void)state;
    support_random_start(&r, 12);
    for (int i = 0; i < MUTATIONS; i++) {
        struct bytes exact;
        size_t n;

        if (i % 50 == 0)
            random_message(&r, &b);
        n = b.n;
        memcpy(changed, b.p, n);
        support_mutate(&r, changed, &n, sizeof changed);
        exact = support_exact(changed, n);
        if (ours_takes(exact)) {
            oracle_agrees(exact);
            taken++;
        }
        support_drop(exact);
    }
    assert_in_range(taken, MUTATIONS / 50,
                    MUTATIONS - MUTATIONS / 50); /* both happened */
}

static int start(void **state)
{
    (void)state;
    return secret_start();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mw__writes__what_mp_reads_back),
        cmocka_unit_test(mw_int__round_trips__around_every_edge),
        cmocka_unit_test(mw__sticks__when_the_buffer_is_full),
        cmocka_unit_test(mw__passes_on__the_lack_of_memory),
        cmocka_unit_test(mp_skip__takes__whatever_msgpack_c_writes),
        cmocka_unit_test(
            mp_skip__takes__no_mutation_that_msgpack_c_would_write_otherwise),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
