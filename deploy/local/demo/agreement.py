"""The last check of the demo: seats, bookings, payments, ledger and Stripe tell the same story."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from booking_contracts.testkit.system import System

PAID = {"CONFIRMED", "PENDING_CONFIRMATION", "DISPUTED", "COMPLETED"}


async def disagreements(system: System, bookings: Sequence[UUID]) -> list[str]:
    """A sentence for everything that does not fit; empty when all is well."""
    state = await system.stripe.state()
    wrong: list[str] = []
    for booking_id in bookings:
        status, booking = await system.try_get("booking", f"/v1/bookings/{booking_id}")
        if status == 404:
            continue  # it was refused: nobody may have been charged for it
        found = [pi for pi in state["payment_intents"] if pi["metadata"].get("booking_id") == str(booking_id)]
        wrong += [f"{booking_id}: {problem}" for problem in await _of_booking(system, booking, found)]

    wrong += await _ledger(system)
    return wrong


async def _of_booking(system: System, booking: Any, intents: list[Any]) -> list[str]:
    """One booking against its payment and its PaymentIntents."""
    received = sum(intent["amount_received"] for intent in intents)
    status, payment = await system.try_get("payments", f"/v1/payments/{booking['booking_id']}")
    if status == 404:
        return [f"{received} charged without a payment"] if received or booking["state"] in PAID else []
    wrong = []
    if payment["captured"]["amount"] != received:
        wrong.append(f"payment says {payment['captured']['amount']} captured, Stripe {received}")
    if booking["state"] in PAID and received != booking["price"]["amount"]:
        wrong.append(f"{booking['state']} with {received} of {booking['price']['amount']} taken")
    settled = payment["refunded"]["amount"] + payment["released"]["amount"]
    if booking["state"] not in PAID and payment["captured"]["amount"] != settled:
        wrong.append(f"{booking['state']}, but only {settled} went to customer and provider")
    return wrong


async def _ledger(system: System) -> list[str]:
    """Every currency of the ledger sums to zero."""
    sums: dict[str, int] = {}
    cursor: dict[str, str] = {}
    while True:
        page = await system.get("payments", "/v1/ledger", **cursor)
        for entry in page["items"]:
            amount = entry["amount"]
            sums[amount["currency"]] = sums.get(amount["currency"], 0) + amount["amount"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    return [f"the ledger is off by {off} {currency}" for currency, off in sums.items() if off]
