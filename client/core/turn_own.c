/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/turn_own.h"

#include "lib/secret.h"
#include "proto/mp_write.h"

#include <string.h>

int turn_own_begin(struct turn_own *own, uint32_t turn, uint32_t pn,
                   const struct turn_root *before, const uint8_t pk[KEM_PK_BYTES],
                   struct turn_secrets *made)
{
    uint8_t ss[KEM_SS_BYTES];
    int rc = kem_keypair(own->header.pk, own->sk);

    if (rc)
        return rc;
    rc = kem_enc(pk, own->header.ct, ss);
    if (rc)
        return rc;
    turn_derive(made, before, turn, pk, own->header.ct, ss);
    memcpy(own->ck, made->ck, sizeof own->ck);
    own->turn = turn;
    own->sent = 0;
    own->granted = 0;
    own->header.pn = pn;
    own->has_take = false;
    secret_wipe(ss, sizeof ss);
    return 0;
}

bool turn_own_full(const struct turn_own *own)
{
    return own->sent >= TURN_ENVELOPES_MAX - TURN_RESERVED + own->granted;
}

void turn_own_grant(struct turn_own *own)
{
    if (turn_own_full(own) && own->granted < TURN_RESERVED)
        own->granted++;
}

int turn_own_seal(struct turn_own *own, const uint8_t th[HASH_BYTES],
                  struct bytes payload, uint8_t envelope[ENVELOPE_BYTES])
{
    uint8_t salt[ENVELOPE_SALT_BYTES];
    uint8_t ck[TURN_KEY_BYTES], mk[TURN_KEY_BYTES];
    int rc = rand_bytes(salt, sizeof salt);

    if (rc)
        return rc;
    memcpy(ck, own->ck, sizeof ck);
    turn_step(ck, mk);
    own->header.n = own->sent;
    rc = turn_seal(&own->heads, &own->header, mk, th, salt, payload, envelope);
    if (!rc) {
        memcpy(own->ck, ck, sizeof ck);
        own->sent++;
    }
    secret_wipe(ck, sizeof ck);
    secret_wipe(mk, sizeof mk);
    return rc;
}

/* ---- keeping it ------------------------------------------------------------------- */

enum { DONE_FIELDS = 2, NEWEST_FIELDS = 11 };

void turn_own_save(const struct turn_own *own, bool newest, struct buf *b)
{
    mw_array(b, newest ? NEWEST_FIELDS : DONE_FIELDS);
    mw_uint(b, own->turn);
    mw_uint(b, own->sent);
    if (!newest)
        return;
    mw_uint(b, own->header.pn);
    mw_uint(b, own->granted);
    mw_bin(b, BYTES(own->sk));
    mw_bin(b, BYTES(own->ck));
    mw_bin(b, BYTES(own->heads.tk));
    mw_bin(b, BYTES(own->heads.he));
    mw_bin(b, BYTES(own->header.pk));
    mw_bin(b, BYTES(own->header.ct));
    if (own->has_take)
        mw_bin(b, BYTES(own->take_mk));
    else
        mw_nil(b);
}

static void load_newest(struct mp *r, struct turn_own *own)
{
    bool has_pn = own->turn > 2;

    own->header.pn = (uint32_t)mp_uint(r, has_pn, has_pn ? TURN_ENVELOPES_MAX : 0);
    own->granted = (uint32_t)mp_uint(r, 0, TURN_RESERVED);
    if (own->sent > TURN_ENVELOPES_MAX - TURN_RESERVED + own->granted)
        mp_fail(r);
    mp_bin_copy(r, own->sk, sizeof own->sk);
    mp_bin_copy(r, own->ck, sizeof own->ck);
    mp_bin_copy(r, own->heads.tk, sizeof own->heads.tk);
    mp_bin_copy(r, own->heads.he, sizeof own->heads.he);
    mp_bin_copy(r, own->header.pk, sizeof own->header.pk);
    mp_bin_copy(r, own->header.ct, sizeof own->header.ct);
    own->has_take = own->turn == 1 && mp_peek(r) == MP_BIN;
    if (own->has_take)
        mp_bin_copy(r, own->take_mk, sizeof own->take_mk);
    else
        mp_nil(r);
}

void turn_own_load(struct mp *r, uint32_t turn, bool newest, struct turn_own *own)
{
    size_t fields = newest ? NEWEST_FIELDS : DONE_FIELDS;

    mp_array(r, fields, fields);
    own->turn = (uint32_t)mp_uint(r, turn, turn);
    own->sent = (uint32_t)mp_uint(r, turn ? 1 : 0, turn ? TURN_ENVELOPES_MAX : 0);
    if (newest)
        load_newest(r, own);
    mp_leave(r);
}
