/* SPDX-License-Identifier: Apache-2.0 */
/* chat: the state of one open chat, and what a line in it means.
 * Flow     ui/plain -> cmd_chat (the loop) -> chat (what a line means) -> core/node
 * Owns     the lines typed and not looked at yet
 * Threads  the loop's */
#ifndef KITH_CLIENT_CHAT_H
#define KITH_CLIENT_CHAT_H

#include "client/app.h"
#include "client/say.h"
#include "client/ui/plain.h"
#include "client/ui/words.h"
#include "lib/log.h"

enum {
    CHAT_STAY = -1,
    CHAT_ELSEWHERE_MAX = 32, /* more conversations than that are told by /list */
    CHAT_SHOWN = 20,         /* messages shown when a conversation is chosen */
    CHAT_FIRST_WAIT_MS = 3000,
};
enum chat_mode { CHAT_TALK, CHAT_ASK_SAME };

struct chat_line {
    struct chat_line *next;
    size_t n;
    char text[];
};

struct chat {
    struct app *app;
    struct plain *plain;
    uv_poll_t poll;
    bool terminal, pollable;
    int exit; /* CHAT_STAY, or the exit code to leave with */
    enum chat_mode mode;
    int64_t conv; /* whom one writes to; 0: nobody yet */
    char name[APP_NAME_ROOM];
    int64_t newest;    /* local id of the newest message shown of conv */
    int64_t last_mine; /* the newest message written here */
    enum message_state last_state;
    int64_t last_alarm;
    int64_t offered; /* a link made here, to be shown when it is ready */
    int64_t linked;  /* a conversation that has just become whole */
    int64_t elsewhere[CHAT_ELSEWHERE_MAX];
    size_t elsewhere_n;
    bool online;
    bool fresh, state_moved, conv_moved, relay_moved, alarmed, renamed, belled;
    bool hide, card, dropped, ended;
    size_t pasted;
    uint64_t leave_by_ms;
    struct chat_line *lines, **lines_end;
};

void chat_prompt(struct chat *c);
/* Print the newest so many messages of conv; 0: what came since. */
void chat_show(struct chat *c, uint32_t last);
/* What the person typed: a command, or text for conv. */
void chat_line(struct chat *c, const char *text, size_t n);
/* Choose whom one writes to, and show what was said. */
void chat_to(struct chat *c, const struct conversation *conv);
void chat_page(struct chat *c, enum words_page page);
void chat_say_pasted(struct chat *c);

#endif
