/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/node.h"

#include "client/core/acks.h"
#include "client/core/board.h"
#include "client/core/core.h"
#include "client/core/db_messages.h"
#include "client/core/history.h"
#include "client/core/linking.h"
#include "client/core/member.h"
#include "client/core/outbox.h"
#include "client/core/receive.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/secret.h"

#include <errno.h>
#include <string.h>

enum {
    ACK_LEAST_MS = 5 * 1000, /* SPEC 8.5 */
    ACK_MOST_MS = 60 * 1000,
    ACCEPT_MOST_MS = 4 * 1000,
    EMPTY_MOST_MS = 60 * 60 * 1000, /* SPEC 8.3 */
    TICK_MS = 60 * 1000,
    SETTLE_TICKS =
        10, /* how often the journal is emptied, so that old keys leave the disk */
    DAY_S = 24 * 60 * 60,
};

struct node {
    struct core core;
    struct outbox *outbox; /* holder */
    struct board *board;   /* holder */
    uint64_t tick_due;     /* monotonic ms */
    uint32_t ticks;
};

/* ---- opening ---------------------------------------------------------------------- */

static uint32_t or_default(uint32_t v, uint32_t standard)
{
    return v ? v : standard;
}

static int open_database(struct node *n, const struct node_config *c)
{
    int rc = db_open(c->path, c->key, c->create, c->quick, &n->core.db);

    switch (rc) {
    case DB_E_KEY:
        return NODE_E_KEY;
    case DB_E_NEWER:
        return NODE_E_NEWER;
    case DB_E_FOREIGN:
        return NODE_E_NOT_PROFILE;
    default:
        return rc;
    }
}

int node_open(const struct node_config *c, struct node **out)
{
    struct node *n = mem_zalloc(sizeof *n);
    int64_t oldest;
    int rc;

    *out = NULL;
    if (!n)
        return -ENOMEM;
    n->core.clock = c->clock;
    n->core.event = c->event;
    n->core.event_arg = c->event_arg;
    n->core.ack_least_ms = or_default(c->ack_least_ms, ACK_LEAST_MS);
    n->core.ack_most_ms = or_default(c->ack_most_ms, ACK_MOST_MS);
    n->core.accept_most_ms = or_default(c->accept_most_ms, ACCEPT_MOST_MS);
    n->core.empty_most_ms = or_default(c->empty_most_ms, EMPTY_MOST_MS);
    rc = open_database(n, c);
    if (!rc)
        rc = db_notes_range(n->core.db, &oldest, &n->core.told);
    if (!rc)
        rc = db_version(n->core.db, &n->core.version);
    if (!rc)
        rc = core_reload(&n->core);
    if (!rc && c->holder)
        rc = node_hold(n);
    if (rc)
        node_close(n);
    else
        *out = n;
    return rc;
}

void node_close(struct node *n)
{
    if (!n)
        return;
    node_release(n);
    db_close(n->core.db);
    secret_wipe(n, sizeof *n);
    mem_free(n);
}

int node_hold(struct node *n)
{
    struct core *c = &n->core;
    int rc = -ENOMEM;

    if (n->outbox)
        return 0;
    c->links = secret_alloc(CORE_LINKS_MAX * sizeof *c->links);
    n->board = board_new(c);
    if (c->links && n->board)
        rc = sessions_open(c->db, &c->sessions);
    if (!rc)
        rc = core_reload(c);
    if (!rc)
        rc = outbox_new(c, &n->outbox);
    if (!rc)
        rc = member_relay_is(c, RELAY_OFFLINE, false);
    if (rc)
        node_release(n);
    n->tick_due = core_mono_ms(c);
    return rc;
}

void node_release(struct node *n)
{
    /* Nobody keeps the link now; the next holder says so again if this cannot be written.
     */
    if (n->outbox && member_relay_is(&n->core, RELAY_OFFLINE, false))
        log_debug("the relay's state is told by the next holder");
    outbox_free(n->outbox);
    board_free(n->board);
    sessions_free(n->core.sessions);
    secret_free(n->core.links);
    n->outbox = NULL;
    n->board = NULL;
    n->core.sessions = NULL;
    n->core.links = NULL;
    n->core.links_n = 0;
}

int node_refresh(struct node *n)
{
    struct core *c = &n->core;
    int64_t version;
    int rc = db_version(c->db, &version);

    if (rc || version == c->version)
        return rc;
    rc = core_reload(c);
    if (rc)
        return rc;
    c->version = version;
    return core_tell(c);
}

int node_events(struct node *n, int64_t since, node_event_fn *visit, void *arg,
                int64_t *newest)
{
    enum { AT_ONCE = 32 };
    struct event events[AT_ONCE];
    struct event gone = {.seq = since, .kind = EVENT_MISSED};
    int64_t first, last;
    size_t count = AT_ONCE;
    int rc = db_notes_range(n->core.db, &first, &last);

    if (newest)
        *newest = last;
    if (!rc && since + 1 < first)
        visit(&gone, arg);
    while (!rc && count == AT_ONCE) {
        rc = db_notes_events(n->core.db, since, events, AT_ONCE, &count);
        for (size_t i = 0; !rc && i < count; i++) {
            since = events[i].seq;
            visit(&events[i], arg);
        }
    }
    return rc;
}

/* ---- joining ---------------------------------------------------------------------- */

int node_join(struct node *n, const struct invite *invite)
{
    return member_join(&n->core, invite);
}

int node_relay(struct node *n, const uint8_t pk[KEM_PK_BYTES], const uint8_t cohort[32])
{
    return member_relay(&n->core, pk, cohort);
}

int node_relay_get(struct node *n, struct node_relay *out)
{
    return member_relay_get(&n->core, out);
}

int node_address(struct node *n, const struct address *a)
{
    return member_address(&n->core, a);
}

int node_name(struct node *n, const char *name)
{
    return member_name(&n->core, name);
}

int node_hello(struct node *n, const struct msg_hello_result *m, uint32_t *ask_from)
{
    return member_hello(&n->core, m, ask_from);
}

int node_descriptor(struct node *n, struct bytes signed_)
{
    return member_descriptor(&n->core, signed_);
}

int node_enrol(struct node *n, const uint8_t h[64], struct msg_enrol *out)
{
    return member_enrol(&n->core, h, out);
}

int node_enrolled(struct node *n)
{
    return member_enrolled(&n->core);
}

int node_prove_refused(struct node *n, enum code code)
{
    return n->outbox ? err_fold(member_refused(&n->core, code)) : -EINVAL;
}

int node_prove(struct node *n, const uint8_t h[64], struct msg_prove *out)
{
    return member_prove(&n->core, h, out);
}

int node_status(struct node *n, struct status *out)
{
    return member_status(&n->core, out);
}

int node_relay_is(struct node *n, enum relay_state state, bool reached)
{
    return member_relay_is(&n->core, state, reached);
}

/* ---- people ----------------------------------------------------------------------- */

int node_link_begin(struct node *n, uint32_t valid_s, int64_t *conv)
{
    int rc = core_begin(&n->core);

    *conv = 0;
    if (!rc)
        rc = linking_begin(&n->core, valid_s, conv);
    return core_end(&n->core, rc);
}

int node_link_text(struct node *n, int64_t conv, char out[LINK_CHARS + 1])
{
    return linking_print(&n->core, conv, out);
}

int node_link_take(struct node *n, const char *text, size_t text_n, int64_t *conv)
{
    int rc = core_begin(&n->core);

    *conv = 0;
    if (!rc)
        rc = n->core.has_cohort ? linking_take(&n->core, text, text_n, conv)
                                : NODE_E_STATE;
    return core_end(&n->core, rc);
}

int node_verify_input(struct node *n, int64_t conv, uint8_t th_2[32])
{
    struct ratchet *r = NULL;
    struct buf blob;
    int rc;

    /* From the database: also for a process that is not the holder. */
    buf_init(&blob, RATCHET_BLOB_BYTES_MAX);
    rc = db_convs_session(n->core.db, conv, &blob);
    if (!rc)
        rc = ratchet_load(buf_view(&blob), &r) == 0 ? 0 : -EIO;
    if (!rc)
        rc = ratchet_verify_input(r, th_2) == 0 ? 0 : DB_E_NONE;
    ratchet_free(r);
    buf_free(&blob);
    return core_fold(rc, NODE_E_NONE);
}

static int find_conv(struct core *c, int64_t conv, struct conv_row *out)
{
    return core_fold(db_convs_get(c->db, conv, out), NODE_E_NONE);
}

int node_verified(struct node *n, int64_t conv, bool same)
{
    struct core *c = &n->core;
    struct conv_row row = {0};
    int rc = core_begin(c);

    if (!rc)
        rc = find_conv(c, conv, &row);
    if (!rc)
        rc = db_convs_verified(c->db, conv, same);
    if (!rc)
        rc = core_event(c, EVENT_CONV, conv, 0, row.state);
    return core_end(c, rc);
}

/* ---- words ------------------------------------------------------------------------ */

int node_send(struct node *n, int64_t conv, const char *text, size_t text_n,
              int64_t *message)
{
    return history_send(&n->core, conv, text, text_n, message);
}

int node_send_again(struct node *n, int64_t message)
{
    return history_send_again(&n->core, message);
}

int node_end(struct node *n, int64_t conv)
{
    return history_end(&n->core, conv);
}

int node_history(struct node *n, const struct node_history *q, node_message_fn *visit,
                 void *arg)
{
    return history_each(&n->core, q, visit, arg);
}

int node_message(struct node *n, int64_t message, node_message_fn *visit, void *arg)
{
    return history_one(&n->core, message, visit, arg);
}

int node_mark_read(struct node *n, int64_t conv, int64_t upto)
{
    return history_mark(&n->core, conv, upto);
}

int node_forget_message(struct node *n, int64_t message)
{
    return history_forget_message(&n->core, message);
}

int node_forget(struct node *n, int64_t conv)
{
    return history_forget(&n->core, conv);
}

int node_convs(struct node *n, node_conv_fn *visit, void *arg)
{
    return db_convs_each(n->core.db, visit, arg);
}

int node_conv(struct node *n, int64_t conv, struct conversation *out)
{
    return core_fold(db_convs_show(n->core.db, conv, out), NODE_E_NONE);
}

int node_alarms(struct node *n, bool all, node_alarm_fn *visit, void *arg)
{
    return db_notes_alarms(n->core.db, all, visit, arg);
}

int node_alarm_accept(struct node *n, int64_t alarm)
{
    struct core *c = &n->core;
    struct alarm a = {0};
    int rc = core_begin(c);

    if (!rc)
        rc = core_fold(db_notes_get(c->db, alarm, &a), NODE_E_NONE);
    if (!rc && a.open) {
        rc = db_notes_accept(c->db, alarm);
        if (!rc)
            rc = board_accept(c, &a);
    }
    return core_end(c, rc);
}

/* ---- posts and reads -------------------------------------------------------------- */

int node_post_next(struct node *n, struct node_post *out)
{
    int rc = n->outbox ? outbox_next(n->outbox, out) : -EINVAL;

    return rc == OUTBOX_E_NONE ? NODE_E_NONE : rc;
}

int node_post_done(struct node *n, uint64_t id, uint64_t seq, const uint8_t head[32])
{
    return n->outbox ? outbox_done(n->outbox, id, seq, head) : -EINVAL;
}

int node_post_refused(struct node *n, uint64_t id, enum code code)
{
    return n->outbox ? outbox_refused(n->outbox, id, code) : -EINVAL;
}

int node_posts_lost(struct node *n)
{
    return n->outbox ? outbox_lost(n->outbox) : -EINVAL;
}

static int reading(int rc)
{
    if (rc == BOARD_E_NONE)
        return NODE_E_NONE;
    return rc == BOARD_E_LIE ? NODE_E_LIE : rc;
}

int node_reads(struct node *n, struct node_read out[NODE_READS_MAX], size_t *count)
{
    *count = 0;
    return n->board ? board_reads(n->board, out, count) : -EINVAL;
}

int node_subscribed(struct node *n, uint32_t slot, uint32_t bucket,
                    const struct msg_subscribe_result *m)
{
    return n->board ? reading(board_subscribed(n->board, slot, bucket, m)) : -EINVAL;
}

int node_envelopes(struct node *n, uint32_t slot, const struct msg_envelopes *m)
{
    return n->board ? reading(board_envelopes(n->board, slot, m)) : -EINVAL;
}

int node_gap(struct node *n, uint32_t slot, const struct msg_gap *m)
{
    return n->board ? reading(board_gap(n->board, slot, m)) : -EINVAL;
}

void node_read_lost(struct node *n, uint32_t slot)
{
    if (n->board)
        board_lost(n->board, slot);
}

/* ---- time ------------------------------------------------------------------------- */

uint64_t node_next_due(struct node *n)
{
    uint64_t now = core_mono_ms(&n->core);
    uint64_t tick = n->tick_due > now ? n->tick_due - now : 0;
    uint64_t post;

    if (!n->outbox)
        return UINT64_MAX;
    post = outbox_due(n->outbox);
    return post < tick ? post : tick;
}

int node_hurry(struct node *n, uint32_t most_ms)
{
    return n->outbox ? outbox_hurry(n->outbox, most_ms) : -EINVAL;
}

bool node_owes(struct node *n, uint32_t within_ms)
{
    return n->outbox && outbox_owes(n->outbox, within_ms);
}

/* Keys of envelopes that can't come any more. */
static int forget_keys(struct core *c)
{
    uint32_t kept = (c->retention_days + 2) * (uint32_t)(DAY_S / 60);
    uint32_t now = core_minute(c);
    int rc = 0;

    for (size_t i = 0;
         !rc && c->retention_days && now > kept && i < sessions_count(c->sessions); i++) {
        struct session *s = sessions_at(c->sessions, i);
        s->dirty = true;
        if (ratchet_forget_before(s->ratchet, now - kept))
            rc = sessions_save(c->sessions, c->db, s);
    }
    return rc;
}

static int tidy(struct core *c)
{
    uint64_t today = core_now_s(c) / DAY_S;
    uint64_t kept = 2 * ((uint64_t)c->retention_days + 2);
    int rc = forget_keys(c);

    if (!rc && c->retention_days && today > kept)
        rc = db_messages_tidy(c->db, today - kept);
    if (!rc)
        rc = board_tick(c);
    return rc ? rc : db_notes_tidy(c->db);
}

int node_tick(struct node *n)
{
    struct core *c = &n->core;
    int rc;

    if (!n->outbox)
        return -EINVAL;
    n->tick_due = core_mono_ms(c) + TICK_MS;
    rc = core_begin(c);
    if (!rc)
        rc = acks_tick(c);
    if (!rc)
        rc = linking_tick(c);
    if (!rc)
        rc = receive_tick(c);
    if (!rc && n->ticks % SETTLE_TICKS == 0)
        rc = tidy(c);
    rc = core_end(c, rc);
    if (rc)
        return err_fold(rc);
    if (n->ticks++ % SETTLE_TICKS == 0 && db_settle(c->db))
        log_debug("the journal is emptied later");
    return 0;
}
