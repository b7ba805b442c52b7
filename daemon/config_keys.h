/* SPDX-License-Identifier: Apache-2.0 */
/* config_keys: the table of settings: how each is read, shown and compared.
 * Flow     config -> config_keys.  Threads: any. */
#ifndef KITH_DAEMON_CONFIG_KEYS_H
#define KITH_DAEMON_CONFIG_KEYS_H

#include "daemon/config.h"

enum { CONFIG_VALUE_CHARS = 1024, CONFIG_EXPECT_CHARS = 160 };

struct config_key {
    const char *section, *name;
    bool list; /* { "a", "b" } instead of "a" */
    enum config_applies applies;
    /* Put one value into c; a list is cleared before its first.  False: not taken;
     * expected then says what would be. */
    bool (*set)(struct config *c, const char *value, char expected[CONFIG_EXPECT_CHARS]);
    void (*show)(const struct config *c, char out[CONFIG_VALUE_CHARS]);
};

extern const struct config_key config_keys[];
extern const size_t config_keys_n;

/* NULL when there is none of that name in the section. */
const struct config_key *config_key_find(const char *section, const char *name);
bool config_section_known(const char *section);

#endif
