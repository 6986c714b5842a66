"""Every heading of docs/rules.md says where its rules are decided, and the tour leads there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath

import pytest

from services.operations.drawn_pages import ROOT

RULES, TOUR = (ROOT / "docs" / "rules.md").read_text(), (ROOT / "ARCHITECTURE.md").read_text()
NAMED = re.compile(r"((?:\w+/)*)(\w+\.(?:py|sql))?")
HOMES = ("services", "contracts")


def decided(page: str) -> dict[str, list[str]]:
    """Heading → the files under it; a name without a folder is in the folder before it."""
    found: dict[str, list[str]] = {}
    for part in re.split(r"(?m)^## ", page)[1:]:
        heading, _, text = part.partition("\n")
        line, folder, files = re.match(r"(?s)Decided in (.*?)\n\n", text), "", list[str]()
        for within, name in NAMED.findall(line[1]) if line else ():
            folder = within or folder
            files += [folder + name] if name else []
        found[heading] = files
    return found


def faults(named: Mapping[str, list[str]], tour: str) -> list[str]:
    """Headings that name nothing, names that are no files, files that the tour does not lead to."""
    nothing = [heading for heading, files in named.items() if not files]
    files = sorted({file for files in named.values() for file in files})
    missing = [file for file in files if not any((ROOT / home / file).is_file() for home in HOMES)]
    told = set(re.findall(r"\w+(?=\.(?:py|sql)\b)", tour))
    told |= {name for cell in re.findall(r"(?m)^\| .* \| \w+/handlers/: (.*) \|$", tour) for name in cell.split(", ")}
    untold = [file for file in files if PurePath(file).stem not in told]
    return nothing + missing + untold


def test_every_rule_has_a_file_and_the_tour_leads_there() -> None:
    assert faults(decided(RULES), TOUR) == []


@pytest.mark.parametrize(
    ("page", "tour", "fault"),
    [
        ("## Cakes\n- They are round.\n", "", "Cakes"),
        ("## Cakes\nDecided in booking/model/cakes.py.\n\n", "cakes.py", "booking/model/cakes.py"),
        ("## Cakes\nDecided in booking/model/price.py, cakes.py.\n\n", "cakes.py, price.py", "booking/model/cakes.py"),
        ("## Cakes\nDecided in booking/model/price.py.\n\n", "model/prices.py", "booking/model/price.py"),
        ("## Cakes\nDecided in booking/saga.py.\n\n", "| saga | booking/handlers/: sagas, a saga |", "booking/saga.py"),
    ],
)
def test_a_planted_fault_is_seen(page: str, tour: str, fault: str) -> None:
    assert faults(decided(page), tour) == [fault]
