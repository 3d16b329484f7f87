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
# Devices: verdict, and the formula with its numbers. 96 / 0.6 + bytes moved / 1 at 10 MHz.
status 0 "$NEARFAR" inspect "$temp" --mode edge --devices "$SOURCE_DIR/deploy/devices"
has out "modelled, not measured"
has out "heart-monitor  fits"
has out "96 int8 MACs / 0.6 + 0 float MACs / 0.22 + "
has out "0.555 Wh / (0.1 W + (0.5 W - 0.1 W) * "
has out "smart-camera   fits"
cp -r "$SOURCE_DIR/deploy/devices" "$work/devices" || exit 1
sed -i 's/"rate_hz": 1,/"rate_hz": 1000000,/; s/"ram_bytes": .*/"ram_bytes": [33792, 65536],/' \
    "$work/devices/heart-monitor.json"
status 0 "$NEARFAR" inspect "$temp" --mode edge --devices "$work/devices"
has out "heart-monitor  no     ram needs"
has out "time needs"
sed -i 's/"cores": 4/"cores": "four"/' "$work/devices/drone.json"
status 1 "$NEARFAR" inspect "$temp" --devices "$work/devices"
has err "drone.json: cores: expected a number of 1 to 4096"
status 1 "$NEARFAR" inspect "$temp" --devices "$work/none"
has err "none: no such folder"
if command -v python3 >/dev/null; then
    status 0 "$NEARFAR" inspect "$temp" --mode cloud --json --devices "$SOURCE_DIR/deploy/devices"
    json 'abs(j["energy"]["compute_pj"] - 96 * 4.6) < 1e-3 and j["energy"]["modelled"] is True'
    json 'j["macs"] == sum(s["macs"] for s in j["steps"]) == 96'
    json 'j["inputs"][0]["shape"] == [-1, 3, 1] and j["precision"] == "fp32"'
    json 'j["arena_bytes"] >= j["arena_bound"] > 0'
    json 'j["arena_bytes"] >= j["values_bytes"] >= j["values_bound"] > 0'
    json '[d["name"] for d in j["devices"]] == ["drone", "heart-monitor", "smart-camera", "smartwatch"]'
    json 'all(d["modelled"] is True and d["verdict"] == "fits" for d in j["devices"])'
    json 'abs(j["devices"][0]["battery_h"] - 44.4 / 20) < 1e-3 and j["devices"][2]["battery_h"] is None'
    json 'abs(j["energy"]["weights_dram_pj"] - j["weight_bytes"] / 4 * 640) < 1'
    status 0 "$NEARFAR" bench "$temp" --mode edge --seconds 0.05 --batch 8 --threads 2 --json
    json '0 < j["min_us"] <= j["median_us"] <= j["p99_us"] and j["runs"] >= 100'
    json 'j["rows_per_s"] > 0 and j["batch"] == 8 and j["threads"] == 2'
    json 'j["precision"] == "int8" and j["mode"] == "edge"'
else
    echo "python3 is not there: the JSON is not checked"
fi
status 0 "$NEARFAR" bench "$temp" --mode edge --seconds 0.01 --layers
has out "FULLY_CONNECTED"
has out "whole call"
if command -v python3 >/dev/null; then
    status 0 "$NEARFAR" bench "$SOURCE_DIR/models/digits" --mode edge --seconds 0.05 --layers --json
    json 'abs(sum(s["us"] for s in j["steps"]) - j["steps_us"]) < 0.01 and j["call_us"] > 0'
    json 'abs(sum(s["share"] for s in j["steps"]) - 1) < 1e-3'
    json 'all(s["us"] > 0 for s in j["steps"] if s["macs"])'
    json 'all(s["us"] == 0 for s in j["steps"] if s["kernel"] == "view")'
    json 'sum(s["macs"] for s in j["steps"]) == 1854080'
fi
status 1 "$NEARFAR" bench "$SOURCE_DIR/tests/models/open" --layers
has err "shapes are open"
status 0 "$NEARFAR" bench "$temp" --seconds 0.01 --isa scalar
has out "median us"
has out "scalar"

rows=$SOURCE_DIR/tests/models/calibration
status 0 "$NEARFAR" inspect "$temp/1/cloud.onnx" --mode edge
has out "activations dynamic"
status 0 "$NEARFAR" inspect "$temp/1/cloud.onnx" --mode edge --calibration "$rows/temp.csv"
has out "activations static, ranges of 100 rows of $rows/temp.csv"
mkdir -p "$work/m/1"
cp "$temp/1/cloud.onnx" "$work/m/1/model.onnx"
cp "$rows/temp.csv" "$work/m/calibration.csv"
status 0 "$NEARFAR" inspect "$work/m" --mode edge --json
has out '"activations":"static","calibration_rows":100'
status 0 "$NEARFAR" run "$work/m" --mode edge --precision fp32 --input '[22,23,24]' --json
status 0 "$NEARFAR" bench "$work/m" --mode edge --seconds 0.01 --json
has out '"precision":"int8"'
status 1 "$NEARFAR" run "$temp/1/cloud.onnx" --mode edge --input '[22,23,24]' \
    --calibration "$rows/digits.npy"
has err "digits.npy: has 64 numbers a row, the model takes 3"
status 2 "$NEARFAR" inspect "$temp/1/cloud.onnx" --calibration "$rows/temp.csv"
has err "expected --mode edge or --precision int8"
status 1 "$NEARFAR" validate "$SOURCE_DIR/tests/golden/temp-tflite-fp32" --mode edge \
    --calibration "$work/none.npy"
has err "none.npy"

printf 'a,b\n1,2\n3,4\n' >"$work/two.csv"
status 0 "$NEARFAR" bench --csv "$work/two.csv"
has out "2 rows of 2 columns, 12 bytes"
status 0 "$NEARFAR" bench "$temp" --csv "$temp/testset.csv"
has out "in the engine"
printf '1,2\n3,x\n' >"$work/bad.csv"
status 1 "$NEARFAR" bench --csv "$work/bad.csv"
has err "bad.csv:2: expected 2 numbers"

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
# What the file says of itself, and what model.json says of the task.
status 0 "$NEARFAR" inspect "$SOURCE_DIR/tests/models/notes"
has out "thermometer: says how warm it is"
has out "classes    normal, hot, cold"
has out "signature  serving_default"
has out "signature name celsius"
has out "mean 20  std 8"
status 0 "$NEARFAR" inspect "$SOURCE_DIR/tests/models/notes" --json
has out '"mean":[20.0],"std":[8.0]'
has out '"labels":["normal","hot","cold"]'
status 0 "$NEARFAR" inspect "$SOURCE_DIR/tests/models/score"
has out "task       anomaly"
has out "the score of score is above 0.5"
has out "features   load"
status 0 "$NEARFAR" inspect "$SOURCE_DIR/tests/models/open"
has out "x [N, -1, 2] FP32"

exit $bad
