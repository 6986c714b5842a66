"""The checker is checked: each thing that must not happen is planted once, and found by its check alone."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest

from tests.faults.facts import Record
from tests.faults.test_checks import sound as sound_facts
from tests.hostile.checks import violations
from tests.hostile.facts import Aftermath, Memory, SetAside
from tests.hostile.ordinary import Asked
from tests.hostile.planting import Planted
from tests.hostile.records import Due, Hostile, Sent
from tests.hostile.report import report

TOPIC = "booking.commands"


def sent(name: str, due: Due, offset: int, **changes: object) -> Sent:
    record = Hostile(name, TOPIC, name.encode(), (), b"{}", due, name if due is not Due.LETTER else None)
    return Sent(replace(record, **changes), 0, offset)  # type: ignore[arg-type]


def reply(command: str, name: str = "CommandRejected") -> Record:
    return Record("booking.replies", "k", f"reply-{command}", f"booking.{name}.v1", body={"command_id": command})


def letter(offset: int, kind: str = "refused", key: str = "k") -> SetAside:
    return SetAside("booking", (TOPIC, 0, offset), kind, key, "error")


def sound() -> Aftermath:
    """One record of each thing due, treated as it should be."""
    facts = sound_facts()
    facts.letters, facts.published, facts.planted = [], set(), set()
    facts.records += [reply("asked"), reply("stolen"), reply("either-1")]
    return Aftermath(
        facts=facts,
        sent=[
            sent("asked", Due.REPLY, 0),
            sent("asked", Due.REPLY, 1),  # the same id again
            sent("stolen", Due.REPLY, 2, may_be_accepted=False),
            sent("nameless", Due.LETTER, 3),
            sent("either-1", Due.SOMETHING, 4),
            sent("either-2", Due.SOMETHING, 5, also=("either-3",)),
            sent("aborted", Due.NOTHING, 6),
            sent("peer", Due.ANYTHING, 7),
        ],
        letters=[letter(3), letter(5), letter(7, "failed", "peer"), letter(-1, "failed", "planted")],
        planted=[
            Planted("booking", "bad id", "planted", uuid4()),
            Planted("booking", "unknown type", "waiting", uuid4(), waits=True),
        ],
        waiting_rows={"waiting"},
        memory={"booking-1": Memory(100, 120, 130)},
        asked=[*(Asked("PlaceBooking", 0.02, began=at) for at in range(9)), Asked("PlaceBooking", 9.0, began=105)],
    )


def answer(found: Aftermath, command: str, name: str = "CommandRejected") -> None:
    found.facts.records.append(reply(command, name))


def answer_both(found: Aftermath) -> None:
    answer(found, "either-2")
    answer(found, "either-3")


def forget(found: Aftermath, command: str) -> None:
    found.facts.records = [one for one in found.facts.records if one.body.get("command_id") != command]


def second(found: Aftermath) -> None:
    found.facts.records.append(replace(reply("asked"), id="another"))


def unasked(found: Aftermath, **changes: object) -> None:
    found.asked.append(replace(Asked("CancelBooking", 0.01), **changes))  # type: ignore[arg-type]


def without_letter(found: Aftermath, offset: int) -> None:
    found.letters = [one for one in found.letters if one.place[2] != offset]


PLANTED: list[tuple[str, Callable[[Aftermath], object], str]] = [
    ("a process ended", lambda found: found.ended.append("booking-1"), "processes"),
    ("an ordinary command has no answer", lambda found: unasked(found, seconds=None), "ordinary_answered"),
    ("an ordinary booking is not confirmed", lambda found: found.unconfirmed.append("b"), "ordinary_answered"),
    ("an ordinary command is refused", lambda found: unasked(found, refused="TOO_BUSY"), "ordinary_served"),
    ("ordinary commands are slow", lambda found: unasked(found, seconds=99.0), "ordinary_speed"),
    ("a locked row makes others wait", lambda found: found.locked.append((100, 110)), "ordinary_unmoved"),
    ("a command has no reply", lambda found: forget(found, "asked"), "answered_once"),
    ("a command has two replies", second, "answered_once"),
    ("a nameless record vanishes", lambda found: without_letter(found, 3), "set_aside"),
    ("an id in another spelling vanishes", lambda found: forget(found, "either-1"), "accounted_for"),
    ("an id beside another vanishes", lambda found: without_letter(found, 5), "accounted_for"),
    (
        "two ids of a record are both answered",
        answer_both,
        "accounted_for",
    ),
    ("an aborted command is acted upon", lambda found: answer(found, "aborted"), "left_alone"),
    ("an aborted command is set aside", lambda found: found.letters.append(letter(6)), "left_alone"),
    ("a thief is told yes", lambda found: answer(found, "stolen", "CommandAccepted"), "no_breach"),
    ("a handler failed", lambda found: found.letters.append(letter(0, "failed", "asked")), "faults_of_ours"),
    ("a planted row stays", lambda found: without_letter(found, -1), "planted_rows"),
    ("a row of a newer build is lost", lambda found: found.waiting_rows.clear(), "planted_rows"),
    ("a process keeps what it met", lambda found: found.memory.update(x=Memory(100, 900, 900)), "memory"),
    ("something still waits", lambda found: found.facts.waiting.update({"outbox rows of booking": 1}), "at_rest"),
    ("an event is lost", lambda found: found.facts.records.pop(1), "order"),
]


@pytest.fixture(autouse=True)
def bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound on speed, whatever the run is asked for."""
    monkeypatch.setattr("tests.hostile.checks.P99_SECONDS", 20.0)


def test_a_sound_aftermath_has_no_violations() -> None:
    assert violations(sound()) == []


@pytest.mark.parametrize(("what", "plant", "check"), PLANTED, ids=[what for what, _, _ in PLANTED])
def test_a_planted_violation_is_found(what: str, plant: Callable[[Aftermath], object], check: str) -> None:
    found = copy.deepcopy(sound())
    plant(found)
    assert {wrong.partition(":")[0] for wrong in violations(found)} >= {check}, what


def test_the_report_counts_each_record_where_it_belongs() -> None:
    rows = {line.split("|")[1].strip(): line for line in report(sound()).splitlines() if line.startswith("|")}
    assert rows["asked"] == "| asked | 2 | 2 | 0 | 0 | 0 |"
    assert rows["nameless"] == "| nameless | 1 | 0 | 0 | 1 | 0 |"
    assert rows["aborted"] == "| aborted | 1 | 0 | 0 | 0 | 1 |"
