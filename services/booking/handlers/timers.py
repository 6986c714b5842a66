"""The timers: each comes back when time may have done something, and does nothing where it has not."""

from __future__ import annotations

from services.booking import saga
from services.booking.lifecycle.passed_deadlines import catch_up, catch_up_entry
from services.booking.local_messages import AskAgain, DeadlineReached, EntryDue, SeatsLeft
from services.booking.model.booking import Booking
from services.booking.model.waitlist import Entry
from services.booking.work import BookingWork
from services.chassis.messages import Message


def deadline_reached(message: Message[DeadlineReached], work: BookingWork) -> None:
    """The timer of a booking's deadline; one for a booking that moved on does nothing."""
    booking = work.find(Booking, message.body.booking_id)
    if booking is not None:
        catch_up(work, booking)


def ask_again(message: Message[AskAgain], work: BookingWork) -> None:
    """The timer of a saga's step."""
    saga.ask_again(work, message.body)


def entry_due(message: Message[EntryDue], work: BookingWork) -> None:
    """The timer of an entry; one for an entry that moved on does nothing."""
    entry = work.find(Entry, message.body.entry_id)
    if entry is not None:
        catch_up_entry(work, entry)


def seats_left(message: Message[SeatsLeft], work: BookingWork) -> None:
    """More people in line may fit: the slot counts as freed, and its seats are offered after this message."""
    work.freed.add(message.body.slot_id)
