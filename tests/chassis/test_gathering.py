"""What a batch is gathered from, with a consumer that hands out what it is given."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from booking_contracts.booking import PlaceBooking
from booking_contracts.payments import PaymentCaptured

from services.booking.app import SERVICE
from services.chassis.clock import SystemClock
from services.chassis.database import Session
from services.chassis.gathering import COMPANY_SECONDS, ENOUGH, MOST, Gathering
from services.chassis.local import Local
from services.chassis.messages import Raw
from services.chassis.positions import Positions
from services.chassis.service import Service
from services.payments.app import SERVICE as PAYMENTS
from services.payments.model.payment import Operation

EVENTS, COMMANDS = (TopicPartition(topic, 0) for topic in ("payments.events", "booking.commands"))


def records(where: TopicPartition, first: int, count: int) -> list[Raw]:
    return [Raw(where.topic, 0, number, b"key", [], b"") for number in range(first, first + count)]


class Consumer:
    """aiokafka's, as far as gathering knows it: `came` is what Kafka sends, one element for each time it is asked."""

    def __init__(self, *came: dict[TopicPartition, list[Raw]], then: Callable[[], None] = lambda: None) -> None:
        self.came, self.then = list(came), then
        self.buffer: dict[TopicPartition, list[Raw]] = self.came.pop(0) if came else {}

    def assignment(self) -> set[TopicPartition]:
        return {EVENTS, COMMANDS}

    async def getmany(self, *partitions: TopicPartition, timeout_ms: int, max_records: int) -> dict[Any, list[Raw]]:
        found = {}
        for partition in partitions:
            taken, left = self.buffer.get(partition, [])[:max_records], self.buffer.get(partition, [])[max_records:]
            max_records -= len(taken)
            found[partition], self.buffer[partition] = taken, left
        if COMMANDS in partitions and self.came and not any(self.buffer.values()):
            self.buffer = self.came.pop(0)
        self.then()
        await asyncio.sleep(0 if any(found.values()) else timeout_ms / 1000)
        return found


async def gathered(
    consumer: Consumer, pause_seconds: float, where: Positions | None = None, service: Service = SERVICE
) -> list[Any]:
    async def none(_: object) -> dict[Any, int]:
        return {}

    positions = where or Positions(none)
    positions.consumer, positions.joined = consumer, True
    local = Local(Session("", "none"), SystemClock(), [], {})
    local._peek_at = float("inf")
    return await Gathering(service, local, positions).gather(consumer, pause_seconds)


async def test_what_comes_in_the_pause_shares_the_batch_events_first_and_in_order() -> None:
    three = [{COMMANDS: records(COMMANDS, 10 * n, 2), EVENTS: records(EVENTS, 10 * n, 1)} for n in range(3)]
    found = await gathered(Consumer(*three), 0.01)
    assert [(raw.topic, raw.offset) for raw in found] == [
        *(("payments.events", offset) for offset in (0, 10, 20)),
        *(("booking.commands", offset) for offset in (0, 1, 10, 11, 20, 21)),
    ]


async def test_without_a_pause_a_batch_is_what_is_there() -> None:
    found = await gathered(Consumer({COMMANDS: records(COMMANDS, 0, 2)}, {COMMANDS: records(COMMANDS, 2, 2)}), 0)
    assert [raw.offset for raw in found] == [0, 1]


@pytest.mark.parametrize("pause_seconds", [0, 0.001])
async def test_no_batch_is_more_than_its_share(pause_seconds: float) -> None:
    flood = [{COMMANDS: records(COMMANDS, 0, 2 * MOST), EVENTS: records(EVENTS, 0, 2 * MOST)} for _ in range(3)]
    found = await gathered(Consumer(*flood), pause_seconds)
    assert [sum(raw.topic == where.topic for raw in found) for where in (EVENTS, COMMANDS)] == [MOST, MOST // 2]


@pytest.mark.parametrize("pause_seconds", [0, 0.001])
async def test_what_was_taken_before_a_rebalance_is_no_batch(pause_seconds: float) -> None:
    async def none(_: object) -> dict[Any, int]:
        return {}

    where = Positions(none)
    consumer = Consumer({COMMANDS: records(COMMANDS, 0, 2)}, then=where.go_back)
    assert await gathered(consumer, pause_seconds, where) == [], "it is read again from where the database stands"


async def test_a_rebalance_while_rows_are_looked_for_makes_no_batch_of_what_was_taken_on_both_sides_of_it() -> None:
    async def none(_: object) -> dict[Any, int]:
        return {}

    where = Positions(none)
    consumer = Consumer(*({COMMANDS: records(COMMANDS, first, 2)} for first in (10, 0, 2)))
    left = [lambda: None] * 5 + [where.go_back]  # events and commands, three times: the last after the rows
    consumer.then = lambda: left.pop(0)()
    assert await gathered(consumer, 0.001, where) == [], "what came last may be older: it is read again"


def nobody_waits_for(offset: int) -> Any:
    return record(EVENTS, offset, PaymentCaptured.ce_type)


def record(where: TopicPartition, offset: int, kind: str | None) -> Any:
    headers = [("ce_type", None if kind is None else kind.encode())]
    return ConsumerRecord(where.topic, 0, offset, 0, 0, b"key", b"", None, 3, 0, headers)


async def test_what_nobody_waits_for_waits_for_company() -> None:
    began = time.monotonic()
    found = await gathered(Consumer(*({EVENTS: [nobody_waits_for(number)]} for number in range(3))), 0)
    assert [raw.offset for raw in found] == [0, 1, 2]
    assert time.monotonic() - began >= COMPANY_SECONDS


async def test_what_somebody_waits_for_takes_it_along_at_once() -> None:
    began = time.monotonic()
    order = record(COMMANDS, 7, PlaceBooking.ce_type)
    found = await gathered(Consumer({EVENTS: [nobody_waits_for(0)]}, {COMMANDS: [order]}), 0)
    assert [raw.offset for raw in found] == [0, 7]
    assert time.monotonic() - began < COMPANY_SECONDS


async def test_a_type_that_is_null_is_no_type_and_waits_for_nobody() -> None:
    found = await gathered(Consumer({COMMANDS: [record(COMMANDS, 0, None)]}), 0)
    assert [raw.offset for raw in found] == [0], "else it is read again for ever, and everything behind it waits"


async def test_many_that_nobody_waits_for_are_company_enough() -> None:
    began = time.monotonic()
    found = await gathered(Consumer({EVENTS: [nobody_waits_for(number) for number in range(ENOUGH)]}), 0)
    assert len(found) == ENOUGH
    assert time.monotonic() - began < COMPANY_SECONDS


PATIENT = replace(SERVICE, gathers_seconds=0.1)


async def test_a_service_that_nobody_waits_for_gathers_from_its_first_message_on() -> None:
    began = time.monotonic()
    three = ({EVENTS: records(EVENTS, number, 1), COMMANDS: records(COMMANDS, number, 1)} for number in range(3))
    found = await gathered(Consumer(*three), 0, service=PATIENT)
    places = [(raw.topic, raw.offset) for raw in found]
    assert places == [(where.topic, number) for where in (EVENTS, COMMANDS) for number in range(3)]
    assert time.monotonic() - began >= PATIENT.gathers_seconds


async def test_it_waits_for_no_company_where_nothing_came() -> None:
    consumer = Consumer({})
    consumer.then = lambda: consumer.buffer.update({EVENTS: records(EVENTS, 0, 1)})  # a moment too late
    assert await asyncio.wait_for(gathered(consumer, 0, service=replace(SERVICE, gathers_seconds=60)), 5) == []
    assert consumer.buffer[EVENTS], "it has its whole pause next time"


async def test_a_rebalance_while_something_waits_for_company_makes_no_batch() -> None:
    async def none(_: object) -> dict[Any, int]:
        return {}

    where = Positions(none)
    left = [lambda: None] * 2 + [where.go_back]
    consumer = Consumer({EVENTS: [nobody_waits_for(0)]}, {EVENTS: [nobody_waits_for(1)]})
    consumer.then = lambda: left.pop(0)() if left else None
    assert await gathered(consumer, 0, where) == []


@pytest.mark.parametrize("service", [SERVICE, PAYMENTS], ids=lambda service: service.name)
def test_nobody_waits_for_what_there_is(service: Service) -> None:
    assert service.nobody_waits_for <= {*service.by_type, *Operation}
