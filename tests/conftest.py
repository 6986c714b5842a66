"""A PostgreSQL of the test run's own, with every service's migrations applied."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from deploy.local import postgres
from deploy.local.stack import Stack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the database by what it asks for, so that `-m "not database"` is never out of date."""
    for item in items:
        if isinstance(item, pytest.Function) and "databases" in item.fixturenames:
            item.add_marker("database")


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The addresses of stack.env for a running PostgreSQL alone."""
    root = tmp_path_factory.mktemp("databases")
    stack = Stack(root, parts=("postgres",), fast=True)
    try:
        stack.up(progress=lambda _: None)
        subprocess.run(
            [sys.executable, "-m", "services.operations.migrate"], env={**os.environ, **stack.env}, check=True
        )
        yield stack.env
    finally:
        stack.down(progress=lambda _: None)
        postgres.remove(root)
