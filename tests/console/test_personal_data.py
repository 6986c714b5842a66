"""Who sees whose personal data, and that it is kept (requirement console)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from aiohttp import web

from services.operations.console import app, rendering
from services.operations.console.rendering import page
from services.operations.console.roles import Role
from services.operations.console.routes import Route
from tests.console.conftest import Visit, named

pytestmark = pytest.mark.requirement("console")
PAGE = """
{% extends layout %}{% import "_macros.html" as ui with context %}
{% block title %}P{% endblock %}
{% block main %}{{ "anna@example.com" | masked }} {{ none | masked }} {{ ui.json("raw", "Raw", {"name": "Anna"}) }}
{{ {"name": "Anna"} | withheld }}{{ ui.unmask() }}{% endblock %}
"""


async def of_anna(request: web.Request) -> web.Response:
    return await page(request, "anna.html", subject="customer anna-1")


@pytest.fixture
def anna(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A page with everything that a person may stand in."""
    (tmp_path / "anna.html").write_text(PAGE)
    loader = rendering.TEMPLATES.loader
    monkeypatch.setattr(loader, "searchpath", [*loader.searchpath, str(tmp_path)])  # type: ignore[union-attr]
    found = [*app.routes(), Route("GET", "/anna", of_anna, Role.VIEWER)]
    monkeypatch.setattr(app, "routes", lambda: iter(found))


@pytest.fixture
async def operations(databases: dict[str, str]) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(databases["OPERATIONS_DATABASE_URL"])
    yield connection
    await connection.close()


async def test_nobody_is_named_without_the_right_or_without_asking(anna: None, visit: Visit) -> None:
    mona, pia = await visit("mona"), await visit("pia")
    for shown in (await mona.shown("/anna"), await mona.shown("/anna?unmasked=1"), await pia.shown("/anna")):
        assert "a•••" in shown
        assert "anna@" not in shown
        assert "Anna" not in shown
    assert "mona has not the right pii" in await mona.shown("/anna?unmasked=1")
    assert "unmasked=1" in await pia.shown("/anna")
    assert "unmasked=1" not in await mona.shown("/anna")


async def test_each_look_is_kept_and_a_page_that_shows_people_is_not_asked_for_again_by_itself(
    anna: None, visit: Visit, databases: dict[str, str], operations: asyncpg.Connection[asyncpg.Record]
) -> None:
    pia = await visit("pia", databases=named(databases))
    looks = "SELECT operator, subject, reason, asked, outcome FROM operator_log WHERE act = 'look' AND operator = 'pia'"
    before = len(await operations.fetch(looks))
    assert 'hx-trigger="every' in await pia.shown("/anna?q=anna@example.com")
    shown = await pia.shown("/anna?unmasked=1&q=anna@example.com")
    assert "anna@example.com" in shown
    assert "Anna" in shown
    assert 'hx-trigger="every' not in shown
    *_, row = kept = await operations.fetch(looks)
    assert len(kept) == before + 1
    assert tuple(row) == ("pia", "customer anna-1", "", "{}", "shown"), "and not what was searched for"


async def test_where_a_look_cannot_be_kept_nothing_is_shown(anna: None, visit: Visit) -> None:
    shown = await (await visit("pia")).shown("/anna?unmasked=1")
    assert "which keeps who looked: personal data stays masked" in shown
    assert "anna@example.com" not in shown.replace("q=anna@example.com", "")
