"""Until when what may be done, and when time alone takes the next step (requirement deadline-enforcement).

An action is allowed while now < deadline and refused at equality (rules.md, Time). What a deadline does that has
passed: lifecycle/passed_deadlines.py. Those of the waitlist: waitlist.py.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from services.booking.model.booking import Booking
from services.booking.model.catalogue import Offering
from services.booking.model.states import PENDING, State


def of_new_booking(offering: Offering, starts_at: datetime, now: datetime) -> datetime:
    """Until when it is to be approved, or else paid."""
    limit = timedelta(hours=offering.approval_hours) if offering.approval else timedelta(minutes=offering.hold_minutes)
    return min(now + limit, starts_at)


def of_payment(booking: Booking, now: datetime) -> datetime:
    """Until when a booking that is approved now can be paid."""
    return min(now + timedelta(hours=booking.terms.payment_hours), booking.starts_at)


def of_dispute_window(booking: Booking, now: datetime) -> datetime:
    """Until when a session that is completed now, however late that is, can be confirmed or disputed."""
    return now + timedelta(hours=booking.terms.dispute_window_hours)


def auto_completion(booking: Booking) -> datetime:
    """When a confirmed booking's session completes itself."""
    return booking.ends_at + timedelta(hours=booking.terms.auto_complete_hours)


def change_deadline(booking: Booking) -> datetime:
    """From when on its customer can neither cancel nor move a confirmed booking."""
    return booking.starts_at - timedelta(minutes=booking.terms.change_deadline_minutes)


def last_cancellation(booking: Booking, kind: str) -> datetime:
    """The instant from which an actor of this kind can no longer cancel a confirmed booking."""
    return change_deadline(booking) if kind == "customer" else auto_completion(booking)


def last_move(booking: Booking, kind: str) -> datetime:
    """The instant from which an actor of this kind can no longer move a confirmed booking."""
    return change_deadline(booking) if kind == "customer" else booking.starts_at


def due_at(booking: Booking) -> datetime | None:
    """When time alone takes the next step: expiry, auto-completion, release of the escrow. None: never."""
    if booking.state is State.CONFIRMED:
        return auto_completion(booking)
    return booking.deadline if booking.state in PENDING or booking.state is State.PENDING_CONFIRMATION else None


def overdue(booking: Booking, now: datetime) -> bool:
    """Whether it holds seats that no longer count."""
    return booking.state in PENDING and booking.deadline is not None and now >= booking.deadline
