/* SPDX-License-Identifier: Apache-2.0 */
/* args: the command line of kith, read strictly.
 * Flow     main -> args -> app
 * Owns     nothing: strings point into argv
 * Threads  any
 * One table of verbs and one of flags.  Flags stand before or after the verb; "--" ends
 * them; nothing is abbreviated; a value that looks like a flag is refused.  A person's
 * text, an invite or a link is never an argument: such an argument is an error that shows
 * the piped form. */
#ifndef KITH_CLIENT_ARGS_H
#define KITH_CLIENT_ARGS_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit codes: ux.md, section 6; `kith help exit-codes` in words. */
enum exit_code {
    EXIT_OK = 0,
    EXIT_TIMEOUT = 4,
    EXIT_USAGE = 64,
    EXIT_DATA = 65,
    EXIT_NOT_FOUND = 66,
    EXIT_RELAY = 69,
    EXIT_BUG = 70,
    EXIT_DISK = 74,
    EXIT_QUEUED = 75,
    EXIT_OTHER_SIDE = 76,
    EXIT_LOCKED = 77,
    EXIT_SETUP = 78,
    EXIT_INTERRUPTED = 130,
};

enum verb {
    VERB_CHAT, /* also without a verb */
    VERB_JOIN,
    VERB_LINK,
    VERB_ACCEPT_LINK,
    VERB_VERIFY,
    VERB_SEND,
    VERB_READ,
    VERB_LIST,
    VERB_STATUS,
    VERB_ALARMS,
    VERB_LIMITS,
    VERB_CRISIS,
    VERB_FORGET,
    VERB_WIPE,
    VERB_LOCK,
    VERB_COUNT,
};

enum color { COLOR_AUTO, COLOR_NEVER, COLOR_ALWAYS };

enum { ARGS_WORDS_MAX = 4, TIMEOUT_S_MAX = 24 * 3600, EXPIRES_HOURS_MAX = 24 * 30 };

struct args {
    enum verb verb;
    bool has_verb;
    const char *words[ARGS_WORDS_MAX]; /* what follows the verb, without flags */
    size_t words_n;
    bool json, plain, no_input, quiet, offline, guest, follow, all, help, version;
    int verbose;
    enum color color;
    const char *profile;         /* NULL: KITH_PROFILE or "default" */
    const char *passphrase_file; /* NULL: ask */
    const char *confirm;
    const char *as; /* the name to go by */
    bool has_timeout;
    uint32_t timeout_s;
    uint32_t expires_hours; /* 0: not given */
};

enum args_error {
    ARGS_E_FLAG = 1,    /* no such flag; guess may be set */
    ARGS_E_NO_VALUE,    /* the flag wants a value, and none or another flag follows */
    ARGS_E_HAS_VALUE,   /* the flag takes none */
    ARGS_E_VALUE,       /* the value is not one of those it takes */
    ARGS_E_NOT_HERE,    /* the flag exists, and not for this verb */
    ARGS_E_VERB,        /* no such verb; guess may be set */
    ARGS_E_MISSING,     /* the verb wants one more word */
    ARGS_E_EXTRA,       /* the verb takes no such word */
    ARGS_E_TEXT_INSIDE, /* a text, invite or link among the arguments */
};
struct args_problem {
    enum args_error error;
    const char *what;  /* the flag or word as given; borrowed */
    const char *guess; /* "did you mean", or NULL */
    enum verb verb;    /* of NOT_HERE, MISSING, EXTRA, TEXT_INSIDE */
};

/* 0, or an enum args_error described in *problem.  out is then filled as far as it was
 * read, so that --json is known where it came first. */
MUST_USE int args_read(int argc, char **argv, struct args *out,
                       struct args_problem *problem);

const char *args_verb_name(enum verb v);

/* "7d", "36h", "90m", "45" (default_unit seconds each) -> seconds.  0 or -EINVAL. */
MUST_USE int args_duration(const char *text, uint64_t default_unit_s, uint64_t *seconds);

#endif
