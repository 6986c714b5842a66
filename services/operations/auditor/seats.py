"""Seats: what a slot says is taken is what its bookings and the offers of its line hold (overbooking-prevention)."""

from __future__ import annotations

from services.booking.model.states import OCCUPYING
from services.operations.auditor.check_types import Walk
from services.operations.auditor.databases import Databases, literals
from services.operations.auditor.findings import Finding, Kind
from services.operations.auditor.scope import Scope

SEATS = f"""
SELECT s.slot_id, s.taken, s.capacity, coalesce(b.seats, 0) AS booked, coalesce(o.seats, 0) AS offered
FROM slot s
LEFT JOIN (SELECT slot_id, sum(seats) AS seats FROM booking
           WHERE {{booked}} AND state IN ({literals(OCCUPYING)}) GROUP BY slot_id) b USING (slot_id)
LEFT JOIN (SELECT slot_id, sum(seats) AS seats FROM waitlist_entry
           WHERE {{offered}} AND state = 'OFFERED' GROUP BY slot_id) o USING (slot_id)
WHERE {{slots}} AND (s.taken <> coalesce(b.seats, 0) + coalesce(o.seats, 0) OR s.taken NOT BETWEEN 0 AND s.capacity
                     OR s.active <> (s.taken > 0))
"""
"""One statement, one snapshot: nothing of it is ever in motion."""


async def look(databases: Databases, scope: Scope) -> list[Finding]:
    """Slots that do not add up."""
    columns = {"booked": "slot_id", "offered": "slot_id", "slots": "s.slot_id"}
    return [
        Finding(
            Kind.SEATS,
            str(row["slot_id"]),
            f"{row['taken']} of {row['capacity']} seats are taken, by bookings {row['booked']}, by offers "
            f"{row['offered']}",
            {"slot_id": str(row["slot_id"])},
        )
        for row in await databases.within("booking", scope, SEATS, **columns)
    ]


CHECK = Walk("seats", frozenset({Kind.SEATS}), "booking", "slot", "slot_id", look)
