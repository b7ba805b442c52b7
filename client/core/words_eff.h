/* SPDX-License-Identifier: Apache-2.0 */
/* words_eff: the EFF's short word list 2, for the words of core/verify.  Static storage.
 */
#ifndef KITH_CORE_WORDS_EFF_H
#define KITH_CORE_WORDS_EFF_H

#include <stdint.h>

enum { WORDS_EFF = 1296 };

/* The word at index (taken modulo WORDS_EFF, from 0 in the list's order). */
const char *words_eff(uint32_t index);

#endif
