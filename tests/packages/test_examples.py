"""Services of other teams, in examples/: each runs on the built wheels, in a folder outside of the repository."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from deploy.packages.build import ROOT, tracked
from tests.packages.elsewhere import Elsewhere


def repository_of(example: str, folder: Path) -> Path:
    """The example's files and nothing beside them."""
    below = f"examples/{example}/"
    for path in tracked():
        if path.startswith(below):
            copy = folder / path.removeprefix(below)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, copy)
    return folder


@pytest.mark.requirement("packages")
def test_loyalty(python: Elsewhere, tmp_path: Path) -> None:
    theirs = repository_of("loyalty", tmp_path / "loyalty")
    python.install("--no-build-isolation", f"{theirs}[test]")
    shutil.rmtree(theirs / "loyalty")

    said = python.run("-m", "pytest", cwd=theirs)

    assert " passed" in said
