"""Hostile records against two replicas of each service: nothing ends, nobody waits, all is answered or set aside.

The short form is part of `make test-load`; `make hostile SEED=n` sends 20,000.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from deploy.local.stack import Stack
from services.operations.auditor.findings import Kind
from tests import audited
from tests.conftest import Stacks
from tests.hostile.checks import violations
from tests.hostile.report import report
from tests.hostile.settings import CHOSEN, LONG, PER_SECOND, RECORDS, SEED
from tests.hostile.siege import Siege

PLANTED = (Kind.STREAM_AHEAD, Kind.MESSAGES_STAND)
"""What the auditor rightly finds here: forged events of bookings that are not there, timers that nobody can read."""


@pytest.fixture
def stack(stacks: Stacks) -> Iterator[Stack]:
    """Two replicas of each service."""
    with stacks("hostile", replicas=2, fast=True) as stack:
        yield stack


@pytest.mark.requirement("poison", "bad-input", "one-reply", "outbox", "inbox", "ordering", "health")
@pytest.mark.timeout(7200 if LONG else 400)
async def test_nothing_that_a_client_sends_stops_the_system(stack: Stack) -> None:
    siege, began = Siege(stack, CHOSEN), time.monotonic()
    try:
        found = await siege.run(RECORDS, PER_SECOND)
    finally:
        print(f"\nSEED={SEED} RECORDS={RECORDS} KINDS={','.join(CHOSEN)}", *siege.notes, sep="\n")
    print(
        f"{len(found.sent)} hostile records; at rest {siege.rested_seconds:.0f} s after the last",
        report(found),
        sep="\n",
    )
    wrong = violations(found)
    wrong += [f"the auditor: {one.row()}" for one in await audited.violations(stack.env, without=PLANTED)]
    print(f"{time.monotonic() - began:.0f} s, {len(wrong)} violations")
    assert not wrong, f"SEED={SEED}: {len(wrong)} violations:\n" + "\n".join(_few_of_each(wrong))


def _few_of_each(wrong: list[str]) -> list[str]:
    """Twelve of every check, and how many it has."""
    by_check: dict[str, list[str]] = {}
    for one in wrong:
        by_check.setdefault(one.partition(":")[0], []).append(one)
    return [line for check, found in by_check.items() for line in (f"{check}, {len(found)}:", *found[:12])]
