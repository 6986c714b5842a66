"""How a story ends, seen from all four sides: the booking, its payment, Stripe, and the seats."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from booking_contracts.testkit.system import Studio, System
from booking_contracts.testkit.waiting import eventually

PRICE_MINOR = 4500
EUR = {"currency": "EUR"}


async def seats_left(system: System, studio: Studio, slot: int = 0) -> int:
    """Seats left on a slot, as availability tells."""
    start, end = (studio.start(number).isoformat().replace("+00:00", "Z") for number in (slot, slot + 1))
    query = {"offering_id": str(studio.offering_id), "from": start, "to": end}
    found = await system.get("booking", "/v1/availability", **query)
    assert [one["starts_at"] for one in found["slots"]] == [start], found
    return int(found["slots"][0]["seats_left"])


async def ends_paid(system: System, studio: Studio, booking_id: UUID, *, left: int = 0, seconds: float = 15.0) -> Any:
    """Confirmed, captured into escrow, charged once, seats taken; returns the PaymentIntent."""
    payment = await system.payment_in(booking_id, "captured", seconds)
    assert payment["captured"] == payment["escrow"] == {"amount": PRICE_MINOR, **EUR}
    booking = await system.booking_in(booking_id, "CONFIRMED")
    assert booking["payment_id"] == payment["payment_id"]
    charged = [one for one in await system.stripe.payment_intents(booking_id) if one["amount_received"]]
    assert [(one["id"], one["status"], one["amount_received"]) for one in charged] == [
        (payment["payment_intent"], "succeeded", PRICE_MINOR)
    ]
    assert await seats_left(system, studio) == left
    return charged[0]


async def ends_unpaid(system: System, studio: Studio, booking_id: UUID, state: str, *, left: int = 1) -> None:
    """In `state`, nothing taken, nothing left reserved at Stripe, seats free."""
    await system.booking_in(booking_id, state)

    async def live() -> list[Any]:
        over = ("canceled", "requires_payment_method")
        return [one for one in await system.stripe.payment_intents(booking_id) if one["status"] not in over]

    await eventually("nothing reserved at Stripe", live, lambda found: not found)
    assert [
        one["amount_received"] for one in await system.stripe.payment_intents(booking_id) if one["amount_received"]
    ] == []
    status, payment = await system.try_get("payments", f"/v1/payments/{booking_id}")
    if status == 200:
        ended = ("voided", "declined")
        await eventually("payment ended", lambda: system.payment(booking_id), lambda seen: seen["status"] in ended)
        assert payment["captured"] == payment["escrow"] == {"amount": 0, **EUR}
    assert await seats_left(system, studio) == left


async def requests(system: System, booking_id: UUID, operation: str) -> list[Any]:
    """What Stripe was asked about a booking under the keys of one operation, in order."""
    found = (await system.stripe.state())["requests"]
    return [one for one in found if (one["idempotency_key"] or "").startswith(f"{booking_id}:{operation}:")]
