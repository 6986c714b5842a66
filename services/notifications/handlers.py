"""Message → who is told; timer → who is told still; result → what became of it. Pure, one function per message."""

from __future__ import annotations

from datetime import timedelta

from booking_contracts.booking import BookingConfirmed, BookingEvent, BookingRescheduled, DisputeRaised, WaitlistOffered
from booking_contracts.envelope import Event
from booking_contracts.payments import PaymentEvent

from services.chassis.messages import Message
from services.notifications.mail import MailRefused, MailSent
from services.notifications.model.known import KnownBooking, is_still_due, starts_at
from services.notifications.model.letters import Kind, letters_for, letters_on, reminder_times
from services.notifications.timers import DisputeWaits, MailWaits, ReminderDue
from services.notifications.work import NotificationsWork

FIRST_LOOK_AT_A_DISPUTE = timedelta(days=7)
NEXT_LOOK_AT_A_DISPUTE = timedelta(days=1)


def booking_event(message: Message[BookingEvent], work: NotificationsWork) -> None:
    """What happened to a booking: remembered, and told."""
    event, sequence = message.body, sequence_of(message)
    work.remember(event, sequence)
    work.write(letters_for(event, work.admin_email), about=event.booking_id, sequence=sequence)


def time_agreed(message: Message[BookingConfirmed | BookingRescheduled], work: NotificationsWork) -> None:
    """A booking has its time, or another one: told, and reminded of in time."""
    booking_event(message, work)
    start, booking_id = starts_at(message.body), message.body.booking_id
    for due_at in reminder_times(start, booked_at=work.now):
        timer = ReminderDue(booking_id=booking_id, starts_at=start, due_at=due_at)
        work.remind(timer, key=str(booking_id), due_at=due_at)


def dispute_raised(message: Message[DisputeRaised], work: NotificationsWork) -> None:
    """Told now, and to the admin again while it stays open."""
    booking_event(message, work)
    _look_again(work, DisputeWaits(booking_id=message.body.booking_id), FIRST_LOOK_AT_A_DISPUTE)


def waitlist_offered(message: Message[WaitlistOffered], work: NotificationsWork) -> None:
    """Seats are free for somebody who waits; the letter is about their entry, there is no booking yet."""
    event = message.body
    work.write(letters_for(event, work.admin_email), about=event.entry_id, sequence=sequence_of(message))


def payment_event(message: Message[PaymentEvent], work: NotificationsWork) -> None:
    """Events of payments name no person; what is known of their booking does."""
    event = message.body
    row = work.find(KnownBooking, event.booking_id)
    letters = letters_for(event, work.admin_email, work.known(event.booking_id))
    work.write(letters, about=event.booking_id, sequence=row.sequence if row else 0)


def reminder_due(message: Message[ReminderDue], work: NotificationsWork) -> None:
    """Remind of a booking that is still confirmed for the same time."""
    timer = message.body
    row = work.find(KnownBooking, timer.booking_id)
    if row is None or row.event is None or not is_still_due(row.event, timer.starts_at, work.now):
        return
    letters = letters_on(Kind.REMINDER, row.event, work.admin_email)
    work.write(letters, about=timer.booking_id, sequence=row.sequence)


def dispute_waits(message: Message[DisputeWaits], work: NotificationsWork) -> None:
    """Tell the admin of a dispute that is still open, and look again tomorrow."""
    row = work.find(KnownBooking, message.body.booking_id)
    if row is None or row.event is None:
        return
    if letters := letters_on(Kind.DISPUTE_STILL_OPEN, row.event, work.admin_email):
        work.write(letters, about=row.booking_id, sequence=row.sequence)
        _look_again(work, message.body, NEXT_LOOK_AT_A_DISPUTE)


def mail_waits(message: Message[MailWaits], work: NotificationsWork) -> None:
    """See that a letter goes in the end."""
    work.look_after(message.body)


def mail_sent(message: Message[MailSent], work: NotificationsWork) -> None:
    """The mail server answers for the letter now."""
    work.settle(message.body.delivery_id)


def mail_refused(message: Message[MailRefused], work: NotificationsWork) -> None:
    """The letter will not arrive; kept where people can see it."""
    work.settle(message.body.delivery_id, message.body.reason)


def sequence_of(message: Message[Event]) -> int:
    """The event's ce_sequence, which every event of ours carries."""
    return int(dict(message.raw.headers)["ce_sequence"])


def _look_again(work: NotificationsWork, timer: DisputeWaits, after: timedelta) -> None:
    work.remind(timer, key=str(timer.booking_id), due_at=work.now + after)
