"""The history as one SVG of small charts, written out: no library of the project draws, and lines are all it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from tests.bench.figures import flat

WIDTH, HEIGHT, COLUMNS = 420, 220, 2
LEFT, RIGHT, TOP, BOTTOM = 52, 24, 46, 38
"""What is beside, above and below the lines of one chart, in pixels."""
COLOURS = ("#1b6ca8", "#c8553d", "#3c8d5a")
MOST_LABELS = 8


@dataclass(frozen=True)
class Chart:
    """`series` are names of figures (figures.py), each with what it is called in the chart."""

    title: str
    series: Mapping[str, str]


CHARTS = (
    Chart(
        "sagas a second",
        {
            "card_sagas_per_s": "card, three mails",
            "card_sagas_per_s_queued": "card, mails queued",
            "wallet_sagas_per_s_queued": "wallet, mails queued",
        },
    ),
    Chart("at 20 a second, ms", {"p50_ms_at_20": "p50", "p99_ms_at_20": "p99"}),
    Chart("at 100 a second, ms", {"p50_ms_at_100": "p50", "p99_ms_at_100": "p99"}),
    Chart("CPU ms a saga", {"cpu_ms_per_saga_sum": "saturated", "cpu_ms_per_saga_at_20_sum": "at 20 a second"}),
    Chart("CPU ms a second, idle", {"idle_cpu_ms_per_s_caused": "services and what they cause"}),
    Chart(
        "one saga alone",
        {
            "statements_of_one_saga_sum": "statements",
            "transactions_of_one_saga_sum": "transactions",
            "alone_of_one_saga_sum": "statements alone",
        },
    ),
    Chart(
        "all at once, a second",
        {
            "reschedules_per_s": "reschedules",
            "cancellations_per_s": "cancellations with refund",
            "due_timers_per_s": "due timers",
        },
    ),
    Chart("the machine's own speed, ms", {"machine_loop_ms": "Python loop", "machine_transaction_ms": "transaction"}),
)


def drawn(runs: Sequence[Mapping[str, Any]]) -> str:
    """The whole picture; `runs` as history.py has them, oldest first."""
    figures = [flat(run["figures"]) for run in runs]
    labels = [str(run["commit"])[:7] for run in runs]
    rows = -(-len(CHARTS) // COLUMNS)
    size = f'width="{WIDTH * COLUMNS}" height="{HEIGHT * rows}"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">']
    parts.append('<rect width="100%" height="100%" fill="white"/>')
    for number, chart in enumerate(CHARTS):
        parts.append(f'<g transform="translate({number % COLUMNS * WIDTH},{number // COLUMNS * HEIGHT})">')
        parts += [*_chart(chart, figures, labels), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def rounded_up(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten: where an axis ends."""
    power = 10.0 ** (len(str(int(value))) - 1) if value >= 1 else 0.1
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


def points(values: Sequence[float | None], most: float) -> list[tuple[float, float]]:
    """Where the runs lie in a chart whose axis ends at `most`; a run that has no such figure has no point."""
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    step = wide / max(1, len(values) - 1)
    return [
        (round(LEFT + number * step, 1), round(TOP + high * (1 - value / most), 1))
        for number, value in enumerate(values)
        if value is not None
    ]


def _chart(chart: Chart, figures: Sequence[Mapping[str, float]], labels: Sequence[str]) -> list[str]:
    series = {name: [run.get(name) for run in figures] for name in chart.series}
    most = rounded_up(max((value for values in series.values() for value in values if value), default=1.0))
    floor = HEIGHT - BOTTOM
    parts = [f'<text x="{LEFT}" y="16" font-weight="bold">{escape(chart.title)}</text>']
    for share in (0.0, 0.5, 1.0):
        y = floor - share * (floor - TOP)
        parts.append(f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{most * share:g}</text>')
    for (x, _), label, shown in zip(points([0.0] * len(labels), most), labels, _shown(len(labels)), strict=True):
        if shown:
            parts.append(f'<text x="{x}" y="{floor + 16}" text-anchor="middle" font-size="9">{escape(label)}</text>')
    across = LEFT
    for (name, values), colour in zip(series.items(), COLOURS, strict=False):
        called = chart.series[name]
        parts.append(f'<text x="{across}" y="32" fill="{colour}">{escape(called)}</text>')
        across += 12 + 6 * len(called)
        found = points(values, most)
        line = " ".join(f"{x},{y}" for x, y in found)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        parts += [f'<circle cx="{x}" cy="{y}" r="2.5" fill="{colour}"/>' for x, y in found]
    return parts


def _shown(count: int) -> list[bool]:
    """Which runs have their commit below them: so many that they do not meet, the last one among them."""
    every = max(1, -(-count // MOST_LABELS))
    return [(count - 1 - number) % every == 0 for number in range(count)]
