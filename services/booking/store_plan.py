"""The plan: unlocked reads, between the locks, that find every row a batch may touch (engine.md, Batch 4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.booking import rows
from services.booking.model.catalogue import Offering
from services.booking.model.slots import new_slot
from services.booking.needs import Needs
from services.booking.rows import Row
from services.booking.tables import OFFERING
from services.booking.work import BookingWork
from services.chassis.database import Connection


@dataclass(frozen=True, slots=True)
class Plan:
    """Adds to `needs` what the database knows."""

    connection: Connection
    needs: Needs
    work: BookingWork

    async def bookings(self) -> dict[UUID, UUID]:
        """The slots of the bookings, and those that they are to move to. Returns booking → slot."""
        needs = self.needs
        if not needs.bookings:
            return {}
        query = "SELECT booking_id, slot_id, offering_id, seats FROM booking WHERE booking_id = ANY($1)"
        found = await self.connection.fetch(query, list(needs.bookings))
        for row in found:
            needs.slots.add(row["slot_id"])
            for starts_at in needs.moves.get(row["booking_id"], ()):
                needs.want(row["offering_id"], starts_at, row["seats"])
        return {row["booking_id"]: row["slot_id"] for row in found}

    async def entries(self) -> None:
        """The slots of the waitlist entries; these never change."""
        needs = self.needs
        if not needs.entries:
            return
        query = "SELECT entry_id, slot_id, offering_id, starts_at FROM waitlist_entry WHERE entry_id = ANY($1)"
        for row in await self.connection.fetch(query, list(needs.entries)):
            needs.slots.add(row["slot_id"])
            if row["entry_id"] in needs.accepts:
                needs.want(row["offering_id"], row["starts_at"])

    async def lines(self) -> None:
        """Slots without a booking or offer that people wait for: their provider is busy elsewhere.

        Of every provider that the batch is about: when the last seat of what is in the way is freed, they are offered
        in the same transaction, which makes them active. So they are wanted, as by a command.
        """
        for row in await self._lines():
            self.needs.lines[row["slot_id"]] = row["provider_id"]
            self.needs.want(row["offering_id"], row["starts_at"])

    async def new_lines(self) -> bool:
        """Whether there are more than the plan saw; asked under the locks.

        An active slot that is locked keeps those that overlap it as they are: none of them comes to life, and nobody
        joins the line of a slot where nobody sits. So what this does not find will not be there at the commit either.
        """
        return any(row["slot_id"] not in self.needs.lines for row in await self._lines())

    async def _lines(self) -> list[Row]:
        needs = self.needs
        if not needs.slots:
            return []
        return await self.connection.fetch(
            """
            SELECT DISTINCT s.slot_id, s.provider_id, s.offering_id, s.starts_at
            FROM waitlist_entry e JOIN slot s USING (slot_id)
            WHERE e.state = 'WAITING' AND NOT s.active AND e.provider_id IN (
                SELECT provider_id FROM slot WHERE slot_id = ANY($1)
                UNION SELECT provider_id FROM offering WHERE offering_id = ANY($2))
            """,
            list(needs.slots),
            list(needs.offerings),
        )

    async def offerings(self) -> None:
        """Read without a lock: an edit counts for later bookings, and which comes first is nobody's promise."""
        if self.needs.offerings:
            query = OFFERING.select("WHERE offering_id = ANY($1)")
            for row in await self.connection.fetch(query, list(self.needs.offerings)):
                self.work.load(rows.offering(row))

    async def active(self) -> set[UUID]:
        """The active ones of the wanted slots; the others need their provider's lock."""
        needs = self.needs
        if not needs.starts:
            return set()
        query = "SELECT slot_id FROM slot WHERE slot_id = ANY($1) AND active"
        active = {row["slot_id"] for row in await self.connection.fetch(query, list(needs.starts))}
        for slot, (offering_id, _) in needs.starts.items():
            offering = self.work.find(Offering, offering_id)
            if offering is not None:
                needs.read_providers.add(offering.provider_id)
                if slot not in active or slot in needs.announced:
                    needs.providers.add(offering.provider_id)
        return active

    async def overlapping(self) -> None:
        """The provider's active slots that overlap one that is to come to life; they stand still under its lock."""
        needs = self.needs
        wished = [
            new_slot(offering, starts_at)
            for offering_id, starts_at in needs.starts.values()
            if (offering := self.work.find(Offering, offering_id)) is not None
            and offering.provider_id in needs.providers
        ]
        if not wished:
            return
        found = await self.connection.fetch(
            """
            SELECT DISTINCT s.slot_id FROM slot s
            JOIN unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS w (provider_id, busy_from, busy_until)
              ON s.provider_id = w.provider_id AND s.busy && tstzrange(w.busy_from, w.busy_until)
            WHERE s.active
            """,
            [slot.provider_id for slot in wished],
            [slot.busy_from for slot in wished],
            [slot.busy_until for slot in wished],
        )
        needs.overlapping.update(row["slot_id"] for row in found)
        needs.slots.update(needs.overlapping)

    async def pending(self, now: datetime) -> None:
        """Holds that are over, the customers' own unpaid tries, and every booking on a slot that is closed."""
        needs = self.needs
        slots = [*needs.starts, *needs.overlapping]
        if not slots:
            return
        found = await self.connection.fetch(
            """
            SELECT booking_id FROM booking
            WHERE slot_id = ANY($1) AND state IN ('PENDING_APPROVAL', 'PENDING_PAYMENT')
              AND (deadline <= $2 OR customer_id = ANY($3))
            UNION
            SELECT booking_id FROM booking
            WHERE slot_id = ANY($4) AND state IN ('PENDING_APPROVAL', 'PENDING_PAYMENT', 'CONFIRMED')
            """,
            slots,
            now,
            list(needs.customers),
            list(needs.closed),
        )
        needs.pending.update(row["booking_id"] for row in found)
