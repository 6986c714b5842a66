"""`python -m tests.mutants`: mutation testing of booking's rules (docs/mutants.md)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPY = ROOT / "mutants"
MUTMUT = str(Path(sys.executable).with_name("mutmut"))
CHILDREN = 2
LEAST_PERCENT = 85
LONGEST_SECONDS = 300
"""Many times what the tests need: a mutant that takes longer runs for ever, which is noticed too."""


def run_mutmut() -> int:
    """Change one thing after the other; progress is shown to people only. Returns mutmut's exit code."""
    command = [MUTMUT, "run", "--max-children", str(CHILDREN)]
    if sys.stdout.isatty():
        return subprocess.run(command, cwd=ROOT, check=False).returncode
    log = COPY / "run.log"
    with log.open("w") as output:
        code = subprocess.run(command, cwd=ROOT, check=False, stdout=output, stderr=subprocess.STDOUT).returncode
    if code != 0:
        print(log.read_text()[-4000:])
    return code


def outcomes() -> dict[str, str]:
    """Each mutant's name and what became of it."""
    command = [MUTMUT, "results", "--all", "true"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return {name.strip(): outcome for name, _, outcome in (line.rpartition(": ") for line in listed.splitlines())}


def passes(mutant: str) -> bool:
    """Whether all tests pass in a process of its own, in which `mutant` is there from the first import on."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]
    tests = settings["pytest_add_cli_args"] + settings["pytest_add_cli_args_test_selection"]
    command = [sys.executable, "-m", "pytest", "-x", *tests]
    environment = {**os.environ, "MUTANT_UNDER_TEST": mutant}
    try:
        ran = subprocess.run(
            command, cwd=COPY, env=environment, check=False, capture_output=True, timeout=LONGEST_SECONDS
        )
    except subprocess.TimeoutExpired:
        return False
    return ran.returncode == 0


def try_again(survivors: list[str]) -> list[str]:
    """Those that survive in a process of their own too.

    mutmut forks after the modules were read: what builds a table while its module is read, it changes too late. And on
    a busy machine it takes what is slow for what runs for ever; whatever it did not see fail, tests must fail here.
    """
    if not passes(""):
        sys.exit("Without any mutant the tests fail in mutants/; nothing can be said.")
    with ThreadPoolExecutor(CHILDREN) as pool:
        return [name for name, survived in zip(survivors, pool.map(passes, survivors), strict=True) if survived]


def main() -> int:
    """Always from nothing: mutmut keeps what it found, also when the tests have changed since."""
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir()
    if code := run_mutmut():
        return code
    found = outcomes()
    survivors = try_again(sorted(name for name, outcome in found.items() if outcome != "killed"))
    for name in survivors:
        print(f"{found[name]}: .venv/bin/mutmut show {name}")
    killed = len(found) - len(survivors)
    percent = 100 * killed / len(found) if found else 0
    print(
        f"{len(found)} mutants, {killed} killed, {len(survivors)} survived: {percent:.1f} %, wanted {LEAST_PERCENT} %"
    )
    return 0 if percent >= LEAST_PERCENT else 1


if __name__ == "__main__":
    raise SystemExit(main())
