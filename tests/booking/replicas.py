"""Two replicas at once, what must hold of the rows afterwards, and commands about a scene."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from uuid import UUID, uuid4

from booking_contracts.booking import (
    CancelBooking,
    CloseSlot,
    JoinWaitlist,
    OpenSlot,
    RescheduleBooking,
)
from booking_contracts.envelope import MessageBody
from booking_contracts.types import Actor, Customer

from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine, Sent
from tests.chassis.scenes import Scene

LONGEST_SECONDS = 5.0


async def at_once(first: Engine, second: Engine, one: list[MessageBody], two: list[MessageBody]) -> list[str]:
    """Both replicas handle their messages at the same time; returns the codes and types of the replies.

    On a busy machine one may wait for the other's locks longer than a batch does, and is tried again."""
    before = len(await first.sent())
    records = [replace(second.record(body, key=_key(body)), partition=1) for body in two]
    await asyncio.gather(first.run(*(first.record(body, key=_key(body)) for body in one)), second.run(*records))
    deadline = time.monotonic() + LONGEST_SECONDS
    while len(replies := await _replies(first, before)) < len(one) + len(two) and time.monotonic() < deadline:
        await first.run_waiting(0.2)
    return sorted(str(sent.body.get("code", "accepted")) for sent in replies)


async def _replies(engine: Engine, before: int) -> list[Sent]:
    return [sent for sent in (await engine.sent())[before:] if sent.topic == "booking.replies"]


def _key(body: MessageBody) -> str:
    return body.actor.id if isinstance(body, OpenSlot | CloseSlot) else ""


async def consistent(engine: Engine) -> None:
    """Every slot's counter is the sum of what holds its seats, and no more than it has; nobody waits for free seats."""
    rows = await engine.fetch(
        """
        SELECT s.taken, s.capacity, s.active,
               (SELECT coalesce(sum(seats), 0) FROM booking b JOIN booking_state USING (state)
                WHERE b.slot_id = s.slot_id AND occupies)
               + (SELECT coalesce(sum(seats), 0) FROM waitlist_entry e
                  WHERE e.slot_id = s.slot_id AND e.state = 'OFFERED') AS held
        FROM slot s
        """
    )
    for row in rows:
        assert 0 <= row["taken"] == row["held"] <= row["capacity"]
        assert row["active"] == (row["taken"] > 0)
    busy = await engine.fetch(
        """
        SELECT 1 FROM slot a JOIN slot b ON a.provider_id = b.provider_id AND a.slot_id < b.slot_id
        WHERE a.active AND b.active AND a.busy && b.busy
        """
    )
    assert busy == []
    forgotten = await engine.fetch(
        """
        SELECT e.entry_id FROM waitlist_entry e JOIN slot s USING (slot_id)
        WHERE e.state = 'WAITING' AND e.closes_at > $1 AND NOT s.closed AND e.seats <= s.capacity - s.taken
          AND (s.active OR NOT EXISTS (SELECT FROM slot o WHERE o.provider_id = s.provider_id AND o.active
                                       AND o.slot_id <> s.slot_id AND o.busy && s.busy))
        """,
        engine.clock.now(),
    )
    assert forgotten == [], "somebody waits beside seats that could be had"


def customer(name: str) -> Actor:
    return Actor(kind="customer", id=name)


def move(scene: Scene, booking_id: UUID, name: str, slot: int) -> RescheduleBooking:
    return RescheduleBooking(booking_id=booking_id, starts_at=scene.start(slot), actor=customer(name))


def join(scene: Scene, name: str, slot: int = 0, seats: int = 1) -> JoinWaitlist:
    who = Customer(id=name, name=name, email=f"{name}@example.com")
    return JoinWaitlist(
        entry_id=uuid4(),
        offering_id=scene.offering_id,
        starts_at=scene.start(slot),
        seats=seats,
        customer=who,
        actor=customer(name),
    )


def cancel(booking_id: UUID, name: str) -> CancelBooking:
    return CancelBooking(booking_id=booking_id, actor=customer(name))
