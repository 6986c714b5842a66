"""A Kafka with our topics, for the few tests of contracts that need one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from deploy.local.stack import Stack
from services.operations import topics


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its bootstrap servers."""
    stack = Stack(tmp_path_factory.mktemp("kafka"), parts=("kafka",), fast=True)
    try:
        stack.up(progress=lambda _: None)
        servers = stack.env["KAFKA_BOOTSTRAP_SERVERS"]
        asyncio.run(topics.apply(servers))
        yield servers
    finally:
        stack.down(progress=lambda _: None)
