"""Rows, locks and answers that slipped between the rungs: each was found by reading and is fixed (poison)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiokafka import TopicPartition
from aiosmtplib import SMTPResponseException
from booking_contracts.envelope import uuid7

from services.chassis import local_messages, operator
from services.chassis.blocked_keys import keep_behind
from services.chassis.database import Session
from services.chassis.gateway_calls import OpenCall, TryAgain, save
from services.chassis.gateway_worker import GatewayWorker
from services.chassis.gathering import Gathering
from services.chassis.messages import LocalBody, Message, Raw
from services.chassis.offsets import Partition
from services.chassis.positions import Positions
from services.chassis.statements import Statements
from services.chassis.unit_of_work import Call
from services.notifications.mail import MailRefused
from services.notifications.sender import Faulty, Refused, _judged
from services.notifications.sender import TryAgain as NoAnswer
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene
from tests.chassis.test_dead_letters import blocked, letter_id
from tests.chassis.test_ladder import build, cancel, codes, letters
from tests.chassis.test_standstill import plant

pytestmark = pytest.mark.requirement("poison")


@pytest.fixture
async def owner(databases: dict[str, str]) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(databases["BOOKING_MIGRATION_URL"])
    yield connection
    await connection.close()


async def waiting_event(engine: Engine, owner: Any) -> tuple[Scene, UUID]:
    """A booking whose event waits as a row, because the booking was locked; it is not any more."""
    scene = await Scene(engine).open(slots=2, capacity=9)
    command = scene.place("a", 0)
    await engine.tell(command)
    event = await scene.authorized(command.booking_id)
    async with owner.transaction():
        await owner.execute("SELECT FROM booking WHERE booking_id = $1 FOR NO KEY UPDATE", command.booking_id)
        await engine.run(engine.record(event))
    return scene, command.booking_id


async def due(engine: Engine) -> list[Raw]:
    connection, now = await engine.session.connection(), engine.clock.now()
    return await local_messages.peek(connection, now, 500, engine.service.local_types)


async def test_a_key_whose_block_somebody_holds_stops_nobody(engine: Engine, owner: Any) -> None:
    scene, booking_id = await waiting_event(engine, owner)
    other = scene.place("b", 1)
    fresh = build(engine, engine.service)
    engine.clock.advance(seconds=1)
    async with owner.transaction():
        await owner.execute("SELECT FROM blocked_key WHERE key = $1 FOR UPDATE", str(booking_id))
        await fresh.run(*await due(engine), fresh.record(other))
        assert other.booking_id in await scene.states()
    engine.clock.advance(seconds=2)
    await fresh.run_local()
    assert (await scene.states())[booking_id] == "CONFIRMED"
    assert await engine.fetch("SELECT FROM blocked_key") == []
    await fresh.close()


@pytest.mark.requirement("ordering")
async def test_a_waiting_row_that_somebody_holds_stops_nobody_and_is_not_overtaken(engine: Engine, owner: Any) -> None:
    scene, booking_id = await waiting_event(engine, owner)
    await engine.tell(cancel(booking_id, "a"))
    other = scene.place("b", 1)
    fresh = build(engine, engine.service)
    engine.clock.advance(seconds=1)
    rows = await due(engine)
    assert len(rows) == 2
    async with owner.transaction():
        await owner.execute("SELECT FROM local_message WHERE id = $1 FOR UPDATE", rows[0].row)
        await fresh.run(*rows, fresh.record(other))
        assert other.booking_id in await scene.states()
        for _ in range(3):
            engine.clock.advance(seconds=1)
            await fresh.run_local()
        assert (await scene.states())[booking_id] == "PENDING_PAYMENT"
    await fresh.run_waiting(1.5)
    told = [sent.type for sent in await engine.sent() if sent.key == str(booking_id)]
    assert told.index("booking.BookingConfirmed.v1") < told.index("booking.BookingCancelled.v1")
    await fresh.close()


@pytest.mark.requirement("ordering")
async def test_a_row_whose_time_comes_first_does_not_overtake_the_one_before_it(engine: Engine, owner: Any) -> None:
    """Put behind the key by another replica, whose due date could not know of the wait that began meanwhile."""
    scene, booking_id = await waiting_event(engine, owner)
    await engine.tell(cancel(booking_id, "a"))
    later = engine.clock.now()
    engine.clock.advance(seconds=5)
    await engine.fetch(
        """
        UPDATE local_message SET due_at = CASE WHEN type LIKE 'booking.%' THEN $1::timestamptz ELSE $2 END
        WHERE kind = 'record'
        """,
        later,
        engine.clock.now().replace(year=engine.clock.now().year + 1),
    )
    await engine.run_local()
    assert (await scene.states())[booking_id] == "PENDING_PAYMENT"


@pytest.mark.requirement("ordering")
async def test_rows_of_a_key_go_in_the_order_of_their_arrival_whichever_was_due_first(
    engine: Engine, owner: Any
) -> None:
    _, booking_id = await waiting_event(engine, owner)
    await engine.tell(cancel(booking_id, "a"))
    engine.clock.advance(seconds=5)
    await engine.fetch(
        """
        UPDATE local_message SET due_at = $1::timestamptz - make_interval(secs => (type LIKE 'booking.%')::int)
        WHERE kind = 'record'
        """,
        engine.clock.now(),
    )
    rows = await due(engine)
    assert [row.arrival or 0 for row in rows] == sorted((row.arrival or 0 for row in rows), reverse=True) != []
    fresh = build(engine, engine.service)
    await fresh.run(*rows)
    told = [sent.type for sent in await engine.sent() if sent.key == str(booking_id)]
    assert told.index("booking.BookingConfirmed.v1") < told.index("booking.BookingCancelled.v1")
    await fresh.close()


@pytest.mark.requirement("pessimistic-locking", "one-reply")
async def test_commands_behind_a_locked_row_do_not_wait_one_after_the_other(engine: Engine, owner: Any) -> None:
    scene = await Scene(engine).open(capacity=2)
    held = await scene.confirmed("a")
    async with owner.transaction():
        await owner.execute("SELECT FROM booking WHERE booking_id = $1 FOR NO KEY UPDATE", held)
        for _ in range(4):
            await engine.tell(cancel(held, "a"))
        await engine.run_waiting(6)
        assert await codes(engine, 4) == ["TOO_BUSY"] * 4


@pytest.mark.requirement("operations-cli")
async def test_what_is_put_behind_a_key_that_is_being_redriven_does_not_wait_for_ever(
    engine: Engine, databases: dict[str, str]
) -> None:
    scene, booking_id, mended = await blocked(engine)
    reading = mended.runner._reader.read(mended.record(cancel(booking_id, "bob")), mended.clock.now())
    assert isinstance(reading, Message)
    one, two = [await asyncpg.connect(databases["BOOKING_DATABASE_URL"]) for _ in range(2)]
    redriving, keeping = one.transaction(), two.transaction()
    await redriving.start()
    await operator.redrive(one, await letter_id(mended))
    await keeping.start()  # under a verdict nobody's locks are waited for
    await keep_behind(two, [reading], mended.clock.now())
    await redriving.commit()
    await keeping.commit()
    for _ in range(4):
        await mended.run_local()
    assert (await scene.states())[booking_id] == "CANCELLED_BY_CUSTOMER"
    assert await mended.fetch("SELECT FROM local_message WHERE kind = 'record'") == []
    assert await mended.fetch("SELECT FROM blocked_key") == []
    await one.close()
    await two.close()


@pytest.mark.requirement("one-reply", "inbox")
async def test_a_command_under_an_events_id_is_answered_and_the_event_is_handled(engine: Engine) -> None:
    scene = await Scene(engine).open(capacity=9)
    first, second = scene.place("a"), scene.place("b")
    await engine.tell(first)
    event_id = uuid4()
    event = engine.record(await scene.authorized(first.booking_id), message_id=event_id)
    command = engine.record(second, message_id=event_id)
    await engine.run(event, command)
    states = await scene.states()
    assert (states[first.booking_id], states.get(second.booking_id)) == ("CONFIRMED", "PENDING_PAYMENT")


async def test_a_timer_of_a_newer_build_that_waits_behind_its_key_waits_for_that_build(engine: Engine) -> None:
    row = await plant(engine, "local.InventedTomorrow", b"{}")
    await engine.fetch("UPDATE local_message SET kind = 'record', topic = type WHERE id = $1", row)
    await engine.fetch("INSERT INTO blocked_key (key, draining) VALUES ('k', true)")
    await engine.run_local()
    assert await letters(engine) == []
    assert len(await engine.fetch("SELECT FROM local_message WHERE type = 'local.InventedTomorrow'")) == 1


class Answered(LocalBody):
    """Any answer."""


class Strange:
    """Says why not in bytes that are no text."""

    def __init__(self, reason: str) -> None:
        self._reason = reason
        self.made: list[str] = []

    async def call(self, call: OpenCall) -> LocalBody | TryAgain:
        self.made.append(call.key)
        return TryAgain(self._reason, 60.0) if call.key == "strange" else Answered()


@pytest.mark.requirement("retry-mechanism")
@pytest.mark.parametrize("reason", ["450 gr\udce4ylisted", "450 \x00", "450 fine"])
async def test_a_reason_that_is_no_text_stops_no_other_call(engine: Engine, reason: str) -> None:
    session, world = Session(engine.session.url, "worker"), Strange(reason)
    worker = GatewayWorker(world, session, lambda: None)
    running = asyncio.create_task(worker.run())
    calls = [Call(uuid7(), key, key, "send", "{}", key, None) for key in ("strange", "plain")]
    async with Statements(await engine.session.connection()) as writes:
        save(writes, calls)
    worker.submit(calls[:1])
    await asyncio.sleep(0.3)
    await engine.fetch("UPDATE gateway_call SET try_at = clock_timestamp() WHERE key = 'plain'")
    await asyncio.sleep(1)
    running.cancel()
    await session.close()
    assert world.made == ["strange", "plain"]


@pytest.mark.requirement("retry-mechanism")
@pytest.mark.parametrize("code", [450, 550])
def test_what_a_mail_server_says_may_be_written_down(code: int) -> None:
    """Its bytes come as text with halves of surrogate pairs, which no body and no column takes."""
    outcome = _judged(SMTPResponseException(code, "abgelehnt f\udcfcr \x00 immer"))
    assert isinstance(outcome, Faulty | Refused | NoAnswer)
    refused = MailRefused(delivery_id=uuid4(), reason=outcome.reason)
    assert b"\\u0000" not in refused.model_dump_json().encode()


class Flood:
    """Partitions of a consumer, each with its first unread and its last offset."""

    def __init__(self, ends: dict[TopicPartition, int]) -> None:
        self.ends, self.at = ends, dict.fromkeys(ends, 0)

    async def end_offsets(self, _: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        return self.ends

    async def position(self, partition: TopicPartition) -> int:
        return self.at[partition]

    async def read(self, _: object, partitions: list[TopicPartition], *__: int, **___: int) -> list[TopicPartition]:
        self.at[partitions[0]] += 1
        return partitions


@pytest.mark.requirement("bad-input")
async def test_careful_reading_gives_every_partition_its_share() -> None:
    """One that is flooded does not keep it from the record that cannot be decoded."""
    first, second = TopicPartition("t", 0), TopicPartition("t", 1)
    flood = Flood({first: 100_000, second: 1})
    where = SimpleNamespace(assigned=lambda topics: [first, second] if topics else [])
    gathering: Any = SimpleNamespace(_where=where, _events={"t"}, _commands=set(), _fetch=flood.read)
    found: list[Any] = await Gathering.one_by_one(gathering, flood)
    assert found.count(second) == 1


class Log:
    """A consumer of one partition that others write to and handle meanwhile."""

    def __init__(self) -> None:
        self.end, self.at = 100, 0

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset({TopicPartition("t", 0)})

    async def beginning_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 0)

    async def end_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, self.end)

    def seek(self, _: TopicPartition, offset: int) -> None:
        self.at = offset


@pytest.mark.requirement("ordering")
async def test_a_replica_that_goes_back_while_another_goes_on_does_not_take_the_log_for_cut() -> None:
    """The other handles what was appended after this one had asked where the log ends."""
    log: Any = Log()

    async def read(wanted: Collection[Partition]) -> dict[Partition, int]:
        log.end += 5
        return dict.fromkeys(wanted, log.end)

    positions = Positions(read)
    positions.consumer = log
    positions.go_back()
    assert await positions.placed()
    assert log.at == 105
