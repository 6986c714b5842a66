"""Writes bookings in waves: legal steps only, and seats are free before they are taken (engine.md, Batch 8).

A row is inserted in its initial state and then updated. Within a wave updates come before inserts; a batch needs a
second wave only where it takes one booking through two steps, or gives away seats that it has itself taken before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.booking.model.booking import Booking
from services.booking.model.states import State
from services.booking.store.tables import INSERT_BOOKINGS, INSERT_CONTACTS, UPDATE_BOOKINGS
from services.chassis.statements import Statements
from services.chassis.unit_of_work import Changed


@dataclass(slots=True)
class Wave:
    """Updates first, then inserts; a booking stands in a wave once."""

    updates: dict[UUID, Booking] = field(default_factory=dict)
    inserts: dict[UUID, Booking] = field(default_factory=dict)


def waves(changes: Sequence[Changed]) -> list[Wave]:
    """The journal's changes of bookings, in the fewest waves that keep their order where it matters."""
    planner = _Planner()
    for change in changes:
        if isinstance(change.after, Booking):
            assert change.before is None or isinstance(change.before, Booking)
            planner.add(change.before, change.after)
    return planner.waves


class _Planner:
    def __init__(self) -> None:
        self.waves: list[Wave] = [Wave()]
        self._at: dict[UUID, int] = {}
        """The latest wave that a booking stands in."""
        self._base: dict[UUID, State] = {}
        """The state that the database has before that wave."""
        self._freed: dict[UUID, int] = {}
        """The latest wave that frees seats of a slot."""

    def add(self, before: Booking | None, after: Booking) -> None:
        if before is None:
            self._at[after.booking_id] = self._insert(after)
            return
        wave = self._at.get(after.booking_id)
        if wave is not None and after.booking_id in self.waves[wave].inserts:
            if before.state is after.state:
                self.waves[wave].inserts[after.booking_id] = after
                return
            wave += 1
        elif wave is not None and self._base[after.booking_id] is not before.state is not after.state:
            wave += 1
        if before.slot_id != after.slot_id:
            # where nobody may come twice, an index looks at rows one by one: the one that leaves has left before
            wave = max(wave or 0, self._freed.get(after.slot_id, -1) + after.once_per_customer)
        self._update(wave or 0, before, after)

    def _insert(self, booking: Booking) -> int:
        wave = self._freed.get(booking.slot_id, 0)
        self._wave(wave).inserts[booking.booking_id] = booking
        return wave

    def _update(self, wave: int, before: Booking, after: Booking) -> None:
        if self._at.get(after.booking_id) != wave:
            self._at[after.booking_id], self._base[after.booking_id] = wave, before.state
        self._wave(wave).updates[after.booking_id] = after
        if before.occupies and (not after.occupies or before.slot_id != after.slot_id):
            self._freed[before.slot_id] = max(wave, self._freed.get(before.slot_id, 0))

    def _wave(self, number: int) -> Wave:
        while len(self.waves) <= number:
            self.waves.append(Wave())
        return self.waves[number]


def _any_moves(changes: Sequence[Changed]) -> bool:
    return any(
        isinstance(change.before, Booking)
        and isinstance(change.after, Booking)
        and change.before.slot_id != change.after.slot_id
        for change in changes
    )


async def save_bookings(writes: Statements, changes: Sequence[Changed]) -> None:
    """Write the bookings of a batch; a provider's overlap is looked at when all of them are where they belong."""
    planned = waves(changes)
    if len(planned) > 1 or _any_moves(changes):
        await writes.connection.execute("SET CONSTRAINTS slot_provider_overlap DEFERRED")
    for wave in planned:
        await writes.send()
        UPDATE_BOOKINGS(writes, list(wave.updates.values()))
        if new := list(wave.inserts.values()):
            await writes.send()
            INSERT_BOOKINGS(writes, new)
            INSERT_CONTACTS(writes, new)
