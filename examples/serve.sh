#!/bin/sh
# serve.sh - a database served over HTTP: starts evdbd on loopback, gets a token, searches over REST and as an AI agent
# does, over MCP, stops it.
#
#   serve.sh EVDBD DATABASE
#
# DATABASE is what quickstart made: a directory with the store `fashion`. The ports are the system's choice, so nothing
# that runs already is in the way. With curl, as any other program would do it.
set -u
evdbd=${1:?usage: serve.sh EVDBD DATABASE}
database=${2:?usage: serve.sh EVDBD DATABASE}
server=
work=$(mktemp -d) || exit 1

finish() { [ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"; }
trap finish EXIT
trap 'exit 1' INT TERM
die() { printf 'quickstart: %s\nquickstart: FAILED\n' "$*" >&2; exit 1; }
# member NAME: the text or number of that member of the JSON object on standard input.
member() { sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }
# ask CURL-ARGUMENT...: the body of an answer that is no error.
ask() { curl -sS --fail-with-body --noproxy '*' --max-time 60 "$@"; }

# ---- start it, and wait until it says that it is ready

mkfifo "$work/log" || die "no room for a pipe"
"$evdbd" --data "$database" --port 0 2>"$work/log" &
server=$!
exec 3<"$work/log"
ready=
while [ -z "$ready" ] && read -r line <&3; do
    case $line in
    *'"message":"ready"'*) ready=$line ;;
    *'"level":"error"'*) die "evdbd: $line" ;;
    esac
done
[ -n "$ready" ] || die "evdbd ended before it was ready"
oauth=http://127.0.0.1:$(printf %s "$ready" | member oauth_port)
rest=http://127.0.0.1:$(printf %s "$ready" | member rest_port)/api/v1
mcp=http://127.0.0.1:$(printf %s "$ready" | member mcp_port)/mcp
echo "serving    $rest, tokens from $oauth/oauth/token"

# ---- a token: client admin, whose secret evdbd has made and written for us

token=$(tr -d '\n' <"$database/admin.secret" |
    ask "$oauth/oauth/token" -d grant_type=client_credentials -d client_id=admin -d scope=read \
        --data-urlencode client_secret@-) || die "no token: $token"
token=$(printf %s "$token" | member access_token)
echo "token      of client admin, scope read"

# ---- REST: which pictures are most like picture 42?

bearer="Authorization: Bearer $token"
record=$(ask "$rest/stores/fashion/vectors/42" -H "$bearer") || die "picture 42 cannot be fetched: $record"
vector=$(printf %s "$record" | sed -n 's/.*"vector":\(\[[^]]*\]\).*/\1/p')
found=$(printf '{"vector": %s, "k": 5}' "$vector" |
    ask "$rest/stores/fashion/search" -H "$bearer" -H "Content-Type: application/json" -d @-) || die "no answer: $found"
case $found in
'{"results":[{"id":42,"distance":0'*) ;;
*) die "picture 42 is not the nearest to itself: $found" ;;
esac
labels=$(printf %s "$found" | grep -o '"label":"[^"]*"' | cut -d'"' -f4)
[ "$(echo "$labels" | wc -l)" = 5 ] || die "5 pictures were asked for: $found"
echo "REST       most like picture 42: $(echo "$labels" | paste -sd, | sed 's/,/, /g')"

# ---- MCP: the same question, as a call of the tool search_vectors

found=$(printf '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_vectors","arguments":%s}}' \
        "{\"store\": \"fashion\", \"vector\": $vector, \"k\": 5}" |
    ask "$mcp" -H "$bearer" -H "Content-Type: application/json" -H "Accept: application/json" \
        -H "MCP-Protocol-Version: 2025-11-25" -d @-) || die "no answer over MCP: $found"
again=$(printf %s "$found" | sed 's/.*"structuredContent"://' | grep -o '"label":"[^"]*"' | cut -d'"' -f4)
[ "$again" = "$labels" ] || die "MCP does not answer what REST does: $found"
echo "MCP        tool search_vectors answers the same"

# ---- stop it

kill "$server"
wait "$server" || die "evdbd ended with status $?"
server=
echo "stopped    evdbd, by SIGTERM"
echo "quickstart: passed"
