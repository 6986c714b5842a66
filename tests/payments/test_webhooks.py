"""Stripe's webhook at the door: signature over the raw bytes, tolerance both ways, each event once, no secrets."""

from __future__ import annotations

import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payments.local_messages import DisputeChanged, IntentChanged, RefundTold, TransferReversed, Unclaimed
from services.payments.stripe_events.event_store import keep
from services.payments.stripe_events.events import BadEvent, StripeEvent, read_event, redacted, told_by
from services.payments.stripe_events.owners import Owner
from services.payments.stripe_events.signature import BadSignature, verify
from tests.payments.builders import BOOKING, INTENT
from tests.payments.till import Till

NOW = datetime(2030, 1, 7, 12, 0, tzinfo=UTC)
OLD, NEW = "whsec_old", "whsec_new"
BODY = b'{"id":"evt_1"}'


def sign(secret: str = NEW, at: datetime = NOW, body: bytes = BODY) -> str:
    seconds = int(at.timestamp())
    return f"t={seconds},v1={hmac.digest(secret.encode(), b'%d.' % seconds + body, 'sha256').hex()}"


@pytest.mark.requirement("webhooks")
@pytest.mark.parametrize("secret", [OLD, NEW])
@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_either_secret_is_good_within_the_tolerance(secret: str, seconds: int) -> None:
    verify(BODY, sign(secret, NOW + timedelta(seconds=seconds)), (OLD, NEW), NOW)


@pytest.mark.requirement("webhooks")
@pytest.mark.parametrize("seconds", [-301, 301])
def test_outside_the_tolerance_is_refused_both_ways(seconds: int) -> None:
    with pytest.raises(BadSignature):
        verify(BODY, sign(at=NOW + timedelta(seconds=seconds)), (NEW,), NOW)


@pytest.mark.requirement("webhooks")
@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=",
        "v1=00",
        "t=1893974400",
        "t=1893974400,v1=",
        "t=1893974400,v0=" + "0" * 64,
        "t=٣,v1=00",
        "t=1893974400,v1=é",
        "t=99999999999999999999,v1=00",
        "t=1893974400,t=1893974400,v1=00",
    ],
)
def test_a_bad_header_is_refused(header: str) -> None:
    with pytest.raises(BadSignature):
        verify(BODY, header, (OLD, NEW), NOW)


@pytest.mark.requirement("webhooks")
def test_the_raw_bytes_are_signed() -> None:
    with pytest.raises(BadSignature):
        verify(BODY.replace(b":", b": "), sign(), (NEW,), NOW)
    with pytest.raises(BadSignature):
        verify(BODY, sign("whsec_other"), (OLD, NEW), NOW)


@given(st.text(max_size=80))
def test_no_header_crashes_the_check(header: str) -> None:
    with pytest.raises(BadSignature):
        verify(BODY, header, (NEW,), NOW)


@pytest.mark.requirement("webhooks")
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"1",
        b'{"id":"evt_1","type":"x"}',
        b'{"type":"x","data":{}}',
        b'{"id":1,"type":"x","data":{}}',
    ],
)
def test_a_body_that_is_no_event_is_refused(raw: bytes) -> None:
    with pytest.raises(BadEvent):
        read_event(raw)


@pytest.mark.requirement("requires-action")
def test_client_secrets_cards_and_contact_data_are_left_out_at_any_depth() -> None:
    kept = redacted({"client_secret": "x", "a": [{"client_secret": "y", "b": 1}], "c": {"card": {"last4": "4242"}}})
    assert kept == {"a": [{"b": 1}], "c": {}}
    assert redacted({"charge": {"id": "ch_1", "billing_details": {"email": "a@b"}}}) == {"charge": {"id": "ch_1"}}


@pytest.mark.requirement("webhooks")
def test_of_an_event_that_nobody_acts_on_the_object_is_not_kept() -> None:
    person = {"id": "cus_1", "name": "Mallory", "email": "mallory@example.com"}
    assert an_event("customer.created", person).body == {"id": "evt_1", "type": "customer.created", "data": {}}
    refund = an_event("refund.updated", {"id": "re_1", "instructions_email": "mallory@example.com"})
    assert refund.object == {"id": "re_1"}


def an_event(kind: str, about: dict[str, Any]) -> StripeEvent:
    return read_event(json.dumps({"id": "evt_1", "type": kind, "data": {"object": about}}).encode())


OURS = {"booking_id": str(BOOKING), "attempt": "2"}


@pytest.mark.requirement("webhooks", "payment-booking-coupling")
def test_what_an_event_is_about() -> None:
    told = told_by(an_event("payment_intent.succeeded", {"id": INTENT, "metadata": OURS}), {})
    assert isinstance(told, IntentChanged)
    assert (told.booking_id, told.attempt, told.payment_intent) == (BOOKING, 2, INTENT)
    refund = {"id": "re_1", "payment_intent": INTENT, "status": "failed", "metadata": {"refund_id": "RF-77"}}
    told = told_by(an_event("refund.failed", refund), {INTENT: Owner(BOOKING)})
    assert isinstance(told, RefundTold)
    assert (told.booking_id, told.status) == (BOOKING, "failed")
    told = told_by(an_event("refund.failed", refund), {INTENT: Owner(None, "bob", UUID(int=6))})
    assert isinstance(told, RefundTold)
    assert (told.booking_id, told.customer_id, told.command_id) == (None, "bob", UUID(int=6))
    dispute = {"id": "du_1", "payment_intent": INTENT, "amount": 5, "currency": "eur"}
    told = told_by(an_event("charge.dispute.created", dispute), {INTENT: Owner(BOOKING)})
    assert isinstance(told, DisputeChanged)
    assert told.booking_id == BOOKING
    transfer = {"id": "tr_1", "amount_reversed": 3, "metadata": {"booking_id": "somebody's"}}
    told = told_by(an_event("transfer.reversed", transfer), {"tr_1": Owner(BOOKING, payout_id=UUID(int=8))})
    assert isinstance(told, TransferReversed)
    assert (told.booking_id, told.payout_id) == (BOOKING, UUID(int=8))


@pytest.mark.requirement("webhooks", "payment-booking-coupling")
@pytest.mark.parametrize(
    ("kind", "about", "object_id"),
    [
        ("refund.created", {"id": "re_1", "status": "succeeded", "payment_intent": INTENT}, INTENT),
        ("charge.dispute.created", {"id": "du_1", "payment_intent": INTENT, "amount": 5, "currency": "eur"}, INTENT),
        ("transfer.reversed", {"id": "tr_1", "amount_reversed": 3}, "tr_1"),
    ],
)
def test_what_no_row_knows_yet_is_kept_to_be_looked_at_again(kind: str, about: dict[str, Any], object_id: str) -> None:
    told = told_by(an_event(kind, about), {})
    assert isinstance(told, Unclaimed)
    assert told.object_id == object_id
    assert Unclaimed.model_validate_json(told.model_dump_json()) == told, "a local message keeps which event it was"


@pytest.mark.requirement("webhooks")
@pytest.mark.parametrize(
    ("kind", "about"),
    [
        ("payment_intent.created", {"id": INTENT, "metadata": OURS}),
        ("payment_intent.succeeded", {"id": INTENT, "metadata": {}}),
        ("payment_intent.succeeded", {"id": INTENT, "metadata": {"booking_id": "nonsense", "attempt": "1"}}),
        ("payment_intent.succeeded", {"id": INTENT, "metadata": {"booking_id": 5, "attempt": "1"}}),
        ("payment_intent.succeeded", {"id": INTENT}),
        ("payment_intent.succeeded", {"metadata": OURS}),
        ("refund.updated", {"id": "re_1", "status": "failed", "metadata": OURS}),
        ("refund.created", {"id": "re_1", "status": "succeeded", "payment_intent": None, "metadata": {}}),
        ("refund.created", {"id": "re_1", "status": "succeeded", "metadata": {"refund_id": str(UUID(int=5))}}),
        ("charge.dispute.created", {"id": "du_1"}),
        ("invoice.paid", {}),
    ],
)
def test_unknown_objects_and_types_come_to_nothing(kind: str, about: dict[str, Any]) -> None:
    assert told_by(an_event(kind, about), {}) is None


@pytest.mark.requirement("webhooks")
async def test_an_event_is_kept_once_and_told_once(till: Till) -> None:
    event = an_event("payment_intent.succeeded", {"id": INTENT, "client_secret": "s", "metadata": OURS})
    now = till.bench.clock.now()
    assert await keep(till.pool, [event, event], now) == 1
    assert await keep(till.pool, [event], now) == 0
    (row,) = await till.engine.fetch("SELECT body::text FROM stripe_event")
    assert "client_secret" not in row["body"]
    (message,) = await till.engine.fetch("SELECT * FROM local_message")
    assert message["key"] == str(BOOKING)
    await till.settle()
    assert await keep(till.pool, [event], now) == 0
    assert await till.engine.fetch("SELECT * FROM local_message") == []
