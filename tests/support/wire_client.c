/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/wire_client.h"

#include "lib/secret.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- bytes ------------------------------------------------------------------------ */

int wire_connect(struct wire *w, uint16_t port, const char *from)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in local = {.sin_family = AF_INET};
    int one = 1;

    memset(w, 0, sizeof *w);
    w->timeout_ms = WIRE_TIMEOUT_MS;
    w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (w->fd < 0)
        return -errno;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (from != NULL && (inet_pton(AF_INET, from, &local.sin_addr) != 1 ||
                         bind(w->fd, (struct sockaddr *)&local, sizeof local)))
        return -errno;
    (void)setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return connect(w->fd, (struct sockaddr *)&to, sizeof to) ? -errno : 0;
}

void wire_close(struct wire *w)
{
    if (w->fd >= 0)
        (void)close(w->fd);
    w->fd = -1;
    channel_wipe(&w->channel);
}

int wire_write(struct wire *w, const void *p, size_t n)
{
    const uint8_t *at = p;

    while (n > 0) {
        ssize_t sent = send(w->fd, at, n, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EPIPE || errno == ECONNRESET ? -ECONNRESET : -errno;
        at += sent;
        n -= (size_t)sent;
    }
    return 0;
}

static ssize_t read_some(struct wire *w, void *p, size_t n)
{
    struct pollfd ready = {.fd = w->fd, .events = POLLIN};
    ssize_t got;
    int rc = poll(&ready, 1, w->timeout_ms);

    if (rc == 0)
        return -ETIMEDOUT;
    if (rc < 0)
        return -errno;
    got = recv(w->fd, p, n, 0);
    return got <= 0 ? -ECONNRESET : got;
}

int wire_read(struct wire *w, void *p, size_t n)
{
    uint8_t *at = p;

    while (n > 0) {
        ssize_t got = read_some(w, at, n);

        if (got < 0)
            return (int)got;
        at += got;
        n -= (size_t)got;
    }
    return 0;
}

int wire_await_close(struct wire *w)
{
    uint8_t sink[4096];
    ssize_t got;

    do {
        got = read_some(w, sink, sizeof sink);
    } while (got > 0);
    return got == -ECONNRESET ? 0 : (int)got;
}

/* ---- channel ---------------------------------------------------------------------- */

int wire_ask(struct wire *w, const uint8_t fingerprint[CHANNEL_FINGERPRINT_BYTES],
             uint8_t pk[KEM_PK_BYTES], uint8_t cohort[CHANNEL_COHORT_BYTES])
{
    uint8_t ask[1 + CHANNEL_FINGERPRINT_BYTES] = {CHANNEL_PREAMBLE_ASK};
    int rc;

    memcpy(ask + 1, fingerprint, CHANNEL_FINGERPRINT_BYTES);
    rc = wire_write(w, ask, sizeof ask);
    if (rc == 0)
        rc = wire_read(w, pk, KEM_PK_BYTES);
    if (rc == 0)
        rc = wire_read(w, cohort, CHANNEL_COHORT_BYTES);
    return rc;
}

int wire_handshake_send(struct wire *w, const uint8_t pk[KEM_PK_BYTES])
{
    uint8_t out[1 + CHANNEL_MSG1_BYTES] = {CHANNEL_PREAMBLE_GO};
    int rc = channel_client_start(&w->channel, pk, w->es, out + 1);

    return rc ? err_fold(rc) : wire_write(w, out, sizeof out);
}

int wire_handshake_finish(struct wire *w)
{
    uint8_t msg2[CHANNEL_MSG2_BYTES];
    int rc = wire_read(w, msg2, sizeof msg2);

    return rc ? rc : err_fold(channel_client_finish(&w->channel, w->es, msg2));
}

int wire_handshake(struct wire *w, const uint8_t pk[KEM_PK_BYTES])
{
    int rc = wire_handshake_send(w, pk);

    return rc ? rc : wire_handshake_finish(w);
}

int wire_send(struct wire *w, struct bytes frames)
{
    uint8_t record[CHANNEL_RECORD_BYTES];
    int rc;

    if (frames.n > FRAME_CLIENT_MAX_BYTES)
        return -EMSGSIZE;
    if (frames.n > 0)
        memcpy(record + CHANNEL_FRAMES_AT, frames.p, frames.n);
    rc = channel_seal(&w->channel, record, frames.n);
    return rc ? rc : wire_write(w, record, sizeof record);
}

static int next_record(struct wire *w)
{
    size_t size;
    int rc = wire_read(w, w->record, 2);

    if (rc == 0)
        rc = channel_record_size(&w->channel, (struct bytes){w->record, 2}, &size);
    if (rc > 0)
        return -EBADMSG;
    if (rc == 0)
        rc = wire_read(w, w->record + 2, size - 2);
    if (rc == 0)
        rc = channel_open(&w->channel, w->record, size, &w->frames);
    return rc > 0 ? -EBADMSG : rc;
}

int wire_next(struct wire *w, struct frame *f)
{
    while (w->frames.n == 0) {
        int rc = next_record(w);

        if (rc)
            return rc;
    }
    return frame_next(&w->frames, f) ? -EBADMSG : 0;
}

int wire_call(struct wire *w, struct buf *request, uint32_t id, struct frame *answer)
{
    int rc = request->rc;

    if (rc == 0)
        rc = wire_send(w, buf_view(request));
    do {
        if (rc == 0)
            rc = wire_next(w, answer);
    } while (rc == 0 && (answer->kind != FRAME_RESPONSE || answer->id != id));
    return rc ? rc : (int)answer->code;
}

/* ---- methods ---------------------------------------------------------------------- */

static struct buf request_buf(uint8_t *room)
{
    return (struct buf){room, 0,    FRAME_CLIENT_MAX_BYTES, FRAME_CLIENT_MAX_BYTES,
                        0,    false};
}

int wire_hello(struct wire *w, struct msg_hello_result *out)
{
    const struct msg_hello m = {.versions = 1u << VERSION_ONE};
    struct msg_hello_result unused;
    uint8_t room[FRAME_CLIENT_MAX_BYTES];
    struct buf b = request_buf(room);
    struct frame answer;
    int rc;

    msg_hello_write(&b, w->next_id, &m);
    rc = wire_call(w, &b, w->next_id++, &answer);
    if (rc == 0 && msg_hello_result_read(answer.body, out == NULL ? &unused : out))
        rc = -EBADMSG;
    return rc;
}

int wire_enrol(struct wire *w, const uint8_t secret[INVITE_SECRET_BYTES],
               const uint8_t sk[SIGN_SK_BYTES], const uint8_t cohort[32])
{
    struct msg_enrol m;
    uint8_t room[FRAME_CLIENT_MAX_BYTES];
    struct buf b = request_buf(room);
    struct frame answer;
    int rc;

    memcpy(m.secret, secret, sizeof m.secret);
    memcpy(m.key, sk + SIGN_SK_BYTES - SIGN_PK_BYTES, sizeof m.key);
    rc = msg_enrol_sign(&m, sk, cohort, w->channel.h);
    if (rc)
        return rc;
    msg_enrol_write(&b, w->next_id, &m);
    rc = wire_call(w, &b, w->next_id++, &answer);
    return rc == 0 && msg_nil_read(answer.body) ? -EBADMSG : rc;
}

int wire_prove(struct wire *w, const uint8_t sk[SIGN_SK_BYTES], const uint8_t cohort[32])
{
    struct msg_prove m;
    uint8_t room[FRAME_CLIENT_MAX_BYTES];
    struct buf b = request_buf(room);
    struct frame answer;
    int rc;

    memcpy(m.key, sk + SIGN_SK_BYTES - SIGN_PK_BYTES, sizeof m.key);
    rc = msg_prove_sign(&m, sk, cohort, w->channel.h);
    if (rc)
        return rc;
    msg_prove_write(&b, w->next_id, &m);
    rc = wire_call(w, &b, w->next_id++, &answer);
    return rc == 0 && msg_nil_read(answer.body) ? -EBADMSG : rc;
}

int wire_post_send(struct wire *w, uint32_t bucket,
                   const uint8_t envelope[ENVELOPE_BYTES], uint32_t *id)
{
    const struct msg_post m = {bucket, {envelope, ENVELOPE_BYTES}};
    uint8_t room[FRAME_CLIENT_MAX_BYTES];
    struct buf b = request_buf(room);

    *id = w->next_id++;
    msg_post_write(&b, *id, &m);
    return b.rc ? b.rc : wire_send(w, buf_view(&b));
}

int wire_post(struct wire *w, uint32_t bucket, const uint8_t envelope[ENVELOPE_BYTES],
              struct msg_post_result *out)
{
    struct msg_post_result unused;
    struct frame answer;
    uint32_t id;
    int rc = wire_post_send(w, bucket, envelope, &id);

    do {
        if (rc == 0)
            rc = wire_next(w, &answer);
    } while (rc == 0 && (answer.kind != FRAME_RESPONSE || answer.id != id));
    if (rc == 0 && answer.code != CODE_OK)
        return (int)answer.code;
    if (rc == 0 && msg_post_result_read(answer.body, out == NULL ? &unused : out))
        rc = -EBADMSG;
    return rc;
}

int wire_subscribe(struct wire *w, uint32_t bucket, uint64_t from, uint32_t credit,
                   struct msg_subscribe_result *out)
{
    const struct msg_subscribe m = {bucket, from == 0, from, credit};
    struct msg_subscribe_result unused;
    uint8_t room[FRAME_CLIENT_MAX_BYTES];
    struct buf b = request_buf(room);
    struct frame answer;
    int rc;

    msg_subscribe_write(&b, w->next_id, &m);
    rc = wire_call(w, &b, w->next_id++, &answer);
    if (rc == 0 && msg_subscribe_result_read(answer.body, out == NULL ? &unused : out))
        rc = -EBADMSG;
    return rc;
}

int wire_credit(struct wire *w, uint32_t bucket, uint32_t credit)
{
    const struct msg_credit m = {bucket, credit};
    uint8_t room[FRAME_CLIENT_MAX_BYTES];
    struct buf b = request_buf(room);

    msg_credit_write(&b, &m);
    return b.rc ? b.rc : wire_send(w, buf_view(&b));
}

int wire_envelopes(struct wire *w, struct msg_envelopes *out, struct msg_gap *gap,
                   bool *is_gap)
{
    struct frame f;
    int rc;

    do {
        rc = wire_next(w, &f);
    } while (rc == 0 && f.kind != FRAME_NOTIFY);
    if (rc)
        return rc;
    *is_gap = mp_is(f.method, "gap");
    if (*is_gap)
        return msg_gap_read(f.body, gap) ? -EBADMSG : 0;
    return msg_envelopes_read(f.body, out) ? -EBADMSG : 0;
}

int wire_member(struct wire *w, uint16_t port, const uint8_t pk[KEM_PK_BYTES],
                const uint8_t sk[SIGN_SK_BYTES], const uint8_t cohort[32])
{
    int rc = wire_connect(w, port, NULL);

    if (rc == 0)
        rc = wire_handshake(w, pk);
    if (rc == 0)
        rc = wire_hello(w, NULL);
    if (rc == 0)
        rc = wire_prove(w, sk, cohort);
    return rc;
}
