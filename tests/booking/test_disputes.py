"""Disputes: who may raise one and when, and where an admin may send the escrow."""

from datetime import timedelta
from typing import Literal

import pytest
from booking_contracts import payments
from booking_contracts.booking import DisputeRaised, DisputeResolved, RaiseDispute, ResolveDispute
from booking_contracts.codes import Code
from booking_contracts.types import Actor, Money, PaymentChoice

from services.booking.local_messages import DeadlineReached
from services.booking.model.booking import Booking
from services.booking.model.states import State
from tests.booking.builders import ADMIN, START, TEACHER, World, acting
from tests.booking.lives import completed_by_provider, disputed, euros, split


def dispute(booking: Booking, actor: Actor | None = None) -> RaiseDispute:
    return RaiseDispute(booking_id=booking.booking_id, reason="nobody came", actor=actor or acting())


def resolve(booking: Booking, refund: Money, release: Money, actor: Actor = ADMIN) -> ResolveDispute:
    return ResolveDispute(booking_id=booking.booking_id, refund=refund, release=release, note="heard both", actor=actor)


@pytest.mark.requirement("disputes", "deadline-enforcement")
def test_a_running_session_can_be_disputed_from_its_start_on() -> None:
    world = World()
    booking = world.confirmed()
    assert world.at(START - timedelta(microseconds=1)).refused(dispute(booking)).code is Code.TOO_EARLY
    world.at(START).tell(dispute(booking))
    (event,) = world.sent(DisputeRaised)
    assert (event.state, event.by, event.reason) == ("DISPUTED", acting(), "nobody came")
    assert world.sent(payments.SettlePayment) == []


@pytest.mark.requirement("disputes", "escrow")
def test_a_dispute_stops_the_release() -> None:
    world = World()
    booking = completed_by_provider(world)
    timer = world.reminders(DeadlineReached)[-1]
    world.tell(dispute(booking))
    world.at(timer.due_at).tell(timer.body)
    assert world.booking(booking.booking_id).state is State.DISPUTED
    assert world.sent(payments.SettlePayment) == []


@pytest.mark.requirement("disputes", "double-confirmation")
def test_a_dispute_that_comes_with_the_end_of_the_window_is_too_late_whether_or_not_the_timer_has_run() -> None:
    for timer_first in (True, False):
        world = World()
        booking = completed_by_provider(world)
        assert booking.deadline is not None
        world.at(booking.deadline)
        if timer_first:
            world.tell(DeadlineReached(booking_id=booking.booking_id))
        assert world.refused(dispute(booking)).code is Code.WINDOW_CLOSED
        assert world.booking(booking.booking_id).state is State.COMPLETED
        assert len(world.sent(payments.SettlePayment)) == 1


@pytest.mark.requirement("disputes", "ledger")
@pytest.mark.parametrize(
    ("refund", "state"),
    [(4500, State.RESOLVED_REFUNDED), (0, State.RESOLVED_RELEASED), (1500, State.RESOLVED_SPLIT)],
)
def test_an_admin_shares_out_what_is_in_escrow(refund: int, state: State) -> None:
    world = World()
    booking = disputed(world)
    world.tell(split(booking, refund))
    assert world.booking(booking.booking_id).state is state
    (settle,) = world.sent(payments.SettlePayment)
    assert (settle.refund.amount, settle.release.amount) == (refund, 4500 - refund)
    assert world.sent(DisputeResolved)[0].note == "heard both"


@pytest.mark.requirement("disputes")
@pytest.mark.parametrize(
    ("refund", "release"),
    [
        (euros(4500), euros(1)),
        (euros(0), euros(4499)),
        (Money(amount=4500, currency="USD"), euros(0)),
        (euros(4500), Money(amount=0, currency="USD")),
    ],
)
def test_other_amounts_than_the_escrow_are_refused(refund: Money, release: Money) -> None:
    world = World()
    booking = disputed(world)
    refused = world.refused(resolve(booking, refund, release))
    assert (refused.code, refused.details["escrow"]) == (Code.AMOUNT_MISMATCH, {"amount": 4500, "currency": "EUR"})
    assert world.booking(booking.booking_id).state is State.DISPUTED


@pytest.mark.requirement("disputes", "refund-logic")
@pytest.mark.parametrize(("method", "code"), [("card", Code.INVALID_COMMAND), ("wallet", None)])
def test_a_card_is_refunded_in_the_steps_of_its_currency(method: Literal["card", "wallet"], code: Code | None) -> None:
    def kwd(amount: int) -> Money:
        return Money(amount=amount, currency="KWD")

    world = World(price=kwd(4510))
    booking = world.confirmed(payment=PaymentChoice(method=method))
    world.at(START).tell(dispute(booking))
    if code is None:
        world.tell(resolve(booking, kwd(2255), kwd(2255)))
    else:
        refused = world.refused(resolve(booking, kwd(2255), kwd(2255)))
        assert (refused.code, refused.details["field"]) == (code, "refund")
        world.tell(resolve(booking, kwd(2260), kwd(2250)))
    assert world.booking(booking.booking_id).state is State.RESOLVED_SPLIT


@pytest.mark.requirement("disputes", "actors")
def test_an_admin_alone_resolves_and_the_provider_does_not_dispute() -> None:
    world = World()
    booking = disputed(world)
    for actor in (acting(), TEACHER):
        assert world.refused(resolve(booking, euros(4500), euros(0), actor)).code is Code.NOT_ALLOWED
    assert world.refused(dispute(booking, TEACHER)).code is Code.NOT_ALLOWED
    assert world.refused(dispute(booking)).code is Code.ILLEGAL_TRANSITION


@pytest.mark.requirement("disputes")
def test_a_resolved_dispute_stays_resolved() -> None:
    world = World()
    booking = disputed(world)
    world.tell(split(booking, 1500))
    assert world.refused(split(booking, 4500)).code is Code.ILLEGAL_TRANSITION
    assert len(world.sent(payments.SettlePayment)) == 1
