"""The locks: each table once, in the one order of store/load.py; locked rows go into the work."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from booking_contracts.types import Actor

from services.booking.model.catalogue import Offering
from services.booking.model.closing import Closing
from services.booking.model.slots import Slot
from services.booking.model.waitlist import in_line
from services.booking.store import rows
from services.booking.store.needs import Needs
from services.booking.store.plan import Plan
from services.booking.store.tables import (
    BOOKING,
    CONTACT,
    ENTRY,
    OFFERING,
    PROVIDER,
    QUOTE,
    SAGA,
    SCHEDULE,
    SLOT,
    WAITING_CONTACT,
)
from services.booking.work import BookingWork
from services.chassis.database import Connection
from services.chassis.service import PlanChanged
from services.chassis.statements import Row, Statements

LOCK = "FOR NO KEY UPDATE"


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of bookings."""

    bookings: Sequence[Row] = ()
    contacts: Sequence[Row] = ()
    sagas: Sequence[Row] = ()
    quotes: Sequence[Row] = ()


@dataclass(frozen=True, slots=True)
class Locks:
    """Locks rows and brings them into the work."""

    connection: Connection
    needs: Needs
    work: BookingWork

    async def providers(self, plan: Plan) -> None:
        """Locked where a slot comes to life or a provider's event is written; what depends on them is read then."""
        locked = sorted(self.needs.providers)
        if not locked:
            return
        query = PROVIDER.select(f"WHERE provider_id = ANY($1) ORDER BY provider_id {LOCK}")
        for row in await self.connection.fetch(query, locked):
            self.work.load(rows.provider(row))
        async with Statements(self.connection) as reads:
            schedules = SCHEDULE.read(reads, "WHERE provider_id = ANY($1)", locked)
            overlapping = plan.overlapping(reads)
        for schedule_row in schedules:
            self.work.load(rows.schedule(schedule_row))
        plan.note_overlapping(overlapping)

    async def of_lines(self) -> None:
        """What tells whether seats may be offered on: offering and schedule of the slots with a line here."""
        work = self.work
        lines = [slot for slot in work.slots_with_entries() if in_line(work.entries_on(slot.slot_id))]
        offerings = {slot.offering_id for slot in lines if work.find(Offering, slot.offering_id) is None}
        providers = {slot.provider_id for slot in lines} - self.needs.read_providers
        async with Statements(self.connection) as reads:
            offered = OFFERING.read(reads, "WHERE offering_id = ANY($1)", list(offerings)) if offerings else []
            schedules = SCHEDULE.read(reads, "WHERE provider_id = ANY($1)", list(providers)) if providers else []
        for offering_row in offered:
            work.load(rows.offering(offering_row))
        for schedule_row in schedules:
            work.load(rows.schedule(schedule_row))

    async def slots(self) -> None:
        """The slots that exist already, and of closed ones what is known of their closing."""
        if self.needs.slots:
            query = SLOT.select(f"WHERE slot_id = ANY($1) ORDER BY slot_id {LOCK}")
            for row in await self.connection.fetch(query, sorted(self.needs.slots)):
                self.work.load(rows.slot(row))
        closed = [slot.slot_id for slot in self.work.all(Slot) if slot.closed]
        if closed:
            query = """
                SELECT slot_id, closed_at, actor_kind, actor_id, command_id, correlation_id
                FROM slot_closing WHERE slot_id = ANY($1)
                """
            for row in await self.connection.fetch(query, closed):
                self.work.load(_closing(row))

    def bookings(self, reads: Statements, wanted: Collection[UUID]) -> Found:
        """With contacts, sagas, and the quotes that matter: under their slot's lock they stand still."""
        if not wanted:
            return Found()
        locked, quoted = f"WHERE booking_id = ANY($1) ORDER BY booking_id {LOCK}", list(self.needs.quoted & set(wanted))
        alive = "WHERE booking_id = ANY($1) AND NOT dead ORDER BY quote_id"
        return Found(
            BOOKING.read(reads, locked, sorted(wanted)),
            CONTACT.read(reads, "WHERE booking_id = ANY($1)", list(wanted)),
            SAGA.read(reads, "WHERE booking_id = ANY($1)", list(wanted)),
            QUOTE.read(reads, alive, quoted) if quoted else [],
        )

    def note_bookings(self, found: Found, planned: Mapping[UUID, UUID]) -> None:
        """Brings them into the work. `planned` is booking → slot as the plan saw it; raises PlanChanged."""
        contact_of = {row["booking_id"]: row for row in found.contacts}
        for row in found.bookings:
            if planned.get(row["booking_id"], row["slot_id"]) != row["slot_id"]:
                raise PlanChanged("a booking moved to another slot after the plan was made")
            self.work.load(rows.booking(row, contact_of[row["booking_id"]]))
        for saga_row in found.sagas:
            self.work.load(rows.saga(saga_row))
        for quote_row in found.quotes:
            self.work.load(rows.quote(quote_row))

    async def entries(self, wanted: set[UUID]) -> None:
        """Waitlist entries, with contacts."""
        if not wanted:
            return
        query = ENTRY.select(f"WHERE entry_id = ANY($1) ORDER BY entry_id {LOCK}")
        found = await self.connection.fetch(query, sorted(wanted))
        ids = [row["entry_id"] for row in found]
        contacts = await self.connection.fetch(WAITING_CONTACT.select("WHERE entry_id = ANY($1)"), ids)
        contact_of = {row["entry_id"]: row for row in contacts}
        for row in found:
            self.work.load(rows.entry(row, contact_of[row["entry_id"]]))


def _closing(row: Row) -> Closing:
    actor = Actor(kind=row["actor_kind"], id=row["actor_id"])
    return Closing(row["slot_id"], row["closed_at"], actor, row["command_id"], row["correlation_id"])
