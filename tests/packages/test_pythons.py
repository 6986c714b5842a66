"""Which Pythons are promised, and where they are looked for."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from deploy.packages import pythons
from deploy.packages.build import PROJECTS, ROOT


@pytest.mark.requirement("packages")
def test_every_distribution_promises_the_same_pythons() -> None:
    texts = [(ROOT / project / "pyproject.toml").read_text() for project in PROJECTS]
    promised = [[line for line in text.splitlines() if pythons.PROMISED in line] for text in texts]
    assert promised[0] == promised[1] == promised[2]
    assert pythons.promised() == ["3.11", "3.12", "3.13"]


@pytest.mark.requirement("packages")
def test_this_python_is_found_and_one_that_nobody_has_is_not() -> None:
    assert pythons.interpreter(f"{sys.version_info.major}.{sys.version_info.minor}")
    assert pythons.interpreter("3.99") is None


@pytest.mark.requirement("packages")
def test_an_interpreter_of_pyenv_is_found_behind_a_shim_that_stands_for_none(tmp_path: Path) -> None:
    shims, real = tmp_path / "shims", tmp_path / "versions" / "3.1x" / "bin"
    for folder in (shims, real):
        folder.mkdir(parents=True)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    (shims / f"python{version}").write_text("#!/bin/sh\necho 'command not found' >&2\nexit 127\n")
    (shims / f"python{version}").chmod(0o755)
    (real / f"python{version}").symlink_to(Path(sys.executable).resolve())
    environment = {**os.environ, "PYENV_ROOT": str(tmp_path), "PATH": str(shims)}

    assert pythons.interpreter(version, environment) == str(real / f"python{version}")
