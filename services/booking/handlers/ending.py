"""How bookings end before a session: expiry, failure, supersession. Seats and status go in one step
(requirement failure-handling)."""

from __future__ import annotations

from booking_contracts.booking import BookingExpired, PaymentFailed
from booking_contracts.types import SYSTEM

from services.booking import saga
from services.booking.handlers import offers
from services.booking.handlers.completing import finish_if_due
from services.booking.model.booking import Booking, PaymentStatus
from services.booking.model.slots import Slot
from services.booking.model.states import State
from services.booking.timers import AskAgain, DeadlineReached
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
    hold that begins in it ends later.
    """
    if not work.first_look(slot.slot_id):
        return
    for other in [slot, *(other for other in work.slots_of(slot.provider_id) if slot.overlaps(other))]:
        for booking in list(work.bookings_on(other.slot_id)):
            expire_if_due(work, booking)
        for entry in list(work.entries_on(other.slot_id)):
            offers.brought_up_to_date(work, entry)
    offers.pass_on(work)
    work.keep()


def expire_if_due(work: BookingWork, booking: Booking) -> Booking:
    """What the timer does, also done by a command that comes first: seats free, money back, everybody told.

    A session that is over, or whose dispute window is, is finished in the same way.
    """
    if not booking.overdue(work.now):
        return finish_if_due(work, booking)
    reason = "approval" if booking.state is State.PENDING_APPROVAL else "payment"
    return end(work, work.move(booking, State.EXPIRED), BookingExpired, reason=reason)


def fail(work: BookingWork, booking: Booking, reason: str, message: str | None = None) -> Booking:
    """PAYMENT_FAILED, with the sentence that the customer may be shown."""
    booking = work.move(booking, State.PAYMENT_FAILED, SYSTEM, reason=reason)
    return end(work, booking, PaymentFailed, reason=reason, customer_message=message or CUSTOMER_MESSAGES[reason])


def supersede(work: BookingWork, booking: Booking) -> Booking:
    """The same customer tries again: the older try ends and its seats pass on, in one transaction."""
    return fail(work, booking, "superseded")


def end(work: BookingWork, booking: Booking, event: type[PaymentFailed | BookingExpired], **fields: str) -> Booking:
    """Give back what the current attempt may have reserved, and say what happened."""
    if booking.payment_status in (PaymentStatus.IN_FLIGHT, PaymentStatus.AUTHORIZED):
        saga.void(work, booking)
    return work.say(booking, event, **fields)
