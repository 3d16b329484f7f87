#!/bin/sh
# test_cmd_validate.sh - nearfar validate: pass, fail, unsupported, scores, JSON, exit statuses.
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
    [ "$got" -eq "$want" ] || fail "exit $got, expected $want: $* $(cat "$work/out" "$work/err")"
}

has() {
    grep -qF -- "$2" "$work/$1" || fail "no '$2' in $1: $(cat "$work/$1")"
}

# The bundled models pass, bit for bit where the arithmetic is integer.
status 0 "$NEARFAR" validate "$SOURCE_DIR/models"
has out "0 failed, 0 unsupported"
status 0 "$NEARFAR" validate "$temp/1/golden/edge"
has out "ok          edge"
has out "48/48 equal"
has out "accuracy 1.0000"
has out "1 of 1 folders passed"

# A recorded value that is not what the model gives fails, and -v says which.
cp -r "$temp" "$work/temp"
golden=$work/temp/1/golden/edge
printf '\000\000\000' >"$golden/outputs/3.bin"
status 1 "$NEARFAR" validate "$golden"
has out "FAIL        edge"
status 1 "$NEARFAR" validate "$golden" -v
has out "probs: 1 of 16 cases outside, first in case 3, element"
has out "expected 0, got"
status 1 "$NEARFAR" validate "$golden" --json
has out '"verdict":"fail"'
has out '"failed_cases":1'

# One alternative set that has the value: it counts in litert arithmetic only.
sed 's/"labels"/"alternatives": [{"dir": "other"}], "labels"/' "$golden/case.json" >"$work/c.json"
mv "$work/c.json" "$golden/case.json"
mkdir "$golden/other"
cp "$temp/1/golden/edge/outputs/3.bin" "$golden/other/3.bin"
status 1 "$NEARFAR" validate "$golden"
status 0 "$NEARFAR" validate "$golden" --arith litert
has out "(1 cases match an alternative)"

# Another mode or model is compared in real units.
status 0 "$NEARFAR" validate "$temp/1/golden/edge" --model "$temp/1/edge.tflite"
has out "(real units)"
"$NEARFAR" validate "$temp/1/golden/edge" --model "$temp" --mode cloud >"$work/out"
has out "fp32"
has out "(real units)"
has out "same answer as recorded 16/16"

# A shape that is not the recorded one.
sed 's/"shape"/"was"/' "$temp/1/golden/cloud/case.json" >"$work/temp/1/golden/cloud/case.json"
status 1 "$NEARFAR" validate "$work/temp/1/golden/cloud"
has out "cases[0].inputs[0].shape: expected a list of at most 8 sizes, got nothing"

# A folder for a model in a form we do not have: not failed, but no pass.
mkdir "$work/foreign" "$work/foreign/net"
sed 's/"model": *"[^"]*"/"model": "net"/' "$temp/1/golden/cloud/case.json" \
    >"$work/foreign/case.json"
status 1 "$NEARFAR" validate "$work/foreign"
has out "unsupported foreign"
has out "0 failed, 1 unsupported"

# The form of ONNX operator tests: [1, 3, 1] and [1, 3] floats as TensorProto with raw_data.
set=$work/op/test_data_set_0
mkdir -p "$set"
cp "$temp/1/cloud.onnx" "$work/op/model.onnx"
(printf '\010\001\010\003\010\001\020\001\112\014' && cat "$temp/1/golden/cloud/inputs/0.bin") \
    >"$set/input_0.pb"
(printf '\010\001\010\003\020\001\112\014' && cat "$temp/1/golden/cloud/outputs/0.bin") \
    >"$set/output_0.pb"
status 0 "$NEARFAR" validate "$work/op"
has out "ok          op"
(printf '\010\003\010\001\020\001\112\014' && cat "$temp/1/golden/cloud/outputs/0.bin") \
    >"$set/output_0.pb"
status 1 "$NEARFAR" validate "$work/op"
has out "shape [1, 3], expected [3, 1]"
printf '\010\001\010\003\020\001\112\014' >"$set/output_0.pb"
status 1 "$NEARFAR" validate "$work/op"
has out "field is longer than the file"

status 1 "$NEARFAR" validate "$work/nowhere"
has err "no such folder"
mkdir "$work/empty"
status 1 "$NEARFAR" validate "$work/empty"
has err "expected a case.json"
status 2 "$NEARFAR" validate
has err "expected a CASE folder"
status 2 "$NEARFAR" validate "$temp" --arith exact
status 0 "$NEARFAR" validate --help
has out "example:"

# The recorded cases beside the repository, where they are.
corpus=$SOURCE_DIR/../shared/corpus/open
if [ -d "$corpus" ]; then
    set --
    for net in temp2 temp3; do
        for kind in tflite-fp32 tflite-int8 tflite-int8-floatio tflite-dynrange onnx-fp32 \
            onnx-qdq; do
            set -- "$@" "$corpus/$net-$kind"
        done
    done
    for net in digits-mlp digits-cnn; do
        for kind in tflite-fp32 tflite-int8 onnx-fp32; do
            set -- "$@" "$corpus/$net-$kind"
        done
    done
    status 0 "$NEARFAR" validate --layers "$@"
    has out "18 of 18 folders passed"
    has out "layers: 7 of 7 equal"
else
    echo "no ../shared/corpus/open: the 18 recorded folders are not run"
fi
operators=$SOURCE_DIR/../shared/conformance/onnx-node
if [ -d "$operators" ]; then
    status 0 "$NEARFAR" validate "$operators/test_mul" "$operators/test_softmax_example" \
        "$operators/test_maxpool_2d_default"
    has out "3 of 3 folders passed"
else
    echo "no ../shared/conformance/onnx-node: no operator test is run"
fi
# Texts are compared line by line; a sum over folders has a row for each format.
case=$work/text
mkdir -p "$case/inputs" "$case/outputs"
printf 'kitchen\n\n' >"$case/inputs/0.txt"
printf 'kitchen\n' >"$case/outputs/0.txt"
printf '\n' >>"$case/outputs/0.txt"
cp "$SOURCE_DIR/tests/models/text/1/model.onnx" "$case/model.onnx"
cat >"$case/case.json" <<'EOF'
{"format": "onnx", "model": "model.onnx", "arith": "float",
 "inputs": [{"name": "x", "shape": [-1, 2], "dtype": "string"}],
 "outputs": [{"name": "y", "shape": [-1, 2], "dtype": "string", "tolerance": {"kind": "exact"}}],
 "cases": [{"inputs": [{"file": "inputs/0.txt", "shape": [1, 2]}],
            "outputs": [{"file": "outputs/0.txt", "shape": [1, 2]}]}]}
EOF
status 0 "$NEARFAR" validate "$case"
has out "y: 2/2 equal"
printf 'cellar\n\n' >"$case/outputs/0.txt"
status 1 "$NEARFAR" validate "$case" -v
has out 'element 0: expected "cellar", got "kitchen"'
status 1 "$NEARFAR" validate --summary "$case"
has out "onnx                        0        1            0        1      0.0 %"
has out "0 of 1 folders passed, 1 failed, 0 unsupported"
mkdir "$work/list"
mv "$case" "$work/list/text"
cp -r "$SOURCE_DIR/tests/golden/temp-onnx-qdq" "$work/list/good"
printf '# of two\ngood\n' >"$work/names"
status 0 "$NEARFAR" validate --list "$work/names" "$work/list"
has out "1 of 1 folders passed"
status 1 "$NEARFAR" validate --summary --json "$work/list"
has out '"formats":{"onnx":{"passed":1,"failed":1,"unsupported":0}}'
printf 'nowhere\n' >>"$work/names"
status 1 "$NEARFAR" validate --list "$work/names" "$work/list"
has err "nowhere"

exit $bad
