"""What notifications' handlers work with: letters and their outcomes, in the batch's unit of work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from booking_contracts.booking import BookingEvent
from booking_contracts.envelope import uuid7
from booking_contracts.notifications import DeliveryEvent, DeliveryFailed, DeliverySucceeded

from services.chassis.messages import Message
from services.chassis.stored import Stored
from services.chassis.unit_of_work import Row, RowT, UnitOfWork
from services.notifications.mail import SEND_MAIL, MailToSend
from services.notifications.model.addresses import person_of
from services.notifications.model.deliveries import (
    LONGEST_IN_LINE,
    Delivery,
    Line,
    State,
    Stream,
    delivery_id,
    message_id,
)
from services.notifications.model.known import KnownBooking, KnownProvider, RemindersOff, as_of_today
from services.notifications.model.letters import Letter
from services.notifications.model.subscriptions import Found
from services.notifications.timers import MailWaits, ReminderDue, SeatsHeld

FIRST_LOOK = timedelta(minutes=1)
_MAIL = Stored(MailToSend, "delivery.mail")


class NotificationsWork(UnitOfWork):
    """The rows of a batch, and notifications' words for changing them. `mail_domain` ends every Message-ID."""

    def __init__(
        self, now: datetime, new_id: Callable[[], UUID] = uuid7, *, admin_email: str, mail_domain: str
    ) -> None:
        super().__init__(now, new_id)
        self.admin_email, self.mail_domain = admin_email, mail_domain
        self._lines: defaultdict[Line, dict[UUID, None]] = defaultdict(dict)
        self.offers: dict[UUID, Found] = {}
        """Who subscribes to the messages of this batch, by their ids."""

    def known(self, booking_id: UUID) -> BookingEvent | None:
        """The last event seen of a booking, if there is one and its contact data is not erased; with its provider of
        today, because months may have passed."""
        row = self.find(KnownBooking, booking_id)
        if row is None or row.event is None:
            return None
        return as_of_today(row.event, self.find(KnownProvider, row.event.provider_id))

    def wants_reminders(self, address: str) -> bool:
        """Whether this mailbox has not ended its reminders, of those that the store has looked for."""
        return self.find(RemindersOff, person_of(address)) is None

    def remember(self, event: BookingEvent, sequence: int) -> None:
        """Keep the event as what is known of its booking, unless a later one is known."""
        row = self.find(KnownBooking, event.booking_id)
        if row is None or row.sequence < sequence:
            self.put(KnownBooking(event.booking_id, sequence, event.state, event))

    def load(self, row: Row) -> None:
        super().load(row)
        self._index(row)

    def put(self, row: RowT) -> RowT:
        self._index(row)
        return super().put(row)

    def _index(self, row: Row) -> None:
        if isinstance(row, Delivery):
            self._lines[row.line][row.delivery_id] = None

    def write(self, letters: Iterable[Letter], *, about: UUID, sequence: int) -> None:
        """Have each letter sent, once however often the message in hand arrives (requirement notify-once), and not
        before those that were written to the same person about the same thing.

        `about` is the booking or waitlist entry, `sequence` its ce_sequence as of the letters.
        """
        assert self.message is not None, "a letter has an occasion"
        occasion = occasion_of(self.message)
        for letter in letters:
            delivery = _new(letter, about, occasion, self.now)
            line = self._line(delivery.line)
            if all(other.event_id != occasion for other in line):
                mail = self._mail(letter, delivery, sequence)
                if any(other.state is State.PENDING for other in line):
                    delivery = self.put(replace(delivery, mail=mail.model_dump_json()))
                    self._go_on(delivery.line)
                    self._look_again(delivery)
                else:
                    self._hand_over(delivery, mail)

    def settle(self, delivery: UUID, reason: str | None = None) -> None:
        """A delivery succeeded or, with a reason, failed: kept, and told under the next number of its stream."""
        row = self.find(Delivery, delivery)
        assert row is not None, f"delivery {delivery} is committed before its mail is sent"
        if row.state is not State.PENDING:
            return
        state = State.SUCCEEDED if reason is None else State.FAILED
        self.put(replace(row, state=state, settled_at=self.now, reason=reason))
        self.tell(_outcome(row, reason))
        self._go_on(row.line)

    def tell(self, outcome: DeliveryEvent) -> None:
        """What became of a delivery, under the next number of its booking's stream."""
        stream = self.find(Stream, outcome.booking_id) or Stream(outcome.booking_id, 0)
        stream = self.put(replace(stream, sequence=stream.sequence + 1))
        self.send(outcome, sequence=stream.sequence)

    def look_after(self, timer: MailWaits) -> None:
        """A letter that waits for an outcome which does not come goes on by itself: its line may have been left
        without one by a release that knows no lines, or for good by an operator."""
        row = self.find(Delivery, timer.delivery_id)
        if row is None or not row.waits:
            return
        if self.now - row.created_at >= LONGEST_IN_LINE:
            self._send_waiting(row)
        else:
            self._go_on(row.line)
            self._look_again(row)

    def _line(self, line: Line) -> list[Delivery]:
        """What this batch holds of a line, in the order it was written."""
        return [row for row in map(partial(self.find, Delivery), self._lines[line]) if row is not None]

    def _go_on(self, line: Line) -> None:
        """Where nothing of a line is on its way, its next letter goes."""
        first = next((row for row in self._line(line) if row.state is State.PENDING), None)
        if first is not None and first.waits:
            self._send_waiting(first)

    def _send_waiting(self, row: Delivery) -> None:
        assert row.mail is not None, "it waits"
        self._hand_over(replace(row, mail=None), _MAIL.json(row.mail))

    def _hand_over(self, delivery: Delivery, mail: MailToSend) -> None:
        self.put(delivery)
        self.call(
            SEND_MAIL,
            subject=str(delivery.delivery_id),
            key=str(delivery.booking_id),
            parameters=mail,
            idempotency_key=mail.message_id,
        )

    def _look_again(self, row: Delivery) -> None:
        """After a minute, then less and less often."""
        found = self.find(Delivery, row.delivery_id)
        if found is not None and found.waits:
            due_at = self.now + max(FIRST_LOOK, self.now - row.created_at)
            self.remind(MailWaits(delivery_id=row.delivery_id), key=str(row.booking_id), due_at=due_at)

    def _mail(self, letter: Letter, delivery: Delivery, sequence: int) -> MailToSend:
        return MailToSend.of(
            letter,
            delivery_id=delivery.delivery_id,
            message_id=message_id(delivery.delivery_id, self.mail_domain),
            written_at=self.now,
            sequence=sequence,
        )


def occasion_of(message: Message[Any]) -> UUID:
    """What a letter is written once for: an event's id, or a timer's own occasion."""
    return message.body.occasion if isinstance(message.body, ReminderDue | SeatsHeld) else message.id


def _new(letter: Letter, about: UUID, occasion: UUID, now: datetime) -> Delivery:
    return Delivery(
        delivery_id=delivery_id(occasion, letter.recipient),
        booking_id=about,
        event_id=occasion,
        recipient=letter.recipient,
        channel="email",
        kind=letter.kind,
        audience=letter.audience,
        state=State.PENDING,
        created_at=now,
    )


def _outcome(delivery: Delivery, reason: str | None) -> DeliveryEvent:
    of: dict[str, Any] = {
        "booking_id": delivery.booking_id,
        "event_id": delivery.event_id,
        "recipient": delivery.recipient,
        "channel": delivery.channel,
    }
    return DeliverySucceeded(**of) if reason is None else DeliveryFailed(**of, reason=reason)
