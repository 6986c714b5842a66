"""The simulator's answers have the shape that Stripe's OpenAPI description gives (openapi_shapes.json)."""

import json
from pathlib import Path
from typing import cast

import pytest

from tests.simulator.conftest import Bench

SHAPES = json.loads(Path(__file__).with_name("openapi_shapes.json").read_text())["resources"]
JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}
NOT_IN_THE_DESCRIPTION = {"source"}  # still in live answers and in stripe-mock's own fixtures


def problems(rendered: dict[str, object]) -> list[str]:
    """What is wrong with one object: missing, unknown, of another type, or outside its enum."""
    shape = SHAPES[rendered["object"]]
    found = [f"missing {name}" for name in shape["required"] if name not in rendered]
    found += [f"unknown {name}" for name in rendered if name not in {*shape["known"], *NOT_IN_THE_DESCRIPTION}]
    for name, types in shape["types"].items():
        allowed = tuple(kind for json_type in types for kind in JSON_TYPES[json_type])
        if name in rendered and type(rendered[name]) not in allowed:
            found.append(f"{name} is {rendered[name]!r}, not {types}")
    for name, values in shape["enums"].items():
        if rendered.get(name) is not None and rendered[name] not in values:
            found.append(f"{name} is {rendered[name]!r}, not one of {values}")
    return found


@pytest.fixture
async def account(bench: Bench) -> dict[str, list[dict[str, object]]]:
    """The state of an account in which everything has happened."""
    await bench.sdk.v1.customers.create_async({"email": "a@example.com", "metadata": {"a": "b"}})
    await bench.post("/v1/payment_intents", {"amount": "500", "currency": "eur"})
    for card in ("pm_card_chargeDeclined", "pm_card_threeDSecure2Required", "pm_card_visa"):
        form = {"amount": "500", "currency": "eur", "confirm": "true", "capture_method": "manual"}
        await bench.post("/v1/payment_intents", form | {"payment_method": card})
    canceled = await bench.authorised()
    await bench.sdk.v1.payment_intents.cancel_async(canceled.id, {"cancellation_reason": "abandoned"})
    for card in ("pm_card_refundFail", "pm_card_pendingRefund", "pm_card_createDispute"):
        intent = await bench.captured(card)
        await bench.sdk.v1.refunds.create_async({"payment_intent": intent.id, "amount": 100})
    partly = await bench.authorised()
    await bench.sdk.v1.payment_intents.capture_async(partly.id, {"amount_to_capture": 4000})
    await bench.control("POST", "/disputes", {"payment_intent": partly.id, "inquiry": True})
    await bench.authorised("pm_card_processing")
    transfer = await bench.sdk.v1.transfers.create_async(
        {"amount": 100, "currency": "eur", "destination": "acct_teacher"}
    )
    await bench.sdk.v1.transfers.reversals.create_async(transfer.id)
    await bench.sdk.v1.setup_intents.create_async({"payment_method": "pm_card_visa", "confirm": True})
    bench.move_clock(8 * 24 * 3600)
    return cast(dict[str, list[dict[str, object]]], await bench.control("GET", "/state"))


async def test_every_object_has_stripes_shape(account: dict[str, list[dict[str, object]]]) -> None:
    sections = [rows for name, rows in account.items() if name != "requests"]
    assert all(sections), "every kind of object exists"
    for row in (row for rows in sections for row in rows):
        assert problems(row) == [], row


async def test_every_snapshot_has_stripes_shape(account: dict[str, list[dict[str, object]]]) -> None:
    snapshots = [cast(dict[str, dict[str, object]], event["data"])["object"] for event in account["events"]]
    assert {snapshot["object"] for snapshot in snapshots} >= {"charge", "refund", "dispute", "transfer"}
    for snapshot in snapshots:
        assert problems(snapshot) == [], snapshot


async def test_payment_methods_and_reversals_have_stripes_shape(bench: Bench) -> None:
    transfer = {"amount": "100", "currency": "eur", "destination": "acct_teacher"}
    await bench.captured()
    _, _, made = await bench.post("/v1/transfers", transfer)
    for path, form in (
        (f"/v1/transfers/{made['id']}/reversals", {}),
        ("/v1/payment_methods", {"type": "card", "card[number]": "4242 4242 4242 4242"}),
    ):
        status, _, body = await bench.post(path, form)
        assert (status, problems(body)) == (200, [])


def test_a_wrong_shape_is_noticed() -> None:
    refund: dict[str, object] = {
        "object": "refund",
        "id": "re_1",
        "amount": "100",
        "reason": "why",
        "colour": 1,
    }
    assert problems(refund) == [
        "missing created",
        "missing currency",
        "unknown colour",
        "amount is '100', not ['integer']",
        "reason is 'why', not one of ['duplicate', 'expired_uncaptured_charge', 'fraudulent', 'requested_by_customer']",
    ]
