"""Webhook deliveries: docs.stripe.com/webhooks. The inbox verifies every signature with the SDK."""

from typing import Any

import stripe
from booking_contracts.testkit.waiting import eventually

from tests.simulator.conftest import Bench

LIFE_OF_A_PAYMENT = [
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.amount_capturable_updated",
    "charge.captured",
    "payment_intent.succeeded",
]


def complete(types: list[str]) -> bool:
    return len(types) == len(LIFE_OF_A_PAYMENT)


async def test_events_arrive_signed_and_in_order(bench: Bench) -> None:
    intent = await bench.captured()
    assert await bench.inbox.until(complete) == LIFE_OF_A_PAYMENT

    created, capturable = bench.inbox.events[0], bench.inbox.events[2]
    assert created.data.object["status"] != "requires_capture"
    assert capturable.data.object["id"] == intent.id
    assert capturable.data.object["status"] == "requires_capture"
    assert capturable.api_version == stripe.api_version


async def test_other_outcomes(bench: Bench) -> None:
    await bench.post(
        "/v1/payment_intents",
        {"amount": "500", "currency": "eur", "confirm": "true", "payment_method": "pm_card_chargeDeclined"},
    )
    types = await bench.inbox.until(lambda types: len(types) == 3)
    assert types == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]
    action = await bench.authorised("pm_card_threeDSecure2Required")
    await bench.sdk.v1.payment_intents.cancel_async(action.id)
    types = await bench.inbox.until(lambda types: len(types) == 6)
    assert types[3:] == [
        "payment_intent.created",
        "payment_intent.requires_action",
        "payment_intent.canceled",
    ]


async def test_a_refused_delivery_is_repeated(bench: Bench) -> None:
    bench.inbox.refusals = 1
    await bench.sdk.v1.payment_intents.create_async({"amount": 4500, "currency": "eur"})
    undelivered = await bench.sdk.v1.events.list_async({"delivery_success": False})
    assert [event.pending_webhooks for event in undelivered.data] == [1]
    assert await bench.inbox.until(lambda types: len(types) == 1) == ["payment_intent.created"]


async def test_lost(bench: Bench) -> None:
    await bench.faults({"operation": "webhook", "kind": "lost", "count": 2})
    await bench.captured()
    assert await bench.inbox.until(lambda types: len(types) == 3) == LIFE_OF_A_PAYMENT[2:]
    listed = await bench.sdk.v1.events.list_async()
    assert [event.type for event in reversed(listed.data)] == LIFE_OF_A_PAYMENT


async def test_late(bench: Bench) -> None:
    await bench.faults({"operation": "webhook", "kind": "late", "count": 1, "seconds": 0.3})
    await bench.captured()
    assert await bench.inbox.until(complete) == LIFE_OF_A_PAYMENT[1:] + LIFE_OF_A_PAYMENT[:1]


async def test_duplicate(bench: Bench) -> None:
    await bench.faults({"operation": "webhook", "kind": "duplicate", "count": 1})
    await bench.sdk.v1.payment_intents.create_async({"amount": 4500, "currency": "eur"})
    await bench.inbox.until(lambda types: len(types) == 2)
    first, second = bench.inbox.events
    assert first.id == second.id


async def test_reordered(bench: Bench) -> None:
    await bench.faults({"operation": "webhook", "kind": "reordered", "count": 1})
    await bench.captured()
    created, succeeded, *rest = LIFE_OF_A_PAYMENT
    assert await bench.inbox.until(complete) == [succeeded, created, *rest]


async def test_reordered_with_nothing_behind_it(bench: Bench) -> None:
    await bench.faults({"operation": "webhook", "kind": "reordered", "count": 1, "seconds": 0.1})
    await bench.sdk.v1.payment_intents.create_async({"amount": 4500, "currency": "eur"})
    assert await bench.inbox.until(lambda types: len(types) == 1) == ["payment_intent.created"]


async def test_the_list_of_events_pages_newest_first(bench: Bench) -> None:
    await bench.captured()
    bench.move_clock(100)
    last = await bench.captured()
    events = bench.sdk.v1.events
    everything = [event.id async for event in (await events.list_async({"limit": 3})).auto_paging_iter()]
    assert len(everything) == len(set(everything)) == 10
    assert everything == sorted(everything, reverse=True)

    recent = await events.list_async({"created": {"gte": last.created}, "limit": 100})
    assert [event.id for event in recent.data] == everything[:5]
    older = await events.list_async({"created": {"lt": last.created}})
    assert [event.id for event in older.data] == everything[5:]
    newer = await events.list_async({"ending_before": everything[5], "limit": 2})
    assert ([event.id for event in newer.data], newer.has_more) == (everything[3:5], True)
    named = await events.list_async({"types": ["charge.captured"]})
    assert {event.type for event in named.data} == {"charge.captured"}
    assert (await events.retrieve_async(everything[9])).type == "payment_intent.created"


async def test_the_timestamp_is_the_simulators(bench: Bench) -> None:
    bench.move_clock(86_400)
    intent = await bench.sdk.v1.payment_intents.create_async({"amount": 4500, "currency": "eur"})
    await bench.inbox.until(lambda types: len(types) == 1)
    assert bench.inbox.events[0].created == intent.created


async def test_what_was_delivered_is_told_with_how_often(bench: Bench) -> None:
    await bench.faults(
        {"operation": "webhook", "kind": "lost", "count": 1}, {"operation": "webhook", "kind": "duplicate", "count": 1}
    )
    intent = await bench.captured()
    await bench.inbox.until(complete)

    everything = len(LIFE_OF_A_PAYMENT)
    found = await eventually(
        "all are taken", lambda: delivered(bench), lambda seen: sum(one["deliveries"] for one in seen) == everything
    )
    assert [(event["type"], event["deliveries"]) for event in found] == [
        (name, 2 if name == "charge.succeeded" else 1) for name in LIFE_OF_A_PAYMENT[1:]
    ]
    assert found[-1]["data"]["object"]["id"] == intent.id


async def delivered(bench: Bench) -> list[Any]:
    state: Any = await bench.control("GET", "/state?only=webhooks")
    return list(state["webhooks"])
