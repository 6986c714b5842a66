"""Dashboards are as described, and keep the rules of Grafana's dashboard-linter, whose names are in brackets."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploy.dashboards.__main__ import documents, main
from tests.watching.queries import DASHBOARDS, panels

pytestmark = pytest.mark.requirement("observability")
by_name = pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
COUNTER = re.compile(r"(\w+)\((?:booking|process)_\w+_(?:total|bucket|count)\{")


def faults(board: dict[str, Any]) -> list[str]:
    """What is amiss, a sentence each; in brackets the linter's name of the rule."""
    variables = {one["name"]: one for one in board["templating"]["list"]}
    found = []
    if variables.get("datasource", {}).get("type") != "datasource":
        found.append("the data source cannot be chosen (template-datasource-rule)")
    for name in ("job", "instance"):
        variable = variables.get(name, {})
        if not (variable.get("multi") and variable.get("allValue") == ".+" and variable.get("refresh") == 2):
            found.append(f"{name}: several, all, read again with the time (template-{name}-rule)")
        if variable.get("datasource", {}).get("uid") != "${datasource}":
            found.append(f"{name} is of another data source (template-{name}-rule)")
    if board["editable"]:
        found.append("it can be edited by hand (uneditable-dashboard)")
    ids = [panel["id"] for panel in board["panels"]]
    if len(ids) != len(set(ids)):
        found.append("two panels have one id")
    for panel in board["panels"]:
        if panel["type"] != "row":
            found += [f"{panel['title']}: {fault}" for fault in of_panel(panel)]
    return found


def of_panel(panel: dict[str, Any]) -> list[str]:
    """The same of a panel."""
    found = []
    if panel["datasource"]["uid"] != "${datasource}":
        found.append("another data source (panel-datasource-rule)")
    if not panel["title"] or not panel["description"]:
        found.append("no title or description (panel-title-description-rule)")
    if not panel["fieldConfig"]["defaults"].get("unit"):
        found.append("no unit (panel-units-rule)")
    if not panel["targets"]:
        found.append("nothing is asked (panel-no-targets-rule)")
    for target in panel["targets"]:
        query = target["expr"]
        selectors = re.findall(r"\{[^{}]*\}", query)
        if not all('job=~"$job"' in one and 'instance=~"$instance"' in one for one in selectors) or not selectors:
            found.append(f"{query}: not of the chosen jobs and instances (target-job-rule, target-instance-rule)")
        if set(re.findall(r"\[([^\]]+)\]", query)) - {"$__rate_interval"}:
            found.append(f"{query}: a fixed range (target-rate-interval-rule)")
        outer = COUNTER.findall(query.replace(" ", ""))
        if set(outer) - {"rate", "increase", "irate"}:
            found.append(f"{query}: a counter as it is (target-counter-agg-rule)")
    return found


@by_name
def test_it_keeps_the_rules(file: Path) -> None:
    assert faults(json.loads(file.read_text())) == []
    assert len(panels(file)) >= 5


def test_they_are_as_described() -> None:
    assert {file: file.read_text() for file in DASHBOARDS} == documents()
    assert main(["--check"]) == 0


def test_panels_do_not_lie_on_each_other() -> None:
    for file in DASHBOARDS:
        taken: set[tuple[int, int]] = set()
        for panel in json.loads(file.read_text())["panels"]:
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            assert not cells & taken, f"{file.name}: {panel['title']}"
            assert at["x"] + at["w"] <= 24
            taken |= cells


Change = Callable[[dict[str, Any]], object]


def first(board: dict[str, Any]) -> dict[str, Any]:
    panel: dict[str, Any] = next(panel for panel in board["panels"] if panel["type"] == "timeseries")
    return panel


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda board: board["templating"]["list"].pop(0), "template-datasource-rule"),
        (lambda board: board["templating"]["list"][1].update(refresh=1), "template-job-rule"),
        (lambda board: board["templating"]["list"][2].update(datasource={"uid": "mine"}), "template-instance-rule"),
        (lambda board: board.update(editable=True), "uneditable-dashboard"),
        (lambda board: first(board).update(datasource={"uid": "mine"}), "panel-datasource-rule"),
        (lambda board: first(board).update(description=""), "panel-title-description-rule"),
        (lambda board: first(board)["fieldConfig"]["defaults"].update(unit=""), "panel-units-rule"),
        (lambda board: first(board).update(targets=[]), "panel-no-targets-rule"),
        (lambda board: first(board)["targets"][0].update(expr="booking_sagas"), "target-job-rule"),
        (
            lambda board: first(board)["targets"][0].update(expr='rate(x{job=~"$job", instance=~"$instance"}[5m])'),
            "target-rate-interval-rule",
        ),
        (
            lambda board: first(board)["targets"][0].update(
                expr='sum(booking_letters_total{job=~"$job", instance=~"$instance"})'
            ),
            "target-counter-agg-rule",
        ),
    ],
)
def test_a_fault_is_seen(change: Change, rule: str) -> None:
    board = json.loads(DASHBOARDS[0].read_text())
    change(board)
    assert [fault for fault in faults(board) if rule in fault]
