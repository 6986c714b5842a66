"""Writes a batch's journal: one statement per table and way of writing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from services.chassis.database import Connection, columns
from services.chassis.unit_of_work import Changed, Row
from services.notifications.mail import EventText
from services.notifications.model.deliveries import Delivery, Stream
from services.notifications.model.known import KnownBooking
from services.notifications.work import NotificationsWork

RowT = TypeVar("RowT", bound=Row)


async def save(connection: Connection, work: NotificationsWork) -> None:
    """Write everything that the batch decided."""
    changes = [effect for effect in work.journal if isinstance(effect, Changed)]
    created = {change.after.row_key for change in changes if change.before is None}
    deliveries = _last(changes, Delivery)
    await _save_known(connection, _last(changes, KnownBooking))
    await _insert_deliveries(connection, [row for row in deliveries if row.delivery_id in created])
    await _settle_deliveries(connection, [row for row in deliveries if row.delivery_id not in created])
    await _save_streams(connection, _last(changes, Stream))


def _last(changes: Sequence[Changed], kind: type[RowT]) -> list[RowT]:
    """The final form of every row of a kind that changed."""
    return list({change.after.row_key: change.after for change in changes if isinstance(change.after, kind)}.values())


async def _save_known(connection: Connection, rows: Sequence[KnownBooking]) -> None:
    """A later event is never overwritten by an earlier one, and what was erased comes back with a new event alone."""
    texts = [(row, EventText.of(row.event)) for row in rows if row.event is not None]
    if texts:
        await connection.execute(
            """
            INSERT INTO known_booking (booking_id, sequence, state, event_type, body)
            SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::jsonb[])
            ON CONFLICT (booking_id) DO UPDATE SET sequence = EXCLUDED.sequence, state = EXCLUDED.state,
                event_type = EXCLUDED.event_type, body = EXCLUDED.body
                WHERE known_booking.sequence < EXCLUDED.sequence
            """,
            *columns((row.booking_id, row.sequence, row.state, text.type, text.body) for row, text in texts),
        )


async def _insert_deliveries(connection: Connection, rows: Sequence[Delivery]) -> None:
    """In the order they were written; a second one for an occasion, recipient and channel violates the key."""
    if rows:
        await connection.execute(
            """
            INSERT INTO delivery (delivery_id, booking_id, event_id, recipient, channel, kind, audience, state,
                                  created_at)
            SELECT delivery_id, booking_id, event_id, recipient, channel, kind, audience, state, created_at
            FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
                        $8::text[], $9::timestamptz[]) WITH ORDINALITY
                 AS t (delivery_id, booking_id, event_id, recipient, channel, kind, audience, state, created_at, nth)
            ORDER BY nth
            """,
            *columns(
                (
                    row.delivery_id,
                    row.booking_id,
                    row.event_id,
                    row.recipient,
                    row.channel,
                    row.kind,
                    row.audience,
                    row.state,
                    row.created_at,
                )
                for row in rows
            ),
        )


async def _settle_deliveries(connection: Connection, rows: Sequence[Delivery]) -> None:
    if rows:
        await connection.execute(
            """
            UPDATE delivery SET state = t.state, settled_at = t.settled_at, reason = t.reason
            FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[])
                 AS t (delivery_id, state, settled_at, reason)
            WHERE delivery.delivery_id = t.delivery_id
            """,
            *columns((row.delivery_id, row.state, row.settled_at, row.reason) for row in rows),
        )


async def _save_streams(connection: Connection, rows: Sequence[Stream]) -> None:
    if rows:
        await connection.execute(
            """
            UPDATE delivery_stream SET sequence = t.sequence
            FROM unnest($1::uuid[], $2::bigint[]) AS t (booking_id, sequence)
            WHERE delivery_stream.booking_id = t.booking_id
            """,
            *columns((row.booking_id, row.sequence) for row in rows),
        )
