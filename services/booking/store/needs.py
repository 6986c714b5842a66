"""Which rows a batch's messages are about, as far as the messages themselves tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from booking_contracts.booking import (
    AcceptOffer,
    CancelBooking,
    CloseSlot,
    DefineOffering,
    JoinWaitlist,
    OpenSlot,
    PlaceBooking,
    QuoteCancellation,
    RegisterProvider,
    RescheduleBooking,
    SetSchedule,
)
from booking_contracts.types import Attendee

from services.booking.local_messages import HoursChanged, LineClosing, SeatsLeft, SlotClosing
from services.booking.model.people import Party, Person
from services.booking.model.slots import slot_id
from services.chassis.messages import Message


@dataclass(frozen=True, slots=True)
class Seeker:
    """Somebody who wants seats on a slot: their tries, offers and bookings there matter."""

    slot_id: UUID
    payer: Person
    comer: Person
    attendee_id: str | None

    @classmethod
    def of(cls, slot: UUID, party: Party) -> Seeker:
        return cls(slot, party.payer, party.comer, party.attendee_id)


@dataclass(slots=True)
class Needs:
    """The ids that a batch's messages name; store/plan.py adds those that only the database knows."""

    providers: set[UUID] = field(default_factory=set)
    read_providers: set[UUID] = field(default_factory=set)
    offerings: set[UUID] = field(default_factory=set)
    slots: set[UUID] = field(default_factory=set)
    starts: dict[UUID, tuple[UUID, datetime]] = field(default_factory=dict)
    """Slots that somebody wants seats on, opens or closes: slot id → (offering id, start)."""
    seats: defaultdict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    """How many seats are wanted on them altogether."""
    announced: set[UUID] = field(default_factory=set)
    """Slots of OpenSlot and CloseSlot, which write an event of the provider."""
    closed: set[UUID] = field(default_factory=set)
    """Slots of CloseSlot."""
    slices: set[UUID] = field(default_factory=set)
    """These, and those that were closed before: a slice of their bookings and lines ends."""
    line_slices: set[UUID] = field(default_factory=set)
    """Slots that are offered no longer: a slice of their lines ends."""
    capacities: defaultdict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    """The most seats that slots are to be opened with."""
    overlapping: set[UUID] = field(default_factory=set)
    """Active slots of the same provider that overlap one of `starts`."""
    bookings: set[UUID] = field(default_factory=set)
    moves: defaultdict[UUID, set[datetime]] = field(default_factory=lambda: defaultdict(set))
    """Bookings that are to be moved: booking id → new starts."""
    pending: set[UUID] = field(default_factory=set)
    """Bookings that may end because of a message about their slot: overdue, superseded, or the slot is closed."""
    quoted: set[UUID] = field(default_factory=set)
    """Bookings whose quotes matter."""
    entries: set[UUID] = field(default_factory=set)
    accepts: defaultdict[UUID, set[Attendee | None]] = field(default_factory=lambda: defaultdict(set))
    """Waitlist entries whose offer is accepted, and who is to come where that is said anew."""
    seekers: set[Seeker] = field(default_factory=set)
    """Who wants seats on a slot, now or by waiting."""
    joins: set[UUID] = field(default_factory=set)
    """Slots whose lines are counted: somebody joins, or has kept others out for long."""
    walks: set[HoursChanged] = field(default_factory=set)
    """Providers whose hours have changed."""
    lines: set[UUID] = field(default_factory=set)
    """Slots of the batch's providers where nobody sits and somebody waits."""

    def want(self, offering_id: UUID, starts_at: datetime, seats: int = 0) -> UUID:
        """Somebody wants seats on a slot, or the slot itself; returns its id."""
        slot = slot_id(offering_id, starts_at)
        self.offerings.add(offering_id)
        self.slots.add(slot)
        self.starts[slot] = (offering_id, starts_at)
        self.seats[slot] += seats
        return slot


def needs_of(messages: Sequence[Message[Any]]) -> Needs:
    """Every message names what it is about in fields of the same names."""
    needs = Needs()
    for message in messages:
        body = message.body
        if (booking_id := getattr(body, "booking_id", None)) is not None:
            needs.bookings.add(booking_id)
        if (entry_id := getattr(body, "entry_id", None)) is not None:
            needs.entries.add(entry_id)
        if isinstance(body, SlotClosing | SeatsLeft | LineClosing):
            needs.slots.add(body.slot_id)
        if isinstance(body, HoursChanged):
            needs.read_providers.add(body.provider_id)
            needs.walks.add(body)
        if isinstance(body, LineClosing):
            needs.line_slices.add(body.slot_id)
        if isinstance(body, SlotClosing):
            needs.slices.add(body.slot_id)
        _of_catalogue(needs, body)
        _of_bookings(needs, body)
    return needs


def _of_catalogue(needs: Needs, body: object) -> None:
    if isinstance(body, RegisterProvider | DefineOffering | SetSchedule):
        needs.providers.add(body.provider_id)
    if isinstance(body, DefineOffering):
        needs.offerings.add(body.offering_id)
    if isinstance(body, OpenSlot | CloseSlot):
        slot = needs.want(body.offering_id, body.starts_at)
        needs.announced.add(slot)
        if isinstance(body, CloseSlot):
            needs.closed.add(slot)
            needs.slices.add(slot)
        else:
            needs.capacities[slot] = max(needs.capacities[slot], body.capacity or 0)


def _of_bookings(needs: Needs, body: object) -> None:
    if isinstance(body, PlaceBooking):
        slot = needs.want(body.offering_id, body.starts_at, body.seats)
        needs.seekers.add(Seeker.of(slot, Party(body.customer, body.attendee)))
    if isinstance(body, JoinWaitlist):
        slot = needs.want(body.offering_id, body.starts_at, body.seats)
        needs.seekers.add(Seeker.of(slot, Party(body.customer, body.attendee)))
        needs.joins.add(slot)
    if isinstance(body, AcceptOffer):
        needs.accepts[body.entry_id].add(body.attendee)
    if isinstance(body, RescheduleBooking):
        needs.moves[body.booking_id].add(body.starts_at)
        needs.quoted.add(body.booking_id)
    if isinstance(body, QuoteCancellation) or (isinstance(body, CancelBooking) and body.quote_id is not None):
        needs.quoted.add(body.booking_id)
