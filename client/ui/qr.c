/* SPDX-License-Identifier: Apache-2.0 */
#include "client/ui/qr.h"

#include "lib/matrix.h"

#include <errno.h>
#include <qrencode.h>

/* Version 6: with its quiet zone 23 lines of half blocks, one less than a terminal of 24.
 */
enum { MODULES_MAX = 41 };

int qr_draw(const char *text, enum qr_style style, struct buf *out)
{
    QRcode *q = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);

    if (q == NULL)
        return errno == ERANGE ? QR_E_LONG : -ENOMEM;
    if (q->width > MODULES_MAX) {
        QRcode_free(q);
        return QR_E_LONG;
    }
    matrix_draw(q->data, (size_t)q->width,
                style == QR_BLOCKS ? MATRIX_BLOCKS : MATRIX_ASCII, out);
    QRcode_free(q);
    return out->rc;
}
