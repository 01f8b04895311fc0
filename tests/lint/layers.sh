#!/bin/sh
# layers.sh - includes point down only. Each line of `rules` is a room and the rooms it may include from; a room may
# always include from itself, and <evdb/...> is open to all. Move the code to the room it belongs to, or hand what it
# needs down through a callback; do not add to the table without a reason that lib/README.md can give.
set -u
rules='
lib/platform:
lib/base: platform
lib/kernel: base platform
lib/auth: base platform
lib/codec: base kernel platform
lib/index: base codec kernel platform
lib/disk: base platform
lib/format: base platform
lib/filter: base format platform
lib/foreign: base disk format platform
lib/engine: base codec disk filter index kernel platform
lib: auth base codec disk engine filter foreign format index kernel platform
server/config:
server/http:
server/limit:
server/op: limit
server/remote: op
server/mcp: op
server/proto: http limit mcp op
server/token: http limit op proto
server: config http limit op proto remote token
bindings/cli: mcp op
'
bad=0
say() { echo "layers: $*" >&2; bad=1; }

for dir in lib/*/ server/*/; do
    dir=${dir%/}
    ls "$dir"/*.[ch] >/dev/null 2>&1 || continue
    echo "$rules" | grep -q "^$dir:" || say "$dir is in no line of the table: give it its place in tests/lint/layers.sh"
done

while IFS=: read -r dir may; do
    [ -n "$dir" ] || continue
    self=${dir##*/}
    for file in "$dir"/*.[ch]; do
        [ -e "$file" ] || continue
        for name in $(sed -n 's/^[ \t]*#[ \t]*include[ \t]*"\([^"]*\)".*/\1/p' "$file"); do
            case $name in
            ../* | */../*) say "$file includes \"$name\": name the room instead of climbing" ;;
            */*)
                room=${name%%/*}
                [ "$room" = "$self" ] && continue
                case " $may " in *" $room "*) ;; *) say "$file includes \"$name\": $dir may not see $room" ;; esac
                ;;
            *) [ -e "$dir/$name" ] || say "$file includes \"$name\", which is not of $dir" ;;
            esac
        done
    done
done <<EOF
$rules
EOF

# only HEADER ROOMS FOLDER...: HEADER is included in ROOMS alone, which are a room or several with '|' between.
only()
{
    header=$1 rooms=$2
    shift 2
    for file in $(grep -rlE "^[ \t]*#[ \t]*include[ \t]*[<\"]$header" --include='*.[ch]' "$@" 2>/dev/null); do
        echo "$file" | grep -qE "^($rooms)/" || say "$file includes $header, which only $rooms may"
    done
}
only sqlite3.h lib/disk include lib server bindings examples
only microhttpd.h server/http include lib server bindings examples
only gnutls/ 'server/http|server/token' include lib server bindings examples
only curl/ server/remote include lib server bindings examples

# Programs see <evdb.h> and their own folders, never a room of the library.
for file in $(grep -rlE '^[ \t]*#[ \t]*include[ \t]*"(platform|base|auth|kernel|index|disk|filter|foreign|format|engine)/' --include='*.[ch]' \
    include server bindings examples tests/api tests/op tests/bench 2>/dev/null); do
    say "$file includes an internal of the library: use <evdb.h>"
done
exit $bad
