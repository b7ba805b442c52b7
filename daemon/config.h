/* SPDX-License-Identifier: Apache-2.0 */
/* config: kithd.conf and kithd.conf.d/ (drop-ins beside it, *.conf, sorted; later wins).
 * Flow     files -> config_load -> main, relay, kithctl
 * Owns     nothing beyond the call
 * Threads  one at a time: libconfuse's scanner is global
 * All problems of all files are collected, each with file and line, and with the nearest
 * key that exists when one is unknown. */
#ifndef KITH_DAEMON_CONFIG_H
#define KITH_DAEMON_CONFIG_H

#include "lib/buf.h"
#include "lib/log.h"
#include "proto/invite.h"

enum {
    CONFIG_LISTEN_MAX = 8,
    CONFIG_USER_BYTES_MAX = 32, /* as Linux has it */
    CONFIG_PROBLEMS_MAX = 50,   /* more than anybody mends in one go */
    CONFIG_PATH_BYTES = 4096,
    CONFIG_FILE_BYTES_MAX = 64 * 1024,
    CONFIG_FILES_MAX = 64,
};
enum {
    CONFIG_E_BAD = 1, /* problems say what; *out is not to be used */
    CONFIG_E_ABSENT,  /* no such file: run kithctl up */
};

/* Every key has a default; the file may hold nothing but relay { name = "..." }. */
struct config {
    char name[COHORT_NAME_BYTES_MAX + 1];     /* relay.name */
    size_t listen_n;                          /* relay.listen */
    struct address listen[CONFIG_LISTEN_MAX]; /* an address and port to bind */
    char address[ADDRESS_BYTES_MAX + 10];     /* relay.address: what invites say */
    char user[CONFIG_USER_BYTES_MAX + 1]; /* relay.user: empty: _kithd if there is one */
    uint32_t retention_days;              /* board.retention, "14d" */
    uint32_t mail_buckets;                /* board.mail_buckets */
    uint32_t members;                     /* board.members */
    uint64_t map_bytes;                   /* board.map_size, "64g": of one day, sparse */
    uint32_t connections;                 /* limits.connections */
    uint32_t connections_per_address;     /* limits.connections_per_address */
    enum log_level log;                   /* log.level */
};

struct config_problems {
    size_t count;
    char *line[CONFIG_PROBLEMS_MAX]; /* "kithd.conf:14: ..."; freed by
                                        config_problems_free */
};
void config_problems_free(struct config_problems *p);

/* The defaults (name and address empty). */
void config_defaults(struct config *out);
/* Read file and its drop-ins over the defaults.  problems: an empty one.
 * 0, CONFIG_E_BAD, CONFIG_E_ABSENT, -ENOMEM. */
MUST_USE int config_load(const char *file, struct config *out,
                         struct config_problems *problems);
/* Write a new file with this name, address and listen list, and README in an empty
 * drop-in folder beside it.  0, -EEXIST (nothing changed), -EINVAL (a name that can't be
 * written), -errno. */
MUST_USE int config_create(const char *file, const struct config *c);
/* The settings, one "section.key = value" a visit; changed_only: those that differ from
 * the defaults. */
void config_show(const struct config *c, bool changed_only,
                 void (*line)(const char *text, void *arg), void *arg);

/* Visit each key whose value differs between the two. */
enum config_applies { CONFIG_LIVE, CONFIG_RESTART, CONFIG_DESCRIPTOR };
void config_diff(const struct config *was, const struct config *now,
                 void (*differs)(const char *key, enum config_applies how, void *arg),
                 void *arg);

/* The relay's folder when none is named: /var/lib/kithd for root, else
 * $XDG_DATA_HOME/kithd, else ~/.local/share/kithd.  0, -ENOENT (no home), -ENAMETOOLONG.
 */
MUST_USE int config_default_dir(char out[CONFIG_PATH_BYTES]);

#endif
