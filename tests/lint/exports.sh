#!/bin/sh
# exports.sh - a library's global symbols are its promise: libevdb.so and libevdb.a define evdb_* and nothing else. Make a
# stray one static, or leave out EVDB_API. (A is the name of the symbol version.) And every function a public header declares is there.
set -u
bad=0
for library in "$B/libevdb.so" "$B/libevdb.a"; do
    dynamic=
    [ "${library%.so}" = "$library" ] || dynamic=-D
    defined=$(nm $dynamic -g --defined-only "$library" | awk 'NF >= 3 && $2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort -u)
    [ -n "$defined" ] || { echo "exports: $library: nothing exported; is it built?" >&2; bad=1; }
    for symbol in $(echo "$defined" | grep -v '^evdb_'); do
        echo "exports: $library exports '$symbol'" >&2
        bad=1
    done
    for symbol in $(${CC:-cc} -E -P -Iinclude include/evdb.h | tr '\n' ' ' | tr ';' '\n' |
        sed -n 's/.*__attribute__((visibility("default")))[^(]*\(__attribute__((warn_unused_result))\)\{0,1\}[^(]*[ *]\(evdb_[a-z0-9_]*\) *(.*/\2/p'); do
        echo "$defined" | grep -qx "$symbol" || { echo "exports: $library lacks '$symbol', which a header declares" >&2; bad=1; }
    done
done
exit $bad
