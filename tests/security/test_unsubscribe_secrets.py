"""Secrets that sign the links in reminders are changed while bookings are made and letters sent."""

from __future__ import annotations

import json
import secrets
from functools import partial

import pytest
from booking_contracts.testkit.system import System

from deploy.local.stack import Stack
from tests.security.meanwhile import bookings_meanwhile
from tests.security.users import Users

pytestmark = pytest.mark.requirement("secrets", "notify-people")
NAME = "UNSUBSCRIBE_SECRETS"
SOON_MINUTES = 1.5


async def reminded(system: System, customer: str) -> str:
    """The link in a reminder that is sent now."""
    studio = await system.studio(days_ahead=1)
    before_start = (studio.starts_at - await system.clock.now()).total_seconds() / 60
    soon = round(before_start - SOON_MINUTES / 2)
    studio = await system.offering(studio.provider_id, days_ahead=1, reminder_minutes=(soon,))
    await system.book(studio, customer)
    await system.mail(f"{customer}@example.com", "confirmed")
    await system.clock.advance(minutes=SOON_MINUTES)
    reminder = await system.mail(f"{customer}@example.com", "reminder")
    link: str = reminder["headers"]["List-Unsubscribe"].strip(" <>")
    return link


async def test_a_link_works_as_long_as_its_secret(system: System, stack: Stack, users: Users) -> None:
    async def status(link: str) -> int:
        async with system.http.post(link, data={"List-Unsubscribe": "One-Click"}) as answer:
            return answer.status

    kept, fresh = users.secret("notifications", NAME).read_text(), secrets.token_hex(16)
    put = partial(users.rotate, "notifications", NAME)
    async with bookings_meanwhile(system, stack):
        before = await reminded(system, "ulla")
        put(json.dumps([fresh, *json.loads(kept)]))
        after = await reminded(system, "vera")
        assert (await status(before), await status(after)) == (200, 200)
        put(json.dumps([fresh]))
        assert (await status(before), await status(after)) == (404, 200)
        put(json.dumps(["short"]))
        assert await status(after) == 200, "the last good ones stay"
    put(kept)
    assert (await status(before), await status(after)) == (200, 404)
