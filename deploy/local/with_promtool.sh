#!/usr/bin/env bash
# Runs a command where promtool is, from the root of a clone that is prepared (`make setup`). Where it is missing it is
# taken out of Debian's package prometheus, into the environment of the chart's tools: the package itself would start a
# server. Where that cannot be, the command runs without, and the last line says SKIPPED and why.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly programs=${PLATFORM_TOOLS:-$PWD/.venv-platform}/bin

say() { printf '%s\n' "$*" >&2; }

# As root it asks for the list of packages first, which a fresh image has not.
download() {
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
    [ "$(id -u)" -ne 0 ] || apt-get update -qq >&2 || return 1
    (cd "$1" && apt-get download -qq prometheus >&2 && dpkg-deb -x prometheus_*.deb .) || return 1
}

install_promtool() {
    local folder status=0
    folder=$(mktemp -d)
    say "Taking promtool out of Debian's package prometheus"
    { download "$folder" && mkdir -p "$programs" && cp "$folder/usr/bin/promtool" "$programs/"; } || status=1
    rm -rf "$folder"
    return "$status"
}

export PATH=$PATH:$programs
command -v promtool >/dev/null || install_promtool || missing=1
status=0
"$@" || status=$?
if [ -n "${missing:-}" ]; then
    say ""
    say "SKIPPED: rules of alerts were not tried: no promtool, and Debian's package prometheus cannot be had here."
fi
exit "$status"
