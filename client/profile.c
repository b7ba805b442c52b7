/* SPDX-License-Identifier: Apache-2.0 */
#include "client/profile.h"

#include "lib/file.h"
#include "lib/seam.h"
#include "lib/secret.h"
#include "lib/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- where ------------------------------------------------------------------------ */

static bool is_name(const char *s)
{
    size_t n = strlen(s);

    if (n == 0 || n > PROFILE_NAME_MAX || s[0] == '.' || s[0] == '-')
        return false;
    for (size_t i = 0; i < n; i++)
        if (!(s[i] >= 'a' && s[i] <= 'z') && !(s[i] >= 'A' && s[i] <= 'Z') &&
            !(s[i] >= '0' && s[i] <= '9') && strchr("._-", s[i]) == NULL)
            return false;
    return true;
}

static int print_path(char out[PATH_MAX], const char *a, const char *b, const char *c)
{
    int n = snprintf(out, PATH_MAX, "%s%s%s", a, b, c);

    return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* XDG says that a relative path in its variables is to be ignored. */
static int data_home(char out[PATH_MAX])
{
    const char *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

    if (xdg && xdg[0] == '/')
        return print_path(out, xdg, "", "");
    if (home && home[0] == '/')
        return print_path(out, home, "/.local/share", "");
    return -ENOENT;
}

static int locate_path(const char *path, struct profile *out)
{
    const char *last;
    size_t n = strlen(path);

    while (n > 1 && path[n - 1] == '/')
        n--;
    if (n >= PATH_MAX)
        return -ENAMETOOLONG;
    memcpy(out->dir, path, n);
    out->dir[n] = '\0';
    last = strrchr(out->dir, '/');
    last = last ? last + 1 : out->dir;
    if (!is_name(last))
        return PROFILE_E_NAME;
    memcpy(out->name, last, strlen(last) + 1);
    return 0;
}

int profile_locate(const char *name_or_path, struct profile *out)
{
    char home[PATH_MAX], under[PATH_MAX];
    const char *name = name_or_path;
    int rc;

    *out = (struct profile){.lock = -1};
    if (name == NULL)
        name = getenv("KITH_PROFILE");
    if (name == NULL || name[0] == '\0')
        name = "default";
    if (strchr(name, '/')) {
        rc = locate_path(name, out);
    } else if (!is_name(name)) {
        rc = PROFILE_E_NAME;
    } else {
        (void)snprintf(out->name, sizeof out->name, "%s", name);
        rc = data_home(home);
        if (rc == 0)
            rc = print_path(under, home, "/kith/", name);
        if (rc == 0)
            rc = print_path(out->dir, under, "", "");
    }
    if (rc == 0)
        rc = print_path(out->db, out->dir, "/profile.db", "");
    if (rc == 0)
        rc = print_path(out->kdf, out->dir, "/kdf", "");
    return rc;
}

bool profile_exists(const struct profile *p)
{
    return access(p->kdf, F_OK) == 0;
}

/* ---- how the key is made ---------------------------------------------------------- */

/* Shortest decimal form, no sign, no blank. */
static bool take_number(const char **s, uint32_t least, uint32_t most, uint32_t *out)
{
    uint64_t v = 0;
    const char *p = *s;

    if (*p < '1' || *p > '9')
        return false;
    for (; *p >= '0' && *p <= '9' && v <= most; p++)
        v = v * 10 + (uint64_t)(*p - '0');
    if (v < least || v > most)
        return false;
    *out = (uint32_t)v;
    *s = p;
    return true;
}

static bool take_literal(const char **s, const char *want)
{
    size_t n = strlen(want);

    if (strncmp(*s, want, n) != 0)
        return false;
    *s += n;
    return true;
}

int profile_parse_kdf(struct bytes text, struct profile_kdf *out)
{
    char copy[PROFILE_KDF_FILE_BYTES + 1] = {0};
    const char *s = copy;

    if (text.n > PROFILE_KDF_FILE_BYTES || (text.n > 0 && memchr(text.p, 0, text.n)))
        return PROFILE_E_KDF;
    if (text.n > 0)
        memcpy(copy, text.p, text.n);
    if (!take_literal(&s, "kith-profile 1\nargon2id ") ||
        !take_number(&s, PROFILE_KDF_MEM_LEAST_KIB, PROFILE_KDF_MEM_MOST_KIB,
                     &out->mem_kib) ||
        !take_literal(&s, " ") ||
        !take_number(&s, 1, PROFILE_KDF_PASSES_MOST, &out->passes) ||
        !take_literal(&s, "\nsalt ") || strlen(s) != 2 * sizeof out->salt + 1 ||
        hex_decode(s, 2 * sizeof out->salt, out->salt, sizeof out->salt) ||
        s[2 * sizeof out->salt] != '\n')
        return PROFILE_E_KDF;
    return 0;
}

static int folder_is_ours(const struct profile *p)
{
    struct stat st;

    if (stat(p->dir, &st))
        return errno == ENOENT ? PROFILE_E_NONE : -errno;
    if (!S_ISDIR(st.st_mode))
        return PROFILE_E_NONE;
    return st.st_uid == geteuid() && (st.st_mode & 077) == 0 ? 0 : PROFILE_E_OPEN;
}

int profile_read_kdf(const struct profile *p, struct profile_kdf *out)
{
    struct buf text;
    int rc = folder_is_ours(p);

    if (rc)
        return rc;
    buf_init(&text, PROFILE_KDF_FILE_BYTES);
    rc = file_read(p->kdf, PROFILE_KDF_FILE_BYTES, false, &text);
    if (rc == -ENOENT)
        rc = PROFILE_E_NONE;
    else if (rc == -EFBIG)
        rc = PROFILE_E_KDF;
    else if (rc == 0)
        rc = profile_parse_kdf(buf_view(&text), out);
    buf_free(&text);
    return rc;
}

int profile_create(struct profile *p, struct profile_kdf *out)
{
    char text[PROFILE_KDF_FILE_BYTES], salt[2 * PW_SALT_BYTES + 1];
    int n, rc = file_mkdirs(p->dir, 0700);

    if (rc)
        return rc;
    rc = folder_is_ours(p);
    if (rc)
        return rc == PROFILE_E_OPEN ? PROFILE_E_OPEN : -ENOTDIR;
    if (profile_exists(p) || access(p->db, F_OK) == 0)
        return PROFILE_E_EXISTS;
    out->mem_kib = PROFILE_KDF_MEM_KIB;
    out->passes = PROFILE_KDF_PASSES;
    rc = rand_bytes(out->salt, sizeof out->salt);
    if (rc)
        return rc;
    hex_encode(BYTES(out->salt), salt);
    n = snprintf(text, sizeof text,
                 "kith-profile 1\nargon2id %" PRIu32 " %" PRIu32 "\nsalt %s\n",
                 out->mem_kib, out->passes, salt);
    return file_replace(p->kdf, (struct bytes){(const uint8_t *)text, (size_t)n}, 0600);
}

/* ---- the slow step ---------------------------------------------------------------- */

struct derive {
    uv_work_t work;
    struct bytes passphrase;
    const struct profile_kdf *kdf;
    uint8_t *key;
    int rc;
    bool done;
};

static void derive_in_pool(uv_work_t *w)
{
    struct derive *d = w->data;

    d->rc = pw_derive(d->passphrase, d->kdf->salt, d->kdf->mem_kib, d->kdf->passes,
                      d->key, PROFILE_KEY_BYTES);
}

static void on_derived(uv_work_t *w, int status)
{
    struct derive *d = w->data;

    d->done = true;
    if (status)
        d->rc = status;
}

int profile_derive(uv_loop_t *loop, struct bytes passphrase,
                   const struct profile_kdf *kdf, uint8_t *key)
{
    struct derive d = {.passphrase = passphrase, .kdf = kdf, .key = key};
    int rc = seam_check(SEAM_THREAD);

    if (rc)
        return rc;
    d.work.data = &d;
    rc = uv_queue_work(loop, &d.work, derive_in_pool, on_derived);
    if (rc)
        return rc;
    while (!d.done)
        (void)uv_run(loop, UV_RUN_ONCE);
    return d.rc;
}

/* ---- one holder ------------------------------------------------------------------- */

int profile_hold(struct profile *p)
{
    int fd, rc = seam_check(SEAM_OPEN);

    if (p->lock >= 0)
        return 0;
    if (rc)
        return rc;
    fd = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        p->lock = fd;
        return 0;
    }
    rc = errno == EWOULDBLOCK ? PROFILE_E_HELD : -errno;
    (void)close(fd);
    return rc;
}

void profile_release(struct profile *p)
{
    if (p->lock >= 0)
        (void)close(p->lock);
    p->lock = -1;
}

/* ---- taking it away --------------------------------------------------------------- */

static int remove_file(const char *path)
{
    int rc = seam_check(SEAM_UNLINK);

    if (rc)
        return rc;
    return unlink(path) && errno != ENOENT ? -errno : 0;
}

static int remove_content(const char *dir)
{
    DIR *d = opendir(dir);
    const struct dirent *e;
    char path[PATH_MAX + 256 + 2];
    int rc = 0;

    if (d == NULL)
        return errno == ENOENT ? 0 : -errno;
    while (rc == 0 && (e = readdir(d)) != NULL) {
        /* Ours, and SQLite's journals beside it: nothing else in there is ours to take.
         */
        if (strncmp(e->d_name, "profile.db", 10) != 0 &&
            strncmp(e->d_name, "kdf", 3) != 0)
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        rc = remove_file(path);
    }
    (void)closedir(d);
    return rc;
}

int profile_destroy(struct profile *p)
{
    int rc = remove_file(p->kdf); /* without the salt no passphrase opens the rest */

    if (rc == 0)
        rc = remove_content(p->dir);
    if (rc)
        return rc;
    if (rmdir(p->dir) && errno != ENOENT && errno != ENOTEMPTY)
        return -errno;
    return 0;
}
