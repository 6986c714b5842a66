"""How bookings end before a session: expiry, failure, supersession, cancellation. Seats and status go in one step
(requirement failure-handling)."""

from __future__ import annotations

from booking_contracts.booking import BookingCancelled, BookingExpired, PaymentFailed
from booking_contracts.types import SYSTEM, Actor

from services.booking import saga
from services.booking.lifecycle import offers
from services.booking.lifecycle.due import finish_if_due
from services.booking.local_messages import AskAgain, DeadlineReached
from services.booking.model import refunds
from services.booking.model.booking import Booking, PaymentStatus
from services.booking.model.closing import Closing
from services.booking.model.refunds import Amounts
from services.booking.model.slots import Slot
from services.booking.model.states import State
from services.booking.work import BookingWork
from services.chassis.messages import Message

CUSTOMER_MESSAGES = {
    "declined": "Your payment was declined and nothing was charged. Please book again with another card.",
    "INSUFFICIENT_FUNDS": "There is not enough money for this booking; nothing was charged.",
    "abandoned": "You left the payment. Nothing was charged, and the slot is still available.",
    "superseded": "You started again; this try was replaced by your newer one. Nothing was charged for it.",
    "action_failed": "Your bank did not confirm the payment; nothing was charged. Please try again.",
    "capture_failed": "Your payment could not be collected, so the booking had to be ended. Nothing was charged.",
}

BY = {
    "customer": State.CANCELLED_BY_CUSTOMER,
    "provider": State.CANCELLED_BY_PROVIDER,
    "admin": State.CANCELLED_BY_ADMIN,
}


def deadline_reached(message: Message[DeadlineReached], work: BookingWork) -> None:
    """The timer of a booking's deadline; one for a booking that moved on does nothing."""
    booking = work.find(Booking, message.body.booking_id)
    if booking is not None:
        expire_if_due(work, booking)


def ask_again(message: Message[AskAgain], work: BookingWork) -> None:
    """The timer of a saga's step."""
    saga.ask_again(work, message.body)


def expire_what_is_due(work: BookingWork, slot: Slot) -> None:
    """Holds and offers that are over, on this slot and on the provider's slots that overlap it, end before anything
    is decided, and their seats go to who waits for them.

    They end for good, also when the command that met them is refused. Once a batch is enough: it has one `now`, and a
    hold that begins in it ends later; but the slot may be closed in it.
    """
    if not work.first_look(slot.slot_id) and work.closing_of(slot.slot_id) is None:
        return
    for other in [slot, *(other for other in work.slots_of(slot.provider_id) if slot.overlaps(other))]:
        for booking in list(work.bookings_on(other.slot_id)):
            expire_if_due(work, booking)
        for entry in list(work.entries_on(other.slot_id)):
            offers.brought_up_to_date(work, entry)
    row = work.find(Slot, slot.slot_id)
    if row is not None and not row.active:  # an edit of the offering may have made room for its line
        work.freed.add(slot.slot_id)
    offers.pass_on(work)
    work.keep()


def expire_if_due(work: BookingWork, booking: Booking) -> Booking:
    """What the timer does, also done by a command that comes first: seats free, money back, everybody told.

    A session that is over, or whose dispute window is, is finished in the same way. A booking on a slot that was closed
    is cancelled, as of then: its slice may not have come yet.
    """
    closing = work.closing_of(booking.slot_id)
    if closing is not None and closing.cancels(booking):
        return cancel_with_slot(work, booking, closing)
    if not booking.overdue(work.now):
        return finish_if_due(work, booking)
    reason = "approval" if booking.state is State.PENDING_APPROVAL else "payment"
    return end(work, work.move(booking, State.EXPIRED), BookingExpired, reason=reason)


def cancel(
    work: BookingWork,
    booking: Booking,
    actor: Actor,
    amounts: Amounts,
    reason: str | None,
    to: State | None = None,
    cause: str | None = None,
) -> Booking:
    """End a booking on somebody's wish, and give back what is due; `to` where the state is not the actor's own."""
    paid = booking.state is State.CONFIRMED
    booking = work.move(booking, to or BY[actor.kind], actor, reason=reason, deadline=None)
    if paid:
        booking = saga.settle(work, booking, refund=amounts.refund, release=amounts.kept)
    elif booking.payment_status is PaymentStatus.IN_FLIGHT:
        saga.void(work, booking)
    refund, kept = amounts.refund, amounts.kept
    return work.say(booking, BookingCancelled, by=actor, reason=reason, cause=cause, refund=refund, kept=kept)


def cancel_with_slot(work: BookingWork, booking: Booking, closing: Closing) -> Booking:
    """The slot was closed: CANCELLED_BY_PROVIDER, whoever closed it, with everything back."""
    paid = booking.state is State.CONFIRMED
    amounts = refunds.share(booking.price, 100) if paid else refunds.nothing(booking.price)
    with work.on_behalf_of(closing):
        to = State.CANCELLED_BY_PROVIDER
        return cancel(work, booking, closing.actor, amounts, "the slot was closed", to, "slot_closed")


def fail(
    work: BookingWork, booking: Booking, reason: str, message: str | None = None, code: str | None = None
) -> Booking:
    """PAYMENT_FAILED, with the sentence that the customer may be shown, and the code of a decline."""
    booking = work.move(booking, State.PAYMENT_FAILED, SYSTEM, reason=reason)
    message = message or CUSTOMER_MESSAGES[reason]
    return end(work, booking, PaymentFailed, reason=reason, customer_message=message, code=code)


def supersede(work: BookingWork, booking: Booking) -> Booking:
    """The same customer tries again: the older try ends and its seats pass on, in one transaction."""
    return fail(work, booking, "superseded")


def end(
    work: BookingWork, booking: Booking, event: type[PaymentFailed | BookingExpired], **fields: str | None
) -> Booking:
    """Give back what the current attempt may have reserved, and say what happened."""
    if booking.payment_status in (PaymentStatus.IN_FLIGHT, PaymentStatus.AUTHORIZED):
        saga.void(work, booking)
    return work.say(booking, event, **fields)
