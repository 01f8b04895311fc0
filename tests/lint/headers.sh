#!/bin/sh
# headers.sh - every header compiles alone, so that the order of includes never matters: public ones as C11 and, where a
# C++ compiler is there, as C++11; internal ones as C11. Include what a header uses in the header.
set -u
bad=0
alone() # HEADER COMPILER FLAG...
{
    header=$1
    shift
    printf '#include "%s"\nint alone;\n' "$header" | "$@" -Wall -Wextra -Werror -D_GNU_SOURCE -fsyntax-only - ||
        { echo "headers: $header does not compile alone with: $*" >&2; bad=1; }
}
for header in include/*.h include/evdb/*.h; do
    alone "$header" "${CC:-cc}" -x c -std=c11 -pedantic -Iinclude -I.
    ! command -v "${CXX:-g++}" >/dev/null 2>&1 || alone "$header" "${CXX:-g++}" -x c++ -std=c++11 -pedantic -Iinclude -I.
done
for header in $(find lib server bindings/cli tests -name '*.h' 2>/dev/null); do
    alone "$header" "${CC:-cc}" -x c -std=c11 -Iinclude -Ilib -Iserver -Ibindings/cli -Itests -I.
done
exit $bad
