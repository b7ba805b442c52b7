/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/turn_read.h"

#include "lib/secret.h"
#include "proto/mp_write.h"

#include <string.h>

static bool bit(const uint8_t map[TURN_READ_MAP_BYTES], uint32_t n)
{
    return map[n / 8] >> n % 8 & 1;
}

static void bit_set(uint8_t map[TURN_READ_MAP_BYTES], uint32_t n)
{
    map[n / 8] = (uint8_t)(map[n / 8] | 1 << n % 8);
}

static void bit_clear(uint8_t map[TURN_READ_MAP_BYTES], uint32_t n)
{
    map[n / 8] = (uint8_t)(map[n / 8] & ~(1 << n % 8));
}

void turn_read_begin(struct turn_read *t, uint32_t turn, const uint8_t th[HASH_BYTES],
                     const struct turn_heads *heads, const uint8_t ck[TURN_KEY_BYTES])
{
    secret_wipe(t, sizeof *t);
    t->turn = turn;
    memcpy(t->th, th, sizeof t->th);
    t->heads = *heads;
    memcpy(t->ck, ck, sizeof t->ck);
}

/* MK_n of a chain that stands at CK_from, n >= from. */
static void walk(struct turn_peek *out, const uint8_t ck[TURN_KEY_BYTES], uint32_t from,
                 uint32_t n)
{
    memcpy(out->ck, ck, sizeof out->ck);
    for (; from <= n; from++)
        turn_step(out->ck, out->mk);
}

void turn_read_peek_first(const uint8_t ck[TURN_KEY_BYTES], uint32_t n,
                          struct turn_peek *out)
{
    walk(out, ck, 0, n);
}

int turn_read_peek(const struct turn_read *t, uint32_t n, struct turn_peek *out)
{
    if (bit(t->opened, n))
        return TURN_READ_E_USED;
    if (n >= t->next) {
        if (t->closed)
            return TURN_READ_E_GONE;
        walk(out, t->ck, t->next, n);
        return 0;
    }
    if (!bit(t->kept, n))
        return TURN_READ_E_GONE;
    memcpy(out->mk, t->skipped[n], sizeof out->mk);
    return 0;
}

/* Move the chain to n, keeping the keys on the way. */
static void skip_to(struct turn_read *t, uint32_t n)
{
    for (; t->next < n; t->next++) {
        turn_step(t->ck, t->skipped[t->next]);
        bit_set(t->kept, t->next);
    }
}

void turn_read_took(struct turn_read *t, uint32_t n, const struct turn_peek *peek,
                    uint32_t minute)
{
    if (n < t->next) {
        bit_clear(t->kept, n);
        secret_wipe(t->skipped[n], sizeof t->skipped[n]);
    } else {
        skip_to(t, n);
        memcpy(t->ck, peek->ck, sizeof t->ck);
        t->next = n + 1;
    }
    bit_set(t->opened, n);
    t->minute = minute;
    t->changed = true;
}

void turn_read_close(struct turn_read *t, uint32_t end)
{
    if (end > t->next)
        t->changed = true; /* what is missing at the end shows only now */
    skip_to(t, end);
    secret_wipe(t->ck, sizeof t->ck);
    t->closed = true;
}

size_t turn_read_forget(struct turn_read *t)
{
    size_t count = 0;

    for (uint32_t n = 0; n < t->next; n++)
        count += bit(t->kept, n);
    if (count) {
        secret_wipe(t->skipped, sizeof t->skipped);
        memset(t->kept, 0, sizeof t->kept);
    }
    return count;
}

void turn_read_ack(const struct turn_read *t, struct payload_ack *out)
{
    *out = (struct payload_ack){.turn = t->turn, .upto = t->next};
    for (uint32_t n = 0; n < t->next; n++)
        if (!bit(t->opened, n))
            bit_set(out->missing, n);
}

/* ---- keeping it ------------------------------------------------------------------- */

/* [turn, next, minute, closed, changed, th, tk, he, ck or nil, opened, [n, key, ...]] */
enum { SAVED_FIELDS = 11 };

void turn_read_save(const struct turn_read *t, struct buf *b)
{
    size_t count = 0;

    for (uint32_t n = 0; n < t->next; n++)
        count += bit(t->kept, n);
    mw_array(b, SAVED_FIELDS);
    mw_uint(b, t->turn);
    mw_uint(b, t->next);
    mw_uint(b, t->minute);
    mw_bool(b, t->closed);
    mw_bool(b, t->changed);
    mw_bin(b, BYTES(t->th));
    mw_bin(b, BYTES(t->heads.tk));
    mw_bin(b, BYTES(t->heads.he));
    if (t->closed)
        mw_nil(b);
    else
        mw_bin(b, BYTES(t->ck));
    mw_bin(b, BYTES(t->opened));
    mw_array(b, 2 * count);
    for (uint32_t n = 0; n < t->next; n++)
        if (bit(t->kept, n)) {
            mw_uint(b, n);
            mw_bin(b, BYTES(t->skipped[n]));
        }
}

/* Skipped keys in rising order, none for an n that was opened or is not reached yet. */
static void load_skipped(struct mp *r, struct turn_read *t)
{
    size_t count = mp_array(r, 0, (size_t)2 * TURN_ENVELOPES_MAX);
    uint32_t least = 0;

    if (count % 2)
        mp_fail(r);
    for (; count >= 2 && !r->rc; count -= 2) {
        uint32_t n = (uint32_t)mp_uint(r, least, TURN_ENVELOPES_MAX - 1);

        if (r->rc || n >= t->next || bit(t->opened, n)) {
            mp_fail(r);
            return;
        }
        mp_bin_copy(r, t->skipped[n], sizeof t->skipped[n]);
        bit_set(t->kept, n);
        least = n + 1;
    }
    mp_leave(r);
}

static bool opened_map_fits(const struct turn_read *t)
{
    for (uint32_t n = t->next; n < TURN_ENVELOPES_MAX; n++)
        if (bit(t->opened, n))
            return false;
    /* An open chain stands right behind the highest that was opened. */
    return t->closed || t->next == 0 || bit(t->opened, t->next - 1);
}

void turn_read_load(struct mp *r, struct turn_read *t)
{
    mp_array(r, SAVED_FIELDS, SAVED_FIELDS);
    t->turn = (uint32_t)mp_uint(r, 1, UINT32_MAX);
    t->next = (uint32_t)mp_uint(r, 0, TURN_ENVELOPES_MAX);
    t->minute = (uint32_t)mp_uint(r, 0, UINT32_MAX);
    t->closed = mp_bool(r);
    t->changed = mp_bool(r);
    mp_bin_copy(r, t->th, sizeof t->th);
    mp_bin_copy(r, t->heads.tk, sizeof t->heads.tk);
    mp_bin_copy(r, t->heads.he, sizeof t->heads.he);
    if (t->closed)
        mp_nil(r);
    else
        mp_bin_copy(r, t->ck, sizeof t->ck);
    mp_bin_copy(r, t->opened, sizeof t->opened);
    if (!r->rc && !opened_map_fits(t))
        mp_fail(r);
    load_skipped(r, t);
    mp_leave(r);
}
