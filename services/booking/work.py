"""What booking's handlers work with: rows, history and events of bookings, in the batch's unit of work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from booking_contracts.booking import BookingEvent, CatalogueEvent, CloseSlot, WaitlistEvent
from booking_contracts.codes import Code, Rejected
from booking_contracts.envelope import uuid7
from booking_contracts.types import SYSTEM, Actor

from services.booking.event_fields import facts, facts_of_entry
from services.booking.local_messages import DeadlineReached, HoursChanged, LineClosing, SeatsLeft
from services.booking.model.booking import Booking
from services.booking.model.catalogue import Offering, Provider
from services.booking.model.closing import Closing
from services.booking.model.deadlines import due_at
from services.booking.model.hoarding import held_after
from services.booking.model.people import Person
from services.booking.model.slots import Slot, as_of_today, slot_id
from services.booking.model.states import State, may_become
from services.booking.model.waitlist import Entry, Line, in_line
from services.chassis.database import TRANSACTION_TIMEOUT_SECONDS
from services.chassis.unit_of_work import Row, RowT, UnitOfWork

ALL_HAVE_JOINED = timedelta(seconds=TRANSACTION_TIMEOUT_SECONDS + 5)
"""No batch that had read a schedule, an offering or a zone before they changed is at work any more."""


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """Who did what to a booking, when, why, caused by which message (requirement history-tracking)."""

    booking_id: UUID
    number: int
    at: datetime
    actor: Actor
    type: str
    from_state: State | None
    to_state: State
    reason: str | None
    causation_id: UUID | None


class BookingWork(UnitOfWork):
    """The rows of a batch, and booking's words for changing them."""

    def __init__(self, now: datetime, new_id: Callable[[], UUID] = uuid7) -> None:
        super().__init__(now, new_id)
        self._by_slot: defaultdict[UUID, dict[UUID, None]] = defaultdict(dict)
        self._by_payer: defaultdict[tuple[UUID, str | UUID], dict[UUID, None]] = defaultdict(dict)
        self._by_comer: defaultdict[tuple[UUID, str | UUID], dict[UUID, None]] = defaultdict(dict)
        self._looked_at: set[tuple[UUID, datetime]] = set()
        self._asked_for_more: set[SeatsLeft | LineClosing] = set()
        self._by_provider: defaultdict[UUID, dict[UUID, None]] = defaultdict(dict)
        self._lines: defaultdict[UUID, dict[UUID, None]] = defaultdict(dict)
        self.freed: set[UUID] = set()
        """Slots that have seats again, to be offered on by lifecycle/freed_seats.py."""

    def load(self, row: Row) -> None:
        super().load(row)
        self._index(row)

    def put(self, row: RowT) -> RowT:
        self._index(row)
        return super().put(row)

    def _index(self, row: Row) -> None:
        if isinstance(row, Booking):
            self._by_slot[row.slot_id][row.booking_id] = None
            party = row.party
            for index, person in ((self._by_payer, party.payer), (self._by_comer, party.comer)):
                for key in person.keys:
                    index[row.slot_id, key][row.booking_id] = None
        elif isinstance(row, Slot):
            self._by_provider[row.provider_id][row.slot_id] = None
        elif isinstance(row, Entry):
            self._lines[row.slot_id][row.entry_id] = None

    def booking(self, booking_id: UUID) -> Booking:
        """The booking that a command names; raises BOOKING_NOT_FOUND."""
        booking = self.find(Booking, booking_id)
        if booking is None:
            raise Rejected(Code.BOOKING_NOT_FOUND, f"There is no booking {booking_id}.", booking_id)
        return booking

    def offering(self, offering_id: UUID) -> Offering:
        """The offering that a command names; raises OFFERING_NOT_FOUND."""
        offering = self.find(Offering, offering_id)
        if offering is None:
            raise Rejected(Code.OFFERING_NOT_FOUND, f"There is no offering {offering_id}; name one that is defined.")
        return offering

    def provider(self, provider_id: UUID) -> Provider:
        """The provider that a command names; raises PROVIDER_NOT_FOUND."""
        provider = self.find(Provider, provider_id)
        if provider is None:
            raise Rejected(Code.PROVIDER_NOT_FOUND, f"There is no provider {provider_id}; name one that is registered.")
        return provider

    def provider_of(self, row: Booking | Entry) -> Provider:
        """The provider as of now: who is reached and paid, whatever was so when the booking was made."""
        provider = self.find(Provider, row.provider_id)
        assert provider is not None, "a slot's provider is loaded with it"
        return provider

    def slot(self, offering_id: UUID, starts_at: datetime) -> Slot | None:
        """The slot as it counts now, where it has a row."""
        row = self.find(Slot, slot_id(offering_id, starts_at))
        return None if row is None else self.today(row)

    def today(self, slot: Slot) -> Slot:
        """A slot without living bookings or offers, as its offering of today makes it."""
        offering = self.find(Offering, slot.offering_id)
        return slot if offering is None else as_of_today(slot, offering)

    def outdated(self, slot: Slot) -> bool:
        """Whether its times or capacity would be others if nobody had a seat there."""
        empty = replace(slot, taken=0)
        return self.today(empty) != empty

    def occupy(self, slot: Slot) -> None:
        """Before seats of a slot are taken: it is made, or becomes, what it was when they were found free."""
        row = self.find(Slot, slot.slot_id)
        slot = replace(slot, taken=row.taken if row else 0)
        if slot != row:
            self.put(slot)

    def bookings_on(self, slot: UUID) -> Iterator[Booking]:
        """The bookings on a slot that this batch holds."""
        return (booking for booking in self._held(Booking, self._by_slot[slot]) if booking.slot_id == slot)

    def paid_by(self, payer: Person, slot: UUID) -> Iterator[Booking]:
        """Those among them that one person pays."""
        return self._somebodys(self._by_payer, payer, slot)

    def attended_by(self, comer: Person, slot: UUID) -> Iterator[Booking]:
        """Those among them that one person comes to."""
        return self._somebodys(self._by_comer, comer, slot)

    def _somebodys(
        self, index: Mapping[tuple[UUID, str | UUID], Mapping[UUID, None]], person: Person, slot: UUID
    ) -> Iterator[Booking]:
        ids = dict.fromkeys(one for key in person.keys for one in index.get((slot, key), ()))
        return (booking for booking in self._held(Booking, ids) if booking.slot_id == slot)

    def closing_of(self, slot: UUID) -> Closing | None:
        """The closing of a slot that is not done with yet."""
        closing = self.find(Closing, slot)
        return None if closing is None or closing.over else closing

    @contextmanager
    def on_behalf_of(self, closing: Closing) -> Iterator[None]:
        """What is decided now has the CloseSlot command as its cause, whichever message leads to it."""
        message = self.message
        if message is not None:
            self.message = replace(
                message, id=closing.command_id, type=CloseSlot.ce_type, correlation_id=closing.correlation_id
            )
        try:
            yield
        finally:
            self.message = message

    def first_look(self, slot: UUID) -> bool:
        """Whether this batch looks at the holds on a slot for the first time at this instant."""
        first = (slot, self.now) not in self._looked_at
        self._looked_at.add((slot, self.now))
        return first

    def more_seats_later(self, slot: UUID) -> None:
        """Free seats of a slot are offered on by a batch that holds more of its line."""
        self._once_more(SeatsLeft(slot_id=slot))

    def more_of_line_later(self, slot: UUID) -> None:
        """More of a line that is in vain is told so by a batch that holds it."""
        self._once_more(LineClosing(slot_id=slot))

    def look_at_lines(self, provider_id: UUID) -> None:
        """After a provider's hours or offerings have changed: who waits for hours that are gone is told, and room that
        is there now is offered, in slices. Now, and once more for who is joining a line by the hours of before."""
        for at in (self.now, self.now + ALL_HAVE_JOINED):
            self.remind(HoursChanged(provider_id=provider_id), key=str(provider_id), due_at=at)

    def _once_more(self, body: SeatsLeft | LineClosing) -> None:
        """Asked for once a batch."""
        if body not in self._asked_for_more:
            self._asked_for_more.add(body)
            self.remind(body, key=str(body.slot_id), due_at=self.now)

    def slots_of(self, provider_id: UUID) -> Iterator[Slot]:
        """The slots of a provider that this batch holds."""
        return iter(self._held(Slot, self._by_provider[provider_id]))

    def entries_on(self, slot: UUID) -> Iterator[Entry]:
        """The waitlist entries of a slot that this batch holds: those it names, and the head of the line."""
        return iter(self._held(Entry, self._lines.get(slot, ())))

    def end_of_line(self, slot: UUID) -> tuple[int, int]:
        """The place behind the last who waits for a slot, and how many will wait with one more."""
        line = self.find(Line, slot) or Line(slot, beyond=0, last_place=0)
        here = in_line(self.entries_on(slot))
        return max([line.last_place, *(entry.place for entry in here)]) + 1, line.beyond + len(here) + 1

    def slots_with_entries(self) -> Iterator[Slot]:
        """The slots that somebody waits for, or did."""
        return iter(self._held(Slot, self._lines))

    def _held(self, kind: type[RowT], ids: Iterable[UUID]) -> list[RowT]:
        return [row for row_id in ids if (row := self.find(kind, row_id)) is not None]

    def create(self, booking: Booking, actor: Actor) -> Booking:
        """A new booking takes its seats; it is never born confirmed (requirement initial-booking-state)."""
        self.take(booking.slot_id, booking.seats)
        return self._noted(booking, actor, None, booking.state, None)

    def move(
        self, booking: Booking, to: State, actor: Actor = SYSTEM, *, reason: str | None = None, **changes: Any
    ) -> Booking:
        """A step of the state table: state, seats and history at once."""
        assert may_become(booking.state, to), f"{booking.state} → {to} is not in the table"
        after = replace(booking, state=to, held_seconds=held_after(booking, to, self.now), **changes)
        if booking.occupies and not after.occupies:
            self.take(booking.slot_id, -booking.seats)
        return self._noted(after, actor, booking.state, to, reason)

    def relocate(self, booking: Booking, slot: Slot, actor: Actor, **changes: Any) -> Booking:
        """The booking leaves its slot and takes its seats on another, in one step (requirement rescheduling-logic)."""
        self.take(booking.slot_id, -booking.seats)
        self.take(slot.slot_id, booking.seats)
        changes |= {"slot_id": slot.slot_id, "starts_at": slot.starts_at, "ends_at": slot.ends_at}
        why = f"moved from {booking.starts_at.isoformat()} to {slot.starts_at.isoformat()}"
        return self.note(replace(booking, **changes), actor, why)

    def note(self, booking: Booking, actor: Actor, reason: str | None = None) -> Booking:
        """Something worth remembering that leaves the state as it is."""
        return self._noted(booking, actor, booking.state, booking.state, reason)

    def say(self, booking: Booking, event: type[BookingEvent], **fields: Any) -> Booking:
        """Tell the world, under the next number of the booking's stream."""
        booking = self.put(replace(booking, sequence=booking.sequence + 1))
        self.send(event(**facts(booking, self.provider_of(booking)), **fields), sequence=booking.sequence)
        return booking

    def say_of(self, entry: Entry, event: type[WaitlistEvent], **fields: Any) -> Entry:
        """Tell the world of a waitlist entry, under the next number of the entry's own stream."""
        entry = self.put(replace(entry, sequence=entry.sequence + 1))
        self.send(event(**facts_of_entry(entry, self.provider_of(entry)), **fields), sequence=entry.sequence)
        return entry

    def announce(self, provider: Provider, event: type[CatalogueEvent], **fields: Any) -> Provider:
        """Tell the world of a change in the catalogue, under the next number of the provider's stream."""
        provider = self.put(replace(provider, sequence=provider.sequence + 1))
        self.send(event(provider_id=provider.provider_id, **fields), sequence=provider.sequence)
        return provider

    def watch_deadline(self, booking: Booking) -> None:
        """Come back when time takes the booking's next step; called whenever that instant is new or another."""
        due = due_at(booking)
        assert due is not None, "a step of time lies ahead"
        timer = DeadlineReached(booking_id=booking.booking_id)
        self.remind(timer, key=str(booking.booking_id), due_at=due)

    def take(self, slot: UUID, seats: int) -> None:
        """Seats are taken, or with a negative number given back."""
        row = self.find(Slot, slot)
        assert row is not None, "a booking's slot is loaded with it"
        assert 0 <= row.taken + seats <= row.capacity, f"slot {slot} would have {row.taken + seats} taken"
        self.put(replace(row, taken=row.taken + seats))
        if seats < 0:
            self.freed.add(slot)

    def _noted(self, booking: Booking, actor: Actor, before: State | None, to: State, reason: str | None) -> Booking:
        booking = self.put(replace(booking, history_number=booking.history_number + 1))
        cause = self.message
        self.record(
            HistoryItem(
                booking.booking_id,
                booking.history_number,
                self.now,
                actor,
                cause.type if cause else "unknown",
                before,
                to,
                reason,
                cause.id if cause else None,
            )
        )
        return booking
