/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/err.h"

#include <errno.h>
#include <stddef.h>

int err_fold(int rc)
{
    return rc > 0 ? -EPROTO : rc;
}

/* Not strerror(): that one follows the locale and is not safe in threads. */
static const struct {
    int code;
    const char *text;
} phrases[] = {
    {0, "done"},
    {EPERM, "not permitted"},
    {ENOENT, "no such file or folder"},
    {EINTR, "interrupted"},
    {EIO, "the system reported a read or write error"},
    {EAGAIN, "not ready yet"},
    {ENOMEM, "out of memory"},
    {EACCES, "permission denied"},
    {EBUSY, "busy"},
    {EEXIST, "already there"},
    {ENODEV, "no such device"},
    {ENOTDIR, "not a folder"},
    {EISDIR, "a folder, not a file"},
    {EINVAL, "not valid"},
    {ENFILE, "too many files open on this machine"},
    {EMFILE, "too many files open in this program"},
    {EFBIG, "too large"},
    {ENOSPC, "no space left"},
    {EROFS, "read-only"},
    {EPIPE, "the other side closed"},
    {ENAMETOOLONG, "name too long"},
    {ENOTEMPTY, "folder not empty"},
    {ELOOP, "too many links"},
    {EPROTO, "the other side broke the protocol"},
    {EOVERFLOW, "number too large"},
    {EADDRINUSE, "address already in use"},
    {EADDRNOTAVAIL, "address not on this machine"},
    {ENETUNREACH, "network unreachable"},
    {ECONNABORTED, "connection aborted"},
    {ECONNRESET, "connection reset"},
    {ENOTCONN, "not connected"},
    {ESHUTDOWN, "shutting down"},
    {ETIMEDOUT, "timed out"},
    {ECONNREFUSED, "connection refused"},
    {EHOSTUNREACH, "no route to host"},
    {EDQUOT, "disk quota used up"},
    {ECANCELED, "cancelled"},
};

const char *err_text(int rc)
{
    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++)
        if (phrases[i].code == -rc)
            return phrases[i].text;
    return "unexpected system error";
}
