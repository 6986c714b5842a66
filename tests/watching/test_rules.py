"""Alert rules: each has a test that it fires and stays silent, a page that says what to do, and metrics that exist."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import REGISTRY, CollectorRegistry

from services.operations.auditor import metrics as auditor
from tests.architecture.test_runbooks import METRICS, sections
from tests.watching.queries import PAGES, ROOT, RULES, UNIT_TESTS, everywhere, metrics_of, of_every_process, rules

pytestmark = pytest.mark.requirement("observability")
PROMTOOL = shutil.which("promtool")
HEADINGS = ["meaning", "impact", "diagnosis", "mitigation"]
by_name = pytest.mark.parametrize("file", RULES, ids=lambda file: file.stem)
with_promtool = pytest.mark.skipif(
    not os.environ.get("CHART") or PROMTOOL is None,
    reason="rules are tried by `make chart-test`, where promtool is (deploy/local/with_promtool.sh)",
)


def alerts(file: Path) -> list[dict[str, Any]]:
    return [rule for rule in rules(file) if "alert" in rule]


@by_name
def test_a_file_has_one_alert_and_says_what_to_do(file: Path) -> None:
    assert {rule["alert"] for rule in alerts(file)} == {file.stem}
    for rule in alerts(file):
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
        page = ROOT / rule["annotations"]["runbook_url"]
        assert page == PAGES / f"{file.stem}.md"
        text = page.read_text()
        assert list(sections(text)) == HEADINGS
        assert all(section.strip() for section in sections(text).values())


@by_name
def test_gauges_that_every_replica_exports_are_counted_once(file: Path) -> None:
    """Never a sum of them: two replicas would make two dead letters of one."""
    for rule in rules(file):
        assert not re.search(r"sum[^(]*\((?!rate|increase)[^)]*booking_", rule["expr"].replace("\n", " ")), rule["expr"]


@by_name
def test_two_systems_of_one_prometheus_are_told_apart(file: Path) -> None:
    """A release is found by its namespace, which every alert has among its labels."""
    for rule in rules(file):
        groups = re.findall(r"\bby \(([^)]*)\)", rule["expr"])
        assert groups
        assert all("namespace" in group.split(", ") for group in groups), rule["expr"]


@by_name
def test_its_unit_test_has_a_case_where_it_fires_and_one_where_it_is_silent(file: Path) -> None:
    unit_test = yaml.safe_load((UNIT_TESTS / f"{file.stem}.test.yaml").read_text())
    cases = [case for test in unit_test["tests"] for case in test["alert_rule_test"]]
    fired = {alert["exp_labels"]["severity"] for case in cases for alert in case["exp_alerts"]}

    assert unit_test["rule_files"] == [f"../{file.name}"]
    assert {case["alertname"] for case in cases} == {file.stem}
    assert fired == {rule["labels"]["severity"] for rule in alerts(file)}
    assert any(not case["exp_alerts"] for case in cases)


@with_promtool
@by_name
def test_it_fires_and_stays_silent(file: Path) -> None:
    test_file = UNIT_TESTS / f"{file.stem}.test.yaml"
    for arguments in (["check", "rules", file], ["test", "rules", test_file]):
        done = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, check=False)  # type: ignore[list-item]
        assert done.returncode == 0, done.stdout + done.stderr


@with_promtool
def test_a_rule_that_says_something_else_is_seen(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    name = "BookingOutboxOld"
    rule = (ROOT / "deploy" / "alerts" / f"{name}.yaml").read_text()
    (tmp_path / f"{name}.yaml").write_text(rule.replace("> 60", "> 600"))
    unit_test = shutil.copy(UNIT_TESTS / f"{name}.test.yaml", tmp_path / "tests")
    done = subprocess.run([PROMTOOL, "test", "rules", unit_test], capture_output=True, check=False)  # type: ignore[list-item]
    assert done.returncode != 0


def test_every_query_names_metrics_that_there_are() -> None:
    known = METRICS | {"process_resident_memory_bytes", "process_cpu_seconds_total"}
    assert {(where, name) for where, query in everywhere() for name in metrics_of(query) - known} == set()


@pytest.mark.parametrize("registry", [REGISTRY, auditor.REGISTRY], ids=["services", "auditor"])
def test_what_is_asked_of_every_process_is_exported(registry: CollectorRegistry) -> None:
    """The console's: tests/console/test_watched.py."""
    assert len(of_every_process()) == 3
    assert of_every_process() <= {metric.name for metric in registry.collect()}


def test_every_query_can_be_parsed() -> None:
    for where, query in everywhere():
        try:
            promql_parser.parse(query)
        except ValueError as error:
            pytest.fail(f"{where}: {query}: {error}")


def test_pages_and_rules_are_each_others() -> None:
    assert {page.stem for page in PAGES.glob("Booking*.md")} == {file.stem for file in RULES}
    assert {file.name.removesuffix(".test.yaml") for file in UNIT_TESTS.iterdir()} == {file.stem for file in RULES}
