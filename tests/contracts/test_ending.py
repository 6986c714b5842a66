"""A client's end while Kafka is away: it takes as long as it says, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from booking_contracts.booking import PlaceBooking
from booking_contracts.client import BookingClient
from booking_contracts.client.errors import NotListening, NotPublished
from booking_contracts.envelope import uuid7
from booking_contracts.testkit import sample

from deploy.local.stack import Stack

CLOSING_SECONDS = 0.3
MORE_SECONDS = 5.0
"""What the end may take besides, as its docstring says."""


@contextmanager
def away(stack: Stack) -> Iterator[None]:
    """The broker stands still: connections stay open and nothing is answered."""
    stack.stop_process("kafka", signal.SIGSTOP)
    try:
        yield
    finally:
        stack.stop_process("kafka", signal.SIGCONT)


def client(stack: Stack) -> BookingClient:
    servers = stack.env["KAFKA_BOOTSTRAP_SERVERS"]
    return BookingClient(servers, source="/my-team", closing_seconds=CLOSING_SECONDS)


def command() -> PlaceBooking:
    return sample.place_booking(offering_id=uuid7())


@pytest.mark.requirement("first-steps")
async def test_without_kafka_the_end_is_bounded_and_who_waits_is_told(kafka_stack: Stack) -> None:
    opened = client(kafka_stack)
    await opened.__aenter__()
    await opened.publish(command())
    with away(kafka_stack):
        waiting = [asyncio.create_task(one) for one in (opened.publish(command()), opened.reply(uuid7(), 60))]
        await asyncio.sleep(0)  # both have begun
        took = await left(opened)
    assert CLOSING_SECONDS <= took < CLOSING_SECONDS + MORE_SECONDS
    told = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(error) for error in told] == [NotPublished, NotListening]


@pytest.mark.requirement("first-steps")
async def test_with_nothing_in_flight_nothing_is_waited_for(kafka_stack: Stack) -> None:
    opened = client(kafka_stack)
    await opened.__aenter__()
    with away(kafka_stack):
        assert await left(opened) < MORE_SECONDS


@pytest.mark.requirement("first-steps")
async def test_what_is_in_flight_is_sent_first(kafka_stack: Stack) -> None:
    async with client(kafka_stack) as opened:
        await opened.publish(command())
        publishing = asyncio.create_task(opened.publish(command()))
        await asyncio.sleep(0)  # it has begun
    assert isinstance(await publishing, UUID)


async def left(opened: BookingClient) -> float:
    """How many seconds the client's end took."""
    began = time.monotonic()
    async with asyncio.timeout(CLOSING_SECONDS + 2 * MORE_SECONDS):
        await opened.__aexit__(None, None, None)
    return time.monotonic() - began
