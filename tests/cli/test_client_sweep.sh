#!/bin/sh
# test_client_sweep.sh - model, compare on a labelled set, sweep, report and diff against real
# servers. No time is asserted.
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

# value FILE EXPRESSION: a Python expression over the run j.
value() {
    python3 -c 'import json, sys; j = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' \
        "$1" "$2"
}

is() {
    got=$(value "$1" "$2")
    [ "$got" = "$3" ] || fail "$2 is $got, expected $3"
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

status 0 model --edge-compute 100ms --cloud-compute 20ms --rtt 50 --up 12 --payload 15000 \
    --warm-window
has "the cloud wins below a round trip of 70.0 ms"
has "cloud faster (predicted, nothing was measured)"
status 0 model --edge-compute 100ms --cloud-compute 20ms --json
is "$work/out" 'j["energy"]["basis"]' modelled
is "$work/out" 'j["model"]["crossover_up_bps"]' 20000.0
status 1 model --edge-compute 100ms

for mode in edge cloud; do
    "$NEARFAR" serve --mode $mode --models "$SOURCE_DIR/models" --listen 127.0.0.1:0 \
        >"$work/$mode.log" 2>&1 &
    pids="$pids $!"
done
edge=$(address_in "$work/edge.log") || exit 1
cloud=$(address_in "$work/cloud.log") || exit 1

status 0 compare --edge "$edge" --cloud "$cloud" --labelled "$SOURCE_DIR/models/temp/testset.csv" \
    -o "$work/compare.json"
has "accuracy"
has "modelled: compute"
is "$work/compare.json" 'j["targets"][0]["scores"]["asked"]' 200
is "$work/compare.json" 'j["targets"][0]["scores"]["accuracy"] > 0.9' True
is "$work/compare.json" 'j["targets"][1]["energy"]["radio"]' wifi
is "$work/compare.json" \
    '[t["tcp_each"]["up"] >= t["bytes"]["total_up"] - 1 for t in j["targets"]]' '[True, True]'
is "$work/compare.json" 'sum(n for _, n in j["targets"][0]["latency"]["bins"])' 200
is "$work/compare.json" 'j["targets"][0]["latency"]["cdf"][-1][0]' 1.0
status 1 compare --edge "$edge" --cloud "$cloud" --labelled "$SOURCE_DIR/README.md"

status 0 sweep --edge "http://$edge" --cloud "http://$cloud" --model temp,digits --rtt 0,10 \
    --up 5,0 -n 10 --warmup 1 -o "$work/sweep.json"
has "edge faster in" # which side wins a cell is the machine's business, not this test's
is "$work/sweep.json" 'all(c["verdict"] for c in j["sweep"]["cells"])' True
has "the model is off by"
is "$work/sweep.json" 'len(j["sweep"]["cells"])' 8
is "$work/sweep.json" 'len(j["sweep"]["crossings"])' 8
is "$work/sweep.json" 'j["sweep"]["cells"][1]["rtt_us"]' 10000
is "$work/sweep.json" 'j["sweep"]["cells"][1]["cloud_us"] > 10000' True
status 0 sweep --edge "$edge" --cloud "$cloud" --rtt 0 --up 0 -n 10 --payload 4k --json
is "$work/out" '4096 < j["sweep"]["bases"][0]["up_bytes"] < 4500' True
status 2 sweep --edge "$edge" --cloud 127.0.0.1:1 --rtt 0 --up 0
status 7 sweep --edge "$edge" --cloud "$cloud" --model no-such-model --rtt 0 --up 0
status 1 sweep --edge "$edge" --cloud "$cloud" --rtt 0,x --up 0

status 0 report "$work/compare.json" "$work/sweep.json" -o "$work/page.html"
for part in "Where the cloud wins" "How often each time occurred" "Was it steady" "</html>"; do
    grep -qF "$part" "$work/page.html" || fail "no '$part' in the page"
done
grep -qiE '<script|src=|@import|nan[^a-z]' "$work/page.html" && fail "not a page by itself"
[ "$(wc -c <"$work/page.html")" -lt 512000 ] || fail "the page is 500 KB or more"
status 1 report "$SOURCE_DIR/models/temp/model.json" -o "$work/no.html"
status 1 report

status 0 diff "$work/compare.json" "$work/compare.json" --fail-if 'p50>+10%,err>+1'
has "no rule fails"
python3 - "$work" <<'END'
import json, sys
run = json.load(open(sys.argv[1] + "/compare.json"))
run["targets"][0]["latency"]["raw"]["p50"] *= 2
json.dump(run, open(sys.argv[1] + "/slower.json", "w"))
END
status 3 diff "$work/compare.json" "$work/slower.json" --fail-if 'p50>+10%'
has "<- fails the rule"
status 0 diff "$work/slower.json" "$work/compare.json" --fail-if 'p50>+10%' --json
is "$work/out" 'j["failed"]' 0
status 1 diff "$work/compare.json" "$work/slower.json" --fail-if 'speed>1'
exit $bad
