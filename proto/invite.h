/* SPDX-License-Identifier: Apache-2.0 */
/* invite: the two strings people hand each other.  SPEC 5.4, 5.5. */
#ifndef KITH_PROTO_INVITE_H
#define KITH_PROTO_INVITE_H

#include "lib/buf.h"
#include "proto/limits.h"

enum {
    INVITE_E_FORM = 1, /* not an invite, or damaged */
    INVITE_E_KIND, /* a contact link where an invite was wanted, or the other way round */
    INVITE_E_CHECK,  /* link: the check does not fit: mistyped */
    INVITE_E_COHORT, /* link: of another cohort */
};
enum { LINK_SECRET_BYTES = 32, LINK_CHARS = 7 + 80 };

struct address {
    char host[ADDRESS_BYTES_MAX +
              1]; /* name, IPv4, or IPv6 without brackets; lower case */
    uint16_t port;
};
/* "host", "host:port", "1.2.3.4:5", "[::1]:5", "::1", and the invite's "::1*5".  0 or
 * INVITE_E_FORM. */
MUST_USE int address_parse(const char *text, size_t n, struct address *out);
/* As people write it: brackets for IPv6 when a port follows; the port left out when 7443.
 * out has ADDRESS_BYTES_MAX + 10. */
void address_print(const struct address *a, char *out);

struct invite {
    struct address address;
    uint8_t secret[16];
    uint8_t fingerprint[16];
};
/* out has INVITE_CHARS_MAX + 1.  0 or -EMSGSIZE (the host name is too long). */
MUST_USE int invite_print(const struct invite *i, char *out);
/* White space anywhere is dropped, case folded.  text need not end in zero. */
MUST_USE int invite_parse(const char *text, size_t n, struct invite *out);

struct link {
    uint8_t secret[LINK_SECRET_BYTES];
    uint32_t bucket;
    uint64_t from;      /* first sequence number to read: 1 modulo 256 */
    uint32_t last_hour; /* unix hours */
};
void link_print(const struct link *l, const uint8_t cohort[32], char out[LINK_CHARS + 1]);
MUST_USE int link_parse(const char *text, size_t n, const uint8_t cohort[32],
                        struct link *out);

/* Fingerprint for people: 8 groups of 4 hex digits; out has 40. */
void fingerprint_print(const uint8_t fingerprint[16], char out[40]);

#endif
