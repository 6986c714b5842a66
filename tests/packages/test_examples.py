"""Services of other teams, in examples/: each runs on the built wheels, in a folder outside of the repository."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from deploy.packages.build import ROOT, tracked
from tests.packages.elsewhere import Elsewhere, ran


def repository_of(example: str, folder: Path) -> Path:
    """The example's files and nothing beside them."""
    below = f"examples/{example}/"
    for path in tracked():
        if path.startswith(below):
            copy = folder / path.removeprefix(below)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, copy)
    return folder


@pytest.fixture
def loyalty(python: Elsewhere, tmp_path: Path) -> Path:
    """Its repository, without the package, which is installed."""
    theirs = repository_of("loyalty", tmp_path / "loyalty")
    python.install("--no-build-isolation", f"{theirs}[test]")
    shutil.rmtree(theirs / "loyalty")
    return theirs


@pytest.mark.requirement("packages")
def test_loyalty_in_memory(python: Elsewhere, loyalty: Path) -> None:
    said = python.run("-m", "pytest", "-rs", cwd=loyalty)

    assert "5 passed, 1 skipped" in said
    assert "BOOKING_CHECKOUT names no clone" in said


@pytest.mark.requirement("packages", "testkit")
def test_loyalty_beside_the_booking_system(python: Elsewhere, loyalty: Path, checkout: Path) -> None:
    worker = {name: value for name, value in os.environ.items() if name.startswith("PYTEST_XDIST_WORKER")}
    command = [str(python.home / "bin" / "python"), "-m", "pytest", "tests/test_with_the_booking_system.py"]

    said = ran(command, loyalty, {**python.env, **worker, "BOOKING_CHECKOUT": str(checkout)})

    assert "1 passed" in said
