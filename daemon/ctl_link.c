/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl_link.h"

#include "daemon/control.h"
#include "daemon/ctl_say.h"
#include "daemon/ctl_words.h"
#include "lib/file.h"
#include "lib/seam.h"
#include "proto/mp_write.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

int ctl_path(const struct ctl *c, const char *name, char out[CONFIG_PATH_BYTES])
{
    int n = snprintf(out, CONFIG_PATH_BYTES, "%s/%s", c->dir, name);

    return n < 0 || n >= CONFIG_PATH_BYTES ? -ENAMETOOLONG : 0;
}

static int link_open(const struct ctl *c, int *out)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval wait = {.tv_sec = (time_t)c->timeout_s};
    int fd;
    int rc = seam_check(SEAM_SOCKET);

    if (rc)
        return rc;
    if (snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", c->dir,
                 CONTROL_SOCKET_NAME) >= (int)sizeof address.sun_path)
        return -ENAMETOOLONG;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait)) {
        rc = -errno;
    } else if (connect(fd, (struct sockaddr *)&address, sizeof address)) {
        if (errno == ENOENT || errno == ECONNREFUSED)
            rc = CTL_LINK_E_ABSENT;
        else
            rc = errno == EACCES || errno == EPERM ? CTL_LINK_E_FORBIDDEN : -errno;
    }
    if (rc) {
        (void)close(fd);
        return rc;
    }
    *out = fd;
    return 0;
}

static int link_read(int fd, uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t got = read(fd, p, n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return CTL_LINK_E_SILENT;
        if (got <= 0)
            return CTL_LINK_E_CLOSED;
        p += got;
        n -= (size_t)got;
    }
    return 0;
}

static int link_send(int fd, const char *method, struct bytes params)
{
    struct buf request;
    uint8_t *length;
    int rc;

    buf_init(&request, CONTROL_MESSAGE_MAX + CONTROL_LENGTH_BYTES);
    length = buf_grow(&request, CONTROL_LENGTH_BYTES);
    mw_array(&request, 2);
    mw_cstr(&request, method);
    if (params.n > 0)
        buf_put(&request, params.p, params.n);
    else
        mw_map(&request, 0);
    rc = length == NULL ? -ENOMEM : request.rc;
    if (rc == 0) {
        le_put(request.p, request.n - CONTROL_LENGTH_BYTES, CONTROL_LENGTH_BYTES);
        rc = file_write_all(fd, request.p, request.n);
        if (rc == -EPIPE || rc == -ECONNRESET)
            rc = CTL_LINK_E_CLOSED; /* not our user: kithd closes without a word */
    }
    buf_free(&request);
    return rc;
}

static int link_receive(int fd, struct buf *raw)
{
    uint8_t length[CONTROL_LENGTH_BYTES];
    uint8_t *body;
    uint64_t n;
    int rc = link_read(fd, length, sizeof length);

    if (rc)
        return rc;
    n = le_get(length, sizeof length);
    if (n < 1 || n > CONTROL_MESSAGE_MAX)
        return CTL_LINK_E_CLOSED;
    body = buf_grow(raw, (size_t)n);
    return body == NULL ? -ENOMEM : link_read(fd, body, (size_t)n);
}

/* The next whole value as bytes of its own. */
static struct bytes take_value(struct mp *r)
{
    struct bytes value = {r->p, 0};

    mp_skip(r);
    if (r->rc == 0)
        value.n = (size_t)(r->p - value.p);
    return value;
}

static int answer_read(struct ctl_answer *a)
{
    struct mp r = mp_over(buf_view(&a->raw));
    struct bytes error;

    (void)mp_array(&r, 2, 2);
    error = take_value(&r);
    a->result = take_value(&r);
    mp_leave(&r);
    if (mp_end(&r))
        return CTL_LINK_E_CLOSED;
    if (error.n == 1 && error.p[0] == 0xc0)
        return 0;
    ctl_get_str(error, "code", a->code, sizeof a->code);
    ctl_get_str(error, "message", a->message, sizeof a->message);
    r = ctl_get(error, "problems");
    if (r.rc == 0)
        a->problems = take_value(&r);
    return CTL_LINK_E_REFUSED;
}

int ctl_ask(const struct ctl *c, const char *method, struct bytes params,
            struct ctl_answer *answer)
{
    int fd = -1;
    int rc;

    *answer = (struct ctl_answer){0};
    buf_init(&answer->raw, CONTROL_MESSAGE_MAX);
    rc = link_open(c, &fd);
    if (rc == 0)
        rc = link_send(fd, method, params);
    if (rc == 0)
        rc = link_receive(fd, &answer->raw);
    if (rc == 0)
        rc = answer_read(answer);
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

void ctl_answer_free(struct ctl_answer *answer)
{
    buf_free(&answer->raw);
}

static int tell_refusal(const struct ctl *c, const struct ctl_answer *answer)
{
    static const struct {
        const char *code;
        int exit;
    } exits[] = {
        {"bad-config", CTL_CONFIG}, {"bad-params", CTL_DATA},
        {"absent", CTL_ABSENT},     {"full", CTL_DISK},
        {"broken", CTL_DISK},       {"stopping", CTL_UNREACHABLE},
    };

    for (size_t i = 0; i < sizeof exits / sizeof exits[0]; i++)
        if (strcmp(answer->code, exits[i].code) == 0)
            return ctl_fail(c, exits[i].exit, answer->code, "%s", answer->message);
    return ctl_fail(c, CTL_BUG, "internal", "%s", answer->message);
}

int ctl_tell(const struct ctl *c, int rc, const struct ctl_answer *answer)
{
    switch (rc) {
    case 0:
        return CTL_DONE;
    case CTL_LINK_E_ABSENT:
        return ctl_fail(c, CTL_UNREACHABLE, "not-running", W_NOT_RUNNING, c->dir, c->dir);
    case CTL_LINK_E_FORBIDDEN:
        return ctl_fail(c, CTL_REFUSED, "not-yours", W_NOT_YOURS, c->dir);
    case CTL_LINK_E_SILENT:
        return ctl_fail(c, CTL_TIMED_OUT, "timeout", W_SILENT, c->timeout_s);
    case CTL_LINK_E_CLOSED:
        return ctl_fail(c, CTL_UNREACHABLE, "hung-up", W_HUNG_UP, c->dir);
    case CTL_LINK_E_REFUSED:
        return tell_refusal(c, answer);
    case -ENAMETOOLONG:
        return ctl_fail(c, CTL_USAGE, "path-too-long", "%s", W_PATH_LONG);
    default:
        return ctl_fail(c, CTL_UNREACHABLE, "unreachable", "%s", err_text(rc));
    }
}

int ctl_ask_or_tell(const struct ctl *c, const char *method, struct bytes params,
                    struct ctl_answer *answer)
{
    return ctl_tell(c, ctl_ask(c, method, params, answer), answer);
}

struct mp ctl_get(struct bytes map, const char *key)
{
    struct mp r = mp_over(map);
    struct mp_map m = mp_map(&r);
    struct bytes found;

    while (mp_key(&r, &m, &found)) {
        if (mp_is(found, key))
            return r;
        mp_skip(&r);
    }
    mp_fail(&r);
    return r;
}

uint64_t ctl_get_uint(struct bytes map, const char *key)
{
    struct mp r = ctl_get(map, key);

    return mp_uint(&r, 0, UINT64_MAX);
}

void ctl_get_str(struct bytes map, const char *key, char *out, size_t room)
{
    struct mp r = ctl_get(map, key);

    ctl_clean(mp_str(&r, 0, CONTROL_MESSAGE_MAX), out, room);
}
