#!/usr/bin/env bash
# Runs a command where Debian's chromium is, from the root of a clone that is prepared (`make setup`). As root on Debian
# or Ubuntu it is installed. Where that cannot be, the last line says SKIPPED and why, and it ends with 0.
set -euo pipefail
cd "$(dirname "$0")/../.."

say() { printf '%s\n' "$*" >&2; }

skip() {
    say ""
    say "SKIPPED: no browser: $*"
    exit 0
}

if ! command -v chromium >/dev/null; then
    command -v apt-get >/dev/null || skip "this is no Debian to install chromium on."
    say "Installing chromium"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } >&2 ||
        skip "chromium could not be installed."
fi
exec "$@"
