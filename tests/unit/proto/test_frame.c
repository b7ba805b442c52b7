/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/feed.h"

#include "lib/kdf.h"
#include "lib/secret.h"
#include "proto/frame.h"
#include "proto/mp_write.h"

#include <string.h>

static uint8_t room[2048];

static void assert_malformed(struct bytes in)
{
    struct bytes exact = support_exact(in.p, in.n), left = exact;
    struct frame f;

    memset(&f, 0x5a, sizeof f);
    assert_int_equal(frame_next(&left, &f), FRAME_E_MALFORMED);
    assert_ptr_equal(left.p, exact.p); /* moves only on success */
    assert_int_equal(left.n, exact.n);
    assert_int_equal(((const uint8_t *)&f)[0], 0x5a);
    support_drop(exact);
}

static void assert_hex_malformed(const char *hex)
{
    struct bytes in = support_hex(hex);

    assert_malformed(in);
    support_drop(in);
}

static struct frame next(struct bytes *in)
{
    struct frame f;

    assert_int_equal(frame_next(in, &f), 0);
    return f;
}

/* ---- what works ------------------------------------------------------------------- */

static void frame_next__cuts__what_the_writers_wrote(void **state)
{
    struct buf b = BUF_OVER(room);
    struct bytes in;
    struct frame f;

    (void)state;
    frame_request(&b, UINT32_MAX, "post");
    mw_map(&b, 0);
    frame_result(&b, 7);
    mw_uint(&b, 3);
    frame_error(&b, 8, CODE_STORAGE_FULL);
    frame_notify(&b, "credit");
    mw_array(&b, 0);
    assert_int_equal(b.rc, 0);
    in = buf_view(&b);

    f = next(&in);
    assert_int_equal(f.kind, FRAME_REQUEST);
    assert_int_equal(f.id, UINT32_MAX);
    assert_true(mp_is(f.method, "post"));
    support_equal(f.body, (struct bytes){(const uint8_t *)"\x80", 1});
    f = next(&in);
    assert_int_equal(f.kind, FRAME_RESPONSE);
    assert_int_equal(f.id, 7);
    assert_int_equal(f.code, CODE_OK);
    support_equal(f.body, (struct bytes){(const uint8_t *)"\x03", 1});
    f = next(&in);
    assert_int_equal(f.kind, FRAME_RESPONSE);
    assert_int_equal(f.id, 8);
    assert_int_equal(f.code, CODE_STORAGE_FULL);
    support_equal(f.body, (struct bytes){(const uint8_t *)"\xc0", 1});
    f = next(&in);
    assert_int_equal(f.kind, FRAME_NOTIFY);
    assert_int_equal(f.id, 0);
    assert_true(mp_is(f.method, "credit"));
    support_equal(f.body, (struct bytes){(const uint8_t *)"\x90", 1});
    assert_int_equal(in.n, 0);
    assert_malformed(in);
}

static void frame_next__takes__a_result_that_is_nil(void **state)
{
    struct bytes all = support_hex("94 01 05 c0 c0"), in = all;
    struct frame f = next(&in);

    (void)state;
    assert_int_equal(f.code, CODE_OK);
    assert_int_equal(f.body.n, 1);
    support_drop(all);
}

static void code_text__is_a_phrase_for_every_code(void **state)
{
    (void)state;
    assert_string_equal(code_text(CODE_OK), "");
    for (int c = 1; c <= CODE_MAX; c++) {
        struct buf b = BUF_OVER(room);
        struct bytes in;

        assert_true(strlen(code_text((enum code)c)) > 0);
        frame_error(&b, 1, (enum code)c);
        in = buf_view(&b);
        assert_int_equal(next(&in).code, c);
    }
    assert_string_equal(code_text((enum code)(CODE_MAX + 1)), "");
    assert_string_equal(code_text((enum code) - 1), "");
}

/* ---- what is refused -------------------------------------------------------------- */

static void frame_next__refuses__shapes_that_are_not_frames(void **state)
{
    static const char *const bad[] = {
        "",
        "c0",
        "90",
        "81 00 00",
        "92 00 00",
        "95 00 00 a1 61 80 80",                /* five */
        "94 03 00 a1 61 80",                   /* kind 3 */
        "94 ff 00 a1 61 80",                   /* kind -1 */
        "94 c0 00 a1 61 80",                   /* kind nil */
        "93 00 a1 61 80",                      /* a request without id */
        "93 01 c0 c0",                         /* a response without id */
        "94 02 00 a1 61 80",                   /* a notification with id */
        "94 00 ff a1 61 80",                   /* id -1 */
        "94 00 cf 0000000100000000 a1 61 80",  /* id 2^32 */
        "94 00 cc 05 a1 61 80",                /* id not in its shortest form */
        "dc 0004 00 05 a1 61 80",              /* array length likewise */
        "94 00 05 d9 01 61 80",                /* method likewise */
        "94 00 05 a0 80",                      /* method empty */
        "94 00 05 c4 01 61 80",                /* method bin */
        "94 00 05 a1 ff 80",                   /* method not UTF-8 */
        "94 00 05 a1 61 c1",                   /* no value */
        "94 00 05 a1 61 81 a1 61",             /* map without its value */
        "94 00 05 a1 61 82 a1 61 00 a1 61 00", /* a key twice */
        "94 01 05 c0",                         /* no result */
        "94 01 05 92 09 a1 78 00",             /* error and result */
        "94 01 05 92 00 a0 c0",                /* code 0 */
        "94 01 05 92 0f a0 c0",                /* code 15 */
        "94 01 05 91 09 c0",                   /* error without text */
        "94 01 05 93 09 a1 78 00 c0",          /* error of three */
        "94 01 05 92 09 c4 01 78 c0",          /* text bin */
        "94 01 05 09 c0",                      /* error a number */
        "94 01 05 c2 c0",                      /* error false */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_hex_malformed(bad[i]);
}

static void frame_next__refuses__long_names_and_texts(void **state)
{
    static const char sixty_five[] =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    (void)state;
    for (size_t n = MP_KEY_BYTES_MAX; n <= MP_KEY_BYTES_MAX + 1; n++) {
        struct buf b = BUF_OVER(room);
        struct bytes in;

        mw_array(&b, 3);
        mw_uint(&b, FRAME_NOTIFY);
        mw_str(&b, (struct bytes){(const uint8_t *)sixty_five, n});
        mw_nil(&b);
        in = buf_view(&b);
        if (n == MP_KEY_BYTES_MAX)
            assert_int_equal(next(&in).method.n, n);
        else
            assert_malformed(in);
    }
    for (size_t n = 64; n <= 65; n++) {
        struct buf b = BUF_OVER(room);
        struct bytes in;

        mw_array(&b, 4);
        mw_uint(&b, FRAME_RESPONSE);
        mw_uint(&b, 1);
        mw_array(&b, 2);
        mw_uint(&b, CODE_INTERNAL);
        mw_str(&b, (struct bytes){(const uint8_t *)sixty_five, n});
        mw_nil(&b);
        in = buf_view(&b);
        if (n == 64)
            assert_int_equal(next(&in).code, CODE_INTERNAL);
        else
            assert_malformed(in);
    }
}

static void frame_next__refuses__depth_over_8_frame_included(void **state)
{
    (void)state;
    for (size_t levels = 1; levels <= 12; levels++) {
        struct buf b = BUF_OVER(room);
        struct bytes in;

        frame_notify(&b, "x");
        for (size_t i = 0; i < levels; i++)
            mw_array(&b, 1);
        mw_nil(&b);
        in = buf_view(&b);
        if (levels < MP_DEPTH_MAX)
            assert_int_equal(next(&in).body.n, levels + 1);
        else
            assert_malformed(in);
    }
}

/* ---- damage ----------------------------------------------------------------------- */

static void rewrite(struct buf *b, const struct frame *f)
{
    mw_array(b, f->kind == FRAME_NOTIFY ? 3 : 4);
    mw_uint(b, f->kind);
    if (f->kind != FRAME_NOTIFY)
        mw_uint(b, f->id);
    if (f->kind == FRAME_RESPONSE && f->code) {
        mw_array(b, 2);
        mw_uint(b, f->code);
    } else if (f->kind == FRAME_RESPONSE) {
        mw_nil(b);
        buf_put(b, f->body.p, f->body.n);
    } else {
        mw_str(b, f->method);
        buf_put(b, f->body.p, f->body.n);
    }
}

/* What is taken is, written again, the same bytes; of an error only the text is not kept.
 */
static int taken_is_meant(struct bytes in, void *arg)
{
    uint8_t again[2048];
    struct buf b = BUF_OVER(again);
    struct bytes left = in;
    struct frame f;

    (void)arg;
    if (frame_next(&left, &f))
        return FRAME_E_MALFORMED;
    assert_true(left.p >= in.p && left.p + left.n == in.p + in.n);
    rewrite(&b, &f);
    assert_int_equal(b.rc, 0);
    assert_true(b.n <= in.n);
    assert_memory_equal(b.p, in.p, b.n);
    if (f.kind != FRAME_RESPONSE || !f.code)
        assert_int_equal(b.n, in.n - left.n);
    return left.n ? FRAME_E_MALFORMED : 0; /* for truncations and extensions */
}

static void frame_next__takes__no_damaged_frame_for_another(void **state)
{
    struct buf b;

    (void)state;
    b = BUF_OVER(room);
    frame_request(&b, 70000, "subscribe");
    mw_map(&b, 2);
    mw_cstr(&b, "a");
    mw_array(&b, 2);
    mw_uint(&b, 300);
    mw_str(&b, LABEL("\xc3\xa4"));
    mw_cstr(&b, "b");
    mw_bin(&b, LABEL("some bytes"));
    (void)feed_survives(buf_view(&b), taken_is_meant, NULL, 1);
    b = BUF_OVER(room);
    frame_result(&b, 5);
    mw_bin(&b, (struct bytes){(const uint8_t *)"0123456789abcdef", 16});
    (void)feed_survives(buf_view(&b), taken_is_meant, NULL, 2);
    b = BUF_OVER(room);
    frame_error(&b, 300, CODE_NO_SUCH_BUCKET);
    (void)feed_survives(buf_view(&b), taken_is_meant, NULL, 3);
    b = BUF_OVER(room);
    frame_notify(&b, "envelopes");
    mw_array(&b, 1);
    mw_int(&b, -40000);
    (void)feed_survives(buf_view(&b), taken_is_meant, NULL, 4);
}

/* Bytes of no shape at all. */
static void frame_next__survives__noise(void **state)
{
    struct support_random random;
    uint8_t noise[64];

    (void)state;
    support_random_start(&random, 5);
    for (int i = 0; i < 200000; i++) {
        size_t n = support_random_below(&random, sizeof noise + 1);
        struct bytes exact;

        support_random_fill(&random, noise, n);
        if (n) /* often enough something that begins like a frame */
            noise[0] = (uint8_t)(0x93 + (noise[0] & 1));
        if (n > 1)
            noise[1] &= 3;
        exact = support_exact(noise, n);
        (void)taken_is_meant(exact, NULL);
        support_drop(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_next__cuts__what_the_writers_wrote),
        cmocka_unit_test(frame_next__takes__a_result_that_is_nil),
        cmocka_unit_test(code_text__is_a_phrase_for_every_code),
        cmocka_unit_test(frame_next__refuses__shapes_that_are_not_frames),
        cmocka_unit_test(frame_next__refuses__long_names_and_texts),
        cmocka_unit_test(frame_next__refuses__depth_over_8_frame_included),
        cmocka_unit_test(frame_next__takes__no_damaged_frame_for_another),
        cmocka_unit_test(frame_next__survives__noise),
    };

    if (secret_start())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
