/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keys.h"

#include "lib/file.h"
#include "lib/mem.h"
#include "lib/secret.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, SECONDS_A_DAY = 24 * 60 * 60 };

#define RELAY_KEY "relay.key"
#define ADMIN_KEY "admin.key"

__attribute__((format(printf, 2, 3))) static void say(char why[KEYS_WHY_BYTES],
                                                      const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(why, KEYS_WHY_BYTES, fmt, ap);
    va_end(ap);
}

static int path_of(char out[PATH_BYTES], const char *dir, const char *name)
{
    int n = snprintf(out, PATH_BYTES, "%s/%s", dir, name);

    return n < 0 || n >= PATH_BYTES ? -ENAMETOOLONG : 0;
}

static int descriptor_path(char out[PATH_BYTES], const char *dir, uint32_t version)
{
    int n = snprintf(out, PATH_BYTES, "%s/descriptors/%06u", dir, (unsigned)version);

    return n < 0 || n >= PATH_BYTES ? -ENAMETOOLONG : 0;
}

/* ---- creating --------------------------------------------------------------------- */

static bool fits(const struct keys_want *w, struct address *address)
{
    size_t name_n = strlen(w->name);

    return name_n >= 1 && name_n <= COHORT_NAME_BYTES_MAX &&
           address_parse(w->address, strlen(w->address), address) == 0 &&
           w->mail_buckets >= 1 && w->mail_buckets <= BUCKETS_MAIL_MAX &&
           w->members >= 1 && w->retention_days >= 1 &&
           w->retention_days <= RETENTION_DAYS_MAX;
}

static int describe(const struct keys_want *w, const uint8_t admin[SIGN_PK_BYTES],
                    const uint8_t relay_pk[KEM_PK_BYTES], struct descriptor *d)
{
    struct address address;
    char text[ADDRESS_BYTES_MAX + 10];

    if (!fits(w, &address))
        return KEYS_E_WANT;
    address_print(&address, text);
    if (strlen(text) > ADDRESS_BYTES_MAX)
        return KEYS_E_WANT;
    memset(d, 0, sizeof *d);
    d->version = 1;
    memcpy(d->name, w->name, strlen(w->name) + 1);
    d->admins_n = d->needed = 1;
    memcpy(d->admins[0], admin, SIGN_PK_BYTES);
    d->relays_n = 1;
    memcpy(d->relays[0].address, text, strlen(text) + 1);
    HASH(d->relays[0].key_hash, {relay_pk, KEM_PK_BYTES});
    d->mail_buckets = w->mail_buckets;
    d->members = w->members;
    d->retention_days = w->retention_days;
    d->expires_day = (uint32_t)(w->now_s / SECONDS_A_DAY) + KEYS_DESCRIPTOR_DAYS;
    return 0;
}

/* Whatever a client would refuse (a name that is not UTF-8) is refused here. */
static int sign_checked(struct descriptor *d, const uint8_t sk[SIGN_SK_BYTES],
                        struct buf *signed_)
{
    struct descriptor again;
    int rc = descriptor_sign(d, sk, signed_);

    if (rc == 0)
        rc = descriptor_read(buf_view(signed_), &again);
    if (rc > 0)
        rc = rc == DESCRIPTOR_E_MALFORMED ? KEYS_E_WANT : -EIO;
    return rc;
}

static int write_descriptor(const char *dir, uint32_t version, struct bytes signed_)
{
    char path[PATH_BYTES];
    int rc = path_of(path, dir, "descriptors");

    if (rc == 0)
        rc = file_mkdirs(path, 0700);
    if (rc == 0)
        rc = descriptor_path(path, dir, version);
    if (rc == 0)
        rc = file_replace(path, signed_, 0600);
    return rc;
}

struct fresh { /* guarded while it lasts */
    uint8_t relay_sk[KEM_SK_BYTES];
    uint8_t admin_seed[SIGN_SEED_BYTES];
    uint8_t admin_sk[SIGN_SK_BYTES];
};

/* Everything that will be written, in memory. */
static int make_all(const struct keys_want *want, struct fresh *f, struct descriptor *d,
                    struct buf *signed_)
{
    uint8_t admin_pk[SIGN_PK_BYTES], relay_pk[KEM_PK_BYTES];
    int rc = kem_keypair(relay_pk, f->relay_sk);

    if (rc == 0)
        rc = rand_bytes(f->admin_seed, sizeof f->admin_seed);
    if (rc)
        return rc;
    sign_keypair_from(f->admin_seed, admin_pk, f->admin_sk);
    rc = describe(want, admin_pk, relay_pk, d);
    return rc ? rc : sign_checked(d, f->admin_sk, signed_);
}

/* Nothing is written before all of it is known to be good.  Then admin key, descriptor,
 * relay key: in this order, so that a relay key means "complete". */
static int create_all(const char *dir, const char *key_path, const struct keys_want *want,
                      struct fresh *f)
{
    char admin_path[PATH_BYTES];
    struct descriptor d;
    struct buf signed_;
    int rc = path_of(admin_path, dir, ADMIN_KEY);

    buf_init(&signed_, DESCRIPTOR_BYTES_MAX);
    if (rc == 0)
        rc = make_all(want, f, &d, &signed_);
    if (rc == 0)
        rc = file_mkdirs(dir, 0700);
    if (rc == 0)
        rc = file_replace(admin_path, BYTES(f->admin_seed), 0600);
    if (rc == 0)
        rc = write_descriptor(dir, d.version, buf_view(&signed_));
    if (rc == 0)
        rc = file_replace(key_path, BYTES(f->relay_sk), 0600);
    buf_free(&signed_);
    return rc;
}

int keys_create(const char *dir, const struct keys_want *want, char why[KEYS_WHY_BYTES])
{
    char key_path[PATH_BYTES];
    struct fresh *f = NULL;
    int rc = path_of(key_path, dir, RELAY_KEY);

    if (rc == 0 && access(key_path, F_OK) == 0) {
        say(why, "There are keys in %s already; they were left as they are.", dir);
        return KEYS_E_EXISTS;
    }
    if (rc == 0) {
        f = secret_alloc(sizeof *f);
        rc = f == NULL ? -ENOMEM : create_all(dir, key_path, want, f);
    }
    secret_free(f);
    if (rc == KEYS_E_WANT)
        say(why,
            "The cohort's name must be 1 to %d bytes of text, and the address a host "
            "name or IP address, with :PORT unless it is %d. No keys were made.",
            COHORT_NAME_BYTES_MAX, PORT_DEFAULT);
    else if (rc)
        say(why, "The keys could not be written to %s: %s.", dir, err_text(rc));
    return rc;
}

/* ---- loading ---------------------------------------------------------------------- */

static int load_secret(struct keys *k, const char *dir, char why[KEYS_WHY_BYTES])
{
    char path[PATH_BYTES];
    struct buf seed;
    int rc = path_of(path, dir, RELAY_KEY);

    if (rc)
        return rc;
    buf_init(&seed, KEM_SK_BYTES);
    rc = file_read(path, KEM_SK_BYTES, true, &seed);
    if (rc == -ENOENT) {
        say(why, "There is no relay in %s yet.", dir);
        rc = KEYS_E_ABSENT;
    } else if (rc == -EPERM) {
        say(why, "Others may read %s. Nothing was started. Run: chmod 600 %s", path,
            path);
        rc = KEYS_E_OPEN;
    } else if (rc == -EFBIG || (rc == 0 && seed.n != KEM_SK_BYTES)) {
        say(why, "%s is damaged: it is not %d bytes long. Bring it back from a backup.",
            path, KEM_SK_BYTES);
        rc = KEYS_E_DAMAGED;
    } else if (rc) {
        say(why, "%s can't be read: %s.", path, err_text(rc));
    } else {
        rc = err_fold(kem_keypair_from(seed.p, k->pk, k->sk));
    }
    buf_free(&seed);
    return rc;
}

/* Version `version` of the chain into *signed_.  -ENOENT: there is none. */
static int load_descriptor(const char *dir, uint32_t version, struct descriptor *d,
                           struct buf *signed_)
{
    char path[PATH_BYTES];
    int rc = descriptor_path(path, dir, version);

    if (rc)
        return rc;
    rc = file_read(path, DESCRIPTOR_BYTES_MAX, false, signed_);
    if (rc)
        return rc == -EFBIG ? KEYS_E_DAMAGED : rc;
    rc = descriptor_read(buf_view(signed_), d);
    if (rc < 0)
        return rc;
    return rc || d->version != version ? KEYS_E_DAMAGED : 0;
}

static bool names_us(const struct keys *k)
{
    for (size_t i = 0; i < k->newest.relays_n; i++)
        if (memcmp(k->newest.relays[i].key_hash, k->hash, HASH_BYTES) == 0)
            return true;
    return false;
}

static int load_chain(struct keys *k, const char *dir, char why[KEYS_WHY_BYTES])
{
    int rc = 0;

    k->chain = mem_array(KEYS_DESCRIPTORS_MAX, sizeof *k->chain);
    if (k->chain == NULL)
        return -ENOMEM;
    while (k->count < KEYS_DESCRIPTORS_MAX) {
        struct buf *b = &k->chain[k->count];
        struct descriptor d;

        buf_init(b, DESCRIPTOR_BYTES_MAX);
        rc = load_descriptor(dir, k->count + 1, &d, b);
        if (rc == 0 && k->count > 0 &&
            memcmp(d.previous, k->newest.hash, HASH_BYTES) != 0)
            rc = KEYS_E_DAMAGED;
        if (rc) {
            buf_free(b);
            break;
        }
        if (k->count++ == 0)
            memcpy(k->cohort, d.hash, HASH_BYTES);
        k->newest = d;
    }
    if (rc == -ENOENT && k->count > 0)
        rc = 0;
    if (rc == 0 && !names_us(k))
        rc = KEYS_E_DAMAGED;
    if (rc == -ENOENT || rc == KEYS_E_DAMAGED) {
        say(why,
            "The descriptors in %s/descriptors do not fit the relay's key, or are "
            "damaged. Bring the folder back from a backup.",
            dir);
        rc = KEYS_E_DAMAGED;
    }
    return rc;
}

int keys_load(const char *dir, struct keys **out, char why[KEYS_WHY_BYTES])
{
    struct keys *k = mem_zalloc(sizeof *k);
    int rc = -ENOMEM;

    say(why, "Out of memory.");
    if (k == NULL)
        return rc;
    k->sk = secret_alloc(KEM_SK_BYTES);
    if (k->sk != NULL)
        rc = load_secret(k, dir, why);
    if (rc == 0) {
        HASH(k->hash, {k->pk, KEM_PK_BYTES});
        rc = load_chain(k, dir, why);
    }
    if (rc) {
        keys_free(k);
        return rc;
    }
    channel_fingerprint(k->pk, k->cohort, k->fingerprint);
    *out = k;
    return 0;
}

void keys_free(struct keys *k)
{
    if (k == NULL)
        return;
    for (uint32_t i = 0; k->chain != NULL && i < k->count; i++)
        buf_free(&k->chain[i]);
    mem_free(k->chain);
    secret_free(k->sk);
    mem_free(k);
}
