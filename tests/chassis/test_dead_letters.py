"""Redrive and discard: what waited goes on in order, past the inbox, and commands get their one reply."""

from __future__ import annotations

from uuid import UUID

import pytest
from booking_contracts.booking import AbandonPayment, CancelBooking, PlaceBooking
from booking_contracts.types import Actor

from services.booking.app import SERVICE
from services.chassis import operator
from tests.chassis.harness import Engine, Sent
from tests.chassis.scenes import Scene
from tests.chassis.test_batch import failing_for


async def blocked(engine: Engine) -> tuple[Scene, UUID, Engine]:
    """A booking whose PlaceBooking failed, with a cancellation waiting behind it, and a mended replica."""
    scene = await Scene(engine).open()
    command = scene.place()
    failing = Engine(engine.session.url, engine.clock, failing_for(command.booking_id))
    failing.adopt(engine)
    cancel = CancelBooking(booking_id=command.booking_id, actor=Actor(kind="customer", id="bob"))
    await failing.tell(command)
    await failing.tell(cancel)
    await failing.close()
    return scene, command.booking_id, engine


async def letter_id(engine: Engine) -> UUID:
    (waiting,) = await operator.dead_letters(await engine.session.connection())
    found: UUID = waiting.row["id"]
    return found


def replies(sent: list[Sent]) -> list[str]:
    return [str(row.body.get("state") or row.body.get("code")) for row in sent if row.topic == "booking.replies"]


@pytest.mark.requirement("poison", "ordering", "one-reply")
async def test_redriven_messages_go_on_in_order_and_are_answered_once(engine: Engine) -> None:
    scene, booking_id, mended = await blocked(engine)
    before = len(replies(await mended.sent()))
    await operator.redrive(await mended.session.connection(), await letter_id(mended))
    abandon = AbandonPayment(booking_id=booking_id, actor=Actor(kind="customer", id="bob"))
    await mended.tell(abandon)  # arrives while the key drains: it waits its turn
    while await mended.run_local():
        pass
    assert (await scene.states())[booking_id] == "CANCELLED_BY_CUSTOMER"
    assert replies(await mended.sent())[before:] == ["PENDING_PAYMENT", "CANCELLED_BY_CUSTOMER", "ILLEGAL_TRANSITION"]
    assert not await mended.fetch("SELECT * FROM blocked_key")
    assert not await operator.dead_letters(await mended.session.connection())


@pytest.mark.requirement("poison", "one-reply")
async def test_a_discarded_command_is_answered_and_what_waited_goes_on(engine: Engine) -> None:
    _, _, mended = await blocked(engine)
    before = len(replies(await mended.sent()))
    await operator.discard(await mended.session.connection(), SERVICE, mended.clock, await letter_id(mended))
    while await mended.run_local():
        pass
    assert replies(await mended.sent())[before:] == ["DISCARDED", "BOOKING_NOT_FOUND"]
    assert not await mended.fetch("SELECT * FROM blocked_key")


@pytest.mark.requirement("poison")
async def test_a_redriven_message_that_fails_again_stays_first_in_its_queue(engine: Engine) -> None:
    scene, booking_id, mended = await blocked(engine)
    failing = Engine(mended.session.url, mended.clock, failing_for(booking_id))
    failing.adopt(mended)
    await operator.redrive(await mended.session.connection(), await letter_id(mended))
    await failing.run_local()
    assert not await failing.run_local(), "a blocked key is left alone"
    rows = await mended.fetch("SELECT type FROM local_message WHERE kind = 'record' ORDER BY arrival")
    assert [row["type"] for row in rows] == [PlaceBooking.ce_type, CancelBooking.ce_type]
    await operator.redrive(await mended.session.connection(), await letter_id(mended))
    while await mended.run_local():
        pass
    assert (await scene.states())[booking_id] == "CANCELLED_BY_CUSTOMER"
    await failing.close()


async def test_a_refused_command_has_had_its_reply_and_is_not_redriven(engine: Engine) -> None:
    record = engine.record(b"{", topic="booking.commands", key="k", kind=PlaceBooking.ce_type)
    await engine.run(record)
    with pytest.raises(operator.NotPossible):
        await operator.redrive(await engine.session.connection(), await letter_id(engine))
    await operator.discard(await engine.session.connection(), SERVICE, engine.clock, await letter_id(engine))
    assert replies(await engine.sent()) == ["INVALID_COMMAND"]
