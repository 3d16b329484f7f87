#!/bin/sh
# test_client_bench.sh - bench against a real server: open and closed loop, both dialects, gzip,
# sweeps, service levels, files. No time is asserted.
set -u
work=$(mktemp -d) || exit 1
bad=0
"$NEARFAR" serve --mode edge --models "$SOURCE_DIR/models" --listen 127.0.0.1:0 \
    >"$work/server.log" 2>&1 &
server=$!

finish() {
    kill "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    rm -rf "$work"
}
trap finish EXIT

fail() {
    echo "FAIL: $*"
    bad=1
}

# status WANTED ARGUMENTS…: runs bench, keeps stdout and stderr, checks the exit status.
status() {
    want=$1
    shift
    "$NEARFAR_CLIENT" bench "$@" >"$work/out" 2>"$work/err"
    got=$?
    [ "$got" -eq "$want" ] || fail "exit $got, expected $want: $*: $(cat "$work/err")"
}

has() {
    grep -qF -- "$1" "$work/out" || fail "no '$1' in: $(cat "$work/out")"
}

says() {
    grep -qF -- "$1" "$work/err" || fail "no '$1' in: $(cat "$work/err")"
}

for _ in $(seq 200); do
    url=$(grep -o '127\.0\.0\.1:[0-9][0-9]*' "$work/server.log" | head -1)
    [ -n "$url" ] && break
    sleep 0.05
done
[ -n "$url" ] || { echo "no address: $(cat "$work/server.log")"; exit 1; }

status 0 "$url" -r 400 -n 200 --warmup 10 --csv "$work/rows.csv" --hgrm "$work/run.hgrm" \
    -o "$work/run.json"
grep -q '"schema": "nearfar-client/1"' "$work/run.json" || fail "no run.json"
has "open loop constant at 400/s"
has "200 ok, 0 failed"
has "corrected"
has "schedule   200 due"
grep -q '^open,constant,400,64,' "$work/rows.csv" || fail "csv: $(cat "$work/rows.csv")"
[ "$(wc -l <"$work/rows.csv")" -eq 2 ] || fail "csv rows"
grep -q 'inf$' "$work/run.hgrm" || fail "hgrm: $(cat "$work/run.hgrm")"
grep -q 'Count   = *200\]' "$work/run.hgrm" || fail "hgrm count"

status 0 "$url" -r 400 -n 100 --arrival poisson --seed 9 --dialect v2 --gzip --json
has '"mode": "open"'
has '"arrival": "poisson"'
has '"basis": "corrected"'
has '"dialect": "v2"'
has '"total": 0'
has '"tls": null'
printf '0\n0.01\n0.02\n0.05\n' >"$work/trace"
status 0 "$url" --arrival "trace:$work/trace" --warmup 5
has "4 ok, 0 failed"
status 0 "$url" -n 100 --congestion reno --json
has '"cc": "reno"'

status 0 "$url" -n 50 --keepalive off --gzip --json
has '"connections_opened": 50'

# Service levels and stability decide the exit status.
status 3 "$url" -n 100 --slo 'p50<1ns,err<1%'
has "FAIL"
has "pass"
status 0 "$url" -n 100 --slo 'p90<60s,rate>0.001' --json
has '"pass": true'
status 3 "$url" -n 100 --slo 'p99.9<60s' --json
has '"value": null'
status 4 "$url" -n 100 --stable 10x0.0001% --require-stable
has "unstable"
status 0 "$url" -n 300 -c 2 --stable 2x1000% --require-stable
has "windows    stable"

status 0 "$url" --concurrency 1,2,4 -n 200
has "sweep of concurrency"
has "knee"
status 0 "$url" --rates 100,200 -n 50 --json
has '"by": "rate"'
has '"rule": "the last step before p95'

# What does not fit together is told before anything is sent.
status 1 "$url" --rates 200,100
says "growing numbers"
status 1 "$url" --rates 100 --concurrency 1
says "not both"
status 1 "$url" -r 5 --arrival sometimes
says "constant, poisson or trace:FILE"
status 1 "$url" --slo 'p95<5kg'
says "p95<5kg"
status 1 "$url" --stable 3
says "3x10%"
status 1 "$url" --congestion no-such
says "not offered here"
status 2 "https://$url" --insecure
says "no secure connection"
# A server that hangs up on the handshake is the same failure.
python3 -c '
import socket
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
while True:
    s.accept()[0].close()' >"$work/deaf.port" &
deaf=$!
tries=50
until [ -s "$work/deaf.port" ] || [ "$tries" = 0 ]; do
    tries=$((tries - 1))
    sleep 0.1
done
status 2 "https://127.0.0.1:$(cat "$work/deaf.port")" --insecure
says "no secure connection"
kill "$deaf"
"$NEARFAR_CLIENT" ping "$url" -v -n 2 >"$work/out" 2>"$work/err" || fail "ping -v"
has "wait"
has "kernel   rtt"
exit $bad
