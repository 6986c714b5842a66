"""`make test` runs tests in several processes: whom a stack is started for is in one of them (tests/conftest.py)."""

from __future__ import annotations

from collections import defaultdict

import pytest

from deploy.local import ports
from tests.conftest import group
from tests.requirements_table import COLLECTED


def shared_stacks(item: pytest.Item) -> list[object]:
    """The fixtures that started a stack which outlives the test, each as the folder or file that it is written in.

    Each process has a PostgreSQL of its own for `databases`, which is started in a second.
    """
    if not isinstance(item, pytest.Function):
        return []
    last = {name: found[-1] for name, found in item._fixtureinfo.name2fixturedefs.items() if name != "databases"}
    starts = {name for name, fixture in last.items() if {"stacks", "checkout"} & set(fixture.argnames)} | (
        {"ordeal"} & last.keys()
    )
    return [(name, last[name].baseid) for name in starts if last[name].scope != "function"]


def test_a_stack_is_started_in_one_process(request: pytest.FixtureRequest) -> None:
    groups: defaultdict[object, set[str]] = defaultdict(set)
    for item in request.config.stash[COLLECTED]:
        for stack in shared_stacks(item):
            groups[stack].add(group(item.nodeid))
    assert {stack: found for stack, found in groups.items() if len(found) > 1} == {}


def test_processes_choose_from_ports_that_do_not_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = []
    for number in range(3):
        monkeypatch.setattr(ports, "SHARE", slice(number, None, 3))
        chosen.append(ports.free_ports(200))
    assert len(set().union(*chosen)) == 600
