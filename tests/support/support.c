/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700 /* nftw */

#include "tests/support/support.h"

#include "lib/secret.h"
#include "lib/text.h"

#include <dirent.h>
#include <ftw.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

/* ---- bytes ------------------------------------------------------------------------ */

struct bytes support_exact(const void *p, size_t n)
{
    uint8_t *copy = malloc(n);

    assert_true(copy || n == 0);
    if (n > 0)
        memcpy(copy, p, n);
    return (struct bytes){copy, n};
}

struct bytes support_hex(const char *hex)
{
    char *digits = malloc(strlen(hex) + 1);
    size_t n = 0;
    uint8_t *out;

    assert_non_null(digits);
    for (; *hex; hex++)
        if (*hex != '-' && *hex != ' ')
            digits[n++] = *hex;
    out = malloc(n / 2);
    assert_true(out || n < 2);
    if (hex_decode(digits, n, out, n / 2))
        fail_msg("not hex: %.*s", (int)n, digits);
    free(digits);
    return (struct bytes){out, n / 2};
}

void support_drop(struct bytes block)
{
    free((void *)(uintptr_t)block.p); /* ours to free: it came from malloc() above */
}

void support_equal(struct bytes got, struct bytes want)
{
    assert_int_equal(got.n, want.n);
    if (want.n > 0)
        assert_memory_equal(got.p, want.p, want.n);
}

const char *support_vectors(void)
{
    static char path[PATH_BYTES];
    const char *named = getenv("KITH_VECTORS");
    const char *source = getenv("KITH_SOURCE");
    struct stat st;

    if (named && *named)
        (void)snprintf(path, sizeof path, "%s", named);
    else
        (void)snprintf(path, sizeof path, "%s/../shared/vectors", source ? source : ".");
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? path : NULL;
}

bool support_long(void)
{
    const char *v = getenv("KITH_LONG");

    return v != NULL && v[0] != '\0';
}

/* ---- faults ----------------------------------------------------------------------- */

static int count_down(enum seam kind, void *arg)
{
    struct support_fault *f = arg;

    if (kind != f->kind || ++f->seen != f->nth)
        return 0;
    f->fired = true;
    return f->rc;
}

void support_fail_nth(struct support_fault *f, enum seam kind, unsigned nth, int rc)
{
    *f = (struct support_fault){.kind = kind, .nth = nth, .rc = rc};
    seam_set(count_down, f);
}

void support_fail_none(void)
{
    seam_set(NULL, NULL);
}

/* ---- randomness ------------------------------------------------------------------- */

void support_random_start(struct support_random *r, uint64_t seed)
{
    *r = (struct support_random){.seed = seed};
}

void support_random_fill(struct support_random *r, void *p, size_t n)
{
    uint8_t key[crypto_stream_chacha20_KEYBYTES] = {0};
    uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];

    le_put(key, r->seed, 8);
    le_put(nonce, r->drawn++, sizeof nonce);
    if (n > 0)
        crypto_stream_chacha20(p, n, nonce, key);
}

uint32_t support_random_below(struct support_random *r, uint32_t bound)
{
    uint8_t drawn[8];

    support_random_fill(r, drawn, sizeof drawn);
    return (uint32_t)(le_get(drawn, sizeof drawn) %
                      bound); /* 2^32 times finer: even enough */
}

static int fill_for_kith(void *p, size_t n, void *arg)
{
    support_random_fill(arg, p, n);
    return 0;
}

void support_random_install(struct support_random *r)
{
    rand_set(fill_for_kith, r);
}

void support_random_release(void)
{
    rand_set(NULL, NULL);
}

static void mutate_once(struct support_random *r, uint8_t *p, size_t *n, size_t room)
{
    static const uint8_t telling[] = {0x00, 0x01, 0x7f, 0x80, 0xc0, 0xc1,
                                      0xc4, 0xca, 0xcc, 0xd0, 0xd9, 0xdb,
                                      0xdc, 0xdd, 0xde, 0xdf, 0xe0, 0xff};
    uint32_t what = support_random_below(r, 7);
    size_t at = *n ? support_random_below(r, (uint32_t)*n) : 0;
    uint8_t value = telling[support_random_below(r, COUNT(telling))];

    if (*n < room && (*n == 0 || what == 0)) { /* insert */
        memmove(p + at + 1, p + at, *n - at);
        p[at] = value;
        ++*n;
    } else if (what == 1) { /* drop */
        memmove(p + at, p + at + 1, *n - at - 1);
        --*n;
    } else if (what == 2 && at > 0) { /* double the one before */
        p[at] = p[at - 1];
    } else if (what == 3) {
        p[at] = value;
    } else if (what == 4 && support_random_below(r, 4) == 0) { /* cut */
        *n = at;
    } else {
        p[at] ^= (uint8_t)(1u << support_random_below(r, 8));
    }
}

void support_mutate(struct support_random *r, uint8_t *p, size_t *n, size_t room)
{
    uint32_t times = 1 + support_random_below(r, 4);

    assert_true(room > 0 && *n <= room);
    while (times-- > 0)
        mutate_once(r, p, n, room);
}

/* ---- time ------------------------------------------------------------------------- */

static uint64_t wall_of(void *arg)
{
    return ((const struct support_clock *)arg)->wall_ms;
}

static uint64_t mono_of(void *arg)
{
    return ((const struct support_clock *)arg)->mono_ms;
}

void support_clock_start(struct support_clock *c, uint64_t wall_ms)
{
    *c = (struct support_clock){.clock = {wall_of, mono_of, c}, .wall_ms = wall_ms};
}

void support_clock_pass(struct support_clock *c, uint64_t ms)
{
    c->wall_ms += ms;
    c->mono_ms += ms;
}

/* ---- folders ---------------------------------------------------------------------- */

char *support_dir(void)
{
    const char *parent = getenv("TMPDIR");
    char path[PATH_BYTES];
    char *copy;

    (void)snprintf(path, sizeof path, "%s/kith-test-XXXXXX", parent ? parent : "/tmp");
    assert_non_null(mkdtemp(path));
    copy = strdup(path);
    assert_non_null(copy);
    return copy;
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

void support_dir_drop(char *path)
{
    if (path)
        (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(path);
}

const char *support_path(const char *dir, const char *name)
{
    static char path[PATH_BYTES];

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

size_t support_dir_count(const char *path)
{
    DIR *dir = opendir(path);
    size_t n = 0;

    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2;
}
