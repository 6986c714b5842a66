"""Rows of figures: bookings that are moved, cancelled, and that nobody approves in time. Each all at once."""

from __future__ import annotations

import time
from math import ceil

from booking_contracts.booking import BookingExpired, BookingRequested, BookingRescheduled
from booking_contracts.payments import RefundSucceeded
from booking_contracts.testkit import sample
from booking_contracts.testkit.clock import MovableClock

from tests.bench import runs
from tests.bench.checks import check_states
from tests.bench.ground import MAILS, PROVIDERS, SLOTS, Ground, per_second, rest
from tests.bench.rooms import open_rooms
from tests.bench.runs import Load
from tests.bench.wire import prepared


async def moved_and_cancelled(ground: Ground) -> dict[str, object]:
    """Customers move their paid bookings to the next slot, and then cancel: until the last refund has succeeded."""
    wire, count = ground.wire, ground.options.changes
    rooms = await open_rooms(wire, providers=PROVIDERS, slots=2, capacity=ceil(count / PROVIDERS))
    load, later = Load(rooms[::2], count, "mover"), rooms[1::2]
    await runs.saturate(wire, load, ground.options.in_flight)
    await rest(ground.stack)
    moves = [
        sample.reschedule_booking(
            booking_id=order.booking_id, actor=order.actor, starts_at=later[number % PROVIDERS].starts_at
        )
        for number, order in enumerate(load.orders)
    ]
    moving = await runs.together(wire, [prepared(move) for move in moves], BookingRescheduled.ce_type)
    await rest(ground.stack)
    ends = [sample.cancel_booking(booking_id=order.booking_id, actor=order.actor) for order in load.orders]
    ending = await runs.together(wire, [prepared(end) for end in ends], RefundSucceeded.ce_type)
    await rest(ground.stack)
    await check_states(ground.stack.env, {key.decode() for key in load.keys}, "CANCELLED_BY_CUSTOMER")
    return {"reschedules_per_s": per_second(count, moving), "cancellations_per_s": per_second(count, ending)}


async def due_timers(ground: Ground) -> dict[str, object]:
    """Requests that nobody has approved expire together when the clock moves: until the last BookingExpired.

    Each timer frees a seat and ends a saga. Notifications is stopped, so letters are only queued, and stay so.
    """
    stack, wire, count = ground.stack, ground.wire, ground.options.timers
    stack.stop_process(MAILS)
    capacity = ceil(count / (PROVIDERS * SLOTS))
    rooms = await open_rooms(wire, providers=PROVIDERS, slots=SLOTS, capacity=capacity, approval=True, approval_hours=1)
    load = Load(rooms, count, "patient")
    await runs.together(wire, load.commands, BookingRequested.ce_type)
    await rest(stack, stopped="notifications")
    began = time.monotonic()
    await MovableClock(stack.env["CLOCK_OFFSET_URL"]).advance(hours=1, seconds=1)
    await wire.until(BookingExpired.ce_type, load.keys)
    seconds = max(wire.seen[BookingExpired.ce_type][key] for key in load.keys) - began
    await check_states(stack.env, {key.decode() for key in load.keys}, "EXPIRED")
    return {"due_timers_per_s": per_second(count, seconds)}
