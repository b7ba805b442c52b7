#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# layers: the layer table, checked against every #include and against the relay itself.
#
#   tests/layers.sh [BUILD FOLDER]
#
# Prints file:line: what is wrong; exit 1 if anything is.  The table is allowed_ours and
# allowed_others below: whoever moves a border moves it there, in sight.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-.build/debug}
failures=0

wrong() {
    echo "$1: $2" >&2
    failures=$((failures + 1))
}

# May file $1 include our header $2?
allowed_ours() {
    case $1:$2 in
    tests/*) ;;
    lib/*:lib/*) ;;
    proto/*:proto/* | proto/*:lib/*) ;;
    daemon/*:daemon/* | daemon/*:proto/* | daemon/*:lib/*) ;;
    client/core/*:client/core/* | client/core/*:proto/* | client/core/*:lib/*) ;;
    client/net/*:client/net/* | client/net/*:client/core/*) ;;
    client/net/*:proto/* | client/net/*:lib/*) ;;
    client/ui/*:client/ui/* | client/ui/*:client/core/model.h | client/ui/*:lib/*) ;;
    client/core/* | client/net/* | client/ui/*) return 1 ;;
    client/*:client/* | client/*:proto/* | client/*:lib/*) ;;
    *) return 1 ;;
    esac
}

# May file $1 include the system's or another's header $2?  Each library has its fence.
allowed_others() {
    case $2 in
    sodium.h | sodium/*) match "$1" 'lib/*' ;;
    msgpack.h | msgpack/*) match "$1" 'proto/mp_write.[ch]' ;;
    uv.h) match "$1" 'daemon/*' 'client/net/*' 'client/[!/]*.[ch]' ;;
    confuse.h) match "$1" 'daemon/config*.[ch]' ;;
    systemd/*) match "$1" 'daemon/*' ;;
    lmdb.h) match "$1" 'daemon/store_lmdb*.[ch]' ;;
    nats.h | nats/*) match "$1" 'daemon/store_jetstream*.c' ;;
    jansson.h) match "$1" 'daemon/ctl_*' 'client/[!/]*.[ch]' ;;
    qrencode.h) match "$1" 'daemon/ctl_*' 'client/[!/]*.[ch]' 'client/ui/qr.c' ;;
    sqlite3.h | sqlcipher/*) match "$1" 'client/core/db*.c' ;;
    curses.h | ncurses.h | ncursesw/* | term.h)
        match "$1" 'client/ui/term.c' 'client/ui/screen.c' ;;
    histedit.h | editline/*) match "$1" 'client/ui/plain.c' ;;
    utf8proc.h) match "$1" 'client/ui/text.c' ;;
    cmocka.h) match "$1" ;;
    argp.h) match "$1" 'daemon/*' 'client/[!/]*.[ch]' ;;
    # The pure layers do no input or output and start no threads; time comes in.
    sys/socket.h | sys/un.h | netdb.h | netinet/* | arpa/* | poll.h | sys/epoll.h | \
        sys/select.h | pthread.h | threads.h | signal.h | termios.h)
        match "$1" 'lib/*' 'daemon/*' 'client/net/*' 'client/ui/*' 'client/[!/]*.[ch]' ;;
    time.h | sys/time.h)
        match "$1" 'lib/clock.c' 'daemon/*' 'client/net/*' 'client/ui/*' \
            'client/[!/]*.[ch]' ;;
    # What is left must be C's, POSIX's or Linux's own.
    assert.h | ctype.h | errno.h | fcntl.h | float.h | inttypes.h | langinfo.h | \
        libgen.h | limits.h | locale.h | math.h | pwd.h | setjmp.h | \
        stdalign.h | stdarg.h | stdatomic.h | stdbool.h | stddef.h | stdint.h | \
        stdio.h | stdlib.h | stdnoreturn.h | string.h | strings.h | syslog.h | unistd.h | \
        dirent.h | dlfcn.h | endian.h | execinfo.h | fnmatch.h | ftw.h | getopt.h | \
        glob.h | grp.h | libintl.h | sched.h | spawn.h | sysexits.h | wchar.h | \
        wctype.h | linux/* | net/if.h | sys/*) ;;
    *) match "$1" ;; # unknown: tests only, until it has a row here
    esac
}

# Does file $1 fit one of the patterns?  Tests may include everything.
match() {
    local file=$1 pattern
    shift
    for pattern in 'tests/*' "$@"; do
        # [!/]* also matches slashes in case: client/*.c means no folder below client/.
        if [[ $pattern == 'client/[!/]*'* && $file == client/*/* ]]; then continue; fi
        # shellcheck disable=SC2254  # a pattern is what we want
        case $file in $pattern) return 0 ;; esac
    done
    return 1
}

check_includes() {
    local file line text header

    while IFS=: read -r file line text; do
        header=${text#*[<\"]}
        header=${header%%[>\"]*}
        if [[ $text == *'"'* ]]; then
            if [[ $header != */* || ! -f $header ]]; then
                wrong "$file:$line" "\"$header\" is not a path from the top of the tree"
            elif ! allowed_ours "$file" "$header"; then
                wrong "$file:$line" "${file%/*}/ may not include $header"
            fi
        elif ! allowed_others "$file" "$header"; then
            wrong "$file:$line" "<$header> does not belong in $file"
        fi
    done < <(find lib proto daemon client tests -name '*.[ch]' -print0 | sort -z |
        xargs -0 grep -HnE '^ *# *include *[<"]')
}

# Nothing is built that the build file does not name.
check_listed() {
    local file named

    named=$(tr -s '() \n' ' ' <CMakeLists.txt)
    while IFS= read -r file; do
        [[ $named == *" $file "* ]] || wrong "$file:1" "CMakeLists.txt does not name it"
    done < <(find lib proto daemon client -name '*.c' | sort)
}

# The relay has nothing of the client in it, and none of its libraries.
check_relay() {
    local theirs symbol

    [ -x "$build/kithd" ] || return 0
    for theirs in "$build"/libkith_core.a "$build"/libkith_client.a; do
        while IFS= read -r symbol; do
            wrong "$build/kithd" "has the client's $symbol in it"
        done < <(comm -12 <(defined "$build/kithd") <(defined "$theirs"))
    done
    while IFS= read -r symbol; do
        wrong "$build/kithd" "has the client's $symbol in it"
    done < <(defined "$build/kithd" | grep -E '^(ratchet|compose|outbox)_' || true)
    while IFS= read -r symbol; do
        wrong "$build/kithd" "needs $symbol, a library of the client"
    done < <(readelf -d "$build/kithd" | grep NEEDED |
        grep -oE 'lib(sqlcipher|sqlite3|edit|ncurses|utf8proc|jansson|qrencode)[^]]*' || true)
}

# Names defined in a program or an archive, without the compilers' own.
defined() {
    nm -g --defined-only "$1" 2>/dev/null |
        awk 'NF == 3 && $2 ~ /[TDBRC]/ && $3 !~ /^(_|main$)/ { print $3 }' | sort -u
}

check_includes
check_listed
check_relay
if [ $failures -gt 0 ]; then
    echo "layers: $failures wrong" >&2
    exit 1
fi
echo "layers: every include keeps to the table"
