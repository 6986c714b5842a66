"""What an operator types, against a running system."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import customer_actor
from booking_contracts.testkit.system import System
from booking_contracts.testkit.waiting import eventually

from tests.flows.operators import as_a_process, bookingctl, reconciled


@pytest.mark.requirement("operations-cli")
async def test_a_booking_and_its_saga_on_one_screen(system: System) -> None:
    studio = await system.studio()
    command = system.place(studio, "quinn")
    await system.accepted(command)
    await system.payment_in(command.booking_id, "captured")
    await system.booking_in(command.booking_id, "CONFIRMED")
    shown = as_a_process(system.env, "booking", "show", str(command.booking_id))
    assert "CONFIRMED" in shown
    assert "booking.PlaceBooking.v1" in shown
    assert "authorized" in bookingctl(system.env, "saga", "show", str(command.booking_id))


@pytest.mark.requirement("operations-cli", "saga")
async def test_a_saga_that_is_done_is_neither_retried_nor_resolved(system: System) -> None:
    studio = await system.studio()
    command = system.place(studio, "rosa")
    await system.accepted(command)
    await system.payment_in(command.booking_id, "captured")

    async def done() -> bool:
        shown = json.loads(bookingctl(system.env, "saga", "show", str(command.booking_id), "--json"))
        return bool(shown["saga"]["status"] == "done")

    await eventually("booking has heard of the capture", done)
    refusal = as_a_process(system.env, "saga", "retry", str(command.booking_id), code=1)
    assert "is done" in refusal
    refusal = bookingctl(system.env, "saga", "resolve", str(command.booking_id), "--note", "by hand", code=1)
    assert "not stuck" in refusal


@pytest.mark.requirement("operations-cli")
async def test_the_outbox_and_dead_letters_of_every_service(system: System) -> None:
    rows = json.loads(as_a_process(system.env, "outbox", "status", "--json"))
    assert [row["service"] for row in rows] == ["booking", "payments", "notifications"]
    assert all(row["leader"].endswith("-relay") for row in rows)
    for service in ("booking", "payments", "notifications"):
        assert isinstance(json.loads(bookingctl(system.env, "dead-letters", "list", service, "--json")), list)


@pytest.mark.requirement("operations-cli", "ledger")
async def test_a_bookings_money_line_by_line(system: System) -> None:
    studio = await system.studio()
    command = system.place(studio, "sara")
    await system.accepted(command)
    await system.payment_in(command.booking_id, "captured")
    lines = json.loads(bookingctl(system.env, "payments", "statement", str(command.booking_id), "--json"))
    assert {line["account"] for line in lines} == {"stripe:clearing", f"escrow:{command.booking_id}"}
    assert sum(int(line["amount_minor"]) for line in lines) == 0
    assert json.loads(bookingctl(system.env, "payments", "waiting", "--json")) == []


@pytest.mark.requirement("operations-cli", "payment-booking-coupling")
async def test_stripe_payments_and_bookings_agree_but_for_an_orphan(system: System) -> None:
    studio = await system.studio(slots=2)
    kept, cancelled = (system.place(studio, "tara", slot=number) for number in range(2))
    for command in (kept, cancelled):
        await system.accepted(command)
        await system.payment_in(command.booking_id, "captured")
    cancel = sample.cancel_booking(booking_id=cancelled.booking_id, actor=customer_actor("tara"))
    await system.accepted(cancel)
    await system.payment_in(cancelled.booking_id, "settled")
    orphan = {"amount": "900", "currency": "eur", "confirm": "true", "payment_method": "pm_card_visa"}
    orphan |= {"metadata[booking_id]": str(uuid4()), "metadata[attempt]": "1"}
    headers = {"Authorization": "Bearer sk_test_elsewhere"}
    url = f"{system.env['STRIPE_API_BASE']}/v1/payment_intents"
    async with system.http.post(url, data=orphan, headers=headers) as answer:
        intent = (await answer.json())["id"]
    await system.clock.advance(minutes=1)

    async def seen() -> Any:
        return reconciled(system)

    found = await eventually("the orphan is reported", seen, lambda found: intent in str(found["open"]), seconds=40)
    (reported,) = [one for one in found["open"] if one["payment_intent"] == intent]
    assert (reported["between"], reported["booking_id"]) == ("Stripe and payments", orphan["metadata[booking_id]"])
    mine = {str(kept.booking_id), str(cancelled.booking_id)}
    assert [one for one in found["open"] if one["booking_id"] in mine] == []
    assert found["last_round"]["ended_at"]
    assert intent in {repair["payment_intent"] for repair in found["repairs"]}
    shown = bookingctl(system.env, "payments", "reconcile")
    assert all(title in shown for title in ("Last round", "Repairs of the last 30 days", "Open differences"))


@pytest.mark.requirement("operations-cli", "refund-logic")
async def test_a_refund_that_was_paid_outside_leaves_the_list(system: System) -> None:
    studio = await system.studio()
    command = system.place(studio, "uwe", card="pm_card_refundFail")
    await system.accepted(command)
    await system.payment_in(command.booking_id, "captured")
    await system.accepted(sample.cancel_booking(booking_id=command.booking_id, actor=customer_actor("uwe")))

    async def waiting() -> list[Any]:
        found = json.loads(bookingctl(system.env, "payments", "waiting", "--json"))
        return [one for one in found if one["booking_id"] == str(command.booking_id)]

    (refund,) = await eventually("the refund has failed", waiting)
    said = ("paid-outside", refund["id"], "--reference", "transfer 4711", "--by", "mia")

    async def ended() -> str:  # refused while a webhook makes the service look at it once more
        return bookingctl(system.env, "payments", *said, code=None)

    await eventually("it is ended", ended, lambda printed: "has ended" in printed)
    assert "by mia" in bookingctl(system.env, "payments", *said)
    assert await waiting() == []
    payment = await system.payment(command.booking_id)
    assert [one["status"] for one in payment["refunds"]] == ["succeeded"]
    lines = json.loads(bookingctl(system.env, "payments", "statement", str(command.booking_id), "--json"))
    assert {line["account"]: line["note"] for line in lines}["paid:outside"] == "transfer 4711, by mia"

    async def history() -> list[str]:
        items = (await system.get("booking", f"/v1/bookings/{command.booking_id}/history"))["items"]
        return [item["type"] for item in items]

    await eventually("the booking knows", history, lambda types: types[-1] == "payments.RefundSucceeded.v1")
