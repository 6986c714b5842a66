"""Every PromQL query of ours: in rules, on runbook pages, on dashboards; and the names of metrics in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
RULES = sorted((ROOT / "deploy" / "alerts").glob("*.yaml"))
UNIT_TESTS = ROOT / "deploy" / "alerts" / "tests"
PAGES = ROOT / "docs" / "runbooks"
DASHBOARDS = sorted((ROOT / "deploy" / "dashboards").glob("*.json"))
OURS = re.compile(r"\b(?:booking|process)_[a-z_]+\b")
OF_HISTOGRAM = re.compile(r"_(?:bucket|count|sum)$")
OF_EVERY_PROCESS = ("BookingServiceGone", "BookingCertificateEnds", "BookingTokenEnds")
"""Rules that are not about a service's work: services, auditor and console are watched alike."""
VARIABLES = {"$__rate_interval": "5m", "$job": ".+", "$instance": ".+"}
"""What Grafana puts in before it asks."""


def rules(file: Path) -> list[dict[str, Any]]:
    """The rules of a file: alerts, and records that they stand on."""
    groups = yaml.safe_load(file.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def blocks(page: str, language: str) -> list[str]:
    """The lines of a page's blocks in one language."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return [line for block in found for line in block.splitlines()]


def panels(file: Path) -> list[dict[str, Any]]:
    """A dashboard's panels, without headings."""
    return [panel for panel in json.loads(file.read_text())["panels"] if panel["type"] != "row"]


def everywhere() -> Iterator[tuple[str, str]]:
    """Where a query stands, and the query, with Grafana's variables filled in."""
    for file in RULES:
        yield from ((file.name, rule["expr"]) for rule in rules(file))
    for page in sorted(PAGES.glob("*.md")):
        yield from ((page.name, query) for query in blocks(page.read_text(), "promql"))
    for file in DASHBOARDS:
        for panel in panels(file):
            for target in panel["targets"]:
                query = target["expr"]
                for variable, value in VARIABLES.items():
                    query = query.replace(variable, value)
                yield f"{file.name}, {panel['title']}", query


def metrics_of(query: str) -> set[str]:
    """The metrics that a query names, a histogram by its name; texts in quotes name none."""
    bare = re.sub(r'"[^"]*"', "", query)
    return {OF_HISTOGRAM.sub("", name) for name in OURS.findall(bare)}


def of_every_process() -> set[str]:
    """The metrics that each process of ours has to export for them."""
    asked = (rule["expr"] for file in RULES if file.stem in OF_EVERY_PROCESS for rule in rules(file))
    return {name for query in asked for name in metrics_of(query)}
