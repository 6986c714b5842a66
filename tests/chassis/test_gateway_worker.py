"""The worker of durable calls: many at once, and the next one as soon as one ends."""

from __future__ import annotations

import asyncio

from booking_contracts.envelope import uuid7

from services.chassis.database import Session
from services.chassis.gateway_calls import OpenCall
from services.chassis.gateway_worker import GatewayWorker
from services.chassis.messages import LocalBody, Raw
from services.chassis.unit_of_work import Call


class Answered(LocalBody):
    """Any answer."""


class SlowWorld:
    """Answers when told; remembers how many calls were open at once."""

    def __init__(self) -> None:
        self.open = self.most = 0

    async def call(self, call: OpenCall) -> LocalBody:
        self.open += 1
        self.most = max(self.most, self.open)
        await asyncio.sleep(0)
        self.open -= 1
        return Answered()


def calls(count: int) -> list[Call]:
    return [Call(uuid7(), str(number), str(number), "send", "{}", str(number), None) for number in range(count)]


async def test_a_batch_of_calls_is_made_without_waiting_for_a_timer() -> None:
    """The rows are not asked: there is no database here, and every call is made all the same."""
    world, delivered = SlowWorld(), list[Raw]()
    done = asyncio.Event()

    def deliver(raw: Raw) -> None:
        delivered.append(raw)
        if len(delivered) == 300:
            done.set()

    worker = GatewayWorker(world, Session("postgresql://nowhere", "test"), deliver, in_flight=16)
    intended = calls(300)
    worker.submit(intended)
    await asyncio.wait_for(done.wait(), 5)
    assert world.most == 16
    assert [raw.key for raw in delivered] == [call.key.encode() for call in intended]


async def test_a_draining_worker_begins_nothing_new() -> None:
    world, delivered = SlowWorld(), list[Raw]()
    worker = GatewayWorker(world, Session("postgresql://nowhere", "test"), delivered.append, in_flight=16)
    worker.submit(calls(40))
    await worker.drain(5)
    assert len(delivered) == 16
