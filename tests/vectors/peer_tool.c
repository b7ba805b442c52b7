/* SPDX-License-Identifier: Apache-2.0 */
/* kith-peer: one side of a channel and of a conversation, by kith's own code, for the
 * second implementation to talk to.  JSON objects in, one a line, each answered by one;
 * bytes are hex.
 * {"error":"..."} for what kith refuses; anything else that is wrong ends it with
 * status 1.
 *
 *   relay      relay_seed message_1   -> message_2 hash       this side is the relay
 *   client     relay_pk               -> message_1            this side is the client
 *   finish     message_2              -> hash
 *   record     frames                 -> record               of the channel made before
 *   records    count (le64)           -> record               so many without frames: the
 * last unrecord   record                 -> frames offer      payload                ->
 * secret offer         this side is the inviter accept     cohort take            ->
 * payload take       secret cohort offer payload -> take payload    this side is the
 * taker seal       payload                -> turn n envelope      of the conversation
 *   open       envelope               -> turn n payload
 *   reload                            -> bytes                saved, forgotten, loaded
 *   secrets                           -> reset th_2? */
#include "client/core/contact.h"
#include "client/core/ratchet.h"
#include "lib/secret.h"
#include "lib/text.h"
#include "proto/channel.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_MAX = 80 * 1024, MINUTE = 31000000 };

static struct channel channel;
static uint8_t es[KEM_SK_BYTES];
static struct contact_offer offer;
static struct ratchet *ratchet;

static json_t *ask, *answer;

static void must(bool good, const char *what)
{
    if (good)
        return;
    (void)fprintf(stderr, "kith-peer: %s\n", what);
    exit(1);
}

static size_t get_some(const char *key, uint8_t *out, size_t most)
{
    const char *hex = json_string_value(json_object_get(ask, key));
    size_t n;

    must(hex != NULL, key);
    n = strlen(hex) / 2;
    must(n <= most && hex_decode(hex, 2 * n, out, n) == 0 && strlen(hex) == 2 * n, key);
    return n;
}

static void get(const char *key, uint8_t *out, size_t n)
{
    must(get_some(key, out, n) == n, key);
}

static void put(const char *key, const uint8_t *p, size_t n)
{
    static char hex[2 * BYTES_MAX + 1];

    must(n <= BYTES_MAX, key);
    hex_encode((struct bytes){p, n}, hex);
    (void)json_object_set_new(answer, key, json_string(hex));
}

static void put_number(const char *key, uint32_t n)
{
    (void)json_object_set_new(answer, key, json_integer((json_int_t)n));
}

static void refuse(const char *why)
{
    (void)json_object_clear(answer);
    (void)json_object_set_new(answer, "error", json_string(why));
}

/* True for 0; a condition is answered, an errno is a failure of the tool. */
static bool done(int rc)
{
    must(rc >= 0, "a call failed");
    if (rc)
        refuse("refused");
    return rc == 0;
}

/* ---- channel ---------------------------------------------------------------------- */

static void op_relay(void)
{
    uint8_t seed[KEM_SK_BYTES], pk[KEM_PK_BYTES], sk[KEM_SK_BYTES];
    uint8_t msg1[CHANNEL_MSG1_BYTES], msg2[CHANNEL_MSG2_BYTES];

    get("relay_seed", seed, sizeof seed);
    get("message_1", msg1, sizeof msg1);
    must(kem_keypair_from(seed, pk, sk) == 0, "keypair");
    if (!done(channel_relay_answer(&channel, pk, sk, msg1, msg2)))
        return;
    put("message_2", msg2, sizeof msg2);
    put("hash", channel.h, sizeof channel.h);
}

static void op_client(void)
{
    uint8_t pk[KEM_PK_BYTES], msg1[CHANNEL_MSG1_BYTES];

    get("relay_pk", pk, sizeof pk);
    if (done(channel_client_start(&channel, pk, es, msg1)))
        put("message_1", msg1, sizeof msg1);
}

static void op_finish(void)
{
    uint8_t msg2[CHANNEL_MSG2_BYTES];

    get("message_2", msg2, sizeof msg2);
    if (done(channel_client_finish(&channel, es, msg2)))
        put("hash", channel.h, sizeof channel.h);
}

static void op_record(void)
{
    static uint8_t record[CHANNEL_RECORD_MAX_BYTES];
    size_t used = get_some("frames", record + CHANNEL_FRAMES_AT, FRAME_RELAY_MAX_BYTES);

    must(channel_seal(&channel, record, used) == 0, "seal");
    put("record", record, channel_record_bytes(channel.relay, used));
}

static void op_records(void)
{
    static uint8_t record[CHANNEL_RECORD_MAX_BYTES];
    uint8_t count[8];

    get("count", count, sizeof count);
    for (uint64_t i = le_get(count, sizeof count); i > 0; i--)
        must(channel_seal(&channel, record, 0) == 0, "seal");
    put("record", record, channel_record_bytes(channel.relay, 0));
}

static void op_unrecord(void)
{
    static uint8_t record[CHANNEL_RECORD_MAX_BYTES];
    size_t n = get_some("record", record, sizeof record);
    struct bytes frames;

    if (done(channel_open(&channel, record, n, &frames)))
        put("frames", frames.p, frames.n);
}

/* ---- conversation ----------------------------------------------------------------- */

static void op_offer(void)
{
    uint8_t payload[PAYLOAD_BYTES_MAX], envelope[ENVELOPE_BYTES];
    size_t n = get_some("payload", payload, sizeof payload);

    must(contact_offer_new(&offer) == 0, "offer");
    must(contact_offer_seal(&offer, (struct bytes){payload, n}, envelope) == 0, "offer");
    put("secret", offer.secret, sizeof offer.secret);
    put("offer", envelope, sizeof envelope);
}

static void op_accept(void)
{
    uint8_t cohort[32], envelope[ENVELOPE_BYTES], payload[PAYLOAD_BYTES_MAX];
    size_t n;

    get("cohort", cohort, sizeof cohort);
    get("take", envelope, sizeof envelope);
    ratchet_free(ratchet);
    ratchet = NULL;
    if (done(contact_accept(&offer, cohort, envelope, MINUTE, payload, &n, &ratchet)))
        put("payload", payload, n);
}

static void op_take(void)
{
    uint8_t secret[32], cohort[32], envelope[ENVELOPE_BYTES], pk[KEM_PK_BYTES];
    uint8_t payload[PAYLOAD_BYTES_MAX], offered[PAYLOAD_BYTES_MAX];
    size_t n = get_some("payload", payload, sizeof payload), offered_n;

    get("secret", secret, sizeof secret);
    get("cohort", cohort, sizeof cohort);
    get("offer", envelope, sizeof envelope);
    if (!done(contact_offer_open(secret, envelope, pk, offered, &offered_n)))
        return;
    ratchet_free(ratchet);
    ratchet = NULL;
    if (!done(contact_take_start(secret, cohort, pk, &ratchet)) ||
        !done(contact_take_seal(ratchet, secret, (struct bytes){payload, n}, envelope)))
        return;
    ratchet_take_posted(ratchet);
    put("take", envelope, sizeof envelope);
    put("payload", offered, offered_n);
}

static void op_seal(void)
{
    uint8_t payload[PAYLOAD_BYTES_MAX], envelope[ENVELOPE_BYTES];
    size_t n = get_some("payload", payload, sizeof payload);
    struct ratchet_sent sent;

    if (!done(ratchet_seal(ratchet, (struct bytes){payload, n}, envelope, &sent)))
        return;
    put("envelope", envelope, sizeof envelope);
    put_number("turn", sent.turn);
    put_number("n", sent.n);
}

struct look_up {
    const uint8_t *envelope;
    uint32_t turn, n;
};

static int look(const uint8_t tag[ENVELOPE_TAG_BYTES], uint32_t turn, uint32_t n,
                void *arg)
{
    struct look_up *l = arg;

    if (memcmp(tag, l->envelope, ENVELOPE_TAG_BYTES) != 0)
        return 0;
    l->turn = turn;
    l->n = n;
    return 1;
}

static void op_open(void)
{
    uint8_t envelope[ENVELOPE_BYTES], payload[PAYLOAD_BYTES_MAX];
    struct look_up l = {envelope, 0, 0};
    struct ratchet_opened opened;
    size_t n;

    get("envelope", envelope, sizeof envelope);
    if (!ratchet_tags(ratchet, 0, look, &l)) {
        refuse("no tag");
        return;
    }
    if (!done(ratchet_open(ratchet, envelope, l.turn, l.n, MINUTE, payload, &n, &opened)))
        return;
    put("payload", payload, n);
    put_number("turn", opened.turn);
    put_number("n", opened.n);
}

static void op_reload(void)
{
    struct buf b;

    buf_init(&b, RATCHET_BLOB_BYTES_MAX);
    ratchet_save(ratchet, &b);
    must(b.rc == 0, "save");
    ratchet_free(ratchet);
    ratchet = NULL;
    must(ratchet_load(buf_view(&b), &ratchet) == 0, "load");
    put_number("bytes", (uint32_t)b.n);
    buf_free(&b);
}

static void op_secrets(void)
{
    uint8_t reset[RATCHET_KEY_BYTES], th_2[HASH_BYTES];

    ratchet_reset_secret(ratchet, reset);
    put("reset", reset, sizeof reset);
    if (ratchet_verify_input(ratchet, th_2) == 0)
        put("th_2", th_2, sizeof th_2);
}

static const struct {
    const char *name;
    void (*run)(void);
    bool conversation;
} ops[] = {
    {"relay", op_relay, false},     {"client", op_client, false},
    {"finish", op_finish, false},   {"record", op_record, false},
    {"records", op_records, false}, {"unrecord", op_unrecord, false},
    {"offer", op_offer, false},     {"accept", op_accept, false},
    {"take", op_take, false},       {"seal", op_seal, true},
    {"open", op_open, true},        {"reload", op_reload, true},
    {"secrets", op_secrets, true},
};

static void run(const char *name)
{
    must(name != NULL, "no op");
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (strcmp(ops[i].name, name) != 0)
            continue;
        must(!ops[i].conversation || ratchet, "no conversation yet");
        ops[i].run();
        return;
    }
    must(false, name);
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;

    must(secret_start() == 0, "libsodium");
    while (getline(&line, &room, stdin) > 0) {
        ask = json_loads(line, 0, NULL);
        answer = json_object();
        must(ask && answer, "not JSON");
        run(json_string_value(json_object_get(ask, "op")));
        must(json_dumpf(answer, stdout, JSON_COMPACT) == 0, "output");
        must(putchar('\n') != EOF && fflush(stdout) == 0, "output");
        json_decref(ask);
        json_decref(answer);
    }
    free(line);
    ratchet_free(ratchet);
    return 0;
}
