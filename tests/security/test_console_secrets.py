"""Tokens and secrets of the running console are changed: it is the same process afterwards, and the old ones are worth
nothing."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator

import pytest

from deploy.cluster.installation import console_tokens
from deploy.local.stack import Stack
from tests.console.conftest import Visitor, hidden
from tests.security.conftest import Come
from tests.security.users import Users

pytestmark = pytest.mark.requirement("secrets", "console")
TOKENS, SESSIONS, PROXY = "CONSOLE_TOKENS", "CONSOLE_SESSION_SECRETS", "CONSOLE_PROXY_SECRET"


@pytest.fixture(autouse=True)
async def as_before(stack: Stack, users: Users) -> AsyncIterator[None]:
    """The same process, and the same secrets for who comes next."""
    process = stack.pid("console")
    kept = {name: users.secret("console", name).read_text() for name in (TOKENS, SESSIONS, PROXY)}
    yield
    for name, text in kept.items():
        users.rotate("console", name, text)
    assert stack.pid("console") == process


async def logs_in(browser: Visitor, token: str) -> bool:
    return (await browser.post("/login", {"token": token})).status == 303


async def is_in(browser: Visitor) -> bool:
    return (await browser.get("/jobs")).status == 200


async def test_tokens_with_two_that_are_good_meanwhile(stack: Stack, users: Users, come: Come) -> None:
    old, fresh = stack.env["CONSOLE_TOKEN"], secrets.token_hex(16)
    before, after = await come(), await come()
    assert await logs_in(before, old)
    assert not await logs_in(after, fresh)
    users.rotate("console", TOKENS, console_tokens(old, fresh))
    assert await logs_in(after, fresh)
    assert (await is_in(before), await is_in(after)) == (True, True)
    users.rotate("console", TOKENS, console_tokens(fresh))
    assert (await is_in(before), await is_in(after)) == (False, True)
    assert not await logs_in(before, old)
    users.rotate("console", TOKENS, "no JSON")
    assert await is_in(after), "the last good ones stay"


async def test_secrets_of_sessions(stack: Stack, users: Users, come: Come) -> None:
    """One that was signed with the older of two stays, and its forms do; with one that is taken away it is over."""
    (old,), fresh = json.loads(users.secret("console", SESSIONS).read_text()), secrets.token_hex(16)
    before, after = await come(), await come()
    await before.log_in(stack.env["CONSOLE_TOKEN"])
    form = await before.shown("/bookings")
    users.rotate("console", SESSIONS, json.dumps([fresh, old]))
    assert await is_in(before)
    assert await saves(before, form)
    await after.log_in(stack.env["CONSOLE_TOKEN"])
    users.rotate("console", SESSIONS, json.dumps([fresh]))
    assert (await is_in(before), await is_in(after)) == (False, True)
    assert not await saves(before, form)
    users.rotate("console", SESSIONS, json.dumps(["short"]))
    assert await is_in(after), "the last good ones stay"


async def test_the_secret_of_the_proxy(users: Users, come: Come) -> None:
    """One alone is good: between its change here and in the proxy nobody comes in by the proxy, and then all do."""
    browser = await come()

    async def status(secret: str) -> int:
        said = {"X-Forwarded-Email": "otto@example.com", "X-Forwarded-Groups": "viewer", "X-Console-Secret": secret}
        return (await browser.get("/jobs", headers=said)).status

    old, fresh = users.secret("console", PROXY).read_text(), secrets.token_hex(16)
    assert (await status(old), await status(fresh)) == (200, 401)
    users.rotate("console", PROXY, fresh)
    assert (await status(old), await status(fresh)) == (401, 200)


async def saves(browser: Visitor, page: str) -> bool:
    """Whether the form of a page that was loaded before is taken."""
    return (await browser.post("/views", {**hidden(page), "name": "mine", "path": "/bookings"})).status == 303
