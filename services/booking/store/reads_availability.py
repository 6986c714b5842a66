"""What is known of a provider's time, read for availability."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from services.booking.model.availability import MOST_SLOTS, Calendar, Holds, SlotView, TooManySlots
from services.booking.model.catalogue import Offering
from services.booking.model.slots import Slot, new_slot
from services.booking.store import rows
from services.booking.store.tables import OFFERING, SLOT
from services.chassis.database import Connection, Pool

MOST_OFFERINGS = 100
"""Offerings of a provider that are answered together."""

SLOTS = SLOT.select("")
OFFERINGS = OFFERING.select("")


class Unknown(Exception):
    """The provider or offering whose slots are asked for does not exist."""


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
    Raises TooManySlots, and Unknown where there is no such offering or provider.
    """
    if offering_id is not None:
        found = await connection.fetch(f"{OFFERINGS} WHERE offering_id = $1", offering_id)
    else:
        found = await connection.fetch(f"{OFFERINGS} WHERE provider_id = $1 LIMIT $2", provider_id, MOST_OFFERINGS + 1)
    offerings = [rows.offering(row) for row in found]
    if not offerings:
        await _require_provider(connection, provider_id)
    if len(offerings) > MOST_OFFERINGS:
        raise TooManySlots
    calendars = await _calendars(connection, offerings, start, end, now)
    if any(len(calendar.slots) > MOST_SLOTS for calendar in calendars.values()):
        raise TooManySlots
    return [slot for calendar in calendars.values() for slot in calendar.view(offerings, start, end, now)]


async def _require_provider(connection: Pool | Connection, provider_id: UUID | None) -> None:
    """A provider may be there and offer nothing; an offering was not found."""
    if provider_id is None:
        raise Unknown("There is no such offering.")
    if await connection.fetchval("SELECT true FROM provider WHERE provider_id = $1", provider_id) is None:
        raise Unknown("There is no such provider.")


async def _calendars(
    connection: Pool | Connection, offerings: Collection[Offering], start: datetime, end: datetime, now: datetime
) -> dict[UUID, Calendar]:
    """By provider; one query per table. No more slots than an answer may take, and one."""
    ids = list({offering.provider_id for offering in offerings})
    zones = await connection.fetch("SELECT provider_id, timezone FROM provider WHERE provider_id = ANY($1)", ids)
    schedules = await connection.fetch(
        "SELECT provider_id, weekly, dated, closed FROM schedule WHERE provider_id = ANY($1)", ids
    )
    slots = await _slots(connection, offerings, max(start, now), end) if start < end and offerings else []
    holds = await _holds(connection, [slot.slot_id for slot in slots if slot.active], now)
    schedule_of = {row["provider_id"]: rows.schedule(row) for row in schedules}
    slots_of: defaultdict[UUID, list[Slot]] = defaultdict(list)
    for slot in slots:
        slots_of[slot.provider_id].append(slot)
    return {
        owner: Calendar(ZoneInfo(row["timezone"]), schedule_of.get(owner), slots_of[owner], holds)
        for row in zones
        for owner in (row["provider_id"],)
    }


async def _slots(
    connection: Pool | Connection, offerings: Collection[Offering], start: datetime, end: datetime
) -> Sequence[Slot]:
    """The rows of the offerings' slots in the range, and of the providers' active ones that could be in their way."""
    own = await connection.fetch(
        f"{SLOTS} WHERE offering_id = ANY($1) AND starts_at >= $2 AND starts_at < $3 LIMIT $4",
        [offering.offering_id for offering in offerings],
        start,
        end,
        MOST_SLOTS + 1,
    )
    earliest = min(new_slot(offering, start).busy_from for offering in offerings)
    latest = max(new_slot(offering, end).busy_until for offering in offerings)
    others = await connection.fetch(
        f"""{SLOTS} JOIN unnest($1::uuid[]) AS owner (provider_id) USING (provider_id)
        WHERE active AND busy && tstzrange($2, $3) LIMIT $4
        """,
        list({offering.provider_id for offering in offerings}),
        earliest,
        latest,
        MOST_SLOTS + 1,
    )
    return list({row["slot_id"]: rows.slot(row) for row in (*own, *others)}.values())


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
