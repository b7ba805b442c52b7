/* SPDX-License-Identifier: Apache-2.0 */
/* qr: a QR code as lines of text.
 * Flow     client/cmd_link -> qr -> terminal
 * Owns     nothing.
 * Threads  any */
#ifndef KITH_UI_QR_H
#define KITH_UI_QR_H

#include "lib/buf.h"

enum qr_style {
    QR_BLOCKS, /* half blocks, both colours set explicitly: an inverted code does not scan
                */
    QR_ASCII,  /* two characters a module (see lib/matrix.h), for terminals without UTF-8
                */
};
enum { QR_E_LONG = 1 /* does not fit a code that fits a terminal of 80 x 24 */ };

/* Append the lines, each ended by '\n', with a quiet zone of 2 modules.  text: upper-case
 * QR-alphanumeric, ended by zero.  Returns 0, QR_E_LONG or -ENOMEM. */
MUST_USE int qr_draw(const char *text, enum qr_style style, struct buf *out);

#endif
