"""What grows with data that publishers control has a limit: what a batch loads, and what is right beyond it."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from booking_contracts.booking import (
    CancelBooking,
    DefineOffering,
    OpenSlot,
    QuoteCancellation,
    RescheduleBooking,
    SetSchedule,
    WeeklyHours,
)
from booking_contracts.types import Attendee, Price

from services.booking.store import heads, plan
from tests.booking.replicas import cancel, consistent, customer, join, move
from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene

ALL_DAY = tuple(
    WeeklyHours.model_validate({"weekday": weekday, "from": "00:00", "to": "24:00"}) for weekday in range(1, 8)
)


async def last_code(engine: Engine) -> str | None:
    """Of the last reply."""
    replies = [sent for sent in await engine.sent() if sent.topic == "booking.replies"]
    code: str | None = replies[-1].body.get("code")
    return code


@pytest.mark.requirement("conflict-check", "availability-query")
async def test_alternatives_of_many_full_slots_cost_little(engine: Engine) -> None:
    """Offerings with a slot every minute: 44,640 starts in the 31 days that are looked ahead."""
    scenes = []
    for _ in range(15):
        scene = await Scene(engine).open(duration_minutes=1)
        await engine.tell(SetSchedule(provider_id=scene.provider_id, weekly=ALL_DAY, actor=scene.teacher))
        await engine.tell(scene.place("first"))
        scenes.append(scene)
    started = time.process_time()
    await engine.tell(*(scene.place("second") for scene in scenes))
    seconds = time.process_time() - started
    refused = [sent.body["details"] for sent in await engine.sent() if sent.body.get("code") == "SLOT_FULL"]
    assert [len(details["alternatives"]) for details in refused] == [5] * 15
    assert seconds < 2, f"{seconds:.2f} s of CPU"


@pytest.mark.requirement("refund-policy")
async def test_a_bookings_quotes_are_few_and_those_that_ended_are_deleted(engine: Engine) -> None:
    scene = await Scene(engine).open(slots=2)
    booking = await scene.confirmed()
    ask = QuoteCancellation(booking_id=booking, actor=customer("bob"))
    await engine.tell(*(ask for _ in range(25)), size=7)
    quotes = await engine.fetch("SELECT quote_id FROM cancellation_quote ORDER BY quote_id")
    assert len(quotes) == 10
    replies = [sent.body.get("result", {}) for sent in await engine.sent() if sent.topic == "booking.replies"]
    made = [result["quote"]["quote_id"] for result in replies if "quote" in result]
    left = {str(row["quote_id"]) for row in quotes}
    assert (made[-1] in left, left & set(made[:14])) == (True, set())
    old = CancelBooking(booking_id=booking, quote_id=UUID(made[0]), actor=customer("bob"))
    await engine.tell(old)
    assert await last_code(engine) == "QUOTE_EXPIRED"
    other = await scene.confirmed("eve", 1)
    engine.clock.advance(minutes=15)
    await engine.tell(QuoteCancellation(booking_id=other, actor=customer("eve")))
    assert len(await engine.fetch("SELECT * FROM cancellation_quote")) == 1


@pytest.mark.requirement("refund-policy", "rescheduling-logic")
async def test_a_move_deletes_the_quotes(engine: Engine) -> None:
    scene = await Scene(engine).open(slots=2)
    booking = await scene.confirmed()
    await engine.tell(QuoteCancellation(booking_id=booking, actor=customer("bob")))
    await engine.tell(RescheduleBooking(booking_id=booking, starts_at=scene.start(1), actor=customer("bob")))
    assert await engine.fetch("SELECT * FROM cancellation_quote") == []


@pytest.mark.requirement("time-slot-lock")
async def test_a_command_meets_some_of_the_holds_that_are_over_and_timers_the_others(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heads, "OVER", 10)
    scene = await Scene(engine).open(capacity=40)
    await engine.tell(*(scene.place(f"c{number}") for number in range(40)))
    engine.clock.advance(minutes=15)
    await engine.tell(scene.place("late", seats=5))
    assert await last_code(engine) is None
    over = "SELECT count(*) AS left FROM booking WHERE deadline <= $1 AND state = 'PENDING_PAYMENT'"
    assert [row["left"] for row in await engine.fetch(over, engine.clock.now())] == [30]
    await engine.run_local()
    assert [row["left"] for row in await engine.fetch(over, engine.clock.now())] == [0]
    await consistent(engine)


@pytest.mark.requirement("failure-handling")
async def test_a_customers_next_try_ends_the_one_before_for_the_same_attendee_alone(engine: Engine) -> None:
    scene = await Scene(engine).open(capacity=4)
    kim, lou = Attendee(id="kim", name="Kim"), Attendee(id="lou", name="Lou")
    tries = [scene.place("bob", attendee=attendee) for attendee in (kim, lou, None, kim)]
    for command in tries:
        await engine.tell(command)
    states = await scene.states()
    expected = ["PAYMENT_FAILED", "PENDING_PAYMENT", "PENDING_PAYMENT", "PENDING_PAYMENT"]
    assert [states[command.booking_id] for command in tries] == expected


@pytest.mark.requirement("provider-overlap")
async def test_a_provider_who_is_busy_many_times_over_is_busy(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """All holds in the way are over, but there are more than a batch looks at: busy, until they are swept."""
    monkeypatch.setattr(plan, "MOST_OVERLAPPING", 3)
    scene = await Scene(engine).open(slots=6)
    long = uuid4()
    await engine.tell(
        DefineOffering(
            offering_id=long,
            provider_id=scene.provider_id,
            title="A whole day",
            duration_minutes=360,
            price=Price(amount=4500, currency="EUR"),
            capacity=1,
            approval=False,
            actor=scene.teacher,
        )
    )
    opened = OpenSlot(offering_id=long, starts_at=scene.start(0), actor=scene.teacher)
    await engine.run(engine.record(opened, key=str(scene.provider_id)))
    await engine.tell(*(scene.place(f"c{number}", number) for number in range(6)))
    engine.clock.advance(minutes=15)
    wish = scene.place("late", offering_id=long)
    codes = []
    for _ in range(3):
        await engine.tell(wish)
        codes.append(await last_code(engine))
    assert codes == ["PROVIDER_BUSY", None, "BOOKING_EXISTS"]
    assert await engine.fetch("SELECT * FROM dead_letter") == []
    await consistent(engine)


@pytest.mark.requirement("waitlist-handling", "provider-overlap")
async def test_stranded_lines_are_marked_and_asked_when_the_provider_is_free(engine: Engine) -> None:
    """Eve waits where Bob sat; he has moved to a slot that overlaps it, and then he cancels."""
    scene = await Scene(engine).open(slots=1)
    half_past = scene.start(0) + timedelta(minutes=30)
    opened = OpenSlot(offering_id=scene.offering_id, starts_at=half_past, actor=scene.teacher)
    await engine.run(engine.record(opened, key=str(scene.provider_id)))
    booking = await scene.confirmed("bob")
    await engine.tell(join(scene, "eve"))
    stranded = "SELECT starts_at FROM slot WHERE stranded"
    assert await engine.fetch(stranded) == []
    await engine.tell(move(scene, booking, "bob", 0).model_copy(update={"starts_at": half_past}))
    assert [row["starts_at"] for row in await engine.fetch(stranded)] == [scene.start(0)]
    await engine.tell(cancel(booking, "bob"))
    assert await engine.fetch(stranded) == []
    assert len(await engine.fetch("SELECT * FROM waitlist_entry WHERE state = 'OFFERED'")) == 1
    await consistent(engine)


@pytest.mark.requirement("waitlist-handling", "provider-overlap")
async def test_a_batch_looks_at_few_of_a_providers_stranded_lines(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bob moves over five slots that overlap each other; on each somebody waits. With a limit of two none is lost."""
    monkeypatch.setattr(plan, "MOST_LINES", 2)
    scene = await Scene(engine).open(slots=0)
    starts = [scene.starts_at + timedelta(minutes=10 * number) for number in range(6)]
    for start in starts:
        opened = OpenSlot(offering_id=scene.offering_id, starts_at=start, actor=scene.teacher)
        await engine.run(engine.record(opened, key=str(scene.provider_id)))
    booking = await scene.confirmed("bob", 0)
    for number, start in enumerate(starts[1:]):
        waits = join(scene, f"w{number}").model_copy(update={"starts_at": starts[number]})
        await engine.tell(waits)
        await engine.tell(move(scene, booking, "bob", 0).model_copy(update={"starts_at": start}))
    assert len(await engine.fetch("SELECT * FROM slot WHERE stranded")) == 5
    await engine.tell(cancel(booking, "bob"))
    assert len(await engine.fetch("SELECT * FROM waitlist_entry WHERE state = 'OFFERED'")) == 1
    assert await engine.fetch("SELECT * FROM dead_letter") == []
    await consistent(engine)
