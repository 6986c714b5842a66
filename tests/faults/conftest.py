"""Stacks for the tests of faults, each stopped at the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.local import postgres
from deploy.local.layout import Layout
from deploy.local.stack import Stack
from tests.conftest import Stacks, run
from tests.faults.load import Load
from tests.faults.network import Network
from tests.faults.ordeal import Ordeal
from tests.faults.settings import LONG, SEED, rng


def pytest_report_header() -> str:
    return f"faults: SEED={SEED} FAULTS={'long' if LONG else 'short'}"


@pytest.fixture(scope="package")
def broker(stacks: Stacks) -> Iterator[Stack]:
    """Kafka with our topics and PostgreSQL with our tables; no services."""
    with stacks("broker", parts=("postgres", "kafka"), fast=True) as stack:
        run(stack, "services.operations.migrate")
        run(stack, "services.operations.topics")
        yield stack


@pytest.fixture(scope="package")
def ordeal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ordeal]:
    """Two replicas of each service behind links that can be spoilt; PostgreSQL durable, because it is to be killed."""
    root = tmp_path_factory.mktemp("ordeal")
    layout = Layout.load(root)
    network = Network(layout)
    environment: dict[str, dict[str, str]] = {"nobody": {}, **network.environment}
    stack = Stack(root, replicas=2, extra_env=environment, kafka_listeners=network.kafka_listeners)
    servers = f"127.0.0.1:{layout.ports['kafka']}"
    ordeal = Ordeal(stack, environment, Load(servers, rng("system")), network)
    with network.up(root / "proxy.log"):
        try:
            stack.up(progress=lambda _: None)
            yield ordeal
            print(f"\nSEED={SEED}", *ordeal.tables(), sep="\n")
        finally:
            stack.down(progress=lambda _: None)
            if ordeal.arena.disk is not None:
                ordeal.arena.disk.unmount()
            postgres.remove(root)
