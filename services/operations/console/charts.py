"""Small line charts as SVG: where the points are; the template draws them, the style sheet colours them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 300.0, 60.0
KINDS, BAD = ("one", "two"), "three"
"""Classes of the style sheet, a line each."""
WHOLE = -2
"""The last minute goes on: of the one before it all is known."""


@dataclass(frozen=True, slots=True)
class Line:
    """`parts`: points of an SVG polyline each; more than one where values are missing between. `last`: of the last
    whole minute; `most`: of all."""

    name: str
    kind: str
    parts: tuple[str, ...]
    last: float | None
    most: float


@dataclass(frozen=True, slots=True)
class Chart:
    """`top`: the value at its upper edge; `unit`: what follows a number, such as " s"."""

    title: str
    lines: tuple[Line, ...]
    top: float
    unit: str

    @property
    def in_words(self) -> str:
        """For who does not see it."""
        said = "; ".join(
            f"{one.name} at most {shown(one.most)}{self.unit}, last {shown(one.last)}" for one in self.lines
        )
        return f"{self.title}, the last hour by minutes: {said}"


def chart(title: str, values: Mapping[str, Sequence[float | None]], unit: str = "", bad: int | None = None) -> Chart:
    """At most three lines, on one scale. `bad`: the number of the one that should stay at 0."""
    most = {name: max((one for one in series if one is not None), default=0.0) for name, series in values.items()}
    top = _round_up(max(most.values(), default=0.0), least=0.1 if unit else 1.0)
    lines = []
    for number, (name, series) in enumerate(values.items()):
        kind = BAD if number == bad else KINDS[number]
        lines.append(Line(name, kind, _parts(series, top), series[WHOLE:][0] if series else None, most[name]))
    return Chart(title, tuple(lines), top, unit)


def shown(value: float | None) -> str:
    """As few digits as tell it."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.2g}"


def _parts(series: Sequence[float | None], top: float) -> tuple[str, ...]:
    parts: list[list[str]] = [[]]
    step = WIDTH / max(1, len(series) - 1)
    for number, value in enumerate(series):
        if value is None:
            parts.append([])
        else:
            parts[-1].append(f"{number * step:.1f},{HEIGHT * (1 - value / top):.1f}")
    return tuple(" ".join([*part, part[0]] if len(part) == 1 else part) for part in parts if part)


def _round_up(most: float, least: float) -> float:
    """To 1, 2 or 5 times a power of ten: the scale stays while values change a little."""
    edge = least
    while True:
        for times in (1, 2, 5):
            if most <= edge * times:
                return edge * times
        edge *= 10
