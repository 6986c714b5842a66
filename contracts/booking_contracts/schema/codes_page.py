"""generated/codes.md: every rejection code and every kind of HTTP problem, written of their docstrings."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from enum import StrEnum

from booking_contracts.codes import Code
from booking_contracts.problems import PAGE, ProblemKind

HEAD = f"""\
<!-- Written by `make contracts` from the definitions of codes and problems; never edited by hand. -->
# Why it was refused, and what to do

A command is refused with a [rejection code](#rejection-codes): `code` of the reply. A request over HTTP is refused with
a problem document, whose `type` is the [kind of problem](#http-problems). Every service shows this page at `{PAGE}`.
"""
PARTS = re.compile(r"\n(?=(?:Next|Details): )")


def codes_page() -> str:
    """The page, as Markdown. Its headings are the codes and kinds, so that each has an anchor."""
    chapters = (("Rejection codes", Code), ("HTTP problems", ProblemKind))
    lines = [HEAD]
    for title, words in chapters:
        lines += [f"## {title}", ""]
        for member, parts in explained(words).items():
            lines += [f"### {member}", "", *_paragraphs(*parts)]
    return "\n".join(lines)


def anchor(member: StrEnum) -> str:
    """The fragment of a member's heading, as Markdown's readers make it."""
    return member.value.lower()


def explained(words: type[StrEnum]) -> dict[StrEnum, tuple[str, str, str]]:
    """Member → when it comes, what to do next, which details it has ("" for none).

    Raises ValueError for a member whose docstring does not say when and what next.
    """
    found = dict(_docstrings(words))
    return {member: _parts(member, found.get(member.name, "")) for member in words}


def _docstrings(words: type[StrEnum]) -> Iterator[tuple[str, str]]:
    """Name and docstring of the members. A string below a value is in the source alone."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(words))).body
    assert isinstance(definition, ast.ClassDef), "the source of a class is its definition"
    for before, after in zip(definition.body, definition.body[1:], strict=False):
        match before, after:
            case ast.Assign(targets=[ast.Name(id=name)]), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, inspect.cleandoc(text)


def _parts(member: StrEnum, docstring: str) -> tuple[str, str, str]:
    when, *others = PARTS.split(docstring)
    said = {name: text for name, _, text in (part.partition(": ") for part in others)}
    if not when or "Next" not in said:
        raise ValueError(f"the docstring of {type(member).__name__}.{member.name} must say when it comes, and Next: …")
    return when, said["Next"], said.get("Details", "")


def _paragraphs(when: str, following: str, details: str) -> Iterator[str]:
    shown = [when, f"**Next:** {following}", *([f"**Details:** {details}"] if details else [])]
    for paragraph in shown:
        yield textwrap.fill(paragraph, 118, break_long_words=False, break_on_hyphens=False)
        yield ""
