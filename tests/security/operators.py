"""Auditor and console of the secure stack, as people look after them."""

from __future__ import annotations

import re

import aiohttp
from booking_contracts.testkit.system import Studio, System

from tests.console.acting import do
from tests.console.conftest import Visitor, hidden

PAGES = {"booking": "/bookings", "payments": "/payments", "notifications": "/mails", "operations": "/jobs"}
"""By the database that each reads."""
AWAY = re.compile(r"the database of \w+ (?:does not answer|takes too long)", re.IGNORECASE)
LOOKED = r'booking_auditor_looked_timestamp_seconds\{look="(?:lingering|recent)"\} (\S+)'


async def unseen(desk: Visitor) -> dict[str, str]:
    """By page, what it says, where the console does not read a database, or does not keep what an operator saves."""
    found, form = {}, dict[str, str]()
    for path in PAGES.values():
        answer = await desk.get(path)
        text = await answer.text()
        form |= hidden(text)
        if answer.status != 200 or AWAY.search(text):
            found[path] = f"{answer.status} {text}"
    answer = await desk.post("/views", {**form, "name": "mine", "path": "/bookings"})
    return found if answer.status == 303 else {**found, "/views": f"{answer.status} {await answer.text()}"}


async def cancels(desk: Visitor, system: System, studio: Studio) -> None:
    """An act that goes by Kafka: published as the console's user, and answered."""
    placed = await system.book(studio)
    await system.booking_in(placed.booking_id, "CONFIRMED", 30.0)  # else the dialog asks once more
    assert "booking accepted it" in await do(desk, "booking-cancel", booking_id=placed.booking_id)


async def looked(http: aiohttp.ClientSession, auditor: str) -> float:
    """When the auditor had last looked at what lingers and at what was written, and could keep it; 0.0: it cannot."""
    async with http.get(f"{auditor}/metrics") as answer:
        text = await answer.text()
    if "booking_auditor_unkept 0.0" not in text:
        return 0.0
    return min(float(at) for at in re.findall(LOOKED, text))
