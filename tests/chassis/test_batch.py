"""One batch, one transaction: once per id, in order, the same result whatever the batch's size."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from booking_contracts.booking import CancelBooking, PlaceBooking
from booking_contracts.envelope import uuid7
from booking_contracts.types import Actor

from services.booking.app import SERVICE
from services.booking.handlers.placing import place_booking
from services.booking.work import BookingWork
from services.chassis.batch import BatchRunner
from services.chassis.clock import instant, made_at
from services.chassis.messages import Accepted, Message, Raw
from services.chassis.offsets import Fenced, Partition
from services.chassis.service import Service
from tests.chassis.harness import Engine, with_handler
from tests.chassis.scenes import Scene


def cancel(booking_id: UUID, customer: str) -> CancelBooking:
    return CancelBooking(booking_id=booking_id, actor=Actor(kind="customer", id=customer))


async def fold(engine: Engine, size: int) -> list[tuple[str, int, int | None, str]]:
    """Commands on two slots of two seats, in batches of `size`; what was sent, by number instead of by id."""
    scene = await Scene(engine).open(slots=2, capacity=2)
    before = len(await engine.sent())
    ids = [uuid4() for _ in range(20)]
    commands: list[PlaceBooking | CancelBooking] = []
    for number, booking_id in enumerate(ids):
        commands.append(scene.place(f"c{number % 5}", slot=number % 2, booking_id=booking_id))
        if number % 3 == 0:
            commands.append(cancel(booking_id, f"c{number % 5}"))
    await engine.run(*(engine.record(command) for command in commands), size=size)
    number_of = {str(booking_id): number for number, booking_id in enumerate(ids)}
    slots = await engine.fetch("SELECT taken FROM slot WHERE offering_id = $1 ORDER BY starts_at", scene.offering_id)
    sent = [
        (sent.type, number_of[sent.key], sent.sequence, str(sent.body.get("state") or sent.body.get("code")))
        for sent in (await engine.sent())[before:]
    ]
    return [*sent, ("seats", slots[0]["taken"], slots[1]["taken"], "")]


@pytest.mark.requirement("transaction-atomicity", "ordering")
async def test_the_same_messages_give_the_same_result_in_batches_of_any_size(engine: Engine) -> None:
    alone = await fold(engine, 1)
    assert any(kind == "booking.CommandRejected.v1" for kind, *_ in alone)
    assert await fold(engine, 7) == alone
    assert await fold(engine, 500) == alone


@pytest.mark.requirement("one-reply", "inbox")
async def test_a_command_sent_again_publishes_nothing_new(engine: Engine) -> None:
    scene = await Scene(engine).open()
    command, message_id = scene.place(), uuid4()
    twice = [engine.record(command, message_id=message_id) for _ in range(2)]
    await engine.run(*twice)
    count = len(await engine.sent())
    await engine.run(engine.record(command, message_id=message_id))
    await engine.run(engine.record(scene.place("eve"), message_id=message_id))
    assert len(await engine.sent()) == count
    replies = [sent for sent in await engine.sent() if sent.body.get("command_id") == str(message_id)]
    assert len(replies) == 1


@pytest.mark.requirement("inbox")
async def test_an_event_that_comes_twice_acts_once(engine: Engine) -> None:
    scene = await Scene(engine).open()
    command = scene.place()
    await engine.tell(command)
    event, event_id = await scene.authorized(command.booking_id), uuid4()
    await engine.run(engine.record(event, message_id=event_id), engine.record(event, message_id=event_id))
    await engine.run(engine.record(event, message_id=event_id))
    assert len([sent for sent in await engine.sent() if sent.type == "booking.BookingConfirmed.v1"]) == 1


@pytest.mark.requirement("ordering")
async def test_a_replica_that_lost_its_partition_is_fenced_off(engine: Engine) -> None:
    scene = await Scene(engine).open()
    stale = engine.record(scene.place())
    await engine.run(stale)
    count = len(await engine.sent())
    again = Raw(
        stale.topic, stale.partition, stale.offset, stale.key, [("ce_id", str(uuid4())), *stale.headers[1:]], b""
    )
    with pytest.raises(Fenced):
        await engine.run(again)
    assert len(await engine.sent()) == count


@pytest.mark.requirement("inbox", "ordering")
@pytest.mark.parametrize("gone", [False, True])
async def test_a_position_that_went_back_under_a_replica_fences_it_off(engine: Engine, gone: bool) -> None:
    """A standby that lacks the end has taken over, or all that there was: what lies between is read again, not passed
    over."""
    scene = await Scene(engine).open()
    first, forgotten, third = (engine.record(scene.place(who)) for who in ("ada", "bob", "lin"))
    stood: dict[Partition, int] = {}
    engine.runner = BatchRunner(engine.service, engine.session, engine.clock, stood=stood)
    for raw in (first, forgotten):
        await engine.runner.run([raw])
        stood[raw.topic, raw.partition] = raw.offset + 1
    await engine.fetch("UPDATE consumed_position SET next_offset = $1 WHERE topic = $2", forgotten.offset, third.topic)
    if gone:
        await engine.fetch("DELETE FROM consumed_position")
    with pytest.raises(Fenced):
        await engine.runner.run([third])
    stood.clear()
    if not gone:
        stood[third.topic, third.partition] = forgotten.offset
    await engine.runner.run([forgotten, third])


@pytest.mark.requirement("poison")
async def test_a_poison_message_in_the_middle_of_a_batch_stops_nobody_else(engine: Engine) -> None:
    scene = await Scene(engine).open(slots=3)
    good, bad, last = scene.place("a", 0), scene.place("b", 1), scene.place("c", 2)
    failing = Engine(engine.session.url, engine.clock, failing_for(bad.booking_id))
    failing.adopt(engine)
    later = failing.record(cancel(bad.booking_id, "b"))
    await failing.run(*(failing.record(command) for command in (good, bad, last)), later)
    assert set(await scene.states()) == {good.booking_id, last.booking_id}
    (letter,) = await engine.fetch("SELECT * FROM dead_letter")
    assert letter["kind"] == "failed"
    assert "planted" in letter["error"]
    waiting = await engine.fetch("SELECT type FROM local_message WHERE kind = 'record' ORDER BY arrival")
    assert [row["type"] for row in waiting] == ["booking.PlaceBooking.v1", "booking.CancelBooking.v1"]
    await failing.close()


@pytest.mark.requirement("bad-input")
async def test_refused_input_is_set_aside_and_answered_and_blocks_nothing(engine: Engine) -> None:
    scene = await Scene(engine).open()
    command, message_id = scene.place(), uuid4()
    broken = engine.record(b"{", topic="booking.commands", key=command.key, kind=command.ce_type, message_id=message_id)
    await engine.run(broken, engine.record(command))
    (reply,) = [sent for sent in await engine.sent() if sent.body.get("command_id") == str(message_id)]
    assert (reply.type, reply.body["code"], reply.body["details"]["field"]) == (
        "booking.CommandRejected.v1",
        "INVALID_COMMAND",
        "body",
    )
    assert await scene.states() == {command.booking_id: "PENDING_PAYMENT"}
    assert [sent for sent in await engine.sent() if sent.topic == "booking.dead-letters"]
    assert not await engine.fetch("SELECT * FROM blocked_key")


@pytest.mark.requirement("bad-input", "one-reply")
async def test_a_refusal_says_in_sentences_all_that_is_wrong(engine: Engine) -> None:
    scene = await Scene(engine).open()
    command, message_id = scene.place(), uuid4()
    body = json.loads(command.model_dump_json(exclude_none=True))
    wrong = json.dumps({**body, "seats": 0, "customer": {**body["customer"], "email": "nobody"}}).encode()
    await engine.run(
        engine.record(
            wrong, topic="booking.commands", key=command.key, kind="booking.PlaceBooking.v1", message_id=message_id
        )
    )
    (reply,) = [sent for sent in await engine.sent() if sent.body.get("command_id") == str(message_id)]
    seats, email = "must be at least 1", "must be an e-mail address, e.g. ada@example.com"
    assert reply.body["message"] == (
        f"seats {seats}. Correct it and 1 more (details.errors) and send the command with a new id."
    )
    assert reply.body["details"] == {
        "field": "seats",
        "problem": seats,
        "errors": [
            {"field": "seats", "problem": seats, "message": f"seats {seats}."},
            {"field": "customer.email", "problem": email, "message": f"customer.email {email}."},
        ],
    }


def failing_for(booking_id: UUID) -> Service:
    """Booking with a handler that has a bug for one booking."""

    def place(message: Message[PlaceBooking], work: BookingWork) -> Accepted:
        accepted = place_booking(message, work)
        if message.body.booking_id == booking_id:
            raise RuntimeError("planted")
        return accepted

    return with_handler(SERVICE, PlaceBooking.ce_type, place)


@pytest.mark.requirement("time-slot-lock", "deadline-enforcement")
async def test_a_hold_expires_by_its_timer_and_a_stale_timer_does_nothing(engine: Engine) -> None:
    scene = await Scene(engine).open(slots=2)
    paid, unpaid = await scene.confirmed("a", 0), scene.place("b", 1)
    await engine.tell(unpaid)
    engine.clock.advance(minutes=16)
    assert await engine.run_local() > 0
    states = await scene.states()
    assert (states[paid], states[unpaid.booking_id]) == ("CONFIRMED", "EXPIRED")
    slots = await engine.fetch("SELECT taken FROM slot ORDER BY starts_at")
    assert [row["taken"] for row in slots] == [1, 0]


@pytest.mark.requirement("observability", "one-reply")
async def test_the_reply_to_a_command_alone_says_when_it_was_asked_for(engine: Engine) -> None:
    scene = await Scene(engine).open()
    asked_at = datetime(2026, 5, 4, 12, tzinfo=UTC)
    await engine.run(replace(engine.record(scene.place()), sent_at=asked_at))
    rows = await engine.fetch("SELECT topic, asked_at FROM outbox ORDER BY id")
    assert {row["topic"] for row in rows if row["asked_at"] == asked_at} == {"booking.replies"}
    assert {row["asked_at"] for row in rows} == {asked_at, None}


@pytest.mark.requirement("bad-input")
@pytest.mark.parametrize("milliseconds", [1 << 62, -(1 << 62), 1 << 48])
def test_a_publisher_may_set_any_timestamp(milliseconds: int) -> None:
    assert instant(milliseconds) is None


def test_an_id_says_when_it_was_made_where_it_is_of_that_kind() -> None:
    made = made_at(uuid7())
    assert made is not None
    assert abs((datetime.now(UTC) - made).total_seconds()) < 5
    assert made_at(uuid4()) is None
