"""Every rejection code is given by some service, with no detail that its docstring does not name."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from booking_contracts.codes import Code
from booking_contracts.schema.codes_page import explained

SERVICES = Path(__file__).parents[2] / "services"
NO_DETAIL = frozenset({"subject"})


def given(source: str) -> Iterator[tuple[Code, frozenset[str]]]:
    """Codes that a module names, with the details that it gives them by name."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id="Rejected"), args=[ast.Attribute(value=ast.Name(id="Code"), attr=code), *_]):
                yield Code[code], frozenset(word.arg for word in node.keywords if word.arg) - NO_DETAIL
            case ast.Attribute(value=ast.Name(id="Code"), attr=code):
                yield Code[code], frozenset()


@cache
def all_given() -> dict[Code, frozenset[str]]:
    found: dict[Code, frozenset[str]] = defaultdict(frozenset)
    for path in SERVICES.rglob("*.py"):
        for code, details in given(path.read_text(encoding="utf-8")):
            found[code] |= details
    return found


@pytest.mark.requirement("contracts")
def test_every_code_is_given() -> None:
    assert set(all_given()) == set(Code)


@pytest.mark.requirement("contracts")
@pytest.mark.parametrize("code", Code)
def test_details_are_named_where_the_code_is_explained(code: Code) -> None:
    *_, documented = explained(Code)[code]
    unnamed = {detail for detail in all_given().get(code, ()) if f"`{detail}`" not in documented}
    assert not unnamed, f"the docstring of {code} in codes.py does not name {unnamed}"


def test_a_detail_is_found_in_the_source() -> None:
    planted = 'raise Rejected(Code.SLOT_FULL, "No.", None, seats_left=0, moon="full", **more)'
    assert dict([*given(planted)][:1]) == {Code.SLOT_FULL: {"seats_left", "moon"}}
