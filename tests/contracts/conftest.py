"""A Kafka with our topics, for the few tests of contracts that need one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from deploy.local.stack import Stack
from services.operations import topics
from tests.conftest import Stacks


@pytest.fixture(scope="package")
def kafka_stack(stacks: Stacks) -> Iterator[Stack]:
    """A Kafka with our topics, a process that can be stopped for a moment."""
    with stacks("kafka", parts=("kafka",), fast=True, contained=()) as stack:
        asyncio.run(topics.apply({"bootstrap_servers": stack.env["KAFKA_BOOTSTRAP_SERVERS"]}))
        yield stack


@pytest.fixture(scope="package")
def kafka(kafka_stack: Stack) -> str:
    """Its bootstrap servers."""
    return kafka_stack.env["KAFKA_BOOTSTRAP_SERVERS"]
