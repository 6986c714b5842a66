"""Events at the door and in the sweep: 400 for what is none, 200 for the rest, and one holds up no other."""

from __future__ import annotations

import hmac
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.chassis.database import SESSION, connect, open_pool
from services.chassis.http import Pools, new_app
from services.payments import gauges, http, metrics, operator, rounds
from services.payments.stripe_events import event_store
from services.payments.stripe_events.events import WANTED_EVENT_TYPES, StripeEvent, event_of, told_by
from tests.doors import HEALTHY
from tests.payments.builders import BOOKING, PRICE, authorize, capture, settle
from tests.payments.test_dashboard_refunds import told
from tests.payments.till import Till, soon

SECRET = "whsec_test"
TOLD_BY = "services.payments.stripe_events.event_store.told_by"
Door = TestClient[Any, Any]
FUZZ = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WORDS = st.text(st.characters(exclude_categories=()), max_size=12) | st.sampled_from(
    [
        "metadata",
        "id",
        "booking_id",
        "attempt",
        "payment_intent",
        "amount",
        "status",
        "refund_id",
        "part_id",
        "payout_id",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.sampled_from([str(BOOKING), "1", "pi_1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=6),
    max_leaves=12,
)


@pytest.fixture
async def door(till: Till) -> AsyncIterator[Door]:
    app = new_app(lambda: (), Pools(till.pool, till.pool), HEALTHY)
    http.add_routes(app, http.Outside(till.bench.api, till.bench.clock, lambda: (SECRET,), lambda: None))
    async with TestClient(TestServer(app)) as client:
        yield client


async def post(door: Door, till: Till, body: bytes, **headers: str) -> int:
    """The answer to a body that is signed well."""
    seconds = int(till.bench.clock.now().timestamp())
    signature = hmac.digest(SECRET.encode(), b"%d." % seconds + body, "sha256").hex()
    given = {"Stripe-Signature": f"t={seconds},v1={signature}", **headers}
    async with door.post("/webhooks/stripe", data=body, headers=given) as answer:
        return answer.status


def event(about: object, kind: str = "payment_intent.succeeded", event_id: str = "evt_1") -> bytes:
    return json.dumps({"id": event_id, "type": kind, "data": {"object": about}}).encode()


@pytest.mark.requirement("webhooks")
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (event({"description": "x\\u0000y"}), 200),
        (event({"description": "x\\u0000\\b"}), 200),
        (event({"description": "\x00", "\x00": "\ud800"}), 200),
        (event({"n": 1}).replace(b"1}", b"1e400}"), 200),
        (event({"n": 1}).replace(b"1}", b"NaN}"), 400),
        (event({}, event_id="evt\x00_1"), 400),
        (event({}, kind="a\x00b"), 400),
        (event({}, event_id="e" * 256), 400),
        (event({}, event_id="é"), 400),
        (event({}, kind=""), 400),
        (event({"a": 1}).replace(b"1", b"[" * 20_000 + b"]" * 20_000), 400),
        (event({"a": 1}).replace(b"1", b"[" * 600 + b"]" * 600), 400),
        (b"x" * 1_100_000, 413),
    ],
)
async def test_an_event_or_none(door: Door, till: Till, body: bytes, status: int) -> None:
    assert await post(door, till, body) == status
    assert len(await till.engine.fetch("SELECT event_id FROM stripe_event")) == (status == 200)


@pytest.mark.requirement("webhooks")
async def test_what_a_string_spells_out_is_kept_as_it_is(door: Door, till: Till) -> None:
    for number, text in enumerate(["x\\u0000y", "x\\u0000b", "\\\\u0000"]):
        assert await post(door, till, event({"description": text}, event_id=f"evt_{number}")) == 200
    rows = await till.engine.fetch("SELECT body -> 'data' -> 'object' ->> 'description' d FROM stripe_event ORDER BY 1")
    assert {row["d"] for row in rows} == {"x\\u0000y", "x\\u0000b", "\\\\u0000"}


@pytest.mark.requirement("webhooks")
@given(signature=st.binary(max_size=60))
@FUZZ
async def test_no_signature_header_is_a_fault_of_ours(door: Door, signature: bytes) -> None:
    text = signature.translate(None, b"\r\n\x00").decode("utf-8", "surrogateescape").strip()
    try:
        async with door.post("/webhooks/stripe", data=b"{}", headers={"Stripe-Signature": text}) as answer:
            assert answer.status == 400
    except ValueError:
        return  # the client itself does not send it


@pytest.mark.requirement("webhooks")
@pytest.mark.parametrize(
    "header", ["t={t},v1=é", "t={t},v1=\udcff", "t={t},v1=", "t={t},v1=٣", "é", "t={t},é=1", "t=1e5,v1=a"]
)
async def test_a_signature_that_is_not_ascii_is_refused(door: Door, till: Till, header: str) -> None:
    given = {"Stripe-Signature": header.format(t=int(till.bench.clock.now().timestamp()))}
    async with door.post("/webhooks/stripe", data=b"{}", headers=given) as answer:
        assert answer.status == 400


@pytest.mark.requirement("webhooks")
@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "nonsense"])
async def test_a_body_that_is_not_encoded_as_it_says_is_refused(door: Door, till: Till, coding: str) -> None:
    assert await post(door, till, b"{nothing", **{"Content-Encoding": coding}) in (400, 415)


@pytest.mark.requirement("webhooks")
@given(kind=st.sampled_from(WANTED_EVENT_TYPES), about=VALUES, more=st.dictionaries(WORDS, VALUES, max_size=3))
@FUZZ
async def test_no_signed_event_is_a_fault_of_ours(
    door: Door, till: Till, kind: str, about: object, more: dict[str, object]
) -> None:
    body = {**more, "id": f"evt_{abs(hash(repr((about, more))))}", "type": kind, "data": {"object": about}}
    assert await post(door, till, json.dumps(body).encode()) in (200, 400)


@pytest.mark.requirement("webhooks")
@given(body=st.binary(max_size=200))
@FUZZ
async def test_no_signed_body_is_a_fault_of_ours(door: Door, till: Till, body: bytes) -> None:
    assert await post(door, till, body) == 400


@pytest.mark.requirement("webhooks")
async def test_a_paymentintent_with_such_a_text_holds_up_no_sweep(till: Till) -> None:
    await till.tell(authorize(expires_at=soon(till.bench)), capture())
    (intent,) = await till.bench.state("payment_intents")
    await till.bench.api.v1.payment_intents.update_async(intent["id"], {"description": "x\\u0000y"})
    await till.bench.control("POST", "/disputes", {"payment_intent": intent["id"]})
    await told(till)
    assert "ChargebackOpened" in await till.events()


@pytest.mark.requirement("webhooks", "operations-cli")
async def test_one_that_cannot_be_kept_is_set_aside_and_tried_again(
    till: Till, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    await till.tell(authorize(expires_at=soon(till.bench)))
    (intent,) = await till.bench.state("payment_intents")
    await till.bench.api.v1.payment_intents.capture_async(intent["id"])

    def broken(event: StripeEvent, *rows: Any) -> Any:
        if event.type == "payment_intent.succeeded":
            raise OverflowError("a fault of ours")
        return told_by(event, *rows)

    before = metrics.events_set_aside._value.get()
    monkeypatch.setattr(TOLD_BY, broken)
    await told(till)
    assert metrics.events_set_aside._value.get() == before + 1
    assert len(await till.engine.fetch("SELECT FROM stripe_event WHERE set_aside IS NULL")) >= 1
    (row,) = await operator.events_aside(await till.engine.session.connection())
    assert (row["type"], "a fault of ours" in row["error"]) == ("payment_intent.succeeded", True)
    await gauges.look(till.pool)
    assert metrics.events_aside._value.get() == 1
    (swept,) = await till.engine.fetch("SELECT swept_until FROM stripe_sweep")
    assert swept["swept_until"] is not None
    assert await post(door, till, event({}, "payment_intent.succeeded", "evt_door")) == 200

    monkeypatch.setattr(TOLD_BY, told_by)
    for _ in range(20):
        await told(till)
    assert [row["event_id"] for row in await operator.events_aside(await till.engine.session.connection())] in (
        [],
        ["evt_door"],
    ), "Stripe knows none of that id"
    assert "PaymentCaptured" in await till.events()


@pytest.mark.requirement("webhooks")
async def test_a_round_that_fails_is_counted() -> None:
    count = metrics.rounds_failed.labels("sweep")._value

    async def fails() -> None:
        if count.get() - before >= 2:
            raise KeyboardInterrupt
        raise kinds.pop()

    kinds, before = [ValueError("ours"), OSError("theirs")], count.get()
    with pytest.raises(KeyboardInterrupt):
        await rounds.in_rounds("sweep", 0.001, fails)
    assert count.get() - before == 2


@pytest.mark.requirement("webhooks", "payment-booking-coupling", "requires-action")
@pytest.mark.parametrize("edited", [{}, {"booking_id": str(UUID(int=9)), "attempt": "7"}, {"booking_id": "RF-77"}])
async def test_edited_metadata_hide_no_payment(till: Till, edited: dict[str, str]) -> None:
    choice = {"method": "card", "payment_method": "pm_card_threeDSecure2Required"}
    await till.tell(authorize(expires_at=soon(till.bench), payment=choice))
    (intent,) = await till.bench.state("payment_intents")
    api = till.bench.api.v1.payment_intents
    await api.update_async(intent["id"], {"metadata": ""})
    await api.update_async(intent["id"], {"metadata": edited})
    await till.bench.control("POST", f"/authenticate/{intent['id']}", {"success": True})
    await told(till)
    assert (await till.events())[-1] == "PaymentAuthorized"


@pytest.mark.requirement("payment-booking-coupling")
async def test_the_reconciler_knows_a_paymentintent_by_its_id(till: Till) -> None:
    await till.tell(authorize(expires_at=soon(till.bench)))
    (intent,) = await till.bench.state("payment_intents")
    api = till.bench.api.v1.payment_intents
    await api.update_async(intent["id"], {"metadata": ""})
    await api.update_async(intent["id"], {"metadata": {"customer_id": "bob", "command_id": str(UUID(int=3))}})
    await api.capture_async(intent["id"])
    await till.another_round()
    assert "PaymentCaptured" in await till.events()
    assert await till.engine.fetch("SELECT FROM reconciliation WHERE repair = 'report'") == []


@pytest.mark.requirement("provider-payouts", "webhooks")
async def test_a_reversal_is_found_by_the_transfers_id(till: Till) -> None:
    await till.tell(authorize(expires_at=soon(till.bench), payout_account="acct_1"), capture(), settle(release=PRICE))
    (transfer,) = await till.bench.state("transfers")
    await till.bench.api.v1.transfers.update_async(transfer["id"], {"metadata": ""})
    await till.bench.api.v1.transfers.reversals.create_async(transfer["id"], {"amount": 1000})
    await told(till)
    (payout,) = await till.engine.fetch("SELECT reversed_minor FROM payout")
    assert payout["reversed_minor"] == 1000


@pytest.mark.requirement("webhooks", "pessimistic-locking")
async def test_an_event_whose_row_is_held_keeps_no_other_from_being_kept(till: Till) -> None:
    """Another replica has the first in hand, and takes long: the sweeper's page is more than that event."""
    page = [event_of(json.loads(event({}, "customer.created", name))) for name in ("evt_held", "evt_free")]
    pool = await open_pool(till.engine.session.url, "sweep", size=1, settings={**SESSION, "lock_timeout": "100ms"})
    other = await connect(till.engine.session.url, "other")
    async with other.transaction():
        await other.execute("INSERT INTO stripe_event (event_id, type, body) VALUES ('evt_held', 't', '{}')")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await event_store.take_page(pool, page, till.bench.clock.now())
        assert [row["event_id"] for row in await till.engine.fetch("SELECT event_id FROM stripe_event")] == ["evt_free"]
    assert await event_store.take_page(pool, page, till.bench.clock.now()) == 0
    await other.close()
    pool.terminate()
