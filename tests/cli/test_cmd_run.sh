#!/bin/sh
# test_cmd_run.sh - nearfar run: answers, files, labels, errors and exit statuses.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
temp=$SOURCE_DIR/models/temp
bad=0

fail() {
    echo "FAIL: $*"
    bad=1
}

# status WANTED COMMAND…: runs it, keeps stdout and stderr, checks the exit status.
status() {
    want=$1
    shift
    "$@" >"$work/out" 2>"$work/err"
    got=$?
    [ "$got" -eq "$want" ] || fail "exit $got, expected $want: $* $(cat "$work/err")"
}

# has FILE TEXT: the text stands in what the last command printed.
has() {
    grep -qF -- "$2" "$work/$1" || fail "no '$2' in $1: $(cat "$work/$1")"
}

for mode in file edge cloud; do
    status 0 "$NEARFAR" run "$temp" --mode $mode --input '[22.0,23.5,21.0]'
    has out "-> normal"
done
status 0 "$NEARFAR" run "$temp/1/edge.tflite" --input '[[[31],[30.5],[32]],[[1],[2],[3]]]'
[ "$(wc -l <"$work/out")" -eq 2 ] || fail "two rows in, $(wc -l <"$work/out") lines out"
has out "-> hot"
has out "-> cold"
status 0 "$NEARFAR" run "$temp" --input '{"input":[22,23,24]}' --json
has out '"predictions":[['
has out '"label":"normal"'
has out '"model":"temp","version":"1"'

# CSV with a header and labels; the accuracy is that of the recorded test set.
status 0 "$NEARFAR" run "$temp" --csv "$temp/testset.csv" --out "$work/answers.csv"
has err "200 rows"
has err "accuracy 0.99"
[ "$(wc -l <"$work/answers.csv")" -eq 201 ] || fail "answers.csv has no line a row"
[ "$(head -1 "$work/answers.csv")" = "normal,hot,cold,label" ] || fail "header of answers.csv"

# CSV without a header from stdin, other separators, blank lines; NDJSON, nested in two ways.
printf '22;23;24\r\n\n 1 ; 2 ; "3"\n' >"$work/in.csv"
"$NEARFAR" run "$temp" --csv - <"$work/in.csv" >"$work/out" 2>"$work/err" || fail "csv from stdin"
[ "$(cut -d, -f4 "$work/out" | tr '\n' ' ')" = "label normal cold " ] || fail "$(cat "$work/out")"
printf '[22,23,24]\n[[1],[2],[3]]\n{"input":[31,31,31]}\n' >"$work/in.ndjson"
status 0 "$NEARFAR" run "$temp" --ndjson "$work/in.ndjson"
[ "$(wc -l <"$work/out")" -eq 3 ] || fail "ndjson: $(cat "$work/out" "$work/err")"
has out '"label":"hot"'

# More rows than one block, and the same answers as one at a time.
i=0
while [ $i -lt 150 ]; do
    echo "$i.5,20,25"
    i=$((i + 1))
done >"$work/many.csv"
status 0 "$NEARFAR" run "$temp" --mode cloud --csv "$work/many.csv"
[ "$(wc -l <"$work/out")" -eq 151 ] || fail "150 rows in"
last=$(tail -1 "$work/out")
echo "149.5,20,25" >"$work/one.csv"
status 0 "$NEARFAR" run "$temp" --mode cloud --csv "$work/one.csv"
[ "$(tail -1 "$work/out" | cut -d, -f4)" = "${last##*,}" ] || fail "block and single row differ"

# Errors name what was expected, what came, and where.
status 1 "$NEARFAR" run "$temp" --input '[22.0,23.5]'
has err "--input"
has err "[-1, 3, 1]"
status 1 "$NEARFAR" run "$temp" --input '[22.0,23.5,"x"]'
status 1 "$NEARFAR" run "$temp" --input '{"nope":[1,2,3]}'
has err "no input 'nope'"
printf '1,2,3\n4,5\n' >"$work/short.csv"
status 1 "$NEARFAR" run "$temp" --csv "$work/short.csv"
has err "line 2: expected 3 numbers, got 2"
printf '1,2,3\n4,five,6\n' >"$work/word.csv"
status 1 "$NEARFAR" run "$temp" --csv "$work/word.csv"
has err "line 2, column 2: expected a number, got 'five'"
printf '[1,2,3]\n[1,2]\n' >"$work/short.ndjson"
status 1 "$NEARFAR" run "$temp" --ndjson "$work/short.ndjson"
has err "line 2"
printf '[[1,2,3],[4,5,6]]\n' >"$work/two.ndjson"
status 1 "$NEARFAR" run "$temp" --ndjson "$work/two.ndjson"
status 1 "$NEARFAR" run "$temp" --csv "$work/nowhere.csv"
has err "nowhere.csv"
status 1 "$NEARFAR" run "$work" --input '[1]'
has err "expected a folder with a model file"
status 1 "$NEARFAR" run "$work/none.tflite" --input '[1]'
has err "no such file or folder"
status 1 "$NEARFAR" run "$work/in.csv" --input '[1]'
status 2 "$NEARFAR" run "$temp"
status 2 "$NEARFAR" run "$temp" --input '[1,2,3]' --csv x
status 2 "$NEARFAR" run --input '[1,2,3]'
status 2 "$NEARFAR" run "$temp" --mode fog --input '[1,2,3]'
has err "expected one of file|edge|cloud, got 'fog'"
status 2 "$NEARFAR" run "$temp" --isa mmx --input '[1,2,3]'
status 0 "$NEARFAR" run --help
has out "example:"
exit $bad
