/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/nearest.h"

#include <stdint.h>
#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: Damerau's swaps, no letter touched twice. */
static size_t distance(const char *a, size_t a_n, const char *b, size_t b_n)
{
    size_t d[NEAREST_WORD_MAX + 1][NEAREST_WORD_MAX + 1];

    for (size_t i = 0; i <= a_n; i++)
        d[i][0] = i;
    for (size_t j = 0; j <= b_n; j++)
        d[0][j] = j;
    for (size_t i = 1; i <= a_n; i++)
        for (size_t j = 1; j <= b_n; j++) {
            size_t change = a[i - 1] == b[j - 1] ? 0 : 1;

            d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1,
                            d[i - 1][j - 1] + change);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[a_n][b_n];
}

const char *nearest(const char *word, const char *const *names, size_t count)
{
    const char *found = NULL;
    size_t n = strlen(word);
    size_t best = SIZE_MAX;

    if (n == 0 || n > NEAREST_WORD_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t name_n = strlen(names[i]);
        size_t far;

        if (name_n > NEAREST_WORD_MAX)
            continue;
        far = distance(word, n, names[i], name_n);
        if (far < best && far < name_n && far <= (name_n + 2) / 3) {
            best = far;
            found = names[i];
        }
    }
    return found;
}
