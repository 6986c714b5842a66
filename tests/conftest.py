"""A PostgreSQL of the test run's own, with every service's migrations applied."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from deploy.local import postgres
from deploy.local.stack import Stack


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
