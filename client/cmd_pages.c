/* SPDX-License-Identifier: Apache-2.0 */
/* limits, crisis: pages built into the program.  No profile, no network, no question. */
#include "client/cmd.h"
#include "client/say.h"
#include "client/ui/words.h"

static int page(struct app *a, enum words_page which, const char *key)
{
    const char *line;
    json_t *o, *lines;

    if (!a->args.json) {
        for (size_t i = 0; (line = words_line(which, i)) != NULL; i++)
            say_line("%s", line);
        return 0;
    }
    o = json_begin();
    lines = json_array();
    for (size_t i = 0; (line = words_line(which, i)) != NULL; i++)
        (void)json_array_append_new(lines, json_string(line));
    json_text(o, "source", "built-in");
    (void)json_object_set_new(o, key, lines);
    return say_json(a, o);
}

int cmd_limits(struct app *a)
{
    return page(a, PAGE_LIMITS, "limits");
}

int cmd_crisis(struct app *a)
{
    return page(a, PAGE_CRISIS, "card");
}
