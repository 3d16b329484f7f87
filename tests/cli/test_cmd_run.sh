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

# Bad rows: the first one stops, or all are told, counted and left out.
printf 'a,b,c\n1,2,3\nx,2,3\n1,2\n"4","5 ","6"\n1,"2"x,3\n7,8,9' >"$work/bad.csv"
status 1 "$NEARFAR" run "$temp" --csv "$work/bad.csv"
has err "bad.csv:3: column 1 (a): expected a number, got 'x'"
status 0 "$NEARFAR" run "$temp" --csv "$work/bad.csv" --skip-bad
has err "bad.csv:3: column 1 (a): expected a number, got 'x'"
has err "bad.csv:4: expected 3 columns, got 2"
has err "bad.csv:6: column 2: text behind a closing quote"
has err "3 rows, 3 bad ones skipped"
[ "$(wc -l <"$work/out")" -eq 4 ] || fail "three good rows: $(cat "$work/out")"
printf '[1,2,3]\n[1,2]\nnull\n[4,5,6]\n' >"$work/bad.ndjson"
status 0 "$NEARFAR" run "$temp" --ndjson "$work/bad.ndjson" --skip-bad
has err "bad.ndjson:2: "
has err "2 rows, 2 bad ones skipped"

# Missing values, header and separator, columns by name and number, other forms of answers.
printf '1,,3\n' >"$work/missing.csv"
status 1 "$NEARFAR" run "$temp" --mode edge --csv "$work/missing.csv"
has err "missing.csv:1: column 2: expected a value: the input has no NaN (--missing NUMBER fills in)"
status 1 "$NEARFAR" run "$temp" --mode cloud --csv "$work/missing.csv" --missing refuse
has err "column 2: expected a value"
status 0 "$NEARFAR" run "$temp" --mode cloud --csv "$work/missing.csv" --missing nan
status 0 "$NEARFAR" run "$temp" --mode edge --csv "$work/missing.csv" --missing 2
has out ",cold"
status 2 "$NEARFAR" run "$temp" --csv "$work/missing.csv" --missing zero
has err "missing: expected nan, refuse or a number, got 'zero'"
printf 'id\tt3\tt2\tt1\nnine\t31\t32\t33\n' >"$work/named.csv"
status 0 "$NEARFAR" run "$temp" --csv "$work/named.csv" --columns t1,t2,t3
has out ",hot"
status 0 "$NEARFAR" run "$temp" --csv "$work/named.csv" --columns 'input=4,3, 2' --separator tab
has out ",hot"
status 1 "$NEARFAR" run "$temp" --csv "$work/named.csv"
has err "expected 3 columns for the inputs, the header has 4: choose some with --columns"
status 1 "$NEARFAR" run "$temp" --csv "$work/named.csv" --columns t1,t2,t9
has err "no column 't9' among 4"
status 1 "$NEARFAR" run "$temp" --csv "$work/named.csv" --columns t1,t2
has err "takes 3 columns, got fewer"
status 1 "$NEARFAR" run "$temp" --csv "$work/named.csv" --columns nope=t1
has err "no input 'nope'"
printf '21,22,23\n24,23,22\n' >"$work/two.csv"
status 0 "$NEARFAR" run "$temp" --csv "$work/two.csv" --header yes
has err "1 rows"
status 0 "$NEARFAR" run "$temp" --csv "$work/two.csv" --to ndjson
has out '"label":"normal"'
status 0 "$NEARFAR" run "$temp" --ndjson "$work/in.ndjson" --to csv
has out ",hot"

# Raw: float32 in real units, or the model's own bytes; a row that is cut is a bad row.
status 0 "$NEARFAR" run "$temp" --mode edge --csv "$work/two.csv" --to raw --out "$work/two.f32"
[ "$(wc -c <"$work/two.f32")" -eq 24 ] || fail "two rows of three float32"
status 0 "$NEARFAR" run "$temp" --mode edge --csv "$work/two.csv" --to raw --raw-own
[ "$(wc -c <"$work/out")" -eq 6 ] || fail "two rows of three bytes"
status 0 "$NEARFAR" run "$temp" --mode edge --raw "$work/two.f32" --to csv
has err "2 rows"
golden=$temp/1/golden/edge
status 0 "$NEARFAR" run "$temp/1/edge.tflite" --raw "$golden/inputs/0.bin" --raw-own
cmp -s "$work/out" "$golden/outputs/0.bin" || fail "not the recorded answer"
status 0 "$NEARFAR" run "$temp/1/edge.tflite" --raw "$golden/inputs/0.bin" --raw-own --to csv
has out "0.99609375"

# Every step's result, in the form that validate compares.
status 0 "$NEARFAR" run "$temp/1/edge.tflite" --arith reference --raw "$golden/inputs/0.bin" \
    --raw-own --to csv --dump-layers "$work/layers"
status 0 "$NEARFAR" validate "$golden" --layers-from "$work/layers"
has out "equal"
grep -q "layers: \([0-9]*\) of \1 equal" "$work/out" || fail "$(cat "$work/out")"
first=$(ls "$work/layers/layers" | head -1)
printf '\177' | dd of="$work/layers/layers/$first" conv=notrunc 2>"$work/dd"
status 0 "$NEARFAR" validate "$golden" --layers-from "$work/layers"
has out "; the first that differs is step"
has out "element 0: expected 127, got "
status 1 "$NEARFAR" validate "$golden" --layers-from "$work"
has out "there is no layers.json"
status 0 "$NEARFAR" run "$temp" --input '[22.0,23.5,21.0]' --dump-layers "$work/more"
[ -s "$work/more/layers.json" ] || fail "no layers.json"
status 1 "$NEARFAR" run "$temp" --input '[22.0,23.5,21.0]' --dump-layers "$work/in.csv"
has err "in.csv"

printf 'abcdefghijklm' >"$work/cut.raw"
status 1 "$NEARFAR" run "$temp" --raw "$work/cut.raw"
has err "cut.raw: row 2: expected 12 bytes, got 1"
status 0 "$NEARFAR" run "$temp" --raw - --skip-bad --to csv <"$work/cut.raw"
has err "1 rows, 1 bad ones skipped"
status 0 "$NEARFAR" run "$temp" --csv "$work/many.csv" --progress yes --out "$work/answers.csv"
has err "rows/s"

# Errors name what was expected, what came, and where.
status 1 "$NEARFAR" run "$temp" --input '[22.0,23.5]'
has err "--input"
has err "[-1, 3, 1]"
status 1 "$NEARFAR" run "$temp" --input '[22.0,23.5,"x"]'
status 1 "$NEARFAR" run "$temp" --input '{"nope":[1,2,3]}'
has err "no input 'nope'"
printf '1,2,3\n4,5\n' >"$work/short.csv"
status 1 "$NEARFAR" run "$temp" --csv "$work/short.csv"
has err "short.csv:2: expected 3 columns, got 2"
printf '1,2,3\n4,five,6\n' >"$work/word.csv"
status 1 "$NEARFAR" run "$temp" --csv "$work/word.csv"
has err "word.csv:2: column 2: expected a number, got 'five'"
[ "$(wc -l <"$work/out")" -eq 2 ] || fail "the row above the bad one has no answer"
printf '[1,2,3]\n[1,2]\n' >"$work/short.ndjson"
status 1 "$NEARFAR" run "$temp" --ndjson "$work/short.ndjson"
has err "short.ndjson:2: "
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
# Open shapes: rows of a file may differ, a table cannot hold them.
small=$SOURCE_DIR/tests/models
printf '[[1,2]]\n[[3,4],[5,-6]]\n{"x":[[1,1]]}\n' >"$work/open.ndjson"
status 0 "$NEARFAR" run "$small/open" --ndjson "$work/open.ndjson"
has out '{"prediction":[[1.0,2.0]]}'
has out '{"prediction":[[3.0,4.0],[5.0,0.0]]}'
has out '{"prediction":[[1.0,1.0]]}'
status 0 "$NEARFAR" run "$small/open" --input '[[1,-2],[3,4]]'
has out "y: 1 0 3 4"
status 1 "$NEARFAR" run "$small/open" --input '[[1,2,3]]'
has err "expected shape [-1, -1, 2] (-1: any size), got shape [1, 3]"
printf '1,2\n' >"$work/open.csv"
status 1 "$NEARFAR" run "$small/open" --csv "$work/open.csv"
has err "x: its shape is open"
status 1 "$NEARFAR" run "$small/open" --ndjson "$work/open.ndjson" --to csv
has err "use --to ndjson"
status 0 "$NEARFAR" bench "$small/open" --open 16 --seconds 0
has out "fp32"

# Texts: in and out of tables and lines; quotes where CSV needs them.
printf 'kitchen,1\n"a,b",\n' >"$work/text.csv"
status 1 "$NEARFAR" run "$small/text" --csv "$work/text.csv"
has err "say --header yes or no"
status 0 "$NEARFAR" run "$small/text" --csv "$work/text.csv" --header no
has out "kitchen,1"
has out '"a,b",'
printf 'x_1,word,x_0\n2,ho ho,1\n-3,,4\n' >"$work/mixed.csv"
status 1 "$NEARFAR" run "$small/mixed" --csv "$work/mixed.csv" --to raw
has err "is a text, which raw rows cannot hold"
status 0 "$NEARFAR" run "$small/mixed" --csv "$work/mixed.csv" --to ndjson
has out '{"prediction":{"said":["ho ho"],"y":[1.0,2.0]}}'
has out '{"prediction":{"said":[""],"y":[4.0,0.0]}}'
status 0 "$NEARFAR" run "$small/text" --input '[["a","b"]]' --json
has out '{"predictions":[["a","b"]],'

# Anomalies: the score against the threshold of model.json.
printf '0.25\n0.75\n' >"$work/score.csv"
status 0 "$NEARFAR" run "$small/score" --csv "$work/score.csv"
has out "score_0,anomaly"
has out "0.25,false"
has out "0.75,true"

# A second name of an input: that of the file's signature.
status 0 "$NEARFAR" run "$small/notes" --input '{"celsius":[22,23,24]}'
has out "-> normal"

exit $bad
