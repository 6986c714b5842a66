"""Each act: asked with a reason, said before, kept in the operators' log, refused without losing the page."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.operations.console import rendering
from services.operations.console.acts import sagas
from services.operations.console.acts.framework import Doing
from services.operations.console.app import routes
from services.operations.console.databases import Databases
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene
from tests.console.conftest import Visit, Visitor, hidden, named
from tests.operations.conftest import engine

__all__ = ["engine"]
pytestmark = pytest.mark.requirement("console")
HTMX = {"HX-Request": "true"}


@pytest.fixture
async def operations(databases: dict[str, str]) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """The operators' own database, as its role."""
    connection = await asyncpg.connect(databases["OPERATIONS_DATABASE_URL"])
    yield connection
    await connection.close()


@pytest.fixture
async def otto(visit: Visit, databases: dict[str, str]) -> Visitor:
    return await visit("otto", databases=named(databases))


async def waiting(engine: Engine) -> UUID:
    """A booking whose saga waits for payments."""
    command = (await Scene(engine).open()).place()
    await engine.tell(command)
    await engine.fetch("UPDATE booking SET deadline = deadline + interval '1 hour'")
    return command.booking_id


async def test_an_act_says_what_it_will_do_and_the_log_has_it_before_and_after(
    otto: Visitor, engine: Engine, operations: asyncpg.Connection[asyncpg.Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    booking_id = await waiting(engine)
    dialog = f"/acts/saga-retry?booking_id={booking_id}&back=/sagas"
    assert "is asked again for step authorize" in await otto.shown(dialog)
    of_booking = "SELECT operator, act, service, subject, reason, outcome FROM operator_log WHERE booking_id = $1"
    before, done = [], sagas.SagaRetry.do

    async def looked_at(act: sagas.SagaRetry, doing: Doing) -> str:
        before.extend(await operations.fetch(of_booking, booking_id))
        return await done(act, doing)

    monkeypatch.setattr(sagas.SagaRetry, "do", looked_at)
    said = await otto.sent(dialog, "/acts/saga-retry", reason=" no answer since noon ")
    assert "authorize is asked again" in said
    assert 'href="/sagas"' in said
    expected = ("otto", "saga-retry", "booking", str(booking_id), "no answer since noon")
    (row,) = before
    assert (tuple(row)[:5], row["outcome"]) == (expected, None)
    (row,) = await operations.fetch(of_booking, booking_id)
    assert (tuple(row)[:5], row["outcome"]) == (expected, "authorize is asked again")
    sent = [row for row in await engine.sent() if row.topic == "payments.commands" and row.key == str(booking_id)]
    assert len(sent) == 2


async def test_without_a_reason_nothing_is_done(
    otto: Visitor, engine: Engine, operations: asyncpg.Connection[asyncpg.Record]
) -> None:
    booking_id = await waiting(engine)
    dialog = f"/acts/saga-retry?booking_id={booking_id}"
    for reason in ("", "  x ", "x" * 501):
        assert "Say why" in await otto.sent(dialog, "/acts/saga-retry", 422, reason=reason)
    assert "booking_id" in await otto.sent(dialog, "/acts/saga-retry", 422, reason="because", booking_id="none")
    assert await operations.fetch("SELECT FROM operator_log WHERE booking_id = $1", booking_id) == []


async def test_a_conflict_is_a_message_and_the_page_stays(
    otto: Visitor, engine: Engine, operations: asyncpg.Connection[asyncpg.Record]
) -> None:
    booking_id = await waiting(engine)
    dialog = f"/acts/saga-retry?booking_id={booking_id}"
    form = {"reason": "because", **hidden(await otto.shown(dialog))}
    batch = await asyncpg.connect(engine.session.url)
    async with batch.transaction():
        await batch.execute("SELECT FROM booking FOR UPDATE")
        answer = await otto.post("/acts/saga-retry", form, headers=HTMX)
    await batch.close()
    text = await answer.text()
    assert (answer.status, "a batch holds these rows" in text, "<html" in text) == (409, True, False)
    assert "HX-Trigger" not in answer.headers
    await engine.fetch("UPDATE saga SET status = 'done'")
    answer = await otto.post("/acts/saga-retry", form, headers=HTMX)
    assert (answer.status, "is done" in await answer.text()) == (409, True)
    kept = await operations.fetch("SELECT outcome FROM operator_log WHERE booking_id = $1", booking_id)
    outcomes = [row["outcome"] for row in kept]
    assert all(one.startswith("not done: ") for one in outcomes)
    assert len(outcomes) == 2
    await engine.fetch("UPDATE saga SET status = 'waiting'")
    answer = await otto.post("/acts/saga-retry", form, headers=HTMX)
    assert (answer.status, answer.headers["HX-Trigger"]) == (200, "acted")


async def test_nothing_else_is_done_than_what_was_confirmed(
    otto: Visitor, engine: Engine, operations: asyncpg.Connection[asyncpg.Record]
) -> None:
    booking_id = await waiting(engine)
    await engine.fetch("UPDATE saga SET status = 'stuck'")
    form = {"reason": "settled by hand", **hidden(await otto.shown(f"/acts/saga-resolve?booking_id={booking_id}"))}
    await engine.fetch("UPDATE saga SET step = 'capture'")
    answer = await otto.post("/acts/saga-resolve", form, headers=HTMX)
    text = await answer.text()
    assert (answer.status, "HX-Trigger" in answer.headers) == (409, False), text
    assert "it would do something else than what was confirmed" in text
    assert "Before:</strong> Step authorize, attempt 1" in text
    assert "Now:</strong> Step capture, attempt 1" in text
    assert ">settled by hand</textarea>" in text
    unsaid = {name: value for name, value in form.items() if name != "said"}
    assert (await otto.post("/acts/saga-resolve", unsaid, headers=HTMX)).status == 409
    assert [row["status"] for row in await engine.fetch("SELECT status FROM saga")] == ["stuck"]
    kept = await operations.fetch("SELECT outcome FROM operator_log WHERE booking_id = $1", booking_id)
    assert [row["outcome"].partition(":")[0] for row in kept] == ["not done"] * 2
    answer = await otto.post("/acts/saga-resolve", {**hidden(text), "reason": "settled by hand"}, headers=HTMX)
    assert (answer.status, "capture is resolved" in await answer.text()) == (200, True)


async def test_what_moves_between_looking_and_the_lock_is_not_done(
    otto: Visitor, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking_id = await waiting(engine)
    await engine.fetch("UPDATE saga SET status = 'stuck'")
    form = {"reason": "settled by hand", **hidden(await otto.shown(f"/acts/saga-resolve?booking_id={booking_id}"))}
    done = sagas.SagaResolve.do

    async def moved(act: sagas.SagaResolve, doing: Doing) -> str:
        await engine.fetch("UPDATE saga SET step = 'capture'")
        return await done(act, doing)

    monkeypatch.setattr(sagas.SagaResolve, "do", moved)
    answer = await otto.post("/acts/saga-resolve", form, headers=HTMX)
    assert (answer.status, "Step capture, attempt 1" in await answer.text()) == (409, True)
    assert [row["status"] for row in await engine.fetch("SELECT status FROM saga")] == ["stuck"]


async def moved_while_asked(admin: asyncpg.Connection[asyncpg.Record], booking_id: UUID, has_it: asyncio.Event) -> None:
    """Another has the booking's slot, and lets it go when somebody waits for it: the booking is in another slot then,
    and its saga at another attempt."""
    to = await admin.fetchval("SELECT slot_id FROM slot WHERE slot_id NOT IN (SELECT slot_id FROM booking)")
    async with admin.transaction():
        await admin.execute("SET LOCAL session_replication_role = replica")
        await admin.execute("SELECT FROM slot FOR UPDATE")
        await admin.execute("UPDATE booking SET slot_id = $2 WHERE booking_id = $1", booking_id, to)
        await admin.execute("UPDATE saga SET attempt = attempt + 1 WHERE booking_id = $1", booking_id)
        has_it.set()
        while not await admin.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            pass


async def test_what_has_changed_meanwhile_is_shown_and_what_was_typed_is_kept(
    otto: Visitor, engine: Engine, operations: asyncpg.Connection[asyncpg.Record], databases: dict[str, str]
) -> None:
    scene = await Scene(engine).open(slots=2)
    command = scene.place()
    await engine.tell(command, scene.place("eve", slot=1))
    await engine.fetch("UPDATE booking SET deadline = deadline + interval '1 hour'")
    admin = await asyncpg.connect(databases["POSTGRES_ADMIN_URL"].rsplit("/", 1)[0] + "/booking")
    await admin.execute("SET session_replication_role = replica; DELETE FROM booking WHERE customer_id = 'eve'")
    dialog = f"/acts/saga-retry?booking_id={command.booking_id}&back=/sagas"
    form = {**hidden(await otto.shown(dialog)), "reason": "no answer since noon"}
    meanwhile = asyncio.create_task(moved_while_asked(admin, command.booking_id, has_it := asyncio.Event()))
    await has_it.wait()
    answer = await otto.post("/acts/saga-retry", form, headers=HTMX)
    text = await answer.text()
    await meanwhile
    await admin.close()
    assert (answer.status, "HX-Trigger" in answer.headers) == (409, False), text
    assert "has changed meanwhile, a booking moved to another slot" in text
    assert re.search("Before:</strong> Payments is asked again for step authorize, attempt 1", text)
    assert re.search("Now:</strong> Payments is asked again for step authorize, attempt 2", text)
    assert ">no answer since noon</textarea>" in text
    kept = await operations.fetch("SELECT outcome FROM operator_log WHERE booking_id = $1", command.booking_id)
    assert [row["outcome"].partition(":")[0] for row in kept] == ["not done"]
    form = {**hidden(text), "reason": "no answer since noon"}
    answer = await otto.post("/acts/saga-retry", form, headers=HTMX)
    assert (answer.status, "authorize is asked again" in await answer.text()) == (200, True)


async def test_what_cannot_be_done_any_more_is_not_asked_and_what_was_typed_is_kept(
    otto: Visitor, engine: Engine
) -> None:
    booking_id = await waiting(engine)
    await engine.fetch("UPDATE saga SET status = 'stuck'")
    form = {"reason": "settled by hand", **hidden(await otto.shown(f"/acts/saga-resolve?booking_id={booking_id}"))}
    await engine.fetch("UPDATE saga SET status = 'done'")
    answer = await otto.post("/acts/saga-resolve", form, headers=HTMX)
    text = await answer.text()
    assert (answer.status, "is done, not stuck" in text, "<textarea" in text) == (409, True, False)
    assert "You wrote: settled by hand" in text


async def test_what_is_not_there_cannot_be_asked(otto: Visitor) -> None:
    page = await otto.shown(f"/acts/saga-retry?booking_id={uuid4()}", status=409)
    assert "has no saga" in page
    assert "<textarea" not in page


async def test_nothing_is_done_that_cannot_be_kept(visit: Visit, databases: dict[str, str], engine: Engine) -> None:
    of_booking = named({**databases, "OPERATIONS_DATABASE_URL": "postgresql://nobody:x@127.0.0.1:1/operations"})
    otto = await visit("otto", databases=of_booking)
    booking_id = await waiting(engine)
    said = await otto.sent(f"/acts/saga-retry?booking_id={booking_id}", "/acts/saga-retry", 503, reason="because")
    assert "The database of operations does not answer" in said
    sent = [row for row in await engine.sent() if row.topic == "payments.commands" and row.key == str(booking_id)]
    assert len(sent) == 1


async def test_what_is_read_changes_nothing_whatever_it_says(databases: dict[str, str]) -> None:
    of_stack: Databases = named(databases)
    async with of_stack.opened():
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            async with of_stack.reading("booking") as connection:
                await connection.execute("DELETE FROM saga")


def test_every_act_can_be_reached_from_a_page() -> None:
    folder = Path(rendering.__file__).parent / "templates"
    pages = "".join(page.read_text() for page in folder.rglob("*.html"))
    names = {route.path.removeprefix("/acts/") for route in routes() if route.path.startswith("/acts/")}
    assert [name for name in sorted(names) if f'act("{name}"' not in pages] == []


async def test_a_character_that_nothing_keeps_is_left_out(
    otto: Visitor, engine: Engine, operations: asyncpg.Connection[asyncpg.Record]
) -> None:
    """NUL, in what is looked for, in what an act is asked with, and in why."""
    await otto.shown("/letters?error=no%00thing&type=%00")
    booking_id = await waiting(engine)
    form = {**hidden(await otto.shown(f"/acts/saga-retry?booking_id={booking_id}%00")), "reason": "why\0 not"}
    answer = await otto.post("/acts/saga-retry", form)
    assert answer.status == 200, await answer.text()
    kept = "SELECT reason FROM operator_log WHERE booking_id = $1"
    assert await operations.fetchval(kept, booking_id) == "why not"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/letters?before=0001-01-01T00:00:00%2B14:00", 400),
        (f"/letters?after=0001-01-01T00:00:00%2B14:00/{UUID(int=7)}", 400),
        (f"/letters?after=/{UUID(int=7)}", 400),
        ("/acts/letters-redrive?service=booking&before=0001-01-01T00:00:00%2B14:00", 400),
        (f"/acts/webhooks-redeliver?subscription_id={UUID(int=7)}&since=9999-12-31T23:59:59-14:00", 409),
        ("/acts/session-end?service=booking&since=0001-01-01T00:00:00%2B14:00&pid=7", 400),
        ("/acts/session-end?service=booking&since=2031-01-01T00:00:00Z&pid=2147483648", 400),
        ("/acts/session-end?service=booking&since=2031-01-01T00:00:00Z&pid=-1", 400),
    ],
)
async def test_what_no_column_can_hold_is_refused_in_words(otto: Visitor, path: str, status: int) -> None:
    assert "A fault of ours" not in await otto.shown(path, status=status)
