"""The one ladder: whatever fails between a record and its commit, everybody else's message is handled (poison)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from booking_contracts.booking import CancelBooking, PlaceBooking
from booking_contracts.types import Actor

from services.booking.app import SERVICE
from services.booking.store.load import BookingStore
from services.booking.work import BookingWork
from services.chassis.blocked_keys import keep_behind, release_drained
from services.chassis.database import Connection
from services.chassis.failures import NewerBuild
from services.chassis.ladder import Ladder, PutDown
from services.chassis.local_messages import partition_of
from services.chassis.messages import Message
from services.chassis.service import Load, Service
from services.chassis.statements import Statements
from tests.chassis.harness import Engine, with_handler
from tests.chassis.scenes import Scene
from tests.chassis.test_batch import failing_for
from tests.chassis.test_standstill import plant

pytestmark = pytest.mark.requirement("poison")
Plan = Callable[[Connection, Sequence[Message[Any]]], Any]


class StoreWith(BookingStore):
    """Booking's store, with something that happens while it loads."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def begin(self, reads: Statements, messages: Sequence[Message[Any]], work: BookingWork) -> Load:
        go_on = super().begin(reads, messages, work)

        async def load() -> None:
            await self._plan(reads.connection, messages)
            await go_on()

        return load


def build(engine: Engine, service: Service) -> Engine:
    """Another build of the service on the same database, which goes on where `engine` stands."""
    other = Engine(engine.session.url, engine.clock, service)
    other.adopt(engine)
    return other


def loading(plan: Plan) -> Service:
    return replace(SERVICE, store=StoreWith(plan))


def about(messages: Sequence[Message[Any]], booking_id: UUID) -> bool:
    return any(getattr(message.body, "booking_id", None) == booking_id for message in messages)


def cancel(booking_id: UUID, who: str) -> CancelBooking:
    return CancelBooking(booking_id=booking_id, actor=Actor(kind="customer", id=who))


async def letters(engine: Engine) -> list[asyncpg.Record]:
    return await engine.fetch("SELECT kind, type, error FROM dead_letter WHERE status = 'open'")


async def codes(engine: Engine, count: int) -> list[str]:
    replies = [sent.body for sent in await engine.sent() if sent.topic == "booking.replies"][-count:]
    return [str(reply.get("code") or reply["state"]) for reply in replies]


async def test_what_fails_while_it_is_loaded_is_set_aside_alone(engine: Engine) -> None:
    scene = await Scene(engine).open(capacity=50)
    commands = [scene.place(f"c{number}") for number in range(40)]
    bad = commands[17].booking_id

    async def plan(_: Connection, messages: Sequence[Message[Any]]) -> None:
        if about(messages, bad):
            raise OverflowError("date value out of range")

    ill = build(engine, loading(plan))
    await ill.tell(*commands)
    assert set(await scene.states()) == {command.booking_id for command in commands} - {bad}
    (letter,) = await letters(engine)
    assert "OverflowError" in letter["error"]
    await ill.close()


async def test_a_timer_without_a_readable_id_is_set_aside(engine: Engine) -> None:
    row = await plant(engine, "local.DeadlineReached", b"{}")
    await engine.fetch("""UPDATE local_message SET headers = '[["ce_id", "not an id"]]' WHERE id = $1""", row)
    await engine.run_local()
    assert [letter["kind"] for letter in await letters(engine)] == ["failed"]


async def test_many_bad_messages_are_set_aside_and_the_service_goes_on(engine: Engine) -> None:
    scene = await Scene(engine).open(capacity=100)
    good, bad = [scene.place(f"g{number}") for number in range(5)], [scene.place(f"b{number}") for number in range(60)]
    wrong = {command.booking_id for command in bad}
    place: Any = SERVICE.by_type[PlaceBooking.ce_type].decide

    def fails(message: Message[PlaceBooking], work: BookingWork) -> Any:
        if message.body.booking_id in wrong:
            raise ValueError("2 × 10^12 is more than fits")
        return place(message, work)

    ill = build(engine, with_handler(SERVICE, PlaceBooking.ce_type, fails))
    await ill.tell(*good)
    await ill.tell(*bad)
    await ill.tell(scene.place("last"))
    assert len(await letters(engine)) == 60
    assert len(await scene.states()) == 6
    assert ill.runner.release.suspects() == []
    await ill.close()


async def test_a_bad_release_lets_messages_wait_for_a_better_one(engine: Engine) -> None:
    scene = await Scene(engine).open(capacity=100)
    commands = [scene.place(f"c{number}") for number in range(60)]

    def broken(*_: object) -> None:
        raise AttributeError("a release that cannot place")

    ill = build(engine, with_handler(SERVICE, PlaceBooking.ce_type, broken))
    for command in commands:
        await ill.tell(command)
    await ill.close()
    assert len(await letters(engine)) == 20
    assert ill.runner.release.suspects() == [PlaceBooking.ce_type]
    engine.adopt(ill)
    engine.clock.advance(minutes=1)
    await engine.run_local()
    assert len(await scene.states()) == 40


@pytest.fixture
async def owner(databases: dict[str, str]) -> Any:
    connection = await asyncpg.connect(databases["BOOKING_MIGRATION_URL"])
    yield connection
    await connection.close()


@pytest.mark.requirement("pessimistic-locking", "one-reply")
async def test_a_command_whose_row_is_locked_is_answered_too_busy_and_changes_nothing(
    engine: Engine, owner: Any
) -> None:
    scene = await Scene(engine).open(slots=2, capacity=2)
    held, free = await scene.confirmed("a", 0), await scene.confirmed("b", 1)
    async with owner.transaction():
        await owner.execute("SELECT FROM booking WHERE booking_id = $1 FOR NO KEY UPDATE", held)
        await engine.tell(cancel(held, "a"), cancel(free, "b"))
        assert await codes(engine, 1) == ["CANCELLED_BY_CUSTOMER"]
        await engine.run_waiting()
    assert await codes(engine, 1) == ["TOO_BUSY"]
    assert (await scene.states())[held] == "CONFIRMED"
    assert await engine.fetch("SELECT FROM local_message WHERE kind = 'record'") == []
    assert await engine.fetch("SELECT FROM blocked_key") == []


@pytest.mark.requirement("pessimistic-locking", "saga", "ordering")
async def test_an_event_whose_row_is_locked_waits_and_its_key_with_it(engine: Engine, owner: Any) -> None:
    scene = await Scene(engine).open(slots=2)
    command, other = scene.place("a", 0), scene.place("b", 1)
    await engine.tell(command, other)
    event = await scene.authorized(command.booking_id)
    async with owner.transaction():
        await owner.execute("SELECT FROM booking WHERE booking_id = $1 FOR NO KEY UPDATE", command.booking_id)
        await engine.run(engine.record(event), engine.record(await scene.authorized(other.booking_id)))
        assert (await scene.states())[other.booking_id] == "CONFIRMED"
        await engine.tell(cancel(command.booking_id, "a"))
        await engine.run_waiting(1.5)
    await engine.run_waiting(1.5)
    assert (await scene.states())[command.booking_id] == "CANCELLED_BY_CUSTOMER"
    told = [sent.type for sent in await engine.sent() if sent.key == str(command.booking_id)]
    assert told.index("booking.BookingConfirmed.v1") < told.index("booking.BookingCancelled.v1")
    assert await letters(engine) == []


async def test_one_locked_row_and_one_due_timer_stop_nobody(engine: Engine, owner: Any) -> None:
    scene = await Scene(engine).open(slots=2, capacity=30)
    unpaid = scene.place("a", 0)
    await engine.tell(unpaid)
    engine.clock.advance(minutes=16)
    async with owner.transaction():
        await owner.execute("SELECT FROM slot WHERE starts_at = $1 FOR NO KEY UPDATE", scene.start(0))
        for number in range(20):
            await engine.run_local()
            await engine.tell(scene.place(f"c{number}", 1))
        assert len(await scene.states()) == 21
    await engine.run_waiting(1)
    assert (await scene.states())[unpaid.booking_id] == "EXPIRED"
    assert await letters(engine) == []


async def test_many_messages_about_one_locked_row_do_not_each_wait_for_it(engine: Engine, owner: Any) -> None:
    scene = await Scene(engine).open(slots=2, capacity=500)
    held = [scene.place(f"h{number}", 0) for number in range(40)]
    free = [scene.place(f"f{number}", 1) for number in range(40)]
    mixed = [command for pair in zip(held, free, strict=True) for command in pair]
    async with owner.transaction():
        await owner.execute("SELECT FROM slot WHERE starts_at = $1 FOR NO KEY UPDATE", scene.start(0))
        await engine.tell(*mixed)
        async with asyncio.timeout(40):
            while len(await scene.states()) < len(free):
                await engine.run_waiting(0.1)
        assert {command.booking_id for command in free} == set(await scene.states())


@pytest.mark.requirement("bad-input", "one-reply")
async def test_a_refused_command_among_many_that_wait_is_answered(engine: Engine, owner: Any) -> None:
    scene = await Scene(engine).open(capacity=50)
    broken = [engine.record(b"{", topic="booking.commands", key=str(uuid4()), kind=PlaceBooking.ce_type) for _ in "abc"]
    held = [engine.record(scene.place(f"h{number}")) for number in range(40)]
    async with owner.transaction():
        await owner.execute("SELECT FROM slot FOR NO KEY UPDATE")
        await engine.run(*held[:30], *broken, *held[30:])
        assert await codes(engine, 3) == ["INVALID_COMMAND"] * 3


async def test_work_that_meets_its_time_limit_stops_nobody(engine: Engine) -> None:
    scene = await Scene(engine).open(capacity=9)
    commands = [scene.place(f"c{number}") for number in range(5)]
    slow = commands[2].booking_id

    async def plan(connection: Connection, messages: Sequence[Message[Any]]) -> None:
        if about(messages, slow):
            await connection.execute("SET LOCAL statement_timeout = '20ms'")
            await connection.execute("SELECT pg_sleep(1)")

    ill = build(engine, loading(plan))
    await ill.tell(*commands)
    assert set(await scene.states()) == {command.booking_id for command in commands} - {slow}
    await ill.run_waiting()
    assert await codes(engine, 1) == ["TOO_BUSY"]
    await ill.close()


async def test_a_batch_that_always_loses_its_connection_is_halved(engine: Engine) -> None:
    other = await asyncpg.connect(engine.session.url)
    scene = await Scene(engine).open(capacity=9)
    commands = [scene.place(f"c{number}") for number in range(4)]
    deadly = commands[3].booking_id

    async def plan(connection: Connection, messages: Sequence[Message[Any]]) -> None:
        if about(messages, deadly):
            await other.execute("SELECT pg_terminate_backend($1)", connection.get_server_pid())

    ill = build(engine, loading(plan))
    await ill.tell(*commands)
    assert set(await scene.states()) == {command.booking_id for command in commands} - {deadly}
    await other.close()
    await ill.close()


async def test_without_a_database_the_batch_is_put_down(engine: Engine) -> None:
    scene = await Scene(engine).open()
    record = engine.record(scene.place())
    away = Engine("postgresql://localhost:1/nowhere", engine.clock)
    with pytest.raises(PutDown):
        await away.run(record)


async def test_a_full_disk_sets_nothing_aside(engine: Engine) -> None:
    scene = await Scene(engine).open()

    async def plan(*_: object) -> None:
        raise asyncpg.DiskFullError("could not extend file")

    ill = build(engine, loading(plan))
    with pytest.raises(PutDown):
        await ill.tell(scene.place())
    assert await letters(engine) == []
    await ill.close()


async def test_a_row_of_a_newer_build_lets_its_message_wait_for_one(engine: Engine) -> None:
    scene = await Scene(engine).open(capacity=9)
    newer, plain = scene.place("a"), scene.place("b")
    await engine.tell(newer)

    async def plan(_: Connection, messages: Sequence[Message[Any]]) -> None:
        if about(messages, newer.booking_id):
            raise NewerBuild("booking.state = 'PAUSED' is not known to this build")

    older = build(engine, loading(plan))
    event = await scene.authorized(newer.booking_id)
    await older.run(older.record(event), older.record(plain))
    assert (await scene.states())[plain.booking_id] == "PENDING_PAYMENT"
    assert await letters(engine) == []
    await older.close()
    engine.clock.advance(seconds=1)
    await engine.run_local()
    assert (await scene.states())[newer.booking_id] == "CONFIRMED"


@pytest.mark.requirement("bad-input", "one-reply")
async def test_a_key_that_the_database_cannot_hold_is_refused(engine: Engine) -> None:
    scene = await Scene(engine).open()
    command, message_id = scene.place(), uuid4()
    record = engine.record(command, message_id=message_id)
    await engine.run(replace(record, key=b"abc\0def"), engine.record(scene.place("b")))
    (reply,) = [sent for sent in await engine.sent() if sent.body.get("command_id") == str(message_id)]
    assert (reply.key, reply.body["details"]["field"]) == ("abc\N{REPLACEMENT CHARACTER}def", "key")
    assert len(await scene.states()) == 1


@pytest.mark.requirement("bad-input")
async def test_a_refusal_that_cannot_be_answered_is_set_aside_unanswered(engine: Engine) -> None:
    scene = await Scene(engine).open()
    mute = replace(SERVICE, command_topics=dict.fromkeys(SERVICE.command_topics, _cannot_answer))
    ill = build(engine, mute)
    broken = ill.record(b"{", topic="booking.commands", key=str(uuid4()), kind=PlaceBooking.ce_type)
    await ill.run(broken)
    assert [letter["kind"] for letter in await letters(engine)] == ["refused"]
    await ill.close()
    assert await scene.states() == {}


def _cannot_answer(*_: object) -> Any:
    raise TypeError("no reply can be made of this")


async def test_what_cannot_even_be_set_aside_is_passed_over_with_a_note(engine: Engine) -> None:
    scene = await Scene(engine).open(capacity=3)
    good, bad = scene.place("a"), engine.record(scene.place("b"))
    unstorable = replace(bad, headers=[*bad.headers, ("note", "\ud800")], body=bad.body)
    await engine.run(replace(unstorable, body=None), engine.record(good))  # type: ignore[arg-type]
    assert set(await scene.states()) == {good.booking_id}
    (letter,) = await engine.fetch("SELECT topic, body FROM dead_letter")
    assert (letter["topic"], letter["body"]) == ("booking.commands", b"")


async def test_nobody_is_lost_beside_what_cannot_be_set_aside_where_many_fail(engine: Engine) -> None:
    """More than are looked for by halving: what is left is to wait together, and one of it cannot even do that."""
    scene = await Scene(engine).open(capacity=99)

    async def plan(_: Connection, messages: Sequence[Message[Any]]) -> None:
        if messages:
            raise OverflowError("date value out of range")

    ill = build(engine, loading(plan))
    records = [ill.record(scene.place(f"c{number}")) for number in range(40)]
    records[-2] = replace(records[-2], body=None)  # type: ignore[arg-type]
    await ill.run(*records)
    await ill.close()
    kept = await engine.fetch('SELECT "offset" FROM local_message UNION SELECT "offset" FROM dead_letter')
    assert {row["offset"] for row in kept} == {record.offset for record in records}


async def test_an_undecodable_record_is_noted_with_its_offset(engine: Engine) -> None:
    scene = await Scene(engine).open()
    record = engine.record(scene.place())
    await engine.run(replace(record, key=None, headers=[], body=b"", undecodable="UnsupportedCodecError(lz4)"))
    (letter,) = await engine.fetch("SELECT * FROM dead_letter")
    assert (letter["topic"], letter["offset"], letter["kind"]) == ("booking.commands", record.offset, "refused")
    assert "UnsupportedCodecError" in letter["error"]


@pytest.mark.requirement("retry-mechanism")
async def test_every_part_of_a_halved_batch_is_handed_on_as_it_commits(engine: Engine) -> None:
    scene = await Scene(engine).open(capacity=9)
    commands = [scene.place(f"c{number}") for number in range(8)]
    failing = build(engine, failing_for(uuid4()))
    parts: list[int] = []
    failing.ladder = Ladder(failing.runner, failing.session, lambda part, _: parts.append(len(part)))
    lost = commands[-1].booking_id

    async def plan(_: Connection, messages: Sequence[Message[Any]]) -> None:
        if about(messages, lost):
            raise asyncpg.DiskFullError("full")
        if len(messages) > 2:
            raise ValueError("too many for this test")

    failing.runner.service = loading(plan)
    with pytest.raises(PutDown):
        await failing.tell(*commands)
    assert parts == []  # the first attempt met the full disk
    failing.runner.service = loading(lambda _, messages: _at_most_two(messages))
    await failing.tell(*[scene.place(f"d{number}") for number in range(8)])
    assert parts == [2, 2, 2, 2]
    await failing.close()


async def _at_most_two(messages: Sequence[Message[Any]]) -> None:
    if len(messages) > 2:
        raise ValueError("too many for this test")


@pytest.mark.requirement("ordering")
async def test_the_end_of_a_drain_is_not_overtaken(engine: Engine, databases: dict[str, str]) -> None:
    """Another replica puts a message behind the key while this one lifts the block: the block stays."""
    url = databases["BOOKING_DATABASE_URL"]
    one, two = await asyncpg.connect(url), await asyncpg.connect(url)
    await one.execute("INSERT INTO blocked_key (key, draining) VALUES ('k', true)")
    scene = await Scene(engine).open()
    record = engine.record(scene.place())
    message = engine.runner._reader.read(record, engine.clock.now())
    assert isinstance(message, Message)
    waiting = replace(message, key="k")
    behind = two.transaction()
    await behind.start()
    await two.fetch("SELECT key FROM blocked_key WHERE key = 'k' FOR SHARE")
    await keep_behind(two, [waiting], engine.clock.now())

    async def lift() -> None:
        async with one.transaction():
            await release_drained(one, ["k"])

    lifting = asyncio.create_task(lift())
    await asyncio.sleep(0.2)
    assert not lifting.done()
    await behind.commit()
    await lifting
    assert await engine.fetch("SELECT key FROM blocked_key") != []
    await one.close()
    await two.close()


@pytest.mark.requirement("time-slot-lock")
async def test_a_timer_is_taken_by_the_replica_that_owns_its_partition(engine: Engine) -> None:
    scene = await Scene(engine).open()
    command = scene.place()
    await engine.tell(command)
    engine.clock.advance(minutes=16)
    mine = partition_of(command.key)
    assert await engine.run_local(set(range(12)) - {mine}) == 0
    assert await engine.run_local({mine}) > 0
