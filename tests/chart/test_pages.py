"""Commands of operators' pages name what the chart makes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

import pytest

from deploy.local.layout import REPOSITORY
from tests.chart.conftest import Rendering
from tests.chart.rendered import FULL_NAME, Rendered, settings

pytestmark = pytest.mark.requirement("chart")
PAGES = REPOSITORY / "docs" / "operate"
SCALED = re.compile(r"`kubectl [^`]*scale deployment ([^`]+?) --replicas")
OPERATED = {"bookingctl"}
"""Where the commands run, of which each has its own connection for as long as it takes."""


def expanded(words: str) -> Iterator[str]:
    """As a shell does it: a-{b,c} is a-b and a-c."""
    for word in words.split():
        parts = [part.split(",") for part in re.split(r"[{}]", word)]
        yield from map("".join, product(*parts))


def scaled(page: str) -> list[set[str]]:
    """The Deployments of each command, without the release's part of their names."""
    text = re.sub(r"\s+", " ", (PAGES / page).read_text())
    return [{name.removeprefix(f"{FULL_NAME}-") for name in expanded(words)} for words in SCALED.findall(text)]


def connected(rendered: Rendered, database: str) -> set[str]:
    """Deployments that are told where a database is."""
    found = set()
    for name in rendered.all("Deployment"):
        told = settings(rendered.containers()[f"Deployment/{name}"])
        if any(f"/{database}?" in str(value) for variable, value in told.items() if variable.endswith("DATABASE_URL")):
            found.add(name)
    return found - OPERATED


def test_who_is_stopped_for_a_restore_is_whoever_connects(rendering: Rendering) -> None:
    made = rendering("plain")
    services, operations = scaled("restore.md")
    assert services == connected(made, "booking") | connected(made, "payments") | connected(made, "notifications")
    assert operations == connected(made, "operations")


@pytest.mark.parametrize("page", sorted(file.name for file in PAGES.glob("*.md")))
def test_what_is_scaled_is_there(rendering: Rendering, page: str) -> None:
    there = rendering("plain").all("Deployment").keys()
    assert [names - there for names in scaled(page) if names - there] == []
