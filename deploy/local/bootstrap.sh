#!/usr/bin/env bash
# Prepares a clone: the programs the project needs (Python, Java, Maven, make), then .venv.
# As root on Debian or Ubuntu it installs what is missing; otherwise it names the command and stops.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly stamp=.venv/.prepared

say() { printf '%s\n' "$*" >&2; }

# Installs the packages, or names the command and stops.
install_or_stop() {
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        say "Some programs are missing. Install them, on Debian or Ubuntu with:"
        say "    sudo apt-get install -y $*"
        exit 1
    fi
    say "Installing $*"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >&2
    apt-get install -y -qq --no-install-recommends "$@" >&2
}

# Prints the first interpreter that is new enough and can create a virtual environment with pip.
find_python() {
    local candidate
    for candidate in python3.13 python3.12 python3.11 python3; do
        if "$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

java_is_recent() {
    local java version
    java=${JAVA_HOME:+$JAVA_HOME/bin/}java
    version=$("$java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p') || return 1
    [ "${version:-0}" -ge 17 ]
}

ensure_tools() {
    local missing=()
    command -v make >/dev/null || missing+=(make)
    find_python >/dev/null || missing+=(python3 python3-venv)
    java_is_recent || missing+=(default-jre-headless)
    command -v mvn >/dev/null || missing+=(maven)
    [ ${#missing[@]} -eq 0 ] || install_or_stop "${missing[@]}"
    find_python >/dev/null || { say "Python 3.11 or later, with its venv module, is needed."; exit 1; }
    java_is_recent || { say "Java 17 or later is needed, for Kafka."; exit 1; }
}

prepare_venv() {
    local python
    python=$(find_python)
    say "Creating .venv with $("$python" --version)"
    rm -f "$stamp"
    .venv/bin/python -m pip --version >/dev/null 2>&1 || "$python" -m venv --clear .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
    say "Installing the locked requirements"
    uv_install --require-hashes -r requirements/dev.txt
    uv_install --no-deps --no-build-isolation -e contracts -e stripe_simulator -e .
    touch "$stamp"
}

# What it downloads and builds is shown as it goes, the list of packages is not.
uv_install() {
    .venv/bin/uv pip install --python .venv/bin/python "$@" 2>&1 | sed '/^ [+-] /d' >&2
}

is_prepared() {
    local source
    [ -e "$stamp" ] || return 1
    for source in requirements/uv.txt requirements/dev.txt pyproject.toml contracts/pyproject.toml stripe_simulator/pyproject.toml; do
        [ ! "$source" -nt "$stamp" ] || return 1
    done
}

case ${1:-all} in
    tools) ensure_tools ;;
    all)
        ensure_tools
        is_prepared || prepare_venv
        ;;
    *)
        say "usage: $0 [tools|all]"
        exit 2
        ;;
esac
