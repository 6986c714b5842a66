"""Message → who is told; timer → who is told still; result → what became of it. Pure, one function per message."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from booking_contracts.booking import (
    BookingConfirmed,
    BookingEvent,
    BookingPlaced,
    BookingRescheduled,
    DisputeRaised,
    ProviderRegistered,
    WaitlistEvent,
)
from booking_contracts.payments import PaymentEvent

from services.chassis.messages import Message
from services.notifications.mail import MailRefused, MailSent
from services.notifications.model.known import KnownBooking, KnownProvider, starts_at
from services.notifications.model.letters import Kind, letters_for, letters_on
from services.notifications.model.occasions import (
    FIRST_LOOK_AT_A_DISPUTE,
    LET_EVENTS_PASS,
    NEXT_LOOK_AT_A_DISPUTE,
    TIME_TO_PAY_AT_ONCE,
    reminder_ends,
    reminders,
)
from services.notifications.timers import DisputeWaits, MailWaits, Occasion, ReminderDue, SeatsHeld
from services.notifications.work import NotificationsWork


def booking_event(message: Message[BookingEvent], work: NotificationsWork) -> None:
    """What happened to a booking: remembered, and told."""
    event, sequence = message.body, message.sequence
    work.remember(event, sequence)
    work.write(letters_for(event, work.admin_email), about=event.booking_id, sequence=sequence)


def booking_placed(message: Message[BookingPlaced], work: NotificationsWork) -> None:
    """Most are paid at once: who has not, is told in a minute until when to pay."""
    booking_event(message, work)
    booking_id, due_at = message.body.booking_id, work.now + TIME_TO_PAY_AT_ONCE
    work.remind(SeatsHeld(booking_id=booking_id, due_at=due_at), key=str(booking_id), due_at=due_at)


def time_agreed(message: Message[BookingConfirmed | BookingRescheduled], work: NotificationsWork) -> None:
    """A booking has its time, or another one: told, and reminded of in time."""
    booking_event(message, work)
    start, booking_id = starts_at(message.body), message.body.booking_id
    for due_at, until in reminders(start, work.now, message.body.reminder_minutes):
        timer = ReminderDue(booking_id=booking_id, starts_at=start, due_at=due_at, until=until)
        work.remind(timer, key=str(booking_id), due_at=due_at)


def dispute_raised(message: Message[DisputeRaised], work: NotificationsWork) -> None:
    """Told now, and to the admin again while it stays open."""
    booking_event(message, work)
    _look_again(work, message.body.booking_id, FIRST_LOOK_AT_A_DISPUTE)


def waitlist_event(message: Message[WaitlistEvent], work: NotificationsWork) -> None:
    """What somebody who waits is told; the letter is about their entry, there is no booking yet."""
    event = message.body
    work.write(letters_for(event, work.admin_email), about=event.entry_id, sequence=message.sequence)


def payment_event(message: Message[PaymentEvent], work: NotificationsWork) -> None:
    """Events of payments name no person; what is known of their booking does."""
    event = message.body
    row = work.find(KnownBooking, event.booking_id)
    letters = letters_for(event, work.admin_email, work.known(event.booking_id))
    work.write(letters, about=event.booking_id, sequence=row.sequence if row else 0)


def provider_registered(message: Message[ProviderRegistered], work: NotificationsWork) -> None:
    """How a provider is reached from now on, for letters that no event of a booking's asks for."""
    told, sequence = message.body, message.sequence
    known = work.find(KnownProvider, told.provider_id)
    if known is None or known.sequence < sequence:
        work.put(KnownProvider(told.provider_id, sequence, told.name, told.email, told.timezone))


def reminder_due(message: Message[ReminderDue], work: NotificationsWork) -> None:
    """Remind of a booking that is still confirmed for the same time; of reminders that are late, the last one does."""
    timer = message.body
    known, until = _known_now(timer, work), timer.until or reminder_ends(timer.starts_at, timer.due_at)
    if known is not None and starts_at(known) == timer.starts_at and work.now < until:
        _tell_on(Kind.REMINDER, known, work, until)


def seats_held(message: Message[SeatsHeld], work: NotificationsWork) -> None:
    """Say until when to pay, where there is still something to pay and time to do it."""
    known = _known_now(message.body, work)
    if known is not None and known.deadline is not None and work.now < known.deadline:
        _tell_on(Kind.SEATS_HELD, known, work, until=known.deadline)


def dispute_waits(message: Message[DisputeWaits], work: NotificationsWork) -> None:
    """Tell the admin of a dispute that is still open, and look again tomorrow."""
    known = _known_now(message.body, work)
    if known is not None and _tell_on(Kind.DISPUTE_STILL_OPEN, known, work):
        _look_again(work, known.booking_id, NEXT_LOOK_AT_A_DISPUTE)


def mail_waits(message: Message[MailWaits], work: NotificationsWork) -> None:
    """See that a letter goes in the end."""
    work.look_after(message.body)


def mail_sent(message: Message[MailSent], work: NotificationsWork) -> None:
    """The mail server answers for the letter now."""
    work.settle(message.body.delivery_id)


def mail_refused(message: Message[MailRefused], work: NotificationsWork) -> None:
    """The letter will not arrive; kept where people can see it."""
    work.settle(message.body.delivery_id, message.body.reason)


def _known_now(timer: Occasion, work: NotificationsWork) -> BookingEvent | None:
    """The last event of a timer's booking, if it is to be decided on now.

    A timer that comes late waits a little: after an outage it is read before the events that were published meanwhile.
    """
    if timer.late(work.now):
        again = timer.model_copy(update={"again": True})
        work.remind(again, key=str(timer.booking_id), due_at=work.now + LET_EVENTS_PASS)
        return None
    return work.known(timer.booking_id)


def _tell_on(kind: Kind, known: BookingEvent, work: NotificationsWork, until: datetime | None = None) -> bool:
    """Whether there was somebody to tell."""
    row = work.find(KnownBooking, known.booking_id)
    assert row is not None, "it is what `known` was read from"
    letters = letters_on(kind, known, work.admin_email, until)
    if kind is Kind.REMINDER:
        letters = tuple(one for one in letters if work.wants_reminders(one.recipient))
    work.write(letters, about=known.booking_id, sequence=row.sequence)
    return bool(letters)


def _look_again(work: NotificationsWork, booking_id: UUID, after: timedelta) -> None:
    due_at = work.now + after
    work.remind(DisputeWaits(booking_id=booking_id, due_at=due_at), key=str(booking_id), due_at=due_at)
