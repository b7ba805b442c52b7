/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/vectors.h"

#include <unistd.h>

json_t *vectors_load(const char *name)
{
    const char *dir = support_vectors();
    json_error_t error;
    json_t *root;

    if (!dir || access(support_path(dir, name), R_OK) != 0) {
        print_message("no vectors: %s\n", name);
        skip();
    }
    root = json_load_file(support_path(dir, name), JSON_ALLOW_NUL, &error);
    if (!root)
        fail_msg("%s, line %d: %s", name, error.line, error.text);
    return root;
}

static const json_t *field(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);

    if (!v)
        fail_msg("no field \"%s\"", key);
    return v;
}

struct bytes vectors_hex(const json_t *o, const char *key)
{
    return support_hex(vectors_text(o, key));
}

const char *vectors_text(const json_t *o, const char *key)
{
    const json_t *v = field(o, key);

    assert_true(json_is_string(v));
    return json_string_value(v);
}

json_int_t vectors_number(const json_t *o, const char *key)
{
    const json_t *v = field(o, key);

    assert_true(json_is_integer(v));
    return json_integer_value(v);
}

json_t *vectors_array(const json_t *o, const char *key)
{
    json_t *v = json_object_get(o, key);

    assert_true(json_is_array(v));
    return v;
}
