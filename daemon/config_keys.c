/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config_keys.h"

#include "lib/text.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",   [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_NOTICE] = "notice", [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};
enum { LEVELS = sizeof level_names / sizeof level_names[0] };

__attribute__((format(printf, 2, 3))) static bool want(char expected[CONFIG_EXPECT_CHARS],
                                                       const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(expected, CONFIG_EXPECT_CHARS, fmt, ap);
    va_end(ap);
    return false;
}

/* Digits only, least..most, then exactly this suffix. */
static bool number(const char *value, uint64_t least, uint64_t most, const char *suffix,
                   uint64_t *out)
{
    uint64_t v = 0;
    size_t n = strspn(value, "0123456789");

    if (n == 0 || n > 15 || strcmp(value + n, suffix) != 0)
        return false;
    for (size_t i = 0; i < n; i++)
        v = v * 10 + (uint64_t)(value[i] - '0');
    *out = v;
    return v >= least && v <= most;
}

static bool number32(const char *value, uint32_t least, uint32_t most, uint32_t *out,
                     char expected[CONFIG_EXPECT_CHARS])
{
    uint64_t v;

    if (!number(value, least, most, "", &v))
        return want(expected, "must be %" PRIu32 " to %" PRIu32, least, most);
    *out = (uint32_t)v;
    return true;
}

/* ---- relay ------------------------------------------------------------------------ */

static bool set_name(struct config *c, const char *value,
                     char expected[CONFIG_EXPECT_CHARS])
{
    size_t n = strlen(value);

    if (n < 1 || n > COHORT_NAME_BYTES_MAX ||
        !utf8_valid((struct bytes){(const uint8_t *)value, n}) ||
        strpbrk(value, "\r\n\t"))
        return want(expected, "must be 1 to %d bytes of text on one line",
                    COHORT_NAME_BYTES_MAX);
    memcpy(c->name, value, n + 1);
    return true;
}

static void show_name(const struct config *c, char out[CONFIG_VALUE_CHARS])
{
    (void)snprintf(out, CONFIG_VALUE_CHARS, "\"%s\"", c->name);
}

static bool is_ip(const char *host)
{
    uint8_t address[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, address) == 1 ||
           inet_pton(AF_INET6, host, address) == 1;
}

static bool add_listen(struct config *c, const char *value,
                       char expected[CONFIG_EXPECT_CHARS])
{
    struct address a;

    if (c->listen_n == CONFIG_LISTEN_MAX)
        return want(expected, "may have at most %d addresses", CONFIG_LISTEN_MAX);
    if (address_parse(value, strlen(value), &a) || !is_ip(a.host))
        return want(expected,
                    "must be an IP address and port, such as \"0.0.0.0:%d\" or "
                    "\"[::]:%d\"",
                    PORT_DEFAULT, PORT_DEFAULT);
    c->listen[c->listen_n++] = a;
    return true;
}

static void show_listen(const struct config *c, char out[CONFIG_VALUE_CHARS])
{
    size_t n = (size_t)snprintf(out, CONFIG_VALUE_CHARS, "{");

    for (size_t i = 0; i < c->listen_n; i++) {
        const struct address *a = &c->listen[i];
        const char *fmt = strchr(a->host, ':') ? "%s \"[%s]:%u\"" : "%s \"%s:%u\"";

        n += (size_t)snprintf(out + n, CONFIG_VALUE_CHARS - n, fmt, i == 0 ? "" : ",",
                              a->host, (unsigned)a->port);
    }
    (void)snprintf(out + n, CONFIG_VALUE_CHARS - n, " }");
}

static bool set_address(struct config *c, const char *value,
                        char expected[CONFIG_EXPECT_CHARS])
{
    struct address a;
    char text[ADDRESS_BYTES_MAX + 10];

    if (address_parse(value, strlen(value), &a))
        return want(expected,
                    "must be a host name or IP address, with :PORT unless it is %d",
                    PORT_DEFAULT);
    address_print(&a, text);
    memcpy(c->address, text, strlen(text) + 1);
    return true;
}

static void show_address(const struct config *c, char out[CONFIG_VALUE_CHARS])
{
    (void)snprintf(out, CONFIG_VALUE_CHARS, "\"%s\"", c->address);
}

static bool set_user(struct config *c, const char *value,
                     char expected[CONFIG_EXPECT_CHARS])
{
    size_t n = strlen(value);

    if (n > CONFIG_USER_BYTES_MAX ||
        strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789_-") != n)
        return want(expected,
                    "must be a user of this machine, of at most %d letters, digits, "
                    "_ and -",
                    CONFIG_USER_BYTES_MAX);
    memcpy(c->user, value, n + 1);
    return true;
}

static void show_user(const struct config *c, char out[CONFIG_VALUE_CHARS])
{
    (void)snprintf(out, CONFIG_VALUE_CHARS, "\"%s\"", c->user);
}

/* ---- board ------------------------------------------------------------------------ */

static bool set_retention(struct config *c, const char *value,
                          char expected[CONFIG_EXPECT_CHARS])
{
    uint64_t days;

    if (!number(value, 1, RETENTION_DAYS_MAX, "d", &days))
        return want(expected, "must be \"1d\" to \"%dd\"", RETENTION_DAYS_MAX);
    c->retention_days = (uint32_t)days;
    return true;
}

static void show_retention(const struct config *c, char out[CONFIG_VALUE_CHARS])
{
    (void)snprintf(out, CONFIG_VALUE_CHARS, "\"%" PRIu32 "d\"", c->retention_days);
}

static bool set_buckets(struct config *c, const char *value,
                        char expected[CONFIG_EXPECT_CHARS])
{
    return number32(value, 1, BUCKETS_MAIL_MAX, &c->mail_buckets, expected);
}

static void show_buckets(const struct config *c, char out[CONFIG_VALUE_CHARS])
{
    (void)snprintf(out, CONFIG_VALUE_CHARS, "%" PRIu32, c->mail_buckets);
}

static bool set_members(struct config *c, const char *value,
                        char expected[CONFIG_EXPECT_CHARS])
{
    return number32(value, 2, 50000, &c->members, expected);
}

static void show_members(const struct config *c, char out[CONFIG_VALUE_CHARS])
{
    (void)snprintf(out, CONFIG_VALUE_CHARS, "%" PRIu32, c->members);
}

enum { MIB = 1024 * 1024, MAP_MIB_MIN = 16, MAP_GIB_MAX = 1024 };

static bool set_map(struct config *c, const char *value,
                    char expected[CONFIG_EXPECT_CHARS])
{
    uint64_t v;

    if (number(value, MAP_MIB_MIN, (uint64_t)MAP_GIB_MAX * 1024, "m", &v))
        c->map_bytes = v * MIB;
    else if (number(value, 1, MAP_GIB_MAX, "g", &v))
        c->map_bytes = v * 1024 * MIB;
    else
        return want(expected, "must be \"%dm\" to \"%dg\"", MAP_MIB_MIN, MAP_GIB_MAX);
    return true;
}

static void show_map(const struct config *c, char out[CONFIG_VALUE_CHARS])
{
    uint64_t mib = c->map_bytes / MIB;
    bool whole = mib % 1024 == 0;

    (void)snprintf(out, CONFIG_VALUE_CHARS, "\"%" PRIu64 "%s\"", whole ? mib / 1024 : mib,
                   whole ? "g" : "m");
}

/* ---- limits, log ------------------------------------------------------------------ */

static bool set_connections(struct config *c, const char *value,
                            char expected[CONFIG_EXPECT_CHARS])
{
    return number32(value, 1, 100000, &c->connections, expected);
}

static void show_connections(const struct config *c, char out[CONFIG_VALUE_CHARS])
{
    (void)snprintf(out, CONFIG_VALUE_CHARS, "%" PRIu32, c->connections);
}

static bool set_each(struct config *c, const char *value,
                     char expected[CONFIG_EXPECT_CHARS])
{
    return number32(value, 1, 100000, &c->connections_per_address, expected);
}

static void show_each(const struct config *c, char out[CONFIG_VALUE_CHARS])
{
    (void)snprintf(out, CONFIG_VALUE_CHARS, "%" PRIu32, c->connections_per_address);
}

static bool set_level(struct config *c, const char *value,
                      char expected[CONFIG_EXPECT_CHARS])
{
    for (int i = 0; i < LEVELS; i++)
        if (strcmp(value, level_names[i]) == 0) {
            c->log = (enum log_level)i;
            return true;
        }
    return want(expected,
                "must be \"error\", \"warn\", \"notice\", \"info\" or \"debug\"");
}

static void show_level(const struct config *c, char out[CONFIG_VALUE_CHARS])
{
    (void)snprintf(out, CONFIG_VALUE_CHARS, "\"%s\"", level_names[c->log]);
}

/* ---- the table -------------------------------------------------------------------- */

const struct config_key config_keys[] = {
    {"relay", "name", false, CONFIG_DESCRIPTOR, set_name, show_name},
    {"relay", "listen", true, CONFIG_RESTART, add_listen, show_listen},
    {"relay", "address", false, CONFIG_LIVE, set_address, show_address},
    {"relay", "user", false, CONFIG_RESTART, set_user, show_user},
    {"board", "retention", false, CONFIG_DESCRIPTOR, set_retention, show_retention},
    {"board", "mail_buckets", false, CONFIG_DESCRIPTOR, set_buckets, show_buckets},
    {"board", "members", false, CONFIG_DESCRIPTOR, set_members, show_members},
    {"board", "map_size", false, CONFIG_RESTART, set_map, show_map},
    {"limits", "connections", false, CONFIG_LIVE, set_connections, show_connections},
    {"limits", "connections_per_address", false, CONFIG_LIVE, set_each, show_each},
    {"log", "level", false, CONFIG_LIVE, set_level, show_level},
};
const size_t config_keys_n = sizeof config_keys / sizeof config_keys[0];

const struct config_key *config_key_find(const char *section, const char *name)
{
    for (size_t i = 0; i < config_keys_n; i++)
        if (strcmp(config_keys[i].section, section) == 0 &&
            strcmp(config_keys[i].name, name) == 0)
            return &config_keys[i];
    return NULL;
}

bool config_section_known(const char *section)
{
    for (size_t i = 0; i < config_keys_n; i++)
        if (strcmp(config_keys[i].section, section) == 0)
            return true;
    return false;
}
