#!/bin/sh
# test_client_link.sh - nearfar-client link and doctor as programs: profiles, settings, outages, the
# check of itself, the control port, and packets over a TUN device where that is allowed. What the
# links lead to is the control port of another link. No time is asserted.
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

# start NAME ARGUMENTS…: a link in the background; $pid, its log in NAME.log, its line printed.
start() {
    name=$1
    shift
    "$NEARFAR_CLIENT" link "$@" >"$work/$name.log" 2>"$work/$name.err" &
    pid=$!
    pids="$pids $pid"
    for _ in $(seq 200); do
        grep -qs "^link " "$work/$name.log" && return
        sleep 0.05
    done
    fail "$name did not start: $(cat "$work/$name.err")"
}

listen_of() { sed -n '1s/^link \([^ ]*\) .*/\1/p' "$work/$1.log"; }
control_of() { sed -n '1s/.*control http:\/\///p' "$work/$1.log"; }

# refused WHAT ARGUMENTS…: ends with 1 and says WHAT.
refused() {
    what=$1
    shift
    "$NEARFAR_CLIENT" link "$@" >"$work/out" 2>"$work/err"
    got=$?
    [ $got -eq 1 ] || fail "exit $got, expected 1: $*"
    grep -qF -- "$what" "$work/err" || fail "no '$what' in: $(cat "$work/err")"
}

to="--listen 127.0.0.1:0 --to 127.0.0.1:1"
# $to is two options and their values.
# shellcheck disable=SC2086
{
    refused "--rtt: expected" $to --rtt fast
    refused "--loss: expected" $to --loss 70%
    refused "--queue: expected" $to --queue 7
    refused "schedule: expected" $to --schedule '10s maybe'
    refused "unknown 'warp'" $to --profile warp
    refused "no-such.json" $to --profile "$work/no-such.json"
    refused "not offered here" $to --congestion no-such-algo
}

"$NEARFAR_CLIENT" link --profiles >"$work/out" || fail "--profiles"
grep -q '^lte .* WebPageTest' "$work/out" || fail "no source of lte: $(cat "$work/out")"
for file in "$SOURCE_DIR"/deploy/links/*.json; do
    start "$(basename "$file")" --listen 127.0.0.1:0 --to 127.0.0.1:1 --profile "$file"
done

start end --listen 127.0.0.1:0 --to 127.0.0.1:1 --control 127.0.0.1:0
end=$(control_of end)
start mid --listen 127.0.0.1:0 --to "$end" --profile wifi-good --rtt 4ms --jitter 2ms --loss 0 \
    --queue 50ms --congestion reno --control 127.0.0.1:0
grep -q 'rtt 4.00 ms, up 30 Mbit/s, down 30 Mbit/s, jitter 2.00 ms' "$work/mid.log" ||
    fail "settings over a profile: $(cat "$work/mid.log")"
mid=$(listen_of mid)
control=$(control_of mid)
mid_pid=$pid
curl -s "http://$mid/v1/link" | grep -q '"up": true' || fail "nothing came through"
curl -s "http://$control/v1/link" | grep -q '"connections": 1' || fail "it did not count"
curl -s -d '{"rtt_us":"7ms"}' "http://$control/v1/link" | grep -q '"rtt_us": 7000' ||
    fail "live settings"
curl -s -d '{"rtt_us":"7x"}' "http://$control/v1/link" | grep -q '"error": "rtt_us: ' ||
    fail "an error names its field"
curl -s -d '{"schedule":"60s down"}' "http://$control/v1/link" | grep -q '"up": false' ||
    fail "a schedule over the control port"
curl -s -m 0.3 "http://$mid/v1/link" && fail "something came through an outage"
curl -s -d '{"up":true}' "http://$control/v1/link" >/dev/null
curl -s "http://$mid/v1/link" | grep -q '"up": true' || fail "nothing came after the outage"
kill -TERM "$mid_pid"
wait "$mid_pid" || fail "link ended with $?"
grep -q '^link ended: .* 1 outages' "$work/mid.log" || fail "end: $(cat "$work/mid.log")"

start off --listen 127.0.0.1:0 --to "$end" --profile offline --control 127.0.0.1:0
curl -s "http://$(control_of off)/v1/link" | grep -q '"up": false' || fail "offline is not down"
start sched --listen 127.0.0.1:0 --to "$end" --schedule '60s down' --control 127.0.0.1:0
curl -s "http://$(control_of sched)/v1/link" | grep -q '"up": false' || fail "it is not down"

# The check comes after the listening and once more at the end; its figures are not judged here.
start checked --listen 127.0.0.1:0 --to "$end" --rtt 2ms --check --control 127.0.0.1:0
curl -s "http://$(listen_of checked)/v1/link" | grep -q '"up": true' || fail "the check is in the way"
kill -TERM "$pid"
wait "$pid" || fail "--check alone decided the status"
grep -q '^link check after use' "$work/checked.err" || fail "check: $(cat "$work/checked.err")"
grep -q '^link ended: .* check ' "$work/checked.log" || fail "end: $(cat "$work/checked.log")"

"$NEARFAR_CLIENT" doctor >"$work/out" || fail "doctor"
for row in tun netem congestion clock timer 'tcp info'; do
    grep -q "^\(ok\|-\)  *$row" "$work/out" || fail "doctor tells nothing of $row"
done
"$NEARFAR_CLIENT" doctor --json | grep -q '"name": "netem"' || fail "doctor --json"

# Packets: in a network namespace of its own, which ends with its last process.
if unshare -n true 2>/dev/null && [ -c /dev/net/tun ]; then
    NEARFAR_CLIENT=$NEARFAR_CLIENT work=$work unshare -n sh -eu <<'INSIDE' || fail "tun: $(cat "$work"/tun*)"
ip link set lo up
wait_for() { for _ in $(seq 200); do grep -qs "^link " "$1" && return; sleep 0.05; done; exit 1; }
"$NEARFAR_CLIENT" link --listen 127.0.0.1:0 --to 127.0.0.1:1 --control 127.0.0.1:0 >"$work/tun1" 2>&1 &
end=$!
wait_for "$work/tun1"
"$NEARFAR_CLIENT" link --backend tun --listen 9000 --to "$(sed -n '1s/.*http:\/\///p' "$work/tun1")" \
    --rtt 10ms --up 20 --down 20 --jitter 2ms --loss 2% --congestion reno --control 127.0.0.1:0 \
    >"$work/tun2" 2>&1 &
tun=$!
wait_for "$work/tun2"
control=$(sed -n '1s/.*http:\/\///p' "$work/tun2")
for _ in $(seq 20); do
    curl -s http://10.77.0.2:9000/v1/link | grep -q '"up": true'
done
curl -s "http://$control/v1/link" | grep -q '"backend": "tun"'
curl -s "http://$control/v1/link" | grep -q '"connections": 20'
curl -s -d '{"up":false}' "http://$control/v1/link" | grep -q '"up": false'
! curl -s -m 0.3 http://10.77.0.2:9000/v1/link
kill -TERM $tun
wait $tun
! ip link show nearfar0 2>/dev/null
kill -TERM $end
wait $end
INSIDE
else
    echo "no network namespace or TUN device here: --backend tun was not tried"
fi
exit $bad
