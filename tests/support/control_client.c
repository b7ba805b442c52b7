/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/control_client.h"

#include "daemon/control.h"
#include "proto/invite.h"
#include "proto/mp_write.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int control_open(const char *dir)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int n = snprintf(at.sun_path, sizeof at.sun_path, "%s/" CONTROL_SOCKET_NAME, dir);

    if (fd < 0 || n < 0 || (size_t)n >= sizeof at.sun_path)
        return -EINVAL;
    if (connect(fd, (struct sockaddr *)&at, sizeof at)) {
        int rc = -errno;

        (void)close(fd);
        return rc;
    }
    return fd;
}

static int read_exactly(int fd, uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t got = read(fd, p, n);

        if (got <= 0)
            return -ECONNRESET;
        p += got;
        n -= (size_t)got;
    }
    return 0;
}

int control_ask(int fd, const char *method, struct bytes params, struct buf *answer)
{
    uint8_t head[CONTROL_LENGTH_BYTES];
    struct buf b;
    uint8_t *room;
    int rc;

    buf_init(&b, CONTROL_LENGTH_BYTES + CONTROL_MESSAGE_MAX);
    buf_put_le(&b, 0, CONTROL_LENGTH_BYTES);
    mw_array(&b, 2);
    mw_cstr(&b, method);
    buf_put(&b, params.p, params.n);
    rc = b.rc;
    if (rc == 0) {
        le_put(b.p, b.n - CONTROL_LENGTH_BYTES, CONTROL_LENGTH_BYTES);
        rc = send(fd, b.p, b.n, MSG_NOSIGNAL) == (ssize_t)b.n ? 0 : -ECONNRESET;
    }
    buf_free(&b);
    if (rc == 0)
        rc = read_exactly(fd, head, sizeof head);
    if (rc)
        return rc;
    room = buf_grow(answer, (size_t)le_get(head, sizeof head));
    return room == NULL ? answer->rc : read_exactly(fd, room, answer->n);
}

int control_once(const char *dir, const char *method, const char *key, uint64_t value,
                 struct buf *answer)
{
    uint8_t room[64];
    struct buf params = BUF_OVER(room);
    int fd = control_open(dir);
    int rc;

    if (fd < 0)
        return fd;
    mw_map(&params, key == NULL ? 0 : 1);
    if (key != NULL) {
        mw_cstr(&params, key);
        mw_uint(&params, value);
    }
    buf_init(answer, CONTROL_MESSAGE_MAX);
    rc = control_ask(fd, method, buf_view(&params), answer);
    (void)close(fd);
    return rc;
}

/* The map in the answer: of its error or its result. */
static struct mp map_of(const struct buf *answer, bool *good)
{
    struct mp r = mp_over(buf_view(answer));

    (void)mp_array(&r, 2, 2);
    *good = mp_peek(&r) == MP_NIL;
    if (*good)
        mp_nil(&r);
    return r;
}

bool control_good(const struct buf *answer)
{
    bool good;

    (void)map_of(answer, &good);
    return good;
}

bool control_text(const struct buf *answer, const char *key, char *out, size_t room)
{
    bool unused, found = false;
    struct mp r = map_of(answer, &unused);
    struct mp_map m = mp_map(&r);
    struct bytes k, v;

    while (mp_key(&r, &m, &k)) {
        if (!mp_is(k, key)) {
            mp_skip(&r);
            continue;
        }
        v = mp_str(&r, 0, room - 1);
        if (v.n > 0)
            memcpy(out, v.p, v.n);
        out[v.n] = '\0';
        found = true;
    }
    return found && r.rc == 0;
}

uint64_t control_number(const struct buf *answer, const char *key)
{
    bool unused;
    struct mp r = map_of(answer, &unused);
    struct mp_map m = mp_map(&r);
    uint64_t v = UINT64_MAX;
    struct bytes k;

    while (mp_key(&r, &m, &k))
        if (mp_is(k, key))
            v = mp_uint(&r, 0, UINT64_MAX);
        else
            mp_skip(&r);
    return r.rc ? UINT64_MAX : v;
}

int control_invite(const char *dir, uint8_t secret[INVITE_SECRET_BYTES], uint64_t *number)
{
    char text[INVITE_CHARS_MAX + 1];
    struct invite invite;
    struct buf answer;
    int rc = control_once(dir, "invite", NULL, 0, &answer);

    if (rc)
        return rc;
    if (!control_text(&answer, "invite", text, sizeof text) ||
        invite_parse(text, strlen(text), &invite))
        rc = -EBADMSG;
    else
        memcpy(secret, invite.secret, INVITE_SECRET_BYTES);
    if (number != NULL)
        *number = control_number(&answer, "number");
    buf_free(&answer);
    return rc;
}
