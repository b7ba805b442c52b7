/* SPDX-License-Identifier: Apache-2.0 */
#include "client/ui/words.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void words_start(void)
{
    (void)setlocale(LC_ALL, "");
    /* Without a locale, text typed beyond ASCII would be lost letter by letter. */
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    (void)textdomain("kith");
    (void)bind_textdomain_codeset("kith", "UTF-8");
}

/* ---- pages ------------------------------------------------------------------------ */

static const char *const page_help[] = {
    N_("kith - talk to a fellow student who listens, without giving your name"),
    "",
    N_("  kith join          use an invite (asks for it; or: kith join - < FILE)"),
    N_("  kith link          make a contact link for one person, as text and QR code"),
    N_("  kith accept-link   take a link that somebody gave you"),
    N_("  kith verify CONV   compare six words with the other person"),
    N_("  kith               open your conversations (or: kith chat CONV)"),
    N_("  kith crisis        numbers and services that answer now; needs no network"),
    "",
    N_("  Scripts:  list, read CONV [--follow], send CONV, status   (all take --json)"),
    N_("  Safety:   limits, alarms, lock, forget CONV|MESSAGE, wipe CONV|--all"),
    "",
    N_("  --profile NAME|PATH      another profile       --offline    no network at all"),
    N_("  --passphrase-file FILE   instead of asking     --timeout S  how long to wait"),
    N_("  --no-input               never ask             --json       for scripts"),
    N_("  --guest                  nothing on disk       --plain  -q  -v  --color=WHEN"),
    "",
    N_("  What you write, invites and links are asked for or piped in, never arguments."),
    N_("  kith VERB --help for examples.  kith is no crisis line: it cannot find you"),
    N_("  or send anyone."),
};

static const char *const page_crisis[] = {
    N_("If you are in danger now"),
    N_("kith is slow and run by students. These are faster:"),
    N_("  1  Emergency services: your local number (112 in many countries)"),
    N_("  2  A crisis line of your country, by phone, text or chat: findahelpline.com"),
    N_("     lists them by country; or search the web for \"crisis line\""),
    N_("  3  Somebody near you: a friend, a neighbour, campus security, a duty doctor"),
    N_("You can keep kith open while you call. Asking is never a burden."),
    N_("kith cannot find you or send anyone."),
    N_("This card is built into kith and works offline."),
};

static const char *const page_limits[] = {
    N_("What others could learn from this version of kith"),
    N_("The relay keeps: sealed envelopes of one size with the hour they "
       "came, until its"),
    N_("  retention ends; which invites were used, and by which keys. It does "
       "not keep who"),
    N_("  wrote, who read, or who talks to whom."),
    N_("Whoever runs the relay, watching while it runs: the network address a device"),
    N_("  connects from, when, and how many envelopes it sends. Also which "
       "member key sent"),
    N_("  an envelope, because proof of membership is not anonymous yet. "
       "Never the words,"),
    N_("  and not for whom they are. With a list of who got which invite, a "
       "member key is"),
    N_("  a person."),
    N_("The network between: that this device talks to the relay, when, and "
       "how much, in"),
    N_("  records of one size. It hides sizes, not moments. kith does not "
       "hide your address."),
    N_("The other person: all that you write, the name you chose, and how you "
       "write. They"),
    N_("  can keep it, photograph it or show it. Nothing in it is a proof of who wrote."),
    N_("Somebody who sees a contact link before its taker does can take it instead."),
    N_("  Compare words (kith verify) and you know."),
    N_("Somebody with this device and your passphrase reads everything. Without the"),
    N_("  passphrase: that kith is here, and how much it holds. A stolen open "
       "profile stays"),
    N_("  readable to the thief until both sides have written again."),
    N_("A shared machine: kith leaves nothing in the shell's history; what the terminal"),
    N_("  or the machine's owner records is out of its hands. Less stays with --guest."),
    N_("A small cohort: your hours and your way of writing may be enough to "
       "be recognised."),
    N_("Your school or a regulator: the relay holds nothing that names you or "
       "your words."),
    N_("  A court can order people to hand over their machines, and to keep watch."),
    N_("Nobody can take back what another device has, find you, or send anyone."),
};

static const char *const page_join[] = {
    N_("People here are fellow students, not therapists, and nobody is "
       "promised an answer."),
    N_("Messages are sealed: the relay passes them on and cannot read them. "
       "It is not told"),
    N_("your name; it can see that a device connects, and from which address. "
       "If you speak"),
    N_("of serious danger, the other person will urge you to get help. They "
       "cannot look up"),
    N_("who you are, and kith cannot find you or send anyone: please use the "
       "crisis card"),
    N_("(kith crisis). Who could learn what: kith limits"),
};

static const char *const page_keys[] = {
    N_("  /to NAME    choose whom you write to      /list     your conversations"),
    N_("  /verify     compare six words             /status   is the relay there"),
    N_("  /crisis     the crisis card (Ctrl-G)      /limits   who could learn what"),
    N_("  /hide       clear the screen and leave now, without a question (Ctrl-Q)"),
    N_("  /alarms     what does not fit             /quit     leave (Ctrl-D)"),
    N_("  /link       a contact link for one person"),
    N_("  A line that begins with // or a space is sent as text. Ctrl-C drops the line."),
};

#define PAGE(array)                                 \
    {                                               \
        (array), sizeof(array) / sizeof((array)[0]) \
    }
static const struct {
    const char *const *lines;
    size_t n;
} pages[] = {
    [PAGE_HELP] = PAGE(page_help),     [PAGE_CRISIS] = PAGE(page_crisis),
    [PAGE_LIMITS] = PAGE(page_limits), [PAGE_JOIN] = PAGE(page_join),
    [PAGE_KEYS] = PAGE(page_keys),
};

const char *words_line(enum words_page page, size_t i)
{
    const char *s;

    if (i >= pages[page].n)
        return NULL;
    s = pages[page].lines[i];
    return s[0] ? _(s) : s; /* the empty string is gettext's own header */
}

/* ---- examples --------------------------------------------------------------------- */

static const struct {
    const char *verb;
    const char *lines[6];
} examples[] = {
    {"chat",
     {"  kith chat", "  kith chat quiet-otter",
      N_("Opens your conversations, line by line. /help inside lists what you "
         "can type.")}},
    {"join",
     {"  kith join", "  kith join - < invite.txt",
      N_("Joins the cohort that the invite is for. --as NAME sets the name others see;"),
      N_("--guest keeps nothing on disk and goes straight into a chat.")}},
    {"link",
     {"  kith link", "  kith link --expires 36h",
      N_("Makes a contact link for one person; it works once. Default: 7 days."),
      N_("kith link c3 shows a link again that nobody has taken yet.")}},
    {"accept-link",
     {"  kith accept-link", "  kith accept-link - < link.txt",
      N_("Takes a link that somebody gave you.")}},
    {"verify",
     {"  kith verify quiet-otter", "  kith verify c1",
      N_("Shows six words. If the other person has the same ones, nobody is in "
         "between.")}},
    {"send",
     {"  kith send quiet-otter", "  kith send c1 - < letter.txt",
      N_("Asks for the text, or reads it from a pipe. Exit 0: the relay keeps it."),
      N_("Exit 75: it is kept on this device and goes out when kith runs again.")}},
    {"read",
     {"  kith read quiet-otter", "  kith read c1 --follow --json",
      N_("Messages, oldest first. --follow stays and shows what comes.")}},
    {"list",
     {"  kith list", "  kith list --json | jq '.[]|select(.unread>0)'",
      N_("Your conversations, newest first.")}},
    {"status",
     {"  kith status", "  kith status --offline --json",
      N_("Is the relay there, and does anything wait on this device.")}},
    {"alarms",
     {"  kith alarms", "  kith alarms accept a1",
      N_("What the relay showed that does not fit, in plain words. accept: go on.")}},
    {"limits",
     {"  kith limits", "  kith limits --json",
      N_("Who could learn what. Works offline.")}},
    {"crisis",
     {"  kith crisis", "  kith crisis --json",
      N_("The crisis card. Needs no profile, no network, no passphrase.")}},
    {"forget",
     {"  kith forget m12", "  kith forget c3",
      N_("Takes one message, or one conversation, off this device for good.")}},
    {"wipe",
     {"  kith wipe quiet-otter", "  kith wipe --all --confirm=default",
      N_("Takes a conversation, or the whole profile, off this device for good.")}},
    {"lock",
     {"  kith lock", "  kith lock --profile second",
      N_("Closes every open kith of this profile and forgets its key.")}},
};

const char *words_example(const char *verb, size_t i)
{
    for (size_t k = 0; k < sizeof examples / sizeof examples[0]; k++)
        if (strcmp(examples[k].verb, verb) == 0)
            return i < 6 && examples[k].lines[i] ? _(examples[k].lines[i]) : NULL;
    return NULL;
}

/* ---- counts ----------------------------------------------------------------------- */

static const char *counted(enum words_counted what, unsigned long n)
{
    switch (what) {
    case COUNT_UNREAD:
        return ngettext("%lu new message", "%lu new messages", n);
    case COUNT_QUEUED:
        return ngettext("%lu message waits on this device",
                        "%lu messages wait on this device", n);
    case COUNT_ALARMS:
        return ngettext("%lu alarm: see kith alarms", "%lu alarms: see kith alarms", n);
    case COUNT_LINES:
        return ngettext("%lu line", "%lu lines", n);
    case COUNT_SECONDS_AGO:
        return ngettext("%lu second ago", "%lu seconds ago", n);
    case COUNT_MINUTES_AGO:
        return ngettext("%lu minute ago", "%lu minutes ago", n);
    case COUNT_HOURS_AGO:
        return ngettext("%lu hour ago", "%lu hours ago", n);
    case COUNT_DAYS_AGO:
        return ngettext("%lu day ago", "%lu days ago", n);
    case COUNT_BEHIND:
        return ngettext("%lu envelope still to look at", "%lu envelopes still to look at",
                        n);
    case COUNT_HELD:
        return ngettext("%lu message came while you were typing",
                        "%lu messages came while you were typing", n);
    }
    return "%lu";
}

void words_count(enum words_counted what, uint64_t n, char *out, size_t room)
{
    /* The formats above are the only ones, and each takes one %lu. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(out, room, counted(what, (unsigned long)n), (unsigned long)n);
#pragma GCC diagnostic pop
}
