"""A session that keeps others waiting is ended from the page of its database, by an operator, with a reason."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import asyncpg
import pytest

from tests.console.acting import WHY, Operations, dialog, do, kept, operations, otto, refused
from tests.console.conftest import Visit, Visitor, named
from tests.operations.test_sessions import held

__all__ = ["operations", "otto"]
pytestmark = pytest.mark.requirement("console", "operations-cli")


def asked(page: str) -> dict[str, Any]:
    """What the page's link to the dialog has in it."""
    (address,) = set(re.findall(r'href="/acts/session-end\?([^"]*)"', page))
    pairs = (one.partition("=") for one in unescape(address).replace("%3A", ":").replace("%2B", "+").split("&"))
    return {name: value for name, _, value in pairs if name != "back"}


async def test_it_is_ended_and_who_did_it_and_why_is_kept(
    otto: Visitor, databases: dict[str, str], operations: Operations[asyncpg.Record]
) -> None:
    url = databases["BOOKING_DATABASE_URL"]
    async with held(url, url) as holder:
        pid = holder.get_server_pid()
        of = asked(await otto.shown("/database?service=booking"))
        assert of["pid"] == str(pid)
        says = await otto.shown(dialog("session-end", **of))
        assert f"Session {pid}" in says
        assert "is rolled back, and what waits goes on" in says
        assert f"session {pid} is ended" in await do(otto, "session-end", **of)
    (row,) = (one for one in await kept(operations, f"session {pid} of booking"))
    assert row == ("otto", "session-end", "booking", WHY, f"session {pid} is ended")
    assert f"session {pid} is over" in await otto.shown(dialog("session-end", **of), status=409)


async def test_a_number_that_was_given_again_is_another_session(otto: Visitor, databases: dict[str, str]) -> None:
    url = databases["BOOKING_DATABASE_URL"]
    async with held(url, url) as holder:
        of = {**asked(await otto.shown("/database?service=booking")), "since": "2020-01-01T00:00:00+00:00"}
        assert "is over" in await otto.shown(dialog("session-end", **of), status=409)
        assert await holder.fetchval("SELECT 1") == 1


async def test_who_keeps_nobody_waiting_is_not_asked_about(otto: Visitor, databases: dict[str, str]) -> None:
    url = databases["BOOKING_DATABASE_URL"]
    async with held(url, url, waits=False) as holder:
        since = await holder.fetchval("SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()")
        of = {"service": "booking", "pid": holder.get_server_pid(), "since": since}
        assert "keeps nobody waiting" in await otto.shown(dialog("session-end", **of), status=409)
        assert "/acts/session-end" not in await otto.shown("/database?service=booking")


async def test_of_another_role_none_is_offered(otto: Visitor, databases: dict[str, str]) -> None:
    async with held(databases["BOOKING_DATABASE_URL"], databases["BOOKING_MIGRATION_URL"]) as holder:
        page = await otto.shown("/database?service=booking")
        assert f'id="session-{holder.get_server_pid()}"' in page
        assert "/acts/session-end" not in page


async def test_a_viewer_may_not(visit: Visit, databases: dict[str, str]) -> None:
    vera = await visit("vera", databases=named(databases))
    url = databases["BOOKING_DATABASE_URL"]
    async with held(url, url) as holder:
        assert "/acts/" not in await vera.shown("/database?service=booking")
        pid, since = holder.get_server_pid(), "2031-05-01T00:00:00+00:00"
        await refused(vera, "session-end", service="booking", pid=pid, since=since)
        assert await holder.fetchval("SELECT 1") == 1
