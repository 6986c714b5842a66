"""A chapter of the calendar: a schedule, free slots, a move, a waitlist, and a cancellation that gives half back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from booking_contracts.booking import BookingConfirmed, WaitlistOffered
from booking_contracts.envelope import rfc3339, uuid7
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import CARD, customer, customer_actor
from booking_contracts.testkit.system import Studio

from deploy.local.demo.narrator import Narrator, money


async def calendar(tell: Narrator) -> None:
    """One seat an hour: nina books, moves, and lets it go too late for all her money; oscar was waiting."""
    tell.title("A calendar: schedule, availability, a move, a waitlist, half the money back")
    system = tell.system
    studio = await system.studio(slots=0)
    await system.accepted(sample.set_schedule(provider_id=studio.provider_id, actor=studio.actor))
    free = await free_slots(tell, studio)
    tell.say(f"weekly hours 09:00–17:00 in Berlin make {len(free)} free slots on one day")
    command, _ = await tell.place(studio, "nina", starts_at=free[0])
    await system.payment_in(command.booking_id, "captured")
    move = sample.reschedule_booking(booking_id=command.booking_id, starts_at=free[3], actor=customer_actor("nina"))
    moved = await system.accepted(move)
    tell.say(f"nina moves to {moved.result['starts_at']}; the price stays")
    await tell.place(studio, "oscar", starts_at=free[3])
    entry_id = await _wait(tell, studio, free[3])
    await system.clock.advance_to(free[3] - timedelta(hours=20))
    cancel = sample.cancel_booking(booking_id=command.booking_id, actor=customer_actor("nina"))
    result = (await system.accepted(cancel)).result
    tell.say(f"20 hours before, nina cancels: {_of(result, 'refund')} back, {_of(result, 'kept')} kept")
    await system.payment_in(command.booking_id, "settled")
    offered = await system.client.outcome(entry_id, WaitlistOffered)
    tell.say(f"the seat is offered to oscar until {offered.deadline:%H:%M} UTC")
    booking_id = uuid7()
    tell.bookings.append(booking_id)
    accept = sample.accept_offer(entry_id=entry_id, booking_id=booking_id, payment=CARD, actor=customer_actor("oscar"))
    await system.accepted(accept)
    await system.client.outcome(booking_id, BookingConfirmed)
    await system.payment_in(booking_id, "captured")
    await tell.state(booking_id)


async def free_slots(tell: Narrator, studio: Studio) -> list[datetime]:
    """The free slots of the day on which the studio's first slot would be."""
    day = studio.starts_at.replace(hour=0)
    window = {"from": rfc3339(day), "to": rfc3339(day + timedelta(days=1))}
    found = await tell.system.get("booking", "/v1/availability", offering_id=str(studio.offering_id), **window)
    return [datetime.fromisoformat(slot["starts_at"]) for slot in found["slots"] if slot["free"]]


async def _wait(tell: Narrator, studio: Studio, starts_at: datetime) -> Any:
    entry_id = uuid7()
    join = sample.join_waitlist(
        entry_id=entry_id,
        offering_id=studio.offering_id,
        starts_at=starts_at,
        customer=customer("oscar", name="Oscar", email="oscar@example.com"),
        actor=customer_actor("oscar"),
    )
    reply = await tell.system.accepted(join)
    tell.say(f"oscar joins the waitlist, at position {reply.result['position']}")
    return entry_id


def _of(result: Any, name: str) -> str:
    return money(result[name])
