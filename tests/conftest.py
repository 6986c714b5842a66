"""Stacks that the tests start, the PostgreSQL that most of them share, and which tests run in one process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from deploy.local import ports, postgres
from deploy.local.layout import REPOSITORY
from deploy.local.stack import Stack
from tests import backend
from tests.requirements_table import COLLECTED

hypothesis.settings.register_profile("ours", deadline=None)  # how long an example takes, the machine's load says
hypothesis.settings.load_profile("ours")

PACKAGES = r"tests/packages/|tests/contracts/test_testkit_page\."
"""What `make test-packages` runs: everything is built and started as by somebody from outside."""
LOAD = r"tests/(faults/test_(system|system_outside|deploys)|hostile/test_hostile|money/test_random_sagas)\."
"""What `make test-load` runs: the whole system is killed, replaced, sent nonsense and charged, under load."""
Stacks = Callable[..., AbstractContextManager[Stack]]

LONGEST = r"tests/faults/test_system"
ON_ONE_STACK = (
    LONGEST,
    r"tests/faults/test_(engine|intake|positions|relay|set_back)\.",
    r"tests/flows/",
    r"tests/console/browser/",
    r"tests/stack/",
    r"tests/security/",
    r"tests/contracts/test_(codecs|ending|faststream)\.",
    r"tests/packages/",
    r"tests/cluster/",
)
"""Files that share a stack; of what is missing here, tests/architecture/test_groups.py tells."""


def group(nodeid: str) -> str:
    """Tests of one group run in one process, one after another: those on one stack, and those of a file."""
    return next((files for files in ON_ONE_STACK if re.match(files, nodeid)), nodeid.partition("::")[0])


class ByGroup(LoadScopeScheduling):  # type: ignore[misc]
    """Several processes (`-n`) share the groups: in order, the last one from the end. So what computes runs beside the
    stacks, which wait as often as they compute."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        if len(self.nodes) > 1 and node is self.nodes[-1]:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByGroup:
    """Instead of `--dist`; `loadgroup` of xdist 3.8 finds no groups under pytest 9.2."""
    return ByGroup(config, log)


def pytest_configure(config: pytest.Config) -> None:
    """Each of several processes has ports of its own to choose from. Who wants containers has an engine."""
    backend.prepare(os.environ)
    if worker := getattr(config, "workerinput", None):
        ports.SHARE = slice(int(worker["workerid"].removeprefix("gw")), None, worker["workercount"])


def rank(item: pytest.Item) -> int:
    """The longest on one stack, then other stacks, then what shares PostgreSQL, then what needs neither."""
    marks = {mark.name for mark in item.iter_markers()}
    if "stack" not in marks:
        return 3
    if "database" in marks:
        return 2
    return 0 if group(item.nodeid) == LONGEST else 1


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what starts processes or needs the database by what it asks for, so that no mark is ever out of date.

    What takes longest comes first, so that two processes end at about the same time.
    """
    config.stash[COLLECTED] = tuple(items)
    for item in items:
        if re.match(PACKAGES, item.nodeid):
            item.add_marker("packages")
        if re.match(LOAD, item.nodeid):
            item.add_marker("load")
        if isinstance(item, pytest.Function):
            if {"cluster", "possible"} & set(item.fixturenames):
                item.add_marker("cluster")
            if "browser" in item.fixturenames:
                item.add_marker("browser")
            if "databases" in item.fixturenames:
                item.add_marker("database")
            if {"stacks", "checkout", "ordeal", "clone"} & set(item.fixturenames):
                item.add_marker("stack")
    items.sort(key=rank)


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
    """Starts a Stack in a directory of its own, for a `with` statement: `stacks("flows", replicas=2)`.

    Its PostgreSQL and Kafka run where TEST_BACKEND says; `contained=()` wants them as processes.
    """
    parts = {"contained": backend.contained(os.environ)}
    return lambda name, **options: started(tmp_path_factory.mktemp(name), **{**parts, **options})


@pytest.fixture(scope="session")
def checkout() -> Path:
    """This repository, for tests that start its stack as somebody from outside does: by the command line."""
    return REPOSITORY


def run(stack: Stack, module: str) -> None:
    """A program of ours on the stack's PostgreSQL and Kafka."""
    subprocess.run([sys.executable, "-m", module], env={**os.environ, **stack.env}, check=True)


@pytest.fixture(scope="session")
def databases(stacks: Stacks) -> Iterator[dict[str, str]]:
    """The addresses of stack.env for a running PostgreSQL alone, with every service's migrations applied."""
    with stacks("databases", parts=("postgres",), fast=True) as stack:
        run(stack, "services.operations.migrate")
        yield stack.env
