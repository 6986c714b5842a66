"""What was agreed stays; how to reach and to pay the provider is as of today."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from booking_contracts import payments
from booking_contracts.booking import (
    BookingCancelled,
    CloseSlot,
    PayBooking,
    RegisterProvider,
    WaitlistClosed,
    WaitlistOffered,
)

from tests.booking.builders import ADMIN, CARD, NOW, OFFERING, PROVIDER, START, TEACHER, World, acting
from tests.booking.line import Line, cancel
from tests.booking.replicas import cancel as cancelled
from tests.booking.replicas import join
from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine
from tests.chassis.scenes import ADMIN as ROOT
from tests.chassis.scenes import Scene

MOVED: dict[str, Any] = {
    "name": "Ann Lee",
    "email": "new@example.com",
    "timezone": "Asia/Kathmandu",
    "refund_policy": "strict",
}
TOLD = {"provider_name": "Ann Lee", "provider_email": "new@example.com", "provider_timezone": "Asia/Kathmandu"}


def registered(**changes: Any) -> RegisterProvider:
    return RegisterProvider(**{"provider_id": PROVIDER, "actor": ADMIN, **MOVED, **changes})


@pytest.mark.requirement("status-updates", "refund-policy")
def test_later_events_name_the_provider_of_today_and_the_policy_of_then() -> None:
    world = World()
    booking = world.confirmed()
    world.tell(registered())
    world.at(START - timedelta(hours=3)).tell(cancel(booking))
    (event,) = world.sent(BookingCancelled)
    assert {name: getattr(event, name) for name in TOLD} == TOLD
    assert event.refund.amount == 2250, "flexible, as it was agreed; strict gives nothing"


@pytest.mark.requirement("provider-payouts")
def test_an_attempt_names_the_payout_account_of_today() -> None:
    world = World()
    booking = world.place(payment=None)
    world.tell(registered(payout_account="acct_new1"))
    world.tell(PayBooking(booking_id=booking.booking_id, payment=CARD, actor=acting()))
    (asked,) = world.sent(payments.AuthorizePayment)
    assert asked.payout_account == "acct_new1"


@pytest.mark.requirement("status-updates", "waitlist-handling")
def test_who_waits_hears_the_providers_name_of_today() -> None:
    world = Line()
    world.joined()
    world.tell(registered())
    world.tell(cancel(world.sitting))
    (offer,) = world.sent(WaitlistOffered)
    assert offer.provider_name == "Ann Lee"
    world.at(NOW + timedelta(minutes=1)).tell(CloseSlot(offering_id=OFFERING, starts_at=START, actor=TEACHER))
    assert [event.provider_name for event in world.sent(WaitlistClosed)] == ["Ann Lee"]


@pytest.mark.requirement("status-updates")
async def test_whatever_a_batch_is_about_it_knows_the_provider(engine: Engine) -> None:
    """A payment, a cancellation and its offer, a timer, the slices of a closed slot; each in a batch of its own."""
    scene = await Scene(engine).open(slots=2, capacity=2)
    first, held = scene.place("ann"), scene.place("bob", 1)
    await engine.tell(first, held)
    full = scene.place("cyd", seats=1)
    await engine.tell(full, join(scene, "eve", seats=2))
    register = {**MOVED, "provider_id": scene.provider_id, "actor": ROOT}
    await engine.tell(RegisterProvider(**register))
    before = len(await engine.sent())
    await engine.tell(await scene.authorized(first.booking_id))
    await engine.tell(cancelled(full.booking_id, "cyd"))
    engine.clock.advance(minutes=16)
    await engine.run_local()
    closed = CloseSlot(offering_id=scene.offering_id, starts_at=scene.start(0), actor=scene.teacher)
    await engine.run(engine.record(closed, key=str(scene.provider_id)))
    told = [sent for sent in (await engine.sent())[before:] if sent.topic == "booking.events"]
    expected = {"BookingConfirmed", "BookingCancelled", "BookingExpired", "WaitlistClosed"}
    assert {sent.type.split(".")[1] for sent in told} == expected
    assert {sent.body["provider_name"] for sent in told} == {"Ann Lee"}
    assert {sent.body.get("provider_email", "new@example.com") for sent in told} == {"new@example.com"}
