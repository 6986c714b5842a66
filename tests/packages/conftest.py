"""The distributions, built once, and Pythons of other teams."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.packages.build import build
from tests.packages.elsewhere import Elsewhere, elsewhere


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist of each distribution."""
    folder = tmp_path_factory.mktemp("dist")
    build(folder)
    return folder


@pytest.fixture
def python(tmp_path: Path, wheels: Path) -> Elsewhere:
    """A Python with everything but our distributions."""
    return elsewhere(tmp_path / "python", wheels)
