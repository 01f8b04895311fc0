#!/bin/sh
# sizes.sh - a C file has at most 400 lines and a function fewer than 70, so that each can be read in one go. Split by
# responsibility, not by length.
set -u
bad=0
for file in $(find include lib server bindings examples tests -name '*.[ch]' 2>/dev/null | sort); do
    lines=$(wc -l <"$file")
    [ "$lines" -le 400 ] || { echo "sizes: $file has $lines lines, more than 400" >&2; bad=1; }
    awk -v file="$file" '
        /^{/ { began = NR }
        /^}/ && began {
            if (NR - began + 1 >= 70) { print "sizes: " file ":" began ": a function of " NR - began + 1 " lines"; long = 1 }
            began = 0
        }
        END { exit long }' "$file" >&2 || bad=1
done
exit $bad
