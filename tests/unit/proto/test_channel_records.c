/* SPDX-License-Identifier: Apache-2.0 */
/* Records of an open channel: SPEC 2.4 and 2.5. */
#include "tests/support/feed.h"

#include "lib/mem.h"
#include "lib/secret.h"
#include "proto/channel.h"
#include "proto/msg.h"

#include <errno.h>
#include <string.h>

enum { REKEY_AFTER = 65536 };

struct pair {
    struct channel client, relay;
};

static uint8_t relay_pk[KEM_PK_BYTES], relay_sk[KEM_SK_BYTES];
static uint8_t record[CHANNEL_RECORD_MAX_BYTES], other[CHANNEL_RECORD_MAX_BYTES];

static void meet(struct pair *p)
{
    uint8_t es[KEM_SK_BYTES], msg1[CHANNEL_MSG1_BYTES], msg2[CHANNEL_MSG2_BYTES];

    assert_int_equal(channel_client_start(&p->client, relay_pk, es, msg1), 0);
    assert_int_equal(channel_relay_answer(&p->relay, relay_pk, relay_sk, msg1, msg2), 0);
    assert_int_equal(channel_client_finish(&p->client, es, msg2), 0);
}

/* Seal `used` bytes that depend on seed; returns the size on the wire. */
static size_t seal(struct channel *c, uint8_t *out, size_t used, uint8_t seed)
{
    for (size_t i = 0; i < used; i++)
        out[CHANNEL_FRAMES_AT + i] = (uint8_t)(i * 31 + seed);
    assert_int_equal(channel_seal(c, out, used), 0);
    return channel_record_bytes(c->relay, used);
}

static void assert_opens(struct channel *c, uint8_t *sealed, size_t size, size_t used,
                         uint8_t seed)
{
    struct bytes frames;
    size_t claimed;

    assert_int_equal(channel_record_size(c, (struct bytes){sealed, size}, &claimed), 0);
    assert_int_equal(claimed, size);
    assert_int_equal(channel_open(c, sealed, size, &frames), 0);
    assert_int_equal(frames.n, used);
    for (size_t i = 0; i < used; i++)
        assert_int_equal(frames.p[i], (uint8_t)(i * 31 + seed));
}

static int opens(struct channel *c, const uint8_t *sealed, size_t size)
{
    struct bytes frames = {NULL, 0};
    uint8_t *copy = mem_alloc(size);
    int rc;

    assert_non_null(copy);
    memcpy(copy, sealed, size);
    rc = channel_open(c, copy, size, &frames);
    if (rc)
        assert_null(frames.p);
    mem_free(copy);
    return rc;
}

static void assert_refused(struct channel *c, const uint8_t *sealed, size_t size)
{
    assert_int_equal(opens(c, sealed, size), CHANNEL_E_REFUSED);
    assert_true(secret_is_zero(c, sizeof *c));
}

/* ---- sizes ------------------------------------------------------------------------ */

static void channel_record_bytes__is_the_smallest_that_holds_the_frames(void **state)
{
    (void)state;
    for (size_t used = 0; used <= FRAME_RELAY_MAX_BYTES; used++) {
        size_t size = channel_record_bytes(true, used);

        assert_int_equal(size % CHANNEL_RECORD_BYTES, 0);
        assert_true(used <= CHANNEL_FRAMES_ROOM(size));
        assert_true(size == CHANNEL_RECORD_BYTES ||
                    used > CHANNEL_FRAMES_ROOM(size - CHANNEL_RECORD_BYTES));
    }
    assert_int_equal(channel_record_bytes(true, FRAME_RELAY_MAX_BYTES),
                     CHANNEL_RECORD_MAX_BYTES);
    assert_int_equal(channel_record_bytes(true, FRAME_RELAY_MAX_BYTES + 1), 0);
    assert_int_equal(channel_record_bytes(true, SIZE_MAX), 0);
}

static void channel_record_bytes__of_a_client_is_always_one_size(void **state)
{
    (void)state;
    for (size_t used = 0; used <= FRAME_CLIENT_MAX_BYTES; used++)
        assert_int_equal(channel_record_bytes(false, used), CHANNEL_RECORD_BYTES);
    assert_int_equal(channel_record_bytes(false, FRAME_CLIENT_MAX_BYTES + 1), 0);
    assert_int_equal(channel_record_bytes(false, SIZE_MAX), 0);
}

static void channel_seal__makes_every_client_record_one_size(void **state)
{
    struct pair p;

    (void)state;
    meet(&p);
    for (size_t used = 0; used <= FRAME_CLIENT_MAX_BYTES; used += 101) {
        assert_int_equal(seal(&p.client, record, used, 5), CHANNEL_RECORD_BYTES);
        assert_int_equal(le_get(record, 2), CHANNEL_RECORD_BYTES - 2);
        assert_opens(&p.relay, record, CHANNEL_RECORD_BYTES, used, 5);
    }
}

/* 0 to 15 envelopes of a notification: a record of 4,480 for one, 62,720 for fifteen. */
static void channel_seal__fits_every_count_of_envelopes(void **state)
{
    static uint8_t envelopes[ENVELOPES_PER_RECORD_MAX * ENVELOPE_BYTES];
    struct pair p;

    (void)state;
    meet(&p);
    for (size_t count = 1; count <= ENVELOPES_PER_RECORD_MAX; count++) {
        struct msg_envelopes m = {.bucket = BUCKET_MAX, .first = SEQ_MAX - 15};
        struct buf b = BUF_OVER(other);
        size_t wanted = (count * ENVELOPE_BYTES + 125 + 4479) / 4480 * 4480, size;

        m.envelopes = (struct bytes){envelopes, count * ENVELOPE_BYTES};
        msg_envelopes_write(&b, &m);
        assert_int_equal(b.rc, 0);
        size = channel_record_bytes(true, b.n);
        assert_int_equal(size, wanted);
        memcpy(record + CHANNEL_FRAMES_AT, b.p, b.n);
        assert_int_equal(channel_seal(&p.relay, record, b.n), 0);
        assert_int_equal(opens(&p.client, record, size), 0);
    }
}

static void channel_seal__fits_a_post(void **state)
{
    static uint8_t envelope[ENVELOPE_BYTES];
    const struct msg_post m = {BUCKET_MAX, BYTES(envelope)};
    struct buf b = BUF_OVER(record);

    (void)state;
    msg_post_write(&b, UINT32_MAX, &m);
    assert_int_equal(b.rc, 0);
    assert_int_equal(channel_record_bytes(false, b.n), CHANNEL_RECORD_BYTES);
}

static void channel_seal__refuses__more_than_fits(void **state)
{
    struct pair p;

    (void)state;
    meet(&p);
    assert_int_equal(channel_seal(&p.client, record, FRAME_CLIENT_MAX_BYTES + 1),
                     -EINVAL);
    assert_int_equal(channel_seal(&p.relay, record, FRAME_RELAY_MAX_BYTES + 1), -EINVAL);
    assert_int_equal(p.client.send_count, 0);
}

static void channel_record_size__takes__only_the_other_sides_sizes(void **state)
{
    uint8_t head[2];
    struct pair p;
    size_t size;

    (void)state;
    meet(&p);
    for (size_t clen = 0; clen <= UINT16_MAX; clen++) {
        size_t n = clen + 2;
        int of_client = n == 4480 ? 0 : CHANNEL_E_REFUSED;
        int of_relay = n % 4480 == 0 && n <= 62720 ? 0 : CHANNEL_E_REFUSED;

        le_put(head, clen, 2);
        assert_int_equal(channel_record_size(&p.relay, BYTES(head), &size), of_client);
        assert_int_equal(channel_record_size(&p.client, BYTES(head), &size), of_relay);
    }
    for (size_t n = 0; n < 2; n++) {
        struct bytes some = support_exact(head, n);

        assert_int_equal(channel_record_size(&p.client, some, &size), CHANNEL_E_MORE);
        support_drop(some);
    }
}

/* ---- both directions -------------------------------------------------------------- */

static void channel__carries_both_directions_at_once(void **state)
{
    static const size_t sizes[] = {0, 1, 4443, 4444, 4445, 8924, 8925, 62683, 62684};
    struct pair p;

    (void)state;
    meet(&p);
    for (size_t i = 0; i < 200; i++) {
        size_t down = sizes[i % COUNT(sizes)], up = down % 4445;
        size_t n = seal(&p.relay, record, down, (uint8_t)i);

        assert_int_equal(seal(&p.client, other, up, (uint8_t)(i + 1)), 4480);
        assert_opens(&p.client, record, n, down, (uint8_t)i);
        assert_opens(&p.relay, other, 4480, up, (uint8_t)(i + 1));
    }
}

static void channel_seal__never_repeats_a_record(void **state)
{
    struct pair p;

    (void)state;
    meet(&p);
    (void)seal(&p.client, record, 100, 1);
    (void)seal(&p.client, other, 100, 1);
    assert_memory_not_equal(record + 2, other + 2, CHANNEL_RECORD_BYTES - 2);
    (void)seal(&p.relay, other, 100, 1);
    assert_memory_not_equal(record + 2, other + 2, CHANNEL_RECORD_BYTES - 2);
}

/* ---- damaged, repeated, moved ----------------------------------------------------- */

static int takes(struct bytes in, void *arg)
{
    struct channel c = *(const struct channel *)arg;

    return opens(&c, in.p, in.n);
}

static void channel_open__refuses__every_damaged_record_of_a_client(void **state)
{
    struct pair p;

    (void)state;
    meet(&p);
    (void)seal(&p.client, record, 300, 9);
    feed_refuses((struct bytes){record, CHANNEL_RECORD_BYTES}, takes, &p.relay, 3);
}

static void channel_open__refuses__every_damaged_record_of_the_relay(void **state)
{
    struct pair p;
    size_t n;

    (void)state;
    meet(&p);
    n = seal(&p.relay, record, 5000, 9);
    assert_int_equal(n, 2 * CHANNEL_RECORD_BYTES);
    feed_refuses((struct bytes){record, n}, takes, &p.client, 4);
}

static void channel_open__refuses__a_replayed_record(void **state)
{
    struct pair p;

    (void)state;
    meet(&p);
    (void)seal(&p.client, record, 10, 1);
    assert_int_equal(opens(&p.relay, record, CHANNEL_RECORD_BYTES), 0);
    assert_refused(&p.relay, record, CHANNEL_RECORD_BYTES);
}

static void channel_open__refuses__swapped_order(void **state)
{
    struct pair p;

    (void)state;
    meet(&p);
    (void)seal(&p.client, record, 10, 1);
    (void)seal(&p.client, other, 10, 2);
    assert_refused(&p.relay, other, CHANNEL_RECORD_BYTES);
}

static void channel_open__refuses__a_left_out_record(void **state)
{
    struct pair p;

    (void)state;
    meet(&p);
    (void)seal(&p.relay, record, 10, 1);
    (void)seal(&p.relay, record, 10, 2);
    (void)seal(&p.relay, other, 10, 3);
    assert_refused(&p.client, other, CHANNEL_RECORD_BYTES);
}

static void channel_open__refuses__a_record_sent_back_to_its_sender(void **state)
{
    struct pair p;

    (void)state;
    meet(&p);
    (void)seal(&p.client, record, 10, 1);
    (void)seal(&p.relay, other, 10, 1);
    assert_refused(&p.client, record, CHANNEL_RECORD_BYTES);
    assert_refused(&p.relay, other, CHANNEL_RECORD_BYTES);
}

static void channel_open__refuses__a_record_of_another_connection(void **state)
{
    struct pair p, q;

    (void)state;
    meet(&p);
    meet(&q);
    (void)seal(&p.client, record, 10, 1);
    assert_refused(&q.relay, record, CHANNEL_RECORD_BYTES);
}

static void channel_open__refuses__everything_after_a_bad_record(void **state)
{
    struct pair p;

    (void)state;
    meet(&p);
    (void)seal(&p.client, record, 10, 1);
    record[100] ^= 1;
    assert_refused(&p.relay, record, CHANNEL_RECORD_BYTES);
    record[100] ^= 1;
    assert_refused(&p.relay, record, CHANNEL_RECORD_BYTES);
    assert_int_equal(channel_seal(&p.relay, other, 0), -EINVAL);
}

/* ---- sealed right, said wrong ----------------------------------------------------- */

/* A record of any plaintext by somebody who has the keys. */
static void seal_by_hand(const struct channel *c, size_t size, size_t used,
                         size_t dirty_at)
{
    uint8_t nonce[AEGIS_NONCE_BYTES] = {0};

    memset(other, 0, size);
    le_put(other, size - 2, 2);
    le_put(other + 2, used, 2);
    if (dirty_at)
        other[dirty_at] = 1;
    le_put(nonce, c->send_count, 8);
    aegis_seal(c->send_key, nonce, LABEL(""), (struct bytes){other + 2, size - 2 - 32},
               other + 2);
}

static void channel_open__takes__what_the_hand_seals_right(void **state)
{
    struct pair p;

    (void)state;
    meet(&p);
    seal_by_hand(&p.client, 4480, 100, 0);
    assert_int_equal(opens(&p.relay, other, 4480), 0);
    seal_by_hand(&p.relay, 8960, 4445, 0);
    assert_int_equal(opens(&p.client, other, 8960), 0);
}

static void channel_open__refuses__padding_that_is_not_zero(void **state)
{
    struct pair p;

    (void)state;
    meet(&p);
    for (size_t at = CHANNEL_FRAMES_AT + 100; at < 4480 - AEGIS_TAG_BYTES; at++) {
        struct channel c = p.relay;

        seal_by_hand(&p.client, 4480, 100, at);
        assert_refused(&c, other, 4480);
    }
}

static void channel_open__refuses__used_beyond_the_plaintext(void **state)
{
    struct pair p;

    (void)state;
    meet(&p);
    for (size_t used = FRAME_CLIENT_MAX_BYTES + 1; used <= UINT16_MAX; used += 97) {
        struct channel c = p.relay;

        seal_by_hand(&p.client, 4480, used, 0);
        assert_refused(&c, other, 4480);
    }
}

static void channel_open__refuses__a_record_longer_than_its_frames_need(void **state)
{
    struct pair p;

    (void)state;
    meet(&p);
    seal_by_hand(&p.relay, 8960, 4444, 0);
    assert_refused(&p.client, other, 8960);
}

/* ---- rekey ------------------------------------------------------------------------ */

static void channel__changes_its_key_after_65536_records_and_no_sooner(void **state)
{
    uint8_t first[AEGIS_KEY_BYTES];
    struct pair p;

    (void)state;
    meet(&p);
    memcpy(first, p.client.send_key, sizeof first);
    for (size_t i = 0; i < REKEY_AFTER + 3; i++) {
        struct bytes frames;

        if (i < REKEY_AFTER)
            assert_memory_equal(p.client.send_key, first, sizeof first);
        else
            assert_memory_not_equal(p.client.send_key, first, sizeof first);
        assert_memory_equal(p.client.send_key, p.relay.recv_key, sizeof first);
        le_put(record + CHANNEL_FRAMES_AT, i, 8);
        assert_int_equal(channel_seal(&p.client, record, 8), 0);
        assert_int_equal(channel_open(&p.relay, record, 4480, &frames), 0);
        assert_int_equal(le_get(frames.p, 8), i);
    }
    assert_int_equal(p.relay.recv_count, REKEY_AFTER + 3); /* the counter goes on */
    assert_int_equal(p.relay.send_count, 0); /* the other direction: untouched */
    (void)seal(&p.relay, record, 5, 1);
    assert_opens(&p.client, record, 4480, 5, 1);
}

static void channel__changes_the_relays_key_too_and_again(void **state)
{
    struct pair p;
    uint8_t last[AEGIS_KEY_BYTES];

    (void)state;
    meet(&p);
    for (uint64_t border = REKEY_AFTER; border <= 3 * REKEY_AFTER;
         border += REKEY_AFTER) {
        p.relay.send_count = p.client.recv_count = border - 1;
        memcpy(last, p.relay.send_key, sizeof last);
        for (uint8_t i = 0; i < 3; i++)
            assert_opens(&p.client, record, seal(&p.relay, record, 5000, i), 5000, i);
        assert_memory_not_equal(p.relay.send_key, last, sizeof last);
    }
}

static void channel_open__refuses__the_old_key_after_the_border(void **state)
{
    struct pair p;
    struct channel stale;

    (void)state;
    meet(&p);
    p.client.send_count = p.relay.recv_count = REKEY_AFTER - 1;
    stale = p.client;
    (void)seal(&p.client, record, 5, 1);
    assert_opens(&p.relay, record, 4480, 5, 1);
    stale.send_count = REKEY_AFTER;
    (void)seal(&stale, record, 5, 1);
    assert_refused(&p.relay, record, 4480);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(channel_record_bytes__is_the_smallest_that_holds_the_frames),
        cmocka_unit_test(channel_record_bytes__of_a_client_is_always_one_size),
        cmocka_unit_test(channel_seal__makes_every_client_record_one_size),
        cmocka_unit_test(channel_seal__fits_every_count_of_envelopes),
        cmocka_unit_test(channel_seal__fits_a_post),
        cmocka_unit_test(channel_seal__refuses__more_than_fits),
        cmocka_unit_test(channel_record_size__takes__only_the_other_sides_sizes),
        cmocka_unit_test(channel__carries_both_directions_at_once),
        cmocka_unit_test(channel_seal__never_repeats_a_record),
        cmocka_unit_test(channel_open__refuses__every_damaged_record_of_a_client),
        cmocka_unit_test(channel_open__refuses__every_damaged_record_of_the_relay),
        cmocka_unit_test(channel_open__refuses__a_replayed_record),
        cmocka_unit_test(channel_open__refuses__swapped_order),
        cmocka_unit_test(channel_open__refuses__a_left_out_record),
        cmocka_unit_test(channel_open__refuses__a_record_sent_back_to_its_sender),
        cmocka_unit_test(channel_open__refuses__a_record_of_another_connection),
        cmocka_unit_test(channel_open__refuses__everything_after_a_bad_record),
        cmocka_unit_test(channel_open__takes__what_the_hand_seals_right),
        cmocka_unit_test(channel_open__refuses__padding_that_is_not_zero),
        cmocka_unit_test(channel_open__refuses__used_beyond_the_plaintext),
        cmocka_unit_test(channel_open__refuses__a_record_longer_than_its_frames_need),
        cmocka_unit_test(channel__changes_its_key_after_65536_records_and_no_sooner),
        cmocka_unit_test(channel__changes_the_relays_key_too_and_again),
        cmocka_unit_test(channel_open__refuses__the_old_key_after_the_border),
    };

    if (secret_start() || kem_keypair(relay_pk, relay_sk))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
