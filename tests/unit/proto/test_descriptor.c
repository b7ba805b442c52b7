/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/feed.h"

#include "lib/secret.h"
#include "proto/descriptor.h"
#include "proto/mp_write.h"

#include <errno.h>
#include <string.h>

struct admin {
    uint8_t pk[SIGN_PK_BYTES], sk[SIGN_SK_BYTES];
};
static struct admin admins[DESCRIPTOR_ADMINS_MAX + 1];

static struct descriptor example(void)
{
    struct descriptor d = {
        .version = 1,
        .name = "Class of ’31",
        .admins_n = 1,
        .needed = 1,
        .relays_n = 1,
        .relays = {{"relay.example:443", {7}}},
        .mail_buckets = 3,
        .members = 600,
        .retention_days = 14,
        .expires_day = 25000,
    };

    memcpy(d.admins[0], admins[0].pk, SIGN_PK_BYTES);
    return d;
}

static struct bytes signed_by(struct descriptor *d, const struct admin *who,
                              struct buf *b)
{
    assert_int_equal(descriptor_sign(d, who->sk, b), 0);
    return buf_view(b);
}

/* Read from a block of exactly its size. */
static int read_exact(struct bytes in, struct descriptor *out)
{
    struct bytes exact = support_exact(in.p, in.n);
    int rc = descriptor_read(exact, out);

    support_drop(exact);
    return rc;
}

static int read_of(struct descriptor d)
{
    uint8_t room[DESCRIPTOR_BYTES_MAX];
    struct buf b = BUF_OVER(room);
    struct descriptor out;

    return read_exact(signed_by(&d, &admins[0], &b), &out);
}

/* ---- what works ------------------------------------------------------------------- */

static void descriptor_read__gives__what_was_signed(void **state)
{
    struct descriptor d = example(), out;
    uint8_t room[DESCRIPTOR_BYTES_MAX];
    struct buf b = BUF_OVER(room);

    (void)state;
    assert_int_equal(read_exact(signed_by(&d, &admins[0], &b), &out), 0);
    assert_memory_equal(&out, &d, sizeof out);
    assert_false(secret_is_zero(out.hash, sizeof out.hash));
}

static void descriptor_read__gives__a_later_version_with_its_predecessor(void **state)
{
    struct descriptor d = example(), out;
    uint8_t room[DESCRIPTOR_BYTES_MAX];
    struct buf b = BUF_OVER(room);

    (void)state;
    d.version = UINT32_MAX;
    memset(d.previous, 9, sizeof d.previous);
    assert_int_equal(read_exact(signed_by(&d, &admins[0], &b), &out), 0);
    assert_memory_equal(&out, &d, sizeof out);
}

static void descriptor_sign__hashes__the_body_and_nothing_else(void **state)
{
    struct descriptor a = example(), b = example();
    uint8_t room[2][DESCRIPTOR_BYTES_MAX];
    struct buf one = BUF_OVER(room[0]), two = BUF_OVER(room[1]);

    (void)state;
    (void)signed_by(&a, &admins[0], &one);
    (void)signed_by(&b, &admins[1], &two); /* another signature, the same body */
    assert_memory_equal(a.hash, b.hash, sizeof a.hash);
    b.members++;
    (void)signed_by(&b, &admins[0], &two);
    assert_memory_not_equal(a.hash, b.hash, sizeof a.hash);
}

static void descriptor_sign__appends__and_says_when_it_does_not_fit(void **state)
{
    struct descriptor d = example();
    uint8_t room[DESCRIPTOR_BYTES_MAX], small[100];
    struct buf b = BUF_OVER(room), s = BUF_OVER(small);

    (void)state;
    buf_put(&b, "before", 6);
    assert_int_equal(descriptor_sign(&d, admins[0].sk, &b), 0);
    assert_memory_equal(b.p, "before", 6);
    assert_int_equal(descriptor_sign(&d, admins[0].sk, &s), -EMSGSIZE);
    assert_int_equal(s.n, 0);
}

/* The longest of everything that a body may hold still fits two to an answer. */
static void descriptor_sign__fits__sixteen_admins_and_four_long_addresses(void **state)
{
    struct descriptor d = example(), out;
    uint8_t room[DESCRIPTOR_BYTES_MAX];
    struct buf b = BUF_OVER(room);

    (void)state;
    d.version = 2;
    d.admins_n = DESCRIPTOR_ADMINS_MAX;
    for (size_t i = 0; i < d.admins_n; i++)
        memcpy(d.admins[i], admins[i].pk, SIGN_PK_BYTES);
    d.relays_n = DESCRIPTOR_RELAYS_MAX;
    for (size_t i = 0; i < d.relays_n; i++) {
        memset(d.relays[i].address, 'a', 56);
        memcpy(d.relays[i].address + 56, ".onion", 7);
    }
    memset(d.name, 'n', COHORT_NAME_BYTES_MAX);
    assert_int_equal(read_exact(signed_by(&d, &admins[0], &b), &out), 0);
    assert_memory_equal(&out, &d, sizeof out);
}

/* ---- damage ----------------------------------------------------------------------- */

static int takes(struct bytes in, void *arg)
{
    struct descriptor out;

    (void)arg;
    return descriptor_read(in, &out);
}

static void descriptor_read__refuses__every_damaged_descriptor(void **state)
{
    struct descriptor d = example();
    uint8_t room[DESCRIPTOR_BYTES_MAX];
    struct buf b = BUF_OVER(room);

    (void)state;
    feed_refuses(signed_by(&d, &admins[0], &b), takes, NULL, 1);
}

static void descriptor_read__tells__forged_from_malformed(void **state)
{
    struct descriptor d = example(), out;
    uint8_t room[DESCRIPTOR_BYTES_MAX];
    struct buf b = BUF_OVER(room);
    struct bytes in = signed_by(&d, &admins[1], &b);

    (void)state;
    assert_int_equal(descriptor_read(in, &out), DESCRIPTOR_E_FORGED);
    room[0] = 0xc1;
    assert_int_equal(descriptor_read(in, &out), DESCRIPTOR_E_MALFORMED);
}

/* ---- ranges of the body ----------------------------------------------------------- */

#define REFUSED(change)                           \
    do {                                          \
        struct descriptor d = example();          \
        change;                                   \
        if (read_of(d) != DESCRIPTOR_E_MALFORMED) \
            fail_msg("taken: %s", #change);       \
    } while (0)
#define TAKEN(change)                         \
    do {                                      \
        struct descriptor d = example();      \
        change;                               \
        if (read_of(d))                       \
            fail_msg("refused: %s", #change); \
    } while (0)

static void descriptor_read__checks__every_range(void **state)
{
    (void)state;
    TAKEN((void)d);
    REFUSED(d.version = 0);
    REFUSED(d.name[0] = '\0');
    REFUSED(d.name[1] = '\n');
    REFUSED(d.name[1] = '\x1b');
    REFUSED(d.name[1] = '\x7f');
    REFUSED(d.name[1] = (char)0xff);
    REFUSED(d.needed = 0);
    REFUSED(d.needed = 2);
    REFUSED({
        d.version = 2;
        d.needed = 2; /* of one */
    });
    REFUSED(d.relays_n = 0);
    REFUSED(d.mail_buckets = 0);
    TAKEN(d.mail_buckets = BUCKETS_MAIL_MAX);
    REFUSED(d.mail_buckets = BUCKETS_MAIL_MAX + 1);
    REFUSED(d.members = 0);
    TAKEN(d.members = MEMBERS_MAX);
    REFUSED(d.members = MEMBERS_MAX + 1);
    REFUSED(d.retention_days = 0);
    TAKEN(d.retention_days = RETENTION_DAYS_MAX);
    REFUSED(d.retention_days = RETENTION_DAYS_MAX + 1);
    REFUSED(d.expires_day = 0);
    TAKEN(d.expires_day = DESCRIPTOR_DAY_MAX);
    REFUSED(d.expires_day = DESCRIPTOR_DAY_MAX + 1);
    TAKEN(strcpy(d.relays[0].address, "::1"));
    TAKEN(strcpy(d.relays[0].address, "::1*443"));
    REFUSED(strcpy(d.relays[0].address, ""));
    REFUSED(strcpy(d.relays[0].address, "a b"));
    REFUSED(strcpy(d.relays[0].address, "a:0"));
    REFUSED(strcpy(d.relays[0].address, "a_b"));
}

static void descriptor_read__wants__one_admin_in_version_1(void **state)
{
    (void)state;
    REFUSED({
        d.admins_n = 2;
        memcpy(d.admins[1], admins[1].pk, 32);
    });
    TAKEN({
        d.version = 2;
        d.admins_n = 2;
        memcpy(d.admins[1], admins[1].pk, 32);
    });
    REFUSED({ /* the same admin twice */
              d.version = 2;
              d.admins_n = 2;
              memcpy(d.admins[1], admins[0].pk, 32);
    });
}

/* ---- bodies and signatures by hand ------------------------------------------------ */

struct hand {
    const char *without, *twice; /* a key that is left out, or repeated */
    const char *extra;           /* one more key */
};

static void put_key(struct buf *b, const char *key)
{
    static const uint8_t zeros[32] = {0};

    mw_cstr(b, key);
    switch (key[0]) {
    case 'n':
        mw_cstr(b, "name");
        break;
    case 'a':
        mw_array(b, 1);
        mw_bin(b, BYTES(admins[0].pk));
        break;
    case 'r':
        mw_array(b, 1);
        mw_map(b, 2);
        mw_cstr(b, "a");
        mw_cstr(b, "relay.example");
        mw_cstr(b, "k");
        mw_bin(b, BYTES(zeros));
        break;
    case 'p':
        mw_bin(b, BYTES(zeros));
        break;
    default:
        mw_uint(b, 1);
    }
}

static size_t put_body(struct buf *b, const struct hand *h)
{
    static const char *const keys[] = {"v", "n", "a", "m", "r", "b", "s", "d", "x"};
    size_t count = COUNT(keys);

    count -= h->without ? 1 : 0;
    count += h->twice ? 1 : 0;
    count += h->extra ? 1 : 0;
    mw_map(b, count);
    for (size_t i = 0; i < COUNT(keys); i++) {
        if (!h->without || strcmp(h->without, keys[i]))
            put_key(b, keys[i]);
        if (h->twice && !strcmp(h->twice, keys[i]))
            put_key(b, keys[i]);
    }
    if (h->extra)
        put_key(b, h->extra);
    return b->n;
}

static void sign_with(struct buf *out, struct bytes body, const struct admin *who,
                      size_t count)
{
    mw_array(out, 2);
    mw_bin(out, body);
    mw_array(out, count);
    for (size_t i = 0; i < count; i++) {
        uint8_t sig[SIGN_BYTES];

        assert_int_equal(sign_parts(who[i].sk, LABEL("kith1 descriptor"), &body, 1, sig),
                         0);
        mw_bin(out, BYTES(sig));
    }
    assert_int_equal(out->rc, 0);
}

static int read_by_hand(struct hand h)
{
    uint8_t body_room[DESCRIPTOR_BYTES_MAX], room[2 * DESCRIPTOR_BYTES_MAX];
    struct buf body = BUF_OVER(body_room), b = BUF_OVER(room);
    struct descriptor out;

    (void)put_body(&body, &h);
    sign_with(&b, buf_view(&body), admins, 1);
    return read_exact(buf_view(&b), &out);
}

static void descriptor_read__wants__each_key_once(void **state)
{
    static const char *const keys[] = {"v", "n", "a", "m", "r", "b", "s", "d", "x"};

    (void)state;
    assert_int_equal(read_by_hand((struct hand){0}), 0);
    for (size_t i = 0; i < COUNT(keys); i++) {
        assert_int_equal(read_by_hand((struct hand){.without = keys[i]}),
                         DESCRIPTOR_E_MALFORMED);
        assert_int_equal(read_by_hand((struct hand){.twice = keys[i]}),
                         DESCRIPTOR_E_MALFORMED);
    }
    assert_int_equal(read_by_hand((struct hand){.extra = "later"}), 0);
    /* a predecessor of version 1 */
    assert_int_equal(read_by_hand((struct hand){.extra = "p"}), DESCRIPTOR_E_MALFORMED);
}

static void descriptor_read__wants__the_predecessor_of_a_later_version(void **state)
{
    uint8_t body_room[DESCRIPTOR_BYTES_MAX], room[DESCRIPTOR_BYTES_MAX];
    struct buf body = BUF_OVER(body_room), b = BUF_OVER(room);
    struct hand h = {0};
    struct descriptor out;

    (void)state;
    (void)put_body(&body, &h);
    assert_int_equal(body_room[3], 1); /* the version, after map head, key head, "v" */
    body_room[3] = 2;
    sign_with(&b, buf_view(&body), admins, 1);
    assert_int_equal(read_exact(buf_view(&b), &out), DESCRIPTOR_E_MALFORMED);
}

static void descriptor_read__refuses__a_second_signature_of_version_1(void **state)
{
    uint8_t body_room[DESCRIPTOR_BYTES_MAX], room[DESCRIPTOR_BYTES_MAX];
    struct descriptor out;
    struct hand h = {0};

    (void)state;
    for (size_t count = 0; count <= 2; count++) {
        struct buf body = BUF_OVER(body_room), b = BUF_OVER(room);

        (void)put_body(&body, &h);
        sign_with(&b, buf_view(&body), admins, count);
        assert_int_equal(read_exact(buf_view(&b), &out),
                         count == 1 ? 0 : DESCRIPTOR_E_MALFORMED);
    }
}

/* Body of a version 2 with three admins of whom two must sign. */
static void sign_two_of_three(struct buf *b, const struct admin *who, size_t count)
{
    struct descriptor d = example();
    uint8_t room[DESCRIPTOR_BYTES_MAX];
    struct buf one = BUF_OVER(room);
    struct mp r;

    d.version = 2;
    d.admins_n = 3;
    d.needed = 2;
    for (size_t i = 0; i < 3; i++)
        memcpy(d.admins[i], admins[i].pk, SIGN_PK_BYTES);
    assert_int_equal(descriptor_sign(&d, admins[0].sk, &one), 0);
    r = mp_over(buf_view(&one));
    (void)mp_array(&r, 2, 2);
    sign_with(b, mp_bin(&r, 1, DESCRIPTOR_BYTES_MAX), who, count);
}

static void descriptor_read__counts__distinct_admins_of_its_own(void **state)
{
    const struct admin *a = admins;
    const struct {
        struct admin who[3];
        size_t count;
        int rc;
    } rows[] = {
        {{a[0]}, 1, DESCRIPTOR_E_FORGED},
        {{a[0], a[1]}, 2, 0},
        {{a[2], a[1]}, 2, 0},
        {{a[0], a[1], a[2]}, 3, 0},
        {{a[0], a[0]}, 2, DESCRIPTOR_E_FORGED},
        {{a[0], a[0], a[0]}, 3, DESCRIPTOR_E_FORGED},
        {{a[0], a[3]}, 2, DESCRIPTOR_E_FORGED},
        {{a[3], a[4]}, 2, DESCRIPTOR_E_FORGED},
        {{a[3], a[0], a[1]}, 3, 0}, /* a former admin's beside it: the chain's business */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t room[DESCRIPTOR_BYTES_MAX];
        struct buf b = BUF_OVER(room);
        struct descriptor out;

        sign_two_of_three(&b, rows[i].who, rows[i].count);
        assert_int_equal(read_exact(buf_view(&b), &out), rows[i].rc);
    }
}

/* Out of memory is not the signer's fault. */
static void descriptor_read__passes_on__that_memory_ran_out(void **state)
{
    uint8_t room[DESCRIPTOR_BYTES_MAX];
    struct buf b = BUF_OVER(room);
    struct descriptor out;
    unsigned nth;

    (void)state;
    sign_two_of_three(&b, admins, 3);
    for (nth = 1;; nth++) {
        struct support_fault fault;
        int rc;

        support_fail_nth(&fault, SEAM_ALLOC, nth, -ENOMEM);
        rc = descriptor_read(buf_view(&b), &out);
        support_fail_none();
        assert_int_equal(rc, fault.fired ? -ENOMEM : 0);
        if (!fault.fired)
            break;
    }
    assert_true(nth > 3); /* one for each signature at least */
}

static void descriptor_read__refuses__another_label(void **state)
{
    uint8_t body_room[DESCRIPTOR_BYTES_MAX], room[DESCRIPTOR_BYTES_MAX], sig[SIGN_BYTES];
    struct buf body = BUF_OVER(body_room), b = BUF_OVER(room);
    struct hand h = {0};
    struct bytes view;
    struct descriptor out;

    (void)state;
    (void)put_body(&body, &h);
    view = buf_view(&body);
    assert_int_equal(sign_parts(admins[0].sk, LABEL("kith1 card"), &view, 1, sig), 0);
    mw_array(&b, 2);
    mw_bin(&b, view);
    mw_array(&b, 1);
    mw_bin(&b, BYTES(sig));
    assert_int_equal(read_exact(buf_view(&b), &out), DESCRIPTOR_E_FORGED);
}

static void descriptor_read__refuses__more_than_2048_bytes(void **state)
{
    uint8_t body_room[4096], room[4096], filler[3000] = {0};
    struct descriptor out;

    (void)state;
    for (size_t extra = 1; extra < 2000; extra += extra < 1600 ? 300 : 3) {
        struct buf body = BUF_OVER(body_room), b = BUF_OVER(room);
        struct hand h = {.extra = "x2"};

        (void)put_body(&body, &h);
        body.n--; /* the extra key's value becomes a bin */
        mw_bin(&body, (struct bytes){filler, extra});
        sign_with(&b, buf_view(&body), admins, 1);
        assert_int_equal(read_exact(buf_view(&b), &out),
                         b.n > DESCRIPTOR_BYTES_MAX ? DESCRIPTOR_E_MALFORMED : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptor_read__gives__what_was_signed),
        cmocka_unit_test(descriptor_read__gives__a_later_version_with_its_predecessor),
        cmocka_unit_test(descriptor_sign__hashes__the_body_and_nothing_else),
        cmocka_unit_test(descriptor_sign__appends__and_says_when_it_does_not_fit),
        cmocka_unit_test(descriptor_sign__fits__sixteen_admins_and_four_long_addresses),
        cmocka_unit_test(descriptor_read__refuses__every_damaged_descriptor),
        cmocka_unit_test(descriptor_read__tells__forged_from_malformed),
        cmocka_unit_test(descriptor_read__checks__every_range),
        cmocka_unit_test(descriptor_read__wants__one_admin_in_version_1),
        cmocka_unit_test(descriptor_read__wants__each_key_once),
        cmocka_unit_test(descriptor_read__wants__the_predecessor_of_a_later_version),
        cmocka_unit_test(descriptor_read__refuses__a_second_signature_of_version_1),
        cmocka_unit_test(descriptor_read__counts__distinct_admins_of_its_own),
        cmocka_unit_test(descriptor_read__passes_on__that_memory_ran_out),
        cmocka_unit_test(descriptor_read__refuses__another_label),
        cmocka_unit_test(descriptor_read__refuses__more_than_2048_bytes),
    };

    if (secret_start())
        return 1;
    for (size_t i = 0; i < COUNT(admins); i++) {
        uint8_t seed[SIGN_SEED_BYTES] = {(uint8_t)(i + 1)};

        sign_keypair_from(seed, admins[i].pk, admins[i].sk);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
