/* SPDX-License-Identifier: Apache-2.0 */
/* config_scan: finds every setting that nobody knows, before libconfuse, which would
 * stop at the first, sees the text.
 * Flow     config -> config_scan -> libconfuse
 * Threads  any
 */
#ifndef KITH_DAEMON_CONFIG_SCAN_H
#define KITH_DAEMON_CONFIG_SCAN_H

#include <stddef.h>

/* section: NULL for an unknown section of this name. */
typedef void config_unknown(size_t line, const char *section, const char *name,
                            void *arg);

/* Report each unknown setting and section in text (n bytes and a closing zero), and blank
 * it out, lines kept, so that the rest can be parsed. */
void config_scan(char *text, size_t n, config_unknown *unknown, void *arg);

#endif
