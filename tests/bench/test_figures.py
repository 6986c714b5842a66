"""Figures in one level, ratios of runs in turns, the line of the history."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.bench import history
from tests.bench.figures import flat
from tests.bench.ratios import table
from tests.bench.runs import percentile
from tests.bench.system import IDLE, ROWS, chosen


def test_figures_by_process_have_names_of_their_own() -> None:
    assert flat({"rate": 268.1, "cost": {"booking-1": 1, "kafka": 1.5}, "note": "two cores"}) == {
        "rate": 268.1,
        "cost.booking-1": 1.0,
        "cost.kafka": 1.5,
    }


def test_a_ratio_is_the_median_of_its_pairs() -> None:
    """The second pair ran on a machine of half the speed: medians of each column would say 200 / 100."""
    this, other = [{"rate": 200.0}, {"rate": 90.0}, {"rate": 210.0}], [{"rate": 100.0}, {"rate": 50.0}, {"rate": 110.0}]
    assert table(this, other)[2:] == ["| rate | 200, 90, 210 | 100, 50, 110 | 1.91 |"]


def test_what_one_version_alone_was_measured_for_is_named_apart() -> None:
    lines = table([{"p50": 30.0, "wallet": {"rate": 900}}], [{"p50": 60.0}])
    assert lines[2:] == ["| p50 | 30 | 60 | 0.50 |", "Not in every run: wallet.rate"]


def test_nothing_is_divided_by_nothing() -> None:
    assert table([{"dead": 1.0}], [{"dead": 0.0}])[2:] == ["| dead | 1 | 0 | – |"]


def test_the_history_has_a_line_a_run_and_a_picture_of_all(tmp_path: Path) -> None:
    for rate in (200.0, 300.0):
        history.keep({"card_sagas_per_s": rate}, tmp_path, ["--quick"])
    first, second = history.read(tmp_path / "history.jsonl")
    assert (first["figures"], second["figures"]) == ({"card_sagas_per_s": 200.0}, {"card_sagas_per_s": 300.0})
    assert (tmp_path / "history.svg").read_text().count("<circle") == 2


def test_a_line_of_the_history_says_when_what_and_how() -> None:
    text = history.line({"rate": 1}, "3495663-dirty", datetime(2026, 11, 26, 6, 15, tzinfo=UTC), ["--quick"])
    assert json.loads(text) == {
        "date": "2026-11-26T06:15:00Z",
        "commit": "3495663-dirty",
        "arguments": ["--quick"],
        "figures": {"rate": 1},
    }


def test_a_percentile_lies_between_the_values_next_to_it() -> None:
    assert (percentile([10.0, 20.0, 30.0, 40.0], 50), percentile(range(101), 99)) == (25.0, 99.0)


def test_rows_are_measured_in_their_order_whatever_is_asked_for_first() -> None:
    assert chosen("") == [IDLE, *ROWS]
    assert chosen("rates,idle,card") == [IDLE, "card", "rates"]
    with pytest.raises(SystemExit, match="there is no row"):
        chosen("cards")
