"""A Kafka with our topics, for the few tests of contracts that need one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from services.operations import topics
from tests.conftest import Stacks


@pytest.fixture(scope="package")
def kafka(stacks: Stacks) -> Iterator[str]:
    """Its bootstrap servers."""
    with stacks("kafka", parts=("kafka",), fast=True) as stack:
        servers = stack.env["KAFKA_BOOTSTRAP_SERVERS"]
        asyncio.run(topics.apply({"bootstrap_servers": servers}))
        yield servers
