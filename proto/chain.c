/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/chain.h"

void chain_first(const uint8_t cohort[32], uint32_t bucket, uint8_t head[HASH_BYTES])
{
    uint8_t number[4];

    le_put(number, bucket, sizeof number);
    HASH(head, LABEL("kith1 log"), {cohort, 32}, BYTES(number));
}

void chain_next(uint8_t head[HASH_BYTES], uint64_t seq, const uint8_t *envelope)
{
    uint8_t before[HASH_BYTES], number[8];

    for (size_t i = 0; i < HASH_BYTES; i++)
        before[i] = head[i];
    le_put(number, seq, sizeof number);
    HASH(head, BYTES(before), BYTES(number), {envelope, ENVELOPE_BYTES});
}
