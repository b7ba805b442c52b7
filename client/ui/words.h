/* SPDX-License-Identifier: Apache-2.0 */
/* words: every sentence that kith says to a person.
 * Flow     client/cmd_*, app, ui/plain -> words -> terminal
 * Owns     nothing
 *
 * Rules, checked by tests/unit/client/test_words.c and by a second reader:
 * whole sentences; plural forms through words_count(); plain and short; no diagnosis
 * words, no promise of an answer, rescue or secrecy that the protocol does not keep;
 * nobody is blamed; an error says what happened, what was kept and what to do next.
 * Verbs, flags and JSON keys are never translated.  Long texts are in words.c.
 * Translation: gettext, domain "kith". */
#ifndef KITH_UI_WORDS_H
#define KITH_UI_WORDS_H

#include <libintl.h>
#include <stddef.h>
#include <stdint.h>

#define _(s) gettext(s)
#define N_(s) s

/* Locale and message catalogue.  Once, first. */
void words_start(void);

/* ---- long texts, line by line ----------------------------------------------------- */

enum words_page {
    PAGE_HELP,   /* one screen */
    PAGE_CRISIS, /* the built-in fallback card */
    PAGE_LIMITS, /* who could learn what */
    PAGE_JOIN,   /* the notice before anything is asked */
    PAGE_KEYS,   /* /help in a chat */
};
/* The line, translated, or NULL after the last one. */
const char *words_line(enum words_page page, size_t i);
/* "  kith send CONV ..." and what it does: the examples of one verb, as words_line(). */
const char *words_example(const char *verb, size_t i);

/* ---- counts ----------------------------------------------------------------------- */

enum words_counted {
    COUNT_UNREAD, /* %u new messages */
    COUNT_QUEUED, /* %u messages wait on this device */
    COUNT_ALARMS, /* %u alarms */
    COUNT_LINES,  /* paste of %u lines */
    COUNT_SECONDS_AGO,
    COUNT_MINUTES_AGO,
    COUNT_HOURS_AGO,
    COUNT_DAYS_AGO,
    COUNT_BEHIND, /* envelopes still to be read */
    COUNT_HELD,   /* arrivals held while a line is being typed */
};
/* The right plural with its number in it; out is always ended by zero. */
void words_count(enum words_counted what, uint64_t n, char *out, size_t room);

/* ---- usage ------------------------------------------------------------------------ */

#define W_NO_FLAG N_("no flag \"%s\". See: kith --help")
#define W_NO_FLAG_GUESS N_("no flag \"%s\". Did you mean \"%s\"?")
#define W_NO_VERB N_("no verb \"%s\". See: kith --help")
#define W_NO_VERB_GUESS N_("no verb \"%s\". Did you mean \"%s\"?")
#define W_FLAG_NO_VALUE N_("%s wants a value after it.")
#define W_FLAG_HAS_VALUE N_("%s takes no value.")
#define W_FLAG_VALUE N_("\"%s\" is not a value that %s takes. See: kith --help")
#define W_FLAG_NOT_HERE N_("%s is not a flag of \"%s\". See: kith %s --help")
#define W_MISSING_CONV N_("which conversation? See: kith list, then: kith %s NAME")
#define W_MISSING_WHAT \
    N_("what shall be forgotten? A conversation (c1) or a message (m1).")
#define W_EXTRA N_("\"%s\" is one word too many. See: kith %s --help")
#define W_TEXT_INSIDE                                                               \
    N_("what you write is never taken from the command line, where others on this " \
       "machine and the shell's history can see it. Use: %s")
#define W_FORM_JOIN N_("kith join (it asks), or: kith join - < FILE")
#define W_FORM_SEND N_("kith send %s (it asks), or: kith send %s - < FILE")
#define W_FORM_ACCEPT N_("kith accept-link (it asks), or: kith accept-link - < FILE")
#define W_NO_INPUT_TEXT                                                            \
    N_("--no-input was given, so the text has to come on standard input. Nothing " \
       "was sent.")
#define W_NO_INPUT_INVITE                                                            \
    N_("--no-input was given, so the invite has to come on standard input. Nothing " \
       "was changed.")
#define W_NO_INPUT_LINK                                                            \
    N_("--no-input was given, so the link has to come on standard input. Nothing " \
       "was changed.")
#define W_NO_INPUT_PASSPHRASE                                                    \
    N_("a passphrase is needed and --no-input was given. Use --passphrase-file " \
       "FILE, or keep a kith chat open.")
#define W_NO_TERMINAL_PASSPHRASE                                         \
    N_("a passphrase is needed and there is no terminal to ask on. Use " \
       "--passphrase-file FILE.")
#define W_NO_INPUT_CHAT \
    N_("a chat needs somebody to type. For scripts: kith send and kith read.")

/* ---- profile ---------------------------------------------------------------------- */

#define W_PROFILE_NAME                                                       \
    N_("\"%s\" is not a name for a profile: letters, digits, dot, dash and " \
       "underline, at most 64, or a path with a slash.")
#define W_PROFILE_HOME \
    N_("there is no home folder to keep a profile in. Set HOME or use --profile PATH.")
#define W_PROFILE_NONE \
    N_("there is no profile \"%s\" on this device yet. Next: kith join")
#define W_PROFILE_EXISTS                                                           \
    N_("the profile \"%s\" is already a member. To join again under another one: " \
       "kith join --profile NAME")
#define W_PROFILE_OPEN                                                               \
    N_("the folder of profile \"%s\" can be opened by others, so nothing was read. " \
       "Close it first: chmod 700 %s")
#define W_PROFILE_KDF                                                              \
    N_("the file \"kdf\" of profile \"%s\" is damaged. Without it the passphrase " \
       "cannot open anything; restore that file from a backup of this folder.")
#define W_PROFILE_DAMAGED                                                       \
    N_("the database of profile \"%s\" is damaged. Nothing was changed in it; " \
       "restore the folder from a backup, or start anew: kith wipe --all")
#define W_PROFILE_NEWER                                                            \
    N_("the profile \"%s\" was written by a newer kith. Nothing was changed; use " \
       "that one.")
#define W_PROFILE_DISK N_("the disk refused (%s). What was saved before is still there.")
#define W_PROFILE_BUSY                                                         \
    N_("another kith is using the profile and did not let go for 10 seconds. " \
       "Nothing was changed; try again.")
#define W_PROFILE_JOINING                                                        \
    N_("the profile \"%s\" is not a member yet: joining was interrupted. Go on " \
       "with: kith join")
#define W_NO_MEMORY \
    N_("this device is out of memory. What was saved before is still there.")
#define W_BUG \
    N_("something went wrong inside kith (%s). What was saved before is still there.")
#define W_ASK_PASSPHRASE N_("Passphrase: ")
#define W_ASK_NEW_PASSPHRASE N_("Passphrase for this device (8 characters or more): ")
#define W_ASK_AGAIN N_("The same once more: ")
#define W_UNLOCKING N_("Unlocking, about 1 second.")
#define W_WRONG_PASSPHRASE \
    N_("that passphrase does not open the profile \"%s\". Nothing was changed.")
#define W_SHORT_PASSPHRASE \
    N_("the passphrase is too short: 8 characters or more, several words are best.")
#define W_PASSPHRASES_DIFFER \
    N_("the two passphrases differ. Nothing was changed; try again.")
#define W_PASSPHRASE_FILE N_("the passphrase file cannot be read (%s).")
#define W_PASSPHRASE_FILE_OPEN                                                     \
    N_("others can read the passphrase file, so it was not used. Close it first: " \
       "chmod 600 FILE")
#define W_PASSPHRASE_FILE_EMPTY \
    N_("the passphrase file has no passphrase in its first line.")
#define W_NO_RECOVERY \
    N_("Nobody can recover this passphrase: not the relay, not the people who run it.")
#define W_INTERRUPTED N_("stopped. What was saved is still there.")
#define W_LOCKED_NOW N_("Locked. Everything is kept; start kith again to go on.")
#define W_LOCKED N_("Locked. Commands ask for the passphrase again.")
#define W_NOT_UNLOCKED N_("Nothing was unlocked.")
#define W_LOCK_HELD                                                             \
    N_("a kith has this profile open and could not be told, so it stays open. " \
       "Close it yourself.")
#define W_NOT_LENT                                                            \
    N_("other kith commands cannot reach this one (%s), so they ask for the " \
       "passphrase, and kith lock cannot close it.")
#define W_NOT_WRITTEN                                                                \
    N_("not all of the output could be written. What was saved is still there, and " \
       "messages that were not shown stay new.")

/* ---- joining ---------------------------------------------------------------------- */

#define W_ASK_INVITE N_("Invite: ")
#define W_INVITE_FORM                                                            \
    N_("this is not an invite. It begins with KITH: and is about 70 characters " \
       "long; copy all of it. Nothing was changed.")
#define W_INVITE_IS_LINK \
    N_("this is a contact link, not an invite. Join first, then: kith accept-link")
#define W_INVITE_USED                                                                 \
    N_("the relay does not take this invite: it was used already, has ended, or was " \
       "never made. Ask for a new one; invites work once. Nothing was kept on this "  \
       "device.")
#define W_JOIN_ASKING N_("Asking the relay at %s for its key.")
#define W_JOIN_RELAY N_("Relay key   %s   (it is the one your invite names)")
#define W_JOIN_COHORT N_("Cohort      %s, laid out for about %u members")
#define W_JOIN_SMALL                                                                  \
    N_("This cohort is small. When you are here and how you write may be enough for " \
       "somebody to recognise you.")
#define W_JOIN_OFFLINE \
    N_("joining needs the relay, and --offline was given. Nothing was changed.")
#define W_ASK_NAME N_("Name others see, 1 to 3 or your own [1]: ")
#define W_NAMES N_("Three names to choose from. Your own name is not needed.")
#define W_NAME_BAD \
    N_("a name has 1 to 64 bytes and no control characters. Nothing was changed.")
#define W_NAME_MISLEADS                                                          \
    N_("others could take this name for their own words or for a number in the " \
       "list. Choose another one; nothing was changed.")
#define W_JOINED N_("You are %s in %s. Next: kith link, or kith accept-link")
#define W_JOINED_GUEST \
    N_("You are %s in %s. Nothing is kept on this disk; it is gone when you leave.")
#define W_JOIN_GOING_ON N_("Going on with the join that was interrupted.")
#define W_JOIN_KEPT                                                             \
    N_("the relay's answer did not come, so it is not known whether you are a " \
       "member yet. The half-made profile is kept: try again with kith join")
#define W_GUEST_ONLY N_("--guest keeps nothing on disk, so it only goes with join.")

/* ---- the relay -------------------------------------------------------------------- */

#define W_RELAY_NO_NAME N_("the relay's name %s is not known to this network.")
#define W_RELAY_NO_ANSWER N_("the relay at %s did not answer.")
#define W_RELAY_STRANGER                                                             \
    N_("what answers at %s is not the relay you were told of, or it is too busy to " \
       "answer.")
#define W_RELAY_BROKEN N_("what the relay at %s said makes no sense to this kith.")
#define W_RELAY_SLOW \
    N_("the relay at %s answers, and not everything asked of it has come yet.")
#define W_RELAY_ENDED N_("the relay at %s hung up.")
#define W_RELAY_LIE                                                                   \
    N_("the relay at %s contradicts what it said before. Nothing more is sent. See: " \
       "kith alarms")
#define W_STATUS_ENDED                                                              \
    N_("The relay says that this membership has ended. What you have is kept; ask " \
       "for a new invite.")
#define W_RELAY_NOT_MEMBER                                                          \
    N_("the relay says that this membership has ended. What you have is kept; ask " \
       "for a new invite.")
#define W_RELAY_REFUSED N_("the relay at %s refused (%s).")
#define W_KEPT_HERE \
    N_("Your message is kept on this device and goes out by itself while kith runs.")
#define W_HINT_CRISIS N_("In a hurry? kith crisis")
#define W_HINT_AGAIN N_("Nothing was changed; try again later.")
#define W_SIDE_DISK N_("the relay is there, and this device's disk refused (%s).")

/* ---- links ------------------------------------------------------------------------ */

#define W_LINK_MAKING N_("Making a link. Its other half goes to the relay first.")
#define W_LINK_SHOW \
    N_("Give this to one person, by a way you trust. It works once, until %s:")
#define W_LINK_NEXT \
    N_("They run: kith accept-link. When they have, compare words: kith verify c%lld")
#define W_LINK_LATER                                                                  \
    N_("the link c%lld is made, and its half for the relay is still on this device. " \
       "Run kith link again when the relay answers; nothing is lost.")
#define W_LINK_QR_LONG N_("(The QR code does not fit this terminal.)")
#define W_ASK_LINK N_("Link: ")
#define W_LINK_FORM                                                                 \
    N_("this is not a contact link. It begins with KITH-C: and has 87 characters; " \
       "copy all of it. Nothing was changed.")
#define W_LINK_IS_INVITE \
    N_("this is an invite to a cohort, not a contact link. Use: kith join")
#define W_LINK_CHECK \
    N_("this link is mistyped or damaged. Copy all of it again. Nothing was changed.")
#define W_LINK_COHORT N_("this link belongs to another cohort. Nothing was changed.")
#define W_LINK_EXPIRED N_("this link has ended. Ask for a new one.")
#define W_LINK_OWN N_("you made this link yourself: it is for somebody else.")
#define W_LINK_AGAIN N_("you have taken this link before: it is conversation c%lld.")
#define W_LINK_NOT_FOUND N_("the relay has nothing for this link. Ask for a new one.")
#define W_LINK_TAKEN                                                              \
    N_("somebody else took this link before you. If that was not you on another " \
       "device, tell the person who gave it to you, and ask for a new one.")
#define W_LINK_DAMAGED N_("the other half of this link is damaged. Ask for a new one.")
#define W_LINK_REFUSED N_("the relay refused this link. Ask for a new one.")
#define W_LINK_DONE \
    N_("You are talking to %s (c%lld). Compare words with them: kith verify c%lld")
#define W_LINK_WAITS                                                          \
    N_("The link is taken and the answer to it is on its way (c%lld). It is " \
       "complete when their kith runs next.")
#define W_LINK_QUEUED                                                                 \
    N_("the link is kept on this device (c%lld) and the rest happens when the relay " \
       "answers.")

/* ---- verifying -------------------------------------------------------------------- */

#define W_VERIFY_WORDS N_("Read these words to %s, by voice or in person:")
#define W_VERIFY_ASK N_("Do they have the same words? y/n: ")
#define W_VERIFY_YES \
    N_("Noted: you and %s have compared words, and nobody is in between.")
#define W_VERIFY_NO                                                               \
    N_("Noted: not the same. Somebody may be in between. Stop writing here, and " \
       "make a new link in person: kith link")
#define W_VERIFY_OPEN N_("Not noted. You can compare any time: kith verify c%lld")
#define W_VERIFY_EARLY                                                            \
    N_("the words are not there yet: they come with the first answer from their " \
       "device. Try again when both have had kith open.")

/* ---- conversations and messages --------------------------------------------------- */

#define W_NO_CONV N_("there is no conversation \"%s\". See: kith list")
#define W_TWO_CONVS                                                                 \
    N_("more than one conversation is called \"%s\". Use its number, as kith list " \
       "shows it.")
#define W_NO_MESSAGE N_("there is no message \"%s\".")
#define W_NO_CONVS N_("No conversations yet. Next: kith link, or kith accept-link")
#define W_NAMELESS N_("link c%lld")
#define W_YOU N_("you")
#define W_ASK_TEXT N_("Text for %s (Enter sends): ")
#define W_TEXT_EMPTY N_("there is no text. Nothing was sent.")
#define W_TEXT_LONG N_("the text is too long: %u bytes at most. Nothing was sent.")
#define W_TEXT_NOT_UTF8 N_("the text is not UTF-8. Nothing was sent.")
#define W_CONV_ENDED \
    N_("this conversation has ended, so nothing was sent. Its history is kept.")
#define W_STATE_QUEUED N_("queued (on this device)")
#define W_STATE_SENT N_("sent (the relay keeps it)")
#define W_STATE_DELIVERED N_("delivered (on their device)")
#define W_MARK_QUEUED N_("queued on this device")
#define W_MARK_SENT N_("sent")
#define W_MARK_DELIVERED N_("delivered")
#define W_MARK_EXPIRED N_("not delivered in time")
#define W_STATE_NOT_SENT N_("not sent: %s")
#define W_STATE_EXPIRED \
    N_("not delivered: the relay's time ran out before their device had it")
#define W_QUEUED_OFFLINE                                                          \
    N_("queued (on this device). It goes out by itself while kith runs; you can " \
       "close this.")
#define W_WHY_CLOSED N_("the conversation ended first")
#define W_WHY_NO_MEMBER N_("the relay says that this membership has ended")
#define W_WHY_REFUSED N_("the relay refused it")
#define W_WHY_LINKING N_("it waits for the link to be complete")
#define W_WHY_PEER \
    N_("it waits for their device to answer: 256 messages went out unanswered")
#define W_WHY_STORAGE N_("the relay's disk is full; it is tried again")
#define W_WHY_UNAVAILABLE N_("the relay is busy; it is tried again")
#define W_WHY_ALARM N_("it is held until you have looked at: kith alarms")
#define W_WHY_RELAY N_("the relay has not answered yet")
#define W_MESSAGE_INCOMPLETE N_("(a long message of which parts never came)")
#define W_MESSAGE_UNKNOWN N_("(a message that needs a newer kith)")
#define W_CONV_OFFERING N_("link not at the relay yet")
#define W_CONV_OFFERED N_("link not taken yet")
#define W_CONV_LOOKING N_("looking for their half of the link")
#define W_CONV_TAKING N_("our answer to the link is on its way")
#define W_CONV_TAKEN N_("link taken, waits for their device")
#define W_CONV_LINKED N_("linked, words not compared")
#define W_CONV_VERIFIED N_("linked, words compared")
#define W_CONV_CLOSED N_("ended")
#define W_CONV_FAILED N_("came to nothing: %s")
#define W_CONV_WHY_EXPIRED N_("the link ended before it was taken")
#define W_CONV_WHY_NOT_FOUND N_("the relay had nothing for it")
#define W_CONV_WHY_TAKEN N_("somebody else took the link first")
#define W_CONV_WHY_DAMAGED N_("its other half is damaged")
#define W_CONV_WHY_REFUSED N_("the relay refused it")

/* ---- taking away ------------------------------------------------------------------ */

#define W_ASK_WIPE_CONV N_("Take the conversation with %s off this device? y/n: ")
#define W_ASK_WIPE_ALL                                                                \
    N_("This takes the whole profile off this device, with every conversation. Type " \
       "its name (%s) to go on: ")
#define W_WIPE_NOT N_("Nothing was taken away.")
#define W_WIPE_WHAT N_("wipe what? kith wipe CONV, or: kith wipe --all")
#define W_WIPE_CONFIRM                                                             \
    N_("the name does not match the profile \"%s\". Nothing was taken away. Use: " \
       "kith wipe --all --confirm=%s")
#define W_WIPE_CONFIRM_CONV                                                         \
    N_("that was not confirmed for \"%s\". Nothing was taken away. Use: kith wipe " \
       "CONV --confirm=%s")
#define W_WIPE_HELD                                                              \
    N_("the profile is open in another kith, which did not let go. Nothing was " \
       "taken away. Close that one, then try again.")
#define W_WIPED_CONV N_("Gone from this device. Their device still has its copy.")
#define W_WIPED_ALL                                                                \
    N_("The profile \"%s\" is gone from this device. Other people's devices keep " \
       "what they have; shell, terminal and backups are not touched.")
#define W_FORGOTTEN N_("Gone from this device.")

/* ---- status ----------------------------------------------------------------------- */

#define W_STATUS_YOU N_("You are %s in %s.")
#define W_STATUS_RELAY N_("Relay     %s")
#define W_STATUS_KEY N_("Its key   %s")
#define W_STATUS_REACHED N_("Reachable, last checked %s.")
#define W_STATUS_CATCHING N_("Reachable, catching up: %s.")
#define W_STATUS_STOPPED \
    N_("Reachable, last checked %s. Its record does not fit and is not read on.")
#define W_STATUS_NOT_NOW N_("Not reached now; it last answered %s. %s")
#define W_STATUS_NEVER N_("Not reached yet. %s")
#define W_STATUS_NOT_ASKED N_("Not asked (--offline). Last reached: %s.")
#define W_STATUS_NEVER_WORD N_("never")
#define W_STATUS_QUIET N_("Nothing waits on this device.")
#define W_READ_STOPPED                                                                  \
    N_("the relay's record does not fit, so nothing new is read until you have looked " \
       "at: kith alarms")
#define W_TELLING N_("Telling their device that this came, a few seconds.")
#define W_STATUS_HELD N_("Sending is held until you have looked at: kith alarms")
#define W_JUST_NOW N_("just now")

/* ---- alarms ----------------------------------------------------------------------- */

#define W_ALARM_HEAD N_("ALARM a%lld (%s)")
#define W_ALARM_NONE N_("No alarms.")
#define W_ALARM_HOLDS                                                                \
    N_("Everything you had is kept. Nothing more is sent until you decide. Talk to " \
       "your contact or to the people who run the relay by another way. To go on "   \
       "all the same: kith alarms accept a%lld")
#define W_ALARM_FACT \
    N_("Nothing is held. When you have read this: kith alarms accept a%lld")
#define W_ALARM_ACCEPTED N_("Noted. a%lld is closed.")
#define W_ALARM_WHICH N_("there is no alarm \"%s\". See: kith alarms")
#define W_ALARM_USE N_("use: kith alarms, or: kith alarms accept a1")
#define W_ALARM_ASK N_("Go on although the relay's records do not fit? y/n: ")
#define W_ALARM_LOG_BROKEN                                                          \
    N_("The relay's record of envelopes has a hole or was put in another order. A " \
       "relay that works as it should never does this: it may be hiding or moving " \
       "messages.")
#define W_ALARM_LOG_CHANGED                                                        \
    N_("The relay now shows something else than it showed this device before. It " \
       "may be hiding messages, or showing different people different things.")
#define W_ALARM_LOG_SHORTER                                                        \
    N_("The relay has lost envelopes it had already shown to this device. It may " \
       "have been restored from an old copy, or it may be hiding messages.")
#define W_ALARM_PEER_LOG                                                            \
    N_("Your contact's device saw another record at the relay than yours did. The " \
       "relay may be showing different people different things.")
#define W_ALARM_OMITTED                                                             \
    N_("The relay said twice that it keeps a message of yours, and your contact's " \
       "device did not get it.")
#define W_ALARM_DESCRIPTOR_FORGED                                                    \
    N_("The relay showed rules of the cohort that are not signed by the people you " \
       "joined.")
#define W_ALARM_DESCRIPTOR_OTHER \
    N_("The relay showed another text for rules of the cohort that you already have.")
#define W_ALARM_DESCRIPTOR_OLDER \
    N_("The relay showed older rules of the cohort than you have.")
#define W_ALARM_DESCRIPTOR_EXPIRED                                                 \
    N_("The cohort's rules are past their last day. The people who run the relay " \
       "have to sign new ones.")
#define W_ALARM_SECOND_TAKER                                                         \
    N_("Somebody else has the link of this conversation too. The first one counts. " \
       "Compare words with your contact (kith verify) before you write more.")
#define W_ALARM_REPLAYED \
    N_("An envelope of this conversation came a second time. It was not shown twice.")
#define W_ALARM_DAMAGED \
    N_("An envelope of this conversation did not open. A message may be missing.")
#define W_ALARM_EXPIRED_UNREAD                                                       \
    N_("You were away longer than the relay keeps envelopes. Messages of that time " \
       "may be lost; ask your contacts to write again.")
#define W_ALARM_CLOCK                                                              \
    N_("The clock of this device and the relay's differ by more than 10 minutes. " \
       "Check the time of this device.")

/* ---- chat ------------------------------------------------------------------------- */

#define W_CHAT_HELLO \
    N_("Connected to %s as %s. Type /crisis for the crisis card, /help for the rest.")
#define W_CHAT_HELLO_OFFLINE                                                         \
    N_("You are %s in %s, offline. Type /crisis for the crisis card, /help for the " \
       "rest.")
#define W_CHAT_NOBODY \
    N_("No conversation is chosen. /list shows them, /to NAME chooses one.")
#define W_CHAT_FORGOTTEN                                                            \
    N_("this conversation was taken off this device, so the line was neither kept " \
       "nor sent. /to NAME chooses another one.")
#define W_CHAT_TO N_("You are writing to %s.")
#define W_CHAT_NOT_VERIFIED N_("You have not compared words with %s yet: /verify")
#define W_CHAT_OFFLINE                                                              \
    N_("Offline, trying again. What you write is kept on this device and goes out " \
       "later.")
#define W_CHAT_ONLINE N_("Connected.")
#define W_CHAT_UNKNOWN \
    N_("There is no /%s here, so nothing was sent. /help lists them; // sends a slash.")
#define W_CHAT_UNKNOWN_GUESS                                                       \
    N_("There is no /%s here, so nothing was sent. Did you mean /%s? (// sends a " \
       "slash.)")
#define W_CHAT_DROPPED N_("Line dropped, nothing was sent.")
#define W_CHAT_PASTE \
    N_("%s pasted. Enter sends all of it to %s as one message, Ctrl-C drops it.")
#define W_CHAT_BYE N_("Left. The conversation goes on: start kith again any time.")
#define W_CHAT_BYE_QUEUED N_("Left. %s; they go out when kith runs again.")
#define W_CHAT_BYE_GUEST N_("Left. Nothing of it is on this device's disk.")
#define W_CHAT_LINK N_("Give this to one person, by a way you trust: %s")
#define W_CHAT_NEW_ELSEWHERE N_("%s wrote. /to %s shows it.")
#define W_CHAT_NEW_CONV N_("%s has taken your link (c%lld). /to c%lld, then /verify.")
#define W_CHAT_LINE N_("%s: %s")
#define W_CHAT_OWN_LINE N_("you: %s   [%s]")
#define W_CHAT_NEW_MARK N_("-- new --")
#define W_CHAT_PROMPT N_("to %s> ")
#define W_CHAT_PROMPT_NOBODY N_("kith> ")
#define W_CHAT_SAID_QUEUED N_("Queued on this device: %s.")
#define W_CHAT_SAID_SENT N_("Sent.")
#define W_CHAT_SAID_DELIVERED N_("Delivered.")

#endif
