"""One booking all the way, a decline, an expiry, a cancellation with refund: on the real parts."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from booking_contracts import payments
from booking_contracts.booking import BookingCancelled, BookingConfirmed, BookingExpired, PaymentFailed
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import customer_actor
from booking_contracts.testkit.system import System
from booking_contracts.testkit.waiting import eventually


@pytest.mark.requirement("confirmation-record", "payment-capture-timing", "payment-booking-coupling", "saga")
async def test_a_booking_goes_all_the_way(system: System) -> None:
    studio = await system.studio()
    command = system.place(studio, "alice")
    placed = await system.accepted(command)
    assert placed.state == "PENDING_PAYMENT"
    assert placed.result["price"] == {"amount": 4500, "currency": "EUR"}
    await system.client.outcome(command.booking_id, BookingConfirmed)
    payment = await system.payment_in(command.booking_id, "captured")
    booking = await system.booking(command.booking_id)
    assert booking["state"] == "CONFIRMED"
    assert booking["payment_id"] == payment["payment_id"]
    assert payment["captured"] == payment["escrow"] == {"amount": 4500, "currency": "EUR"}
    (intent,) = await system.stripe.payment_intents(command.booking_id)
    assert (intent["id"], intent["status"], intent["amount_received"]) == (
        payment["payment_intent"],
        "succeeded",
        4500,
    )
    assert intent["metadata"] == {
        "booking_id": str(command.booking_id),
        "payment_id": payment["payment_id"],
        "attempt": "1",
    }
    mail = await system.mail("alice@example.com", "confirmed")
    assert [str(attachment["filename"]).endswith(".ics") for attachment in mail["attachments"]] == [True]


@pytest.mark.requirement("ledger", "escrow")
async def test_capture_and_refund_are_postings_that_add_up(system: System) -> None:
    studio = await system.studio()
    command = system.place(studio, "lena")
    await system.accepted(command)
    await system.payment_in(command.booking_id, "captured")
    escrow = f"escrow:{command.booking_id}"
    entries = await system.get("payments", "/v1/ledger", account=escrow)
    assert sum(entry["amount"]["amount"] for entry in entries["items"]) == 4500
    await system.accepted(sample.cancel_booking(booking_id=command.booking_id, actor=customer_actor("lena")))
    await system.payment_in(command.booking_id, "settled")
    entries = await system.get("payments", "/v1/ledger", account=escrow)
    assert sum(entry["amount"]["amount"] for entry in entries["items"]) == 0


@pytest.mark.requirement("failure-handling", "retry-mechanism")
async def test_a_decline_gives_the_seat_back_and_a_retry_succeeds(system: System) -> None:
    studio = await system.studio()
    declined = system.place(studio, "bob", card="pm_card_chargeDeclined")
    await system.accepted(declined)
    failed = await system.client.outcome(declined.booking_id, PaymentFailed)
    assert failed.reason == "declined"
    await system.mail("bob@example.com", "payment")
    retry = system.place(studio, "bob")
    await system.accepted(retry)
    await system.client.outcome(retry.booking_id, BookingConfirmed)
    keys = [request["idempotency_key"] for request in (await system.stripe.state())["requests"]]
    assert f"{retry.booking_id}:authorize:1" in keys


@pytest.mark.requirement("refund-logic", "cancellation-state-machine")
async def test_a_paid_booking_is_cancelled_and_refunded_once(system: System) -> None:
    studio = await system.studio()
    command = system.place(studio, "carol")
    await system.accepted(command)
    await system.payment_in(command.booking_id, "captured")
    cancel = sample.cancel_booking(booking_id=command.booking_id, actor=customer_actor("carol"))
    accepted = await system.accepted(cancel)
    assert accepted.result["refund"] == {"amount": 4500, "currency": "EUR"}
    assert (await system.rejected(cancel)).code == "ALREADY_CANCELLED"
    await system.client.outcome(command.booking_id, BookingCancelled)
    payment = await system.payment_in(command.booking_id, "settled")
    assert payment["refunded"]["amount"] == 4500
    assert payment["escrow"]["amount"] == 0
    (intent,) = await system.stripe.payment_intents(command.booking_id)
    refunds = [r for r in (await system.stripe.state())["refunds"] if r["payment_intent"] == intent["id"]]
    assert [refund["amount"] for refund in refunds] == [4500]
    await system.mail("carol@example.com", "cancelled")
    await system.accepted(system.place(studio, "dora"))


@pytest.mark.requirement("time-slot-lock", "availability-query")
async def test_a_hold_expires_and_its_seat_is_free_again(system: System) -> None:
    studio = await system.studio()
    command = system.place(studio, "erik", payment=None)
    await system.accepted(command)
    start, end = studio.starts_at - timedelta(hours=1), studio.starts_at + timedelta(hours=1)
    window = {"from": start.isoformat().replace("+00:00", "Z"), "to": end.isoformat().replace("+00:00", "Z")}
    (slot,) = (await system.get("booking", "/v1/availability", offering_id=str(studio.offering_id), **window))["slots"]
    assert (slot["free"], slot["reason"], slot["seats_left"]) == (False, "held", 0)
    await system.clock.advance(minutes=15)
    (slot,) = (await system.get("booking", "/v1/availability", offering_id=str(studio.offering_id), **window))["slots"]
    assert (slot["free"], slot["reason"], slot["seats_left"]) == (True, None, 1)
    expired = await system.client.outcome(command.booking_id, BookingExpired)
    assert expired.reason == "payment"
    await system.mail("erik@example.com", "expired")


@pytest.mark.requirement("history-tracking")
async def test_history_is_readable(system: System) -> None:
    studio = await system.studio()
    command = system.place(studio, "frida")
    await system.accepted(command)
    await system.booking_in(command.booking_id, "CONFIRMED")
    items = (await system.get("booking", f"/v1/bookings/{command.booking_id}/history"))["items"]
    assert [(item["from"], item["to"]) for item in items] == [
        (None, "PENDING_PAYMENT"),
        ("PENDING_PAYMENT", "CONFIRMED"),
    ]
    assert items[0]["actor"] == {"kind": "customer", "id": "frida"}
    assert items[0]["type"] == "booking.PlaceBooking.v1"


@pytest.mark.requirement("concurrent-request-handling", "conflict-check")
async def test_two_customers_race_for_the_last_seat_on_two_replicas(system: System) -> None:
    studio = await system.studio()
    commands = [system.place(studio, f"racer{number}") for number in range(8)]
    replies = await asyncio.gather(*(system.client.ask(command) for command in commands))
    codes = sorted(getattr(reply, "code", "accepted") for reply in replies)
    assert codes == ["SLOT_FULL"] * 7 + ["accepted"]


@pytest.mark.requirement("one-reply")
async def test_the_same_command_id_is_answered_once_and_can_be_read(system: System) -> None:
    studio = await system.studio()
    command, command_id = system.place(studio, "gina"), uuid4()
    await system.client.ask(command, command_id=command_id)
    await system.client.publish(command, command_id=command_id)
    await system.booking_in(command.booking_id, "CONFIRMED")
    stored = await system.get("booking", f"/v1/commands/{command_id}")
    assert (stored["type"], stored["state"]) == ("booking.CommandAccepted.v1", "PENDING_PAYMENT")


async def test_every_message_of_a_saga_carries_the_commands_correlation(system: System) -> None:
    studio = await system.studio()
    command = system.place(studio, "hugo")
    await system.client.ask(command, correlation_id="my-request-7")
    await system.payment_in(command.booking_id, "captured")

    async def seen() -> set[str]:
        return {received.envelope.type for received in system.client.received(command.booking_id)}

    wanted = {payments.AuthorizePayment.ce_type, payments.PaymentCaptured.ce_type, BookingConfirmed.ce_type}
    await eventually("the saga's messages", seen, wanted.issubset)
    envelopes = [received.envelope for received in system.client.received(command.booking_id)]
    assert {envelope.correlation_id for envelope in envelopes} == {"my-request-7"}
