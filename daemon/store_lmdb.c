/* SPDX-License-Identifier: Apache-2.0 */
/* The store on disk:
 *   DIR/lock              held while open: one kithd a folder
 *   DIR/state/            store_lmdb_state: invites, and whose folder this is
 *   DIR/board/2026-01-31/ store_lmdb_day: the envelopes received on that UTC day
 * Days are in order of name, and each begins where the one before ends.  Only the newest
 * is written.  `lock` guards the list of days and their rows: the commit thread takes it
 * to change them, for moments, and the reading thread for as long as one read takes; so a
 * day can't be closed under a reader, and a reader can't see half of a commit. */
#include "daemon/store_lmdb_day.h"
#include "daemon/store_lmdb_folder.h"
#include "daemon/store_lmdb_state.h"
#include "daemon/store_ops.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/seam.h"
#include "proto/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { CHECKED_LINKS = 256 };

struct store_lmdb {
    struct store base;
    char *board; /* DIR/board */
    int lock_fd;
    uint64_t map_bytes;
    struct store_lmdb_state state;
    pthread_mutex_t lock;
    struct store_lmdb_day **days; /* oldest first */
    size_t count, room;
};

static struct store_lmdb *lmdb_of(struct store *s)
{
    return (struct store_lmdb *)s;
}

/* What a writing function returns; from the first failed sync on, nothing else. */
static int wrote(struct store_lmdb *l, int rc)
{
    return rc == STORE_E_BROKEN ? store_break(&l->base) : rc;
}

static struct store_lmdb_day *newest(const struct store_lmdb *l)
{
    return l->count ? l->days[l->count - 1] : NULL;
}

/* ---- days ------------------------------------------------------------------------- */

static int room_for_day(struct store_lmdb *l)
{
    struct store_lmdb_day **grown;
    size_t room = 2 * l->room + 16;

    if (l->count < l->room)
        return 0;
    grown = mem_array(room, sizeof *grown);
    if (!grown)
        return -ENOMEM;
    pthread_mutex_lock(&l->lock);
    if (l->count)
        memcpy(grown, l->days, l->count * sizeof *grown);
    mem_free(l->days);
    l->days = grown;
    l->room = room;
    pthread_mutex_unlock(&l->lock);
    return 0;
}

static void first_rows(const struct store_lmdb *l, struct store_lmdb_row *rows)
{
    for (uint32_t b = 0; b < STORE_BUCKETS_MAX; b++) {
        rows[b].next = 1;
        chain_first(l->base.cohort, b, rows[b].head);
    }
}

static int make_folder(struct store_lmdb *l, uint32_t today,
                       const struct store_lmdb_row *rows, struct store_lmdb_day **out)
{
    char name[STORE_LMDB_NAME_BYTES], path[PATH_MAX];
    int rc;

    store_lmdb_folder_name(today, name);
    rc = store_lmdb_folder_path(l->board, name, ".new", path);
    if (!rc)
        rc = store_lmdb_folder_begin(l->board, name);
    if (!rc)
        rc = store_lmdb_day_make(path, today, rows, l->map_bytes, out);
    if (rc)
        return rc;
    rc = store_lmdb_folder_keep(l->board, name);
    if (rc) {
        store_lmdb_day_close(*out);
        *out = NULL;
    }
    return rc;
}

/* Today's environment; numbering and heads go on from the newest day's. */
static int make_day(struct store_lmdb *l, uint32_t today)
{
    struct store_lmdb_day *made = NULL;
    struct store_lmdb_row *begin = NULL;
    int rc = room_for_day(l);

    if (!rc && !newest(l)) {
        begin = mem_array(STORE_BUCKETS_MAX, sizeof *begin);
        if (!begin)
            return -ENOMEM;
        first_rows(l, begin);
    }
    if (!rc)
        rc = make_folder(l, today, begin ? begin : newest(l)->rows, &made);
    mem_free(begin);
    if (rc)
        return rc;
    pthread_mutex_lock(&l->lock);
    if (newest(l))
        store_lmdb_day_retire(newest(l));
    l->days[l->count++] = made;
    pthread_mutex_unlock(&l->lock);
    return 0;
}

static int drop_oldest(struct store_lmdb *l)
{
    struct store_lmdb_day *day = l->days[0];
    char name[STORE_LMDB_NAME_BYTES];
    int rc;

    store_lmdb_folder_name(day->day, name);
    rc = store_lmdb_folder_drop(l->board, name);
    if (rc)
        return rc;
    pthread_mutex_lock(&l->lock);
    memmove(l->days, l->days + 1, --l->count * sizeof *l->days);
    pthread_mutex_unlock(&l->lock);
    store_lmdb_day_close(day);
    return store_lmdb_folder_sweep(l->board);
}

/* ---- writes ----------------------------------------------------------------------- */

static int lmdb_append(struct store *s, struct store_post *posts, size_t n,
                       uint64_t now_s)
{
    struct store_lmdb *l = lmdb_of(s);
    uint32_t today = (uint32_t)(now_s / STORE_DAY_S);
    int rc = 0;

    if (!newest(l) || newest(l)->day < today)
        rc = make_day(l, today);
    if (!rc)
        rc = store_lmdb_day_append(newest(l), posts, n, (uint32_t)(now_s / STORE_HOUR_S));
    if (rc)
        return wrote(l, rc);
    pthread_mutex_lock(&l->lock);
    store_lmdb_day_publish(newest(l));
    pthread_mutex_unlock(&l->lock);
    return 0;
}

/* The newest day is followed before it goes, since it knows the numbers and heads; one
 * that never held an envelope may as well stay. */
static int replace_newest(struct store_lmdb *l, uint64_t now_s)
{
    if (store_broken(&l->base))
        return STORE_E_BROKEN;
    return make_day(l, (uint32_t)(now_s / STORE_DAY_S));
}

static int lmdb_expire(struct store *s, uint64_t now_s, uint64_t retention_s,
                       uint32_t *dropped)
{
    struct store_lmdb *l = lmdb_of(s);
    int rc = store_lmdb_folder_sweep(
        l->board); /* what an earlier call could not finish */

    while (!rc && l->count && store_day_expired(l->days[0]->day, now_s, retention_s)) {
        if (l->count == 1 && store_lmdb_day_count(newest(l)) == 0)
            break;
        if (l->count == 1)
            rc = replace_newest(l, now_s);
        if (!rc)
            rc = drop_oldest(l);
        *dropped += rc == 0;
    }
    return wrote(l, rc);
}

static int lmdb_redate(struct store *s, uint64_t now_s, uint32_t *moved)
{
    struct store_lmdb *l = lmdb_of(s);
    uint32_t today = (uint32_t)(now_s / STORE_DAY_S);
    char from[STORE_LMDB_NAME_BYTES], to[STORE_LMDB_NAME_BYTES];
    int rc = 0;

    for (size_t i = 0; !rc && i < l->count; i++) {
        int64_t before = i ? (int64_t)l->days[i - 1]->day : -1;
        uint32_t day = store_day_redated(l->days[i]->day, before, today);

        if (day == l->days[i]->day)
            continue;
        store_lmdb_folder_name(l->days[i]->day, from);
        store_lmdb_folder_name(day, to);
        rc = store_lmdb_folder_move(l->board, from, to);
        if (rc)
            break;
        pthread_mutex_lock(&l->lock);
        l->days[i]->day = day;
        pthread_mutex_unlock(&l->lock);
        ++*moved;
    }
    return wrote(l, rc);
}

static int lmdb_invite_add(struct store *s, struct store_invite *invite)
{
    struct store_lmdb *l = lmdb_of(s);

    return wrote(l, store_lmdb_state_add(&l->state, invite));
}

static int lmdb_invite_enrol(struct store *s, const uint8_t id[INVITE_ID_BYTES],
                             const uint8_t key[SIGN_PK_BYTES], uint32_t now_hour,
                             struct store_invite *out)
{
    struct store_lmdb *l = lmdb_of(s);

    return wrote(l, store_lmdb_state_enrol(&l->state, id, key, now_hour, out));
}

static int lmdb_invite_revoke(struct store *s, uint32_t number)
{
    struct store_lmdb *l = lmdb_of(s);

    return wrote(l, store_lmdb_state_revoke(&l->state, number));
}

/* ---- reads; all under the lock ---------------------------------------------------- */

static void tail_locked(struct store_lmdb *l, uint32_t bucket, struct store_tail *out)
{
    const struct store_lmdb_row *last;

    if (!l->count) {
        out->oldest = out->next = 1;
        chain_first(l->base.cohort, bucket, out->head);
        return;
    }
    last = &newest(l)->rows[bucket];
    out->oldest = l->days[0]->rows[bucket].first;
    out->next = last->next;
    memcpy(out->head, last->head, HASH_BYTES);
}

static int lmdb_tail(struct store *s, uint32_t bucket, struct store_tail *out)
{
    struct store_lmdb *l = lmdb_of(s);

    pthread_mutex_lock(&l->lock);
    tail_locked(l, bucket, out);
    pthread_mutex_unlock(&l->lock);
    return 0;
}

/* The last day that begins at or before seq; seq is not below oldest. */
static size_t day_of(const struct store_lmdb *l, uint32_t bucket, uint64_t seq)
{
    size_t low = 0, high = l->count;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (l->days[middle]->rows[bucket].first <= seq)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static int head_locked(struct store_lmdb *l, uint32_t bucket, uint64_t seq,
                       uint8_t head[HASH_BYTES])
{
    const struct store_lmdb_row *row;
    struct store_lmdb_day *day;

    if (!l->count) {
        chain_first(l->base.cohort, bucket, head);
        return 0;
    }
    day = l->days[day_of(l, bucket, seq)];
    row = &day->rows[bucket];
    if (seq == row->first || seq == row->next) {
        memcpy(head, seq == row->first ? row->first_head : row->head, HASH_BYTES);
        return 0;
    }
    return store_lmdb_day_head(day, bucket, seq - 1, head);
}

static int range_locked(struct store_lmdb *l, uint32_t bucket, uint64_t from, size_t max,
                        uint8_t *out, size_t *got)
{
    int rc = 0;

    for (size_t i = l->count ? day_of(l, bucket, from) : 0;
         !rc && *got < max && i < l->count; i++) {
        const struct store_lmdb_row *row = &l->days[i]->rows[bucket];
        uint64_t at = from + *got;
        size_t n = max - *got;

        if (n > row->next - at)
            n = (size_t)(row->next - at);
        if (n)
            rc = store_lmdb_day_range(l->days[i], bucket, at, n,
                                      out + *got * ENVELOPE_BYTES);
        *got += n;
    }
    return rc;
}

static int lmdb_range(struct store *s, uint32_t bucket, uint64_t from, size_t max,
                      uint8_t *out, size_t *got, uint8_t head[HASH_BYTES])
{
    struct store_lmdb *l = lmdb_of(s);
    struct store_tail tail;
    int rc = STORE_E_ABSENT;

    pthread_mutex_lock(&l->lock);
    tail_locked(l, bucket, &tail);
    if (from >= tail.oldest && from <= tail.next) {
        rc = range_locked(l, bucket, from, max, out, got);
        if (!rc)
            rc = head_locked(l, bucket, from + *got, head);
    }
    pthread_mutex_unlock(&l->lock);
    if (rc)
        *got = 0;
    return rc;
}

static int lmdb_head_before(struct store *s, uint32_t bucket, uint64_t seq,
                            uint8_t head[HASH_BYTES])
{
    struct store_lmdb *l = lmdb_of(s);
    struct store_tail tail;
    int rc = STORE_E_ABSENT;

    pthread_mutex_lock(&l->lock);
    tail_locked(l, bucket, &tail);
    if (seq >= tail.oldest && seq <= tail.next)
        rc = head_locked(l, bucket, seq, head);
    pthread_mutex_unlock(&l->lock);
    return rc;
}

struct counting {
    struct store_figures *figures;
    uint32_t now_hour;
};

static bool count_invite(const struct store_invite *invite, void *arg)
{
    const struct counting *c = arg;

    store_invite_count(invite, c->now_hour, c->figures);
    return true;
}

static int lmdb_figures(struct store *s, uint64_t now_s, struct store_figures *out)
{
    struct store_lmdb *l = lmdb_of(s);
    struct counting c = {out, (uint32_t)(now_s / STORE_HOUR_S)};

    pthread_mutex_lock(&l->lock);
    out->days = (uint32_t)l->count;
    for (size_t i = 0; i < l->count; i++) {
        out->envelopes += store_lmdb_day_count(l->days[i]);
        out->bytes_on_disk += store_lmdb_env_disk(&l->days[i]->env);
    }
    if (l->count) {
        out->oldest_day = l->days[0]->day;
        out->newest_day = newest(l)->day;
    }
    pthread_mutex_unlock(&l->lock);
    out->bytes_on_disk += store_lmdb_env_disk(&l->state.env);
    return store_lmdb_state_visit(&l->state, count_invite, &c);
}

static int lmdb_invites(struct store *s, store_invite_visit *visit, void *arg)
{
    return store_lmdb_state_visit(&lmdb_of(s)->state, visit, arg);
}

/* ---- open and close --------------------------------------------------------------- */

static void lmdb_close(struct store *s)
{
    struct store_lmdb *l = lmdb_of(s);

    for (size_t i = 0; i < l->count; i++)
        store_lmdb_day_close(l->days[i]);
    store_lmdb_state_close(&l->state);
    pthread_mutex_destroy(&l->lock);
    if (l->lock_fd >= 0)
        close(l->lock_fd);
    mem_free(l->days);
    mem_free(l->board);
    mem_free(l);
}

static int lock_folder(struct store_lmdb *l, const char *dir)
{
    char path[PATH_MAX];
    int rc = store_lmdb_folder_path(dir, "lock", "", path);

    if (!rc)
        rc = seam_check(SEAM_OPEN);
    if (rc)
        return rc;
    l->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (l->lock_fd < 0)
        return -errno;
    if (flock(l->lock_fd, LOCK_EX | LOCK_NB))
        return errno == EWOULDBLOCK ? -EBUSY : -errno;
    return 0;
}

static int open_day(struct store_lmdb *l, uint32_t day, bool last)
{
    char name[STORE_LMDB_NAME_BYTES], path[PATH_MAX];
    const struct store_lmdb_row *before = newest(l) ? newest(l)->rows : NULL;
    int rc = room_for_day(l);

    store_lmdb_folder_name(day, name);
    if (!rc)
        rc = store_lmdb_folder_path(l->board, name, "", path);
    if (!rc)
        rc = store_lmdb_day_open(
            path, day, before, l->base.cohort, last ? l->map_bytes : 0,
            last ? STORE_LMDB_WRITE : STORE_LMDB_READ, &l->days[l->count]);
    if (!rc)
        l->count++;
    return rc;
}

static int open_board(struct store_lmdb *l)
{
    uint32_t *days = NULL;
    size_t count = 0;
    int rc = file_mkdirs(l->board, 0700);

    if (!rc)
        rc = store_lmdb_folder_sweep(l->board);
    if (!rc)
        rc = store_lmdb_folder_days(l->board, &days, &count);
    for (size_t i = 0; !rc && i < count; i++)
        rc = open_day(l, days[i], i + 1 == count);
    mem_free(days);
    return rc;
}

/* Do the last links of a bucket's chain lead to its head? */
static int check_chain(struct store *s, uint32_t bucket, uint8_t *envelopes)
{
    struct store_tail tail;
    uint8_t head[HASH_BYTES], after[HASH_BYTES];
    uint64_t seq;
    size_t got;
    int rc = lmdb_tail(s, bucket, &tail);

    seq = tail.next - tail.oldest > CHECKED_LINKS ? tail.next - CHECKED_LINKS
                                                  : tail.oldest;
    if (!rc)
        rc = lmdb_head_before(s, bucket, seq, head);
    while (!rc && seq < tail.next) {
        got = 0;
        rc = lmdb_range(s, bucket, seq, ENVELOPES_PER_RECORD_MAX, envelopes, &got, after);
        for (size_t i = 0; i < got; i++)
            chain_next(head, seq++, envelopes + i * ENVELOPE_BYTES);
        if (!rc && (!got || memcmp(head, after, HASH_BYTES)))
            rc = STORE_E_CORRUPT;
    }
    return rc;
}

static int check_chains(struct store *s)
{
    uint8_t *envelopes = mem_alloc(ENVELOPES_PER_RECORD_MAX * ENVELOPE_BYTES);
    int rc = envelopes ? 0 : -ENOMEM;

    for (uint32_t b = 0; !rc && b < STORE_BUCKETS_MAX; b++)
        rc = check_chain(s, b, envelopes);
    mem_free(envelopes);
    return rc;
}

static int open_all(struct store_lmdb *l, const char *dir)
{
    char path[PATH_MAX];
    int rc = file_mkdirs(dir, 0700);

    if (!rc)
        rc = lock_folder(l, dir);
    if (!rc)
        rc = store_lmdb_state_open(&l->state, dir, l->base.cohort);
    if (!rc)
        rc = store_lmdb_folder_path(dir, "board", "", path);
    if (rc)
        return rc;
    l->board = mem_strdup(path);
    if (!l->board)
        return -ENOMEM;
    rc = open_board(l);
    return rc ? rc : check_chains(&l->base);
}

static const struct store_ops lmdb_ops = {
    .close = lmdb_close,
    .append = lmdb_append,
    .expire = lmdb_expire,
    .redate = lmdb_redate,
    .tail = lmdb_tail,
    .range = lmdb_range,
    .head_before = lmdb_head_before,
    .figures = lmdb_figures,
    .invite_add = lmdb_invite_add,
    .invite_enrol = lmdb_invite_enrol,
    .invite_revoke = lmdb_invite_revoke,
    .invites = lmdb_invites,
};

int store_open_lmdb(const char *dir, const uint8_t cohort[32], uint32_t buckets,
                    uint64_t map_bytes, struct store **out)
{
    struct store_lmdb *l;
    int rc;

    *out = NULL;
    if (buckets == 0 || buckets > STORE_BUCKETS_MAX || map_bytes == 0 ||
        map_bytes > SIZE_MAX)
        return -EINVAL;
    l = mem_zalloc(sizeof *l);
    if (!l)
        return -ENOMEM;
    store_init(&l->base, &lmdb_ops, cohort, buckets);
    pthread_mutex_init(&l->lock, NULL);
    l->lock_fd = -1;
    l->map_bytes = map_bytes;
    rc = open_all(l, dir);
    if (rc) {
        lmdb_close(&l->base);
        return rc;
    }
    *out = &l->base;
    return 0;
}
