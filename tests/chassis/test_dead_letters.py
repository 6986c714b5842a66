"""Redrive and discard: what waited goes on in order, past the inbox, and commands get their one reply."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import asyncpg
import pytest
from booking_contracts.booking import AbandonPayment, CancelBooking, PlaceBooking
from booking_contracts.types import Actor

from services.booking.app import SERVICE
from services.chassis import dead_letter_selection, dead_letters, operator
from services.chassis.dead_letter_selection import Wanted
from services.chassis.messages import Raw
from services.chassis.publishing import MAX_RECORD_BYTES
from tests.chassis.harness import Engine, Sent
from tests.chassis.scenes import Scene
from tests.chassis.test_batch import failing_for


async def blocked(engine: Engine) -> tuple[Scene, UUID, Engine]:
    """A booking whose PlaceBooking failed, with a cancellation waiting behind it, and a replica without the fault."""
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
    (letter,) = await engine.fetch("SELECT id FROM dead_letter WHERE status = 'open'")
    found: UUID = letter["id"]
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
    assert not await dead_letter_selection.listed(await mended.session.connection(), Wanted(), most=1)


@pytest.mark.requirement("poison", "pessimistic-locking", "one-reply")
async def test_a_redriven_command_is_as_patient_as_a_new_one(engine: Engine) -> None:
    """It has lain there for years; that its row is locked when its turn comes is no reason to answer TOO_BUSY."""
    _, _, mended = await blocked(engine)
    before = len(replies(await mended.sent()))
    for table in ("local_message", "dead_letter"):  # a uuid7 begins with its time
        await mended.fetch(f"UPDATE {table} SET id = ('01800000-0000' || substr(id::text, 14))::uuid")
    other = await asyncpg.connect(mended.session.url)
    async with other.transaction():
        await other.execute("SELECT FROM provider FOR UPDATE")
        await operator.redrive(await mended.session.connection(), await letter_id(mended))
        await mended.run_local()
        assert replies(await mended.sent())[before:] == []
    await mended.run_waiting(1.5)
    await other.close()
    assert replies(await mended.sent())[before:] == ["PENDING_PAYMENT", "CANCELLED_BY_CUSTOMER"]


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


async def test_what_a_client_sent_and_nobody_reads_is_not_read_again(engine: Engine) -> None:
    """Also where its id could not be read, so that nobody was told."""
    raw = replace(engine.record(b"{", topic="booking.commands", key="k", kind=PlaceBooking.ce_type), headers=[])
    await engine.run(raw)
    with pytest.raises(operator.NotPossible, match="send it again"):
        await operator.redrive(await engine.session.connection(), await letter_id(engine))


@pytest.mark.requirement("poison", "ordering")
async def test_an_event_of_ours_is_read_again_by_a_build_that_can(engine: Engine) -> None:
    scene = await Scene(engine).open()
    command = scene.place()
    await engine.tell(command)
    event = await scene.authorized(command.booking_id)
    broken = replace(engine.record(event), body=b"{")
    await engine.run(broken)
    await engine.fetch("UPDATE dead_letter SET body = $1", event.model_dump_json().encode())  # it was we who were wrong
    done = await operator.redrive(await engine.session.connection(), await letter_id(engine))
    assert str(done) == "read again"
    await engine.run_local()
    assert (await scene.states())[command.booking_id] == "CONFIRMED"


async def too_large(engine: Engine, size: int) -> UUID:
    """A row of the outbox that Kafka did not take."""
    headers = [("ce_id", str(uuid4())), ("ce_type", "booking.BookingPlaced.v1"), ("ce_sequence", "7")]
    raw = Raw("outbox:booking.events", 0, 17, b"key", headers, b"x" * size)
    await dead_letters.set_aside_unsendable(await engine.session.connection(), raw, "too large")
    return await letter_id(engine)


@pytest.mark.requirement("outbox", "operations-cli")
async def test_a_row_that_kafka_did_not_take_goes_back_as_it_was(engine: Engine) -> None:
    letter = await too_large(engine, 1000)
    (kept,) = await engine.fetch("SELECT headers, body FROM dead_letter")
    assert (await operator.redrive(await engine.session.connection(), letter)).what == "sent again"
    (row,) = await engine.fetch("SELECT topic, key, headers, body FROM outbox")
    assert (row["topic"], row["key"]) == ("booking.events", "key")
    assert (row["headers"], row["body"]) == (kept["headers"], kept["body"])
    assert await engine.fetch("SELECT id FROM local_message") == []


@pytest.mark.requirement("outbox", "operations-cli")
async def test_a_row_that_is_still_too_large_stays_and_its_discard_names_the_gap(engine: Engine) -> None:
    letter = await too_large(engine, MAX_RECORD_BYTES)
    with pytest.raises(operator.NotPossible, match="raise MAX_RECORD_BYTES"):
        await operator.redrive(await engine.session.connection(), letter)
    assert await letter_id(engine) == letter
    done = await operator.discard(await engine.session.connection(), SERVICE, engine.clock, letter)
    assert done.what == "discarded: its receivers miss it, and find a gap at ce_sequence 7"
    assert await engine.sent() == []


@pytest.mark.requirement("operations-cli", "poison")
async def test_many_letters_are_treated_by_what_they_have_in_common(engine: Engine) -> None:
    scene = await Scene(engine).open(slots=4)
    commands = [scene.place(f"c{number}", number) for number in range(4)]
    for command in commands:
        failing = Engine(engine.session.url, engine.clock, failing_for(command.booking_id))
        failing.adopt(engine)
        await failing.tell(command)
        await failing.close()
    connection = await engine.session.connection()
    old = datetime.now(UTC) - timedelta(hours=1)
    await engine.fetch(
        "UPDATE dead_letter SET created_at = $1 WHERE key = $2", old, str(commands[3].booking_id).encode()
    )
    mine = Wanted(kind="failed", type=PlaceBooking.ce_type, error="planted")
    assert await dead_letter_selection.count(connection, mine) == 4
    a_minute_old = Wanted(error="planted", before=datetime.now(UTC) - timedelta(minutes=1))
    assert await dead_letter_selection.count(connection, a_minute_old) == 1
    assert await dead_letter_selection.count(connection, Wanted(key=str(commands[0].booking_id))) == 1
    for nothing in (Wanted(kind="unread"), Wanted(type="x"), Wanted(error="%"), Wanted(key="x"), Wanted(before=old)):
        assert await dead_letter_selection.count(connection, nothing) == 0
    (kind,) = await dead_letter_selection.kinds(connection, mine)
    assert (kind["letters"], kind["type"]) == (4, PlaceBooking.ce_type)
    give_up = partial(operator.discard, connection, SERVICE, engine.clock)
    assert await dead_letter_selection.treat(connection, mine, 3, give_up) == {"discarded": 3}
    (left,) = await dead_letter_selection.listed(connection, mine, most=10)
    assert left["key"] == str(commands[2].booking_id).encode(), "the oldest come first"
    redrive = partial(operator.redrive, connection)
    assert await dead_letter_selection.treat(connection, mine, 10, redrive) == {"redriven": 1}
    await engine.run_local()
    assert list(await scene.states()) == [commands[2].booking_id]


@pytest.mark.requirement("operations-cli")
async def test_slices_go_on_past_what_could_not_be_treated(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letter_selection, "SLICE", 2)
    for _ in range(5):
        record = engine.record(b"{", topic="booking.commands", key=str(uuid4()), kind=PlaceBooking.ce_type)
        await engine.run(record)
    connection, refused = await engine.session.connection(), Wanted(kind="refused")
    (summary,) = (
        await dead_letter_selection.treat(connection, refused, 10, partial(operator.redrive, connection))
    ).items()
    assert summary == ("it was refused and its sender was told: they have to send it again; discard it", 5)
    give_up = partial(operator.discard, connection, SERVICE, engine.clock)
    assert await dead_letter_selection.treat(connection, refused, 10, give_up) == {"discarded": 5}
    assert await dead_letter_selection.count(connection, Wanted()) == 0


async def test_a_list_loads_no_bodies_and_leaves_refused_input_out(engine: Engine) -> None:
    await engine.run(engine.record(b"{", topic="booking.commands", key="k", kind=PlaceBooking.ce_type))
    connection = await engine.session.connection()
    assert await dead_letter_selection.listed(connection, Wanted(), most=10) == []
    (row,) = await dead_letter_selection.listed(connection, Wanted(kind="refused"), most=10)
    assert not {"body", "headers"} & set(row.keys())
    assert json.loads((await dead_letter_selection.shown(connection, row["id"]))["headers"])
    with pytest.raises(operator.NotPossible):
        await dead_letter_selection.shown(connection, uuid4())
