"""`python -m deploy.packages.pythons [OPTION OF PYTEST …]`: the tests without a stack on every Python that we promise.

Which those are, the classifiers of pyproject.toml say. Each gets an environment of its own from the locked
requirements, below .local/. One that this machine does not have is named, and is no failure.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

from deploy.packages.build import PROJECTS, ROOT

ENVIRONMENTS = ROOT / ".local" / "pythons"
LOCKED = ("uv.txt", "dev.txt")
PROMISED = "Programming Language :: Python :: 3."
UV = (sys.executable, "-m", "uv")


def promised() -> list[str]:
    """`3.11`, `3.12`, …"""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    named: list[str] = settings["project"]["classifiers"]
    return [name.rpartition(" ")[2] for name in named if name.startswith(PROMISED)]


def interpreter(version: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """The path of an interpreter of that version: of the system, of uv or of pyenv. None where there is none.

    A shim of pyenv has an interpreter's name and may stand for none, so they are left out of the search, and what they
    stand for is put in.
    """
    pyenv = Path(environment.get("PYENV_ROOT") or Path.home() / ".pyenv")
    kept = [folder for folder in environment["PATH"].split(os.pathsep) if Path(folder) != pyenv / "shims"]
    path = os.pathsep.join([*kept, *map(str, sorted(pyenv.glob("versions/*/bin")))])
    command = [*UV, "python", "find", "--system", "--no-python-downloads", version]
    found = subprocess.run(command, env={**environment, "PATH": path}, capture_output=True, text=True)
    return found.stdout.strip() or None


def prepare(version: str, base: str) -> Path:
    """The interpreter of an environment with everything that is locked, and our distributions as they lie here.

    Raises subprocess.CalledProcessError, for instance where a locked package has nothing for this Python.
    """
    python = ENVIRONMENTS / version / "bin" / "python"
    if not python.exists():
        subprocess.run([base, "-m", "venv", "--clear", str(ENVIRONMENTS / version)], check=True)
    install = [*UV, "pip", "install", "--quiet", "--python", str(python)]
    locked = [option for name in LOCKED for option in ("-r", str(ROOT / "requirements" / name))]
    subprocess.run([*install, "--require-hashes", *locked], check=True)
    ours = [option for project in PROJECTS for option in ("-e", str(ROOT / project))]
    subprocess.run([*install, "--no-deps", "--no-build-isolation", *ours], check=True)
    return python


def tested(version: str, options: list[str]) -> tuple[bool, str]:
    """Whether nothing failed on that Python, and what to say of it."""
    base = interpreter(version)
    if base is None:
        return True, "SKIPPED: it is not on this machine"
    pytest = [str(prepare(version, base)), "-m", "pytest", "-m", "not stack", "-p", "no:cacheprovider", *options]
    print(f"== Python {version}: {base}", flush=True)
    failed = subprocess.run(pytest, cwd=ROOT).returncode
    return not failed, "failed" if failed else "passed"


def main() -> int:
    """Returns 1 where the tests failed on a Python."""
    outcomes = {version: tested(version, sys.argv[1:]) for version in promised()}
    for version, (_, words) in outcomes.items():
        print(f"Python {version}: {words}")
    return 0 if all(fine for fine, _ in outcomes.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
