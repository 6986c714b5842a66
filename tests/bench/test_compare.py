"""Two versions are measured in turns, and nothing is left behind, also when somebody stops it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bench.compare import Version, checkout, compare, measured, parsed

FIGURES = """
import json, sys
print("warming up")
print(json.dumps({"rate": float(sys.argv[1])}))
"""
STACK = """
import pathlib, time
up = pathlib.Path("stack")
try:
    up.touch()
    print("up", flush=True)
    time.sleep(60)
finally:
    time.sleep(0.2)
    up.unlink()
"""
Made = Callable[[str, str], Version]


@pytest.fixture
def version(tmp_path: Path) -> Made:
    """A checkout whose tests/bench is this program."""

    def made(name: str, program: str) -> Version:
        bench = tmp_path / name / "tests" / "bench"
        bench.mkdir(parents=True)
        (bench / "__main__.py").write_text(program)
        return Version(name, tmp_path / name, Path(sys.executable))

    return made


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    def git(*arguments: str) -> None:
        who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
        subprocess.run(["git", "-C", str(tmp_path), *who, *arguments], check=True, capture_output=True)

    git("init", "--quiet")
    (tmp_path / "page.txt").write_text("as it was")
    git("add", ".")
    git("commit", "--quiet", "-m", "before")
    (tmp_path / "page.txt").write_text("as it is")
    git("commit", "--quiet", "-a", "-m", "after")
    return tmp_path


def worktrees(repository: Path) -> int:
    command = ["git", "-C", str(repository), "worktree", "list"]
    return len(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines())


def test_the_other_version_is_checked_out_beside_this_one_and_gone_afterwards(repository: Path) -> None:
    with checkout(repository, "HEAD~1") as root:
        assert (root / "page.txt").read_text() == "as it was"
        (root / "left.txt").write_text("by a run")
    assert not root.exists()
    assert worktrees(repository) == 1
    assert (repository / "page.txt").read_text() == "as it is"


def test_the_checkout_is_gone_also_when_somebody_stops_it(repository: Path) -> None:
    with pytest.raises(KeyboardInterrupt), checkout(repository, "HEAD~1"):
        raise KeyboardInterrupt
    assert worktrees(repository) == 1


def test_the_figures_of_a_run_are_its_last_line(version: Made) -> None:
    assert measured(version("this", FIGURES), ["7"]) == {"rate": 7.0}


def test_a_run_that_fails_is_no_figure(version: Made) -> None:
    with pytest.raises(RuntimeError, match="the run of REF failed with exit code 3"):
        measured(version("REF", "print('{}'); raise SystemExit(3)"), [])


def test_versions_take_turns_in_who_is_first(version: Made, capsys: pytest.CaptureFixture[str]) -> None:
    lines = compare(version("this", FIGURES), version("REF", FIGURES), 2, ["5"])
    order = [line.split(": ")[1] for line in capsys.readouterr().out.splitlines() if line.startswith("pair")]
    assert order == ["REF", "this", "this", "REF"]
    assert lines[2:] == ["| rate | 5, 5 | 5, 5 | 1.00 |"]


def test_a_run_that_is_stopped_takes_its_stack_down_first(version: Made) -> None:
    stopped = version("this", STACK)

    def interrupt() -> None:
        while not (stopped.root / "stack").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        measured(stopped, [])
    assert not (stopped.root / "stack").exists()


def test_what_is_not_for_the_comparison_is_for_the_runs() -> None:
    options, arguments = parsed(["main", "--pairs", "2", "--quick", "--only", "card,rates", "--sagas", "500"])
    assert (options.ref, options.pairs) == ("main", 2)
    assert arguments == ["--quick", "--only", "card,rates", "--sagas", "500"]
