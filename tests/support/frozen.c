/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/frozen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *frozen_load(const char *name)
{
    const char *source = getenv("KITH_SOURCE");
    char dir[4000];
    json_error_t error;
    json_t *root;

    (void)snprintf(dir, sizeof dir, "%s/tests/vectors", source ? source : ".");
    root = json_load_file(support_path(dir, name), 0, &error);
    if (!root)
        fail_msg("%s, line %d: %s", support_path(dir, name), error.line, error.text);
    return root;
}

void frozen_copy(const json_t *o, const char *key, void *out, size_t n)
{
    struct bytes b = vectors_hex(o, key);

    assert_int_equal(b.n, n);
    memcpy(out, b.p, n);
    support_drop(b);
}

void frozen_equal(const json_t *o, const char *key, const void *got, size_t n)
{
    struct bytes want = vectors_hex(o, key);

    if (want.n != n || (n && memcmp(want.p, got, n)))
        fail_msg("\"%s\" is not as frozen", key);
    support_drop(want);
}
