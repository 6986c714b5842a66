"""`make bench-compare REF=<commit>`: that version and this checkout measured in turns, and the ratios.

REF is checked out as a git worktree in a temporary directory. There tests/bench of this checkout takes the place of its
own: both are measured by the same program, over Kafka and HTTP and on the stack of their own deploy/local. Where REF is
too old for it (its contracts lack what it imports), REF is measured by its own, and only what both print is compared.

REF runs in this checkout's .venv if requirements/dev.txt is the same, byte for byte; else its own
deploy/local/bootstrap.sh makes one in the worktree. PYTHONPATH names the worktree first, so nothing of this checkout's
code is imported.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.layout import REPOSITORY
from tests.bench.ratios import table

BENCH = Path("tests/bench")
LOCKED = Path("requirements/dev.txt")
STOP_SECONDS = 120.0


@dataclass(frozen=True)
class Version:
    """What is measured: its checkout, and the interpreter that has its requirements."""

    name: str
    root: Path
    python: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": f"{self.root}{os.pathsep}{self.root / 'contracts'}"}


@contextmanager
def checkout(repository: Path, ref: str) -> Iterator[Path]:
    """A worktree of the repository at `ref`, gone afterwards. Raises CalledProcessError for what is no commit."""
    with tempfile.TemporaryDirectory(prefix="bench-compare-") as directory:
        root = Path(directory) / "checkout"
        _git(repository, "worktree", "add", "--quiet", "--detach", str(root), ref)
        try:
            yield root
        finally:
            _git(repository, "worktree", "remove", "--force", str(root))


def prepared(root: Path) -> Version:
    """The version of a fresh checkout, with an interpreter and this checkout's bench or its own."""
    python = Path(sys.executable)
    if (root / LOCKED).read_bytes() != (REPOSITORY / LOCKED).read_bytes():
        print("REF has other requirements than this checkout, so it gets a .venv of its own", flush=True)
        subprocess.run([root / "deploy/local/bootstrap.sh"], cwd=root, check=True)
        python = root / ".venv/bin/python"
    version = Version("REF", root, python)
    shutil.rmtree(root / BENCH)
    shutil.copytree(REPOSITORY / BENCH, root / BENCH, ignore=shutil.ignore_patterns("__pycache__"))
    command = [str(python), "-c", "import tests.bench.system"]
    if subprocess.run(command, cwd=root, env=version.environment, check=False).returncode:
        print("REF is too old for this checkout's tests/bench: it is measured by its own", flush=True)
        shutil.rmtree(root / BENCH)
        _git(root, "checkout", "--quiet", "--", str(BENCH))
    return version


def measured(version: Version, arguments: Sequence[str]) -> dict[str, Any]:
    """One run: its output as it comes, and the figures of its last line. Raises RuntimeError when it fails.

    It has a session of its own, so that Ctrl-C reaches it once, from here: it takes its stack down, and is awaited.
    """
    process = subprocess.Popen(
        [version.python, "-u", "-m", "tests.bench", *arguments],
        cwd=version.root,
        env=version.environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None, "stdout is a pipe"
    last = ""
    try:
        for text in process.stdout:
            print(f"{version.name}: {text}", end="", flush=True)
            last = text
        code = process.wait()
    except BaseException:
        _stop(process)
        raise
    if code:
        raise RuntimeError(f"the run of {version.name} failed with exit code {code}")
    figures: dict[str, Any] = json.loads(last)
    return figures


def compare(this: Version, ref: Version, pairs: int, arguments: Sequence[str]) -> list[str]:
    """The table. Who goes first changes from pair to pair, so that a machine that slows down favours neither."""
    runs: dict[str, list[dict[str, Any]]] = {this.name: [], ref.name: []}
    for number in range(pairs):
        for version in (ref, this) if number % 2 == 0 else (this, ref):
            print(f"pair {number + 1} of {pairs}: {version.name}", flush=True)
            runs[version.name].append(measured(version, arguments))
    return table(runs[this.name], runs[ref.name])


def _stop(process: subprocess.Popen[str]) -> None:
    """Interrupt it and wait for its stack to be down; who asks once more is not listened to meanwhile."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    finally:
        signal.signal(signal.SIGINT, before)


def _git(repository: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(repository), *arguments], check=True)


def parsed(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """What is for this program, and the rest, which is for both versions' runs."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.compare", description=__doc__, allow_abbrev=False)
    parser.add_argument("ref", help="commit, branch or tag; further options go to both runs: --quick, --only …")
    parser.add_argument("--pairs", type=int, default=3)
    return parser.parse_known_args(arguments)


def main() -> None:
    """Ctrl-C and SIGTERM end the run that goes on, its stack and the worktree."""
    options, arguments = parsed(sys.argv[1:])
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell started this with SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    with checkout(REPOSITORY, options.ref) as root:
        this = Version("this", REPOSITORY, Path(sys.executable))
        lines = compare(this, prepared(root), options.pairs, arguments)
    print("\n".join([f"other: {options.ref}", *lines]), flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
