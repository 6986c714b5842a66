"""Two versions measured in turns, as a table: what drifts with the machine is in both halves of a pair."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from tests.bench.figures import flat

HEAD = ("figure", "this", "other", "this/other")


def ratios(this: Sequence[float], other: Sequence[float]) -> list[float]:
    """Pair by pair; pairs whose other half is 0 have none."""
    return [mine / theirs for mine, theirs in zip(this, other, strict=True) if theirs]


def table(this: Sequence[Mapping[str, object]], other: Sequence[Mapping[str, object]]) -> list[str]:
    """Lines of Markdown: each figure that all runs have, run by run, and the median of the pairs' ratios.

    A last line names what only one of the versions was measured for.
    """
    mine, theirs = [flat(run) for run in this], [flat(run) for run in other]
    every = list(dict.fromkeys(name for run in (*mine, *theirs) for name in run))
    common = [name for name in every if all(name in run for run in (*mine, *theirs))]
    rows = [_row(name, [run[name] for run in mine], [run[name] for run in theirs]) for name in common]
    lines = [_line(HEAD), "|---|---|---|---|", *map(_line, rows)]
    if alone := [name for name in every if name not in common]:
        lines.append(f"Not in every run: {', '.join(alone)}")
    return lines


def _row(name: str, this: Sequence[float], other: Sequence[float]) -> tuple[str, ...]:
    found = ratios(this, other)
    return name, _list(this), _list(other), f"{statistics.median(found):.2f}" if found else "–"


def _list(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
