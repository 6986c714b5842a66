"""The locks: each table once, in the one order of store/load.py; locked rows go into the work."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from booking_contracts.types import Actor

from services.booking.model.catalogue import Offering
from services.booking.model.closing import Closing
from services.booking.model.slots import Slot
from services.booking.model.waitlist import in_line
from services.booking.store import rows
from services.booking.store.needs import Needs
from services.booking.store.rows import Row
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

LOCK = "FOR NO KEY UPDATE"
CONTACT_AND_SAGA = f"""
    SELECT {SAGA.columns("s", without="booking_id")}, {CONTACT.columns("c")}
    FROM booking_contact c LEFT JOIN saga s USING (booking_id) WHERE c.booking_id = ANY($1)
"""
"""One query for both: they stand still under their booking's lock."""


@dataclass(frozen=True, slots=True)
class Locks:
    """Locks rows and brings them into the work."""

    connection: Connection
    needs: Needs
    work: BookingWork

    async def providers(self) -> None:
        """Locked where a slot comes to life or a provider's event is written. Schedules are read, and so are the
        providers of all slots: events say how to reach them today."""
        locked, others = self.needs.providers, self.needs.read_providers - self.needs.providers
        if locked:
            query = PROVIDER.select(f"WHERE provider_id = ANY($1) ORDER BY provider_id {LOCK}")
            for row in await self.connection.fetch(query, sorted(locked)):
                self.work.load(rows.provider(row))
        if others or self.needs.slots:
            of_slots = "SELECT provider_id FROM slot WHERE slot_id = ANY($2)"
            query = PROVIDER.select(
                f"WHERE (provider_id = ANY($1) OR provider_id IN ({of_slots})) AND provider_id <> ALL($3)"
            )
            for row in await self.connection.fetch(query, list(others), list(self.needs.slots), list(locked)):
                self.work.load(rows.provider(row))
        await self._schedules(self.needs.read_providers)

    async def _schedules(self, providers: Collection[UUID]) -> None:
        if providers:
            query = SCHEDULE.select("WHERE provider_id = ANY($1)")
            for row in await self.connection.fetch(query, list(providers)):
                self.work.load(rows.schedule(row))

    async def of_lines(self) -> None:
        """What tells whether seats may be offered on: offering and schedule of the slots with a line here."""
        work = self.work
        lines = [slot for slot in work.slots_with_entries() if in_line(work.entries_on(slot.slot_id))]
        offerings = {slot.offering_id for slot in lines if work.find(Offering, slot.offering_id) is None}
        if offerings:
            query = OFFERING.select("WHERE offering_id = ANY($1)")
            for row in await self.connection.fetch(query, list(offerings)):
                work.load(rows.offering(row))
        await self._schedules({slot.provider_id for slot in lines} - self.needs.read_providers)

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

    async def bookings(self, planned: dict[UUID, UUID]) -> None:
        """With contacts, sagas, and the quotes that matter. `planned` is booking → slot as the plan saw it."""
        wanted = self.needs.pending | set(planned)
        if not wanted:
            return
        query = BOOKING.select(f"WHERE booking_id = ANY($1) ORDER BY booking_id {LOCK}")
        found = await self.connection.fetch(query, sorted(wanted))
        ids = [row["booking_id"] for row in found]
        besides = await self.connection.fetch(CONTACT_AND_SAGA, ids)
        of = {row["booking_id"]: row for row in besides}
        for row in found:
            if planned.get(row["booking_id"], row["slot_id"]) != row["slot_id"]:
                raise PlanChanged("a booking moved to another slot after the plan was made")
            self.work.load(rows.booking(row, of[row["booking_id"]]))
        for row in besides:
            if row["step"] is not None:
                self.work.load(rows.saga(row))
        if self.needs.quoted:
            query = QUOTE.select("WHERE booking_id = ANY($1) AND NOT dead ORDER BY quote_id")
            for row in await self.connection.fetch(query, list(self.needs.quoted)):
                self.work.load(rows.quote(row))

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
