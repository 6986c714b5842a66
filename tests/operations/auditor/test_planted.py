"""Each kind of violation is planted by hand, found, mended, and gone (requirement auditor)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.operations.auditor.all_checks import BY_KIND, LINGERING, WALKS
from services.operations.auditor.databases import Databases
from services.operations.auditor.findings import Finding, Kind
from services.operations.auditor.looking import everything
from tests.operations.auditor.conftest import Hand
from tests.operations.auditor.plants import PLANTS, Plant, booking

pytestmark = [pytest.mark.requirement("auditor"), pytest.mark.usefixtures("without_a_pause")]


async def look(read: Databases) -> list[Finding]:
    return await everything(read, datetime.now(UTC), WALKS, LINGERING)


@pytest.mark.parametrize("planted", PLANTS, ids=lambda planted: planted.kind)
async def test_what_is_planted_is_found_and_gone_when_it_is_mended(hand: Hand, read: Databases, planted: Plant) -> None:
    assert await look(read) == []
    await hand(planted.service, planted.plant)
    try:
        found = [one for one in await look(read) if one.kind is planted.kind]
    finally:
        await hand(planted.service, planted.mend)
    (one,) = found
    assert planted.subject in ("", one.subject)
    assert one.ids, "the log line names the rows"
    assert await look(read) == []


@pytest.mark.parametrize("state", ["PENDING_APPROVAL", "PENDING_PAYMENT", "PENDING_CONFIRMATION"])
async def test_whatever_is_pending_after_its_deadline_is_found(hand: Hand, read: Databases, state: str) -> None:
    of = f"WHERE booking_id = {booking(1)}"
    await hand("booking", f"UPDATE booking SET state = '{state}', deadline = now() - interval '1 minute' {of}")
    try:
        kinds = [one.kind for one in await look(read)]
    finally:
        await hand("booking", f"UPDATE booking SET state = 'CONFIRMED', deadline = NULL {of}")
    assert kinds.count(Kind.PENDING_OVERDUE) == 1


def test_every_kind_is_planted_and_has_a_check() -> None:
    assert sorted(planted.kind for planted in PLANTS) == sorted(Kind)
    assert BY_KIND.keys() == {*Kind}
