"""One whole stack with auditor and console for the tests in a browser, and bookings that went through it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest
from aiohttp.test_utils import TestServer
from booking_contracts.testkit.system import System, connected
from playwright.async_api import Browser

from deploy.local.catalog import PARTS
from deploy.local.stack import Stack
from services.operations.console.app import application
from tests.conftest import Stacks
from tests.console.browser.desk import Desk, chromium, desk
from tests.console.browser.scenes import Scene, made
from tests.console.conftest import named, settings


@pytest.fixture(scope="package")
def watched_stack(stacks: Stacks) -> Iterator[Stack]:
    """As `make up` has it."""
    with stacks("browser", parts=PARTS, fast=True) as stack:
        yield stack


@pytest.fixture(scope="package")
async def system(watched_stack: Stack) -> AsyncIterator[System]:
    """The running stack as its users see it."""
    async with connected(watched_stack.env) as system:
        yield system


@pytest.fixture(scope="package")
async def scene(system: System) -> Scene:
    """Made once."""
    return await made(system)


@pytest.fixture(scope="package")
async def browser() -> AsyncIterator[Browser]:
    """One for all tests; each has a window of its own. Who asks for it is run by `make test-console` alone."""
    async with chromium() as found:
        yield found


@pytest.fixture
async def local(browser: Browser, system: System, scene: Scene) -> AsyncIterator[Desk]:
    """Who has the stack's token, signed in at its console; at the end their browser has complained of nothing."""
    async with desk(browser, system.env["CONSOLE_URL"]) as found:
        await found.sign_in(system.env["CONSOLE_TOKEN"])
        yield found
    assert found.complaints == []


Serve = Callable[..., Awaitable[str]]


@pytest.fixture
async def serve(system: System) -> AsyncIterator[Serve]:
    """`await serve(console_prefix="/console")`: the address of one more console on the same stack, set up like that."""
    async with AsyncExitStack() as open_ones:

        async def start(**given: object) -> str:
            of = settings(kafka_bootstrap_servers=system.env["KAFKA_BOOTSTRAP_SERVERS"], **given)
            server = await open_ones.enter_async_context(TestServer(application(of, named(system.env))))
            return str(server.make_url(of.console_prefix)).rstrip("/")

        yield start
