/* SPDX-License-Identifier: Apache-2.0 */
/* ctl_invite: invite, invites, revoke. */
#include "daemon/ctl_invite.h"
#include "daemon/control.h"
#include "daemon/ctl_say.h"
#include "daemon/ctl_words.h"
#include "proto/mp_write.h"

#include <stdlib.h>
#include <string.h>

enum { PARAMS_BYTES = 64, STATE_CHARS = 16, SECONDS_AN_HOUR = 3600 };

int ctl_invite_print(const struct ctl *c, const struct ctl_answer *answer)
{
    char invite[INVITE_CHARS_MAX + 1];
    char until[CTL_TIME_CHARS];
    uint64_t expires_s = ctl_get_uint(answer->result, "expires_s");
    uint32_t number = (uint32_t)ctl_get_uint(answer->result, "number");

    ctl_get_str(answer->result, "invite", invite, sizeof invite);
    if (invite[0] == '\0')
        return ctl_fail(c, CTL_BUG, "internal", "%s", W_STRANGE);
    if (c->json) {
        ctl_rfc3339(expires_s, until);
        return ctl_json(json_pack("{s:i,s:s,s:I,s:s}", "v", 1, "invite", invite, "number",
                                  (json_int_t)number, "expires", until));
    }
    if (c->quiet) {
        ctl_say(c, "%s\n", invite);
        return CTL_DONE;
    }
    ctl_minute(expires_s, until);
    ctl_say(c, W_INVITE_HEAD, number, until);
    ctl_qr(invite);
    ctl_say(c, "\n  %s\n\n", invite);
    ctl_note(c, "%s", W_INVITE_ONCE);
    return CTL_DONE;
}

int ctl_invite(const struct ctl *c)
{
    uint8_t room[PARAMS_BYTES];
    struct buf params = BUF_OVER(room);
    struct ctl_answer answer = {0};
    int exit;

    mw_map(&params, 1);
    mw_cstr(&params, "hours");
    mw_uint(&params, c->hours != 0 ? c->hours : CONTROL_INVITE_HOURS);
    exit = ctl_ask_or_tell(c, "invite", buf_view(&params), &answer);
    if (exit == CTL_DONE)
        exit = ctl_invite_print(c, &answer);
    ctl_answer_free(&answer);
    return exit;
}

/* One page of the list: each invite to `visit`; *next is where the following page begins.
 */
typedef int invite_visit(const struct ctl *c, struct bytes invite, void *arg);

static int visit_page(const struct ctl *c, uint64_t from, invite_visit *visit, void *arg,
                      uint64_t *next)
{
    uint8_t room[PARAMS_BYTES];
    struct buf params = BUF_OVER(room);
    struct ctl_answer answer = {0};
    struct mp r;
    size_t count;
    int exit;

    mw_map(&params, 1);
    mw_cstr(&params, "from");
    mw_uint(&params, from);
    *next = 0;
    exit = ctl_ask_or_tell(c, "invites", buf_view(&params), &answer);
    if (exit != CTL_DONE)
        goto out;
    *next = ctl_get_uint(answer.result, "next");
    r = ctl_get(answer.result, "invites");
    count = mp_array(&r, 0, CONTROL_INVITES_MAX);
    for (size_t i = 0; i < count && exit == CTL_DONE; i++) {
        struct bytes one = {r.p, 0};

        mp_skip(&r);
        if (r.rc)
            break;
        one.n = (size_t)(r.p - one.p);
        exit = visit(c, one, arg);
    }
    if (exit == CTL_DONE && r.rc)
        exit = ctl_fail(c, CTL_BUG, "internal", "%s", W_STRANGE);
out:
    ctl_answer_free(&answer);
    return exit;
}

static int visit_all(const struct ctl *c, invite_visit *visit, void *arg)
{
    uint64_t from = 1;
    int exit = CTL_DONE;

    while (from != 0 && exit == CTL_DONE) {
        uint64_t next;

        exit = visit_page(c, from, visit, arg, &next);
        if (next != 0 && next <= from)
            return ctl_fail(c, CTL_BUG, "internal", "%s",
                            W_STRANGE); /* would never end */
        from = next;
    }
    return exit;
}

static int print_row(const struct ctl *c, struct bytes invite, void *arg)
{
    json_t *list = arg;
    char state[STATE_CHARS];
    char made[CTL_TIME_CHARS];
    char until[CTL_TIME_CHARS];
    uint32_t number = (uint32_t)ctl_get_uint(invite, "number");
    uint64_t made_s = ctl_get_uint(invite, "made_hour") * SECONDS_AN_HOUR;
    uint64_t until_s = ctl_get_uint(invite, "last_hour") * SECONDS_AN_HOUR;

    ctl_get_str(invite, "state", state, sizeof state);
    if (c->json) {
        ctl_rfc3339(made_s, made);
        ctl_rfc3339(until_s, until);
        (void)json_array_append_new(list, json_pack("{s:I,s:s,s:s,s:s}", "number",
                                                    (json_int_t)number, "state", state,
                                                    "made", made, "expires", until));
        return CTL_DONE;
    }
    if (json_array_size(list) == 0)
        ctl_say(c, "%s", W_INVITES_HEAD);
    (void)json_array_append_new(list, json_true());
    ctl_date(made_s, made);
    ctl_date(until_s, until);
    ctl_say(c, W_INVITES_ROW, number, state, made, until);
    return CTL_DONE;
}

int ctl_invites(const struct ctl *c)
{
    json_t *list = json_array();
    int exit;

    if (list == NULL)
        return ctl_fail(c, CTL_BUG, "internal", "%s", W_NO_MEMORY);
    exit = visit_all(c, print_row, list);
    if (exit == CTL_DONE && c->json)
        exit = ctl_json(json_pack("{s:i,s:O}", "v", 1, "invites", list));
    else if (exit == CTL_DONE && json_array_size(list) == 0)
        ctl_say(c, "%s", W_INVITES_NONE);
    json_decref(list);
    return exit;
}

static int revoke_one(const struct ctl *c, uint64_t number)
{
    uint8_t room[PARAMS_BYTES];
    struct buf params = BUF_OVER(room);
    struct ctl_answer answer = {0};
    int exit;

    mw_map(&params, 1);
    mw_cstr(&params, "number");
    mw_uint(&params, number);
    exit = ctl_ask_or_tell(c, "revoke", buf_view(&params), &answer);
    ctl_answer_free(&answer);
    return exit;
}

static int revoke_open(const struct ctl *c, struct bytes invite, void *arg)
{
    uint32_t *count = arg;
    char state[STATE_CHARS];
    int exit;

    ctl_get_str(invite, "state", state, sizeof state);
    if (strcmp(state, "open") != 0)
        return CTL_DONE;
    exit = revoke_one(c, ctl_get_uint(invite, "number"));
    if (exit == CTL_DONE)
        *count += 1;
    return exit;
}

int ctl_revoke(const struct ctl *c)
{
    char *end = NULL;
    unsigned long number = 0;
    uint32_t count = 0;
    int exit;

    if (c->argument != NULL)
        number = strtoul(c->argument, &end, 10);
    if (c->all == (c->argument != NULL) || (end != NULL && *end != '\0') ||
        number > UINT32_MAX ||
        (!c->all && (number < 1 || c->argument[0] < '0' || c->argument[0] > '9')))
        return ctl_fail(c, CTL_USAGE, "usage", "%s", W_REVOKE_WHAT);
    if (c->all) {
        exit = visit_all(c, revoke_open, &count);
        if (exit == CTL_DONE)
            ctl_say(c, W_REVOKED_ALL, count);
    } else {
        count = 1;
        exit = revoke_one(c, number);
        if (exit == CTL_DONE)
            ctl_say(c, W_REVOKED, (unsigned)number);
    }
    if (exit == CTL_DONE && c->json)
        exit = ctl_json(json_pack("{s:i,s:I}", "v", 1, "revoked", (json_int_t)count));
    return exit;
}
