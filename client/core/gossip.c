/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/gossip.h"

#include "client/core/db_log.h"
#include "client/core/db_profile.h"

#include <string.h>

/* Claims about descriptors stand in the same table, under a bucket that no relay has. */
#define DESCRIPTOR_CLAIM UINT32_MAX

/* A contact's word, or (conv 0) the relay's own when it took an envelope of ours. */
static int contradicted(struct core *c, const struct claim *claim)
{
    return core_alarm(c, claim->conv ? ALARM_PEER_LOG : ALARM_LOG_CHANGED, claim->conv,
                      claim->bucket, claim->seq, 0);
}

static int compare(struct core *c, const struct claim *claim)
{
    uint8_t ours[HEAD_PREFIX_BYTES];
    int rc = db_log_prefix(c->db, claim->bucket, claim->seq, ours);

    if (rc)
        return rc;
    return memcmp(ours, claim->prefix, sizeof ours) == 0 ? 0 : contradicted(c, claim);
}

/* Compares now, or says that the place is still to be read.  Behind our position and not
 * kept: older than this profile or than the retention. */
static int compare_or_wait(struct core *c, const struct claim *claim, bool *wait)
{
    struct cursor at;
    int rc = compare(c, claim);

    *wait = false;
    if (rc != DB_E_NONE)
        return rc;
    rc = db_log_cursor(c->db, claim->bucket, &at);
    *wait = !rc && at.next && claim->seq >= at.next;
    return rc == DB_E_NONE ? 0 : rc; /* no position: none of the logs that we read */
}

static int heard_head(struct core *c, const struct claim *claim)
{
    bool wait;
    int rc = compare_or_wait(c, claim, &wait);

    return rc || !wait ? rc : db_log_put_claim(c->db, claim);
}

static int heard_descriptor(struct core *c, int64_t conv, const uint8_t prefix[8])
{
    struct claim claim = {.conv = conv, .bucket = DESCRIPTOR_CLAIM, .seq = 1};
    bool known;
    int rc = db_profile_knows(c->db, prefix, &known);

    if (rc || known)
        return rc;
    memcpy(claim.prefix, prefix, sizeof claim.prefix);
    return db_log_put_claim(c->db, &claim);
}

int gossip_heard(struct core *c, int64_t conv, const struct payload_gossip *g)
{
    struct claim directory = {
        .conv = conv, .bucket = BUCKET_DIRECTORY, .seq = g->directory_seq};
    struct claim previous = {
        .conv = conv, .bucket = g->previous_bucket, .seq = g->previous_seq};
    int rc = 0;

    memcpy(directory.prefix, g->directory, sizeof directory.prefix);
    memcpy(previous.prefix, g->previous, sizeof previous.prefix);
    if (g->has_directory && g->directory_seq)
        rc = heard_head(c, &directory);
    if (!rc && g->has_previous && g->previous_bucket == c->home)
        rc = heard_head(c, &previous);
    if (!rc && g->has_descriptor)
        rc = heard_descriptor(c, conv, g->descriptor);
    return rc;
}

int gossip_answered(struct core *c, uint32_t bucket, uint64_t seq,
                    const uint8_t head[HASH_BYTES])
{
    struct claim claim = {.bucket = bucket, .seq = seq};
    bool wait;
    int rc;

    memcpy(claim.prefix, head, sizeof claim.prefix);
    rc = compare_or_wait(c, &claim, &wait);
    return rc || !wait ? rc : db_log_put_answer(c->db, bucket, seq, head);
}

int gossip_reached(struct core *c, uint32_t bucket, uint64_t seq)
{
    struct claim claim;
    int rc = 0;

    while (!rc) {
        rc = db_log_take_claim(c->db, bucket, seq, &claim);
        if (!rc)
            rc = compare(c, &claim);
    }
    if (rc == DB_E_NONE)
        rc = 0;
    while (!rc) {
        rc = db_log_take_answer(c->db, bucket, seq, &claim);
        if (!rc)
            rc = compare(c, &claim);
    }
    return rc == DB_E_NONE ? 0 : rc;
}

int gossip_descriptors(struct core *c)
{
    struct claim claim;
    bool known;
    int rc = 0;

    while (!rc) {
        rc = db_log_take_claim(c->db, DESCRIPTOR_CLAIM, 1, &claim);
        if (!rc)
            rc = db_profile_knows(c->db, claim.prefix, &known);
        if (!rc && !known)
            rc = core_alarm(c, ALARM_DESCRIPTOR_OTHER, claim.conv, 0, 0, 0);
    }
    return rc == DB_E_NONE ? 0 : rc;
}
