# What the gateway sees of Lago: runs inside its container and uses the key that is configured there, so that no key leaves
# it. Changes nothing. Variables: stranger (a key that no organization has), fallback (Lago's URL where LAGO_API_URL is
# not set) and seconds (how long an answer may take). Prints lines "<name> <base64>"; the lines of one name are in order. An answer is its body, a line feed and its
# status. Several processes write at a time: each line is short, and written in one go, so that it stays in one piece.
url=${LAGO_API_URL:-$fallback}
url=${url%/}
host=${url#*://}; host=${host%%/*}; host=${host%%:*}
say() { base64 | while read -r part; do printf "%s %s\n" "$1" "$part"; done; }
# Keys are passed to curl by standard input: anybody on the host can read arguments.
fetch() {
    if command -v curl >/dev/null; then
        answer=$(printf 'header = "Authorization: Bearer %s"\n' "$2" |
            curl --config - --silent --show-error --max-time "$seconds" --write-out "\n%{http_code}" "$url$1" 2>&1) ||
            [ $? -ne 28 ] || answer="no answer within $seconds s
000"
        printf %s "$answer"
    elif command -v python3 >/dev/null; then
        path=$1 key=$2 url=$url seconds=$seconds python3 -c "
import os, urllib.error, urllib.request
asked = urllib.request.Request(os.environ['url'] + os.environ['path'], headers={'Authorization': 'Bearer ' + os.environ['key']})
class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *ignored): return None
try:
    answer = urllib.request.build_opener(Stay, urllib.request.ProxyHandler({})).open(asked, timeout=float(os.environ['seconds']))
except urllib.error.HTTPError as error:
    answer = error
except OSError as error:
    late = isinstance(error, TimeoutError) or isinstance(getattr(error, 'reason', None), TimeoutError)
    print('no answer within ' + os.environ['seconds'] + ' s' if late else error); print('000', end=''); raise SystemExit
print(answer.read().decode('utf-8', 'replace')); print(answer.status, end='')"
    else
        printf "neither curl nor python3 is in this container\n000"
    fi
}
printf "%s" "$url" | say url
{ [ -n "$LAGO_API_KEY" ] && printf yes || printf no; } | say has-key
# Resolved by the gateway's own resolver: a name that two containers share has two addresses. In the background, for a
# resolver may be slow.
{ getent ahostsv4 "$host" 2>/dev/null || python3 -c "
import socket, sys
for each in socket.getaddrinfo(sys.argv[1], None, socket.AF_INET): print(each[4][0])" "$host" 2>/dev/null; } |
    cut -d" " -f1 | sort -u | say addresses &
command -v getent >/dev/null || command -v python3 >/dev/null || printf none | say resolver
fetch /health "" | say health &
fetch /api/v1/organizations "$stranger" | say stranger &
[ -z "$LAGO_API_KEY" ] || fetch /api/v1/organizations "$LAGO_API_KEY" | say organization &
wait
