"""Without a mouse, and while somebody reads (requirement console)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from booking_contracts.testkit.system import System
from playwright.async_api import Browser, Page, Request, Route, expect

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


def asked_again(page: Page) -> list[str]:
    """What it asks for by itself from now on."""
    asked: list[str] = []

    def note(request: Request) -> None:
        if "hx-request" in request.headers:
            asked.append(request.url)

    page.on("request", note)
    return asked


async def test_a_page_asks_again_by_itself_until_it_is_paused(local: Desk) -> None:
    asked = asked_again(local.page)
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


async def press(page: Page) -> None:
    """A button is down on a link of Now, and not up yet."""
    await page.get_by_role("main").get_by_role("link", name="Dead letters of booking").hover()
    await page.mouse.down()


async def release(page: Page) -> None:
    """The link is followed."""
    await page.mouse.up()
    await expect(page.get_by_role("heading", name="Dead letters of booking")).to_be_visible()


async def test_a_page_does_not_ask_again_while_somebody_clicks(local: Desk) -> None:
    asked = asked_again(local.page)
    await local.page.clock.install(time=datetime.now(UTC))
    await local.open("/")
    await press(local.page)
    await local.page.clock.run_for(60_000)
    await release(local.page)
    assert asked == []


async def test_a_page_that_has_asked_is_not_drawn_anew_while_somebody_clicks(local: Desk) -> None:
    clicked = asyncio.Event()

    async def answer(route: Route) -> None:
        if "hx-request" in route.request.headers:
            await clicked.wait()
        await route.continue_()

    await local.page.route("**/*", answer)
    await local.page.clock.install(time=datetime.now(UTC))
    await local.open("/")
    async with local.page.expect_response(lambda answered: "hx-request" in answered.request.headers) as answered:
        await local.page.clock.run_for(5_000)
        await press(local.page)
        clicked.set()
    await (await answered.value).finished()
    await release(local.page)


@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_a_theme_is_kept(local: Desk, theme: str) -> None:
    button = local.page.locator("[data-switch=theme]")
    while await button.inner_text() != theme:
        await button.click()
    await local.open("/bookings")
    await expect(local.page.locator("html")).to_have_attribute("data-theme", theme)
    assert local.page.viewport_size == {"width": DESKTOP[0], "height": DESKTOP[1]}
