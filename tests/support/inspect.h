/* SPDX-License-Identifier: Apache-2.0 */
/* inspect: one MessagePack value as typed JSON, for kith-vec and the vector tests.
 *     null  true  false  {"int":"-5"}  {"float":0.5}  {"str":"x"}  {"bin":"00ff"}
 *     {"array":[..]}  {"map":[[key,value],..]}  {"ext":[type,"00ff"]}
 * Floats that JSON has no number for are {"float":"nan"}, "inf" and "-inf". */
#ifndef KITH_TESTS_INSPECT_H
#define KITH_TESTS_INSPECT_H

#include "lib/buf.h"

#include <jansson.h>

/* The whole of in as one value, or NULL: SPEC 3.3 refuses it.  json_decref() it. */
json_t *inspect_value(struct bytes in);
/* Bytes as a JSON string of lower-case hex, or NULL without memory. */
json_t *inspect_hex(struct bytes in);

#endif
