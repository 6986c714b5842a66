"""The plan: unlocked reads before the slots' locks that find every slot a batch may touch (engine.md, Batch 4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.booking.model.availability import Alternatives
from services.booking.model.catalogue import Offering
from services.booking.model.people import Party, Person
from services.booking.model.slots import Crowded, Slot, Surveyed, new_slot
from services.booking.model.waitlist import LinesAhead, WaitedFor
from services.booking.store import rows
from services.booking.store.needs import Needs, Seeker
from services.booking.store.reads_alternatives import alternatives
from services.booking.store.tables import OFFERING, PROVIDER, SCHEDULE, SLOT
from services.booking.work import BookingWork
from services.chassis.database import Connection
from services.chassis.service import PlanChanged
from services.chassis.statements import Row, Statements

MOST_LINES = 100
MOST_OVERLAPPING = 50
WALKED = 50
NO_SLOT = UUID(int=0)
MOST_FULL = 20
"""Offerings of a batch whose alternatives are looked up; in a batch with more the others' list stays empty."""

OWN = """$1::uuid[] || ARRAY(SELECT slot_id FROM booking WHERE booking_id = ANY($2))
                    || ARRAY(SELECT slot_id FROM waitlist_entry WHERE entry_id = ANY($3))"""
"""Slots that a batch names, and those of its bookings and waitlist entries."""
LINES = f"""
WITH of_provider AS (
    SELECT provider_id FROM slot WHERE slot_id = ANY({OWN})
    UNION SELECT provider_id FROM offering WHERE offering_id = ANY($4))
SELECT slot_id, offering_id, starts_at FROM slot WHERE slot_id = ANY({OWN}) AND stranded
UNION
SELECT line.slot_id, line.offering_id, line.starts_at FROM of_provider p CROSS JOIN LATERAL (
    SELECT s.slot_id, s.offering_id, s.starts_at FROM slot s
    WHERE s.provider_id = p.provider_id AND s.stranded AND s.starts_at > $5 AND EXISTS (
        SELECT FROM waitlist_entry e
        WHERE e.slot_id = s.slot_id AND e.state = 'WAITING' AND e.seats <= s.capacity)
    ORDER BY s.starts_at LIMIT $6) line
"""
PROVIDERS = f"""
WHERE provider_id = ANY(ARRAY(SELECT provider_id FROM slot WHERE slot_id = ANY({OWN}))
                        || ARRAY(SELECT provider_id FROM offering WHERE offering_id = ANY($4)) || $5::uuid[])
"""
SCHEDULES = """
WHERE provider_id = ANY(ARRAY(SELECT provider_id FROM offering WHERE offering_id = ANY($1)) || $2::uuid[])
"""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Rows of what is wanted."""

    offerings: Sequence[Row]
    slots: Sequence[Row]
    providers: Sequence[Row]
    schedules: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the plan begins with: rows of the bookings and entries that messages name, of lines, of the catalogue."""

    bookings: Sequence[Row]
    entries: Sequence[Row]
    lines: Sequence[Row]
    catalogue: Catalogue


@dataclass(frozen=True, slots=True)
class Plan:
    """Adds to `needs` what the database knows."""

    connection: Connection
    needs: Needs
    work: BookingWork
    seats_left: dict[UUID, int] = field(default_factory=dict)
    """Of wanted slots that exist, as last read."""

    def ask(self, reads: Statements) -> Asked:
        """For what messages lead to, with the next `send`."""
        return Asked(
            self._bookings(reads), self._entries(reads), self._lines(reads, MOST_LINES), self._catalogue(reads)
        )

    async def look(self, asked: Asked) -> tuple[dict[UUID, UUID], set[UUID]]:
        """The slots that messages lead to, by bookings, waitlist entries and lines, with offerings and providers. Once
        more where they led to slots that nobody had named.

        Returns booking → slot of the bookings that messages name, and the wanted slots that are active, and stay as
        they are also where the batch frees the last seat and takes it anew, because their offering was not edited. The
        others need their provider's lock.
        """
        if self.needs.walks:
            await self._ahead()
            async with Statements(self.connection) as reads:
                asked = self.ask(reads)
        catalogue, wanted = asked.catalogue, set(self.needs.starts)
        self._note_bookings(asked.bookings)
        self._note_entries(asked.entries)
        self._note_lines(asked.lines)
        while wanted != self.needs.starts.keys():
            wanted = set(self.needs.starts)
            async with Statements(self.connection) as reads:
                lines, catalogue = self._lines(reads, MOST_LINES), self._catalogue(reads)
            self._note_lines(lines)
        return {row["booking_id"]: row["slot_id"] for row in asked.bookings}, self._note_catalogue(catalogue)

    def _bookings(self, reads: Statements) -> list[Row]:
        columns = "booking_id, slot_id, offering_id, seats, customer_id, attendee_id, payer_reading, comer_reading"
        if not self.needs.bookings:
            return []
        return reads.read(
            columns, f"SELECT {columns} FROM booking WHERE booking_id = ANY($1)", list(self.needs.bookings)
        )

    def _note_bookings(self, found: Sequence[Row]) -> None:
        """The slots of the bookings, and those that they are to move to."""
        needs = self.needs
        for row in found:
            needs.slots.add(row["slot_id"])
            for starts_at in needs.moves.get(row["booking_id"], ()):
                needs.seekers.add(_mover(needs.want(row["offering_id"], starts_at, row["seats"]), row))

    def _entries(self, reads: Statements) -> list[Row]:
        if not self.needs.entries:
            return []
        query = """
            SELECT entry_id, slot_id, offering_id, starts_at, c.customer, c.attendee
            FROM waitlist_entry LEFT JOIN waitlist_contact c USING (entry_id) WHERE entry_id = ANY($1)
            """
        columns = "entry_id, slot_id, offering_id, starts_at, customer, attendee"
        return reads.read(columns, query, list(self.needs.entries))

    def _note_entries(self, found: Sequence[Row]) -> None:
        """The slots of the waitlist entries; these never change."""
        needs = self.needs
        for row in found:
            needs.slots.add(row["slot_id"])
            if row["entry_id"] in needs.accepts:
                needs.want(row["offering_id"], row["starts_at"])
                waiting = rows.party(row)
                for attendee in needs.accepts[row["entry_id"]]:
                    party = Party(waiting.customer, attendee or waiting.attendee)
                    needs.seekers.add(Seeker.of(row["slot_id"], party))

    def _lines(self, reads: Statements, most: int) -> list[Row]:
        """Slots without a booking or offer that people wait for: all of the batch's own, `most` of each provider."""
        if not self._about_slots:
            return []
        columns = "slot_id, offering_id, starts_at"
        return reads.read(columns, LINES, *self._places, list(self.needs.offerings), self.work.now, most)

    def _note_lines(self, found: Sequence[Row]) -> None:
        """Their provider is busy elsewhere.

        Of every provider that the batch is about: when the last seat of what is in the way is freed, they are offered
        in the same transaction, which makes them active. So they are wanted, as by a command. The next MOST_LINES of a
        provider; later ones are seen when these have begun.
        """
        for row in found:
            self.needs.lines.add(row["slot_id"])
            self.needs.want(row["offering_id"], row["starts_at"])

    def lines_now(self, reads: Statements) -> list[Row]:
        """Lines once more, under the locks; `check` looks whether there are more than the plan saw.

        An active slot that is locked keeps those that overlap it as they are: none of them comes to life, and nobody
        joins the line of a slot where nobody sits. So what this does not find will not be there at the commit either.
        """
        return self._lines(reads, 0 if len(self.needs.lines) >= MOST_LINES else MOST_LINES)

    def check(self, lines: Sequence[Row], active: Iterable[UUID]) -> None:
        """Raises PlanChanged where what was planned on has changed before the locks were had."""
        for slot in active:
            row = self.work.find(Slot, slot)
            locked = row is None or row.provider_id in self.needs.providers
            if row is not None and not locked and (not row.active or self.work.outdated(row)):
                raise PlanChanged("a slot became free, or another, after the plan was made")
        if any(row["slot_id"] not in self.needs.lines for row in lines):
            raise PlanChanged("a slot that people wait for lost its last booking after the plan was made")

    @property
    def _about_slots(self) -> bool:
        return bool(self.needs.slots or self.needs.bookings or self.needs.entries)

    @property
    def _places(self) -> tuple[list[UUID], list[UUID], list[UUID]]:
        """What OWN takes: the first three parameters of a query."""
        return list(self.needs.slots), list(self.needs.bookings), list(self.needs.entries)

    async def _ahead(self) -> None:
        """The next WALKED slots that people wait for, of providers whose hours or offerings have changed."""
        for walk in self.needs.walks:
            after, slot = walk.after or (self.work.now, NO_SLOT)
            found = await self.connection.fetch(
                """
                SELECT slot_id, offering_id, starts_at, opened, active FROM slot s
                WHERE provider_id = $1 AND (starts_at, slot_id) > ($2, $3) AND NOT closed
                  AND EXISTS (SELECT FROM waitlist_entry e WHERE e.slot_id = s.slot_id AND e.state = 'WAITING')
                ORDER BY starts_at, slot_id LIMIT $4
                """,
                walk.provider_id,
                after,
                slot,
                WALKED,
            )
            self.needs.offerings.update(row["offering_id"] for row in found)
            lines = tuple(WaitedFor(**row) for row in found)
            self.work.load(LinesAhead(walk.provider_id, walk.after, lines, more=len(found) == WALKED))

    def _catalogue(self, reads: Statements) -> Catalogue:
        """Offerings are read without a lock: an edit counts for later bookings, and which of two comes first is not
        promised. Providers are those of all slots as well: events say how to reach them today."""
        needs = self.needs
        offerings, slots, named = list(needs.offerings), list(needs.starts), list(needs.read_providers)
        return Catalogue(
            OFFERING.read(reads, "WHERE offering_id = ANY($1)", offerings) if offerings else [],
            SLOT.read(reads, "WHERE slot_id = ANY($1)", slots) if slots else [],
            PROVIDER.read(reads, PROVIDERS, *self._places, offerings, named) if self._about_slots or named else [],
            SCHEDULE.read(reads, SCHEDULES, offerings, named) if slots or named else [],
        )

    def _note_catalogue(self, found: Catalogue) -> set[UUID]:
        needs = self.needs
        for offering_row in found.offerings:
            self.work.load(rows.offering(offering_row))
        for provider_row in found.providers:
            self.work.load(rows.provider(provider_row))
        for schedule_row in found.schedules:
            self.work.load(rows.schedule(schedule_row))
        known = {row["slot_id"]: rows.slot(row) for row in found.slots}
        self.seats_left.update((slot_id, self.work.today(slot).seats_left) for slot_id, slot in known.items())
        active = {slot_id for slot_id, slot in known.items() if slot.active and not self.work.outdated(slot)}
        for slot, (offering_id, _) in needs.starts.items():
            offering = self.work.find(Offering, offering_id)
            if offering is not None:
                needs.read_providers.add(offering.provider_id)
                if slot not in active or slot in needs.announced:
                    needs.providers.add(offering.provider_id)
        return active

    async def alternatives(self) -> None:
        """Where more seats are wanted than a slot has left, SLOT_FULL will name other slots of its offering.

        Looked up before anything is locked; after the locks only for slots that became full in between.
        """
        needs, left = self.needs, self.seats_left
        full = [slot for slot, wanted in needs.seats.items() if slot in left and wanted > left[slot]]
        short = dict.fromkeys(needs.starts[slot][0] for slot in full)
        new = [offering for offering_id in short if (offering := self._without_alternatives(offering_id))]
        for found in await alternatives(self.connection, new[:MOST_FULL], self.work.now):
            self.work.load(found)

    def _without_alternatives(self, offering_id: UUID) -> Offering | None:
        return None if self.work.find(Alternatives, offering_id) else self.work.find(Offering, offering_id)

    def overlapping(self, reads: Statements) -> list[Row]:
        """The provider's active slots that overlap one that is to come to life; they stand still under its lock."""
        needs = self.needs
        wished = [
            new_slot(offering, starts_at)
            for offering_id, starts_at in needs.starts.values()
            if (offering := self.work.find(Offering, offering_id)) is not None
            and offering.provider_id in needs.providers
        ]
        if not wished:
            return []
        for slot in wished:
            self.work.load(Surveyed(slot.slot_id, slot.busy_from, slot.busy_until))
        return reads.read(
            "wished, slot_id",
            """
            SELECT w.slot_id AS wished, s.slot_id
            FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[])
                 AS w (slot_id, provider_id, busy_from, busy_until)
            CROSS JOIN LATERAL (
                SELECT slot_id FROM slot
                WHERE provider_id = w.provider_id AND busy && tstzrange(w.busy_from, w.busy_until)
                  AND active AND slot_id <> w.slot_id LIMIT $5) s
            """,
            [slot.slot_id for slot in wished],
            [slot.provider_id for slot in wished],
            [slot.busy_from for slot in wished],
            [slot.busy_until for slot in wished],
            MOST_OVERLAPPING + 1,
        )

    def note_overlapping(self, found: Sequence[Row]) -> None:
        """Where there are more than MOST_OVERLAPPING, that the provider is busy is all that has to be known."""
        self.needs.overlapping.update(row["slot_id"] for row in found)
        self.needs.slots.update(self.needs.overlapping)
        for slot, many in Counter(row["wished"] for row in found).items():
            if many > MOST_OVERLAPPING:
                self.work.load(Crowded(slot))


def _mover(slot: UUID, row: Row) -> Seeker:
    """Whose booking is to come to a slot."""
    comer = Person(row["attendee_id"] or row["customer_id"], row["comer_reading"])
    return Seeker(slot, Person(row["customer_id"], row["payer_reading"]), comer, row["attendee_id"])
