# shellcheck shell=sh
# lib.sh - what scripts/, .ci/ and docker/ share; sourced, POSIX sh. The one list of Debian
# packages stands here.

# What each job needs beyond git and a shell.
# shellcheck disable=SC2034 # read by name, in missing_packages
{
    packages_build="gcc libc6-dev cmake ninja-build pkg-config libmicrohttpd-dev libjansson-dev
    libuv1-dev libgnutls28-dev zlib1g-dev libhttp-parser-dev"
    packages_run="libopenblas0-pthread curl"
    packages_test="libcmocka-dev python3"
    packages_clang="clang"
    packages_style="clang-format python3 shellcheck"
    packages_tidy="clang-tidy"
    packages_bench="wrk"
    packages_aarch64="gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static"
    packages_image="mmdebstrap"
}

# say TEXT: one step, one line.
say() {
    printf '== %s\n' "$*"
}

# die TEXT: a sentence that names the cure, and the end.
die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# missing_packages SET...: the packages of these sets that are not installed.
missing_packages() {
    wanted=""
    for set_name in "$@"; do
        eval "wanted=\"\$wanted \$packages_$set_name\""
    done
    # shellcheck disable=SC2086
    have=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $wanted 2>/dev/null |
        sed -n 's/ installed$//p') || true
    for name in $wanted; do
        printf '%s\n' "$have" | grep -qxF "$name" || printf '%s ' "$name"
    done
}

# need_packages SET...: installs what is missing; asks apt nothing when all are there.
need_packages() {
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        [ -n "${NF_SKIP_APT:-}" ] && return 0
        die "this machine has no apt. Install what corresponds to these Debian packages and" \
            "start again with NF_SKIP_APT=1: $(for s in "$@"; do eval echo "\$packages_$s"; done)"
    fi
    missing=$(missing_packages "$@")
    [ -z "$missing" ] && return 0
    as_root=""
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null ||
            die "packages are missing and this is not root: as root, apt-get install $missing"
        as_root="sudo"
    fi
    say "installing: $missing"
    apt_log=$(mktemp)
    # shellcheck disable=SC2086
    if ! { $as_root apt-get -q update &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y \
            --no-install-recommends $missing; } >"$apt_log" 2>&1; then
        tail -n 15 "$apt_log" >&2
        rm -f "$apt_log"
        die "apt could not install the packages above: mend apt's sources or the network" \
            "(try: apt-get update) and start again"
    fi
    rm -f "$apt_log"
}

# logged FILE COMMAND...: runs a command with its output in FILE; shows the end of it on failure.
logged() {
    log_file=$1
    shift
    if ! "$@" >"$log_file" 2>&1; then
        tail -n 40 "$log_file" >&2
        return 1
    fi
}

# cpus: how many jobs to run beside each other.
cpus() {
    nproc 2>/dev/null || echo 2
}

# start NAME COMMAND...: runs a program in the background, output in $run_dir/NAME.log.
# $started: pid and name of each one, newest first; stop_started ends exactly those.
run_dir=build/run # the script that sources this file may choose another
started=""
start() {
    start_name=$1
    shift
    "$@" >"$run_dir/$start_name.log" 2>&1 &
    started="$!:$start_name $started"
}

stop_started() {
    for entry in $started; do
        kill "${entry%%:*}" 2>/dev/null || true
    done
    for entry in $started; do
        wait "${entry%%:*}" 2>/dev/null || true
    done
    started=""
}

# is_running NAME: whether what start called NAME is still there.
is_running() {
    for entry in $started; do
        [ "${entry#*:}" = "$1" ] && kill -0 "${entry%%:*}" 2>/dev/null && return 0
    done
    return 1
}

# port_is_free PORT: nobody answers on this loopback port (curl's 7: connection refused).
port_is_free() {
    port_status=0
    curl -s -o /dev/null --max-time 2 "http://127.0.0.1:$1/" || port_status=$?
    [ "$port_status" = 7 ]
}

# wait_until NAME SECONDS COMMAND...: repeats the command until it succeeds; fails early, with the
# end of its log, when the started program NAME has ended.
wait_until() {
    wait_name=$1
    wait_left=$(($2 * 10))
    shift 2
    until "$@" >/dev/null 2>&1; do
        wait_left=$((wait_left - 1))
        if [ "$wait_left" -le 0 ] || ! is_running "$wait_name"; then
            tail -n 20 "$run_dir/$wait_name.log" >&2
            return 1
        fi
        sleep 0.1
    done
}
