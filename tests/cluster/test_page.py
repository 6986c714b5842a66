"""The page of figures is made of what a run writes, and has a line for everything that is done."""

from __future__ import annotations

from typing import Any

from tests.cluster import scenarios as of
from tests.cluster.page import BEGIN, END, NOTES, PAGE, figures

NOTES_OF: dict[str, dict[str, Any]] = {
    of.UPGRADE: {"migrated in": 3.25, "answers meanwhile": 60, "first new pod after": 1.0},
    of.DRAIN: {"drained after": 7.0, "refused": {"booking": "no", "payments": "no"}, "whole after": 6.5},
    of.SCALE: {"ready after": [7.0, 9.5]},
    of.KILL: {"killed": ["a", "b"], "whole after": 4.0},
    of.POSTGRES: {"away": 8.0},
    of.ROTATION: {"used after": {"key of Stripe": 2.0}},
    of.KAFKA: {"away": 123.4},
}


def scenario(name: str) -> dict[str, Any]:
    times = {"seconds": 31.4, "median": 0.05, "slow": 0.5, "slowest": 2.0, "silence": 1.25, "in_a_second": 0.9975}
    counts = {"commands": 400, "reads": 120, "reads failed": ["status 503"], "pods made": 6}
    return {
        "name": name,
        **times,
        **counts,
        "fewest ready": {"booking": 2, "payments": 1},
        "notes": NOTES_OF.get(name, {}),
    }


def test_every_scenario_has_its_row_and_what_it_has_to_say() -> None:
    names = [value for name, value in vars(of).items() if name.isupper()]
    told = {"cores": 2, "per second": 20.0, "seed": 1, "commands": 5000, "restarted by a probe": []}
    money = {"cents at Stripe": 123450, "cents of the ledger": 123450}
    page = figures({**told, **money, "scenarios": [scenario(name) for name in names]})
    row = f"| {of.UPGRADE} | 31 s | 400 | 99.8 % | 0.05, 0.50, 2.00 s | 1.2 s | 120, 1 | 6 | 2, 1 |"
    assert row in page.splitlines()
    assert "Stripe held 1234.50 EUR" in page
    assert NOTES.keys() == NOTES_OF.keys()
    assert f"\n- {of.UPGRADE}: the migration Job took" in page
    assert page.count("\n- ") == len(NOTES)


def test_the_page_has_the_marks_and_names_what_is_done() -> None:
    page = PAGE.read_text()
    assert BEGIN in page
    assert END in page
    for name in (value for name, value in vars(of).items() if name.isupper()):
        assert f"| {name} |" in page
