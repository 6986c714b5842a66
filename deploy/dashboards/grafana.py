"""A dashboard as Grafana's JSON, the way dashboard-linter's rules want it (tests/watching/test_dashboards.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
SCHEMA = 39
"""Grafana 10; newer ones read it."""
COLUMNS, ROW_HEIGHT, STAT_HEIGHT, CHART_HEIGHT = 24, 1, 4, 8
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
SELECTED = 'job=~"$job", instance=~"$instance"'


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture. `queries`: PromQL and legend; `{$}` and `{$, …}` stand for the chosen jobs and instances.

    A stat is green at 0 and red from `red` on; a chart has lines, or areas on top of each other where `stacked`.
    """

    title: str
    description: str
    unit: str
    queries: Sequence[tuple[str, str]]
    stat: bool = False
    red: float = 1
    stacked: bool = False
    columns: int = 8


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """`jobs_of`: the metric whose jobs can be chosen."""

    uid: str
    title: str
    description: str
    jobs_of: str
    rows: Sequence[Row]

    def json(self) -> Json:
        """The document."""
        return {
            "annotations": {"list": []},
            "description": self.description,
            "editable": False,
            "graphTooltip": 1,
            "links": [_links()],
            "panels": _placed(self.rows),
            "refresh": "30s",
            "schemaVersion": SCHEMA,
            "tags": ["booking"],
            "templating": {"list": _variables(self.jobs_of)},
            "time": {"from": "now-3h", "to": "now"},
            "timezone": "utc",
            "title": self.title,
            "uid": self.uid,
        }


def _links() -> Json:
    return {
        "asDropdown": False,
        "includeVars": False,
        "keepTime": True,
        "tags": ["booking"],
        "title": "Booking",
        "type": "dashboards",
    }


def _variables(jobs_of: str) -> list[Json]:
    source = {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "hide": 0}
    return [
        source,
        _variable("job", "Job", f"label_values({jobs_of}, job)"),
        _variable("instance", "Instance", f'label_values({jobs_of}{{job=~"$job"}}, instance)'),
    ]


def _variable(name: str, label: str, query: str) -> Json:
    return {
        "allValue": ".+",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "datasource": SOURCE,
        "definition": query,
        "hide": 0,
        "includeAll": True,
        "label": label,
        "multi": True,
        "name": name,
        "query": {"query": query, "refId": "variables"},
        "refresh": 2,
        "sort": 1,
        "type": "query",
    }


def _placed(rows: Sequence[Row]) -> list[Json]:
    """Row after row; panels from left to right as far as they have room."""
    found: list[Json] = []
    y = 0
    for row in rows:
        found.append(_row(len(found) + 1, row.title, y))
        y, x, height = y + ROW_HEIGHT, 0, 0
        for panel in row.panels:
            if x + panel.columns > COLUMNS:
                y, x, height = y + height, 0, 0
            height = max(height, STAT_HEIGHT if panel.stat else CHART_HEIGHT)
            place = {"h": STAT_HEIGHT if panel.stat else CHART_HEIGHT, "w": panel.columns, "x": x, "y": y}
            found.append(_panel(len(found) + 1, panel, place))
            x += panel.columns
        y += height
    return found


def _row(number: int, title: str, y: int) -> Json:
    place = {"h": ROW_HEIGHT, "w": COLUMNS, "x": 0, "y": y}
    return {"collapsed": False, "gridPos": place, "id": number, "panels": [], "title": title, "type": "row"}


def _panel(number: int, panel: Panel, place: Json) -> Json:
    targets = [
        {
            "datasource": SOURCE,
            "expr": query.replace("{$", "{" + SELECTED),
            "instant": panel.stat,
            "legendFormat": legend,
            "range": not panel.stat,
            "refId": chr(ord("A") + nth),
        }
        for nth, (query, legend) in enumerate(panel.queries)
    ]
    return {
        "datasource": SOURCE,
        "description": panel.description,
        "fieldConfig": {"defaults": _field(panel), "overrides": []},
        "gridPos": place,
        "id": number,
        "options": _options(panel),
        "targets": targets,
        "title": panel.title,
        "type": "stat" if panel.stat else "timeseries",
    }


def _field(panel: Panel) -> Json:
    steps: list[Json] = [{"color": "green", "value": None}]
    if panel.stat:
        return {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": [*steps, _red(panel.red)]}}
    stacking = {"group": "A", "mode": "normal" if panel.stacked else "none"}
    custom = {"drawStyle": "line", "fillOpacity": 20 if panel.stacked else 0, "lineWidth": 1, "stacking": stacking}
    return {"unit": panel.unit, "min": 0, "custom": custom, "thresholds": {"mode": "absolute", "steps": steps}}


def _red(value: float) -> Json:
    return {"color": "red", "value": value}


def _options(panel: Panel) -> Json:
    if panel.stat:
        reduced = {"calcs": ["lastNotNull"], "fields": "", "values": False}
        return {"colorMode": "background", "graphMode": "none", "reduceOptions": reduced, "textMode": "value_and_name"}
    return {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}
