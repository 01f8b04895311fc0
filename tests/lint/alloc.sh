#!/bin/sh
# alloc.sh - a failed allocation is an error and nothing else: every public function that can fail is called by a scenario of
# tests/fault/alloc_*.c or test_alloc*.c, whose allocations fail one by one. Add it to one, or write one (tests/fault/alloc_calls.h).
set -u
bad=0
functions=$(cat include/evdb/*.h | tr '\n' ' ' | tr ';' '\n' | grep 'EVDB_API .*evdb_error \*err *)' |
    sed 's/.*EVDB_API //; s/ *(.*//; s/.*[ *]//' | sort -u)
[ -n "$functions" ] || { echo "alloc: no functions found in include/evdb" >&2; bad=1; }
called=$(awk -f tests/lint/code.awk tests/fault/alloc_*.c tests/fault/test_alloc*.c | grep -o 'evdb_[a-z0-9_]*(' | sort -u)
for function in $functions; do
    echo "$called" | grep -qxF "$function(" || { echo "alloc: no scenario of tests/fault calls $function()" >&2; bad=1; }
done
exit $bad
