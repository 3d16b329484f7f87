#!/bin/sh
# test_cmd_inspect.sh - nearfar inspect and nearfar bench: tables, JSON, errors, exit statuses.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
temp=$SOURCE_DIR/models/temp
bad=0

fail() {
    echo "FAIL: $*"
    bad=1
}

status() {
    want=$1
    shift
    "$@" >"$work/out" 2>"$work/err"
    got=$?
    [ "$got" -eq "$want" ] || fail "exit $got, expected $want: $* $(cat "$work/err")"
}

has() {
    grep -qF -- "$2" "$work/$1" || fail "no '$2' in $1: $(cat "$work/$1")"
}

# json EXPRESSION: true of the JSON on the last line of stdout, called j.
json() {
    tail -1 "$work/out" | python3 -c "import json,sys; j=json.load(sys.stdin); assert $1, j" ||
        fail "not so: $1"
}

# Edge: INT8; 3*16 + 16*3 products of 0.2 + 0.1 pJ.
status 0 "$NEARFAR" inspect "$temp" --mode edge
has out "precision  int8"
has out "input [N, 3, 1] INT8"
has out "FULLY_CONNECTED"
has out "96 MACs a row"
has out "modelled"
has out "compute 28.8 pJ"
# Cloud: FP32; the same products of 3.7 + 0.9 pJ.
status 0 "$NEARFAR" inspect "$temp" --mode cloud
has out "precision  fp32"
has out "compute 442 pJ"
if command -v python3 >/dev/null; then
    status 0 "$NEARFAR" inspect "$temp" --mode cloud --json
    json 'abs(j["energy"]["compute_pj"] - 96 * 4.6) < 1e-3 and j["energy"]["modelled"] is True'
    json 'j["macs"] == sum(s["macs"] for s in j["steps"]) == 96'
    json 'j["inputs"][0]["shape"] == [-1, 3, 1] and j["precision"] == "fp32"'
    json 'j["arena_bytes"] >= j["arena_bound"] > 0'
    json 'abs(j["energy"]["weights_dram_pj"] - j["weight_bytes"] / 4 * 640) < 1'
    status 0 "$NEARFAR" bench "$temp" --mode edge --seconds 0.05 --batch 8 --threads 2 --json
    json '0 < j["min_us"] <= j["median_us"] <= j["p99_us"] and j["runs"] >= 100'
    json 'j["rows_per_s"] > 0 and j["batch"] == 8 and j["threads"] == 2'
    json 'j["precision"] == "int8" and j["mode"] == "edge"'
else
    echo "python3 is not there: the JSON is not checked"
fi
status 0 "$NEARFAR" bench "$temp" --seconds 0.01 --isa scalar
has out "median us"
has out "scalar"

status 1 "$NEARFAR" inspect "$work/none.onnx"
has err "no such file or folder"
echo "not a model" >"$work/model.onnx"
status 1 "$NEARFAR" inspect "$work"
status 2 "$NEARFAR" inspect
has err "expected one MODEL"
status 2 "$NEARFAR" bench "$temp" --threads 0
has err "threads: expected 1 to 256, got '0'"
status 2 "$NEARFAR" bench "$temp" --nope
has err "unknown option"
for command in inspect bench; do
    status 0 "$NEARFAR" $command --help
    has out "example:"
done
exit $bad
