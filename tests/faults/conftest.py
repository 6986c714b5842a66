"""Stacks for the tests of faults, each stopped at the end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from deploy.local import postgres
from deploy.local.stack import Stack
from tests.faults.settings import LONG, SEED


def pytest_report_header() -> str:
    return f"faults: SEED={SEED} FAULTS={'long' if LONG else 'short'}"


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Kafka with our topics and PostgreSQL with our tables; no services."""
    root = tmp_path_factory.mktemp("broker")
    stack = Stack(root, parts=("postgres", "kafka"), fast=True)
    try:
        stack.up(progress=lambda _: None)
        for module in ("services.operations.migrate", "services.operations.topics"):
            subprocess.run([sys.executable, "-m", module], env={**os.environ, **stack.env}, check=True)
        yield stack
    finally:
        stack.down(progress=lambda _: None)
        postgres.remove(root)
