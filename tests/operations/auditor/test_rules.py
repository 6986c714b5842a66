"""What the auditor's rules say, without a database (requirement auditor)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.booking.model.states import FUNDED, INITIAL, State, may_become
from services.operations.auditor.findings import Finding, Kind
from services.operations.auditor.histories import STEPS
from services.operations.auditor.lingering import lingers
from services.operations.auditor.looking import same
from services.operations.auditor.record import Record
from services.operations.auditor.streams import NEVER, ON_THE_WAY, differs
from services.payments.model.payment import LIVE, Status

pytestmark = pytest.mark.requirement("auditor")
NOW = datetime(2026, 5, 4, tzinfo=UTC)
LONG_AGO = NOW - ON_THE_WAY - timedelta(seconds=1)


@pytest.mark.parametrize("status", sorted(LIVE))
@pytest.mark.parametrize("state", State)
def test_money_lingers_where_it_should_be_taken_or_given_back(state: State, status: Status) -> None:
    found = lingers(state, status)
    if state in FUNDED:
        assert (found is not None and found[0]) == (status is Status.AUTHORIZED and Kind.NOT_CAPTURED)
    else:
        assert (found is not None and found[0]) == (state not in INITIAL and Kind.LIVE_AUTHORISATION)


def test_a_history_may_say_what_the_table_of_states_has_and_no_more() -> None:
    for before in State:
        for after in State:
            assert (f"{before}>{after}" in STEPS) == (before == after or may_become(before, after))
    assert {step for step in STEPS if step.startswith(">")} == {f">{state}" for state in INITIAL}


def test_notifications_may_be_behind_while_events_are_on_their_way() -> None:
    assert differs(4, 4, LONG_AGO, NOW) is None
    assert differs(4, 3, NOW, NOW) is None
    assert differs(4, 3, LONG_AGO, LONG_AGO) is None, "it has heard nothing since: it does not keep up, or stands"
    behind = differs(4, 3, LONG_AGO, NOW)
    assert behind == (Kind.STREAM_BEHIND, "booking has said event 4, and notifications has heard 3")
    nothing = differs(4, 0, LONG_AGO, NOW)
    assert nothing == (Kind.STREAM_BEHIND, "booking has said event 4, and notifications has heard none")
    ahead = differs(3, 4, NOW, NOW)
    assert ahead == (Kind.STREAM_AHEAD, "notifications has heard of event 4, and booking has said 3")
    assert differs(None, 4, NEVER, NOW) is not None, "there is no such booking"


ONE = Finding(Kind.SEATS, "a", "3 of 8", {"slot_id": "a"})
MOVED, OTHER = (
    Finding(Kind.SEATS, "a", "4 of 8", {"slot_id": "a"}),
    Finding(Kind.SEATS, "b", "3 of 8", {"slot_id": "b"}),
)


def test_what_moves_between_two_looks_does_not_count() -> None:
    assert same([ONE, OTHER], [ONE]) == [ONE]
    assert same([ONE], [MOVED]) == []
    assert same([], [ONE]) == []


async def test_a_violation_stays_until_a_later_look_finds_all_well() -> None:
    record = Record(None)
    record.saw([ONE, OTHER])
    record.saw([MOVED])
    assert {one.detail for one in record.of({Kind.SEATS})} == {"4 of 8", "3 of 8"}
    record.well([OTHER.key, (Kind.WALLET, "unknown")])
    assert record.of({Kind.SEATS}) == [MOVED]
    await record.keep()
    assert record.problem == "what is found cannot be kept: OPERATIONS_DATABASE_URL is not set"
