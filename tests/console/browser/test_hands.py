"""Without a mouse, and while somebody reads (requirement console)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from booking_contracts.testkit.system import System
from playwright.async_api import Browser, Page, Request, expect

from tests.console.browser.desk import DESKTOP, Desk, desk
from tests.console.browser.scenes import Scene

pytestmark = pytest.mark.requirement("console")
MOST_TABS = 80


async def tab_to(page: Page, selector: str) -> None:
    """As somebody who has only the key."""
    for _ in range(MOST_TABS):
        await page.keyboard.press("Tab")
        if await page.evaluate("(one) => document.activeElement.matches(one)", selector):
            return
    pytest.fail(f"{selector} is not reached by {MOST_TABS} tabs")


async def test_keys_alone_sign_in_open_a_booking_and_ask_for_an_act(
    browser: Browser, system: System, scene: Scene
) -> None:
    async with desk(browser, system.env["CONSOLE_URL"]) as found:
        page, keys = await found.open("/"), found.page.keyboard
        await keys.type(system.env["CONSOLE_TOKEN"])
        await keys.press("Enter")
        await expect(page.get_by_role("heading", name="Now", exact=True)).to_be_visible()
        await keys.type("gb")
        await expect(page.get_by_role("heading", name="Bookings")).to_be_visible()
        await keys.type("/")
        await keys.type("anna")
        await keys.press("Enter")
        await expect(page.get_by_role("table", name="Bookings")).to_be_visible()
        await tab_to(page, f'[href$="/bookings/{scene.confirmed}"]')
        await keys.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_contain_text("CONFIRMED")
        await tab_to(page, '[href*="/acts/booking-cancel"]')
        await keys.press("Enter")
        await expect(page.locator("#dialog")).to_contain_text("you cancel it whatever its deadlines")
        await keys.press("Escape")
        await expect(page.locator("#dialog")).to_be_hidden()
        assert found.complaints == []


async def test_a_page_asks_again_by_itself_until_it_is_paused(local: Desk) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        if "hx-request" in request.headers:
            asked.append(request.url)

    local.page.on("request", note)
    await local.page.clock.install(time=datetime.now(UTC))
    await local.open("/bookings")
    async with local.page.expect_response("**/bookings"):
        await local.page.clock.run_for(5_000)
    pause = local.page.get_by_role("button", name="Pause")
    await local.page.keyboard.press("p")
    await expect(pause).to_have_attribute("aria-pressed", "true")
    asked.clear()
    await local.page.clock.run_for(60_000)
    assert asked == []
    await local.page.reload()
    await expect(pause).to_have_attribute("aria-pressed", "true")
    await local.page.clock.run_for(60_000)
    assert asked == []
    await pause.click()
    async with local.page.expect_response("**/bookings"):
        await local.page.clock.run_for(5_000)


@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_a_theme_is_kept(local: Desk, theme: str) -> None:
    button = local.page.locator("[data-switch=theme]")
    while await button.inner_text() != theme:
        await button.click()
    await local.open("/bookings")
    await expect(local.page.locator("html")).to_have_attribute("data-theme", theme)
    assert local.page.viewport_size == {"width": DESKTOP[0], "height": DESKTOP[1]}
