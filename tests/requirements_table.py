"""`python -m tests.requirements_table [--check]`: which test proves which requirement."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROW = re.compile(r"^\| `([a-z0-9-]+)` \|", re.MULTILINE)


class Collector:
    """A pytest plugin that notes the requirement markers of what was collected."""

    def __init__(self) -> None:
        self.tests: defaultdict[str, set[str]] = defaultdict(set)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            for marker in item.iter_markers("requirement"):
                for requirement in marker.args:
                    self.tests[requirement].add(item.nodeid.split("[")[0])


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


def main() -> int:
    """Print the table; with faults, print them and fail."""
    known = ROW.findall((ROOT / "docs" / "requirements.md").read_text())
    pending = set((ROOT / "tests" / "requirements-pending.txt").read_text().split())
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
