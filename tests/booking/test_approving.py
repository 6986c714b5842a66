"""Bookings that a provider approves or rejects, and how they are paid then."""

from datetime import timedelta
from typing import Any

import pytest
from booking_contracts import payments
from booking_contracts.booking import (
    AbandonPayment,
    ApproveBooking,
    BookingApproved,
    BookingConfirmed,
    BookingExpired,
    BookingRejected,
    BookingRequested,
    PayBooking,
    PaymentRequested,
    RejectBooking,
)
from booking_contracts.codes import Code
from booking_contracts.types import Actor, PaymentChoice

from services.booking.local_messages import DeadlineReached
from services.booking.model.booking import Booking
from services.booking.model.states import State
from tests.booking.builders import ADMIN, CARD, NOW, START, TEACHER, World, acting, answer, authorized

WALLET = PaymentChoice(method="wallet")


def approve(booking: Booking, actor: Actor = TEACHER) -> ApproveBooking:
    return ApproveBooking(booking_id=booking.booking_id, actor=actor)


def reject(booking: Booking, actor: Actor = TEACHER) -> RejectBooking:
    return RejectBooking(booking_id=booking.booking_id, reason="on holiday", actor=actor)


def pay(booking: Booking) -> PayBooking:
    return PayBooking(booking_id=booking.booking_id, payment=CARD, actor=acting())


def a_request(**changes: Any) -> tuple[World, Booking]:
    world = World(approval=True)
    return world, world.place(**changes)


def approved(**changes: Any) -> tuple[World, Booking]:
    world, booking = a_request(**changes)
    world.tell(approve(booking))
    return world, world.booking(booking.booking_id)


@pytest.mark.requirement("approval-flow", "confirmation-record")
def test_nothing_is_authorised_before_approval_and_the_payment_named_at_place_after_it() -> None:
    world, booking = a_request()
    assert (booking.state, world.sent(payments.AuthorizePayment)) == (State.PENDING_APPROVAL, [])
    assert len(world.sent(BookingRequested)) == 1
    accepted = world.tell(approve(booking))
    assert accepted is not None
    assert accepted.state == "PENDING_PAYMENT"
    (event,) = world.sent(BookingApproved)
    (asked,) = world.sent(payments.AuthorizePayment)
    assert asked.payment == CARD
    assert event.deadline == asked.expires_at == NOW + timedelta(hours=24)
    world.tell(authorized(world.booking(booking.booking_id)))
    assert world.booking(booking.booking_id).state is State.CONFIRMED


@pytest.mark.requirement("approval-flow")
def test_without_a_named_payment_the_wallet_is_tried() -> None:
    world, _ = approved(payment=None)
    assert world.sent(payments.AuthorizePayment)[0].payment == WALLET


@pytest.mark.requirement("approval-flow", "deadline-enforcement")
def test_the_payment_deadline_is_never_after_the_start() -> None:
    world = World(approval=True, approval_hours=72)
    booking = world.place()
    world.at(START - timedelta(hours=1)).tell(approve(booking))
    assert world.booking(booking.booking_id).deadline == START


@pytest.mark.requirement("approval-flow", "failure-handling")
@pytest.mark.parametrize("code", ["INSUFFICIENT_FUNDS", "generic_decline"])
def test_a_failed_try_leaves_it_payable_until_the_deadline(code: str) -> None:
    world, booking = approved(payment=WALLET)
    deadline = booking.deadline
    world.tell(answer(payments.PaymentDeclined, booking, code=code, retryable=True))
    (event,) = world.sent(PaymentRequested)
    assert (event.attempt, event.last_error, event.deadline) == (1, code, deadline)
    assert world.taken() == 1
    world.tell(pay(booking))
    booking = world.booking(booking.booking_id)
    assert (booking.attempt, booking.deadline) == (2, deadline)
    world.tell(authorized(booking))
    assert len(world.sent(BookingConfirmed)) == 1


@pytest.mark.requirement("approval-flow", "deadline-enforcement", "time-slot-lock")
def test_never_paid_it_expires_by_its_new_timer() -> None:
    world, booking = approved()
    world.tell(answer(payments.PaymentDeclined, booking, code="generic_decline", retryable=True))
    timer = world.reminders(DeadlineReached)[-1]
    assert timer.due_at == booking.deadline
    world.at(timer.due_at).tell(timer.body)
    assert world.booking(booking.booking_id).state is State.EXPIRED
    assert world.sent(BookingExpired)[0].reason == "payment"
    assert world.taken() == 0


@pytest.mark.requirement("approval-flow", "failure-handling")
def test_abandoning_voids_the_attempt_once_and_a_late_authorisation_of_it_does_not_confirm() -> None:
    world, booking = approved()
    abandon = AbandonPayment(booking_id=booking.booking_id, actor=acting())
    world.tell(abandon)
    world.tell(abandon)
    assert len(world.sent(payments.VoidPayment)) == len(world.sent(PaymentRequested)) == 1
    assert world.refused(pay(booking)).details["reason"] == "payment_in_progress"
    world.tell(authorized(booking))
    assert world.booking(booking.booking_id).state is State.PENDING_PAYMENT
    world.tell(answer(payments.PaymentVoided, booking))
    world.tell(pay(booking))
    world.tell(authorized(world.booking(booking.booking_id)))
    assert world.booking(booking.booking_id).state is State.CONFIRMED


@pytest.mark.requirement("approval-flow")
def test_a_rejection_frees_the_seats_and_says_why() -> None:
    world, booking = a_request()
    world.tell(reject(booking))
    assert world.booking(booking.booking_id).state is State.REJECTED_BY_PROVIDER
    assert (world.taken(), world.sent(BookingRejected)[0].reason) == (0, "on holiday")
    assert world.sent(payments.AuthorizePayment) == world.sent(payments.VoidPayment) == []


@pytest.mark.requirement("approval-flow", "deadline-enforcement")
@pytest.mark.parametrize("command", [approve, reject])
def test_at_the_deadline_it_expires_in_the_refused_commands_own_transaction(command: object) -> None:
    world, booking = a_request()
    assert booking.deadline is not None
    body = command(booking)  # type: ignore[operator]
    assert world.at(booking.deadline).refused(body).code is Code.DEADLINE_PASSED
    assert world.booking(booking.booking_id).state is State.EXPIRED
    assert world.sent(BookingExpired)[0].reason == "approval"
    assert world.refused(body).code is Code.DEADLINE_PASSED
    assert len(world.sent(BookingExpired)) == 1


@pytest.mark.requirement("actors")
@pytest.mark.parametrize("command", [approve, reject])
def test_only_its_provider_or_an_admin_decides(command: object) -> None:
    world, booking = a_request()
    stranger = Actor(kind="provider", id="00000000-0000-0000-0000-000000000009")
    for actor in (acting(), stranger):
        assert world.refused(command(booking, actor)).code is Code.NOT_ALLOWED  # type: ignore[operator]
    world.tell(command(booking, ADMIN))  # type: ignore[operator]
