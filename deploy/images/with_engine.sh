#!/usr/bin/env bash
# Runs a command where a Docker engine answers, from the root of a clone that is prepared (`make setup`): on the engine
# that there is, else on one of its own, which is stopped when the command ends. As root on Debian or Ubuntu it installs
# what an engine needs. Where that cannot be, its last line says SKIPPED and why, and it ends with 0.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly packages=(docker.io docker-compose iptables)
readonly home=${XDG_CACHE_HOME:-$HOME/.cache}/booking-system/docker  # images are kept here
readonly answer_seconds=60

say() { printf '%s\n' "$*" >&2; }

skip() {
    say ""
    say "SKIPPED: $*"
    exit 0
}

# A client with BuildKit, an engine that answers it, and compose: the tests of containers look for them in the same way.
usable() { .venv/bin/python -m deploy.images.usable; }

install_programs() {
    if command -v dockerd >/dev/null && command -v docker-compose >/dev/null && command -v iptables >/dev/null; then
        return
    fi
    command -v apt-get >/dev/null || skip "no Docker engine can be used, and this is no Debian to install one on."
    say "Installing ${packages[*]}"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${packages[@]}"; } >&2 ||
        skip "no Docker engine can be used, and ${packages[*]} could not be installed."
}

# Ends the engine of a run that was killed; the lock on its directory says that no other run has it.
stop_engine() {
    local pid
    pid=$(cat "$home/pid" 2>/dev/null) || return 0
    grep -qz -- "$home/data" "/proc/$pid/cmdline" 2>/dev/null || return 0
    kill "$pid" 2>/dev/null || return 0
    for _ in $(seq 300); do
        [ -d "/proc/$pid" ] || return 0
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
}

# What a run that was killed left in our engine, and images that have lost their name to a newer one.
forget_old() {
    local kind
    for kind in container network volume image; do docker "$kind" prune --force >/dev/null; done
}

start_engine() {
    mkdir -p "$home"
    exec 9>"$home/lock"
    flock -w 600 9 || skip "another run has had the engine in $home for ten minutes."
    stop_engine
    sockets=$(mktemp -d /tmp/booking-engine.XXXXXX)  # short: the path of a socket has 108 characters at most
    export DOCKER_HOST=unix://$sockets/docker.sock
    trap 'stop_engine; rm -rf "$sockets"' EXIT
    trap 'exit 143' TERM
    trap 'exit 130' INT
    say "Starting a Docker engine of our own, with its images in $home"
    # Containers inherit how nice the engine is. In a session of its own no signal for all of us ends it out of order.
    setsid nice -n $((-$(nice))) dockerd --host "$DOCKER_HOST" --data-root "$home/data" --exec-root "$sockets/exec" \
        --pidfile "$home/pid" >"$home/log" 2>&1 9>&- &
    local engine=$!
    for _ in $(seq "$answer_seconds"); do
        ! docker version >/dev/null 2>&1 || { forget_old; return; }
        [ -d "/proc/$engine" ] || break
        sleep 1
    done
    tail -n 5 "$home/log" >&2
    skip "no Docker engine can be used, and this machine does not let one run: see above, and $home/log."
}

if ! usable; then
    [ "$(id -u)" -eq 0 ] || skip "no Docker engine can be used, and only root can start one."
    install_programs
    usable || start_engine  # where there is systemd, the packages start one
    usable || skip "a Docker engine answers, and something else is missing: see above."
fi
"$@" 9>&-
