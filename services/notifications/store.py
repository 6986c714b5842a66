"""Notifications' SQL: load and save many rows at once.

Lock order: known_provider → delivery_stream → known_booking, each once, ORDER BY its id, FOR NO KEY UPDATE. Deliveries
are read after their stream is locked: those of one booking are written, and change, under its lock alone.

A batch asks for what its messages need: an event of a booking brings all that is to be known of it, and is kept unless
a later one was (SAVE_KNOWN); only events of payments and timers need what earlier ones said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
from booking_contracts.booking import BookingEvent, ProviderRegistered
from booking_contracts.payments import PaymentEvent

from services.chassis.database import Connection
from services.chassis.messages import Message
from services.chassis.service import Load
from services.chassis.statements import Row, Statements
from services.chassis.stored import Stored
from services.notifications.mail import EventText, MailRefused, MailSent
from services.notifications.model.addresses import person_of
from services.notifications.model.deliveries import Delivery, Stream
from services.notifications.model.known import KnownBooking, KnownProvider, RemindersOff
from services.notifications.model.letters import SILENT, Kind, letters_on
from services.notifications.saving import save
from services.notifications.subscriptions import matching
from services.notifications.subscriptions.messages import EventWaits, NoticeEnded, SubscriberDisabled, WebhookEnded
from services.notifications.tables import DELIVERY, KNOWN, PROVIDER
from services.notifications.timers import Occasion, ReminderDue
from services.notifications.work import NotificationsWork, occasion_of

LOCK = "FOR NO KEY UPDATE"
LOCK_STREAMS = """
INSERT INTO delivery_stream (booking_id) SELECT unnest($1::uuid[])
ON CONFLICT (booking_id) DO UPDATE SET sequence = EXCLUDED.sequence WHERE false RETURNING booking_id
"""
"""Begins those that are not there, so that two replicas cannot both begin one, and returns them; locks all the others
(PostgreSQL, INSERT: a row whose conflict is found is locked, also where the condition is not true)."""
READ_LINES = f"""
SELECT s.booking_id, s.sequence, {DELIVERY.columns("d", without="booking_id")}
FROM delivery_stream s LEFT JOIN delivery d ON d.booking_id = s.booking_id
     AND (d.state = 'pending' OR d.delivery_id = ANY($2) OR d.event_id = ANY($3))
WHERE s.booking_id = ANY($1) ORDER BY d.number
"""
"""Streams, each with its deliveries that have not come to their end, that results are of ($2), and that were written on
the occasions in hand ($3); in the order they were written."""
Messages = Sequence[Message[Any]]
OF_NO_LINE = (EventWaits, NoticeEnded, SubscriberDisabled)
"""Messages that are no occasion for letters to people."""
_DELIVERY, _STREAM = Stored(Delivery, "delivery"), Stored(Stream, "delivery_stream")
_PROVIDER = Stored(KnownProvider, "known_provider")


class NotificationsStore:
    """Loads and saves; stateless."""

    def begin(self, reads: Statements, messages: Messages, work: NotificationsWork) -> Load:
        """Every message is about the provider, the booking, or the waitlist entry that is its key."""
        told = [one for one in messages if type(one.body) not in SILENT and not isinstance(one.body, OF_NO_LINE)]
        asked = _Asked(_lock_providers(reads, messages), _begin_lines(reads, told), matching.ask(reads, messages))
        return partial(self._load, reads.connection, messages, told, asked, work)

    async def _load(
        self, connection: Connection, messages: Messages, told: Messages, asked: _Asked, work: NotificationsWork
    ) -> None:
        for row in asked.providers:
            work.load(_PROVIDER.row(row))
        await _read_lines(connection, told, asked.begun, work)
        asking = {UUID(message.key) for message in told if isinstance(message.body, PaymentEvent | Occasion)}
        await _lock_bookings(connection, sorted(asking), work)
        await _read_providers(connection, work)
        if asked.subscribed:
            await matching.load(connection, messages, work)
        if any(isinstance(message.body, ReminderDue) for message in messages):
            await _read_reminders_off(connection, work)

    async def save(self, writes: Statements, work: NotificationsWork) -> None:
        """Write the journal."""
        save(writes, work)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a batch begins with: the providers that are told about, the streams that were begun, whether there is any
    subscriber."""

    providers: Sequence[Row]
    begun: Sequence[Row]
    subscribed: Sequence[Row]


def _lock_providers(reads: Statements, messages: Messages) -> list[Row]:
    """Those that are told about."""
    told = sorted({message.body.provider_id for message in messages if isinstance(message.body, ProviderRegistered)})
    return PROVIDER.read(reads, f"WHERE provider_id = ANY($1) ORDER BY provider_id {LOCK}", told) if told else []


def _about(messages: Messages) -> list[UUID]:
    return sorted({UUID(message.key) for message in messages})


def _begin_lines(reads: Statements, messages: Messages) -> list[Row]:
    """Lock the streams of what letters may be written about, or sent."""
    return reads.change("booking_id", LOCK_STREAMS, _about(messages)) if messages else []


async def _read_lines(
    connection: Connection, messages: Messages, begun: Sequence[Row], work: NotificationsWork
) -> None:
    """The lines of those streams. Of what has just begun there are none."""
    new = {row["booking_id"] for row in begun}
    if earlier := [one for one in _about(messages) if one not in new]:
        settled = [one.body.delivery_id for one in messages if isinstance(one.body, MailSent | MailRefused)]
        outcomes = MailSent | MailRefused | WebhookEnded
        occasions = [occasion_of(one) for one in messages if not isinstance(one.body, outcomes)]
        for row in await connection.fetch(READ_LINES, earlier, settled, occasions):
            if work.find(Stream, row["booking_id"]) is None:
                work.load(_STREAM.row(row))
            if row["delivery_id"] is not None:
                work.load(_DELIVERY.row(row))


async def _lock_bookings(connection: Connection, ids: Sequence[UUID], work: NotificationsWork) -> None:
    if ids:
        query = KNOWN.select(f"WHERE booking_id = ANY($1) ORDER BY booking_id {LOCK}")
        for row in await connection.fetch(query, ids):
            work.load(_known(row))


async def _read_providers(connection: Connection, work: NotificationsWork) -> None:
    """Those of the bookings that letters may be written about."""
    of = {row.event.provider_id for row in work.all(KnownBooking) if row.event is not None}
    if asked := [provider for provider in of if work.find(KnownProvider, provider) is None]:
        for row in await connection.fetch(PROVIDER.select("WHERE provider_id = ANY($1)"), asked):
            work.load(_PROVIDER.row(row))


async def _read_reminders_off(connection: Connection, work: NotificationsWork) -> None:
    """Of everybody who may be reminded."""
    known = filter(None, (work.known(row.booking_id) for row in work.all(KnownBooking)))
    letters = [letter for event in known for letter in letters_on(Kind.REMINDER, event, work.admin_email)]
    people = sorted({person_of(letter.recipient) for letter in letters})
    for row in await connection.fetch("SELECT person FROM reminders_off WHERE person = ANY($1)", people):
        work.load(RemindersOff(row["person"]))


def _known(row: asyncpg.Record) -> KnownBooking:
    event = (
        EventText(type=row["event_type"], body=row["body"]).read("known_booking") if row["body"] is not None else None
    )
    assert event is None or isinstance(event, BookingEvent)
    return KnownBooking(row["booking_id"], row["sequence"], row["state"], event)
