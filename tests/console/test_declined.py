"""The list of payments says why they were declined, and how many there are by reason (console)."""

from __future__ import annotations

from uuid import UUID

import pytest

from services.operations.console.reads.paging import LOOKED
from tests.chassis.harness import Engine
from tests.console.conftest import Visit, Visitor, named
from tests.payments.conftest import engine

__all__ = ["engine"]
pytestmark = pytest.mark.requirement("console")
PAYMENTS = """
INSERT INTO payment (booking_id, payment_id, correlation_id, sequence, attempt, status, method, amount_minor, currency,
                     customer_id, provider_id, commission_bps, voided_through, owes_void, capture_asked,
                     authorized_minor, captured_minor, refunded_minor, released_minor, commission_minor, refunds,
                     decline_code, decline_retryable, decline_message, changed_at)
SELECT lpad(to_hex($1::int + n), 32, '0')::uuid, gen_random_uuid(), 'c', 1, 1, $3::text, 'card', 4500, 'EUR', 'ann',
       gen_random_uuid(), 1000, 0, false, false, 0, 0, 0, 0, 0, 0, $4::text, $4::text IS NOT NULL, 'no',
       now() - make_interval(mins => $5)
FROM generate_series(0, $2::int - 1) n
"""


async def pay(engine: Engine, at: int, many: int, status: str, code: str | None = None, ago: int = 0) -> UUID:
    """So many payments with ids from `at` on; the first."""
    await engine.fetch(PAYMENTS, at, many, status, code, ago)
    return UUID(int=at)


@pytest.fixture
async def vera(visit: Visit, databases: dict[str, str]) -> Visitor:
    return await visit("vera", databases=named(databases))


async def test_declined_payments_are_listed_with_their_reason_whatever_came_after_them(
    vera: Visitor, engine: Engine
) -> None:
    expired = await pay(engine, 1, 1, "declined", "expired_card")
    await pay(engine, 2, 3, "declined", "insufficient_funds")
    await pay(engine, 10, LOOKED + 10, "voided")
    page = await vera.shown("/payments?status=declined")
    assert f"/bookings/{expired}" in page, "on the first page"
    assert page.count("<td>insufficient_funds</td>") == 3
    assert 'expired_card <span class="quiet">1</span>' in page
    assert 'insufficient_funds <span class="quiet">3</span>' in page
    assert 'declined <span class="quiet">4</span>' in page
    page = await vera.shown("/payments?reason=expired_card")
    assert f"/bookings/{expired}" in page
    assert "<td>insufficient_funds</td>" not in page
    assert "<td>voided</td>" not in page


async def test_those_that_linger_are_a_list_of_their_own_the_oldest_first(vera: Visitor, engine: Engine) -> None:
    old, older = await pay(engine, 1, 1, "pending", ago=11), await pay(engine, 2, 1, "authorized", ago=600)
    young = await pay(engine, 3, 1, "pending")
    assert 'href="/payments?lingering=1"' in await vera.shown("/")
    page = await vera.shown("/payments?lingering=1")
    assert page.index(f"/bookings/{older}") < page.index(f"/bookings/{old}")
    assert f"/bookings/{young}" not in page
