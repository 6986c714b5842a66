"""What comes after a booking is paid, and approval before it: over the real parts, days in a moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from booking_contracts.booking import BookingApproved, BookingCompleted, DisputeResolved, SessionCompleted
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import customer_actor, euros
from booking_contracts.testkit.system import Studio, System

from tests.flows.story import ends_paid, ends_unpaid

COMMISSION_BPS = 1000


async def after_the_session(system: System, who: str) -> tuple[Studio, Any]:
    """A paid booking whose session has just ended; its studio gives a tenth to the house."""
    studio = await system.studio(commission_bps=COMMISSION_BPS)
    command = system.place(studio, who)
    await system.accepted(command)
    await ends_paid(system, studio, command.booking_id)
    await system.clock.advance_to(studio.starts_at + timedelta(hours=1))
    return studio, command


async def settled(system: System, command: Any, *, refunded: int, released: int, commission: int) -> None:
    """The escrow is empty, and went where it should."""
    payment = await system.payment_in(command.booking_id, "settled")
    found = {name: payment[name]["amount"] for name in ("escrow", "refunded", "released", "commission")}
    assert found == {"escrow": 0, "refunded": refunded, "released": released, "commission": commission}


@pytest.mark.requirement("escrow", "status-updates", "deadline-enforcement")
async def test_a_completed_session_that_the_customer_confirms_is_paid_out_once(system: System) -> None:
    studio, command = await after_the_session(system, "iris")
    booking_id = command.booking_id
    complete = sample.complete_session(booking_id=booking_id, actor=studio.actor)
    assert (await system.accepted(complete)).state == "PENDING_CONFIRMATION"
    assert (await system.payment(booking_id))["escrow"]["amount"] == 4500
    confirm = sample.confirm_session(booking_id=booking_id, actor=customer_actor("iris"))
    assert (await system.accepted(confirm)).state == "COMPLETED"
    assert (await system.rejected(confirm)).code == "WINDOW_CLOSED"
    await system.client.outcome(booking_id, BookingCompleted)
    await settled(system, command, refunded=0, released=4500, commission=450)
    dispute = sample.raise_dispute(booking_id=booking_id, actor=customer_actor("iris"))
    assert (await system.rejected(dispute)).code == "WINDOW_CLOSED"


@pytest.mark.requirement("ghost-provider", "double-confirmation")
async def test_a_forgotten_session_completes_and_is_released_by_itself(system: System) -> None:
    _, command = await after_the_session(system, "jack")
    await system.clock.advance(hours=2)
    await system.booking_in(command.booking_id, "PENDING_CONFIRMATION")
    completed = await system.client.outcome(command.booking_id, SessionCompleted)
    assert completed.by.kind == "system"
    await system.clock.advance(hours=48)
    await system.booking_in(command.booking_id, "COMPLETED")
    await settled(system, command, refunded=0, released=4500, commission=450)


@pytest.mark.requirement("disputes", "actors")
async def test_a_dispute_is_split_by_an_admin(system: System) -> None:
    _, command = await after_the_session(system, "kate")
    booking_id = command.booking_id
    dispute = sample.raise_dispute(booking_id=booking_id, actor=customer_actor("kate"))
    assert (await system.accepted(dispute)).state == "DISPUTED"
    await system.clock.advance(hours=72)
    assert (await system.payment(booking_id))["escrow"]["amount"] == 4500
    wrong = sample.resolve_dispute(booking_id=booking_id, refund=euros(4500), release=euros(1))
    assert (await system.rejected(wrong)).code == "AMOUNT_MISMATCH"
    split = sample.resolve_dispute(booking_id=booking_id, refund=euros(1500), release=euros(3000))
    assert (await system.accepted(split)).state == "RESOLVED_SPLIT"
    await system.client.outcome(booking_id, DisputeResolved)
    await settled(system, command, refunded=1500, released=3000, commission=300)
    (intent,) = await system.stripe.payment_intents(booking_id)
    refunds = [one for one in (await system.stripe.state())["refunds"] if one["payment_intent"] == intent["id"]]
    assert [refund["amount"] for refund in refunds] == [1500]


@pytest.mark.requirement("approval-flow")
async def test_an_approved_booking_is_charged_after_approval_only(system: System) -> None:
    studio = await system.studio(approval=True)
    command = system.place(studio, "liam")
    assert (await system.accepted(command)).state == "PENDING_APPROVAL"
    assert await system.stripe.payment_intents(command.booking_id) == []
    approve = sample.approve_booking(booking_id=command.booking_id, actor=studio.actor)
    assert (await system.accepted(approve)).state == "PENDING_PAYMENT"
    await system.client.outcome(command.booking_id, BookingApproved)
    await ends_paid(system, studio, command.booking_id)


@pytest.mark.requirement("approval-flow", "retry-mechanism")
async def test_an_approved_booking_whose_card_is_declined_is_paid_with_another(system: System) -> None:
    studio = await system.studio(approval=True)
    command = system.place(studio, "mona", card="pm_card_chargeDeclined")
    await system.accepted(command)
    await system.accepted(sample.approve_booking(booking_id=command.booking_id, actor=studio.actor))
    await system.payment_in(command.booking_id, "declined")
    await system.mail("mona@example.com", "pay")
    pay = sample.pay_booking(booking_id=command.booking_id, actor=customer_actor("mona"))
    assert (await system.accepted(pay)).state == "PENDING_PAYMENT"
    await ends_paid(system, studio, command.booking_id)


@pytest.mark.requirement("approval-flow", "deadline-enforcement")
async def test_a_rejected_and_a_forgotten_request_free_the_seat(system: System) -> None:
    studio = await system.studio(approval=True)
    rejected, forgotten = (system.place(studio, who) for who in ("nora", "otto"))
    await system.accepted(rejected)
    reject = sample.reject_booking(booking_id=rejected.booking_id, actor=studio.actor)
    assert (await system.accepted(reject)).state == "REJECTED_BY_PROVIDER"
    await ends_unpaid(system, studio, rejected.booking_id, "REJECTED_BY_PROVIDER")
    await system.accepted(forgotten)
    await system.clock.advance(hours=24)
    approve = sample.approve_booking(booking_id=forgotten.booking_id, actor=studio.actor)
    assert (await system.rejected(approve)).code == "DEADLINE_PASSED"
    await ends_unpaid(system, studio, forgotten.booking_id, "EXPIRED")
