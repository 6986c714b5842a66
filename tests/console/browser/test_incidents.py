"""Incidents from Now to their cause, and to where Now is calm again, each on the system as it runs.

Of the ten of docs/operate/console.md (Ten incidents) these are five; the others are errands, too: 3, 4, 6, 8 and 10 of
test_errands.py. They come after all else: the last moves the clock by days.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
from booking_contracts.booking import PaymentFailed
from booking_contracts.envelope import uuid7
from booking_contracts.testkit import sample
from booking_contracts.testkit.system import System
from booking_contracts.testkit.waiting import eventually
from playwright.async_api import expect

from services.operations.console.reads.heard import ENOUGH
from services.operations.console.reads.verdicts import RECENT_MINUTES, UNPAID
from services.payments.model.payout import RETRY_AFTER
from tests.console.browser.desk import PATIENCE_SECONDS, Desk
from tests.console.browser.scenes import cancelled, database, paid
from tests.operations.auditor.conftest import Hand
from tests.operations.auditor.plants import cent

pytestmark = pytest.mark.requirement("console")
POSTING = "SELECT transaction_id FROM ledger_entry WHERE account = 'escrow:' || $1::uuid"


@pytest.fixture(autouse=True)
async def calm(local: Desk) -> AsyncIterator[None]:
    """Now has nothing to say before an incident, and nothing after it."""
    await local.is_calm()
    yield
    await local.is_calm()


async def test_a_session_that_holds_a_table_is_named_and_ended(local: Desk, system: System) -> None:
    studio = await system.studio()
    async with database(system, "booking", owner=True) as somebody, database(system, "booking", owner=True) as psql:
        await somebody.execute("BEGIN; LOCK TABLE booking IN EXCLUSIVE MODE")
        assert (await system.rejected(system.place(studio, "ida"), timeout_seconds=PATIENCE_SECONDS)).code == "TOO_BUSY"
        slow = local.verdict("PostgreSQL")
        await expect(slow).to_contain_text("of booking_owner has locks on booking")
        session = re.search(r"session (\d+) of booking_owner", await slow.inner_text())
        assert session is not None
        assert await psql.fetchval("SELECT pg_terminate_backend($1)", int(session[1]))
    await paid(system, studio, "ida", 0)


async def test_webhooks_that_are_lost_are_told_from_a_stripe_that_is_away(local: Desk, system: System) -> None:
    studio = await system.studio(slots=ENOUGH + 1)
    async with system.stripe.fail("lost", "webhook"):
        for slot in range(ENOUGH):
            booking_id = await paid(system, studio, f"jana-{slot}", slot)
        lost = await system.stripe.fired()
        stripe = local.verdict("Stripe")
        await expect(stripe).to_contain_text(f"webhooks are late: the last {lost} events came")
        await expect(stripe).to_contain_text("was answered")
    await local.open(f"/bookings/{booking_id}")
    await expect(local.page.locator("svg.lanes")).to_contain_text("payment_intent.succeeded")
    await paid(system, studio, "jana", ENOUGH)


async def test_when_every_card_is_declined_the_reason_is_counted(local: Desk, system: System) -> None:
    await system.advance(minutes=max(RECENT_MINUTES) + 1)
    studio = await system.studio(capacity=UNPAID)
    async with system.stripe.fail("declined", decline_code="processing_error"):
        commands = [system.place(studio) for _ in range(UNPAID)]
        for command in commands:
            await system.client.publish(command)
        await asyncio.gather(*(system.client.outcome(one.booking_id, PaymentFailed) for one in commands))
    unpaid = f"{UNPAID} bookings of the last {min(RECENT_MINUTES)} minutes were not paid, 0 were: it declines"
    await expect(local.verdict("Stripe")).to_contain_text(unpaid)
    await local.page.get_by_role("navigation", name="Pages").get_by_role("link", name="Payments").click()
    await local.page.get_by_role("link", name=re.compile("^declined")).click()
    await local.page.get_by_role("link", name=f"processing_error {UNPAID}").click()
    await local.booking(commands[0].booking_id).click()
    await expect(local.page.get_by_role("heading", level=1)).to_contain_text("PAYMENT_FAILED")
    await expect(local.page.locator("svg.lanes")).to_contain_text("PaymentDeclined")
    await system.advance(minutes=max(RECENT_MINUTES) + 1)


async def test_a_cent_that_was_changed_by_hand_is_found_in_its_posting(local: Desk, system: System) -> None:
    booking_id = await paid(system, await system.studio(), "karl", 0)
    async with database(system, "payments") as payments:
        posting = await payments.fetchval(POSTING, booking_id)
    planted, hand = cent(f"'{booking_id}'"), Hand(system.env["POSTGRES_ADMIN_URL"])
    await hand(planted.service, planted.plant)
    try:
        await local.due("What does not agree").click()
        by_posting = local.page.get_by_role("link", name=str(posting), exact=True)
        await local.booking(booking_id).or_(by_posting).first.click()  # by what is found first: the escrow, the posting
        await expect(local.page.locator("tfoot")).to_contain_text("does not add up")
    finally:
        await hand(planted.service, planted.mend)
    await local.page.reload()
    await expect(local.page.locator("tfoot")).to_contain_text("adds up")


async def test_a_payout_that_is_parked_goes_to_another_account(local: Desk, system: System) -> None:
    provider_id = uuid7()
    of = {"payout_account": "acct_closed", "refund_policy": "strict"}
    await system.accepted(sample.register_provider(provider_id=provider_id, **of))
    booking_id = await paid(system, await system.offering(provider_id), "lena", 0)
    await cancelled(system, booking_id, "lena")
    async with database(system, "payments") as payments:
        for tries, wait in enumerate(RETRY_AFTER, 1):
            await failed(payments, booking_id, tries)
            await system.clock.advance(seconds=wait.total_seconds())
    await local.due("Payouts that are parked").click()
    row = local.page.get_by_role("row").filter(has=local.booking(booking_id))
    await expect(row).to_contain_text("parked: it waits for you")
    said = await local.do(row.get_by_role("link", name="Try again"), Connected_account="acct_open")
    assert "is tried again" in said
    await expect(row).to_be_hidden()
    payouts = local.page.get_by_role("table", name="Payouts")
    await local.open(f"/bookings/{booking_id}")
    await expect(payouts).to_contain_text("paid")


async def failed(payments: asyncpg.Connection[asyncpg.Record], booking_id: UUID, tries: int) -> None:
    """So often."""

    async def look() -> tuple[object, ...]:
        row = await payments.fetchrow("SELECT status, tries FROM payout WHERE booking_id = $1", booking_id)
        return tuple(row or ())

    await eventually("it has failed", look, lambda row: row == ("failed", tries))
