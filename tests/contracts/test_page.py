"""`make docs`: one page that holds every topic, message, path and code, and needs nothing beside it."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from booking_contracts.codes import Code
from booking_contracts.http import SERVICES
from booking_contracts.problems import ProblemKind
from booking_contracts.registry import BY_TYPE
from booking_contracts.schema import page
from booking_contracts.schema.fields import Line, lines
from booking_contracts.schema.json_schema import Schema
from booking_contracts.topics import TOPICS

VOID = {"meta", "link", "br", "img"}


class Read(HTMLParser):
    """Ids, links and text of a page; a tag that is closed in the wrong place is an error."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: Counter[str] = Counter()
        self.links: list[str] = []
        self.tags: Counter[str] = Counter()
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags[tag] += 1
        self.ids.update([given["id"] or ""] if "id" in given else [])
        self.links += [str(given[name]) for name in ("href", "src") if name in given]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, self.getpos()

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Read:
    directory = tmp_path_factory.mktemp("docs") / "new"
    assert page.main([str(directory)]) == 0
    return Read((directory / "index.html").read_text(encoding="utf-8"))


@pytest.mark.requirement("contracts")
def test_everything_that_others_may_use_has_its_place(read: Read) -> None:
    wanted = {*BY_TYPE, *(f"topic-{topic.name}" for topic in TOPICS)}
    wanted |= {word.value.lower() for word in (*Code, *ProblemKind)}
    wanted |= {f"{service}-{one.name}" for service, operations in SERVICES.items() for one in operations}
    assert wanted <= read.ids.keys()
    assert set(read.ids.values()) == {1}
    for path in ("GET /v1/bookings/{id}/history", "customer.email", "ce_sequence", "weekly[].from", "items[].state"):
        assert path in read.text


@pytest.mark.requirement("contracts")
def test_every_link_leads_to_a_place_on_the_page(read: Read) -> None:
    assert {link for link in read.links if link.removeprefix("#") not in read.ids} == set()
    assert len(read.links) > len(BY_TYPE)
    assert read.tags["script"] == 0


def test_fields_are_told_with_what_is_in_them_and_an_end_is_found() -> None:
    node: Schema = {
        "type": "object",
        "properties": {
            "size": {"type": "integer", "minimum": 1, "default": 5},
            "under": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
            "above": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
            "word": {"anyOf": [{"enum": ["a", "b"], "type": "string"}, {"type": "null"}], "description": "A word."},
        },
        "required": ["size"],
    }
    root: Schema = {"$ref": "#/$defs/Node", "$defs": {"Node": node}}
    assert list(lines(root, root))[:3] == [
        Line("size", "whole number, at least 1; otherwise `5`", always=True, description=""),
        Line("under", "list of object", always=False, description=""),
        Line("under[].size", "whole number, at least 1; otherwise `5`", always=True, description=""),
    ]
    assert list(lines(root, root))[-1] == Line("word", "`a`, `b` or null", always=False, description="A word.")


def test_what_people_wrote_is_never_markup() -> None:
    assert page._marked("a < b & `<i>`, **bold**") == "a &lt; b &amp; <code>&lt;i&gt;</code>, <b>bold</b>"


def test_the_page_lies_where_git_does_not_look() -> None:
    ignored = (Path(__file__).parents[2] / ".gitignore").read_text().split()
    assert f"{page.DIRECTORY.parts[0]}/" in ignored
