/* SPDX-License-Identifier: Apache-2.0 */
#include "client/core/verify.h"

#include "client/core/words_eff.h"
#include "lib/secret.h"

/* Somebody who sits between two people can try keys until six words agree on both sides.
 * Three passes over 64 MiB make each of the 2^62 tries cost what a login does. */
enum { VERIFY_MEM_KIB = 64 * 1024, VERIFY_PASSES = 3, VERIFY_DRAWN_BYTES = 16 };
_Static_assert(VERIFY_DRAWN_BYTES >= 2 * VERIFY_WORDS, "two bytes a word");

int verify_words(const uint8_t th_2[HASH_BYTES], const char *words[VERIFY_WORDS])
{
    static const uint8_t salt[PW_SALT_BYTES] = "kith1 verify";
    uint8_t drawn[VERIFY_DRAWN_BYTES];
    int rc = pw_derive((struct bytes){th_2, HASH_BYTES}, salt, VERIFY_MEM_KIB,
                       VERIFY_PASSES, drawn, sizeof drawn);

    if (rc)
        return rc;
    for (size_t i = 0; i < VERIFY_WORDS; i++)
        words[i] = words_eff((uint32_t)le_get(drawn + 2 * i, 2) % WORDS_EFF);
    secret_wipe(drawn, sizeof drawn);
    return 0;
}
