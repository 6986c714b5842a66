"""What needs more than single records: floods, long lines, large closings, locks, transactions, planted rows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import UUID

from aiokafka import AIOKafkaProducer
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import CARD, customer_actor, provider_actor

from tests.hostile.locks import Lock, locks
from tests.hostile.planting import plant
from tests.hostile.recompressing import recompress
from tests.hostile.records import Due, Hostile, Sent
from tests.hostile.settings import LONG, scaled
from tests.hostile.stage import Stage
from tests.hostile.town import Command, Venue, command
from tests.hostile.wire import Wire, partition_of


async def flood(stage: Stage) -> None:
    """Very many commands about one booking, one entry, one provider, all at once."""
    town, count = stage.town, scaled(500, 40)
    venue = town.venue(2)
    await stage.ask("floods", venue.opening())
    booked, joined = town.place(venue, venue.starts[0]), town.join(venue, venue.starts[0])
    await stage.ask("floods", [booked, joined])
    about = [_renamed(town.about_booking(), "booking_id", booked.key) for _ in range(count)]
    leave = command(sample.leave_waitlist(entry_id=UUID(joined.key)))
    own = [command(_reopen(venue, number), venue.provider_id) for number in range(count)]
    await stage.wire.send(stage.framed("floods", [*about, *[leave] * count, *own]))


async def queue(stage: Stage) -> None:
    """A waiting list of 10,000 on one slot; then commands about that slot, each of which meets the line."""
    town, count = stage.town, scaled(10_000, 150)
    venue = town.venue(1, slots=1)
    await stage.ask("lines", [*venue.opening(), taken := town.place(venue, payment=None)])
    await _in_slices(stage, "lines", [town.join(venue) for _ in range(count)])
    who = taken.body["customer"]["id"]
    about = [
        command(make(booking_id=UUID(taken.key), actor=customer_actor(who)))
        for make in (sample.quote_cancellation, sample.pay_booking, sample.quote_cancellation)
    ]
    late = [town.place(venue) for _ in range(5)]
    leaving = [command(sample.leave_waitlist(entry_id=e, actor=customer_actor(w))) for e, w in town.entries[-20:]]
    await stage.wire.send(stage.framed("lines", [*about, *late, *leaving]))


async def closing(stage: Stage) -> None:
    """A slot with 2,000 bookings, one in ten paid by card, is closed while more come."""
    town, count = stage.town, scaled(2_000, 40)
    venue = town.venue(count + 10, slots=2)
    await stage.ask("closings", venue.opening())
    start = venue.starts[0]
    placed = [town.place(venue, start, payment=None if number % 10 else CARD) for number in range(count)]
    await _in_slices(stage, "closings", placed)
    slot = {"offering_id": venue.offering_id, "starts_at": start, "actor": provider_actor(venue.provider_id)}
    close = stage.framed("closings", [command(sample.close_slot(**slot), venue.provider_id)])
    await stage.wire.send([*close, *stage.framed("closings", [town.place(venue, start) for _ in range(10)])])
    await stage.answered(close[0])


async def locking(stage: Stage) -> None:
    """A row of each table is held for 1 to 30 seconds (6 to 10 in the short form) while commands need it."""
    town = stage.town
    venue = town.venue(100)
    await stage.ask("locks", venue.opening())
    booked = [town.place(venue, venue.starts[0], payment=CARD) for _ in range(6)]
    await stage.ask("locks", booked)
    mine = [(UUID(one.key), one.body["customer"]["id"]) for one in booked]
    key = next((one.key for one in stage.planted if one.service == "booking" and not one.waits), None)
    held = locks(town, venue, mine, key)
    await stage.ask("locks", [lock.traffic[0] for lock in held if lock.table == "wallet"])
    await asyncio.sleep(2)  # until payments and notifications have rows of these bookings; a missing one is noted
    await asyncio.gather(*(_hold(stage, lock) for lock in held))


async def _hold(stage: Stage, lock: Lock) -> None:
    held, seconds = asyncio.Event(), stage.town.rng.uniform(*((1, 30) if LONG else (6, 10)))
    began = time.monotonic()
    holding = asyncio.create_task(lock.hold(stage.env, seconds, held, lambda: stage.ask("locks", lock.first)))
    await held.wait()
    records = stage.framed("locks", lock.traffic)
    if lock.table == "blocked_key":  # a command of a blocked key waits for the operator
        quote = command(sample.quote_cancellation(booking_id=UUID(lock.value)))
        records = [replace(record, due=Due.ANYTHING) for record in stage.framed("blocked keys", [quote])]
    await stage.wire.send(records)
    found = await holding
    stage.locked.append((began, time.monotonic()))
    if not found:
        stage.notes.append(f"locks: no row of {lock.service}.{lock.table} to hold")


async def transactions(stage: Stage) -> None:
    """By a transactional producer: some aborted, which nobody may act on, some committed."""
    servers, rounds = stage.env["KAFKA_BOOTSTRAP_SERVERS"], scaled(60, 6)
    name = str(stage.town.uuid())
    async with AIOKafkaProducer(bootstrap_servers=servers, transactional_id=name) as producer:
        for number in range(rounds):
            aborted = number % 3 < 2
            records = stage.framed("transactions", [stage.town.place() for _ in range(3)])
            await producer.begin_transaction()
            for record in records:
                await _in_transaction(stage.wire, producer, record, aborted)
            await asyncio.sleep(0.2)
            await (producer.abort_transaction() if aborted else producer.commit_transaction())


async def _in_transaction(wire: Wire, producer: AIOKafkaProducer, record: Hostile, aborted: bool) -> None:
    headers = [(name.decode(), value) for name, value in record.headers]
    where = {"partition": partition_of(record.key), "key": record.key, "headers": headers}
    taken = await producer.send_and_wait(record.topic, record.value, **where)
    due = replace(record, due=Due.NOTHING) if aborted else record
    wire.sent.append(Sent(due, taken.partition, taken.offset))


async def planting(stage: Stage) -> None:
    """Timers that cannot be read appear in every database."""
    stage.planted += await plant(stage.env)


async def products(stage: Stage) -> None:
    """Sixty bookings at once: of a venue where price and seats multiplied overflow, and of one where they just fit."""
    town = stage.town
    for price_minor in (10**12, 10**12 // 100_000):
        venue = town.venue(100_000)
        await stage.ask("products", venue.opening(price_minor=price_minor))
        dear = [town.place(venue, seats=town.rng.choice((2, 1_000, 100_000))) for _ in range(30)]
        await stage.wire.send(stage.framed("products", dear))


async def _in_slices(stage: Stage, kind: str, commands: list[Command], size: int = 250) -> None:
    """As fast as they are answered: a client that publishes a file does not wait, but it reads its replies."""
    for first in range(0, len(commands), size):
        records = stage.framed(kind, commands[first : first + size])
        await stage.wire.send(records)
        await stage.answered(records[-1])


def _renamed(one: Command, field_name: str, value: str) -> Command:
    return replace(one, key=value, body=one.body | {field_name: value})


def _reopen(venue: Venue, number: int) -> object:
    start = venue.starts[number % len(venue.starts)]
    actor = provider_actor(venue.provider_id)
    return sample.open_slot(offering_id=venue.offering_id, starts_at=start, actor=actor, capacity=2 + number % 3)


ACTS: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "planting": planting,
    "floods": flood,
    "products": products,
    "transactions": transactions,
    "locks": locking,
    "lines": queue,
    "closings": closing,
    "recompression": recompress,
}
"""By name, in the order in which they begin; all of them while single records go on."""
