"""The changelog of the package: its newest version is the package's, and each message that came with it is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from booking_contracts.registry import BY_TYPE

PACKAGE = Path(__file__).resolve().parents[2] / "contracts"
CHANGELOG = (PACKAGE / "CHANGELOG.md").read_text()
VERSION = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]["version"]


def wrong(changelog: str, version: str) -> list[str]:
    """What is amiss, a sentence each."""
    headings = re.findall(r"^## (.+)$", changelog, re.MULTILINE)
    added = changelog.partition("\n## ")[2].partition("\n## ")[0].partition("### Added\n")[2].partition("\n### ")[0]
    found = [] if headings and headings[0].split(",")[0] == version else [f"{version} is not the newest heading"]
    found += [
        f"{heading}: neither dated nor said to be unreleased"
        for heading in headings
        if not re.fullmatch(r"\d+\.\d+\.\d+, (not released|\d{4}-\d\d-\d\d)", heading)
    ]
    named = re.findall(r"`((?:booking|catalogue|payments|wallet|notifications)\.\w+\.v\d+)`", added)
    return found + [f"{name} is no message" for name in named if name not in BY_TYPE]


@pytest.mark.requirement("contracts")
def test_its_newest_version_is_the_packages() -> None:
    assert wrong(CHANGELOG, VERSION) == []


@pytest.mark.parametrize(
    ("before", "after", "seen"),
    [
        ("## 0.1.0,", "## 0.0.9,", "0.1.0 is not the newest heading"),
        (", not released", ", soon", "0.1.0, soon: neither dated nor said to be unreleased"),
        ("booking.SagaStuck.v1", "booking.SagaSad.v1", "booking.SagaSad.v1 is no message"),
    ],
)
def test_what_is_amiss_is_seen(before: str, after: str, seen: str) -> None:
    planted = "## 0.1.0, not released\n### Added\n- Event `booking.SagaStuck.v1`.\n".replace(before, after)
    assert wrong(f"# Changelog\n\n{planted}", "0.1.0") == [seen]
