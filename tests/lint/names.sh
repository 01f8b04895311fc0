#!/bin/sh
# names.sh - the top level holds what the architecture says and nothing else; a file is named after what it does (a
# "helper" or "common" file collects what nobody placed); every C file begins by saying what it is.
set -u
bad=0
say() { echo "names: $*" >&2; bad=1; }
files=$(git ls-files --cached --others --exclude-standard 2>/dev/null) || exit 0 # not a clone: nothing to say

for entry in $(echo "$files" | cut -d/ -f1 | sort -u); do
    case $entry in
    Makefile | README.md | LICENSE | include | lib | server | bindings | examples | tests | pkgconfig | .*) ;;
    *) say "'$entry' does not belong at the top level" ;;
    esac
done
for file in $files; do
    [ -e "$file" ] || continue
    stem=${file##*/}
    case ${stem%%.*} in
    util | utils | utility | common | helper | helpers | misc | stuff | manager | *_util | *_utils | *_helper | *_helpers | *_manager | *_common)
        say "$file: name it after what it does" ;;
    esac
    case $file in
    *.c | *.h) head -n 1 "$file" | grep -qF "/* ${file##*/} - " ||
        head -n 1 "$file" | grep -qF "${file##*/}" || say "$file: the first line should be '/* ${file##*/} - what it is'" ;;
    esac
done
exit $bad
