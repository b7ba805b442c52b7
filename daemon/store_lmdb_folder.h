/* SPDX-License-Identifier: Apache-2.0 */
/* store_lmdb_folder: folders of environments, made and taken away so that a crash at any
 * moment leaves a name that tells what to do: NAME.new was never finished, NAME.gone was
 * on its way out, both are removed; NAME is whole. Flow     store_lmdb, store_lmdb_state
 * -> store_lmdb_folder -> the file system Owns     nothing.  Threads: whoever writes All
 * return 0, STORE_E_FULL (no room for a name), STORE_E_BROKEN (a name may or may not
 * last: its folder failed to sync) or -errno. */
#ifndef KITH_DAEMON_STORE_LMDB_FOLDER_H
#define KITH_DAEMON_STORE_LMDB_FOLDER_H

#include "daemon/store.h"

#include <limits.h>

enum { STORE_LMDB_NAME_BYTES = sizeof "2026-01-31" };

/* A day's name, and the day of a name. */
void store_lmdb_folder_name(uint32_t day, char name[STORE_LMDB_NAME_BYTES]);
bool store_lmdb_folder_day(const char *name, uint32_t *day);
/* parent/name and suffix; -ENAMETOOLONG. */
MUST_USE int store_lmdb_folder_path(const char *parent, const char *name,
                                    const char *suffix, char path[PATH_MAX]);

MUST_USE int store_lmdb_folder_begin(const char *parent,
                                     const char *name); /* NAME.new, empty */
MUST_USE int store_lmdb_folder_keep(const char *parent,
                                    const char *name); /* .new -> NAME */
MUST_USE int store_lmdb_folder_drop(const char *parent,
                                    const char *name); /* NAME -> .gone */
MUST_USE int store_lmdb_folder_move(const char *parent, const char *from, const char *to);
/* Remove every .new and .gone in there, files first. */
MUST_USE int store_lmdb_folder_sweep(const char *parent);
/* The days there are, in order; *days is the caller's to mem_free(). */
MUST_USE int store_lmdb_folder_days(const char *parent, uint32_t **days, size_t *count);

#endif
