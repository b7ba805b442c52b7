/* SPDX-License-Identifier: Apache-2.0 */
/* kith-vec: JSON lines in, JSON lines out; see README.md beside this file. */
#include "tests/vec/ops.h"

#include "lib/secret.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINE_BYTES_MAX = 16 * 1024 * 1024 };

/* Read one line without its end.  False at the end of the input.  Of a line beyond the
 * bound nothing is kept, and *n says LINE_BYTES_MAX + 1. */
static bool read_line(FILE *in, char *line, size_t *n)
{
    int c = getc_unlocked(in);

    *n = 0;
    if (c == EOF)
        return false;
    for (; c != EOF && c != '\n'; c = getc_unlocked(in)) {
        if (*n < LINE_BYTES_MAX)
            line[*n] = (char)c;
        if (*n <= LINE_BYTES_MAX)
            ++*n;
    }
    return true;
}

static int write_answer(json_t *answer)
{
    /* ASCII only: some readers take U+2028 for the end of a line. */
    char *text = json_dumps(answer,
                            JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(17));
    int rc = printf("%s\n", text ? text : "{\"error\":\"out of memory\"}") < 0;

    if (fflush(stdout))
        rc = 1;
    free(text);
    json_decref(answer);
    return rc;
}

int main(void)
{
    char *line = malloc(LINE_BYTES_MAX); /* pages that no line reaches cost nothing */
    size_t n;
    int rc = 0;

    if (!line || secret_start()) {
        (void)fputs("kith-vec: no memory, or a libsodium without X-Wing and AEGIS-256\n",
                    stderr);
        free(line);
        return 1;
    }
    while (rc == 0 && read_line(stdin, line, &n))
        rc = write_answer(n > LINE_BYTES_MAX ? ops_error("line longer than 16 MiB")
                                             : ops_answer(line, n));
    free(line);
    return rc;
}
