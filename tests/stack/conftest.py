"""One small stack for the tests in this directory: PostgreSQL, Kafka, mailbox and clock."""

from collections.abc import Iterator

import pytest

from deploy.local import postgres
from deploy.local.stack import Stack

PARTS = ("postgres", "kafka", "mailbox", "clock-offset")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running stack in a directory of its own."""
    root = tmp_path_factory.mktemp("stack")
    started = Stack(root, parts=PARTS)
    try:
        started.up()
        yield started
    finally:
        started.down()
        postgres.remove(root)
