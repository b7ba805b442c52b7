/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/msg.h"

#include "lib/secret.h"
#include "proto/mp_fields.h"
#include "proto/mp_write.h"

#include <errno.h>
#include <string.h>

const struct method_row method_table[METHOD_COUNT] = {
    [METHOD_HELLO] = {"hello", FRAME_REQUEST, true},
    [METHOD_DESCRIPTORS] = {"descriptors", FRAME_REQUEST, true},
    [METHOD_ENROL] = {"enrol", FRAME_REQUEST, true},
    [METHOD_PROVE] = {"prove", FRAME_REQUEST, true},
    [METHOD_POST] = {"post", FRAME_REQUEST, true},
    [METHOD_SUBSCRIBE] = {"subscribe", FRAME_REQUEST, true},
    [METHOD_UNSUBSCRIBE] = {"unsubscribe", FRAME_REQUEST, true},
    [METHOD_CREDIT] = {"credit", FRAME_NOTIFY, true},
    [METHOD_ENVELOPES] = {"envelopes", FRAME_NOTIFY, false},
    [METHOD_GAP] = {"gap", FRAME_NOTIFY, false},
};

enum {
    VERSIONS_OFFERED_MAX = 8,
    VERSION_MAX = 31, /* a bit each in msg_hello.versions */
};

enum method method_find(struct bytes name, enum frame_kind kind, bool from_client)
{
    for (enum method m = 0; m < METHOD_COUNT; m++)
        if (method_table[m].kind == kind && method_table[m].from_client == from_client &&
            mp_is(name, method_table[m].name))
            return m;
    return METHOD_COUNT;
}

/* ---- values with the ranges of SPEC 3.5 ------------------------------------------- */

static uint32_t read_u32(struct mp *r, uint32_t least, uint32_t most)
{
    return (uint32_t)mp_uint(r, least, most);
}

static uint32_t read_bucket(struct mp *r)
{
    return read_u32(r, 0, BUCKET_MAX);
}

static uint64_t read_seq(struct mp *r)
{
    return mp_uint(r, 1, SEQ_MAX);
}

static void put_uint(struct buf *b, const char *key, uint64_t v)
{
    mw_cstr(b, key);
    mw_uint(b, v);
}

static void put_bin(struct buf *b, const char *key, const uint8_t *p, size_t n)
{
    mw_cstr(b, key);
    mw_bin(b, (struct bytes){p, n});
}

static void begin_request(struct buf *b, uint32_t id, enum method m, size_t pairs)
{
    frame_request(b, id, method_table[m].name);
    mw_map(b, pairs);
}

static void begin_result(struct buf *b, uint32_t id, size_t pairs)
{
    frame_result(b, id);
    mw_map(b, pairs);
}

/* ---- hello ------------------------------------------------------------------------ */

static uint32_t read_versions(struct mp *r)
{
    uint32_t set = 0;

    for (size_t n = mp_array(r, 1, VERSIONS_OFFERED_MAX); n > 0; n--) {
        uint32_t bit = (uint32_t)1 << mp_uint(r, 1, VERSION_MAX);

        if (set & bit)
            mp_fail(r);
        set |= bit;
    }
    mp_leave(r);
    return set;
}

int msg_hello_read(struct bytes body, struct msg_hello *out)
{
    struct mp r = mp_over(body);
    struct mp_fields f = mp_fields(&r, "v");

    *out = (struct msg_hello){0};
    while (mp_fields_next(&f))
        out->versions = read_versions(&r);
    mp_fields_need(&f, "v");
    return mp_end(&r);
}

void msg_hello_write(struct buf *b, uint32_t id, const struct msg_hello *m)
{
    size_t count = 0;

    for (unsigned v = 1; v <= VERSION_MAX; v++)
        count += m->versions >> v & 1;
    begin_request(b, id, METHOD_HELLO, 1);
    mw_cstr(b, "v");
    mw_array(b, count);
    for (unsigned v = 1; v <= VERSION_MAX; v++)
        if (m->versions >> v & 1)
            mw_uint(b, v);
}

int msg_hello_result_read(struct bytes body, struct msg_hello_result *out)
{
    struct mp r = mp_over(body);
    struct mp_fields f = mp_fields(&r, "vtd");
    char key;

    *out = (struct msg_hello_result){0};
    while ((key = mp_fields_next(&f)) != 0)
        switch (key) {
        case 'v':
            out->version = read_u32(&r, 1, VERSION_MAX);
            break;
        case 't':
            out->clock_s = mp_uint(&r, 0, CLOCK_S_MAX);
            break;
        case 'd':
            out->descriptor = read_u32(&r, 1, UINT32_MAX);
            break;
        }
    mp_fields_need(&f, "vtd");
    return mp_end(&r);
}

void msg_hello_result_write(struct buf *b, uint32_t id, const struct msg_hello_result *m)
{
    begin_result(b, id, 3);
    put_uint(b, "v", m->version);
    put_uint(b, "t", m->clock_s);
    put_uint(b, "d", m->descriptor);
}

/* ---- descriptors ------------------------------------------------------------------ */

int msg_descriptors_read(struct bytes body, struct msg_descriptors *out)
{
    struct mp r = mp_over(body);
    struct mp_fields f = mp_fields(&r, "f");

    *out = (struct msg_descriptors){0};
    while (mp_fields_next(&f))
        out->from = read_u32(&r, 1, UINT32_MAX);
    mp_fields_need(&f, "f");
    return mp_end(&r);
}

void msg_descriptors_write(struct buf *b, uint32_t id, const struct msg_descriptors *m)
{
    begin_request(b, id, METHOD_DESCRIPTORS, 1);
    put_uint(b, "f", m->from);
}

int msg_descriptors_result_read(struct bytes body, struct msg_descriptors_result *out)
{
    struct mp r = mp_over(body);
    struct mp_fields f = mp_fields(&r, "d");

    *out = (struct msg_descriptors_result){0};
    while (mp_fields_next(&f)) {
        out->count = mp_array(&r, 0, DESCRIPTORS_PER_ANSWER_MAX);
        for (size_t i = 0; i < out->count; i++)
            out->signed_[i] = mp_bin(&r, 1, DESCRIPTOR_BYTES_MAX);
        mp_leave(&r);
    }
    mp_fields_need(&f, "d");
    return mp_end(&r);
}

void msg_descriptors_result_write(struct buf *b, uint32_t id,
                                  const struct msg_descriptors_result *m)
{
    begin_result(b, id, 1);
    mw_cstr(b, "d");
    mw_array(b, m->count);
    for (size_t i = 0; i < m->count; i++)
        mw_bin(b, m->signed_[i]);
}

/* ---- enrol, prove ----------------------------------------------------------------- */

int msg_enrol_read(struct bytes body, struct msg_enrol *out)
{
    struct mp r = mp_over(body);
    struct mp_fields f = mp_fields(&r, "iks");
    char key;

    *out = (struct msg_enrol){0};
    while ((key = mp_fields_next(&f)) != 0)
        switch (key) {
        case 'i':
            mp_bin_copy(&r, out->secret, sizeof out->secret);
            break;
        case 'k':
            mp_bin_copy(&r, out->key, sizeof out->key);
            break;
        case 's':
            mp_bin_copy(&r, out->sig, sizeof out->sig);
            break;
        }
    mp_fields_need(&f, "iks");
    return mp_end(&r);
}

void msg_enrol_write(struct buf *b, uint32_t id, const struct msg_enrol *m)
{
    begin_request(b, id, METHOD_ENROL, 3);
    put_bin(b, "i", m->secret, sizeof m->secret);
    put_bin(b, "k", m->key, sizeof m->key);
    put_bin(b, "s", m->sig, sizeof m->sig);
}

int msg_prove_read(struct bytes body, struct msg_prove *out)
{
    struct mp r = mp_over(body);
    struct mp_fields f = mp_fields(&r, "ks");
    char key;

    *out = (struct msg_prove){0};
    while ((key = mp_fields_next(&f)) != 0)
        switch (key) {
        case 'k':
            mp_bin_copy(&r, out->key, sizeof out->key);
            break;
        case 's':
            mp_bin_copy(&r, out->sig, sizeof out->sig);
            break;
        }
    mp_fields_need(&f, "ks");
    return mp_end(&r);
}

void msg_prove_write(struct buf *b, uint32_t id, const struct msg_prove *m)
{
    begin_request(b, id, METHOD_PROVE, 2);
    put_bin(b, "k", m->key, sizeof m->key);
    put_bin(b, "s", m->sig, sizeof m->sig);
}

int msg_enrol_sign(struct msg_enrol *m, const uint8_t sk[SIGN_SK_BYTES],
                   const uint8_t cohort[32], const uint8_t h[64])
{
    const struct bytes parts[] = {{cohort, 32}, {h, 64}, BYTES(m->secret)};

    return sign_parts(sk, LABEL("kith1 enrol"), parts, 3, m->sig);
}

int msg_enrol_check(const struct msg_enrol *m, const uint8_t cohort[32],
                    const uint8_t h[64])
{
    const struct bytes parts[] = {{cohort, 32}, {h, 64}, BYTES(m->secret)};

    return sign_check(m->key, LABEL("kith1 enrol"), parts, 3, m->sig);
}

int msg_prove_sign(struct msg_prove *m, const uint8_t sk[SIGN_SK_BYTES],
                   const uint8_t cohort[32], const uint8_t h[64])
{
    const struct bytes parts[] = {{cohort, 32}, {h, 64}};

    return sign_parts(sk, LABEL("kith1 prove"), parts, 2, m->sig);
}

int msg_prove_check(const struct msg_prove *m, const uint8_t cohort[32],
                    const uint8_t h[64])
{
    const struct bytes parts[] = {{cohort, 32}, {h, 64}};

    return sign_check(m->key, LABEL("kith1 prove"), parts, 2, m->sig);
}

/* ---- post ------------------------------------------------------------------------- */

int msg_post_read(struct bytes body, struct msg_post *out)
{
    struct mp r = mp_over(body);
    struct mp_fields f = mp_fields(&r, "be");
    char key;

    *out = (struct msg_post){0};
    while ((key = mp_fields_next(&f)) != 0)
        switch (key) {
        case 'b':
            out->bucket = read_bucket(&r);
            break;
        case 'e':
            out->envelope = mp_bin(&r, ENVELOPE_BYTES, ENVELOPE_BYTES);
            break;
        }
    mp_fields_need(&f, "be");
    return mp_end(&r);
}

void msg_post_write(struct buf *b, uint32_t id, const struct msg_post *m)
{
    begin_request(b, id, METHOD_POST, 2);
    put_uint(b, "b", m->bucket);
    put_bin(b, "e", m->envelope.p, m->envelope.n);
}

int msg_post_result_read(struct bytes body, struct msg_post_result *out)
{
    struct mp r = mp_over(body);
    struct mp_fields f = mp_fields(&r, "sh");
    char key;

    *out = (struct msg_post_result){0};
    while ((key = mp_fields_next(&f)) != 0)
        switch (key) {
        case 's':
            out->seq = read_seq(&r);
            break;
        case 'h':
            mp_bin_copy(&r, out->head, sizeof out->head);
            break;
        }
    mp_fields_need(&f, "sh");
    return mp_end(&r);
}

void msg_post_result_write(struct buf *b, uint32_t id, const struct msg_post_result *m)
{
    begin_result(b, id, 2);
    put_uint(b, "s", m->seq);
    put_bin(b, "h", m->head, sizeof m->head);
}

/* ---- subscribe, unsubscribe, credit ----------------------------------------------- */

int msg_subscribe_read(struct bytes body, struct msg_subscribe *out)
{
    struct mp r = mp_over(body);
    struct mp_fields f = mp_fields(&r, "bfc");
    char key;

    *out = (struct msg_subscribe){0};
    while ((key = mp_fields_next(&f)) != 0)
        switch (key) {
        case 'b':
            out->bucket = read_bucket(&r);
            break;
        case 'f':
            out->from = read_seq(&r);
            break;
        case 'c':
            out->credit = read_u32(&r, 0, CREDIT_MAX);
            break;
        }
    out->from_head = !mp_fields_has(&f, 'f');
    mp_fields_need(&f, "bc");
    return mp_end(&r);
}

void msg_subscribe_write(struct buf *b, uint32_t id, const struct msg_subscribe *m)
{
    begin_request(b, id, METHOD_SUBSCRIBE, m->from_head ? 2 : 3);
    put_uint(b, "b", m->bucket);
    if (!m->from_head)
        put_uint(b, "f", m->from);
    put_uint(b, "c", m->credit);
}

int msg_subscribe_result_read(struct bytes body, struct msg_subscribe_result *out)
{
    struct mp r = mp_over(body);
    struct mp_fields f = mp_fields(&r, "fhno");
    char key;

    *out = (struct msg_subscribe_result){0};
    while ((key = mp_fields_next(&f)) != 0)
        switch (key) {
        case 'f':
            out->first = read_seq(&r);
            break;
        case 'h':
            mp_bin_copy(&r, out->head, sizeof out->head);
            break;
        case 'n':
            out->next = read_seq(&r);
            break;
        case 'o':
            out->oldest = read_seq(&r);
            break;
        }
    mp_fields_need(&f, "fhno");
    return mp_end(&r);
}

void msg_subscribe_result_write(struct buf *b, uint32_t id,
                                const struct msg_subscribe_result *m)
{
    begin_result(b, id, 4);
    put_uint(b, "f", m->first);
    put_bin(b, "h", m->head, sizeof m->head);
    put_uint(b, "n", m->next);
    put_uint(b, "o", m->oldest);
}

int msg_unsubscribe_read(struct bytes body, struct msg_unsubscribe *out)
{
    struct mp r = mp_over(body);
    struct mp_fields f = mp_fields(&r, "b");

    *out = (struct msg_unsubscribe){0};
    while (mp_fields_next(&f))
        out->bucket = read_bucket(&r);
    mp_fields_need(&f, "b");
    return mp_end(&r);
}

void msg_unsubscribe_write(struct buf *b, uint32_t id, const struct msg_unsubscribe *m)
{
    begin_request(b, id, METHOD_UNSUBSCRIBE, 1);
    put_uint(b, "b", m->bucket);
}

int msg_credit_read(struct bytes body, struct msg_credit *out)
{
    struct mp r = mp_over(body);
    struct mp_fields f = mp_fields(&r, "bc");
    char key;

    *out = (struct msg_credit){0};
    while ((key = mp_fields_next(&f)) != 0)
        switch (key) {
        case 'b':
            out->bucket = read_bucket(&r);
            break;
        case 'c':
            out->credit = read_u32(&r, 1, CREDIT_MAX);
            break;
        }
    mp_fields_need(&f, "bc");
    return mp_end(&r);
}

void msg_credit_write(struct buf *b, const struct msg_credit *m)
{
    frame_notify(b, method_table[METHOD_CREDIT].name);
    mw_map(b, 2);
    put_uint(b, "b", m->bucket);
    put_uint(b, "c", m->credit);
}

/* ---- envelopes, gap --------------------------------------------------------------- */

int msg_envelopes_read(struct bytes body, struct msg_envelopes *out)
{
    struct mp r = mp_over(body);

    *out = (struct msg_envelopes){0};
    mp_array(&r, 4, 4);
    out->bucket = read_bucket(&r);
    out->first = read_seq(&r);
    mp_bin_copy(&r, out->head, sizeof out->head);
    out->envelopes = mp_bin(&r, ENVELOPE_BYTES,
                            ENVELOPES_PER_RECORD_MAX * ENVELOPE_BYTES);
    if (out->envelopes.n % ENVELOPE_BYTES)
        mp_fail(&r);
    mp_leave(&r);
    return mp_end(&r);
}

void msg_envelopes_write(struct buf *b, const struct msg_envelopes *m)
{
    frame_notify(b, method_table[METHOD_ENVELOPES].name);
    mw_array(b, 4);
    mw_uint(b, m->bucket);
    mw_uint(b, m->first);
    mw_bin(b, BYTES(m->head));
    mw_bin(b, m->envelopes);
}

int msg_gap_read(struct bytes body, struct msg_gap *out)
{
    struct mp r = mp_over(body);
    struct mp_fields f = mp_fields(&r, "bfh");
    char key;

    *out = (struct msg_gap){0};
    while ((key = mp_fields_next(&f)) != 0)
        switch (key) {
        case 'b':
            out->bucket = read_bucket(&r);
            break;
        case 'f':
            out->first = read_seq(&r);
            break;
        case 'h':
            mp_bin_copy(&r, out->head, sizeof out->head);
            break;
        }
    mp_fields_need(&f, "bfh");
    return mp_end(&r);
}

void msg_gap_write(struct buf *b, const struct msg_gap *m)
{
    frame_notify(b, method_table[METHOD_GAP].name);
    mw_map(b, 3);
    put_uint(b, "b", m->bucket);
    put_uint(b, "f", m->first);
    put_bin(b, "h", m->head, sizeof m->head);
}

/* ---- answers without content ------------------------------------------------------ */

int msg_nil_read(struct bytes body)
{
    struct mp r = mp_over(body);

    mp_nil(&r);
    return mp_end(&r);
}

void msg_nil_write(struct buf *b, uint32_t id)
{
    frame_result(b, id);
    mw_nil(b);
}
