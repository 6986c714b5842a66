"""Notifications' SQL: load and save many rows at once.

Lock order: known_provider → known_booking → delivery_stream, each once, ORDER BY its id, FOR NO KEY UPDATE. Deliveries
are read after that: those of one booking are written, and change, under its stream's lock alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
from booking_contracts.booking import BookingEvent, ProviderRegistered

from services.chassis.database import Connection
from services.chassis.messages import Message
from services.chassis.stored import Stored
from services.chassis.writes import Writes
from services.notifications.mail import EventText, MailRefused, MailSent
from services.notifications.model.deliveries import Delivery, Stream
from services.notifications.model.known import KnownBooking, KnownProvider
from services.notifications.saving import save
from services.notifications.tables import DELIVERY, KNOWN, PROVIDER, STREAM
from services.notifications.work import NotificationsWork, occasion_of

LOCK = "FOR NO KEY UPDATE"
_DELIVERY, _STREAM = Stored(Delivery, "delivery"), Stored(Stream, "delivery_stream")
_PROVIDER = Stored(KnownProvider, "known_provider")


class NotificationsStore:
    """Loads and saves; stateless."""

    async def load(self, connection: Connection, messages: Sequence[Message[Any]], work: NotificationsWork) -> None:
        """Every message is about the provider, the booking, or the waitlist entry that is its key."""
        await _lock_providers(connection, messages, work)
        messages = [message for message in messages if not isinstance(message.body, ProviderRegistered)]
        results = [message for message in messages if isinstance(message.body, MailSent | MailRefused)]
        tellings = [message for message in messages if not isinstance(message.body, MailSent | MailRefused)]
        about = sorted({UUID(message.key) for message in messages})
        await _lock_bookings(connection, sorted({UUID(message.key) for message in tellings}), work)
        await _read_providers(connection, work)
        await _lock_streams(connection, about, work)
        settled = [message.body.delivery_id for message in results]
        await _read_deliveries(connection, about, settled, [occasion_of(message) for message in tellings], work)

    async def save(self, writes: Writes, work: NotificationsWork) -> None:
        """Write the journal."""
        save(writes, work)


async def _lock_providers(connection: Connection, messages: Sequence[Message[Any]], work: NotificationsWork) -> None:
    """Those that are told about."""
    if told := sorted(
        {message.body.provider_id for message in messages if isinstance(message.body, ProviderRegistered)}
    ):
        query = PROVIDER.select(f"WHERE provider_id = ANY($1) ORDER BY provider_id {LOCK}")
        for row in await connection.fetch(query, told):
            work.load(_PROVIDER.row(row))


async def _read_providers(connection: Connection, work: NotificationsWork) -> None:
    """Those of the bookings that letters may be written about."""
    of = {row.event.provider_id for row in work.all(KnownBooking) if row.event is not None}
    if asked := [provider for provider in of if work.find(KnownProvider, provider) is None]:
        for row in await connection.fetch(PROVIDER.select("WHERE provider_id = ANY($1)"), asked):
            work.load(_PROVIDER.row(row))


async def _lock_bookings(connection: Connection, ids: Sequence[UUID], work: NotificationsWork) -> None:
    if ids:
        query = KNOWN.select(f"WHERE booking_id = ANY($1) ORDER BY booking_id {LOCK}")
        for row in await connection.fetch(query, ids):
            work.load(_known(row))


async def _lock_streams(connection: Connection, ids: Sequence[UUID], work: NotificationsWork) -> None:
    """A stream's row is there before it is locked, so that two replicas cannot both begin it."""
    begin = "INSERT INTO delivery_stream (booking_id) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING"
    await connection.execute(begin, ids)
    query = STREAM.select(f"WHERE booking_id = ANY($1) ORDER BY booking_id {LOCK}")
    for row in await connection.fetch(query, ids):
        work.load(_STREAM.row(row))


async def _read_deliveries(
    connection: Connection,
    about: Sequence[UUID],
    ids: Sequence[UUID],
    occasions: Sequence[UUID],
    work: NotificationsWork,
) -> None:
    """Of every line what has not come to its end; those that results are of, those written for the occasions in hand.

    In the order they were written.
    """
    query = """
        WHERE (booking_id = ANY($1) AND state = 'pending') OR delivery_id = ANY($2) OR event_id = ANY($3)
        ORDER BY number
        """
    for row in await connection.fetch(DELIVERY.select(query), about, ids, occasions):
        work.load(_DELIVERY.row(row))


def _known(row: asyncpg.Record) -> KnownBooking:
    event = (
        EventText(type=row["event_type"], body=row["body"]).read("known_booking") if row["body"] is not None else None
    )
    assert event is None or isinstance(event, BookingEvent)
    return KnownBooking(row["booking_id"], row["sequence"], row["state"], event)
