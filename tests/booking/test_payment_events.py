"""What payments tells a booking, also when it comes late or twice."""

from datetime import timedelta

import pytest
from booking_contracts import payments
from booking_contracts.booking import (
    BookingConfirmed,
    BookingExpired,
    CancelBooking,
    LatePaymentReturned,
    PaymentActionRequired,
    PaymentFailed,
)
from booking_contracts.types import Money

from services.booking import saga
from services.booking.local_messages import AskAgain, DeadlineReached
from services.booking.model.states import State
from services.booking.saga import Saga, Status, Step
from services.chassis.unit_of_work import Send
from tests.booking.builders import START, World, acting, answer, authorized


@pytest.mark.requirement("payment-capture-timing")
def test_an_authorisation_confirms_and_only_then_the_money_is_taken() -> None:
    world = World()
    booking = world.place()
    assert world.sent(payments.CapturePayment) == []
    world.tell(authorized(booking))
    assert world.booking(booking.booking_id).state is State.CONFIRMED
    assert len(world.sent(BookingConfirmed)) == len(world.sent(payments.CapturePayment)) == 1


@pytest.mark.requirement("slot-availability-recheck", "deadline-enforcement")
def test_an_authorisation_at_the_deadline_expires_the_booking_and_goes_back() -> None:
    world = World()
    booking = world.place()
    assert booking.deadline is not None
    world.at(booking.deadline).tell(authorized(booking))
    assert world.booking(booking.booking_id).state is State.EXPIRED
    assert len(world.sent(BookingExpired)) == 1
    assert len(world.sent(payments.VoidPayment)) == 1
    assert world.sent(payments.CapturePayment) == []
    assert world.taken() == 0


@pytest.mark.requirement("late-payment")
def test_a_late_authorisation_is_voided_once_and_the_customer_told() -> None:
    world = World()
    booking = world.place()
    assert booking.deadline is not None
    world.at(booking.deadline).tell(DeadlineReached(booking_id=booking.booking_id))
    world.tell(authorized(booking))
    world.tell(authorized(booking))
    assert len(world.sent(payments.VoidPayment)) == 1
    assert world.sent(LatePaymentReturned)


@pytest.mark.parametrize("change", [{"attempt": 2}, {"amount": Money(amount=1, currency="EUR")}])
@pytest.mark.requirement("payment-booking-coupling")
def test_a_forged_authorisation_does_not_confirm(change: dict[str, object]) -> None:
    world = World()
    booking = world.place()
    world.tell(authorized(booking, **change))
    assert world.booking(booking.booking_id).state is State.PENDING_PAYMENT
    assert len(world.sent(payments.VoidPayment)) == 1


@pytest.mark.requirement("failure-handling")
def test_a_decline_frees_the_seats_at_once() -> None:
    world = World()
    booking = world.place()
    world.tell(answer(payments.PaymentDeclined, booking, code="generic_decline", retryable=True))
    assert world.booking(booking.booking_id).state is State.PAYMENT_FAILED
    assert world.taken() == 0
    (failed,) = world.sent(PaymentFailed)
    assert (failed.reason, failed.code) == ("declined", "generic_decline")
    assert failed.customer_message


@pytest.mark.requirement("requires-action")
def test_three_d_secure_waits_for_the_customer_and_is_not_asked_again() -> None:
    world = World()
    booking = world.place()
    world.tell(answer(payments.PaymentActionRequired, booking, kind="authenticate"))
    (event,) = world.sent(PaymentActionRequired)
    assert event.kind == "authenticate"
    world.tell(AskAgain(booking_id=booking.booking_id, step=Step.AUTHORIZE, attempt=1, asked=1))
    assert len(world.sent(payments.AuthorizePayment)) == 1


@pytest.mark.requirement("late-payment", "saga")
def test_an_action_that_is_asked_for_after_the_capture_leaves_the_settlement_as_it_is() -> None:
    world = World()
    booking = world.confirmed()
    world.tell(CancelBooking(booking_id=booking.booking_id, actor=acting()))
    before = world.work.find(Saga, booking.booking_id)
    world.tell(answer(payments.PaymentActionRequired, booking, kind="authenticate"))
    assert world.work.find(Saga, booking.booking_id) == before
    assert world.sent(payments.VoidPayment) == []


@pytest.mark.requirement("timeouts")
def test_a_step_without_an_answer_is_asked_again_and_then_parked() -> None:
    world = World()
    booking = world.confirmed(captured=False)
    for asked in range(1, saga.MOST_ASKS + 1):
        timer = AskAgain(booking_id=booking.booking_id, step=Step.CAPTURE, attempt=1, asked=asked)
        world.tell(timer)
        world.tell(timer)  # a timer that comes twice asks once
    assert len(world.sent(payments.CapturePayment)) == saga.MOST_ASKS
    row = world.work.find(Saga, booking.booking_id)
    assert row is not None
    assert row.status is Status.STUCK


@pytest.mark.requirement("saga")
def test_an_answered_step_is_not_asked_again() -> None:
    world = World()
    booking = world.confirmed()
    world.tell(AskAgain(booking_id=booking.booking_id, step=Step.CAPTURE, attempt=1, asked=1))
    assert len(world.sent(payments.CapturePayment)) == 1


def test_a_capture_that_fails_before_the_start_ends_the_booking() -> None:
    world = World()
    booking = world.confirmed(captured=False)
    world.tell(answer(payments.CaptureFailed, booking, code="payment_intent_unexpected_state"))
    assert world.booking(booking.booking_id).state is State.PAYMENT_FAILED
    assert world.taken() == 0
    assert world.sent(PaymentFailed)[0].reason == "capture_failed"


def test_a_capture_that_fails_after_the_start_is_an_operators_case() -> None:
    world = World()
    booking = world.confirmed(captured=False)
    world.at(START + timedelta(minutes=1))
    world.tell(answer(payments.CaptureFailed, booking, code="payment_intent_unexpected_state"))
    assert world.booking(booking.booking_id).state is State.CONFIRMED
    row = world.work.find(Saga, booking.booking_id)
    assert row is not None
    assert row.status is Status.STUCK


@pytest.mark.requirement("late-payment")
def test_a_capture_for_a_dead_booking_is_refunded_once() -> None:
    world = World()
    booking = world.place()
    assert booking.deadline is not None
    world.at(booking.deadline).tell(DeadlineReached(booking_id=booking.booking_id))
    for _ in range(2):
        world.tell(answer(payments.PaymentCaptured, booking, amount=booking.price))
    (settle,) = world.sent(payments.SettlePayment)
    assert (settle.refund.amount, settle.release.amount) == (4500, 0)


@pytest.mark.requirement("ordering")
def test_events_of_a_booking_are_numbered_without_gaps() -> None:
    world = World()
    booking = world.confirmed()
    assert booking.sequence == 2
    sends = [effect for effect in world.work.journal if isinstance(effect, Send)]
    assert [send.sequence for send in sends if send.topic == "booking.events"] == [1, 2]
