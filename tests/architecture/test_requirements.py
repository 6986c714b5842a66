"""No requirement without a test, except those whose work is still to come."""

import subprocess
import sys

import pytest

from tests.requirements_table import COLLECTED, ROOT, by_requirement, faults, is_everything, known_and_pending


def test_every_requirement_has_a_test_or_is_pending(request: pytest.FixtureRequest) -> None:
    """Of what this run has collected, where that is everything: to collect once more takes ten seconds."""
    items = request.config.stash[COLLECTED]
    if is_everything(items):
        assert faults(by_requirement(items), *known_and_pending()) == []
        return
    found = subprocess.run(
        [sys.executable, "-m", "tests.requirements_table", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr


def test_a_gap_is_seen() -> None:
    assert faults({}, ["outbox"], set()) == ["outbox has no test and is not pending"]
    assert faults({"outbox": {"t"}}, ["outbox"], {"outbox"}) != []
    assert faults({"typo": {"t"}}, [], set()) != []
