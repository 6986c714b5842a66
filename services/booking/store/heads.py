"""What a batch loads of its slots' bookings and lines, found under the slots' locks: heads and slices, never the whole.

| of a slot                       | at most                                                                |
|---------------------------------|------------------------------------------------------------------------|
| holds and offers that are over  | OVER, shared by the batch's slots; their timers end the others         |
| a customer's older unpaid tries | MOST_TRIES for the same attendee                                        |
| bookings of who is to come      | MOST_TRIES by id, and by address, where nobody may come twice            |
| a closed slot's bookings, line  | SLICE each, shared by the batch's closed slots; SlotClosing comes again |
| a line that is in vain          | the same SLICE; LineClosing comes again                                 |
| the line                        | who could be offered seats that are free or may become so in this batch, |
|                                 | HEAD of them, HEADS of all lines; SeatsLeft comes again                  |
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass, replace
from uuid import UUID

from services.booking.model.catalogue import Offering
from services.booking.model.closing import CLOSED_WITH_SLOT, Rest
from services.booking.model.deadlines import overdue
from services.booking.model.hoarding import Held
from services.booking.model.slots import Slot
from services.booking.model.waitlist import OPEN, EntryState, Head, Line
from services.booking.store.needs import Needs
from services.booking.work import BookingWork
from services.chassis.database import Connection
from services.chassis.statements import Row, Statements

OVER = 1_000
SLICE = 200
MOST_TRIES = 100
HEAD, HEADS = 100, 2_000
MIN_SHARE = 5


@dataclass(frozen=True, slots=True)
class Heads:
    """Finds ids; store/locks.py locks and loads the rows."""

    connection: Connection
    needs: Needs
    work: BookingWork

    def bookings(self, reads: Statements) -> list[Row]:
        """Holds that are over, own unpaid tries and bookings of who wants seats, and a slice of every closed slot."""
        needs, tries, closed = self.needs, list(self.needs.seekers), list(self.needs.slices)
        alone = [one for one in tries if self._once(one.slot_id)]
        slots = list(needs.starts.keys() | needs.overlapping)
        if not slots and not closed:
            return []
        return reads.read(
            "slice, booking_id",
            """
            SELECT NULL::uuid AS slice, b.booking_id FROM unnest($1::uuid[]) AS s (slot_id) CROSS JOIN LATERAL (
                SELECT booking_id FROM booking
                WHERE slot_id = s.slot_id AND state IN ('PENDING_APPROVAL', 'PENDING_PAYMENT') AND deadline <= $2
                ORDER BY deadline LIMIT $3) b
            UNION ALL
            SELECT NULL, b.booking_id FROM unnest($4::uuid[], $5::text[], $6::text[]) AS t (slot_id, customer, attendee)
            CROSS JOIN LATERAL (
                SELECT booking_id FROM booking
                WHERE slot_id = t.slot_id AND customer_id = t.customer AND attendee_id IS NOT DISTINCT FROM t.attendee
                  AND state = 'PENDING_PAYMENT' LIMIT $7) b
            UNION ALL
            SELECT c.slot_id, b.booking_id FROM unnest($8::uuid[]) AS c (slot_id) CROSS JOIN LATERAL (
                SELECT booking_id FROM booking
                WHERE slot_id = c.slot_id AND state IN ('PENDING_APPROVAL', 'PENDING_PAYMENT', 'CONFIRMED')
                LIMIT $9) b
            UNION ALL
            SELECT NULL, b.booking_id FROM unnest($10::uuid[], $11::text[], $12::uuid[]) AS p (slot_id, id, email)
            CROSS JOIN LATERAL (
                (SELECT booking_id FROM booking
                 WHERE slot_id = p.slot_id AND coalesce(attendee_id, customer_id) = p.id
                   AND state IN ('PENDING_APPROVAL', 'PENDING_PAYMENT', 'CONFIRMED') LIMIT $7)
                UNION ALL
                (SELECT booking_id FROM booking
                 WHERE slot_id = p.slot_id AND comer_reading = p.email
                   AND state IN ('PENDING_APPROVAL', 'PENDING_PAYMENT', 'CONFIRMED') LIMIT $7)) b
            """,
            slots,
            self.work.now,
            _share(OVER, slots),
            [one.slot_id for one in tries],
            [one.payer.id for one in tries],
            [one.attendee_id for one in tries],
            MOST_TRIES,
            closed,
            self._slice,
            [one.slot_id for one in alone],
            [one.comer.id for one in alone],
            [one.comer.email for one in alone],
        )

    def note_bookings(self, found: Sequence[Row]) -> None:
        """They are wanted."""
        self.needs.pending.update(row["booking_id"] for row in found)
        self._note_rest(Counter(row["slice"] for row in found if row["slice"]))

    @property
    def _slice(self) -> int:
        return _share(SLICE, self.needs.slices | self.needs.line_slices)

    def _once(self, slot: UUID) -> bool:
        """Whether nobody may come to a slot twice."""
        offering_id, _ = self.needs.starts[slot]
        offering = self.work.find(Offering, offering_id)
        return offering is not None and offering.once_per_customer

    def held(self, reads: Statements) -> list[Row]:
        """For how long those who want seats have held some before, unpaid."""
        tries = list(self.needs.seekers)
        if not tries:
            return []
        return reads.read(
            "nth, seconds, going_on",
            """
            SELECT nth, coalesce(greatest(
                (SELECT max(held_seconds) FROM booking
                 WHERE slot_id = t.slot_id AND customer_id = t.id AND held_seconds > 0),
                (SELECT max(held_seconds) FROM booking
                 WHERE slot_id = t.slot_id AND payer_reading = t.email AND held_seconds > 0)), 0) AS seconds,
                EXISTS (SELECT FROM booking WHERE slot_id = t.slot_id AND customer_id = t.id
                        AND state IN ('PENDING_APPROVAL', 'PENDING_PAYMENT')) AS going_on
            FROM unnest($1::uuid[], $2::text[], $3::uuid[]) WITH ORDINALITY AS t (slot_id, id, email, nth)
            """,
            [one.slot_id for one in tries],
            [one.payer.id for one in tries],
            [one.payer.email for one in tries],
        )

    def note_held(self, found: Sequence[Row]) -> None:
        """Who has held seats for long may have to wait behind a line, which is counted then."""
        tries = list(self.needs.seekers)
        for row in found:
            one = tries[row["nth"] - 1]
            self.work.load(Held(one.slot_id, one.payer, row["seconds"], row["going_on"]))
            if row["seconds"] > 0:
                self.needs.joins.add(one.slot_id)

    def _note_rest(self, slices: Mapping[UUID, int]) -> None:
        """A slice that is full may not be all."""
        for slot, many in slices.items():
            if many >= self._slice:
                self.work.load(Rest(slot, cancelled=0, living=1))

    def entries(self, reads: Statements) -> list[Row]:
        """The waitlist entries that messages name, offers that are over, a slice of closed slots, heads of lines."""
        needs, hopes, closed = self.needs, list(self.needs.seekers), list(self.needs.slices)
        ids = [slot.slot_id for slot in self.work.all(Slot)]
        if not ids and not needs.entries:
            return []
        return reads.read(
            "slice, entry_id, slot_id, state, seats",
            """
            SELECT NULL::uuid AS slice, entry_id, slot_id, state, seats FROM waitlist_entry WHERE entry_id = ANY($1)
            UNION ALL
            SELECT NULL, e.* FROM unnest($2::uuid[]) AS s (slot_id) CROSS JOIN LATERAL (
                SELECT entry_id, slot_id, state, seats FROM waitlist_entry
                WHERE slot_id = s.slot_id AND state = 'OFFERED' AND deadline <= $3 ORDER BY deadline LIMIT $4) e
            UNION ALL
            SELECT NULL, e.entry_id, e.slot_id, e.state, e.seats
            FROM unnest($5::uuid[], $6::text[]) AS j (slot_id, customer)
            JOIN waitlist_entry e ON e.slot_id = j.slot_id AND e.customer_id = j.customer
            WHERE e.state IN ('WAITING', 'OFFERED')
            UNION ALL
            SELECT c.slot_id, e.* FROM unnest($7::uuid[]) AS c (slot_id) CROSS JOIN LATERAL (
                SELECT entry_id, slot_id, state, seats FROM waitlist_entry
                WHERE slot_id = c.slot_id AND state IN ('WAITING', 'OFFERED') LIMIT $8) e
            UNION ALL
            SELECT l.slot_id, e.* FROM unnest($9::uuid[]) AS l (slot_id) CROSS JOIN LATERAL (
                SELECT entry_id, slot_id, state, seats FROM waitlist_entry
                WHERE slot_id = l.slot_id AND state = 'WAITING' LIMIT $8) e
            UNION ALL
            SELECT NULL, NULL, s.slot_id, NULL, NULL FROM unnest($2::uuid[]) AS s (slot_id)
            WHERE EXISTS (SELECT FROM waitlist_entry WHERE slot_id = s.slot_id AND state = 'WAITING')
            """,
            list(needs.entries),
            ids,
            self.work.now,
            _share(OVER, ids),
            [one.slot_id for one in hopes],
            [one.payer.id for one in hopes],
            closed,
            self._slice,
            list(needs.line_slices),
        )

    async def of_lines(self, found: Sequence[Row]) -> set[UUID]:
        """Those entries, and the heads of the lines that seats may be offered to."""
        self._note_rest(Counter(row["slice"] for row in found if row["slice"]))
        lines = {row["slot_id"] for row in found if row["entry_id"] is None}
        found = list({row["entry_id"]: row for row in found if row["entry_id"]}.values())
        rooms = {
            slot.slot_id: self._room(slot) for slot in self.work.all(Slot) if slot.slot_id in lines and not slot.closed
        }
        leaving = Counter(row["slot_id"] for row in found if row["state"] == EntryState.WAITING)
        for row in found:
            if row["state"] == EntryState.OFFERED and row["slot_id"] in rooms:
                rooms[row["slot_id"]] += row["seats"]
        return {row["entry_id"] for row in found} | await self._heads(rooms, leaving)

    def _room(self, slot: Slot) -> int:
        """The most seats that can be free in this batch: those that are, those it holds, those that are added by
        OpenSlot, or by an edit of the offering once nobody sits there."""
        held = sum(booking.seats for booking in self.work.bookings_on(slot.slot_id) if booking.occupies)
        today = self.work.today(replace(slot, taken=0))
        most = max(slot.capacity, today.capacity, self.needs.capacities[slot.slot_id])
        return most - slot.taken + held

    async def _heads(self, rooms: dict[UUID, int], leaving: Mapping[UUID, int]) -> set[UUID]:
        """Of every size of party as many as the room could seat, first come first: all who can be asked.

        `leaving` is how many entries of a line this batch holds for other reasons: they may end, and others move up.
        """
        slots = [slot for slot, room in rooms.items() if room > 0]
        if not slots:
            return set()
        most = min(HEAD, _share(HEADS, slots))
        found = await self.connection.fetch(
            """
            SELECT s.slot_id, head.entry_id, head.place
            FROM unnest($1::uuid[], $2::int[], $3::int[]) AS s (slot_id, room, leaving)
            CROSS JOIN LATERAL (
                SELECT min(seats) AS smallest, max(seats) AS largest FROM waitlist_entry
                WHERE slot_id = s.slot_id AND state = 'WAITING') sizes
            CROSS JOIN LATERAL (
                SELECT e.entry_id, e.place
                FROM generate_series(sizes.smallest, least(sizes.largest, s.room)) AS size
                CROSS JOIN LATERAL (
                    SELECT entry_id, place FROM waitlist_entry
                    WHERE slot_id = s.slot_id AND state = 'WAITING' AND seats = size AND closes_at > $4
                    ORDER BY place LIMIT least(s.room / size + s.leaving, $5)) e
                ORDER BY e.place LIMIT $5) head
            """,
            slots,
            [rooms[slot] for slot in slots],
            [leaving.get(slot, 0) for slot in slots],
            self.work.now,
            most,
        )
        for slot, many in Counter(row["slot_id"] for row in found).items():
            if many == most:
                self.work.load(Head(slot, max(row["place"] for row in found if row["slot_id"] == slot)))
        return {row["entry_id"] for row in found}

    async def counts(self) -> None:
        """How many wait where somebody joins or comes again, and what closed slots have beyond their slices."""
        work, joined, closed = self.work, list(self.needs.joins), list(self.needs.closed)
        if joined:
            query = """
                SELECT slot_id, count(*) AS waiting, max(place) AS last_place FROM waitlist_entry
                WHERE slot_id = ANY($1) AND state = 'WAITING' GROUP BY slot_id
                """
            for row in await self.connection.fetch(query, joined):
                here = sum(entry.state is EntryState.WAITING for entry in work.entries_on(row["slot_id"]))
                work.load(Line(row["slot_id"], row["waiting"] - here, row["last_place"]))
        if closed:
            query = """
                SELECT c.slot_id, b.cancelled, b.living + e.waiting AS living FROM unnest($1::uuid[]) AS c (slot_id)
                CROSS JOIN LATERAL (
                    SELECT count(*) FILTER (WHERE deadline IS NULL OR deadline > $2) AS cancelled, count(*) AS living
                    FROM booking WHERE slot_id = c.slot_id
                      AND state IN ('PENDING_APPROVAL', 'PENDING_PAYMENT', 'CONFIRMED')) b
                CROSS JOIN LATERAL (
                    SELECT count(*) AS waiting FROM waitlist_entry
                    WHERE slot_id = c.slot_id AND state IN ('WAITING', 'OFFERED')) e
                """
            for row in await self.connection.fetch(query, closed, work.now):
                work.load(self._rest(row["slot_id"], row["cancelled"], row["living"]))

    def _rest(self, slot: UUID, cancelled: int, living: int) -> Rest:
        bookings = [booking for booking in self.work.bookings_on(slot) if booking.state in CLOSED_WITH_SLOT]
        entries = [entry for entry in self.work.entries_on(slot) if entry.state in OPEN]
        here = sum(not overdue(booking, self.work.now) for booking in bookings)
        return Rest(slot, cancelled - here, living - len(bookings) - len(entries))


def _share(most: int, slots: Sized) -> int:
    return max(MIN_SHARE, most // max(1, len(slots)))
