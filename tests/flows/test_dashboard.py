"""What people do in Stripe's dashboard; its webhooks tell."""

from __future__ import annotations

from typing import Any

import pytest
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import customer_actor
from booking_contracts.testkit.system import System
from booking_contracts.testkit.waiting import eventually

from deploy.local.environment import STRIPE_API_KEY
from tests.flows.operators import reconciled
from tests.flows.story import PRICE_MINOR


async def refund_in_the_dashboard(system: System, intent: str, cents: int, **metadata: str) -> None:
    headers = {"Authorization": f"Bearer {STRIPE_API_KEY}"}
    body = {"payment_intent": intent, "amount": str(cents)}
    body |= {f"metadata[{name}]": value for name, value in metadata.items()}
    async with system.http.post(f"{system.env['STRIPE_API_BASE']}/v1/refunds", data=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()


@pytest.mark.requirement("refund-logic", "webhooks", "payment-booking-coupling")
async def test_a_refund_in_the_dashboard_limits_the_cancellations_and_is_seen(system: System) -> None:
    studio = await system.studio()
    command = system.place(studio, "xena")
    await system.accepted(command)
    payment = await system.payment_in(command.booking_id, "captured")
    await system.booking_in(command.booking_id, "CONFIRMED")
    await refund_in_the_dashboard(system, payment["payment_intent"], 1000, refund_id="RF-77")

    async def escrow() -> int:
        return int((await system.payment(command.booking_id))["escrow"]["amount"])

    await eventually("the escrow follows", escrow, lambda cents: cents == PRICE_MINOR - 1000)
    found = reconciled(system)
    (open_one,) = [one for one in found["open"] if one["booking_id"] == str(command.booking_id)]
    assert open_one["detail"] == "CONFIRMED holds 35.00 EUR of 45.00 EUR"
    assert [one["repair"] for one in found["repairs"] if one["booking_id"] == str(command.booking_id)] == ["import"]
    await system.accepted(sample.cancel_booking(booking_id=command.booking_id, actor=customer_actor("xena")))
    await system.payment_in(command.booking_id, "settled")

    async def refunds() -> list[Any]:
        shown = (await system.payment(command.booking_id))["refunds"]
        return [(one["amount"]["amount"], one["status"]) for one in shown]

    await eventually("both are done", refunds, lambda seen: seen == [(1000, "succeeded"), (3500, "succeeded")])

    async def still_open() -> list[Any]:
        return [one for one in reconciled(system)["open"] if one["booking_id"] == str(command.booking_id)]

    await eventually("all agree", still_open, lambda seen: not seen)
