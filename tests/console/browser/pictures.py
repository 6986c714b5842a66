"""`python -m tests.console.browser.pictures`: the console's main pages into docs/console, of a stack of its own.

By Debian's chromium and pngquant; without them it says so and draws nothing.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from booking_contracts.booking import BookingConfirmed, PaymentFailed
from booking_contracts.testkit.system import CARD, System, connected
from playwright.async_api import Browser, expect

from deploy.local.catalog import PARTS
from deploy.local.stack import Stack
from tests.conftest import started
from tests.console.browser.desk import DESKTOP, PHONE, chromium, desk
from tests.console.browser.scenes import DECLINED, Scene, database, made
from tests.console.test_acts_on_letters import plant

PLACE = Path(__file__).parents[3] / "docs" / "console"
TOOLS = ("chromium", "pngquant")
COLOURS = "64"
MINUTES, SLOTS, SEATS = 60, 6, 60
OFTEN, SELDOM = (2, 3, 2, 4, 3, 5, 4), 9
"""Bookings a minute, in turn; every so manieth is declined."""
AS_IF_THEN = """
UPDATE gateway_call SET opened_at = (parameters::jsonb ->> 'asked_at')::timestamptz - $1::interval WHERE state = 'done'
"""


@dataclass(frozen=True)
class Picture:
    """`path` has the names of `Scene` in braces. `waits` is what has to stand on the page first; `opens` is clicked."""

    name: str
    says: str
    path: str
    waits: str = ""
    opens: str | None = None
    whole: bool = False
    theme: Literal["light", "dark"] = "light"
    size: tuple[int, int] = DESKTOP


CONFIRMED = "/bookings/{confirmed}"
TROUBLE = "no replica of"
PICTURES: Sequence[Picture] = (
    Picture("now", "Now: whose fault is it, what waits where, for whom, and the last hour.", "/", TROUBLE, whole=True),
    Picture("now-phone", "The same on a phone.", "/", TROUBLE, size=PHONE),
    Picture("booking", "A booking: what happened between the services, its states, its money.", CONFIRMED, whole=True),
    Picture("booking-dark", "The same in the dark.", CONFIRMED, theme="dark"),
    Picture("bookings", "Bookings by state, provider and time.", "/bookings"),
    Picture("week", "A provider's week.", "/week?provider={provider}&day={day}"),
    Picture("letters", "Dead letters, by what they have in common.", "/letters?service=booking&error=planted"),
    Picture("act", "Before something is done, what it will do; and why.", CONFIRMED, opens="Cancel as admin"),
    Picture("log", "Who did what, and who saw whose data.", "/log"),
)


def page() -> str:
    """docs/console/README.md: all of them."""
    lines = ["# How the console looks", "", "Drawn by `make console-pictures` (tests/console/browser/pictures.py).", ""]
    for one in PICTURES:
        lines += [f"## {one.says}", f"![{one.name}]({one.name}.png)", ""]
    return "\n".join(lines)


async def an_hour(system: System) -> None:
    """The services' clock goes on by one in which people book; what is noted by the machine's is as old as that."""
    studio = await system.studio(slots=SLOTS, capacity=SEATS, days_ahead=6)
    count = 0
    for minute in range(MINUTES):
        commands = []
        for _ in range(OFTEN[minute % len(OFTEN)]):
            count += 1
            card = CARD if count % SELDOM else DECLINED
            commands.append(system.place(studio, slot=count % SLOTS, card=card))
            await system.client.publish(commands[-1])
        for one in commands:
            await system.client.outcome(one.booking_id, BookingConfirmed, PaymentFailed)
        await system.advance(minutes=1)
    async with database(system, "payments") as payments:
        await payments.execute(AS_IF_THEN, await system.clock.offset())


async def troubled(system: System, stack: Stack) -> None:
    """A build that fails at one kind of timer, and no notifications."""
    async with database(system, "booking") as booking:
        await plant(booking, "booking", 12, "planted: this build cannot read its own timer")
    stack.stop_process("notifications-1", signal.SIGKILL)


async def draw(browser: Browser, system: System, scene: Scene, one: Picture, folder: Path) -> None:
    """One picture."""
    of = {"confirmed": scene.confirmed, "provider": scene.studio.provider_id, "day": f"{scene.studio.starts_at:%F}"}
    async with desk(browser, system.env["CONSOLE_URL"], one.size, color_scheme=one.theme) as found:
        await found.sign_in(system.env["CONSOLE_TOKEN"])
        await found.open(one.path.format_map(of))
        await expect(found.page.locator("main")).to_contain_text(one.waits)
        if one.opens:
            await found.page.get_by_role("link", name=one.opens).click()
            await expect(found.page.locator("#dialog")).to_be_visible()
        raw = folder / f"{one.name}.png"
        await found.page.screenshot(path=raw, full_page=one.whole)
        if one.name == "act":  # it is what the log shows then
            await found.page.keyboard.press("Escape")
            await found.do(found.page.get_by_role("link", name=one.opens))
    small = ["pngquant", "--force", "--nofs", "--speed", "1", COLOURS, "--output", str(PLACE / raw.name), str(raw)]
    await asyncio.to_thread(subprocess.run, small, check=True, timeout=60)


async def draw_all(stack: Stack, folder: Path) -> None:
    """One after another: what is done for one is seen on the next."""
    async with connected(stack.env) as system, chromium() as browser:
        await an_hour(system)
        scene = await made(system)
        await troubled(system, stack)
        for one in PICTURES:
            await draw(browser, system, scene, one, folder)


def main() -> int:
    """Draw all of them anew."""
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        print(f"SKIPPED: there is no {' and no '.join(missing)} here (apt-get install {' '.join(TOOLS)})")
        return 0
    PLACE.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder, started(Path(folder) / "stack", parts=PARTS, fast=True) as stack:
        asyncio.run(draw_all(stack, Path(folder)))
    for file in PLACE.glob("*.png"):
        if file.stem not in {one.name for one in PICTURES}:
            file.unlink()
    (PLACE / "README.md").write_text(page())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
