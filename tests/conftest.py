"""Stacks that the tests start, and the PostgreSQL that most of them share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from deploy.local import postgres
from deploy.local.stack import Stack
from tests.requirements_table import COLLECTED

Stacks = Callable[..., AbstractContextManager[Stack]]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what starts processes or needs the database by what it asks for, so that no mark is ever out of date."""
    config.stash[COLLECTED] = tuple(items)
    for item in items:
        if isinstance(item, pytest.Function):
            if "databases" in item.fixturenames:
                item.add_marker("database")
            if {"stacks", "ordeal"} & set(item.fixturenames):
                item.add_marker("stack")


@contextmanager
def started(root: Path, **options: Any) -> Iterator[Stack]:
    """A Stack in its directory, stopped and removed at the end."""
    stack = Stack(root, **options)
    try:
        stack.up(progress=lambda _: None)
        yield stack
    finally:
        stack.down(progress=lambda _: None)
        postgres.remove(root)


@pytest.fixture(scope="session")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Stacks:
    """Starts a Stack in a directory of its own, for a `with` statement: `stacks("flows", replicas=2)`."""
    return lambda name, **options: started(tmp_path_factory.mktemp(name), **options)


def run(stack: Stack, module: str) -> None:
    """A program of ours on the stack's PostgreSQL and Kafka."""
    subprocess.run([sys.executable, "-m", module], env={**os.environ, **stack.env}, check=True)


@pytest.fixture(scope="session")
def databases(stacks: Stacks) -> Iterator[dict[str, str]]:
    """The addresses of stack.env for a running PostgreSQL alone, with every service's migrations applied."""
    with stacks("databases", parts=("postgres",), fast=True) as stack:
        run(stack, "services.operations.migrate")
        yield stack.env
