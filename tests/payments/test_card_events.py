"""What Stripe tells by itself about a card payment."""

from __future__ import annotations

from uuid import UUID

import pytest
from booking_contracts.payments import PaymentCaptured

from services.payments.local_messages import IntentChanged
from services.payments.model.payment import Operation
from tests.payments.builders import NOW, PRICE, World, authorize, eur


@pytest.mark.requirement("webhooks")
@pytest.mark.parametrize("kind", ["amount_capturable_updated", "succeeded", "payment_failed", "requires_action"])
def test_an_event_that_the_row_already_shows_is_ignored(kind: str) -> None:
    world = World().captured()
    world.event(kind)
    assert world.operations == ["authorize", "capture"]


@pytest.mark.requirement("webhooks")
def test_an_event_during_a_call_is_looked_at_afterwards() -> None:
    world = World()
    world.tell(authorize())
    world.event("amount_capturable_updated")
    (reminder,) = world.reminders(IntentChanged)
    assert reminder.due_at > NOW
    assert world.operations == ["authorize"]
    world.stripe_says("requires_capture")
    world.tell(reminder.body)
    assert world.operations == ["authorize"]


@pytest.mark.requirement("webhooks")
def test_events_of_other_attempts_and_unknown_bookings_are_ignored() -> None:
    world = World().authorized()
    world.event("canceled", attempt=7)
    world.event("canceled", payment_intent="pi_other")
    world.event("canceled", booking_id=UUID(int=99))
    assert world.operations == ["authorize"]


@pytest.mark.requirement("webhooks")
def test_a_capture_outside_of_the_system_is_posted() -> None:
    world = World().authorized()
    world.event("succeeded")
    assert world.calls[-1].operation == Operation.RETRIEVE
    world.stripe_says("succeeded")
    assert world.last(PaymentCaptured).amount == eur(PRICE)


def test_what_stripe_tells_belongs_to_the_command_that_began_it() -> None:
    world = World()
    world.tell(authorize(), correlation_id="my-request-7")
    world.stripe_says("requires_action")
    world.event("amount_capturable_updated")
    world.stripe_says("requires_capture")
    assert {send.cause.correlation_id for send in world.sends if send.cause} == {"my-request-7"}
