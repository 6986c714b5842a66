"""One whole stack for the flow tests: real Kafka, PostgreSQL, Stripe's SDK, SMTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from booking_contracts.testkit.system import System, connected

from deploy.local.stack import Stack
from tests.conftest import Stacks


@pytest.fixture(scope="package")
def running_stack(stacks: Stacks) -> Iterator[Stack]:
    """Started once, stopped at the end, with two replicas of each service."""
    with stacks("flows", replicas=2) as stack:
        yield stack


@pytest.fixture(scope="package")
async def system(running_stack: Stack) -> AsyncIterator[System]:
    """The running stack as its users see it."""
    async with connected(running_stack.env) as system:
        yield system
