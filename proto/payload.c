/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/payload.h"

#include "lib/secret.h"
#include "proto/mp_fields.h"
#include "proto/mp_write.h"

#include <string.h>

enum { HOME_LEAST = BUCKET_MAIL, HOME_MOST = BUCKET_MAIL + BUCKETS_MAIL_MAX - 1 };

/* t i m a g mean the same in every type, also in those of a later version; the others
 * only in the types of their row in SPEC 7.1, elsewhere they are skipped like a key
 * nobody knows. */
static const char *letters_of(uint32_t type)
{
    switch (type) {
    case PAYLOAD_TEXT:
        return "timagbpo";
    case PAYLOAD_OFFER:
    case PAYLOAD_TAKE:
    case PAYLOAD_ACCEPT:
    case PAYLOAD_PROFILE:
        return "timagnk";
    default:
        return "timag";
    }
}

static const char *needed_by(uint32_t type)
{
    switch (type) {
    case PAYLOAD_TEXT:
        return "timb";
    case PAYLOAD_ACK:
        return "tima";
    case PAYLOAD_OFFER:
    case PAYLOAD_TAKE:
    case PAYLOAD_ACCEPT:
    case PAYLOAD_PROFILE:
        return "timnk";
    default:
        return "tim";
    }
}

/* ---- reading ---------------------------------------------------------------------- */

static uint32_t read_u32(struct mp *r, uint32_t least, uint32_t most)
{
    return (uint32_t)mp_uint(r, least, most);
}

/* The keys of a map come in any order, and the type decides what the others mean. */
static uint32_t read_type(struct bytes in)
{
    struct mp r = mp_over(in);
    struct mp_fields f = mp_fields(&r, "t");
    uint32_t type = 0;

    while (mp_fields_next(&f))
        type = read_u32(&r, 1, UINT32_MAX);
    return r.rc ? 0 : type;
}

static void read_part(struct mp *r, struct payload *out)
{
    mp_array(r, 2, 2);
    out->part = read_u32(r, 0, TEXT_PARTS_MAX - 1);
    out->parts = read_u32(r, 2, TEXT_PARTS_MAX);
    mp_leave(r);
    if (out->part >= out->parts)
        mp_fail(r);
}

static void read_ack(struct mp *r, struct payload_ack *a)
{
    struct bytes missing;

    mp_array(r, 3, 3);
    a->turn = read_u32(r, 1, UINT32_MAX);
    a->upto = read_u32(r, 1, TURN_ENVELOPES_MAX);
    missing = mp_bin(r, 0, ACK_BITMAP_BYTES);
    mp_leave(r);
    if (r->rc || !missing.n)
        return;
    /* One form for each meaning: no bitmap of nothing, no bit beyond the end. */
    if (missing.n != (a->upto + 7) / 8 || secret_is_zero(missing.p, missing.n) ||
        (a->upto % 8 && missing.p[missing.n - 1] >> a->upto % 8)) {
        mp_fail(r);
        return;
    }
    memcpy(a->missing, missing.p, missing.n);
}

static void read_acks(struct mp *r, struct payload *out)
{
    out->acks_n = mp_array(r, 1, ACKS_MAX);
    for (size_t i = 0; i < out->acks_n; i++)
        read_ack(r, &out->acks[i]);
    mp_leave(r);
}

static void read_gossip(struct mp *r, struct payload_gossip *g)
{
    struct mp_fields f = mp_fields(r, "dcp");
    char key;

    while ((key = mp_fields_next(&f)) != 0)
        switch (key) {
        case 'd':
            mp_array(r, 2, 2);
            g->directory_seq = mp_uint(r, 0, SEQ_MAX);
            mp_bin_copy(r, g->directory, sizeof g->directory);
            mp_leave(r);
            break;
        case 'c':
            mp_bin_copy(r, g->descriptor, sizeof g->descriptor);
            break;
        case 'p':
            mp_array(r, 3, 3);
            g->previous_bucket = read_u32(r, 0, BUCKET_MAX);
            g->previous_seq = mp_uint(r, 1, SEQ_MAX);
            mp_bin_copy(r, g->previous, sizeof g->previous);
            mp_leave(r);
            break;
        }
    g->has_directory = mp_fields_has(&f, 'd');
    g->has_descriptor = mp_fields_has(&f, 'c');
    g->has_previous = mp_fields_has(&f, 'p');
}

int payload_read(struct bytes in, struct payload *out)
{
    uint32_t type = in.n <= PAYLOAD_BYTES_MAX ? read_type(in) : 0;
    struct mp r = mp_over(in);
    struct mp_fields f = mp_fields(&r, letters_of(type));
    char key;

    *out = (struct payload){0};
    if (!type)
        mp_fail(&r);
    while ((key = mp_fields_next(&f)) != 0)
        switch (key) {
        case 't':
            out->type = read_u32(&r, 1, UINT32_MAX);
            break;
        case 'i':
            mp_bin_copy(&r, out->id, sizeof out->id);
            break;
        case 'm':
            out->minute = read_u32(&r, 0, UINT32_MAX);
            break;
        case 'b':
            out->text = mp_str(&r, 0, TEXT_PART_BYTES_MAX);
            break;
        case 'p':
            read_part(&r, out);
            break;
        case 'o':
            out->order = read_u32(&r, 1, UINT32_MAX);
            break;
        case 'a':
            read_acks(&r, out);
            break;
        case 'g':
            read_gossip(&r, &out->gossip);
            break;
        case 'n':
            out->name = mp_str(&r, 0, NAME_BYTES_MAX);
            break;
        case 'k':
            out->home = read_u32(&r, HOME_LEAST, HOME_MOST);
            break;
        }
    out->has_home = mp_fields_has(&f, 'k');
    mp_fields_need(&f, needed_by(type));
    return mp_end(&r);
}

/* ---- writing ---------------------------------------------------------------------- */

static void put_uint(struct buf *b, const char *key, uint64_t v)
{
    mw_cstr(b, key);
    mw_uint(b, v);
}

static void put_acks(struct buf *b, const struct payload *p)
{
    mw_cstr(b, "a");
    mw_array(b, p->acks_n);
    for (size_t i = 0; i < p->acks_n; i++) {
        const struct payload_ack *a = &p->acks[i];
        size_t n = (a->upto + 7) / 8;

        mw_array(b, 3);
        mw_uint(b, a->turn);
        mw_uint(b, a->upto);
        mw_bin(b, (struct bytes){a->missing, secret_is_zero(a->missing, n) ? 0 : n});
    }
}

static size_t gossip_pairs(const struct payload_gossip *g)
{
    return (size_t)g->has_directory + g->has_descriptor + g->has_previous;
}

static void put_gossip(struct buf *b, const struct payload_gossip *g)
{
    mw_cstr(b, "g");
    mw_map(b, gossip_pairs(g));
    if (g->has_directory) {
        mw_cstr(b, "d");
        mw_array(b, 2);
        mw_uint(b, g->directory_seq);
        mw_bin(b, BYTES(g->directory));
    }
    if (g->has_descriptor) {
        mw_cstr(b, "c");
        mw_bin(b, BYTES(g->descriptor));
    }
    if (g->has_previous) {
        mw_cstr(b, "p");
        mw_array(b, 3);
        mw_uint(b, g->previous_bucket);
        mw_uint(b, g->previous_seq);
        mw_bin(b, BYTES(g->previous));
    }
}

void payload_write(struct buf *b, const struct payload *p)
{
    bool gossip = gossip_pairs(&p->gossip) > 0;

    mw_map(b, (size_t)3 + (p->text.p != NULL) + (p->parts > 0) + (p->order > 0) +
                  (p->acks_n > 0) + gossip + (p->name.p != NULL) + p->has_home);
    put_uint(b, "t", p->type);
    mw_cstr(b, "i");
    mw_bin(b, BYTES(p->id));
    put_uint(b, "m", p->minute);
    if (p->text.p) {
        mw_cstr(b, "b");
        mw_str(b, p->text);
    }
    if (p->parts) {
        mw_cstr(b, "p");
        mw_array(b, 2);
        mw_uint(b, p->part);
        mw_uint(b, p->parts);
    }
    if (p->order)
        put_uint(b, "o", p->order);
    if (p->acks_n)
        put_acks(b, p);
    if (gossip)
        put_gossip(b, &p->gossip);
    if (p->name.p) {
        mw_cstr(b, "n");
        mw_str(b, p->name);
    }
    if (p->has_home)
        put_uint(b, "k", p->home);
}
