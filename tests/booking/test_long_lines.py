"""A message about a slot loads the head of its line alone, and the line is served in its order all the same."""

from __future__ import annotations

import random
import time
from datetime import timedelta
from typing import Any

import pytest
from booking_contracts.booking import CloseSlot, JoinWaitlist, LeaveWaitlist, OpenSlot, QuoteCancellation
from booking_contracts.envelope import MessageBody

from services.booking.app import SERVICE
from services.booking.model.waitlist import Entry
from services.booking.store import heads
from services.booking.store.load import BookingStore
from services.booking.work import BookingWork
from services.chassis.messages import Message
from services.chassis.reading import Reader
from services.chassis.service import load
from tests.booking.crowds import crowd
from tests.booking.replicas import cancel, consistent, customer, join
from tests.booking.test_interleaving import Dice
from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene

MANY = 10_000


async def loaded(engine: Engine, body: MessageBody) -> tuple[int, float]:
    """What the store loads for a message: (waitlist entries, the least of five times in seconds)."""
    message = Reader(SERVICE).read(engine.record(body), engine.clock.now())
    assert isinstance(message, Message)
    seconds, entries = [], 0
    for _ in range(5):
        work = BookingWork(engine.clock.now())
        async with engine.session.transaction() as connection:
            started = time.perf_counter()
            await load(BookingStore(), connection, [message], work)
            seconds.append(time.perf_counter() - started)
        entries = len(list(work.all(Entry)))
    return entries, min(seconds)


@pytest.mark.requirement("waitlist-handling")
async def test_ten_thousand_who_wait_cost_a_message_nothing(engine: Engine) -> None:
    full = await crowd(engine, 2, parties=tuple(1 + number % 3 for number in range(MANY)))
    await engine.fetch("ANALYZE waitlist_entry")
    scene = full.scene
    messages: list[MessageBody] = [
        QuoteCancellation(booking_id=full.first, actor=customer("c1")),
        scene.place("late"),
        scene.place("beside", slot=1),
        cancel(full.first, "c1"),
        join(scene, "late"),
        LeaveWaitlist(entry_id=(await _line(engine))[MANY // 2]["entry_id"], actor=customer("x")),
    ]
    for message in messages:
        entries, seconds = await loaded(engine, message)
        assert entries <= 4, type(message).__name__
        limit = 0.25 if isinstance(message, JoinWaitlist) else 0.05  # who joins is told how many wait: they are counted
        assert seconds < limit, f"{type(message).__name__} took {seconds:.3f} s"
    await engine.tell(join(scene, "late"))
    assert (await engine.sent())[-1].body["result"] == {"position": MANY + 1}
    await engine.tell(cancel(full.first, "c1"))
    (offered,) = await engine.fetch("SELECT customer_id FROM waitlist_entry WHERE state = 'OFFERED'")
    assert offered["customer_id"] == "w1"


async def _line(engine: Engine) -> list[Any]:
    return await engine.fetch("SELECT entry_id, customer_id FROM waitlist_entry ORDER BY place")


def served(parties: list[int], seats: int) -> list[int]:
    """Down the line by hand: who is asked for so many free seats; then they are out of the line."""
    asked = []
    for number, size in enumerate(parties):
        if 0 < size <= seats:
            asked.append(number)
            seats -= size
    return asked


@pytest.mark.requirement("waitlist-handling")
@pytest.mark.parametrize("head", [100, 2])
@pytest.mark.parametrize("seed", range(3))
async def test_the_head_of_a_line_is_served_as_the_whole_would_be(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, seed: int, head: int
) -> None:
    """Parties of every size; seats come free one or several at a time, in batches with others who leave the line."""
    monkeypatch.setattr(heads, "HEAD", head)
    chance = random.Random(seed)
    parties = [1, *(chance.choice([2, 2, 2, 3, 4, 5, 1]) for _ in range(60))]
    await crowd(engine, 12, parties=tuple(parties))
    entries = await _line(engine)
    bookings = await engine.fetch("SELECT booking_id, customer_id FROM booking WHERE state = 'CONFIRMED'")
    free, asked = 0, set[int]()
    while bookings:
        leaving = chance.sample([n for n, size in enumerate(parties) if size], 2)
        freed = [bookings.pop() for _ in range(min(len(bookings), chance.randint(1, 4)))]
        await engine.tell(
            *(
                LeaveWaitlist(entry_id=entries[n]["entry_id"], actor=customer(entries[n]["customer_id"]))
                for n in leaving
            ),
            *(cancel(row["booking_id"], row["customer_id"]) for row in freed),
        )
        while await engine.run_local():
            pass
        for number in leaving:
            parties[number] = 0
        for _ in freed:
            free += 1
            for number in served(parties, free):
                free -= parties[number]
                parties[number] = 0
                asked.add(number)
        states = {row["entry_id"]: row["state"] for row in await engine.fetch("SELECT * FROM waitlist_entry")}
        found = {n for n, entry in enumerate(entries) if states[entry["entry_id"]] == "OFFERED"}
        assert found == asked if head > 2 else len(found) > 0
        await consistent(engine)


@pytest.mark.requirement("waitlist-handling")
async def test_many_new_seats_are_offered_in_slices(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "HEAD", 30)
    full = await crowd(engine, 1, parties=(1,) * 200)
    wider = OpenSlot(
        offering_id=full.scene.offering_id, starts_at=full.scene.start(0), capacity=151, actor=full.scene.teacher
    )
    await engine.run(engine.record(wider, key=str(full.scene.provider_id)))
    count = "SELECT count(*) AS offers, max(place) AS last FROM waitlist_entry WHERE state = 'OFFERED'"
    rounds = 0
    while True:
        (row,) = await engine.fetch(count)
        assert row["offers"] == row["last"] <= 30 * (rounds + 1)
        if not await engine.run_local():
            break
        rounds += 1
    assert row["offers"] == 150
    assert rounds >= 4
    await consistent(engine)


@pytest.mark.requirement("overbooking-prevention", "waitlist-handling", "provider-overlap")
@pytest.mark.parametrize("seed", range(4))
async def test_small_heads_and_slices_forget_nobody(engine: Engine, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Commands by chance, with limits so low that all of them are met: what is left is done by local messages."""
    for name, most in {"HEAD": 1, "HEADS": 1, "SLICE": 1, "MIN_SHARE": 1, "OVER": 1}.items():
        monkeypatch.setattr(heads, name, most)
    chance = random.Random(seed)
    scene = await Scene(engine).open(slots=0, capacity=3)
    key = str(scene.provider_id)
    starts = [scene.starts_at + timedelta(minutes=30 * number) for number in range(3)]
    dice = Dice(lambda sides: chance.randrange(sides), starts, scene.offering_id, scene.teacher, 1000 + seed)
    for start in starts:
        opened = OpenSlot(offering_id=scene.offering_id, starts_at=start, actor=scene.teacher)
        await engine.run(engine.record(opened, key=key))
    for _ in range(12):
        commands = [dice.command() for _ in range(30)]
        records = [engine.record(c, key=key if isinstance(c, OpenSlot | CloseSlot) else "") for c in commands]
        await engine.run(*records, size=chance.choice([1, 7, 30]))
        while await engine.run_local():
            pass
        await consistent(engine)
        living = (
            "SELECT FROM slot_closing UNION ALL SELECT FROM booking JOIN slot USING (slot_id) WHERE closed AND active"
        )
        assert await engine.fetch(living) == []
    assert await engine.fetch("SELECT * FROM dead_letter") == []


async def offered(engine: Engine) -> set[str]:
    """Who has an offer."""
    return {row["customer_id"] for row in await engine.fetch("SELECT * FROM waitlist_entry WHERE state = 'OFFERED'")}


@pytest.mark.requirement("waitlist-handling")
async def test_who_leaves_the_head_in_the_same_batch_makes_place_for_the_next(engine: Engine) -> None:
    full = await crowd(engine, 1, parties=(1,) * 4)
    first, second = (await _line(engine))[:2]
    await engine.tell(
        LeaveWaitlist(entry_id=first["entry_id"], actor=customer("w1")),
        LeaveWaitlist(entry_id=second["entry_id"], actor=customer("w2")),
        cancel(full.first, "c1"),
    )
    assert await offered(engine) == {"w3"}


@pytest.mark.requirement("waitlist-handling")
async def test_an_entry_that_a_batch_holds_by_chance_is_not_asked_before_those_in_front_of_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heads, "HEAD", 1)
    full = await crowd(engine, 2, parties=(1,) * 4)
    other = await engine.fetch("SELECT booking_id FROM booking WHERE customer_id = 'c2'")
    last = (await _line(engine))[-1]
    await engine.tell(
        LeaveWaitlist(entry_id=last["entry_id"], actor=customer("mallory")),
        cancel(full.first, "c1"),
        cancel(other[0]["booking_id"], "c2"),
    )
    while await engine.run_local():
        pass
    assert await offered(engine) == {"w1", "w2"}
