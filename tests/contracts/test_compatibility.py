"""The gate refuses every incompatible change and lets compatible ones pass (contract.md, Evolution)."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path

import pytest
from booking_contracts.schema import compatibility
from booking_contracts.schema.compatibility import incompatibilities

from tests.contracts.planted_changes import (
    BREAKS_READERS,
    BREAKS_SENDERS,
    CANCELLED,
    FINE,
    OLD,
    PLACE,
    REJECTED,
    Change,
    prop,
)


def problems(name: str, change: Change) -> list[tuple[str, str]]:
    """(JSON path, problem) of every refusal after one message was changed."""
    new = deepcopy(OLD)
    change(new[name])
    found = incompatibilities(OLD, new)
    assert {problem.message for problem in found} <= {name}
    assert all(".v2" in problem.what_to_do for problem in found)
    return [(problem.path, problem.problem) for problem in found]


@pytest.mark.requirement("contracts")
@pytest.mark.parametrize("case", BREAKS_SENDERS)
def test_a_change_that_refuses_what_clients_send_is_refused(case: str) -> None:
    name, change, path, problem = BREAKS_SENDERS[case]
    found = problems(name, change)
    assert path in [where for where, _ in found]
    assert any(problem in what for where, what in found if where == path), found


@pytest.mark.requirement("contracts")
@pytest.mark.parametrize("case", BREAKS_READERS)
def test_a_change_that_consumers_cannot_read_is_refused(case: str) -> None:
    name, change, path, problem = BREAKS_READERS[case]
    found = problems(name, change)
    assert any(problem in what for where, what in found if where == path), found


@pytest.mark.requirement("contracts")
@pytest.mark.parametrize("case", FINE)
def test_a_compatible_change_passes(case: str) -> None:
    assert problems(*FINE[case]) == []


@pytest.mark.requirement("contracts")
@pytest.mark.parametrize("name", [PLACE, CANCELLED, REJECTED])
def test_a_message_is_removed_only_on_purpose(name: str) -> None:
    new = {other: schema for other, schema in OLD.items() if other != name}

    (found,) = incompatibilities(OLD, new)

    assert (found.message, found.path) == (name, "$")
    assert "removed" in found.problem
    assert f"--retire {name}" in found.what_to_do
    assert incompatibilities(OLD, new, retired=[name]) == []


@pytest.mark.requirement("contracts")
def test_a_new_message_passes_and_nothing_changed_passes() -> None:
    assert incompatibilities(OLD, OLD) == []
    assert incompatibilities(OLD, {**OLD, "booking.PlaceBooking.v2": OLD[PLACE]}) == []
    assert incompatibilities({}, OLD) == []


@pytest.mark.requirement("contracts")
def test_the_command_names_message_path_and_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, schema in OLD.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(schema))
    new = deepcopy(OLD)
    prop(new[PLACE], "seats")["maximum"] = 10

    failed = compatibility.main(["--against", str(tmp_path)], new)

    assert failed == 1
    told = capsys.readouterr().err
    assert f"{PLACE}  $.seats: maximum" in told
    assert "add booking.PlaceBooking.v2 beside it" in told
    assert compatibility.main(["--against", str(tmp_path)], OLD) == 0


@pytest.mark.requirement("contracts")
def test_the_messages_are_compatible_with_what_was_published() -> None:
    """The gate itself: `make test` in CI refuses an incompatible change."""
    assert compatibility.main([]) == 0
