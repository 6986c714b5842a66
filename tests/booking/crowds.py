"""Slots with thousands of bookings and a long line: set-based SQL copies the one of each that the engine made."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tests.booking.replicas import join
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene


@dataclass(frozen=True)
class Crowd:
    """A full slot, number 0 of its scene: `first` is the booking that the others are copies of."""

    scene: Scene
    slot_id: UUID
    first: UUID


async def crowd(engine: Engine, bookings: int, *, parties: tuple[int, ...] = ()) -> Crowd:
    """A slot with so many confirmed bookings of a seat each, and in its line parties of so many seats, in this order.

    Customers are called c1, c2, … and w1, w2, … in the line.
    """
    scene = await Scene(engine).open(slots=2, capacity=max(bookings, *parties, 1))
    first = await scene.confirmed("c1")
    (row,) = await engine.fetch("SELECT slot_id FROM booking WHERE booking_id = $1", first)
    slot = row["slot_id"]
    await engine.fetch("UPDATE slot SET capacity = $2 WHERE slot_id = $1", slot, max(bookings, *parties, 1))
    await _sit(engine, first, range(2, bookings + 1))
    if parties:
        await engine.fetch("UPDATE slot SET capacity = taken WHERE slot_id = $1 AND taken = $2", slot, bookings)
        entry = join(scene, "w1")
        await engine.tell(entry)
        await _wait(engine, entry.entry_id, parties)
    return Crowd(scene, slot, first)


async def _sit(engine: Engine, first: UUID, numbers: range) -> None:
    """Copies of a confirmed booking, born as the database wants it and then confirmed."""
    ids = "SELECT md5($1::text || n)::uuid AS id, 'c' || n AS customer_id FROM unnest($2::int[]) n"
    new = {"booking_id": "t.id", "payment_id": "t.id", "customer_id": "t.customer_id", "state": "'PENDING_PAYMENT'"}
    many = list(numbers)
    await _copy(engine, "booking", new, f"({ids}) t", f"booking_id = '{first}'", first, many)
    known = {"booking_id": "t.id", "customer": "jsonb_set(customer, '{id}', to_jsonb(t.customer_id))"}
    await _copy(engine, "booking_contact", known, f"({ids}) t", f"booking_id = '{first}'", first, many)
    await _copy(engine, "saga", {"booking_id": "t.id"}, f"({ids}) t", f"booking_id = '{first}'", first, many)
    await engine.fetch(
        "UPDATE booking SET state = 'CONFIRMED' WHERE booking_id IN (SELECT md5($1::text || n)::uuid "
        "FROM unnest($2::int[]) n)",
        str(first),
        many,
    )


async def _wait(engine: Engine, first: UUID, parties: tuple[int, ...]) -> None:
    """Copies of the first entry behind it; it is itself of one seat, whatever `parties` begins with."""
    source = "(SELECT md5($1::text || n)::uuid AS id, n, seats FROM unnest($2::int[]) WITH ORDINALITY p (seats, n)) t"
    new = {"entry_id": "t.id", "customer_id": "'w' || t.n", "seats": "t.seats", "place": "t.n"}
    where = f"entry_id = '{first}' AND t.n > 1"
    await _copy(engine, "waitlist_entry", new, source, where, first, list(parties))
    known = {"entry_id": "t.id", "customer": "jsonb_set(customer, '{id}', to_jsonb('w' || t.n))"}
    await _copy(engine, "waitlist_contact", known, source, where, first, list(parties))


async def _copy(
    engine: Engine, table: str, new: dict[str, str], source: str, where: str, first: UUID, numbers: list[int]
) -> None:
    found = await engine.fetch(
        "SELECT column_name AS name FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position",
        table,
    )
    names = [row["name"] for row in found]
    values = [new.get(name, f"{table}.{name}") for name in names]
    await engine.fetch(
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(values)} FROM {table}, {source} WHERE {where}",
        str(first),
        numbers,
    )
