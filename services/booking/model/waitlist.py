"""Who waits for seats on a full slot (requirement waitlist-handling; rules.md, Waitlist).

WAITING → OFFERED → ACCEPTED, EXPIRED, LEFT or CLOSED; WAITING → LEFT or CLOSED. Nothing leaves the last four.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from booking_contracts.types import Attendee, Customer

from services.booking.model.catalogue import Offering, Provider
from services.booking.model.people import Party
from services.booking.model.slots import Slot


class EntryState(StrEnum):
    """Where an entry stands."""

    WAITING = "WAITING"
    OFFERED = "OFFERED"
    ACCEPTED = "ACCEPTED"
    EXPIRED = "EXPIRED"
    LEFT = "LEFT"
    CLOSED = "CLOSED"


E = EntryState
TRANSITIONS: dict[EntryState, frozenset[EntryState]] = {
    E.WAITING: frozenset({E.OFFERED, E.LEFT, E.CLOSED}),
    E.OFFERED: frozenset({E.ACCEPTED, E.EXPIRED, E.LEFT, E.CLOSED}),
}
OPEN = frozenset(TRANSITIONS)
"""States of an entry that can still get seats."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A place in the line of a slot. `place` orders the line; no offer is made or kept from `closes_at` on.

    Title, name, notice and offer time are those of the moment of joining; the price is that of the acceptance.
    """

    entry_id: UUID
    state: EntryState
    slot_id: UUID
    offering_id: UUID
    provider_id: UUID
    starts_at: datetime
    ends_at: datetime
    seats: int
    customer: Customer
    offering_title: str
    provider_name: str
    place: int
    closes_at: datetime
    offer_minutes: int
    joined_at: datetime
    deadline: datetime | None = None
    """Until when its offer may be accepted."""
    attendee: Attendee | None = None
    booking_id: UUID | None = None
    sequence: int = 0

    @property
    def row_key(self) -> UUID:
        return self.entry_id

    @property
    def party(self) -> Party:
        return Party(self.customer, self.attendee)

    @property
    def holds(self) -> bool:
        """Whether its seats count: offered seats are held."""
        return self.state is EntryState.OFFERED

    def offer_over(self, now: datetime) -> bool:
        """Accepting is possible while now < deadline, not at equality."""
        return self.holds and self.deadline is not None and now >= self.deadline

    def line_over(self, now: datetime) -> bool:
        """From the start less the minimum notice on, waiting is of no use."""
        return self.state is EntryState.WAITING and now >= self.closes_at

    def offer_deadline(self, now: datetime) -> datetime:
        """The offering's time to decide, but never into the minimum notice."""
        return min(now + timedelta(minutes=self.offer_minutes), self.closes_at)


@dataclass(frozen=True, slots=True)
class Line:
    """How many wait for a slot beyond those that a batch holds, and the last one's place."""

    slot_id: UUID
    beyond: int
    last_place: int

    @property
    def row_key(self) -> UUID:
        return self.slot_id


@dataclass(frozen=True, slots=True)
class Head:
    """A batch holds a slot's line up to this place only: nobody behind it is asked before those in between were."""

    slot_id: UUID
    until: int

    @property
    def row_key(self) -> UUID:
        return self.slot_id


@dataclass(frozen=True, slots=True)
class WaitedFor:
    """A slot that people wait for, as it was read without a lock."""

    slot_id: UUID
    offering_id: UUID
    starts_at: datetime
    opened: bool
    active: bool


@dataclass(frozen=True, slots=True)
class LinesAhead:
    """Slots of a provider that people wait for, in order of start and id, `after` a place in that order."""

    provider_id: UUID
    after: tuple[datetime, UUID] | None
    lines: tuple[WaitedFor, ...]
    more: bool
    """Whether there may be others behind them."""

    @property
    def row_key(self) -> tuple[UUID, tuple[datetime, UUID] | None]:
        return self.provider_id, self.after


def may_become(current: EntryState, following: EntryState) -> bool:
    """Whether the step is in the table."""
    return following in TRANSITIONS.get(current, frozenset())


def in_line(entries: Iterable[Entry]) -> list[Entry]:
    """Those who wait, first come first."""
    return sorted((entry for entry in entries if entry.state is E.WAITING), key=lambda entry: entry.place)


def closes_at(offering: Offering, starts_at: datetime) -> datetime:
    """When the line of a slot ends."""
    return starts_at - timedelta(minutes=offering.minimum_notice_minutes)


def new_entry(
    entry_id: UUID,
    offering: Offering,
    provider: Provider,
    slot: Slot,
    seats: int,
    party: Party,
    place: int,
    now: datetime,
) -> Entry:
    """Somebody waits, at a place of the slot's line."""
    return Entry(
        entry_id=entry_id,
        state=E.WAITING,
        slot_id=slot.slot_id,
        offering_id=offering.offering_id,
        provider_id=offering.provider_id,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        seats=seats,
        customer=party.customer,
        attendee=party.attendee,
        offering_title=offering.title,
        provider_name=provider.name,
        place=place,
        closes_at=closes_at(offering, slot.starts_at),
        offer_minutes=offering.offer_minutes,
        joined_at=now,
    )
