/* SPDX-License-Identifier: Apache-2.0 */
/* commit: the thread that writes.  All posts of the time in which one commit is on its
 * way share the next one (group commit); other writes run between groups, in order of
 * arrival. Flow     handle_post, handle_enrol, control, expire -> commit -> store;
 * completions -> loop Owns     the thread, its queue (bounded), copies of the envelopes
 * on their way Threads  everything here is called on the loop thread; done callbacks run
 * on the loop thread and find their session by id, never by pointer: the peer may have
 * left */
#ifndef KITH_DAEMON_COMMIT_H
#define KITH_DAEMON_COMMIT_H

#include "daemon/store.h"
#include "lib/clock.h"

#include <uv.h>

struct commit;

/* rc: 0 and seq, head; or STORE_E_* / -errno and nothing was kept. */
typedef void commit_post_done(int rc, uint64_t seq, const uint8_t head[HASH_BYTES],
                              uint64_t session, uint32_t request, void *arg);
/* After the done callbacks of one or more groups that reached the disk, once for each
 * bucket that grew: it is time to read on. */
typedef void commit_grown(uint32_t bucket, void *arg);

MUST_USE int commit_start(uv_loop_t *loop, struct store *s, const struct clock *clock,
                          commit_grown *grown, void *grown_arg, struct commit **out);
/* Copies the envelope; the clock is read now.  Returns 0 if done will run, -ENOBUFS when
 * COMMIT_QUEUE_MAX posts wait for their done (answer `unavailable`), -ENOMEM, -ESHUTDOWN
 * after commit_stop(), -EINVAL for a bucket that the store does not have. */
enum {
    COMMIT_QUEUE_MAX = 4096, /* 17 MB of envelopes on their way at most */
    COMMIT_GROUP_MAX = 1024,
    COMMIT_JOBS_MAX = 1024,
};
MUST_USE int commit_post(struct commit *c, uint32_t bucket,
                         const uint8_t envelope[ENVELOPE_BYTES], uint64_t session,
                         uint32_t request, commit_post_done *done, void *arg);

/* Any other write: `work` runs on the commit thread, then `done` on the loop thread with
 * its result. job is borrowed until done has run.  0 if done will run, -ENOBUFS when
 * COMMIT_JOBS_MAX wait, -ENOMEM, -ESHUTDOWN. */
typedef int commit_work(struct store *s, void *job);
typedef void commit_work_done(int rc, void *job, void *arg);
MUST_USE int commit_run(struct commit *c, commit_work *work, void *job,
                        commit_work_done *done, void *arg);

size_t commit_waiting(const struct commit *c); /* accepted, their done not yet run */
/* Finish what is queued (done callbacks run), then stop the thread; stopped runs on the
 * loop. New posts are refused from now on. */
void commit_stop(struct commit *c, void (*stopped)(void *arg), void *arg);
void commit_free(struct commit *c); /* after stopped; NULL is fine */

#endif
