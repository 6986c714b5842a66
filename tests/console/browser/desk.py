"""Somebody on call at a browser: what they open, read, type and click, and what their browser complains of."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, async_playwright, expect

PATIENCE_SECONDS = 30
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
WHY = "as the runbook says"
MEANT = ("status of 409", "status of 422")
"""What a dialog is answered that cannot be done: the page says it, and Chromium's log, too."""
DESKTOP, PHONE = (1280, 900), (390, 844)


@dataclass
class Desk:
    """`address` is the console's, with its prefix. `complaints` is what the browser's own log has of its pages."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(words in message.text for words in MEANT):
            self.complaints.append(f"{self.page.url}: {message.text}")

    async def open(self, path: str) -> Page:
        """A page by its path."""
        await self.page.goto(self.address + path)
        return self.page

    async def sign_in(self, token: str) -> Page:
        """By the form, and so to Now."""
        await self.open("/")
        await self.page.get_by_label("Your token of the console").fill(token)
        await self.page.get_by_role("button", name="Log in").click()
        await expect(self.page.get_by_role("heading", name="Now", exact=True)).to_be_visible()
        return self.page

    async def do(self, button: Locator, *ticked: str, **typed: str) -> str:
        """Click what leads to an act, fill in what its dialog asks, and do it; the sentence that it ends with.

        `ticked` and `typed` are by label, the first with its words, the second with _ for blanks.
        """
        dialog = self.page.locator("#dialog")
        await button.click()
        for label in ticked:
            await dialog.get_by_label(label).check()
        for name, text in typed.items():
            await dialog.get_by_label(name.replace("_", " "), exact=True).fill(text)
        await dialog.get_by_label("Why").fill(WHY)
        await dialog.locator("button[type=submit]").click()
        said = await dialog.get_by_role("alert").inner_text()
        await dialog.get_by_role("link", name="Close").click()
        await expect(dialog).to_be_hidden()
        return said

    async def is_calm(self) -> None:
        """Now has nothing to say about anybody, and nothing for somebody to do."""
        await self.open("/")
        await expect(self.page.locator(".verdicts .tag.good")).to_have_count(7)
        await expect(self.page.get_by_role("region", name="What waits for somebody")).to_be_hidden()

    def verdict(self, name: str) -> Locator:
        """What Now says of one of the seven."""
        return self.page.get_by_role("listitem").filter(has=self.page.get_by_role("heading", name=name))

    def due(self, name: str) -> Locator:
        """A link of Now to what waits for somebody."""
        return self.page.get_by_role("region", name="What waits for somebody").get_by_role("link", name=name)

    def booking(self, booking_id: UUID) -> Locator:
        """Links to a booking's page."""
        return self.page.locator(f'a[href$="/bookings/{booking_id}"]')

    def tag(self, word: str) -> Locator:
        """A word with a colour."""
        return self.page.locator(".tag", has_text=word).first


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Debian's, without a window. Skips the test where there is none."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("there is no chromium here: deploy/local/with_chromium.sh installs it")
    expect.set_options(timeout=PATIENCE_SECONDS * 1000)
    async with async_playwright() as playwright:
        yield await playwright.chromium.launch(executable_path=program, args=ARGUMENTS)


@asynccontextmanager
async def desk(browser: Browser, address: str, size: tuple[int, int] = DESKTOP, **options: Any) -> AsyncIterator[Desk]:
    """A browser that knows nothing yet, in a window of that size."""
    viewport: Any = {"width": size[0], "height": size[1]}
    context = await browser.new_context(viewport=viewport, **options)
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    try:
        yield Desk(await context.new_page(), address)
    finally:
        await context.close()
