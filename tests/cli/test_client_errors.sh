#!/bin/sh
# test_client_errors.sh - wrong use and absent targets: exit status, and a sentence that says what
# was expected.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
bad=0

# fails WANTED TEXT ARGUMENTS…: exit status, empty stdout, TEXT on stderr.
fails() {
    want=$1
    text=$2
    shift 2
    "$NEARFAR_CLIENT" "$@" >"$work/out" 2>"$work/err"
    got=$?
    [ "$got" -eq "$want" ] || { echo "FAIL: exit $got, expected $want: $*"; bad=1; }
    grep -qF -- "$text" "$work/err" ||
        { echo "FAIL: no '$text' from: $*: $(cat "$work/err")"; bad=1; }
    [ ! -s "$work/out" ] || { echo "FAIL: stdout of $*: $(cat "$work/out")"; bad=1; }
}

fails 1 "Usage: nearfar-client COMMAND"
fails 1 "unknown command 'nonsense'" nonsense
fails 1 "unknown option" predict --nonsense
fails 1 "expected 0 words" predict word
fails 1 "needs a value" predict --url
fails 1 "expected JSON" predict --input '[1,'
fails 1 "no-such-file" predict --input no-such-file.json
fails 1 "expected the scheme http" predict --url ftp://127.0.0.1 --input '[1]'
fails 1 "expected a URL" bench
fails 1 "expected a URL" ping
fails 1 "expected http://HOST" ping 'http://a b'
fails 1 "expected 0 to 10000" bench 127.0.0.1:1 -c 10001
fails 1 "warmup" bench 127.0.0.1:1 --warmup soon
fails 1 "--edge: a URL is needed" compare --cloud 127.0.0.1:1
fails 1 "--cloud: a URL is needed" compare --edge 127.0.0.1:1
fails 1 "expected a percentage" compare --edge 127.0.0.1:1 --cloud 127.0.0.1:1 --min-effect much
fails 1 "--to: an address is needed" link --listen 127.0.0.1:0
fails 1 "expected ADDR:PORT" link --listen nonsense --to 127.0.0.1:1
fails 1 "expected RATE" link --listen 127.0.0.1:0 --to 127.0.0.1:1 --up fast
fails 1 "expected one of stall|reset" link --listen 127.0.0.1:0 --to a:1 --down-mode maybe

# Nothing listens on port 1 of loopback.
fails 2 "connection refused" predict --url http://127.0.0.1:1 --input '[1]'
fails 2 "connection refused" predict --url http://127.0.0.1:1
fails 2 "name not found" predict --url http://no-such-host.invalid --input '[1]'
fails 2 "connection refused" bench 127.0.0.1:1 -n 1 --input '[1]'
fails 2 "no metadata" compare --edge 127.0.0.1:1 --cloud 127.0.0.1:1

"$NEARFAR_CLIENT" ping 127.0.0.1:1 -n 1 >"$work/out"
[ $? -eq 2 ] && grep -q "connection refused" "$work/out" || { echo "FAIL: ping"; bad=1; }
"$NEARFAR_CLIENT" compare --edge 127.0.0.1:1 --cloud 127.0.0.1:1 --input '[1]' --json >"$work/out"
[ $? -eq 2 ] && grep -q '"verdict": "no difference shown: neither' "$work/out" ||
    { echo "FAIL: compare without targets: $(cat "$work/out")"; bad=1; }
exit $bad
