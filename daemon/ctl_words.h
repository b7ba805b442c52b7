/* SPDX-License-Identifier: Apache-2.0 */
/* ctl_words: every sentence that kithctl says, in one place, ready for gettext.
 * An error says what happened, what was kept, and what to do next.  Verbs, flags and JSON
 * keys are never translated. */
#ifndef KITH_DAEMON_CTL_WORDS_H
#define KITH_DAEMON_CTL_WORDS_H

#define _(sentence) (sentence)

#define W_HELP_HEAD                                                                   \
    _("kithctl - run a kith relay for your cohort\n\n"                                \
      "  kithctl up          make a relay here, or start the one that is here\n"      \
      "  kithctl invite      one more invite: one use, seven days\n"                  \
      "  kithctl status      how the relay is\n"                                      \
      "  kithctl held        everything the relay keeps: all that could be taken\n\n" \
      "  Members:    invite, invites, revoke\n"                                       \
      "  Running:    up, status, held, reload, drain, stop, destroy\n\n"              \
      "  --dir DIR   the relay's folder          --json      for scripts\n"           \
      "  -q          only the result             --no-input  never ask\n"             \
      "  --timeout S give up after S seconds     --version, --help\n\n"               \
      "kithctl VERB --help for examples.\n")

#define W_UNKNOWN_VERB _("no verb \"%s\".%s%s%s See: kithctl --help")
#define W_UNKNOWN_FLAG _("no flag %s.%s%s%s See: kithctl --help")
#define W_NO_VALUE _("%s wants a value")
#define W_GUESS_FLAG _(" Did you mean \"--")
#define W_GUESS_BEGIN _(" Did you mean \"")
#define W_GUESS_END _("\"?")
#define W_NO_VERB _("say what to do, for instance: kithctl up. All verbs: kithctl --help")
#define W_BAD_FLAG _("--%s does not belong to \"%s\". See: kithctl %s --help")
#define W_EXTRA _("\"%s\" is one word too many. See: kithctl %s --help")
#define W_BAD_NUMBER _("%s must be a number from %u to %u, found \"%s\"")
#define W_BAD_EXPIRES \
    _("--expires is a number with h or d, from 1h to 365d, found \"%s\"")
#define W_LOOKS_LIKE_FLAG _("--%s wants a value, found \"%s\"")
#define W_NO_DIR \
    _("there is no home folder to put the relay in. Name one: kithctl --dir DIR up")
#define W_PATH_LONG _("the folder's path is too long; choose a shorter --dir")
#define W_NO_MEMORY _("out of memory; nothing was changed")
#define W_NOT_WRITTEN                                                                \
    _("the result could not be written where it should go. What was asked is done; " \
      "see: "                                                                        \
      "kithctl status, kithctl invites")

#define W_NOT_RUNNING \
    _("no relay is running in %s. Nothing was changed. Start it: kithctl --dir %s up")
#define W_NO_RELAY _("there is no relay in %s. Make one: kithctl --dir %s up --name NAME")
#define W_NOT_YOURS \
    _("the relay in %s belongs to another user; run kithctl as that user or root")
#define W_SILENT                                                                 \
    _("the relay did not answer within %u seconds. What it was asked may still " \
      "happen; look with: "                                                      \
      "kithctl status")
#define W_HUNG_UP \
    _("the relay ended the talk; look at its log, then: kithctl --dir %s up")
#define W_STRANGE \
    _("the relay answered something this kithctl does not know; are both of one version?")

#define W_ASK_NAME _("Name of the cohort (members see it): ")
#define W_WANT_NAME _("a new relay needs a name: kithctl up --name \"Night Owls\"")
#define W_BAD_NAME                                                                   \
    _("a cohort's name has 1 to 64 bytes of text on one line, without \" \\ and $; " \
      "nothing was written")
#define W_BAD_HOST                                             \
    _("--host is a name or address, with a port if not 7443: " \
      "relay.example.edu:7443. Found \"%s\"")
#define W_HOST_LONG _("that host name is too long for an invite; nothing was written")
#define W_CANNOT_WRITE _("can't write in %s: %s. Nothing was started")
#define W_SETTINGS_BAD _("%zu %s. Nothing was started")
#define W_PROBLEM _("problem")
#define W_PROBLEMS _("problems")
#define W_CANNOT_START _("can't start kithd: %s")
#define W_DID_NOT_START                                                            \
    _("kithd ended while starting; it said why above or in %s. Keys and settings " \
      "are kept")
#define W_DID_NOT_START_WHY _("the relay did not start: %s Keys and settings are kept")
#define W_SLOW_START \
    _("kithd has not answered yet after %u seconds; it may still be checking its files")
#define W_PORT_DEAF                                                                 \
    _("port %u does not answer on this machine: is another program using it, or a " \
      "firewall?")
#define W_PORT_FOREIGN \
    _("port %u answers, but not with this relay's key: another program has it")
#define W_LOCAL_ONLY                                                                    \
    _("Reach     only this machine; for others set relay.address and relay.listen in\n" \
      "          %s, then: kithctl stop, kithctl up\n")

#define W_UP_MADE _("Made      settings, keys and the cohort's first descriptor in %s\n")
#define W_UP_THERE _("Found     settings and keys in %s\n")
#define W_UP_RUNS _("Relay     running as \"%s\", port %u answers with its own key\n")
#define W_UP_ALREADY _("Relay     was running already; nothing was changed\n")
#define W_UP_COHORT _("Cohort    fingerprint %s (members see it when they join)\n")
#define W_UP_NEXT                                                                \
    _("Next: a member runs \"kith join\" on their own machine; it asks for the " \
      "invite.\n"                                                                \
      "One more invite:         kithctl --dir %s invite\n"                       \
      "All that is kept here:   kithctl --dir %s held\n")
#define W_UP_FOREGROUND \
    _("The relay runs in this window. Ctrl-C stops it; nothing is lost by that.\n")
#define W_UP_ADMIN_KEY \
    _("Keep      %s/admin.key somewhere else too: it alone can speak for this cohort\n")
#define W_STOPPED _("The relay has stopped.\n")

#define W_INVITE_HEAD _("Invite %u, one use, until %s (scan or copy):\n")
#define W_INVITE_ONCE _("It is shown this once: the relay keeps no copy of it.\n")
#define W_INVITES_NONE _("No invites yet. Make one: kithctl invite\n")
#define W_INVITES_HEAD _("number  state    made        until\n")
#define W_INVITES_ROW _("%6u  %-7s  %s  %s\n")
#define W_REVOKED _("Invite %u is revoked. Whoever used it can read and post no more.\n")
#define W_REVOKED_ALL _("%u open invites are revoked. Members stay members.\n")
#define W_REVOKE_WHAT                                                             \
    _("say which invite: kithctl revoke NUMBER, or kithctl revoke --all for all " \
      "unused ones. "                                                             \
      "Numbers: kithctl invites")

#define W_STATUS                                 \
    _("Relay        %s, up %s\n"                 \
      "Cohort       %s\n"                        \
      "Fingerprint  %s\n"                        \
      "Address      %s\n"                        \
      "Storage      %s\n"                        \
      "Connections  %s\n"                        \
      "Members      %s\n"                        \
      "Descriptor   version %u, good until %s\n" \
      "Clock        %s UTC\n"                    \
      "Version      %s\n")
#define W_STORE_OK _("ok: every answer follows a synced write")
#define W_STORE_FULL \
    _("FULL: members can read, new messages wait on their devices. Make room")
#define W_STORE_BROKEN                                                               \
    _("BROKEN: a write could not be synced. Nothing more is acknowledged; members' " \
      "messages wait "                                                               \
      "on their devices. Check the disk, then start the relay again")
#define W_STATE_RUNNING _("running")
#define W_STATE_DRAINING _("draining: no new connections")
#define W_STATE_STOPPING _("stopping")

#define W_HELD                                                                       \
    _("This is everything the relay keeps, and so all that could be taken or "       \
      "demanded.\n\n"                                                                \
      "  envelopes of 4,064 random-looking bytes: %llu, %s\n"                        \
      "    with the hour each came in; gone for good after %u days\n"                \
      "  mail buckets: %u; no mailbox, no account, no read mark\n"                   \
      "  invites: %u open, %u used, %u revoked, %u expired; of each its number and " \
      "hours\n"                                                                      \
      "  member keys: %u, each with the hour it enrolled\n"                          \
      "  signed descriptors of the cohort: %u, and the relay's own keys\n"           \
      "  %s on disk\n\n"                                                             \
      "Not kept: words, names, addresses, who wrote, who read, who talks to whom.\n" \
      "Whoever runs the relay could watch it live and see which address connects "   \
      "and when, and\n"                                                              \
      "until members' proofs are anonymous, which member key posts.\n\n"             \
      "Settings in force:\n")
#define W_HELD_DAYS _("from %s to %s")
#define W_HELD_NO_DAYS _("none at the moment")

#define W_RELOADED _("Settings read.\n")
#define W_RELOAD_SAME _("Settings read; nothing differs.\n")
#define W_RELOAD_KEPT _("%zu %s. The old settings stay in force.")
#define W_CHANGED _("  now:            %s\n")
#define W_RESTART _("  after a restart: %s\n")

#define W_DRAINING                                                                    \
    _("No new connections from now on. Waiting for the last member to leave; Ctrl-C " \
      "stops the waiting, not the draining.\n")
#define W_DRAINED _("The last connection is gone. Now: kithctl stop\n")
#define W_STOPPING _("The relay stops; what was acknowledged is on the disk.\n")

#define W_DESTROY_CONFIRM                                                           \
    _("this would delete the relay in %s, keys and all, for ever: no member could " \
      "reach it again. "                                                            \
      "If that is meant: kithctl --dir %s destroy --confirm=\"%s\"")
#define W_DESTROY_NAME \
    _("--confirm says \"%s\", but this cohort is \"%s\". Nothing was deleted")
#define W_DESTROY_STOP _("the relay did not stop within %u seconds. Nothing was deleted")
#define W_DESTROY_FAILED _("could not delete all of %s: %s. The rest is gone; try again")
#define W_DESTROYED                                                                 \
    _("The relay in %s is gone: keys, settings, invites and envelopes. Disks keep " \
      "old blocks; "                                                                \
      "only an encrypted or shredded disk forgets for certain.\n")
#define W_LEFT _("Files in %s that kithctl did not make were left there.\n")

#endif
