"""CloseSlot ends bookings and line in slices, through the real store."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from booking_contracts.booking import CloseSlot, LeaveWaitlist, OpenSlot

from services.booking.model.states import State
from services.booking.store import heads
from tests.booking.crowds import Crowd, crowd
from tests.booking.replicas import cancel, consistent, customer, join
from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine


async def closed(engine: Engine, full: Crowd) -> tuple[UUID, dict[str, Any]]:
    """CloseSlot by its provider: (the command's id, its reply)."""
    body = CloseSlot(offering_id=full.scene.offering_id, starts_at=full.scene.start(0), actor=full.scene.teacher)
    record = engine.record(body, key=str(full.scene.provider_id), message_id=uuid4())
    await engine.run(record)
    command_id = UUID(dict(record.headers)["ce_id"])
    (reply,) = [sent for sent in await engine.sent() if sent.body.get("command_id") == str(command_id)]
    return command_id, reply.body


async def living(engine: Engine, full: Crowd) -> tuple[int, int]:
    """(Bookings, entries) that are not ended yet."""
    (row,) = await engine.fetch(
        """
        SELECT (SELECT count(*) FROM booking WHERE slot_id = $1 AND state = 'CONFIRMED') AS bookings,
               (SELECT count(*) FROM waitlist_entry WHERE slot_id = $1 AND state IN ('WAITING', 'OFFERED')) AS entries
        """,
        full.slot_id,
    )
    return row["bookings"], row["entries"]


@pytest.mark.requirement("cancellation-state-machine", "schedule", "refund-policy", "waitlist-handling", "outbox")
async def test_a_crowded_slot_is_closed_at_once_and_emptied_in_slices(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heads, "SLICE", 20)
    full = await crowd(engine, 90, parties=(1,) * 70)
    before = len(await engine.sent())
    command_id, reply = await closed(engine, full)
    assert reply["result"] == {"cancelled": 90}
    bookings, entries = await living(engine, full)
    assert (bookings, entries <= 50) == (70, True)
    place = full.scene.place("late")
    await engine.tell(place)
    assert (await engine.sent())[-1].body["code"] == "SLOT_NOT_OFFERED"
    left = [(bookings, entries)]
    while await engine.run_local():
        left.append(await living(engine, full))
        assert 0 <= left[-2][0] - left[-1][0] <= 20
        assert 0 <= left[-2][1] - left[-1][1] <= 20
    assert left[-1] == (0, 0)
    sent = (await engine.sent())[before:]
    told = [event for event in sent if event.type == "booking.BookingCancelled.v1"]
    assert len({event.key for event in told}) == len(told) == 90
    assert {(e.body["by"]["id"], e.body["refund"]["amount"]) for e in told} == {(str(full.scene.provider_id), 4500)}
    assert len([m for m in sent if m.type == "payments.SettlePayment.v1"]) == 90
    assert len([m for m in sent if m.type == "booking.WaitlistClosed.v1"]) == 70
    assert len([m for m in sent if m.type == "catalogue.SlotClosed.v1"]) == 1
    causes = await engine.fetch(
        "SELECT DISTINCT type, causation_id FROM booking_history WHERE to_state = 'CANCELLED_BY_PROVIDER'"
    )
    assert [(row["type"], row["causation_id"]) for row in causes] == [("booking.CloseSlot.v1", command_id)]
    headers = await engine.fetch("SELECT headers FROM outbox ORDER BY id OFFSET $1", before)
    of_events = [dict(json.loads(row["headers"])) for row in headers]
    ended = [found for found in of_events if found["ce_type"] in (told[0].type, "booking.WaitlistClosed.v1")]
    assert {(found["ce_causationid"], found["ce_correlationid"]) for found in ended} == {(str(command_id),) * 2}
    assert await engine.fetch("SELECT * FROM slot_closing") == []
    assert await engine.fetch("SELECT taken FROM slot WHERE slot_id = $1 AND taken > 0", full.slot_id) == []
    await consistent(engine)


@pytest.mark.requirement("schedule", "cancellation-state-machine")
async def test_a_slot_is_opened_again_when_it_is_empty(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "SLICE", 10)
    full = await crowd(engine, 30, parties=(1,) * 5)
    await closed(engine, full)
    key = str(full.scene.provider_id)
    reopen = OpenSlot(offering_id=full.scene.offering_id, starts_at=full.scene.start(0), actor=full.scene.teacher)
    await engine.run(engine.record(reopen, key=key))
    assert (await engine.sent())[-1].body["code"] == "TOO_BUSY"
    while await engine.run_local():
        pass
    await engine.run(engine.record(reopen, key=key))
    again = full.scene.place("c1")
    await engine.tell(again)
    states = await full.scene.states()
    assert states.pop(again.booking_id) == State.PENDING_PAYMENT
    assert set(states.values()) == {State.CANCELLED_BY_PROVIDER}


@pytest.mark.requirement("schedule", "cancellation-state-machine", "refund-policy")
async def test_what_meets_a_closed_slot_before_its_slice(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the store: the closing is loaded with the slot, and the line's and bookings' rows that are named."""
    monkeypatch.setattr(heads, "SLICE", 10)
    full = await crowd(engine, 60, parties=(1,) * 30)
    await closed(engine, full)
    waiting = await engine.fetch("SELECT entry_id, customer_id FROM waitlist_entry WHERE state = 'WAITING'")
    sitting = await engine.fetch("SELECT booking_id, customer_id FROM booking WHERE state = 'CONFIRMED'")
    (named, who), last = sitting[-1], waiting[-1]["customer_id"]
    await engine.tell(
        cancel(named, who),
        LeaveWaitlist(entry_id=waiting[0]["entry_id"], actor=customer(waiting[0]["customer_id"])),
        join(full.scene, last),
    )
    codes = [sent.body.get("code") for sent in await engine.sent() if sent.topic == "booking.replies"][-3:]
    assert codes == ["ALREADY_CANCELLED", "ILLEGAL_TRANSITION", "SLOT_NOT_OFFERED"]
    while await engine.run_local():
        pass
    assert await living(engine, full) == (0, 0)
    settles = [m.key for m in await engine.sent() if m.type == "payments.SettlePayment.v1"]
    assert len(set(settles)) == len(settles) == 60
