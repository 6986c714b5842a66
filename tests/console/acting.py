"""What tests of acts have: the operators' own database, somebody of each role, an act sent as a browser sends it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import urlencode

import asyncpg
import pytest

from tests.console.conftest import Visit, Visitor, named

WHY = "as the runbook says"
Operations = asyncpg.Connection


@pytest.fixture
async def operations(databases: dict[str, str]) -> AsyncIterator[Operations[asyncpg.Record]]:
    """As its role; jobs of tests before are gone."""
    connection = await asyncpg.connect(databases["OPERATIONS_DATABASE_URL"])
    await connection.execute("DELETE FROM job")
    yield connection
    await connection.close()


@pytest.fixture
async def otto(visit: Visit, databases: dict[str, str]) -> Visitor:
    """An operator."""
    return await visit("otto", databases=named(databases))


@pytest.fixture
async def mona(visit: Visit, databases: dict[str, str]) -> Visitor:
    """Who may move money, and sees nobody's data."""
    return await visit("mona", databases=named(databases))


def dialog(act: str, **of: object) -> str:
    """The address of an act's dialog."""
    return f"/acts/{act}?{urlencode({name: str(value) for name, value in of.items()})}"


async def do(who: Visitor, act: str, *, status: int = 200, asked: dict[str, str] | None = None, **of: object) -> str:
    """Ask and do; the page's text. `asked`: what the dialog asks for."""
    return await who.sent(dialog(act, **of), f"/acts/{act}", status, reason=WHY, **(asked or {}))


async def refused(who: Visitor, act: str, **of: object) -> None:
    """Neither asked nor done, by the server."""
    assert "has not the" in await who.shown(dialog(act, **of), status=403)
    answer = await who.post(f"/acts/{act}", {**{name: str(value) for name, value in of.items()}, "reason": WHY})
    assert (answer.status, "has not the" in await answer.text()) == (403, True)


def told_by(page: str, *words: str) -> bool:
    """Whether one row of the page has all of them: who, what, why."""
    rows = re.findall(r"<tr>.*?</tr>", page, re.DOTALL)
    return any(all(word in row for word in words) for row in rows)


async def kept(operations: Operations[asyncpg.Record], subject: object) -> Sequence[tuple[Any, ...]]:
    """(operator, act, service, reason, outcome) of what was done about it, the oldest first."""
    rows = await operations.fetch(
        "SELECT operator, act, service, reason, outcome FROM operator_log WHERE subject = $1 ORDER BY entry_id",
        str(subject),
    )
    return [tuple(row) for row in rows]
