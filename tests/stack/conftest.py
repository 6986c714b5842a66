"""One small stack for the tests in this directory: PostgreSQL, Kafka, mailbox and clock."""

from collections.abc import Iterator

import pytest

from deploy.local.stack import Stack
from tests.conftest import Stacks

PARTS = ("postgres", "kafka", "mailbox", "clock-offset")


@pytest.fixture(scope="session")
def stack(stacks: Stacks) -> Iterator[Stack]:
    """A running stack in a directory of its own; as processes, because tests kill them and look at what is left."""
    with stacks("stack", parts=PARTS, contained=()) as stack:
        yield stack
