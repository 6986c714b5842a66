"""The runs against a whole stack: saturation, open loop, one hot slot."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence
from itertools import islice

from booking_contracts.booking import BookingConfirmed, CommandAccepted, CommandRejected
from booking_contracts.payments import PaymentCaptured

from tests.bench.rooms import Room, open_rooms
from tests.bench.wire import Prepared, Wire, prepared

CAPTURED = PaymentCaptured.ce_type


class Load:
    """PlaceBookings for `count` customers spread evenly over the rooms; `changes` as Room.place has them."""

    def __init__(self, rooms: Sequence[Room], count: int, who: str, **changes: object) -> None:
        self.orders = [rooms[number % len(rooms)].place(f"{who}-{number}", **changes) for number in range(count)]
        self.commands = [prepared(order) for order in self.orders]
        self.keys = [command.key for command in self.commands]


async def saturate(wire: Wire, load: Load, in_flight: int) -> float:
    """Closed loop: never more than `in_flight` sagas open. Seconds until the last one is captured."""
    began = time.monotonic()
    waiting = iter(load.commands)
    done_before = len(wire.seen[CAPTURED])
    sent = 0
    while sent < len(load.commands):
        open_now = sent - (len(wire.seen[CAPTURED]) - done_before)
        for command in islice(waiting, max(0, in_flight - open_now)):
            await wire.publish(command)
            sent += 1
        await wire.changed()
    await wire.until(CAPTURED, load.keys)
    return max(wire.seen[CAPTURED][key] for key in load.keys) - began


async def together(wire: Wire, commands: Sequence[Prepared], kind: str) -> float:
    """All at once: seconds until each command's key has had a message of that type."""
    began = time.monotonic()
    for command in commands:
        await wire.publish(command)
    keys = {command.key for command in commands}
    await wire.until(kind, keys)
    return max(wire.seen[kind][key] for key in keys) - began


async def latencies_ms(wire: Wire, load: Load, per_second: float) -> list[float]:
    """Open loop: from the instant a PlaceBooking was due to be published to its BookingConfirmed."""
    due: dict[bytes, float] = {}
    began = time.monotonic()
    for number, command in enumerate(load.commands):
        due[command.key] = began + number / per_second
        await asyncio.sleep(max(0.0, due[command.key] - time.monotonic()))
        await wire.publish(command)
    await wire.until(BookingConfirmed.ce_type, load.keys)
    await wire.until(CAPTURED, load.keys)
    return [(wire.seen[BookingConfirmed.ce_type][key] - due[key]) * 1000 for key in load.keys]


def percentile(values: Sequence[float], percent: int) -> float:
    """By linear interpolation."""
    return round(statistics.quantiles(values, n=100, method="inclusive")[percent - 1], 1)


async def hot_slot(wire: Wire, commands: int, seats: int) -> tuple[float, Load]:
    """Everybody wants one slot: seconds until all are answered, and the load. Exactly its seats are held."""
    rooms = await open_rooms(wire, providers=1, slots=1, capacity=seats)
    load = Load(rooms, commands, "crowd")
    began = time.monotonic()
    for command in load.commands:
        await wire.publish(command)
    keys = set(load.keys)
    accepted, rejected = wire.seen[CommandAccepted.ce_type], wire.seen[CommandRejected.ce_type]
    while keys - accepted.keys() - rejected.keys():
        await wire.changed()
    seconds = max((accepted.get(key) or rejected[key]) for key in keys) - began
    held = keys & accepted.keys()
    assert len(held) == seats, f"{len(held)} commands were accepted on a slot of {seats} seats"
    await wire.until(CAPTURED, held)
    load.keys = sorted(held)
    return seconds, load
