/* SPDX-License-Identifier: Apache-2.0 */
/* err: one int, three meanings.
 * 0        done
 * negative -errno: nobody below the caller can help; pass it up unchanged
 * positive a condition of the module that returned it, for its caller to handle; never
 *          forwarded.  A condition nobody wants is turned into -EPROTO by err_fold().
 * Codes of libraries (LMDB, SQLite, libuv's are -errno already) stop at their fence. */
#ifndef KITH_LIB_ERR_H
#define KITH_LIB_ERR_H

#define MUST_USE __attribute__((warn_unused_result))

/* Fold a result for a caller who handles no condition: 0 and negatives pass, positives
 * become -EPROTO. */
MUST_USE int err_fold(int rc);

/* A short English phrase for -errno ("no space left on device"); static storage. */
const char *err_text(int rc);

#endif
