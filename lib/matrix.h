/* SPDX-License-Identifier: Apache-2.0 */
/* matrix: a QR code's modules as lines of text, for kith and kithctl.
 * Two rows of modules make one line of half blocks; colours are set explicitly, black on
 * white, because an inverted code does not scan (a light module is never "whatever the
 * terminal has"). Flow     libqrencode (in the programs) -> matrix -> terminal Threads
 * any */
#ifndef KITH_LIB_MATRIX_H
#define KITH_LIB_MATRIX_H

#include "lib/buf.h"

enum {
    MATRIX_SIDE_MAX = 177, /* QR version 40 */
    MATRIX_QUIET = 2,      /* light modules around: enough for every reader tried */
};

enum matrix_style {
    MATRIX_BLOCKS, /* UTF-8 half blocks with SGR colours */
    MATRIX_ASCII,  /* "##" and spaces, light modules as ##: for dark terminals without
                      UTF-8 */
};

/* modules: side * side bytes, lowest bit 1 = dark.  Appends whole lines to out; failure
 * in out->rc (-EINVAL for a side out of range). */
void matrix_draw(const uint8_t *modules, size_t side, enum matrix_style style,
                 struct buf *out);

#endif
