/* SPDX-License-Identifier: Apache-2.0 */
/* Turn t is ours when we begin odd turns (the taker) and t is odd, or neither; so the
 * newest turn alone says whose move it is:
 *
 *                     ratchet_open of turn + 1
 *        newest is ours  ------------------->  newest is the peer's
 *    own.sk waits for it <-------------------  peer_pk waits for it
 *                     ratchet_seal: begin_turn */
#include "client/core/ratchet.h"

#include "client/core/turn_own.h"
#include "client/core/turn_read.h"
#include "lib/secret.h"
#include "proto/mp_write.h"

#include <errno.h>
#include <string.h>

struct ratchet {
    bool taker;
    uint32_t turn; /* the newest, of either side */
    struct turn_root root;
    uint8_t rs[TURN_KEY_BYTES];
    uint8_t th_2[HASH_BYTES];
    struct turn_own own;
    uint8_t peer_pk[KEM_PK_BYTES]; /* while the newest turn is the peer's */
    struct turn_read peer[TURNS_KEPT];
};

static bool is_ours(const struct ratchet *r, uint32_t turn)
{
    return (turn % 2 == 1) == r->taker;
}

/* The peer's turns are every other number, so each of the newest four has a place of its
 * own. */
static struct turn_read *place_of(struct ratchet *r, uint32_t turn)
{
    return &r->peer[turn / 2 % TURNS_KEPT];
}

static const struct turn_read *kept(const struct ratchet *r, uint32_t turn)
{
    const struct turn_read *t = &r->peer[turn / 2 % TURNS_KEPT];

    return turn > 0 && t->turn == turn ? t : NULL;
}

/* The peer's newest turn that we know, 0 for none. */
static uint32_t peer_newest(const struct ratchet *r)
{
    return is_ours(r, r->turn) ? r->turn - 1 : r->turn;
}

void ratchet_free(struct ratchet *r)
{
    secret_free(r);
}

int ratchet_copy(const struct ratchet *r, struct ratchet **out)
{
    struct ratchet *copy = secret_alloc(sizeof *copy);

    if (!copy)
        return -ENOMEM;
    memcpy(copy, r, sizeof *copy);
    *out = copy;
    return 0;
}

/* ---- start ------------------------------------------------------------------------ */

int ratchet_start_taker(const uint8_t secret[RATCHET_KEY_BYTES],
                        const uint8_t cohort[HASH_BYTES], const uint8_t pk[KEM_PK_BYTES],
                        struct ratchet **out)
{
    struct ratchet *r = secret_alloc(sizeof *r);
    struct turn_secrets made = {0};
    struct turn_root link;
    int rc;

    if (!r)
        return -ENOMEM;
    turn_link_root(&link, secret, cohort, pk);
    rc = turn_own_begin(&r->own, 1, 0, &link, pk, &made);
    if (rc) {
        rc = rc == KEM_E_REFUSED ? RATCHET_E_REFUSED : err_fold(rc);
        goto out;
    }
    r->taker = true;
    r->turn = 1;
    r->root = made.root;
    memcpy(r->rs, made.rs, sizeof r->rs);
    turn_heads(&r->own.heads, made.hk_1);
    /* Message 0 is the take.  Its key stays: the take may have to be sealed once more. */
    turn_step(r->own.ck, r->own.take_mk);
    r->own.has_take = true;
    r->own.sent = 1;
    *out = r;
    r = NULL;
out:
    secret_wipe(&made, sizeof made);
    secret_wipe(&link, sizeof link);
    ratchet_free(r);
    return rc;
}

int ratchet_start_inviter(const uint8_t secret[RATCHET_KEY_BYTES],
                          const uint8_t cohort[HASH_BYTES],
                          const uint8_t pk[KEM_PK_BYTES], const uint8_t sk[KEM_SK_BYTES],
                          const uint8_t ct[KEM_CT_BYTES],
                          const uint8_t peer_pk[KEM_PK_BYTES], struct ratchet **out)
{
    struct ratchet *r = NULL;
    struct turn_secrets made = {0};
    struct turn_root link = {0};
    struct turn_heads heads = {0};
    uint8_t ss[KEM_SS_BYTES];
    int rc = RATCHET_E_REFUSED;

    if (kem_dec(sk, ct, ss) || kem_pk_check(peer_pk))
        goto out;
    r = secret_alloc(sizeof *r);
    rc = r ? 0 : -ENOMEM;
    if (rc)
        goto out;
    turn_link_root(&link, secret, cohort, pk);
    turn_derive(&made, &link, 1, pk, ct, ss);
    turn_heads(&heads, made.hk_1);
    r->turn = 1;
    r->root = made.root;
    memcpy(r->rs, made.rs, sizeof r->rs);
    memcpy(r->peer_pk, peer_pk, sizeof r->peer_pk);
    turn_read_begin(place_of(r, 1), 1, r->root.th, &heads, made.ck);
    *out = r;
out:
    secret_wipe(ss, sizeof ss);
    secret_wipe(&made, sizeof made);
    secret_wipe(&link, sizeof link);
    secret_wipe(&heads, sizeof heads);
    return rc;
}

int ratchet_take_parts(const struct ratchet *r, const uint8_t salt[ENVELOPE_SALT_BYTES],
                       struct ratchet_take *out)
{
    if (!r->own.has_take)
        return RATCHET_E_TAKEN;
    memcpy(out->ct, r->own.header.ct, sizeof out->ct);
    memcpy(out->pk, r->own.header.pk, sizeof out->pk);
    memcpy(out->th_1, r->root.th, sizeof out->th_1);
    turn_body_key(out->k_body, r->own.take_mk, salt);
    return 0;
}

void ratchet_take_posted(struct ratchet *r)
{
    r->own.has_take = false;
    secret_wipe(r->own.take_mk, sizeof r->own.take_mk);
}

int ratchet_take_open_key(const struct ratchet *r,
                          const uint8_t salt[ENVELOPE_SALT_BYTES],
                          uint8_t k_body[AEAD_KEY_BYTES], uint8_t th_1[HASH_BYTES])
{
    const struct turn_read *t = kept(r, 1);
    struct turn_peek peek;

    if (!t || turn_read_peek(t, 0, &peek))
        return RATCHET_E_TAKEN;
    turn_body_key(k_body, peek.mk, salt);
    memcpy(th_1, t->th, HASH_BYTES);
    secret_wipe(&peek, sizeof peek);
    return 0;
}

void ratchet_take_opened(struct ratchet *r, uint32_t minute)
{
    struct turn_read *t = place_of(r, 1);
    struct turn_peek peek;

    if (t->turn == 1 && !turn_read_peek(t, 0, &peek)) {
        turn_read_took(t, 0, &peek, minute);
        secret_wipe(&peek, sizeof peek);
    }
}

/* ---- seal ------------------------------------------------------------------------- */

static int seal_first_of_turn(struct ratchet *r, struct bytes payload, uint8_t *envelope)
{
    struct turn_own own = {0};
    struct turn_secrets made = {0};
    int rc = -EOVERFLOW;

    if (r->turn >= UINT32_MAX - 1) /* not in a lifetime; but a count must not wrap */
        goto out;
    rc = turn_own_begin(&own, r->turn + 1, r->own.sent, &r->root, r->peer_pk, &made);
    if (rc) /* never for the pk: ratchet_open let none in that fails */
        goto out;
    turn_heads(&own.heads, r->root.hk_next);
    rc = turn_own_seal(&own, made.root.th, payload, envelope);
    if (rc)
        goto out;
    r->own = own;
    r->turn = own.turn;
    r->root = made.root;
    if (r->turn == 2)
        memcpy(r->th_2, r->root.th, sizeof r->th_2);
    secret_wipe(r->peer_pk, sizeof r->peer_pk);
out:
    secret_wipe(&own, sizeof own);
    secret_wipe(&made, sizeof made);
    return err_fold(rc);
}

int ratchet_seal(struct ratchet *r, struct bytes payload,
                 uint8_t envelope[ENVELOPE_BYTES], struct ratchet_sent *sent)
{
    bool begins = !is_ours(r, r->turn);
    int rc;

    if (payload.n > PAYLOAD_BYTES_MAX)
        return -EMSGSIZE;
    if (begins)
        rc = seal_first_of_turn(r, payload, envelope);
    else if (turn_own_full(&r->own))
        rc = RATCHET_E_WAIT;
    else
        rc = turn_own_seal(&r->own, r->root.th, payload, envelope);
    if (!rc)
        *sent = (struct ratchet_sent){r->own.turn, r->own.sent - 1, begins};
    return rc;
}

/* ---- open ------------------------------------------------------------------------- */

static int open_kept(struct turn_read *t, const uint8_t *envelope, uint32_t n,
                     uint32_t minute, uint8_t *payload, size_t *payload_n)
{
    struct envelope_header header;
    struct turn_peek peek = {0};
    int rc = RATCHET_E_REFUSED;

    if (turn_open_header(&t->heads, n, envelope, &header))
        goto out;
    switch (turn_read_peek(t, n, &peek)) {
    case 0:
        break;
    case TURN_READ_E_USED:
        rc = RATCHET_E_REPEATED;
        goto out;
    default:
        goto out;
    }
    if (turn_open_body(peek.mk, t->th, envelope, payload, payload_n))
        goto out;
    turn_read_took(t, n, &peek, minute);
    rc = 0;
out:
    secret_wipe(&header, sizeof header);
    secret_wipe(&peek, sizeof peek);
    return rc;
}

/* What opening the first envelope of the peer's next turn would make of the state. */
struct next_turn {
    struct turn_heads heads;
    struct envelope_header header;
    struct turn_secrets made;
    struct turn_peek peek;
};

/* pn closes the peer's turn before this one, of which we opened something: or we could
 * not have begun the turn that this one answers. */
static bool pn_fits(const struct ratchet *r, uint32_t pn)
{
    const struct turn_read *before = kept(r, r->turn - 1);

    return before ? pn >= before->next : pn == 0;
}

static int next_turn_try(const struct ratchet *r, const uint8_t *envelope, uint32_t n,
                         struct next_turn *next, uint8_t *payload, size_t *payload_n)
{
    uint8_t ss[KEM_SS_BYTES];

    turn_heads(&next->heads, r->root.hk_next);
    if (turn_open_header(&next->heads, n, envelope, &next->header) ||
        !pn_fits(r, next->header.pn) || kem_pk_check(next->header.pk) ||
        kem_dec(r->own.sk, next->header.ct, ss))
        return RATCHET_E_REFUSED;
    turn_derive(&next->made, &r->root, r->turn + 1, r->own.header.pk, next->header.ct,
                ss);
    secret_wipe(ss, sizeof ss);
    turn_read_peek_first(next->made.ck, n, &next->peek);
    if (turn_open_body(next->peek.mk, next->made.root.th, envelope, payload, payload_n))
        return RATCHET_E_REFUSED;
    return 0;
}

static void next_turn_keep(struct ratchet *r, const struct next_turn *next, uint32_t n,
                           uint32_t minute)
{
    const struct turn_own done = {.turn = r->own.turn, .sent = r->own.sent};
    struct turn_read *t;

    if (kept(r, r->turn - 1))
        turn_read_close(place_of(r, r->turn - 1), next->header.pn);
    r->turn++;
    r->root = next->made.root;
    if (r->turn == 2)
        memcpy(r->th_2, r->root.th, sizeof r->th_2);
    memcpy(r->peer_pk, next->header.pk, sizeof r->peer_pk);
    secret_wipe(&r->own, sizeof r->own);
    r->own = done;
    t = place_of(r, r->turn);
    turn_read_begin(t, r->turn, r->root.th, &next->heads, next->made.ck);
    turn_read_took(t, n, &next->peek, minute);
}

static int open_next(struct ratchet *r, const uint8_t *envelope, uint32_t n,
                     uint32_t minute, uint8_t *payload, size_t *payload_n)
{
    struct next_turn next = {0};
    int rc = next_turn_try(r, envelope, n, &next, payload, payload_n);

    if (!rc)
        next_turn_keep(r, &next, n, minute);
    secret_wipe(&next, sizeof next);
    return rc;
}

int ratchet_open(struct ratchet *r, const uint8_t envelope[ENVELOPE_BYTES], uint32_t turn,
                 uint32_t n, uint32_t minute, uint8_t *payload, size_t *payload_n,
                 struct ratchet_opened *opened)
{
    bool begins = is_ours(r, r->turn) && turn == r->turn + 1 && r->turn < UINT32_MAX - 1;
    int rc = RATCHET_E_REFUSED;

    if (n >= TURN_ENVELOPES_MAX)
        return rc;
    if (begins)
        rc = open_next(r, envelope, n, minute, payload, payload_n);
    else if (kept(r, turn))
        rc = open_kept(place_of(r, turn), envelope, n, minute, payload, payload_n);
    if (!rc && is_ours(r, r->turn))
        turn_own_grant(&r->own);
    if (!rc)
        *opened = (struct ratchet_opened){turn, n, begins};
    return rc;
}

/* ---- tags ------------------------------------------------------------------------- */

static int tags_under(const struct turn_heads *heads, uint32_t turn, ratchet_tag *each,
                      void *arg)
{
    uint8_t tag[ENVELOPE_TAG_BYTES];
    int rc = 0;

    for (uint32_t n = 0; n < TURN_ENVELOPES_MAX && !rc; n++) {
        turn_tag(tag, heads, n);
        rc = each(tag, turn, n, arg);
    }
    return rc;
}

/* From the oldest kept turn of the peer on; the next one's header key is known. */
int ratchet_tags(const struct ratchet *r, uint32_t turn, ratchet_tag *each, void *arg)
{
    uint32_t from = turn ? turn : ratchet_oldest(r);
    uint32_t last = turn ? turn : r->turn + 1;
    int rc = 0;

    for (uint32_t t = from; t <= last && !rc; t++) {
        const struct turn_read *read = kept(r, t);
        struct turn_heads next;

        if (read)
            rc = tags_under(&read->heads, t, each, arg);
        else if (is_ours(r, r->turn) && t == r->turn + 1) {
            turn_heads(&next, r->root.hk_next);
            rc = tags_under(&next, t, each, arg);
            secret_wipe(&next, sizeof next);
        }
    }
    return rc;
}

uint32_t ratchet_oldest(const struct ratchet *r)
{
    uint32_t oldest = peer_newest(r);

    if (oldest == 0)
        return r->turn + 1;
    while (oldest > 2 && kept(r, oldest - 2))
        oldest -= 2;
    return oldest;
}

/* ---- acks and counts -------------------------------------------------------------- */

size_t ratchet_acks(const struct ratchet *r, struct payload_ack out[ACKS_MAX])
{
    size_t count = 0;

    for (uint32_t t = ratchet_oldest(r); t <= peer_newest(r); t += 2) {
        const struct turn_read *read = kept(r, t);

        if (read && read->changed && read->next > 0)
            turn_read_ack(read, &out[count++]);
    }
    return count;
}

void ratchet_acks_told(struct ratchet *r)
{
    for (size_t i = 0; i < TURNS_KEPT; i++)
        r->peer[i].changed = false;
}

void ratchet_acks_retell(struct ratchet *r)
{
    for (size_t i = 0; i < TURNS_KEPT; i++)
        r->peer[i].changed = r->peer[i].next > 0;
}

int ratchet_ack_check(const struct ratchet *r, const struct payload_ack *ack)
{
    if (ack->turn == 0 || !is_ours(r, ack->turn) || ack->turn > r->own.turn)
        return RATCHET_E_REFUSED;
    if (ack->upto == 0 || ack->upto > TURN_ENVELOPES_MAX)
        return RATCHET_E_REFUSED;
    if (ack->turn == r->own.turn && ack->upto > r->own.sent)
        return RATCHET_E_REFUSED;
    return 0;
}

enum ratchet_fate ratchet_ack_fate(const struct payload_ack *ack, uint32_t turn,
                                   uint32_t n)
{
    if (ack->turn != turn || n >= ack->upto || n >= TURN_ENVELOPES_MAX)
        return RATCHET_UNTOLD;
    return ack->missing[n / 8] >> n % 8 & 1 ? RATCHET_MISSING : RATCHET_DELIVERED;
}

void ratchet_count(const struct ratchet *r, struct ratchet_counts *out)
{
    bool ours = is_ours(r, r->turn);
    const struct turn_read *newest = kept(r, peer_newest(r));
    uint32_t upto = newest ? newest->next : 0;

    *out = (struct ratchet_counts){
        .own_turn = r->own.turn,
        .own_sent = r->own.sent,
        .peer_turn = upto ? newest->turn : 0,
        .peer_upto = upto,
        .turn_due = !ours,
        .awaiting = ours && turn_own_full(&r->own),
        .answer_wanted = !ours && upto >= TURN_ANSWER_AT,
    };
}

size_t ratchet_forget_before(struct ratchet *r, uint32_t minute)
{
    size_t count = 0;

    for (size_t i = 0; i < TURNS_KEPT; i++)
        if (r->peer[i].turn && r->peer[i].minute < minute)
            count += turn_read_forget(&r->peer[i]);
    return count;
}

int ratchet_verify_input(const struct ratchet *r, uint8_t th_2[HASH_BYTES])
{
    if (r->turn < 2)
        return RATCHET_E_EARLY;
    memcpy(th_2, r->th_2, HASH_BYTES);
    return 0;
}

void ratchet_reset_secret(const struct ratchet *r, uint8_t rs[RATCHET_KEY_BYTES])
{
    memcpy(rs, r->rs, RATCHET_KEY_BYTES);
}

/* ---- keeping it ---------------------------------------------------------------------
 * [version, taker, turn, rk, th, hk_next, rs, th_2 or nil, own, peer pk or nil, [turn,
 * ...]] Load checks each field against those before it, so that no other code meets a
 * state that can't be. */

enum { SAVED_VERSION = 1, SAVED_FIELDS = 11 };

static size_t turns_kept(uint32_t newest)
{
    uint32_t count = (newest + 1) / 2;

    return count < TURNS_KEPT ? count : TURNS_KEPT;
}

static void save_peer(const struct ratchet *r, struct buf *b)
{
    uint32_t newest = peer_newest(r);
    size_t count = turns_kept(newest);

    mw_array(b, count);
    while (count-- > 0)
        turn_read_save(kept(r, newest - (uint32_t)(2 * count)), b);
}

void ratchet_save(const struct ratchet *r, struct buf *b)
{
    bool ours = is_ours(r, r->turn);

    mw_array(b, SAVED_FIELDS);
    mw_uint(b, SAVED_VERSION);
    mw_bool(b, r->taker);
    mw_uint(b, r->turn);
    mw_bin(b, BYTES(r->root.rk));
    mw_bin(b, BYTES(r->root.th));
    mw_bin(b, BYTES(r->root.hk_next));
    mw_bin(b, BYTES(r->rs));
    if (r->turn >= 2)
        mw_bin(b, BYTES(r->th_2));
    else
        mw_nil(b);
    turn_own_save(&r->own, ours, b);
    if (ours)
        mw_nil(b);
    else
        mw_bin(b, BYTES(r->peer_pk));
    save_peer(r, b);
}

/* The newest is open, all before are closed; only a take that is not opened yet leaves a
 * turn of which nothing was read. */
static void load_peer(struct mp *in, struct ratchet *r)
{
    uint32_t newest = peer_newest(r);
    size_t count = turns_kept(newest);

    mp_array(in, count, count);
    while (count-- > 0 && !in->rc) {
        uint32_t turn = newest - (uint32_t)(2 * count);
        struct turn_read *t = place_of(r, turn);

        turn_read_load(in, t);
        if (t->turn != turn || t->closed != (turn < newest) ||
            (t->next == 0 && r->turn != 1))
            mp_fail(in);
    }
    mp_leave(in);
}

static void load_fields(struct mp *in, struct ratchet *r)
{
    bool ours;

    mp_array(in, SAVED_FIELDS, SAVED_FIELDS);
    (void)mp_uint(in, SAVED_VERSION, SAVED_VERSION);
    r->taker = mp_bool(in);
    r->turn = (uint32_t)mp_uint(in, 1, UINT32_MAX - 1);
    mp_bin_copy(in, r->root.rk, sizeof r->root.rk);
    mp_bin_copy(in, r->root.th, sizeof r->root.th);
    mp_bin_copy(in, r->root.hk_next, sizeof r->root.hk_next);
    mp_bin_copy(in, r->rs, sizeof r->rs);
    if (r->turn >= 2)
        mp_bin_copy(in, r->th_2, sizeof r->th_2);
    else
        mp_nil(in);
    if (in->rc) /* turn is 0 then, and what hangs on it is not even asked */
        return;
    ours = is_ours(r, r->turn);
    turn_own_load(in, ours ? r->turn : r->turn - 1, ours, &r->own);
    if (ours)
        mp_nil(in);
    else
        mp_bin_copy(in, r->peer_pk, sizeof r->peer_pk);
    if (!in->rc && !ours && kem_pk_check(r->peer_pk))
        mp_fail(in);
    load_peer(in, r);
    mp_leave(in);
}

int ratchet_load(struct bytes blob, struct ratchet **out)
{
    struct mp in = mp_over(blob);
    struct ratchet *r = secret_alloc(sizeof *r);

    if (!r)
        return -ENOMEM;
    load_fields(&in, r);
    if (mp_end(&in)) {
        ratchet_free(r);
        return RATCHET_E_BLOB;
    }
    *out = r;
    return 0;
}
