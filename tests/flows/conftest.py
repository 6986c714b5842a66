"""One whole stack for the flow tests: real Kafka, PostgreSQL, Stripe's SDK, SMTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.local import postgres
from deploy.local.stack import Stack
from deploy.local.system import System, connected


@pytest.fixture(scope="session")
def running_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Started once, stopped at the end, with two replicas of each service."""
    root = tmp_path_factory.mktemp("flows")
    stack = Stack(root, replicas=2)
    try:
        stack.up(progress=lambda _: None)
        yield stack
    finally:
        stack.down(progress=lambda _: None)
        postgres.remove(root)


@pytest.fixture(scope="session")
async def system(running_stack: Stack) -> AsyncIterator[System]:
    """The running stack as its users see it."""
    async with connected(running_stack.env) as system:
        yield system
