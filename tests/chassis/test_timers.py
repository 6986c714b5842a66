"""Many timers due at once: in batches, by two replicas, each fired once, and how late the last of them is."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from services.booking.local_messages import DeadlineReached
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene

SLOTS, SEATS = 4, 150
PER_SECOND, SECONDS = 1000, 5


async def fire_all(engine: Engine, batches: list[int]) -> None:
    """One replica's share; a batch is what it found due, however much of that the other took first."""
    while found := await engine.run_local():
        batches.append(found)


@pytest.mark.requirement("time-slot-lock", "inbox")
async def test_two_replicas_fire_every_timer_once(engine: Engine) -> None:
    scene = await Scene(engine).open(slots=SLOTS, capacity=SEATS)
    places = [scene.place(f"c{slot}-{seat}", slot, payment=None) for slot in range(SLOTS) for seat in range(SEATS)]
    await engine.tell(*places)
    engine.clock.advance(minutes=15)
    other = Engine(engine.session.url, engine.clock)
    batches: list[int] = []
    begun = time.monotonic()
    await asyncio.gather(fire_all(engine, batches), fire_all(other, batches))
    print(f"timers: {len(places)} holds expired in {time.monotonic() - begun:.2f} s by two replicas")
    await other.close()
    assert len(batches) < len(places) / 4, "timers are taken in batches"
    assert set((await scene.states()).values()) == {"EXPIRED"}
    expired = [sent.key for sent in await engine.sent() if sent.type == "booking.BookingExpired.v1"]
    assert len(expired) == len(set(expired)) == len(places)
    assert [row["taken"] for row in await engine.fetch("SELECT taken FROM slot")] == [0] * SLOTS
    assert not await engine.fetch("SELECT FROM local_message WHERE due_at <= $1", engine.clock.now())


@pytest.mark.requirement("ghost-provider", "double-confirmation")
async def test_completion_and_release_happen_once_on_two_replicas(engine: Engine) -> None:
    scene = await Scene(engine).open(slots=2, capacity=10)
    for number in range(10):
        await scene.confirmed(f"c{number}", number % 2)
    other = Engine(engine.session.url, engine.clock)
    for days in (6, 3):
        engine.clock.advance(days=days)
        await asyncio.gather(fire_all(engine, []), fire_all(other, []))
    await other.close()
    assert set((await scene.states()).values()) == {"COMPLETED"}
    types = [sent.type for sent in await engine.sent()]
    assert types.count("booking.SessionCompleted.v1") == types.count("booking.BookingCompleted.v1") == 10
    settlements = {sent.body["settlement_id"] for sent in await engine.sent() if "SettlePayment" in sent.type}
    assert len(settlements) == 10


@pytest.mark.requirement("time-slot-lock")
async def test_a_thousand_timers_a_second_are_on_time(engine: Engine) -> None:
    """Stale timers, as most are, due evenly over some seconds of real time; the rules allow 5 s of lateness."""
    start = engine.clock.now()
    await plant(engine, start)
    begun, late = time.monotonic(), 0.0
    fired = 0
    while fired < PER_SECOND * SECONDS:
        engine.clock.instant = start + timedelta(seconds=time.monotonic() - begun)
        oldest = await engine.fetch("SELECT min(due_at) AS due FROM local_message")
        found = await engine.run_local()
        fired += found
        if found:
            done = start + timedelta(seconds=time.monotonic() - begun)
            late = max(late, (done - oldest[0]["due"]).total_seconds())
        assert time.monotonic() - begun < 6 * SECONDS, f"{fired} fired, not keeping up"
    print(f"timers: {PER_SECOND}/s for {SECONDS} s, the latest committed {late * 1000:.0f} ms after it was due")
    assert late < 5


async def plant(engine: Engine, start: datetime) -> None:
    """Timers a millisecond apart, each of a booking of its own."""
    ids: list[UUID] = [uuid4() for _ in range(PER_SECOND * SECONDS)]
    bodies = [DeadlineReached(booking_id=booking_id).model_dump_json().encode() for booking_id in ids]
    headers = [
        json.dumps([("ce_id", str(uuid4())), ("ce_type", DeadlineReached.ce_type), ("ce_correlationid", "x")])
        for _ in ids
    ]
    await engine.fetch(
        """
        INSERT INTO local_message (id, kind, type, key, due_at, headers, body)
        SELECT gen_random_uuid(), 'timer', $1, key, $2::timestamptz + nth * interval '1 millisecond', headers, body
        FROM unnest($3::text[], $4::text[], $5::bytea[]) WITH ORDINALITY AS t (key, headers, body, nth)
        """,
        DeadlineReached.ce_type,
        start,
        [str(booking_id) for booking_id in ids],
        headers,
        bodies,
    )
