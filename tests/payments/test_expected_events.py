"""Events that nobody waits for, and events that come at once: few transactions, nothing lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from services.chassis.database import ASKED_RARELY, Pool, connect, open_pool
from services.payments.model import idempotency_keys
from services.payments.stripe_events.event_store import ANSWERED_WITHIN, keep
from services.payments.stripe_events.events import StripeEvent, told_by
from services.payments.stripe_events.owners import Attempt
from services.payments.stripe_events.sweeper import ON_THE_WAY, Sweeper
from services.payments.stripe_events.together import ENOUGH, MOST, Together
from tests.payments.builders import BOOKING, INTENT, authorize, capture
from tests.payments.till import Till, soon

OURS = {"booking_id": str(BOOKING), "attempt": "1"}
KEYS = (
    idempotency_keys.of_intent(BOOKING, "authorize", 1),
    idempotency_keys.of_confirmation(idempotency_keys.of_intent(BOOKING, "authorize", 1)),
    idempotency_keys.after_stored_failure(idempotency_keys.of_intent(BOOKING, "capture", 12), 2),
    idempotency_keys.of_leftover(BOOKING, 1, INTENT),
    idempotency_keys.of_refund(BOOKING, 1, 2, 3),
    idempotency_keys.of_payout(BOOKING, 1, 1, 1),
    idempotency_keys.of_top_up(BOOKING),
    idempotency_keys.of_withdrawal(BOOKING, 2),
)
OTHERS = (None, "", 5, str(BOOKING), f"x{KEYS[0]}", "order-77:authorize:1")


def an_event(key: object = None, kind: str = "payment_intent.succeeded", intent: str = INTENT) -> StripeEvent:
    about = {"id": intent, "metadata": OURS}
    body: dict[str, Any] = {"data": {"object": about}, "request": {"id": "req_1", "idempotency_key": key}}
    return StripeEvent(f"evt_{uuid4()}", kind, body)


@pytest.mark.parametrize("key", KEYS)
def test_an_event_under_a_key_of_ours_is_caused_by_us(key: str) -> None:
    assert an_event(key).caused_by_us


@pytest.mark.parametrize("event", [*map(an_event, OTHERS), StripeEvent("e", "t", {"request": None})])
def test_any_other_event_is_news(event: StripeEvent) -> None:
    assert not event.caused_by_us


@pytest.mark.requirement("webhooks")
async def test_what_an_answer_says_too_is_looked_at_later_and_together(till: Till) -> None:
    now = datetime(2030, 1, 7, 12, 0, 0, 700_000, tzinfo=UTC)
    early, late, news = an_event(KEYS[0]), an_event(KEYS[0]), an_event("dashboard")
    await keep(till.pool, [early, news], now)
    await keep(till.pool, [late], now + timedelta(seconds=0.2))
    rows = await till.engine.fetch("SELECT due_at FROM local_message ORDER BY due_at")
    assert [row["due_at"] for row in rows] == [now, *[now.replace(microsecond=0) + ANSWERED_WITHIN] * 2]


@pytest.mark.requirement("webhooks", "requires-action")
async def test_what_the_customer_does_is_looked_at_at_once(till: Till) -> None:
    await till.tell(authorize(expires_at=soon(till.bench), payment=_three_d_secure()))
    intent = (await till.bench.state("payment_intents"))[0]["id"]
    await till.bench.control("POST", f"/authenticate/{intent}", {"success": True})
    till.bench.later(seconds=ON_THE_WAY.total_seconds() + 1)
    await Sweeper(till.bench.api, till.bench.clock).sweep(till.pool)
    await till.settle()
    assert (await till.events())[-1] == "PaymentAuthorized"
    assert await till.engine.fetch("SELECT FROM local_message") == [], "the row shows what our own request caused"


@pytest.mark.requirement("webhooks", "retry-mechanism")
async def test_an_event_stands_in_for_an_answer_that_is_lost_for_good(till: Till) -> None:
    await till.tell(authorize(expires_at=soon(till.bench)))
    await till.tell(capture(), settle=False)
    await till.answers()
    await till.engine.fetch("UPDATE gateway_call SET state = 'done'")
    await till.engine.fetch("UPDATE payment SET calling = NULL")
    await till.sweep()
    assert (await till.events())[-1] == "PaymentCaptured"


@pytest.mark.requirement("webhooks")
async def test_the_youngest_events_are_left_to_their_webhooks(till: Till) -> None:
    await till.tell(authorize(expires_at=soon(till.bench)))
    assert await Sweeper(till.bench.api, till.bench.clock).sweep(till.pool) == 0
    await till.engine.fetch("UPDATE stripe_sweep SET try_at = now() - interval '1 hour'")
    till.bench.later(seconds=ON_THE_WAY.total_seconds() + 1)
    assert await Sweeper(till.bench.api, till.bench.clock).sweep(till.pool) > 0


@pytest.mark.requirement("webhooks")
async def test_events_that_come_at_the_same_time_are_kept_together(till: Till) -> None:
    together = Together(till.pool, till.bench.clock)
    new = await asyncio.gather(*(together.take(an_event()) for _ in range(MOST + 20)))
    assert new == [MOST] * MOST + [20] * 20
    rows = await till.engine.fetch("SELECT count(*) FROM stripe_event GROUP BY xmin::text ORDER BY 1")
    assert [row["count"] for row in rows] == [20, MOST]
    assert await together.take(an_event()) == 1


@pytest.mark.requirement("webhooks")
async def test_what_our_own_requests_caused_gathers_for_a_moment(till: Till) -> None:
    together = Together(till.pool, till.bench.clock)
    first = asyncio.create_task(together.take(an_event(KEYS[0])))
    await asyncio.sleep(0.02)
    assert await together.take(an_event(KEYS[1])) == 2
    assert await first == 2


@pytest.mark.requirement("webhooks")
@pytest.mark.parametrize("company", [[an_event("dashboard")], [an_event(KEYS[0]) for _ in range(ENOUGH - 1)]])
async def test_it_does_not_gather_on_when_news_comes_or_many(
    till: Till, monkeypatch: pytest.MonkeyPatch, company: list[StripeEvent]
) -> None:
    monkeypatch.setattr("services.payments.stripe_events.together.GATHER_SECONDS", 3600)
    together = Together(till.pool, till.bench.clock)
    took = asyncio.gather(*map(together.take, [an_event(KEYS[0]), *company]))
    assert await asyncio.wait_for(took, 10) == [1 + len(company)] * (1 + len(company))


@pytest.mark.requirement("webhooks")
async def test_what_the_row_shows_already_is_kept_and_not_told(till: Till) -> None:
    await till.tell(authorize(expires_at=soon(till.bench)), capture())
    intent = (await till.bench.state("payment_intents"))[0]["id"]
    shown, news = (an_event("dashboard", f"payment_intent.{kind}", intent) for kind in ("succeeded", "canceled"))
    assert await keep(till.pool, [shown, news], till.bench.clock.now()) == 2
    assert {row["event_id"] for row in await till.engine.fetch("SELECT event_id FROM stripe_event")} == {
        shown.id,
        news.id,
    }
    (message,) = await till.engine.fetch(
        "SELECT convert_from(body, 'UTF8')::json ->> 'event_id' AS id FROM local_message"
    )
    assert message["id"] == news.id


@pytest.mark.requirement("webhooks")
def test_of_a_status_that_only_a_newer_build_knows_everything_is_told() -> None:
    known = {INTENT: Attempt(BOOKING, 1, "reversed", None)}
    assert told_by(an_event(), {}, known) is not None


@pytest.mark.requirement("webhooks")
async def test_who_goes_away_takes_nobody_along(till: Till) -> None:
    together = Together(till.pool, till.bench.clock)
    first, second = (asyncio.create_task(together.take(an_event())) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 2


@pytest.fixture
async def held(till: Till, databases: dict[str, str]) -> AsyncIterator[StripeEvent]:
    """An event whose row another transaction makes, and does not end."""
    event, other = an_event(), await connect(databases["PAYMENTS_DATABASE_URL"], "other")
    await other.execute("BEGIN")
    insert = "INSERT INTO stripe_event (event_id, type, body) VALUES ($1, 'payment_intent.succeeded', '{}')"
    await other.execute(insert, event.id)
    yield event
    await other.close()


@pytest.fixture
async def impatient(databases: dict[str, str]) -> AsyncIterator[Pool]:
    settings = {**ASKED_RARELY, "lock_timeout": "1s"}
    async with await open_pool(databases["PAYMENTS_DATABASE_URL"], "webhooks", size=2, settings=settings) as pool:
        yield pool


@pytest.mark.requirement("webhooks")
async def test_one_event_whose_row_is_locked_fails_alone(till: Till, impatient: Pool, held: StripeEvent) -> None:
    together = Together(impatient, till.bench.clock)
    events = [an_event(), held, an_event(), an_event()]
    told = await asyncio.gather(*map(together.take, events), return_exceptions=True)
    assert isinstance(told[1], asyncpg.LockNotAvailableError)
    assert [told[0], *told[2:]] == [1, 1, 1]


@pytest.mark.requirement("webhooks")
async def test_nobody_waits_long_for_a_transaction_that_does_not_end(
    till: Till, impatient: Pool, held: StripeEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.payments.stripe_events.together.PATIENCE_SECONDS", 0.1, raising=False)
    together = Together(impatient, till.bench.clock)
    slow = asyncio.create_task(together.take(held))
    await asyncio.sleep(0.05)
    assert await asyncio.wait_for(together.take(an_event()), 0.7) == 1
    with pytest.raises(asyncpg.LockNotAvailableError):
        await slow


@pytest.mark.requirement("webhooks")
async def test_without_a_database_everybody_is_told_to_come_again(till: Till) -> None:
    together = Together(till.pool, till.bench.clock)
    await till.pool.close()
    told = await asyncio.gather(*(together.take(an_event()) for _ in range(3)), return_exceptions=True)
    assert [type(one).__name__ for one in told] == ["InterfaceError"] * 3


def _three_d_secure() -> dict[str, str]:
    return {"method": "card", "payment_method": "pm_card_threeDSecure2Required"}
