#!/bin/sh
# banned.sh - functions not to call, and what to use instead. Comments and strings may name them.
set -u
bad=0

# ban FUNCTIONS INSTEAD PATH...: no call of one of FUNCTIONS in the C files below PATH.
ban()
{
    names=$1 instead=$2
    shift 2
    for file in $(find "$@" -name '*.[ch]' 2>/dev/null | sort); do
        awk -f tests/lint/code.awk "$file" |
            grep -nE "(^|[^A-Za-z0-9_.>])($names)[ \t]*\(" | sed "s|^\([0-9]*\):.*|banned: $file:\1: $instead|"
    done >"$found"
    [ ! -s "$found" ] || { cat "$found" >&2; bad=1; }
}

found=$(mktemp) || exit 1
trap 'rm -f "$found"' EXIT
ban 'strcpy|strcat|stpcpy|sprintf|vsprintf|gets|strncpy' 'use snprintf or memcpy with a checked length' \
    include lib server bindings examples tests
ban 'strtok|localtime|gmtime|ctime|asctime|rand|srand|setlocale' 'not thread-safe: use the _r form, or a seam' \
    include lib server bindings examples
ban 'strerror' 'not thread-safe: use strerror_r' include lib
ban 'atoi|atol|atoll|atof' 'hides errors: use strtol or strtod and look at the end' include lib server bindings examples tests
ban 'alloca|longjmp|setjmp|tmpnam|mktemp|tempnam' 'unsafe: allocate, return a status, use mkstemp' \
    include lib server bindings examples tests
ban 'sleep|usleep|nanosleep' 'wait for an event, not for time' include lib server bindings tests

# The library allocates through the seam, prints nothing, ends no process and takes time and chance from the seam.
rooms=$(find lib -mindepth 1 -maxdepth 1 ! -name platform)
# shellcheck disable=SC2086 # words
ban 'malloc|calloc|realloc|reallocarray|free|strdup|strndup|asprintf|vasprintf' 'allocate through base/mem.h' $rooms
# shellcheck disable=SC2086
ban 'printf|fprintf|puts|fputs|perror|putchar|exit|_exit|abort|raise|signal|sigaction' \
    'the library never prints and never ends its process: return a status' $rooms lib/platform
# shellcheck disable=SC2086
ban 'time|clock|gettimeofday|random|getrandom|randombytes_buf' 'take it from the platform seam' $rooms
# shellcheck disable=SC2086
ban 'open|openat|unlink|rename|mkdir|rmdir|fsync|fdatasync|ftruncate|mmap' 'go through platform/file.h or platform/map.h' $rooms
exit $bad
