/* SPDX-License-Identifier: Apache-2.0 */
/* One row per kind of core/model.h's enum alarm_kind, for people and for scripts. */
#include "client/say.h"
#include "client/ui/words.h"

static const char *const alarm_words[] = {
    [ALARM_LOG_BROKEN] = W_ALARM_LOG_BROKEN,
    [ALARM_LOG_CHANGED] = W_ALARM_LOG_CHANGED,
    [ALARM_LOG_SHORTER] = W_ALARM_LOG_SHORTER,
    [ALARM_PEER_LOG] = W_ALARM_PEER_LOG,
    [ALARM_OMITTED] = W_ALARM_OMITTED,
    [ALARM_DESCRIPTOR_FORGED] = W_ALARM_DESCRIPTOR_FORGED,
    [ALARM_DESCRIPTOR_OTHER] = W_ALARM_DESCRIPTOR_OTHER,
    [ALARM_DESCRIPTOR_OLDER] = W_ALARM_DESCRIPTOR_OLDER,
    [ALARM_DESCRIPTOR_EXPIRED] = W_ALARM_DESCRIPTOR_EXPIRED,
    [ALARM_SECOND_TAKER] = W_ALARM_SECOND_TAKER,
    [ALARM_REPLAYED] = W_ALARM_REPLAYED,
    [ALARM_DAMAGED] = W_ALARM_DAMAGED,
    [ALARM_EXPIRED_UNREAD] = W_ALARM_EXPIRED_UNREAD,
    [ALARM_CLOCK] = W_ALARM_CLOCK,
};
static const char *const alarm_keys[] = {
    [ALARM_LOG_BROKEN] = "log-broken",
    [ALARM_LOG_CHANGED] = "log-changed",
    [ALARM_LOG_SHORTER] = "log-shorter",
    [ALARM_PEER_LOG] = "peer-log",
    [ALARM_OMITTED] = "omitted",
    [ALARM_DESCRIPTOR_FORGED] = "descriptor-forged",
    [ALARM_DESCRIPTOR_OTHER] = "descriptor-other",
    [ALARM_DESCRIPTOR_OLDER] = "descriptor-older",
    [ALARM_DESCRIPTOR_EXPIRED] = "descriptor-expired",
    [ALARM_SECOND_TAKER] = "second-taker",
    [ALARM_REPLAYED] = "replayed",
    [ALARM_DAMAGED] = "damaged",
    [ALARM_EXPIRED_UNREAD] = "expired-unread",
    [ALARM_CLOCK] = "clock",
};

const char *say_alarm_key(enum alarm_kind kind)
{
    return (size_t)kind < sizeof alarm_keys / sizeof alarm_keys[0] ? alarm_keys[kind]
                                                                   : "";
}

void say_alarm(const struct alarm *m)
{
    char when[64];

    say_when(m->since_s, when, sizeof when);
    say_line(_(W_ALARM_HEAD), (long long)m->id, when);
    if ((size_t)m->kind < sizeof alarm_words / sizeof alarm_words[0])
        say_line("  %s", _(alarm_words[m->kind]));
    if (m->holds)
        say_line(_(W_ALARM_HOLDS), (long long)m->id);
    else
        say_line(_(W_ALARM_FACT), (long long)m->id);
}
