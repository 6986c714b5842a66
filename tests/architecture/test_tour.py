"""The tour stays short, the index of decisions is whole, and a decision says why and for how long."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from services.operations import drawn_pages
from services.operations.drawn_pages import ROOT

TOUR = ROOT / "ARCHITECTURE.md"
DECISIONS = ROOT / "docs" / "decisions"
PAGES = sorted(DECISIONS.glob("[0-9]*.md"))
MOST_LINES = 80
MOST_LINES_OF_STEPS = 135
"""Of CONTRIBUTING.md."""


def own_lines(text: str) -> list[str]:
    """The tour's lines without the generated tables and their marks."""
    for name in drawn_pages.PAGES[TOUR]:
        text = re.sub(rf"<!-- {name} -->\n.*?<!-- end of {name} -->\n", "", text, flags=re.DOTALL)
    return text.rstrip("\n").split("\n")


def test_the_tour_is_short() -> None:
    lines = own_lines(TOUR.read_text())
    assert len(lines) <= MOST_LINES, "what the tour decides belongs in docs/decisions, what it rules in docs/rules.md"
    assert [line for line in lines if len(line) > 120] == []


def test_how_to_change_it_is_a_page() -> None:
    lines = (ROOT / "CONTRIBUTING.md").read_text().splitlines()
    assert len(lines) <= MOST_LINES_OF_STEPS, "what is about one service or one run belongs in its page"
    assert [line for line in lines if len(line) > 120 and not line.startswith("|")] == []


def test_the_tour_begins_with_every_room() -> None:
    """The folders at the top, and those of deploy/ that have code."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    folders = {path.split("/")[0] for path in listed.splitlines() if "/" in path} - {"deploy"}
    folders |= {"/".join(path.split("/")[:2]) for path in listed.splitlines() if re.match("deploy/.*/", path)}
    rooms = TOUR.read_text().split("```")[1]
    assert sorted(folder for folder in folders if f"{folder}/" not in rooms) == []


def test_the_index_names_every_decision_once() -> None:
    named = re.findall(r"^\| \[\d+\]\((\S+)\)", (DECISIONS / "README.md").read_text(), re.MULTILINE)
    assert sorted(named) == [page.name for page in PAGES]


def test_the_numbers_of_decisions_have_no_gap() -> None:
    assert [int(page.name[:4]) for page in PAGES] == list(range(1, len(PAGES) + 1))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_decision_says_why_and_when_to_look_again(page: Path) -> None:
    text = page.read_text()
    missing = [word for word in ("**Context.**", "**Decision.**", "**Revisit**") if word not in text]
    assert missing == []
    assert text.startswith(f"# {int(page.name[:4])}. ")
