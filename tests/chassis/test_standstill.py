"""Nothing that one message or one row does may stop the others (requirement poison)."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from booking_contracts.booking import PlaceBooking
from booking_contracts.envelope import uuid7
from booking_contracts.testkit.waiting import eventually

from services.booking.app import SERVICE
from services.booking.work import BookingWork
from services.chassis import dead_letter_selection, operator
from services.chassis.dead_letter_selection import Wanted
from services.chassis.messages import Accepted, Message
from tests.chassis.harness import Engine, with_handler
from tests.chassis.scenes import Scene
from tests.chassis.test_batch import failing_for
from tests.chassis.test_dead_letters import blocked, letter_id


async def plant(engine: Engine, kind: str, body: bytes, key: str = "k") -> UUID:
    """A timer as another build might have written it, due now."""
    row = uuid7()
    await engine.fetch(
        """
        INSERT INTO local_message (id, kind, type, key, due_at, headers, body)
        VALUES ($1, 'timer', $2, $3, $4, $5, $6)
        """,
        row,
        kind,
        key,
        engine.clock.now() - timedelta(seconds=1),
        json.dumps([("ce_id", str(row)), ("ce_correlationid", "c")]),
        body,
    )
    return row


async def timers_left(engine: Engine) -> list[str]:
    due = "SELECT type FROM local_message WHERE due_at <= $1"
    return [row["type"] for row in await engine.fetch(due, engine.clock.now())]


@pytest.mark.requirement("poison")
async def test_a_timer_of_a_newer_build_waits_for_it_and_stops_nobody(engine: Engine) -> None:
    scene = await Scene(engine).open()
    command = scene.place()
    await engine.tell(command)
    await plant(engine, "local.InventedTomorrow", b"{}")
    engine.clock.advance(minutes=16)
    await engine.run_local()
    assert (await scene.states())[command.booking_id] == "EXPIRED"
    assert await timers_left(engine) == ["local.InventedTomorrow"]


@pytest.mark.requirement("poison")
async def test_a_timer_that_cannot_be_read_is_set_aside_alone(engine: Engine) -> None:
    scene = await Scene(engine).open()
    command = scene.place()
    await engine.tell(command)
    await plant(engine, "local.DeadlineReached", b'{"booking_id": 7}')
    engine.clock.advance(minutes=16)
    await engine.run_local()
    assert (await scene.states())[command.booking_id] == "EXPIRED"
    assert await timers_left(engine) == []
    (letter,) = await dead_letter_selection.listed(await engine.session.connection(), Wanted(), most=2)
    assert (letter["type"], letter["kind"]) == ("local.DeadlineReached", "failed")


@pytest.mark.requirement("poison", "one-reply", "inbox")
async def test_a_command_sent_again_behind_its_own_failure_is_handled_once_and_leaves_no_row(engine: Engine) -> None:
    scene = await Scene(engine).open()
    command, message_id = scene.place(), uuid4()
    failing = Engine(engine.session.url, engine.clock, failing_for(command.booking_id))
    failing.adopt(engine)
    for _ in range(3):
        await failing.run(failing.record(command, message_id=message_id))
    await failing.close()
    await operator.redrive(await engine.session.connection(), await letter_id(engine))
    for _ in range(4):
        await engine.run_local()
    replies = [sent for sent in await engine.sent() if sent.body.get("command_id") == str(message_id)]
    assert [reply.body["state"] for reply in replies] == ["PENDING_PAYMENT"]
    assert await engine.fetch("SELECT id FROM local_message WHERE kind = 'record'") == []
    assert await engine.fetch("SELECT key FROM blocked_key") == []


@pytest.mark.requirement("poison")
async def test_a_value_that_fits_no_column_is_set_aside_and_not_tried_for_ever(engine: Engine) -> None:
    scene = await Scene(engine).open(slots=2)
    bad, good = scene.place("a", 0), scene.place("b", 1)

    def place(message: Message[PlaceBooking], work: BookingWork) -> Accepted:
        accepted: Accepted = PLACE(message, work)
        if message.body.booking_id == bad.booking_id:
            booking = work.booking(bad.booking_id)
            work.note(booking, message.body.actor, reason=object())  # type: ignore[arg-type]
        return accepted

    failing = Engine(engine.session.url, engine.clock, with_handler(SERVICE, PlaceBooking.ce_type, place))
    failing.adopt(engine)
    await failing.run(failing.record(bad), failing.record(good))
    await failing.close()
    assert set(await scene.states()) == {good.booking_id}


PLACE: Any = SERVICE.by_type[PlaceBooking.ce_type].decide


@pytest.mark.requirement("poison", "outbox")
async def test_an_error_in_any_script_can_be_published(engine: Engine) -> None:
    scene = await Scene(engine).open()
    command = scene.place()

    def place(message: Message[PlaceBooking], work: BookingWork) -> Accepted:
        raise AssertionError("CONFIRMED → PENDING_PAYMENT: 受理できません")

    failing = Engine(engine.session.url, engine.clock, with_handler(SERVICE, PlaceBooking.ce_type, place))
    failing.adopt(engine)
    await failing.tell(command)
    await failing.close()
    for row in await engine.fetch("SELECT headers FROM outbox"):
        found = {name: value.encode("latin-1").decode() for name, value in json.loads(row["headers"])}
    assert "CONFIRMED → PENDING_PAYMENT: 受理できません" in found["dead_letter_error"]


@pytest.mark.requirement("poison", "pessimistic-locking")
async def test_an_operator_and_a_batch_lock_a_draining_key_in_the_same_order(engine: Engine) -> None:
    _, _, mended = await blocked(engine)
    await operator.redrive(await mended.session.connection(), await letter_id(mended))
    other = await asyncpg.connect(mended.session.url)
    async with other.transaction():
        await other.execute("SELECT key FROM blocked_key FOR UPDATE")
        batch = asyncio.create_task(mended.run_local())
        await waits_for_a_lock(other)
        await other.execute("UPDATE local_message SET due_at = due_at WHERE kind = 'record'")
    await batch
    await other.close()
    assert await mended.fetch("SELECT key FROM blocked_key") == []


async def waits_for_a_lock(connection: Any) -> None:
    """Until the batch's session stands at somebody's lock."""
    query = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'test' AND wait_event_type = 'Lock')"

    async def look() -> bool:
        found: bool = await connection.fetchval(query)
        return found

    await eventually("a lock is waited for", look)
