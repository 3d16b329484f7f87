#!/bin/sh
# test_client_server.sh - the client against real servers, one of them behind an emulated link that
# is then cut. No time is asserted.
set -u
work=$(mktemp -d) || exit 1
pids=""
bad=0

finish() {
    for pid in $pids; do kill "$pid" 2>/dev/null; done
    for pid in $pids; do wait "$pid" 2>/dev/null; done
    rm -rf "$work"
}
trap finish EXIT

fail() {
    echo "FAIL: $*"
    bad=1
}

# status WANTED ARGUMENTS…: runs the client, keeps stdout and stderr, checks the exit status.
status() {
    want=$1
    shift
    "$NEARFAR_CLIENT" "$@" >"$work/out" 2>"$work/err"
    got=$?
    [ "$got" -eq "$want" ] || fail "exit $got, expected $want: $*: $(cat "$work/err")"
}

has() {
    grep -qF -- "$1" "$work/out" || fail "no '$1' in: $(cat "$work/out")"
}

# address_in FILE: waits until FILE names 127.0.0.1:PORT, prints the first.
address_in() {
    for _ in $(seq 200); do
        address=$(grep -o '127\.0\.0\.1:[0-9][0-9]*' "$1" 2>/dev/null | head -1)
        if [ -n "$address" ]; then echo "$address" && return; fi
        sleep 0.05
    done
    echo "no address in $1: $(cat "$1")" >&2
    exit 1
}

for mode in edge cloud; do
    "$NEARFAR" serve --mode $mode --models "$SOURCE_DIR/models" --listen 127.0.0.1:0 \
        >"$work/$mode.log" 2>&1 &
    pids="$pids $!"
done
edge=$(address_in "$work/edge.log") || exit 1
cloud=$(address_in "$work/cloud.log") || exit 1
"$NEARFAR_CLIENT" link --listen 127.0.0.1:0 --to "$cloud" --rtt 20ms --up 12 --down 40mbit \
    --control 0 >"$work/link.log" 2>&1 &
link_pid=$!
pids="$pids $link_pid"
link=$(address_in "$work/link.log") || exit 1
control=$(sed -n '1s/.*control http:\/\///p' "$work/link.log")

status 0 predict --url "http://$edge" --input '[22.0,23.5,21.0]'
has "normal (confidence 0."
has "int8 in edge mode"
status 0 predict --url "http://$edge" --input '{"instances":[[31,30.5,32]]}' --json
has '"schema": "nearfar-client/1"'
has '"label": "hot"'
status 7 predict --url "http://$edge" --model no-such-model --input '[1]'
status 7 predict --url "http://$edge" --input '[1]'
status 0 ping "http://$edge" "$link" -n 2
has "first byte"
status 0 ping "http://localhost:${edge#*:}" -n 1 --json
has '"connect": {'
status 0 bench "$edge" -n 500 -c 4 --warmup 20
has "500 ok, 0 failed"
has "p99.9 n/a (n=500)"
status 0 bench "http://$edge/healthz" -n 50 --json
has '"p99": null'
has '"total": 0'

printf '[22.0,23.5,21.0]\n[31.0,30.5,32.0]\n[1.0,2.0,3.0]\n' >"$work/rows"
status 0 compare --edge "$edge" --cloud "$link" -n 20 --warmup 2 --input "$work/rows" --seed 5 \
    --html "$work/report.html"
tail -1 "$work/out" | grep -qE '^(edge faster by|cloud faster by|no difference shown:)' ||
    fail "verdict: $(tail -1 "$work/out")"
has "same class 20 of 20"
has "edge/int8"
has "cloud/fp32"
grep -q '</html>' "$work/report.html" || fail "report.html"
status 0 compare --edge "$edge" --cloud "$cloud" --model digits -n 12 --json
has '"pairs": 12'
has '"precision": "fp32"'

# One side is not there: the other is measured, and the status says so.
status 2 compare --edge "$edge" --cloud 127.0.0.1:1 -n 20
has "not reached: connection refused"
has "no difference shown: cloud could not be reached"

# An outage by the control port: silence, then again.
curl -s -d '{"up":false}' "http://$control/v1/link" | grep -q '"up": false' || fail "link down"
status 2 predict --url "$link" --input '[1,2,3]' --timeout 300ms
grep -q "no answer in time" "$work/err" || fail "outage: $(cat "$work/err")"
curl -s -d '{"up":true}' "http://$control/v1/link" | grep -q '"up": true' || fail "link up"
status 0 predict --url "$link" --input '[1,2,3]'
kill -USR1 $link_pid
status 2 predict --url "$link" --input '[1,2,3]' --timeout 300ms
kill -USR1 $link_pid
status 0 predict --url "$link" --input '[1,2,3]'

# Ctrl-C: what was measured so far comes out.
"$NEARFAR_CLIENT" bench "$edge" -d 60s --warmup 1 --json >"$work/out" 2>"$work/err" &
bench_pid=$!
sleep 1
kill -TERM $bench_pid
wait $bench_pid
[ $? -eq 130 ] || fail "bench after a signal: $(cat "$work/err")"
has '"interrupted": true'

kill -TERM $link_pid
wait $link_pid || fail "link ended with $?"
grep -q '^link ended: .* bytes up' "$work/link.log" || fail "link: $(cat "$work/link.log")"
exit $bad
