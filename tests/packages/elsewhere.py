"""A Python of another team: what our distributions need is installed, they themselves are not."""

from __future__ import annotations

import os
import subprocess
import sysconfig
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

OURS = ("booking_contracts", "booking_services", "stripe_simulator")


@dataclass(frozen=True)
class Elsewhere:
    """An environment of Python, and the folder that pip takes our distributions from."""

    home: Path
    wheels: Path

    @property
    def env(self) -> dict[str, str]:
        """Of a user who has activated it. pip asks nobody: what is missing fails."""
        theirs = {
            "PATH": f"{self.home / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_INDEX": "1",
            "PIP_ROOT_USER_ACTION": "ignore",
        }
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR", "JAVA_HOME") if name in os.environ}
        return kept | theirs

    def run(self, *arguments: str, cwd: Path) -> str:
        """What `python …` printed; its output is the error where it fails."""
        return ran([str(self.home / "bin" / "python"), *arguments], cwd, self.env)

    def install(self, *requirements: str) -> None:
        """From the built wheels. A dependency that they do not name, or name wrongly, fails here or at the import."""
        self.run("-m", "pip", "install", "--quiet", "--find-links", str(self.wheels), *requirements, cwd=self.home)


def ran(command: Sequence[str], cwd: Path, env: dict[str, str]) -> str:
    """Standard output and errors of a command; AssertionError with both where it fails."""
    done = subprocess.run(command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"
    return done.stdout


def elsewhere(home: Path, wheels: Path) -> Elsewhere:
    """A new environment, with links to every package of this one but ours, pip among them. Downloads nothing.

    Links, because a path to this environment would bring our own distributions with it, as they are installed here.
    """
    venv.create(home, symlinks=True)
    packages = home / "dependencies"
    packages.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not any(name in entry.name for name in OURS):
            (packages / entry.name).symlink_to(entry)
    (site_packages,) = home.glob("lib/python3*/site-packages")
    (site_packages / "dependencies.pth").write_text(f"{packages}\n")
    return Elsewhere(home, wheels)
