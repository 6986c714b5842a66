"""Writes waitlist entries and quotes.

Offered seats count on the slot. Offers that ended are written before the bookings, which may take their seats; new
offers after them, when all seats that they hold are free. In between the slot has fewer seats taken, never more.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.booking.model.quotes import Quote
from services.booking.model.waitlist import Entry, EntryState
from services.chassis.database import Connection, columns

Change = tuple[Entry | None, Entry]
"""An entry as the database has it (None: not at all), and as it shall be."""


async def save_before_bookings(connection: Connection, entries: Sequence[Change]) -> None:
    """New entries, as waiting, and every change that takes no seats."""
    await _insert(connection, [after for before, after in entries if before is None])
    await _update(connection, [change[1] for change in entries if not _takes(change)])


async def save_new_offers(connection: Connection, entries: Sequence[Change]) -> None:
    """Changes that take seats."""
    await _update(connection, [change[1] for change in entries if _takes(change)])


def _takes(change: Change) -> bool:
    before, after = change
    return after.holds and not (before is not None and before.holds)


async def _insert(connection: Connection, entries: Sequence[Entry]) -> None:
    if not entries:
        return
    await connection.execute(
        """
        INSERT INTO waitlist_entry (entry_id, state, slot_id, offering_id, provider_id, starts_at, ends_at, seats,
                                    customer_id, offering_title, provider_name, place, closes_at, offer_minutes,
                                    joined_at, sequence)
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[], $6::timestamptz[],
                             $7::timestamptz[], $8::int[], $9::text[], $10::text[], $11::text[], $12::int[],
                             $13::timestamptz[], $14::int[], $15::timestamptz[], $16::bigint[])
        """,
        *columns(
            (
                entry.entry_id,
                EntryState.WAITING,
                entry.slot_id,
                entry.offering_id,
                entry.provider_id,
                entry.starts_at,
                entry.ends_at,
                entry.seats,
                entry.customer.id,
                entry.offering_title,
                entry.provider_name,
                entry.place,
                entry.closes_at,
                entry.offer_minutes,
                entry.joined_at,
                entry.sequence,
            )
            for entry in entries
        ),
    )
    await connection.execute(
        "INSERT INTO waitlist_contact (entry_id, customer) SELECT * FROM unnest($1::uuid[], $2::jsonb[])",
        *columns((entry.entry_id, entry.customer.model_dump_json()) for entry in entries),
    )


async def _update(connection: Connection, entries: Sequence[Entry]) -> None:
    if not entries:
        return
    await connection.execute(
        """
        UPDATE waitlist_entry e SET state = t.state, deadline = t.deadline, booking_id = t.booking_id,
               sequence = t.sequence
        FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::uuid[], $5::bigint[])
             AS t (entry_id, state, deadline, booking_id, sequence)
        WHERE e.entry_id = t.entry_id
        """,
        *columns((entry.entry_id, entry.state, entry.deadline, entry.booking_id, entry.sequence) for entry in entries),
    )


async def save_quotes(connection: Connection, quotes: Sequence[Quote]) -> None:
    """New quotes, and those that died."""
    if not quotes:
        return
    await connection.execute(
        """
        INSERT INTO cancellation_quote (quote_id, booking_id, actor_kind, actor_id, refund_minor, kept_minor, currency,
                                        policy_version, valid_until, dead)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[],
                             $8::text[], $9::timestamptz[], $10::bool[])
        ON CONFLICT (quote_id) DO UPDATE SET dead = EXCLUDED.dead
        """,
        *columns(
            (
                quote.quote_id,
                quote.booking_id,
                quote.actor.kind,
                quote.actor.id,
                quote.refund.amount,
                quote.kept.amount,
                quote.refund.currency,
                quote.policy_version,
                quote.valid_until,
                quote.dead,
            )
            for quote in quotes
        ),
    )
