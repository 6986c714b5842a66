"""What payments tells: the answers to the saga's steps, and those that come too late (rules.md, Payment)."""

from __future__ import annotations

from dataclasses import replace

from booking_contracts import payments
from booking_contracts.booking import (
    BookingConfirmed,
    LatePaymentReturned,
    PaymentActionRequired,
    PaymentRequested,
)
from booking_contracts.types import SYSTEM, Money

from services.booking import saga
from services.booking.lifecycle.failed_and_expired import fail
from services.booking.lifecycle.passed_deadlines import catch_up
from services.booking.model.booking import Booking, PaymentStatus
from services.booking.model.states import FUNDED, PENDING, State
from services.booking.saga import Saga, Status, Step
from services.booking.work import BookingWork
from services.chassis.messages import Message


def authorized(message: Message[payments.PaymentAuthorized], work: BookingWork) -> None:
    """The pivot: the hold is checked again, then the booking is confirmed and the money taken.

    Requirements slot-availability-recheck, payment-capture-timing. Past the deadline the booking expires, even if
    the seat is free, and the authorisation goes back.
    """
    event = message.body
    booking = work.find(Booking, event.booking_id)
    if booking is None:
        return
    saga.answered(work, booking.booking_id, Step.AUTHORIZE, event.attempt, "authorized")
    own, first = event.attempt == booking.attempt, booking.payment_status is PaymentStatus.IN_FLIGHT
    booking = catch_up(work, booking)
    if own and first:
        booking = work.put(replace(booking, payment_status=PaymentStatus.AUTHORIZED))
    if booking.dead and own:
        if first:
            _return_late(work, booking, event.attempt, event.amount)
    elif own and first and event.amount == booking.price and not saga.voided(work, booking.booking_id, event.attempt):
        _confirm(work, booking)
    elif not own or booking.state in PENDING:
        _give_back(work, booking, event, "of an attempt or amount that is not asked for")


def _confirm(work: BookingWork, booking: Booking) -> None:
    booking = work.move(booking, State.CONFIRMED, deadline=None)
    work.watch_deadline(booking)
    booking = work.say(
        booking, BookingConfirmed, payment_id=booking.payment_id, reminder_minutes=booking.terms.reminder_minutes
    )
    saga.capture(work, booking)


def _give_back(work: BookingWork, booking: Booking, event: payments.PaymentEvent, why: str) -> None:
    """Voiding is safe for every attempt: payments gives back what it holds of it, captured or not, and only that."""
    saga.void(work, booking, event.attempt)
    work.note(booking, SYSTEM, f"{type(event).__name__} {why} (attempt {event.attempt}): voided")


def _return_late(work: BookingWork, booking: Booking, attempt: int, amount: Money) -> None:
    """Money reserved after the booking had ended goes back, once per attempt (requirement late-payment)."""
    saga.void(work, booking, attempt)
    booking = work.note(booking, SYSTEM, "late authorisation returned")
    work.say(booking, LatePaymentReturned, amount=amount)


def action_required(message: Message[payments.PaymentActionRequired], work: BookingWork) -> None:
    """The customer has to act; the saga waits, with the booking's deadline (requirement requires-action)."""
    event = message.body
    booking = work.find(Booking, event.booking_id)
    if booking is None:
        return
    booking = catch_up(work, booking)
    own, first = event.attempt == booking.attempt, booking.payment_status is PaymentStatus.IN_FLIGHT
    if not own or (booking.dead and first):
        saga.void(work, booking, event.attempt)
    elif booking.state is State.PENDING_PAYMENT and not saga.voided(work, booking.booking_id, event.attempt):
        saga.wait_for_customer(work, booking.booking_id, event.attempt, f"customer has to act: {event.kind}")
        work.say(
            booking,
            PaymentActionRequired,
            kind=event.kind,
            payment_id=booking.payment_id,
            attempt=booking.attempt,
        )


def declined(message: Message[payments.PaymentDeclined], work: BookingWork) -> None:
    """Instant: the booking ends at once and its seats are free. Approved: it stays payable until its deadline."""
    event = message.body
    booking = work.find(Booking, event.booking_id)
    if booking is None:
        return
    saga.answered(work, booking.booking_id, Step.AUTHORIZE, event.attempt, f"declined: {event.code}")
    if booking.state is not State.PENDING_PAYMENT or event.attempt != booking.attempt:
        return
    booking = work.put(replace(booking, payment_status=PaymentStatus.ENDED))
    booking = catch_up(work, booking)
    if booking.dead or saga.voided(work, booking.booking_id, event.attempt):
        return
    if booking.approval:
        work.say(booking, PaymentRequested, attempt=booking.attempt, last_error=event.code)
    else:
        reasons = {"INSUFFICIENT_FUNDS": "INSUFFICIENT_FUNDS", "action_failed": "action_failed"}
        fail(work, booking, reasons.get(event.code, "declined"), event.customer_message, event.code)


def captured(message: Message[payments.PaymentCaptured], work: BookingWork) -> None:
    """The money is in escrow. For a booking that has ended with no settlement it all goes back, once."""
    event = message.body
    booking = work.find(Booking, event.booking_id)
    if booking is None:
        return
    booking = catch_up(work, booking)
    if event.attempt != booking.attempt or booking.state in PENDING:
        _give_back(work, booking, event, "of an attempt or amount that is not asked for")
    elif booking.dead and booking.settlement_id is None:
        zero = Money(amount=0, currency=booking.price.currency)
        booking = saga.settle(work, booking, refund=event.amount, release=zero)
        booking = work.note(booking, SYSTEM, "late capture returned")
        work.say(booking, LatePaymentReturned, amount=event.amount)
    elif event.amount == booking.price:
        saga.answered(work, booking.booking_id, Step.CAPTURE, event.attempt, "captured")
        work.put(replace(booking, payment_status=PaymentStatus.CAPTURED))
    else:
        booking = work.note(booking, SYSTEM, f"captured {event.amount.amount} instead of {booking.price.amount}")
        _took_another(work, booking, event.amount)


def _took_another(work: BookingWork, booking: Booking, amount: Money) -> None:
    """Somebody captured by hand, at Stripe. Of a lesser amount all that is promised from now on is a share; of a larger
    one the price is, and the rest waits in escrow. Either way an operator is told, unless all was settled before."""
    if amount.currency == booking.price.currency and amount.amount < booking.price.amount:
        booking = work.put(replace(booking, payment_status=PaymentStatus.CAPTURED, captured_minor=amount.amount))
    if not booking.dead:
        saga.park_booking(work, booking.booking_id, "another amount was captured than agreed")


def capture_failed(message: Message[payments.CaptureFailed], work: BookingWork) -> None:
    """The authorisation is gone: before the start the booking ends, after it an operator decides."""
    event = message.body
    saga.answered(work, event.booking_id, Step.CAPTURE, event.attempt, f"failed: {event.code}")
    _authorisation_lost(work, event, event.code)


def voided(message: Message[payments.PaymentVoided], work: BookingWork) -> None:
    """The answer to a void; where nobody asked for one, the authorisation of a confirmed booking is gone."""
    event = message.body
    saga.answered(work, event.booking_id, Step.VOID, event.attempt, "voided")
    booking = work.find(Booking, event.booking_id)
    if booking is None or event.attempt != booking.attempt:
        return
    if booking.state in FUNDED:
        _authorisation_lost(work, event, "voided")
    elif booking.payment_status in (PaymentStatus.IN_FLIGHT, PaymentStatus.AUTHORIZED):
        booking = work.put(replace(booking, payment_status=PaymentStatus.ENDED))
        saga.answered(work, event.booking_id, Step.AUTHORIZE, event.attempt, "voided")
        catch_up(work, booking)


def _authorisation_lost(work: BookingWork, event: payments.PaymentEvent, why: str) -> None:
    booking = work.find(Booking, event.booking_id)
    if booking is None or event.attempt != booking.attempt or booking.payment_status is PaymentStatus.CAPTURED:
        return
    booking = catch_up(work, booking)
    if booking.state not in FUNDED:
        return
    if work.now < booking.starts_at:
        booking = work.put(replace(booking, payment_status=PaymentStatus.ENDED))
        fail(work, booking, "capture_failed")
    else:
        work.note(booking, SYSTEM, f"the session has begun and its payment is lost: {why}")
        saga.park_booking(work, booking.booking_id, f"payment lost after the start: {why}")


def settled(message: Message[payments.PaymentSettled], work: BookingWork) -> None:
    """The escrow is empty; a refund may still be on its way. Where nothing could be released, an operator decides."""
    event = message.body
    booking = work.find(Booking, event.booking_id)
    if booking is None or event.settlement_id != booking.settlement_id:
        return
    found = work.find(Saga, booking.booking_id)
    saga.answered(work, event.booking_id, Step.SETTLE, event.attempt, f"settled by {event.via}")
    if found is not None and found.status is not Status.DONE and event.via == "void" and found.release_minor:
        saga.park_booking(work, booking.booking_id, "nothing was captured, so nothing could be released")


def remembered(message: Message[payments.PaymentEvent], work: BookingWork) -> None:
    """Refund, payout and chargeback outcomes never change the state: they stand in the history."""
    booking = work.find(Booking, message.body.booking_id)
    if booking is not None:
        work.note(booking, SYSTEM, message.type.split(".")[1])


def chargeback_opened(message: Message[payments.ChargebackOpened], work: BookingWork) -> None:
    """Remembered; the saga waits with what would end the escrow (requirement chargebacks)."""
    remembered(message, work)
    saga.chargeback_opened(work, message.body.booking_id)


def chargeback_closed(message: Message[payments.ChargebackClosed], work: BookingWork) -> None:
    """Remembered; payments goes on with what it was asked for."""
    remembered(message, work)
    saga.chargeback_closed(work, message.body.booking_id)
