"""The ten commonest errands of a person on call, each as they do it (requirement console)."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from booking_contracts.booking import BookingConfirmed
from booking_contracts.testkit.system import System
from booking_contracts.testkit.waiting import eventually
from playwright.async_api import expect

from deploy.local.stack import Stack
from tests.console.browser.desk import WHY, Desk
from tests.console.browser.scenes import Scene, cancelled, database, paid
from tests.console.test_acts_on_letters import plant
from tests.flows.test_webhooks import heard, subscribe
from tests.notifications.receivers import Receiver, receiving

pytestmark = pytest.mark.requirement("console")
BREAK = """
CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'planted'; END $$;
CREATE TRIGGER broken BEFORE INSERT ON booking FOR EACH ROW WHEN (NEW.customer_id = 'poison')
EXECUTE FUNCTION broken()
"""
SEATS = """
UPDATE slot SET taken = taken + $2, active = taken + $2 > 0
WHERE slot_id = (SELECT slot_id FROM booking WHERE booking_id = $1)
"""
STUCK = """
UPDATE saga SET status = 'stuck', problem = 'no answer came' WHERE booking_id = $1 AND status = 'done' RETURNING 1
"""
MEND = "DROP TRIGGER broken ON booking; DROP FUNCTION broken()"


@asynccontextmanager
async def broken(system: System) -> AsyncIterator[None]:
    """Inside of the block no booking of `poison` can be stored."""
    async with database(system, "booking", owner=True) as owner:
        await owner.execute(BREAK)
        try:
            yield
        finally:
            await owner.execute(MEND)


async def test_1_all_is_well(local: Desk) -> None:
    await local.is_calm()
    await expect(local.page.get_by_text("None: ")).to_contain_text("What does not agree")


async def test_2_a_customer_asks_about_their_booking(local: Desk, scene: Scene) -> None:
    await local.page.get_by_role("searchbox").fill("anna")
    await local.page.keyboard.press("Enter")
    await local.booking(scene.confirmed).first.click()
    await expect(local.page.get_by_role("heading", level=1)).to_contain_text("CONFIRMED")
    await expect(local.page.locator("svg.lanes")).to_contain_text("PlaceBooking")
    await expect(local.page.locator("tfoot")).to_contain_text("adds up")
    await expect(local.page.locator("main")).not_to_contain_text("anna@example.com")


async def test_3_payments_is_dead(local: Desk, watched_stack: Stack) -> None:
    us = local.verdict("Us")
    watched_stack.stop_process("payments-1", signal.SIGKILL)
    await expect(us).to_contain_text("no replica of payments")
    await asyncio.to_thread(watched_stack.start_process, "payments-1")
    await local.is_calm()


async def test_4_a_poison_message_is_redriven_once_its_cause_is_gone(local: Desk, system: System) -> None:
    async with broken(system):
        command = system.place(await system.studio(), "poison")
        await system.client.publish(command)
        await local.page.get_by_role("link", name=re.compile("^booking has dead letters")).click()
        await expect(local.page.get_by_text("RaiseError")).to_be_visible()
    said = await local.do(local.page.get_by_role("link", name="Redrive"))
    assert "redriven" in said
    await system.client.outcome(command.booking_id, BookingConfirmed)
    await local.open("/letters?service=booking")
    await expect(local.page.get_by_text("Nothing waits for you")).to_be_visible()
    await local.open("/log")
    mine = local.page.get_by_role("row").filter(has_text="letter-redrive")
    await expect(mine).to_contain_text(["local"])
    await expect(mine).to_contain_text([WHY])
    await local.is_calm()


async def test_5_a_flood_of_letters_is_discarded_as_a_job(local: Desk, system: System) -> None:
    async with database(system, "booking") as booking:
        await plant(booking, "booking", 120, "a flood")
    await local.open("/letters?service=booking&error=flood")
    all_of_them = local.page.get_by_role("link", name="Discard all of this list")
    await all_of_them.click()
    await expect(local.page.locator("#dialog")).to_contain_text("A job takes the 120 letters")
    await local.page.keyboard.press("Escape")
    await local.do(all_of_them, "Drop timers")
    await expect(local.page.get_by_text("Nothing waits for you")).to_be_visible()
    await local.open("/jobs")
    await local.page.get_by_role("table").get_by_role("link").first.click()
    await expect(local.page.get_by_text("120 of 120")).to_be_visible()
    await expect(local.tag("ended")).to_be_visible()


async def test_6_a_stuck_saga_is_asked_again(local: Desk, system: System) -> None:
    booking_id = await paid(system, await system.studio(), "emil", 0)
    async with database(system, "booking") as booking:

        async def stuck() -> bool:  # once booking has heard of the capture
            return await booking.fetchval(STUCK, booking_id) is not None

        await eventually("it is stuck", stuck)
    await local.page.get_by_role("link", name="Sagas that are stuck").click()
    await local.booking(booking_id).click()
    await expect(local.page.get_by_text("no answer came")).to_be_visible()
    await local.do(local.page.get_by_role("link", name="Ask again"))
    saga = local.page.get_by_role("region", name="Saga", exact=True)
    await expect(saga).to_contain_text("done")
    await local.is_calm()


async def test_7_a_refund_that_no_card_takes_is_paid_outside(local: Desk, system: System) -> None:
    studio = await system.studio()
    booking_id = await paid(system, studio, "frida", 0, card="pm_card_refundFail")
    await cancelled(system, booking_id, "frida")
    await local.open("/money")
    row = local.page.get_by_role("row").filter(has=local.booking(booking_id))
    outside = row.get_by_role("link", name="Paid outside")
    await expect(outside).to_be_visible()

    async def said() -> str:  # refused while a webhook makes payments look at it once more
        return await local.do(outside, Reference="transfer 4711")

    await eventually("it is ended", said, lambda words: "has ended" in words)
    await expect(row).to_be_hidden()
    await local.open(f"/bookings/{booking_id}")
    await expect(local.page.locator(".ledger")).to_contain_text("transfer 4711, by local")


async def test_8_a_subscriber_that_was_away_gets_what_it_missed(local: Desk, system: System) -> None:
    studio = await system.studio()
    async with receiving(Receiver(status=410)) as receiver:
        types = ["booking.BookingConfirmed.v1"]
        await subscribe(system, url=receiver.url, event_types=types, provider_id=str(studio.provider_id))
        booking_id = await paid(system, studio, "gustav", 0)
        await heard(receiver, booking_id, *types)
        await local.due("Subscribers that are dead").click()
        await expect(local.page.get_by_role("heading", level=1)).to_contain_text(receiver.url)
        await expect(local.tag("failed")).to_be_visible()
        receiver.status = 200
        await local.do(local.page.get_by_role("link", name="Switch it on"))
        await local.do(local.page.get_by_role("link", name="Send many again"), "Failed ones alone")
        await expect(local.page.locator("td .tag", has_text="succeeded")).to_be_visible()
    assert len({got.id for got in receiver.got}) == 1
    await local.is_calm()


async def test_9_the_studio_is_flooded_and_the_customer_gets_the_money_back(
    local: Desk,
    system: System,
) -> None:
    booking_id = await paid(system, await system.studio(), "helga", 0)
    await local.open(f"/bookings/{booking_id}")
    cancel = local.page.get_by_role("link", name="Cancel as admin")
    said = await local.do(cancel, What_its_people_are_told="the studio is flooded")
    assert "booking accepted it: CANCELLED_BY_ADMIN" in said
    await expect(local.page.get_by_role("heading", level=1)).to_contain_text("CANCELLED_BY_ADMIN")
    refunds = local.page.get_by_role("table", name="Refunds")
    await expect(refunds).to_contain_text("45.00 EUR")
    await expect(refunds).to_contain_text("succeeded")
    assert "flooded" in str((await system.mail("helga@example.com", "cancelled"))["text"])


async def test_10_a_seat_that_was_changed_by_hand_is_found(local: Desk, system: System, scene: Scene) -> None:
    async with database(system, "booking") as booking:
        await booking.execute(SEATS, scene.declined, 1)
        await local.due("What does not agree").click()
        await expect(local.page.get_by_text("1 of 1 seats are taken, by bookings 0")).to_be_visible()
        await local.page.get_by_text("slot_id").locator("xpath=following-sibling::a").first.click()
        await expect(local.booking(scene.declined)).to_be_visible()
        await booking.execute(SEATS, scene.declined, -1)
    await local.is_calm()
