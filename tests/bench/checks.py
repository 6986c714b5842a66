"""Every saga of a run, looked at when it is over: no figure without a right result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

import aiohttp
import asyncpg

from deploy.local.stack import Stack

PRICE_MINOR = 4500


async def check(stack: Stack, keys: Collection[bytes]) -> None:
    """States, seats, and one charge for each booking in Stripe. Raises AssertionError."""
    bookings = {key.decode() for key in keys}
    await check_bookings(stack.env, bookings)
    await check_stripe(stack.env, bookings)


async def check_bookings(env: Mapping[str, str], bookings: set[str]) -> None:
    """Confirmed and captured, each slot's seats add up, nothing is set aside."""
    connection = await asyncpg.connect(env["POSTGRES_ADMIN_URL"].rsplit("/", 1)[0] + "/booking")
    try:
        rows = await connection.fetch("SELECT booking_id, state, payment_status FROM booking")
        states = {str(row["booking_id"]): (row["state"], row["payment_status"]) for row in rows}
        wrong = Counter(states.get(booking, ("missing", "")) for booking in bookings)
        assert set(wrong) <= {("CONFIRMED", "captured")}, f"not every booking is confirmed and captured: {wrong}"
        oversold = await connection.fetch(
            """
            SELECT slot_id, taken, capacity, seats FROM slot s
            LEFT JOIN (SELECT slot_id, sum(seats) AS seats FROM booking WHERE state = 'CONFIRMED' GROUP BY 1) b
                USING (slot_id)
            WHERE taken > capacity OR taken <> coalesce(seats, 0)
            """
        )
        assert not oversold, f"seats do not add up: {oversold[:3]}"
        left = await connection.fetchval("SELECT count(*) FROM dead_letter")
        assert left == 0, f"{left} dead letters"
    finally:
        await connection.close()


async def check_stripe(env: Mapping[str, str], bookings: set[str]) -> None:
    """One PaymentIntent per booking, captured in full."""
    async with (
        aiohttp.ClientSession() as http,
        http.get(env["STRIPE_CONTROL_URL"] + "/state", params={"only": "payment_intents"}) as response,
    ):
        state = await response.json()
    charged: Counter[str] = Counter()
    for intent in state["payment_intents"]:
        booking = intent["metadata"].get("booking_id")
        if booking in bookings:
            charged[booking] += 1
            assert intent["amount_received"] == PRICE_MINOR, f"{intent['id']} of {booking}: {intent['amount_received']}"
    assert set(charged) == bookings, f"{len(bookings - set(charged))} bookings without a charge"
    twice = [booking for booking, count in charged.items() if count > 1]
    assert not twice, f"charged twice: {twice[:3]}"
