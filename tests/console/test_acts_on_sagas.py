"""A saga that waits is asked again, a stuck one closed: who did it and why stand in the saga's own log, too."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import pytest

from tests.chassis.harness import Engine
from tests.console.acting import WHY, Operations, dialog, do, kept, operations, otto, refused
from tests.console.conftest import Visit, Visitor, hidden, named
from tests.console.test_acts import waiting
from tests.operations.conftest import engine

__all__ = ["engine", "operations", "otto"]
pytestmark = pytest.mark.requirement("console", "saga")


async def stuck(engine: Engine) -> UUID:
    booking_id = await waiting(engine)
    await engine.fetch("UPDATE saga SET status = 'stuck', problem = 'capture had no answer'")
    return booking_id


async def log_of(engine: Engine, booking_id: UUID) -> list[str]:
    rows = await engine.fetch("SELECT what FROM saga_log WHERE booking_id = $1 ORDER BY line", booking_id)
    return [row["what"] for row in rows]


async def test_who_asked_again_and_why_stand_in_its_log(otto: Visitor, engine: Engine) -> None:
    booking_id = await waiting(engine)
    await do(otto, "saga-retry", booking_id=booking_id)
    assert await log_of(engine, booking_id) == ["asked", f"retried by otto: {WHY}", "asked"]


async def test_a_stuck_step_is_closed_by_hand(
    otto: Visitor, engine: Engine, operations: Operations[asyncpg.Record]
) -> None:
    booking_id = await stuck(engine)
    assert "no money moves by this" in await otto.shown(dialog("saga-resolve", booking_id=booking_id))
    assert "authorize is resolved" in await do(otto, "saga-resolve", booking_id=booking_id)
    assert (await log_of(engine, booking_id))[-1] == f"resolved by hand by otto: {WHY}"
    assert await engine.fetch("SELECT FROM saga WHERE status = 'done' AND booking_id = $1", booking_id)
    assert await kept(operations, booking_id) == [("otto", "saga-resolve", "booking", WHY, "authorize is resolved")]
    assert "is done, not stuck" in await otto.shown(dialog("saga-resolve", booking_id=booking_id), status=409)


async def test_what_changed_meanwhile_is_said(otto: Visitor, engine: Engine) -> None:
    booking_id = await stuck(engine)
    page = dialog("saga-resolve", booking_id=booking_id)
    await otto.shown(page)
    before = await log_of(engine, booking_id)

    form = hidden(await otto.shown(page))
    await engine.fetch("UPDATE saga SET status = 'waiting', problem = NULL")
    answer = await otto.post("/acts/saga-resolve", {**form, "reason": WHY}, headers={"HX-Request": "true"})
    assert (answer.status, "is waiting, not stuck" in await answer.text()) == (409, True)
    assert await log_of(engine, booking_id) == before


async def test_a_viewer_may_not_and_a_read_only_console_does_nothing(
    visit: Visit, databases: dict[str, str], engine: Engine
) -> None:
    booking_id = await stuck(engine)
    vera = await visit("vera", databases=named(databases))
    for act in ("saga-retry", "saga-resolve"):
        await refused(vera, act, booking_id=booking_id)
    shut = await visit("otto", databases=named(databases), console_read_only=True)
    assert "read-only" in await shut.shown(dialog("saga-resolve", booking_id=booking_id), status=403)
    answer = await shut.post("/acts/saga-resolve", {"booking_id": str(booking_id), "reason": WHY})
    assert (answer.status, "read-only" in await answer.text()) == (403, True)
    assert await log_of(engine, booking_id) == ["asked"]


async def test_the_page_has_the_stuck_first_and_leads_to_what_may_be_done(
    otto: Visitor, visit: Visit, databases: dict[str, str], engine: Engine
) -> None:
    later = await waiting(engine)
    first = await waiting(engine)
    await engine.fetch("UPDATE saga SET status = 'stuck', problem = 'had no answer' WHERE booking_id = $1", first)
    page = await otto.shown("/sagas")
    assert page.index(str(first)) < page.index(str(later))
    assert "had no answer" in page
    assert "/acts/saga-resolve?" in page
    assert str(later) not in await otto.shown("/sagas?status=stuck")
    assert str(first) not in await otto.shown("/sagas?step=settle")
    assert "status is one of" in await otto.shown("/sagas?status=lost", status=400)
    vera = await visit("vera", databases=named(databases))
    assert "/acts/" not in await vera.shown("/sagas")
