/* SPDX-License-Identifier: Apache-2.0 */
/* seam: every call that can fail for reasons outside the program asks here first, so that
 * a test can make the nth one of each kind fail.  Without a hook it costs one load.
 * Flow     mem, rand, file, clock, daemon/, client/ -> seam
 * Threads  set the hook before threads start; the hook itself may run on any thread */
#ifndef KITH_LIB_SEAM_H
#define KITH_LIB_SEAM_H

#include "lib/err.h"

enum seam {
    SEAM_ALLOC,  /* heap and guarded memory */
    SEAM_RANDOM, /* bytes from the system's generator */
    SEAM_OPEN,
    SEAM_READ,
    SEAM_WRITE,
    SEAM_SYNC, /* fsync, fdatasync, a store's commit */
    SEAM_RENAME,
    SEAM_UNLINK,
    SEAM_MAP,    /* opening a memory map */
    SEAM_THREAD, /* starting a thread, queueing work */
    SEAM_SOCKET, /* socket, bind, listen, accept, connect */
    SEAM_KINDS,
};

/* Returns 0 to let the call through, or the -errno it shall fail with. */
typedef int seam_hook(enum seam kind, void *arg);

/* Install a hook (NULL takes it away).  Tests only. */
void seam_set(seam_hook *hook, void *arg);

/* 0: go on; negative: fail with this.  Called right before the real call. */
MUST_USE int seam_check(enum seam kind);

#endif
