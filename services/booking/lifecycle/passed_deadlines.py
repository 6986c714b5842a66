"""What a passed deadline does: bookings and offers expire, sessions complete themselves and their escrow is released.

A command that comes after the instant but before the timer does the same first, and that stays, also when it is then
refused (requirements deadline-enforcement, ghost-provider, double-confirmation).
"""

from __future__ import annotations

from booking_contracts.booking import (
    BookingCompleted,
    SessionCompleted,
    WaitlistOfferExpired,
)
from booking_contracts.types import SYSTEM, Actor, Money

from services.booking import saga
from services.booking.lifecycle import freed_seats
from services.booking.lifecycle.cancellation import cancel_with_slot
from services.booking.lifecycle.entry_steps import end_entry
from services.booking.lifecycle.failed_and_expired import expire
from services.booking.lifecycle.hours_gone import close_entry
from services.booking.model.booking import Booking
from services.booking.model.deadlines import due_at, of_dispute_window, overdue
from services.booking.model.slots import Slot
from services.booking.model.states import State
from services.booking.model.waitlist import OPEN, Entry, EntryState
from services.booking.work import BookingWork


def catch_up(work: BookingWork, booking: Booking) -> Booking:
    """The booking after what time has done to it: seats free, money back, everybody told.

    A session that is over, or whose dispute window is, is finished in the same way. A booking on a slot that was closed
    is cancelled, as of then: its slice may not have come yet.
    """
    booking = _step(work, booking)
    work.keep()
    return booking


def _step(work: BookingWork, booking: Booking) -> Booking:
    closing = work.closing_of(booking.slot_id)
    if closing is not None and closing.cancels(booking):
        return cancel_with_slot(work, booking, closing)
    return expire(work, booking) if overdue(booking, work.now) else _finish(work, booking)


def catch_up_slot(work: BookingWork, slot: Slot) -> None:
    """Holds and offers that are over, on this slot and on the provider's slots that overlap it, end before anything
    is decided, and their seats go to who waits for them.

    Once a batch is enough: it has one `now`, and a hold that begins in it ends later; but the slot may be closed in it.
    """
    if not work.first_look(slot.slot_id) and work.closing_of(slot.slot_id) is None:
        return
    for other in [slot, *(other for other in work.slots_of(slot.provider_id) if slot.overlaps(other))]:
        for booking in list(work.bookings_on(other.slot_id)):
            catch_up(work, booking)
        for entry in list(work.entries_on(other.slot_id)):
            catch_up_entry(work, entry)
    row = work.find(Slot, slot.slot_id)
    if row is not None and not row.active:  # an edit of the offering may have made room for its line
        work.freed.add(slot.slot_id)
    freed_seats.pass_on(work)
    work.keep()


def catch_up_entry(work: BookingWork, entry: Entry) -> Entry:
    """The waitlist entry after what time, or the closing of its slot, has done to it."""
    entry = _entry_step(work, entry)
    work.keep()
    return entry


def _entry_step(work: BookingWork, entry: Entry) -> Entry:
    closing = work.closing_of(entry.slot_id)
    if closing is not None and entry.state in OPEN:
        with work.on_behalf_of(closing):
            return close_entry(work, entry, "not_offered")
    if entry.offer_over(work.now):
        return end_entry(work, entry, EntryState.EXPIRED, WaitlistOfferExpired)
    if entry.line_over(work.now):
        return close_entry(work, entry, "line_over")
    return entry


def _finish(work: BookingWork, booking: Booking) -> Booking:
    """One step at most: the dispute window starts when PENDING_CONFIRMATION is entered, however late that is."""
    due = due_at(booking)
    if due is None or work.now < due:
        return booking
    if booking.state is State.CONFIRMED:
        return complete(work, booking, SYSTEM)
    if booking.state is State.PENDING_CONFIRMATION:
        return release(work, booking, SYSTEM)
    return booking


def complete(work: BookingWork, booking: Booking, by: Actor) -> Booking:
    """The session is over; from now on the customer can confirm or dispute, until the deadline."""
    deadline = of_dispute_window(booking, work.now)
    booking = work.move(booking, State.PENDING_CONFIRMATION, by, deadline=deadline)
    work.watch_deadline(booking)
    return work.say(booking, SessionCompleted, by=by)


def release(work: BookingWork, booking: Booking, by: Actor) -> Booking:
    """All of the escrow to the provider, once: the state is left in the step that asks for it (requirement escrow).

    SettlePayment may overtake the capture: payments captures first, so nothing is released before it is captured.
    """
    booking = work.move(booking, State.COMPLETED, by, deadline=None)
    nothing = Money(amount=0, currency=booking.price.currency)
    booking = saga.settle(work, booking, refund=nothing, release=booking.escrow)
    return work.say(booking, BookingCompleted, release=booking.escrow)
