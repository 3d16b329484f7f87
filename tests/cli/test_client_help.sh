#!/bin/sh
# test_client_help.sh - every help text of nearfar-client is exactly what is on file. With
# RENEW=1 in the environment the files are written anew.
set -u
want=$SOURCE_DIR/tests/cli/client_help
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
bad=0

# check NAME COMMAND…: its stdout against NAME.exact.
check() {
    name=$1
    shift
    "$@" >"$work/out" 2>"$work/err" || { echo "FAIL: exit $?: $*"; bad=1; }
    [ ! -s "$work/err" ] || { echo "FAIL: stderr of $*: $(cat "$work/err")"; bad=1; }
    if [ "${RENEW:-}" = 1 ]; then cp "$work/out" "$want/$name.exact"; fi
    diff -u "$want/$name.exact" "$work/out" || bad=1
}

check main "$NEARFAR_CLIENT" --help
for command in predict ping bench compare sweep model report diff link doctor; do
    check $command "$NEARFAR_CLIENT" $command --help
    check $command "$NEARFAR_CLIENT" $command -h
done
"$NEARFAR_CLIENT" --version | grep -q '^nearfar-client [0-9.]* (' || { echo "FAIL: version"; bad=1; }
exit $bad
