"""Queries name their columns: a column that a newer build has added must not reach a build that does not know it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(file for file in (ROOT / "services").rglob("*.py") if "migrations" not in file.parts)
STAR = re.compile(r"\b(?:SELECT|RETURNING)\s+(?:\w+\.)?\*|,\s*\w+\.\*(?=\s*[,\n])|\bSELECT\b[^()]*,\s*\w+\.\*")
NAMED_BESIDE = re.compile(r"\*[^()]*(?:\([^()]*\)[^()]*)*?\bFROM\s*(?:unnest)?\(|\*\s*FROM\s*\{arrays\}")
"""A star over arrays or a subquery: what it stands for is in the same statement, not in a table."""


def stars(source: str) -> list[str]:
    """The places that ask for all columns of a table, each with what follows it."""
    found = []
    for match in STAR.finditer(source):
        rest = source[match.end() - 1 : match.end() + 300]
        if not NAMED_BESIDE.match(rest):
            found.append(source[match.start() : match.end() + 40])
    return found


def test_no_query_asks_for_whatever_columns_a_table_has() -> None:
    found = {str(file.relative_to(ROOT)): places for file in SOURCES if (places := stars(file.read_text()))}
    assert found == {}, "name the columns, or use Table.select and Table.columns (services/chassis/tables.py)"


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("SELECT * FROM saga", True),
        ('f"SELECT * FROM {query}"', True),
        ("UPDATE saga SET asked = 1 RETURNING *", True),
        ("UPDATE saga SET asked = 1\n        RETURNING *, now() - at AS age", True),
        ("SELECT s.*, b.state FROM saga s JOIN booking b USING (booking_id)", True),
        ("SELECT b.state, s.* FROM saga s JOIN booking b USING (booking_id)", True),
        ("INSERT INTO t (a) SELECT * FROM unnest($1::int[])", False),
        ("SELECT *, clock_timestamp() + make_interval(secs => $2) FROM unnest($1::int[])", False),
        ("SELECT * FROM (SELECT id FROM outbox) rows", False),
        ("SELECT count(*) FROM saga", False),
    ],
)
def test_a_star_is_seen(query: str, seen: bool) -> None:
    assert bool(stars(query)) is seen
