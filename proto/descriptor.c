/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/descriptor.h"

#include "lib/secret.h"
#include "proto/invite.h"
#include "proto/mp_fields.h"
#include "proto/mp_write.h"

#include <errno.h>
#include <string.h>

enum { VERSION_FIRST = 1 };

/* Where the signatures of a signed descriptor stand; views into it. */
struct signed_parts {
    struct bytes body;
    struct bytes sigs[DESCRIPTOR_SIGNATURES_MAX];
    size_t sigs_n;
};

/* ---- writing ---------------------------------------------------------------------- */

static void put_uint(struct buf *b, const char *key, uint64_t v)
{
    mw_cstr(b, key);
    mw_uint(b, v);
}

static void put_body(struct buf *b, const struct descriptor *d)
{
    mw_map(b, d->version > VERSION_FIRST ? 10 : 9);
    put_uint(b, "v", d->version);
    if (d->version > VERSION_FIRST) {
        mw_cstr(b, "p");
        mw_bin(b, BYTES(d->previous));
    }
    mw_cstr(b, "n");
    mw_cstr(b, d->name);
    mw_cstr(b, "a");
    mw_array(b, d->admins_n);
    for (size_t i = 0; i < d->admins_n; i++)
        mw_bin(b, BYTES(d->admins[i]));
    put_uint(b, "m", d->needed);
    mw_cstr(b, "r");
    mw_array(b, d->relays_n);
    for (size_t i = 0; i < d->relays_n; i++) {
        mw_map(b, 2);
        mw_cstr(b, "a");
        mw_cstr(b, d->relays[i].address);
        mw_cstr(b, "k");
        mw_bin(b, BYTES(d->relays[i].key_hash));
    }
    put_uint(b, "b", d->mail_buckets);
    put_uint(b, "s", d->members);
    put_uint(b, "d", d->retention_days);
    put_uint(b, "x", d->expires_day);
}

int descriptor_sign(struct descriptor *d, const uint8_t sk[SIGN_SK_BYTES],
                    struct buf *out)
{
    uint8_t body_room[DESCRIPTOR_BYTES_MAX], signed_room[DESCRIPTOR_BYTES_MAX];
    uint8_t sig[SIGN_BYTES];
    struct buf body = BUF_OVER(body_room), whole = BUF_OVER(signed_room);
    struct bytes view;
    int rc;

    put_body(&body, d);
    if (body.rc)
        return body.rc == -ENOSPC ? -EMSGSIZE : body.rc;
    view = buf_view(&body);
    rc = sign_parts(sk, LABEL("kith1 descriptor"), &view, 1, sig);
    if (rc)
        return rc;
    mw_array(&whole, 2);
    mw_bin(&whole, view);
    mw_array(&whole, 1);
    mw_bin(&whole, BYTES(sig));
    if (whole.rc)
        return whole.rc == -ENOSPC ? -EMSGSIZE : whole.rc;
    buf_put(out, whole.p, whole.n);
    if (out->rc)
        return out->rc == -ENOSPC ? -EMSGSIZE : out->rc;
    hash_parts(d->hash, &view, 1);
    return 0;
}

/* ---- reading ---------------------------------------------------------------------- */

static uint32_t read_u32(struct mp *r, uint32_t least, uint32_t most)
{
    return (uint32_t)mp_uint(r, least, most);
}

/* Names are shown to people: no control characters, no zero that would cut them short. */
static void read_name(struct mp *r, char out[COHORT_NAME_BYTES_MAX + 1])
{
    struct bytes s = mp_str(r, 1, COHORT_NAME_BYTES_MAX);

    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x20 || s.p[i] == 0x7f)
            mp_fail(r);
    if (!r->rc)
        memcpy(out, s.p, s.n);
}

static void read_address(struct mp *r, char out[ADDRESS_BYTES_MAX + 1])
{
    struct bytes s = mp_str(r, 1, ADDRESS_BYTES_MAX);
    struct address a;

    if (r->rc || address_parse((const char *)s.p, s.n, &a))
        mp_fail(r);
    else
        memcpy(out, s.p, s.n);
}

static void read_relays(struct mp *r, struct descriptor *out)
{
    out->relays_n = mp_array(r, 1, DESCRIPTOR_RELAYS_MAX);
    for (size_t i = 0; i < out->relays_n; i++) {
        struct descriptor_relay *relay = &out->relays[i];
        struct mp_fields f = mp_fields(r, "ak");
        char key;

        while ((key = mp_fields_next(&f)) != 0)
            switch (key) {
            case 'a':
                read_address(r, relay->address);
                break;
            case 'k':
                mp_bin_copy(r, relay->key_hash, sizeof relay->key_hash);
                break;
            }
        mp_fields_need(&f, "ak");
    }
    mp_leave(r);
}

/* An admin listed twice would count twice. */
static void read_admins(struct mp *r, struct descriptor *out)
{
    out->admins_n = mp_array(r, 1, DESCRIPTOR_ADMINS_MAX);
    for (size_t i = 0; i < out->admins_n; i++) {
        mp_bin_copy(r, out->admins[i], SIGN_PK_BYTES);
        for (size_t j = 0; j < i; j++)
            if (!memcmp(out->admins[i], out->admins[j], SIGN_PK_BYTES))
                mp_fail(r);
    }
    mp_leave(r);
}

static int read_body(struct bytes body, struct descriptor *out)
{
    struct mp r = mp_over(body);
    struct mp_fields f = mp_fields(&r, "vpnamrbsdx");
    char key;

    while ((key = mp_fields_next(&f)) != 0)
        switch (key) {
        case 'v':
            out->version = read_u32(&r, VERSION_FIRST, UINT32_MAX);
            break;
        case 'p':
            mp_bin_copy(&r, out->previous, sizeof out->previous);
            break;
        case 'n':
            read_name(&r, out->name);
            break;
        case 'a':
            read_admins(&r, out);
            break;
        case 'm':
            out->needed = read_u32(&r, 1, DESCRIPTOR_ADMINS_MAX);
            break;
        case 'r':
            read_relays(&r, out);
            break;
        case 'b':
            out->mail_buckets = read_u32(&r, 1, BUCKETS_MAIL_MAX);
            break;
        case 's':
            out->members = read_u32(&r, 1, MEMBERS_MAX);
            break;
        case 'd':
            out->retention_days = read_u32(&r, 1, RETENTION_DAYS_MAX);
            break;
        case 'x':
            out->expires_day = read_u32(&r, 1, DESCRIPTOR_DAY_MAX);
            break;
        }
    mp_fields_need(&f, "vnamrbsdx");
    if (mp_fields_has(&f, 'p') != (out->version > VERSION_FIRST) ||
        out->needed > out->admins_n)
        mp_fail(&r);
    return mp_end(&r);
}

static int read_signed(struct bytes in, struct signed_parts *out)
{
    struct mp r = mp_over(in);

    mp_array(&r, 2, 2);
    out->body = mp_bin(&r, 1, DESCRIPTOR_BYTES_MAX);
    out->sigs_n = mp_array(&r, 1, DESCRIPTOR_SIGNATURES_MAX);
    for (size_t i = 0; i < out->sigs_n; i++)
        out->sigs[i] = mp_bin(&r, SIGN_BYTES, SIGN_BYTES);
    mp_leave(&r);
    mp_leave(&r);
    return mp_end(&r);
}

/* 0, SIGN_E_FORGED when none of the signatures is this admin's, or -ENOMEM. */
static int has_signed(const uint8_t admin[SIGN_PK_BYTES], const struct signed_parts *s)
{
    int rc = SIGN_E_FORGED;

    for (size_t i = 0; i < s->sigs_n && rc == SIGN_E_FORGED; i++)
        rc = sign_check(admin, LABEL("kith1 descriptor"), &s->body, 1, s->sigs[i].p);
    return rc;
}

/* Signatures by others than its own admins are the old admins' and the chain's business.
 */
static int check_signers(const struct descriptor *d, const struct signed_parts *s)
{
    uint32_t count = 0;

    for (size_t i = 0; i < d->admins_n; i++) {
        int rc = has_signed(d->admins[i], s);

        if (rc < 0) /* out of memory is no reason to call anybody a forger */
            return rc;
        count += rc == 0;
    }
    return count < d->needed ? DESCRIPTOR_E_FORGED : 0;
}

int descriptor_read(struct bytes signed_, struct descriptor *out)
{
    struct signed_parts s;
    int rc;

    memset(out, 0, sizeof *out);
    if (signed_.n > DESCRIPTOR_BYTES_MAX || read_signed(signed_, &s) ||
        read_body(s.body, out))
        return DESCRIPTOR_E_MALFORMED;
    if (out->version == VERSION_FIRST &&
        (out->admins_n != 1 || out->needed != 1 || s.sigs_n != 1))
        return DESCRIPTOR_E_MALFORMED;
    rc = check_signers(out, &s);
    if (!rc)
        hash_parts(out->hash, &s.body, 1);
    return rc;
}
