"""One stack with TLS and access lists, secrets in files; it is driven with the rights of admin tools, and no more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any, cast

import aiohttp
import pytest
from aiohttp.test_utils import TestClient
from booking_contracts.client import BookingClient
from booking_contracts.rights import rights_of_admin_tools, rights_of_operators, rights_of_team
from booking_contracts.testkit.system import System

from deploy.local.catalog import PARTS
from deploy.local.certificates import openssl_is_there
from deploy.local.kafka_users import give_passwords, give_rights
from deploy.local.stack import Stack
from tests.conftest import Stacks
from tests.console.conftest import Visitor
from tests.security.users import PASSWORD, Users


@pytest.fixture(scope="package")
def stack(stacks: Stacks) -> Iterator[Stack]:
    """Started once, stopped at the end."""
    if not openssl_is_there():
        pytest.skip("this machine has no openssl, which makes the stack's certificates")
    with stacks("security", secure=True, fast=True, contained=(), parts=PARTS) as stack:
        yield stack


@pytest.fixture(scope="package")
async def users(stack: Stack) -> Users:
    """Who is no service: a team, admin tools and operators, each with its rights."""
    rights = {
        "loyalty": rights_of_team("loyalty"),
        "backoffice": rights_of_admin_tools("backoffice"),
        "operators": rights_of_operators(),
    }
    servers = stack.env["KAFKA_BOOTSTRAP_SERVERS"]
    await give_passwords(servers, dict.fromkeys(rights, PASSWORD))
    await give_rights(servers, rights)
    return Users(stack)


@pytest.fixture(scope="package")
async def system(stack: Stack, users: Users) -> AsyncIterator[System]:
    """The running stack as admin tools see it: providers are registered by an admin."""
    async with (
        BookingClient(users.servers, source="/backoffice", security=users.security("backoffice")) as client,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http,
    ):
        yield System(stack.env, client, http)


Come = Callable[[], Awaitable[Visitor]]


@pytest.fixture
async def come(stack: Stack) -> AsyncIterator[Come]:
    """Opens a browser at the stack's console; nobody is logged in."""
    async with AsyncExitStack() as open_ones:

        async def opened() -> Visitor:
            cookies = aiohttp.CookieJar(unsafe=True)  # of an address, not a name
            browser = aiohttp.ClientSession(stack.env["CONSOLE_URL"], cookie_jar=cookies)
            return Visitor(cast("TestClient[Any, Any]", await open_ones.enter_async_context(browser)), "")

        yield opened


@pytest.fixture
async def desk(stack: Stack, come: Come) -> Visitor:
    """Somebody who may do everything at the console."""
    return await (await come()).log_in(stack.env["CONSOLE_TOKEN"])
