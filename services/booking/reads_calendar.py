"""What is known of a provider's time: read for availability, and for the alternatives of a full slot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from services.booking import rows
from services.booking.model.availability import Alternatives, Calendar, Holds, SlotView
from services.booking.model.catalogue import Offering
from services.booking.model.slots import Slot
from services.chassis.database import Connection, Pool

MARGIN = timedelta(days=14)
"""How far outside of a range a slot may start whose buffered time still reaches into it."""
AHEAD = timedelta(days=31)
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
    calendars = await _calendars(connection, {offering.provider_id for offering in offerings}, start, end, now)
    return [slot for calendar in calendars.values() for slot in calendar.view(offerings, start, end, now)]


async def alternatives(connection: Connection, offerings: Collection[Offering], now: datetime) -> list[Alternatives]:
    """The next free slots of each offering; read without a lock, so they may be gone when they are asked for."""
    if not offerings:
        return []
    owners = {offering.provider_id for offering in offerings}
    calendars = await _calendars(connection, owners, now, now + AHEAD, now)
    found: list[Alternatives] = []
    for offering in offerings:
        views = calendars[offering.provider_id].view([offering], now, now + AHEAD, now)
        free = [(shown["starts_at"], shown["seats_left"]) for shown in views if shown["free"]]
        found.append(Alternatives(offering.offering_id, tuple(free[:MOST])))
    return found


async def _calendars(
    connection: Pool | Connection, owners: Collection[UUID], start: datetime, end: datetime, now: datetime
) -> dict[UUID, Calendar]:
    """By provider; one query per table."""
    ids = list(owners)
    zones = await connection.fetch("SELECT provider_id, timezone FROM provider WHERE provider_id = ANY($1)", ids)
    schedules = await connection.fetch("SELECT * FROM schedule WHERE provider_id = ANY($1)", ids)
    slots = await connection.fetch(
        "SELECT * FROM slot WHERE provider_id = ANY($1) AND starts_at BETWEEN $2 AND $3",
        ids,
        max(start, now) - MARGIN,
        end + MARGIN,
    )
    holds = await _holds(connection, [row["slot_id"] for row in slots if row["active"]], now)
    schedule_of = {row["provider_id"]: rows.schedule(row) for row in schedules}
    slots_of: defaultdict[UUID, list[Slot]] = defaultdict(list)
    for row in slots:
        slots_of[row["provider_id"]].append(rows.slot(row))
    return {
        owner: Calendar(ZoneInfo(row["timezone"]), schedule_of.get(owner), slots_of[owner], holds)
        for row in zones
        for owner in (row["provider_id"],)
    }


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
