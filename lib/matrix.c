/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/matrix.h"

#include <errno.h>
#include <string.h>

static const char LINE_START[] = "\033[30;107m"; /* black on bright white */
static const char LINE_END[] = "\033[0m\n";

static bool dark(const uint8_t *modules, size_t side, size_t row, size_t column)
{
    if (row < MATRIX_QUIET || column < MATRIX_QUIET)
        return false;
    row -= MATRIX_QUIET;
    column -= MATRIX_QUIET;
    return row < side && column < side && (modules[row * side + column] & 1) != 0;
}

static void put(struct buf *out, const char *s)
{
    buf_put(out, s, strlen(s));
}

static void draw_blocks(const uint8_t *modules, size_t side, struct buf *out)
{
    static const char *const pair[2][2] = {{" ", "\u2584"}, {"\u2580", "\u2588"}};
    size_t all = side + 2 * MATRIX_QUIET;

    for (size_t row = 0; row < all; row += 2) {
        put(out, LINE_START);
        for (size_t column = 0; column < all; column++)
            put(out, pair[dark(modules, side, row, column)]
                         [dark(modules, side, row + 1, column)]);
        put(out, LINE_END);
    }
}

static void draw_ascii(const uint8_t *modules, size_t side, struct buf *out)
{
    size_t all = side + 2 * MATRIX_QUIET;

    for (size_t row = 0; row < all; row++) {
        for (size_t column = 0; column < all; column++)
            put(out, dark(modules, side, row, column) ? "  " : "##");
        put(out, "\n");
    }
}

void matrix_draw(const uint8_t *modules, size_t side, enum matrix_style style,
                 struct buf *out)
{
    if (side < 1 || side > MATRIX_SIDE_MAX) {
        out->rc = -EINVAL;
        return;
    }
    if (style == MATRIX_BLOCKS)
        draw_blocks(modules, side, out);
    else
        draw_ascii(modules, side, out);
}
