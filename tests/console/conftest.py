"""The console itself, and somebody who comes to it with a browser's manners."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from services.chassis.clock import Clock
from services.chassis.database import Address
from services.operations.console.app import REAL, application
from services.operations.console.databases import Databases
from services.operations.console.settings import ConsoleSettings, ConsoleToken
from services.operations.databases import DATABASES

SECRET = "of the tests, and 32 characters long at least"
RIGHTS: dict[str, list[str]] = {
    "vera": ["viewer"],
    "otto": ["operator"],
    "mona": ["money"],
    "pia": ["operator", "pii"],
    "paul": ["money", "pii"],
    "nobody": [],
}
"""Whose token is their name."""


def sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def settings(**given: Any) -> ConsoleSettings:
    """As somebody sets it up who comes without HTTPS; Kafka is away."""
    tokens = [ConsoleToken(name=name, token_sha256=sha256(name), roles=roles) for name, roles in RIGHTS.items()]
    usual = {
        "kafka_bootstrap_servers": "127.0.0.1:1",
        "console_tokens": tokens,
        "console_session_secrets": [SECRET],
        "console_https": False,
    }
    return ConsoleSettings(**{**usual, **given})


def named(env: Mapping[str, str]) -> Databases:
    """Those of a running stack."""
    return Databases({name: Address(env[f"{name.upper()}_DATABASE_URL"]) for name in DATABASES})


class Visitor:
    """A browser: it keeps cookies, follows no redirect unseen, and sends forms as the page has them."""

    def __init__(self, client: TestClient[Any, Any], prefix: str) -> None:
        self.client, self.prefix = client, prefix

    async def get(self, path: str, **options: Any) -> ClientResponse:
        return await self.client.get(self.prefix + path, allow_redirects=False, **options)

    async def post(self, path: str, data: Mapping[str, str], **options: Any) -> ClientResponse:
        return await self.client.post(self.prefix + path, data=data, allow_redirects=False, **options)

    async def shown(self, path: str, status: int = 200, **options: Any) -> str:
        """A page's text."""
        answer = await self.get(path, **options)
        text = await answer.text()
        assert answer.status == status, text
        return text

    async def sent(self, page: str, path: str, status: int = 200, **fields: str) -> str:
        """The form of a page, sent to `path` with what is hidden in it; the text of the answer."""
        form = {**hidden(await self.shown(page)), **fields}
        answer = await self.post(path, form)
        text = await answer.text()
        assert answer.status == status, text
        return text

    async def log_in(self, token: str) -> Visitor:
        answer = await self.post("/login", {"token": token})
        assert answer.status == 303, await answer.text()
        return self


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page's forms."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    return {name: html.unescape(value) for name, value in found}


Visit = Callable[..., Awaitable[Visitor]]


@pytest.fixture
async def visit() -> AsyncIterator[Visit]:
    """`await visit("otto", databases=…, **settings)`: somebody with that token; None: not logged in."""
    async with AsyncExitStack() as open_ones:

        async def come(
            token: str | None = None, *, databases: Databases | None = None, clock: Clock = REAL, **given: Any
        ) -> Visitor:
            of = settings(**given)
            app = application(of, databases or Databases({}), clock)
            client: TestClient[Any, Any] = await open_ones.enter_async_context(TestClient(TestServer(app)))
            visitor = Visitor(client, of.console_prefix)
            return visitor if token is None else await visitor.log_in(token)

        yield come
