"""Pictures of the dashboards, for docs: `python -m deploy.dashboards.draw http://localhost:9090 docs/dashboards`.

Not Grafana's: it is asked for nothing. Each panel's queries go to a Prometheus, and its answers are drawn as SVG where
the panel stands, with the panel's title and unit. A panel that has no answer says so.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

MINUTES = 10
STEP_SECONDS = 10
VARIABLES = {"$__rate_interval": "1m", "$job": ".+", "$instance": ".+"}
CELL, GAP, TITLE, LEGEND, TOP = 40, 4, 22, 13, 44
MOST_NAMES = 4
COLOURS = ("#3274d9", "#e0752d", "#56a64b", "#b877d9", "#e0b400", "#e02f44", "#37872d", "#8f3bb8", "#1f60c4", "#a16207")
STYLE = "text{font:11px sans-serif;fill:#333}.t{font-weight:bold}.h{font-size:14px;font-weight:bold}"

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Line:
    """One series: its name, and its points of time and value."""

    name: str
    points: Points


def asked(prometheus: str, panel: dict[str, Any], until: float) -> list[Line]:
    """What Prometheus answers to a panel's queries, for the last minutes."""
    return [line for target in panel["targets"] for line in _of_target(prometheus, target, until)]


def _of_target(prometheus: str, target: dict[str, Any], until: float) -> Iterator[Line]:
    query = target["expr"]
    for variable, value in VARIABLES.items():
        query = query.replace(variable, value)
    parameters = {"query": query, "start": until - MINUTES * 60, "end": until, "step": STEP_SECONDS}
    url = f"{prometheus}/api/v1/query_range?{urllib.parse.urlencode(parameters)}"
    with urllib.request.urlopen(url) as response:
        found = json.load(response)["data"]["result"]
    for series in found:
        name = target["legendFormat"]
        for label, value in series["metric"].items():
            name = name.replace("{{" + label + "}}", value)
        points = [(float(at), float(value)) for at, value in series["values"] if value not in {"NaN", "+Inf", "-Inf"}]
        if points:
            yield Line(name, points)


def picture(board: dict[str, Any], answers: Sequence[list[Line]], until: float) -> str:
    """The dashboard as SVG; `answers` in the order of its panels."""
    panels = board["panels"]
    height = TOP + CELL * max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels) // 2
    parts = [f'<text x="{GAP}" y="20" class="h">{escape(board["title"])}</text>']
    parts.append(f'<text x="{GAP}" y="36">{escape(board["description"])}</text>')
    for panel, lines in zip(panels, answers, strict=True):
        parts += _panel(panel, lines, until)
    size = f'width="{24 * CELL}" height="{height}" viewBox="0 0 {24 * CELL} {height}"'
    body = "\n".join(parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><style>{STYLE}</style>\n{PAPER}\n{body}\n</svg>\n'


PAPER = '<rect width="100%" height="100%" fill="#f4f5f5"/>'


def _panel(panel: dict[str, Any], lines: list[Line], until: float) -> Iterator[str]:
    at = panel["gridPos"]
    x, y = at["x"] * CELL + GAP / 2, TOP + at["y"] * CELL / 2 + GAP / 2
    width, height = at["w"] * CELL - GAP, at["h"] * CELL / 2 - GAP
    if panel["type"] == "row":
        yield f'<text x="{x + 4}" y="{y + 13}" class="t">{escape(panel["title"])}</text>'
        return
    yield f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="#fff" stroke="#ddd"/>'
    yield f'<text x="{x + 6}" y="{y + 15}" class="t">{escape(panel["title"])}</text>'
    unit = panel["fieldConfig"]["defaults"]["unit"]
    if not lines:
        yield f'<text x="{x + width / 2 - 20}" y="{y + height / 2}">no data</text>'
    elif panel["type"] == "stat":
        yield from _stat(panel, lines, x, y + TITLE, width, height - TITLE)
    else:
        yield from _chart(lines, unit, until, (x + 44, y + TITLE, width - 52, height - TITLE - LEGEND * 3))


def _stat(panel: dict[str, Any], lines: list[Line], x: float, y: float, width: float, height: float) -> Iterator[str]:
    defaults = panel["fieldConfig"]["defaults"]
    red = defaults["thresholds"]["steps"][-1]["value"]
    each = width / len(lines)
    for nth, line in enumerate(lines):
        value = line.points[-1][1]
        colour = COLOURS[5] if value >= red else COLOURS[2]
        left = x + nth * each
        yield f'<rect x="{left + 2}" y="{y}" width="{each - 4}" height="{height - 4}" fill="{colour}"/>'
        shown = escape(f"{told(value, defaults['unit'])}")
        yield f'<text x="{left + 8}" y="{y + 18}" style="fill:#fff;font-size:15px">{shown}</text>'
        yield f'<text x="{left + 8}" y="{y + 33}" style="fill:#fff;font-size:9px">{escape(line.name)}</text>'


def _chart(lines: list[Line], unit: str, until: float, box: tuple[float, float, float, float]) -> Iterator[str]:
    x, y, width, height = box
    top = max(value for line in lines for _, value in line.points) or 1.0
    begin = until - MINUTES * 60
    for share in (0, 0.5, 1):
        level = y + height * (1 - share)
        yield f'<path d="M{x} {level:.1f}h{width}" stroke="#eee"/>'
        yield f'<text x="{x - 4}" y="{level + 4:.1f}" text-anchor="end">{escape(told(top * share, unit))}</text>'
    for nth, line in enumerate(lines):
        points = " ".join(
            f"{x + (at - begin) / (MINUTES * 60) * width:.1f},{y + height * (1 - max(0.0, value) / top):.1f}"
            for at, value in line.points
        )
        colour = COLOURS[nth % len(COLOURS)]
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.3"/>'
        if nth < MOST_NAMES:
            left, base = x - 36 + nth % 2 * (width + 44) / 2, y + height + LEGEND * (1.4 + nth // 2)
            more = f" and {len(lines) - MOST_NAMES} more" if nth == MOST_NAMES - 1 < len(lines) - 1 else ""
            yield f'<rect x="{left}" y="{base - 6:.1f}" width="10" height="3" fill="{colour}"/>'
            yield f'<text x="{left + 14}" y="{base:.1f}" style="font-size:9px">{escape(line.name + more)}</text>'


def told(value: float, unit: str) -> str:
    """A value with its unit, short."""
    if unit == "percentunit":
        return f"{value:.0%}"
    if unit == "s" and value < 1:
        return f"{value * 1000:.0f} ms"
    for size, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.1f}{name}{'B' if unit == 'bytes' else ''}"
    return f"{value:.3g}" + {"s": " s", "ops": "/s"}.get(unit, "")


def main(prometheus: str, folder: Path) -> None:
    """Draw every dashboard into the folder, as Prometheus knows the last minutes."""
    until = time.time()
    for file in sorted(Path(__file__).parent.glob("*.json")):
        board = json.loads(file.read_text())
        answers = [asked(prometheus, panel, until) if "targets" in panel else [] for panel in board["panels"]]
        (folder / f"{file.stem}.svg").write_text(picture(board, answers, until))


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), Path(sys.argv[2]))
