"""What the services read at run time is installed with them."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_READ = {".py", ".pyc", ".md", ".typed"}
"""Code, and what people and type checkers read."""


def test_every_file_that_code_reads_is_in_the_package() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (patterns,) = settings["tool"]["setuptools"]["package-data"].values()
    read = [path for path in (ROOT / "services").rglob("*.*") if path.is_file() and path.suffix not in NOT_READ]

    assert [path for path in read if not any(map(path.match, patterns))] == []
    assert read
