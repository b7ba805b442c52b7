/* SPDX-License-Identifier: Apache-2.0 */
/* text: hex, base32 and UTF-8, from bytes to bytes.  Threads: any. */
#ifndef KITH_LIB_TEXT_H
#define KITH_LIB_TEXT_H

#include "lib/buf.h"

/* Lower-case hex; out has 2 * in.n + 1. */
void hex_encode(struct bytes in, char *out);
/* Exactly 2 * n hex digits of either case.  Returns 0 or -EINVAL. */
MUST_USE int hex_decode(const char *in, size_t in_n, uint8_t *out, size_t n);

/* RFC 4648 base32, upper case, no padding.  out has BASE32_CHARS(in.n) + 1. */
#define BASE32_CHARS(n) (((n)*8 + 4) / 5)
void base32_encode(struct bytes in, char *out);
/* Exactly BASE32_CHARS(n) characters of either case; spare bits must be zero.  0 or
 * -EINVAL. */
MUST_USE int base32_decode(const char *in, size_t in_n, uint8_t *out, size_t n);

/* True if the bytes are UTF-8 as RFC 3629 has it: no overlong forms, no surrogates. */
bool utf8_valid(struct bytes in);
/* The longest prefix of the bytes, of at most most bytes, that ends between characters.
 */
size_t utf8_prefix(struct bytes in, size_t most);

#endif
