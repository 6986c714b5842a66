"""What has one place in the services is nowhere else: the clock, metrics, what can be amiss with a database."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {file: file.read_text() for file in sorted((ROOT / "services").rglob("*.py"))}
ONE_PLACE = {
    "clock.py": re.compile(r"\bdatetime\.now\(|\btime\.time\("),
    "metrics.py": re.compile(r'= (?:Counter|Gauge|Histogram|Summary)\(\s*"'),
    "database.py": re.compile(r"\bOSError, (?:\w+, )*asyncpg\.PostgresError"),
}
"""A file's name, and what stands in files of this name alone."""


def strays(sources: Iterable[tuple[Path, str]]) -> list[str]:
    """What stands elsewhere, as the file's name and the text."""
    return [
        f"{file.name}: {match[0]}"
        for file, text in sources
        for place, pattern in ONE_PLACE.items()
        if file.name != place
        for match in pattern.finditer(text)
    ]


def test_each_has_one_place() -> None:
    assert strays(SOURCES.items()) == []
    assert all(
        any(file.name == place and pattern.search(text) for file, text in SOURCES.items())
        for place, pattern in ONE_PLACE.items()
    )


@pytest.mark.parametrize(
    "line",
    [
        "now = datetime.now(UTC)",
        "age = time.time() - then",
        'held = Gauge(\n    "booking_held", "Planted")',
        "except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):",
    ],
)
def test_a_second_place_is_seen(line: str) -> None:
    assert len(strays([(Path("handlers.py"), line)])) == 1
