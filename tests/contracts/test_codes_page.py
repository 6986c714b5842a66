"""A code of a reply and the type of a problem document can be looked up: each has its section in generated/codes.md."""

from __future__ import annotations

import re
from collections import Counter
from enum import StrEnum
from pathlib import Path

import pytest
from booking_contracts.codes import Code
from booking_contracts.problems import PAGE, ProblemKind
from booking_contracts.schema.codes_page import anchor, codes_page, explained
from booking_contracts.schema.generate import GENERATED


class Silent(StrEnum):
    """Words that nobody explained to the end."""

    BARE = "bare"
    NO_NEXT = "no-next"
    """It came to this."""


@pytest.mark.requirement("contracts")
def test_every_code_and_every_kind_of_problem_has_an_anchor_of_its_own() -> None:
    headings = Counter(re.findall(r"^#+ (.+)$", codes_page(), re.MULTILINE))
    assert [*map(str, Code), *ProblemKind] == [name for name in headings if name in {*Code, *ProblemKind}]
    assert set(headings.values()) == {1}
    anchors = Counter(map(anchor, [*Code, *ProblemKind]))
    assert set(anchors.values()) == {1}, "one page holds them all"


@pytest.mark.requirement("contracts")
@pytest.mark.parametrize("member", [*explained(Code).items(), *explained(ProblemKind).items()], ids=lambda m: m[0])
def test_it_says_in_sentences_when_and_what_next(member: tuple[StrEnum, tuple[str, str, str]]) -> None:
    _, (when, following, details) = member
    for text in (when, following, details or "."):
        assert text.endswith(".")
    assert len(when) > 10
    assert len(following) > 8


def test_a_code_that_is_not_explained_stops_the_generator() -> None:
    with pytest.raises(ValueError, match=r"Silent.BARE must say when it comes, and Next"):
        explained(Silent)


@pytest.mark.requirement("contracts")
def test_the_type_of_a_problem_names_the_page_as_it_is_called_here() -> None:
    for kind in ProblemKind:
        page, _, fragment = kind.reference.partition("#")
        assert page == PAGE
        assert (GENERATED / page.removeprefix("/")).is_file(), "whoever reads the repository finds the file by its name"
        assert fragment == anchor(kind)


def test_the_contracts_page_leads_there() -> None:
    page = Path(__file__).parents[2] / "contracts" / "README.md"
    links = re.findall(r"\]\((\S+codes\.md)\)", page.read_text(encoding="utf-8"))
    assert [page.parent / link for link in links] == [GENERATED / "codes.md"]
