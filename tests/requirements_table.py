"""`python -m tests.requirements_table [--check]`: which test proves which requirement."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROW = re.compile(r"^\| `([a-z0-9-]+)` \|", re.MULTILINE)


COLLECTED = pytest.StashKey[tuple[pytest.Item, ...]]()
"""What pytest found, before `-m` and `-k` choose among it (tests/conftest.py)."""


class Collector:
    """A pytest plugin that notes the requirement markers of what was collected."""

    def __init__(self) -> None:
        self.tests: dict[str, set[str]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self.tests = by_requirement(items)


def by_requirement(items: Iterable[pytest.Item]) -> dict[str, set[str]]:
    """Requirement id → node ids of its tests."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for item in items:
        for marker in item.iter_markers("requirement"):
            for requirement in marker.args:
                found[requirement].add(item.nodeid.split("[")[0])
    return found


def is_everything(items: Iterable[pytest.Item]) -> bool:
    """Whether no file of tests is missing, but for those of the chart: they are collected where Helm is."""
    found = {item.path for item in items}
    return all(path in found or path.parent == ROOT / "tests/chart" for path in (ROOT / "tests").rglob("test_*.py"))


def collect() -> dict[str, set[str]]:
    """Requirement id → node ids of its tests."""
    collector = Collector()
    with contextlib.redirect_stdout(io.StringIO()):
        outcome = pytest.main(["--collect-only", "-qq", str(ROOT / "tests")], plugins=[collector])
    if outcome not in (0, 5):
        sys.exit("The tests cannot be collected; run `make test` to see why.")
    return collector.tests


def faults(tests: dict[str, set[str]], known: list[str], pending: set[str]) -> list[str]:
    """What is wrong with the table, a sentence each."""
    found = [f"{i} has no test and is not pending" for i in known if not tests.get(i) and i not in pending]
    found += [f"{i} is pending but has a test: take it off the list" for i in sorted(pending) if tests.get(i)]
    found += [f"{i} is no requirement of docs/requirements.md" for i in sorted({*tests, *pending} - set(known))]
    return found


def known_and_pending() -> tuple[list[str], set[str]]:
    """The ids of docs/requirements.md, and those among them whose work is still to come."""
    known = ROW.findall((ROOT / "docs" / "requirements.md").read_text())
    return known, set((ROOT / "tests" / "requirements-pending.txt").read_text().split())


def main() -> int:
    """Print the table; with faults, print them and fail."""
    known, pending = known_and_pending()
    tests = collect()
    if "--check" not in sys.argv:
        for requirement in known:
            print(requirement, "(pending)" if requirement in pending else "")
            for test in sorted(tests.get(requirement, ())):
                print(f"    {test}")
    wrong = faults(tests, known, pending)
    print("\n".join(wrong) or f"{len(known) - len(pending)} of {len(known)} requirements are proven by tests")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
