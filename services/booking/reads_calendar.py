"""What is known of a provider's time: read for availability, and for the alternatives of a full slot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID
from zoneinfo import ZoneInfo

from services.booking import rows
from services.booking.model.availability import Alternatives, Calendar, Holds, SlotView
from services.booking.model.catalogue import Offering
from services.booking.model.schedule import Schedule, starts_between
from services.booking.model.slots import Slot
from services.chassis.database import Connection, Pool

MARGIN = timedelta(days=14)
"""How far outside of a range a slot may start whose buffered time still reaches into it."""
AHEAD = timedelta(days=31)
MOST = 25
LOOKED_AT = 200


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
    """The next free slots of each offering; read without a lock, so they may be gone when they are asked for.

    Of the next LOOKED_AT starts of its schedule, and as many slots opened one by one in that time: what is free beyond
    them is found by asking for availability.
    """
    if not offerings:
        return []
    owners = [offering.provider_id for offering in offerings]
    zones = await connection.fetch("SELECT provider_id, timezone FROM provider WHERE provider_id = ANY($1)", owners)
    schedules = await connection.fetch(
        "SELECT provider_id, weekly, dated, closed FROM schedule WHERE provider_id = ANY($1)", owners
    )
    zone_of = {row["provider_id"]: ZoneInfo(row["timezone"]) for row in zones}
    schedule_of = {row["provider_id"]: rows.schedule(row) for row in schedules}
    windows = [
        Window(offering, zone_of[offering.provider_id], schedule_of.get(offering.provider_id), now)
        for offering in offerings
        if offering.provider_id in zone_of
    ]
    found = await _slots_of(connection, windows)
    over = await _over(connection, [slot.slot_id for slots in found for slot in slots if slot.active], now)
    return [window.free(slots, over) for window, slots in zip(windows, found, strict=True)]


@dataclass(frozen=True, slots=True)
class Window:
    """The time in which an offering's next slots are looked at."""

    offering: Offering
    zone: ZoneInfo
    schedule: Schedule | None
    now: datetime

    @property
    def start(self) -> datetime:
        return self.now + timedelta(minutes=self.offering.minimum_notice_minutes)

    @property
    def end(self) -> datetime:
        """Not included."""
        last = self.now + min(AHEAD, timedelta(days=self.offering.horizon_days))
        if self.schedule is None:
            return last
        starts = starts_between(self.schedule, self.offering, self.zone, self.start, last)
        return next(islice(starts, LOOKED_AT, None), last)

    def free(self, slots: Sequence[Slot], over: Mapping[UUID, Holds]) -> Alternatives:
        """What of it is free, as availability shows it."""
        views = Calendar(self.zone, self.schedule, slots, over).view([self.offering], self.start, self.end, self.now)
        free = [(shown["starts_at"], shown["seats_left"]) for shown in views if shown["free"]]
        return Alternatives(self.offering.offering_id, tuple(free[:MOST]))


async def _slots_of(connection: Connection, windows: Sequence[Window]) -> list[list[Slot]]:
    """Of each window: the offering's own slots, and active ones that its provider may be busy with then."""
    reach = [timedelta(minutes=w.offering.duration_minutes + w.offering.buffer_after_minutes) for w in windows]
    found = await connection.fetch(
        """
        SELECT w.nth, s.* FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[])
            WITH ORDINALITY AS w (offering_id, since, until, nth)
        CROSS JOIN LATERAL (
            SELECT * FROM slot WHERE offering_id = w.offering_id AND starts_at >= w.since AND starts_at < w.until
            ORDER BY starts_at LIMIT $7) s
        UNION ALL
        SELECT w.nth, s.* FROM unnest($4::uuid[], $5::timestamptz[], $6::timestamptz[])
            WITH ORDINALITY AS w (provider_id, busy_from, busy_until, nth)
        CROSS JOIN LATERAL (
            SELECT * FROM slot
            WHERE provider_id = w.provider_id AND active AND busy && tstzrange(w.busy_from, w.busy_until) LIMIT $7) s
        """,
        [w.offering.offering_id for w in windows],
        [w.start for w in windows],
        [w.end for w in windows],
        [w.offering.provider_id for w in windows],
        [w.start - timedelta(minutes=w.offering.buffer_before_minutes) for w in windows],
        [w.end + more for w, more in zip(windows, reach, strict=True)],
        LOOKED_AT,
    )
    slots: list[dict[UUID, Slot]] = [{} for _ in windows]
    for row in found:
        slots[row["nth"] - 1][row["slot_id"]] = rows.slot(row)
    return [list(of_window.values()) for of_window in slots]


async def _over(connection: Connection, slots: list[UUID], now: datetime) -> dict[UUID, Holds]:
    """Seats by slot that holds and offers which are over still take."""
    found = await connection.fetch(
        """
        SELECT slot_id, sum(seats)::int AS seats
        FROM (SELECT slot_id, seats FROM booking
              WHERE slot_id = ANY($1) AND state IN ('PENDING_APPROVAL', 'PENDING_PAYMENT') AND deadline <= $2
              UNION ALL
              SELECT slot_id, seats FROM waitlist_entry
              WHERE slot_id = ANY($1) AND state = 'OFFERED' AND deadline <= $2) held
        GROUP BY slot_id
        """,
        slots,
        now,
    )
    return {row["slot_id"]: Holds(over=row["seats"]) for row in found}


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
