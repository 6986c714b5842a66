"""Alerts of several releases with one Prometheus: each tells of its own namespace."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from deploy.helm.package import assemble
from tests.chart.rendered import NAMESPACE, RELEASE, helm, render, values_of
from tests.watching.queries import ROOT, RULES, rules

pytestmark = pytest.mark.requirement("chart", "observability")
OWN = f'namespace="{NAMESPACE}"'
PROMTOOL = shutil.which("promtool")
Rules = dict[str, dict[str, Any]]
Selector = tuple[str, frozenset[str]]


@pytest.fixture(scope="module")
def packaged(tools: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart with all that is ours in it."""
    return assemble(tmp_path_factory.mktemp("packaged"))


@pytest.fixture(scope="module")
def packaged_rules(packaged: Path) -> Rules:
    return made(packaged)


def made(chart: Path, **alerts: object) -> Rules:
    """What each PrometheusRule says, by the name of the file that it is made from."""
    changed = {"alerts.enabled": True} | {f"alerts.{name}": value for name, value in alerts.items()}
    specs = [one["spec"] for one in render(chart=chart, changed=changed).all("PrometheusRule").values()]
    return {spec["groups"][-1]["name"]: spec for spec in specs}


def selectors(query: str) -> list[Selector]:
    """The metrics that a query asks for, with what their labels must be."""
    found: list[Selector] = []

    def visit(expression: promql_parser.Expr) -> None:
        if isinstance(expression, promql_parser.MatrixSelector):
            expression = expression.vector_selector
        if isinstance(expression, promql_parser.VectorSelector):
            found.append((expression.name or "", frozenset(map(str, expression.matchers.matchers))))

    promql_parser.walk(promql_parser.parse(query), visit)
    return found


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.stem)
def test_every_selector_of_a_rule_has_the_namespace_of_the_release(packaged_rules: Rules, file: Path) -> None:
    """And is what it was but for that."""
    groups = packaged_rules[file.stem]["groups"]
    found = [(rule.get("alert", rule.get("record")), rule["expr"]) for group in groups for rule in group["rules"]]
    written = [(rule.get("alert", rule.get("record")), rule["expr"]) for rule in rules(file)]
    assert [name for name, _ in found] == [name for name, _ in written]
    for (_, query), (_, before) in zip(found, written, strict=True):
        asked = selectors(query)
        assert asked
        assert all(OWN in labels for _, labels in asked), query
        assert [(name, labels - {OWN}) for name, labels in asked] == selectors(before)


def test_where_prometheus_knows_no_namespace_rules_are_as_they_are_in_their_files(packaged: Path) -> None:
    found = made(packaged, ownNamespace=False)
    assert found == {file.stem: yaml.safe_load(file.read_text()) for file in RULES}


def test_who_reads_metrics_without_the_operator_is_told_of_the_label(packaged: Path) -> None:
    """Or its alerts would be silent for ever."""
    files = [part for file in values_of("base") for part in ("-f", file)]
    asked = ("install", RELEASE, packaged, "--dry-run=client", "--namespace", NAMESPACE, *files)
    said = [
        helm("helm4", *asked, "--set", f"alerts.enabled=true,{more}")
        for more in ("metrics.monitor=", "metrics.monitor=PodMonitor", "alerts.ownNamespace=false")
    ]
    assert [f'namespace="{NAMESPACE}": who reads them' in one.partition("NOTES:")[2] for one in said] == [
        True,
        False,
        False,
    ]


@pytest.mark.skipif(PROMTOOL is None, reason="deploy/local/with_promtool.sh brings promtool")
def test_a_release_tells_of_itself_and_not_of_another(packaged_rules: Rules, tmp_path: Path) -> None:
    for name, spec in packaged_rules.items():
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(spec))
    series = "booking_stripe_circuit_open{job='payments',namespace='%s'}"
    (told,) = packaged_rules["BookingStripeCircuitOpen"]["groups"][0]["rules"]
    said = {name: text.replace("{{ $labels.job }}", "payments") for name, text in told["annotations"].items()}
    own = {"severity": "page", "job": "payments", "namespace": NAMESPACE}
    case = {
        "rule_files": ["BookingStripeCircuitOpen.yaml"],
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": series % name, "values": "1x10"} for name in (NAMESPACE, "others")],
                "alert_rule_test": [
                    {
                        "eval_time": "8m",
                        "alertname": "BookingStripeCircuitOpen",
                        "exp_alerts": [{"exp_labels": own, "exp_annotations": said}],
                    }
                ],
            }
        ],
    }
    (tmp_path / "case.yaml").write_text(yaml.safe_dump(case))
    for arguments in (["check", "rules", *sorted(tmp_path.glob("Booking*.yaml"))], ["test", "rules", "case.yaml"]):
        done = subprocess.run([str(PROMTOOL), *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_rules_that_cannot_be_tried_are_called_skipped_in_the_last_line(tmp_path: Path) -> None:
    """Where there is neither promtool nor apt-get; the rest of `make chart-test` runs, and its end counts."""
    for name in ("bash", "sh", "dirname", "id", "mktemp", "rm"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    done = subprocess.run(
        [ROOT / "deploy" / "local" / "with_promtool.sh", "sh", "-c", "echo the rest; exit 3"],
        env={"PATH": str(tmp_path), "PLATFORM_TOOLS": str(tmp_path / "none")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("the rest\n", 3)
    assert done.stderr.splitlines()[-1].startswith("SKIPPED: rules of alerts were not tried")
