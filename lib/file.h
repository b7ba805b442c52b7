/* SPDX-License-Identifier: Apache-2.0 */
/* file: small files read whole and replaced whole, through the seam.
 * Threads  any */
#ifndef KITH_LIB_FILE_H
#define KITH_LIB_FILE_H

#include "lib/buf.h"

/* Read a whole regular file of at most cap bytes into an initialised growing buffer.
 * secret: refuse (-EPERM) when group or others may read it.
 * Returns 0, -ENOENT, -EFBIG beyond cap, -EINVAL for a device or pipe, or another -errno;
 * out is then as it was. */
MUST_USE int file_read(const char *path, size_t cap, bool secret, struct buf *out);
/* Replace path with these bytes: a new file beside it, written, synced, renamed over it,
 * the folder synced.  mode as for open(2).  Returns 0 or -errno; the old file is then
 * untouched, unless it was the folder's sync that failed: then the new content is in
 * place, and a power cut may still bring the old one back. */
MUST_USE int file_replace(const char *path, struct bytes content, unsigned mode);
/* Make a folder and its missing parents with this mode; an existing one is fine. */
MUST_USE int file_mkdirs(const char *path, unsigned mode);
/* Sync a folder, so that names made or taken away in it last. */
MUST_USE int file_sync_dir(const char *path);
/* Write all n bytes of an open descriptor, through interruptions. */
MUST_USE int file_write_all(int fd, const void *p, size_t n);

#endif
