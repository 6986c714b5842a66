"""What holds for every page, as a browser sees it (requirement console)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from booking_contracts.testkit.system import System
from playwright.async_api import Browser, Page

from tests.console.browser.conftest import Serve
from tests.console.browser.desk import PHONE, Desk, desk
from tests.console.browser.scenes import Scene
from tests.console.browser.walk import NO_PAGE, address, every_page, pages, planted

pytestmark = pytest.mark.requirement("console")
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
VIOLATIONS = """
async () => (await axe.run()).violations.flatMap(
  (one) => one.nodes.map((node) => `${one.id}: ${node.html.slice(0, 200)} ${node.failureSummary}`))
"""
WIDEST = """
() => [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > innerWidth + 1 &&
  !one.closest(".wide, pre, .skip")).map((one) => one.outerHTML.slice(0, 150))
"""
ADDRESSES = """
() => ["href", "src", "action", "hx-get", "hx-post"].flatMap((name) =>
  [...document.querySelectorAll(`[${name}]`)].map((one) => one.getAttribute(name)))
"""


@pytest.fixture(scope="module")
async def paths(system: System, scene: Scene) -> AsyncIterator[Sequence[str]]:
    """Of every page, with something on it."""
    async with planted(system, scene) as names:
        yield every_page(scene, names)


@pytest.fixture
async def still(browser: Browser, system: System) -> AsyncIterator[Desk]:
    """Signed in, and refreshing is paused: nothing changes while one looks."""
    async with desk(browser, system.env["CONSOLE_URL"], bypass_csp=True) as found:
        await paused(found, system.env["CONSOLE_TOKEN"])
        yield found


async def paused(found: Desk, token: str) -> None:
    await found.sign_in(token)
    await found.page.context.add_cookies([{"name": "paused", "value": "1", "url": found.address}])


def test_a_page_that_nobody_can_walk_to_is_noticed() -> None:
    of_ids = next(route for route in pages() if "{letter_id}" in route.path)
    assert address(of_ids, {"service": "booking", "letter_id": "7"}) == "/letters/booking/7"
    with pytest.raises(AssertionError, match=r"does not come to /letters/.*letter_id"):
        address(of_ids, {"service": "booking"})


async def test_every_page_is_there_and_has_something_on_it(local: Desk, paths: Sequence[str]) -> None:
    """So what the others look at is no page that says what is missing. Of a job that has ended, its dialog says so."""
    found = {path: (await local.page.request.get(local.address + path)).status for path in paths}
    assert {path: status for path, status in found.items() if status != 200} == {
        next(path for path in paths if path.startswith("/acts/job-stop")): 409,
        NO_PAGE: 404,
    }


async def violations(page: Page) -> list[str]:
    found: list[str] = await page.evaluate(VIOLATIONS)
    return found


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not here: `make test-console` installs it where Node is")
async def test_axe_finds_nothing_in_dark_and_light(still: Desk, paths: Sequence[str]) -> None:
    await still.page.context.add_init_script(path=AXE)
    found = []
    for path in paths:
        page = await still.open(path)
        for theme in ("dark", "light"):
            await page.emulate_media(color_scheme=theme)
            found += [f"{path}, {theme}: {wrong}" for wrong in await violations(page)]
    assert "\n".join(found) == ""


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not here: `make test-console` installs it where Node is")
async def test_axe_finds_what_is_planted(still: Desk) -> None:
    await still.page.context.add_init_script(path=AXE)
    page = await still.open("/")
    await page.evaluate(
        "document.querySelector('h1').innerHTML = '<img src=\"/none\"><span style=\"color:#bbb\">faint</span>'"
    )
    assert {words.partition(":")[0] for words in await violations(page)} >= {"image-alt", "color-contrast"}


async def test_no_page_is_wider_than_a_phone(browser: Browser, system: System, paths: Sequence[str]) -> None:
    found: dict[str, Any] = {}
    async with desk(browser, system.env["CONSOLE_URL"], PHONE, has_touch=True) as phone:
        await paused(phone, system.env["CONSOLE_TOKEN"])
        for path in paths:
            page = await phone.open(path)
            if await page.evaluate("document.documentElement.scrollWidth") > PHONE[0]:
                found[path] = await page.evaluate(WIDEST)
        await phone.open(paths[0])
        await phone.page.evaluate("document.querySelector('h1').textContent = 'W'.repeat(200)")
        assert await phone.page.evaluate("document.documentElement.scrollWidth") > PHONE[0], "it is noticed"
    assert found == {}


async def test_no_browser_complains(browser: Browser, system: System, paths: Sequence[str]) -> None:
    """Of a script, a style or an address that the Content-Security-Policy stops, or that is not there."""
    async with desk(browser, system.env["CONSOLE_URL"]) as found:
        await found.sign_in(system.env["CONSOLE_TOKEN"])
        for path in paths:
            if path != NO_PAGE:
                await found.open(path)
        assert found.complaints == []
        await found.page.evaluate("document.body.append(Object.assign(document.createElement('img'), {src: 'data:,'}))")
        await found.page.evaluate("document.body.setAttribute('onclick', 'go()')")
        await found.open(NO_PAGE)
    assert any("Content Security Policy" in words for words in found.complaints), "it is noticed"


async def test_behind_a_prefix_every_link_stays_there_and_leads_somewhere(
    browser: Browser, serve: Serve, paths: Sequence[str]
) -> None:
    async with desk(browser, await serve(console_prefix="/ops/console")) as found:
        await found.sign_in("tina")
        seen: set[str] = set()
        for path in paths:
            page = await found.open(path)
            seen |= {urljoin(page.url, one) for one in await page.evaluate(ADDRESSES)}
        assert {one for one in seen if not one.startswith(f"{found.address}/")} == set()
        broken = {}
        for one in sorted(seen):
            if not one.endswith(("/logout", "/delete")) and ("/acts/" not in one or "?" in one):
                answer = await found.page.request.get(one, max_redirects=2)
                if answer.status not in (200, 404, 409):
                    broken[one] = answer.status
    assert broken == {}


async def test_a_read_only_console_draws_no_act(browser: Browser, serve: Serve, paths: Sequence[str]) -> None:
    async with desk(browser, await serve(console_read_only=True)) as found:
        await found.sign_in("tina")
        for path in paths:
            if not path.startswith("/acts/"):
                page = await found.open(path)
                assert await page.locator("[href*='/acts/']").count() == 0, path
                await page.get_by_text("Read-only").first.wait_for()
