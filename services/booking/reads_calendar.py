"""What is known of a provider's time: read for availability, and for the alternatives of a full slot."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from services.booking import rows
from services.booking.model.availability import Alternatives, Calendar, Holds, SlotView
from services.booking.model.catalogue import Offering
from services.chassis.database import Connection, Pool

MARGIN = timedelta(days=14)
"""How far outside of a range a slot may start whose buffered time still reaches into it."""
AHEAD = timedelta(days=62)
MOST = 25


async def availability(
    connection: Pool | Connection,
    offering_id: UUID | None,
    provider_id: UUID | None,
    start: datetime,
    end: datetime,
    now: datetime,
) -> list[SlotView]:
    """The slots with start ≤ starts_at < end, with seats left and the reason where one is not free.

    Holds that are over do not count, whether or not anything has swept them (requirement availability-query).
    """
    found = await connection.fetch(
        "SELECT * FROM offering WHERE offering_id = $1 OR provider_id = $2", offering_id, provider_id
    )
    offerings = [rows.offering(row) for row in found]
    views: list[SlotView] = []
    for owner in {offering.provider_id for offering in offerings}:
        calendar = await _calendar(connection, owner, start, end, now)
        views += calendar.view(offerings, start, end, now)
    return views


async def alternatives(connection: Connection, offerings: Collection[Offering], now: datetime) -> list[Alternatives]:
    """The next free slots of each offering; read without a lock, so they may be gone when they are asked for."""
    found: list[Alternatives] = []
    for offering in offerings:
        calendar = await _calendar(connection, offering.provider_id, now, now + AHEAD, now)
        views = calendar.view([offering], now, now + AHEAD, now)
        free = [(shown["starts_at"], shown["seats_left"]) for shown in views if shown["free"]]
        found.append(Alternatives(offering.offering_id, tuple(free[:MOST])))
    return found


async def _calendar(
    connection: Pool | Connection, provider_id: UUID, start: datetime, end: datetime, now: datetime
) -> Calendar:
    """One query per table."""
    zone = await connection.fetchval("SELECT timezone FROM provider WHERE provider_id = $1", provider_id)
    schedule = await connection.fetchrow("SELECT * FROM schedule WHERE provider_id = $1", provider_id)
    slots = await connection.fetch(
        "SELECT * FROM slot WHERE provider_id = $1 AND starts_at BETWEEN $2 AND $3",
        provider_id,
        max(start, now) - MARGIN,
        end + MARGIN,
    )
    return Calendar(
        ZoneInfo(zone),
        rows.schedule(schedule) if schedule else None,
        [rows.slot(row) for row in slots],
        await _holds(connection, [row["slot_id"] for row in slots if row["active"]], now),
    )


async def _holds(connection: Pool | Connection, slots: list[UUID], now: datetime) -> dict[UUID, Holds]:
    """Held seats by slot: unpaid bookings and offers, those that are over apart from the live ones."""
    found = await connection.fetch(
        """
        SELECT slot_id, coalesce(sum(seats) FILTER (WHERE deadline <= $2), 0)::int AS over,
               coalesce(sum(seats) FILTER (WHERE deadline > $2), 0)::int AS live
        FROM (SELECT slot_id, seats, deadline FROM booking
              WHERE slot_id = ANY($1) AND state IN ('PENDING_APPROVAL', 'PENDING_PAYMENT')
              UNION ALL
              SELECT slot_id, seats, deadline FROM waitlist_entry WHERE slot_id = ANY($1) AND state = 'OFFERED') held
        GROUP BY slot_id
        """,
        slots,
        now,
    )
    return {row["slot_id"]: Holds(row["over"], row["live"]) for row in found}
