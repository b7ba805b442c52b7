/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/secret.h"

#include "lib/seam.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/random.h>

#if !defined(crypto_kem_xwing_SECRETKEYBYTES) || !defined(crypto_aead_aegis256_KEYBYTES)
#error "kith needs libsodium 1.0.22 or newer: X-Wing and AEGIS-256"
#endif

static rand_source *replaced;
static void *replaced_arg;

/* The headers had what kith needs (above); a shared library may still be an older one. */
int secret_start(void)
{
    if (sodium_init() < 0)
        return -EIO;
    if (sodium_library_version_major() != SODIUM_LIBRARY_VERSION_MAJOR ||
        sodium_library_version_minor() < SODIUM_LIBRARY_VERSION_MINOR)
        return -EIO;
    return 0;
}

void *secret_alloc(size_t n)
{
    void *p = seam_check(SEAM_ALLOC) ? NULL : sodium_malloc(n);

    if (p)
        memset(p, 0, n);
    return p;
}

void secret_free(void *p)
{
    sodium_free(p);
}

void secret_wipe(void *p, size_t n)
{
    sodium_memzero(p, n);
}

bool secret_equal(const void *a, const void *b, size_t n)
{
    return sodium_memcmp(a, b, n) == 0;
}

bool secret_is_zero(const void *p, size_t n)
{
    return sodium_is_zero(p, n) == 1;
}

/* Not randombytes_buf(): it ends the process where the system has no randomness to give.
 */
static int system_random(void *p, size_t n)
{
    uint8_t *at = p;

    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -EIO;
        at += got;
        n -= (size_t)got;
    }
    return 0;
}

int rand_bytes(void *p, size_t n)
{
    int rc = seam_check(SEAM_RANDOM);

    if (!rc)
        rc = replaced ? replaced(p, n, replaced_arg) : system_random(p, n);
    if (!rc)
        return 0;
    secret_wipe(p, n);
    return -EIO;
}

int rand_below(uint32_t bound, uint32_t *out)
{
    /* 2^32 modulo bound: the lowest draws that many values would make some answers
     * likelier. */
    uint32_t spare = (uint32_t)(-bound) % bound;
    uint32_t drawn;

    do {
        int rc = rand_bytes(&drawn, sizeof drawn);

        *out = 0;
        if (rc)
            return rc;
    } while (drawn < spare);
    *out = drawn % bound;
    return 0;
}

void rand_set(rand_source *source, void *arg)
{
    replaced = source;
    replaced_arg = arg;
}
