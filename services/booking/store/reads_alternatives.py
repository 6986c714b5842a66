"""The alternatives of a full slot: the next free ones of its offering (requirement slot-availability-recheck)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID
from zoneinfo import ZoneInfo

from services.booking.model import notice_and_horizon
from services.booking.model.availability import Alternatives, Calendar, Holds
from services.booking.model.catalogue import Offering
from services.booking.model.schedule import Schedule, starts_between
from services.booking.model.slots import Slot
from services.booking.store import rows
from services.booking.store.tables import SLOT
from services.chassis.database import Connection

AHEAD = timedelta(days=31)
MOST, LOOKED_AT = 25, 200


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
        earliest, _ = notice_and_horizon.window(self.offering, self.now)
        return earliest

    @property
    def end(self) -> datetime:
        """Not included."""
        _, latest = notice_and_horizon.window(self.offering, self.now)
        last = min(self.now + AHEAD, latest)
        if self.schedule is None:
            return last
        starts = starts_between(self.schedule, self.offering, self.zone, self.start, last)
        return next(islice(starts, LOOKED_AT, None), last)

    def free(self, slots: Sequence[Slot], over: Mapping[UUID, Holds]) -> Alternatives:
        """What of it is free, as availability shows it."""
        views = Calendar(self.zone, self.schedule, slots, over).of(self.offering, self.start, self.end, self.now)
        free = ((shown["starts_at"], shown["seats_left"]) for shown in views if shown["free"])
        return Alternatives(self.offering.offering_id, tuple(islice(free, MOST)))


async def _slots_of(connection: Connection, windows: Sequence[Window]) -> list[list[Slot]]:
    """Of each window: the offering's own slots, and active ones that its provider may be busy with then."""
    reach = [timedelta(minutes=w.offering.duration_minutes + w.offering.buffer_after_minutes) for w in windows]
    found = await connection.fetch(
        f"""
        SELECT w.nth, {SLOT.names("s")} FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[])
            WITH ORDINALITY AS w (offering_id, since, until, nth)
        CROSS JOIN LATERAL (
            {SLOT.select("WHERE offering_id = w.offering_id AND starts_at >= w.since AND starts_at < w.until")}
            ORDER BY starts_at LIMIT $7) s
        UNION ALL
        SELECT w.nth, {SLOT.names("s")} FROM unnest($4::uuid[], $5::timestamptz[], $6::timestamptz[])
            WITH ORDINALITY AS w (provider_id, busy_from, busy_until, nth)
        CROSS JOIN LATERAL (
            {SLOT.select("WHERE provider_id = w.provider_id AND active")}
            AND busy && tstzrange(w.busy_from, w.busy_until) LIMIT $7) s
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
