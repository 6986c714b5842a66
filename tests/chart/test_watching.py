"""How the release is watched: monitors, and the alerts and dashboards that a packaged chart has in it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml
from booking_contracts.rights import SERVICES

from deploy.helm.package import BROUGHT, assemble
from deploy.helm.tools import tool
from deploy.local.layout import REPOSITORY
from tests.chart.conftest import Rendering
from tests.chart.rendered import Refused, Rendered, helm, render, settings, values_of

pytestmark = pytest.mark.requirement("chart")

RULES = {
    "groups": [
        {
            "name": "outbox",
            "interval": "30s",
            "rules": [
                {
                    "alert": "OutboxAge",
                    "expr": 'max by (job) (outbox_oldest_seconds) > 60 # {{ "not Helm\'s" }}',
                    "for": "2m",
                    "labels": {"severity": "page"},
                    "annotations": {"summary": "{{ $labels.job }} waits", "runbook_url": "docs/runbooks/outbox.md"},
                },
                {"record": "job:outbox:max", "expr": "max by (job) (outbox_rows)"},
                {"alert": "OutboxRows", "expr": "outbox_rows > 1"},
            ],
        },
        {"name": "other", "rules": [{"alert": "Other", "expr": "vector(1)"}]},
    ]
}
DASHBOARD = {"title": "On call", "panels": [{"title": "{{ job }}"}]}


@pytest.fixture(scope="module")
def packaged(tools: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart with one file of alerts and one dashboard."""
    folder = tmp_path_factory.mktemp("packaged")
    for name, text in (
        ("alerts/OutboxAge.yaml", yaml.safe_dump(RULES)),
        ("dashboards/on-call.json", json.dumps(DASHBOARD)),
    ):
        (folder / "deploy" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "deploy" / name).write_text(text)
    return assemble(folder, folder / "deploy")


def test_alerts_are_rules_of_the_operator_as_they_are_in_their_files(packaged: Path) -> None:
    rule = render(chart=packaged, changed={"alerts.enabled": True}).one("PrometheusRule", "outbox-age")
    assert rule["spec"] == RULES


def test_every_file_of_ours_is_in_the_package(tools: None, tmp_path: Path) -> None:
    chart = assemble(tmp_path)
    wanted = {folder: len(list((REPOSITORY / "deploy" / folder).glob(kind))) for folder, kind in BROUGHT.items()}
    assert all(wanted.values()), wanted
    found = render(chart=chart, changed={"alerts.enabled": True, "dashboards.enabled": True})
    assert (len(found.all("PrometheusRule")), len(found.all("ConfigMap"))) == tuple(wanted.values())


def test_alerts_can_be_left_out_and_labelled(packaged: Path) -> None:
    changed = {
        "alerts.enabled": True,
        "alerts.exclude": ["OutboxRows", "Other"],
        "alerts.runbookBase": "https://example.org/",
        "alerts.labels": {"release": "prometheus"},
        "alerts.ruleLabels": {"team": "bookings", "severity": "info"},
    }
    rule = render(chart=packaged, changed=changed).one("PrometheusRule", "outbox-age")
    (group,) = rule["spec"]["groups"]
    assert [one.get("alert", one.get("record")) for one in group["rules"]] == ["OutboxAge", "job:outbox:max"]
    assert group["rules"][0]["labels"] == {"team": "bookings", "severity": "info"}
    assert group["rules"][0]["annotations"]["runbook_url"] == "https://example.org/docs/runbooks/outbox.md"
    assert "labels" not in group["rules"][1]
    assert rule["metadata"]["labels"]["release"] == "prometheus"


def test_dashboards_are_as_they_are_in_their_files(packaged: Path) -> None:
    changed = {"dashboards.enabled": True, "dashboards.annotations": {"grafana_folder": "Bookings"}}
    found = render(chart=packaged, changed=changed).one("ConfigMap", "dashboard-on-call")
    assert json.loads(found["data"]["on-call.json"]) == DASHBOARD
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert found["metadata"]["annotations"] == {"grafana_folder": "Bookings"}


def test_none_of_it_is_there_unless_it_is_asked_for(packaged: Path) -> None:
    kinds = {one["kind"] for one in render(chart=packaged).objects}
    assert not kinds & {"PrometheusRule", "ConfigMap", "ServiceMonitor"}


def test_a_packaged_chart_is_an_archive_that_helm_renders(packaged: Path, tmp_path: Path) -> None:
    helm("helm4", "package", packaged, "--destination", tmp_path)
    (archive,) = tmp_path.glob("*.tgz")
    assert archive.name == "booking-system-0.1.0.tgz"
    assert render(chart=archive, changed={"alerts.enabled": True}).all("PrometheusRule")
    listed = subprocess.run(["tar", "-tzf", archive], capture_output=True, text=True, check=True).stdout.split()
    assert not [name for name in listed if "/ci/" in name]
    assert tool("helm4").exists()


@pytest.mark.parametrize("kind", ["ServiceMonitor", "PodMonitor"])
def test_a_monitor_finds_each_that_answers_by_its_name_where_its_metrics_are(tools: None, kind: str) -> None:
    rendered = render(changed={"metrics.monitor": kind})
    carried, pods = rendered.all("Service" if kind == "ServiceMonitor" else "Deployment"), rendered.containers()
    found: dict[str, int] = {}
    for monitor in (one["spec"] for one in rendered.all(kind).values()):
        (endpoint,) = monitor["endpoints" if kind == "ServiceMonitor" else "podMetricsEndpoints"]
        assert (endpoint["path"], endpoint["interval"]) == ("/metrics", "15s")
        (expression,) = monitor["selector"]["matchExpressions"]
        for name in expression["values"]:
            labels = carried[name]["metadata"]["labels"]
            assert labels[monitor["jobLabel"]] == labels[expression["key"]] == name
            assert monitor["selector"]["matchLabels"].items() <= labels.items()
            ports = {one["name"]: one["containerPort"] for one in pods[f"Deployment/{name}"]["ports"]}
            if kind == "ServiceMonitor" and "port" in endpoint:  # the Service's, which leads to the pod's
                ports = {one["name"]: ports[one["targetPort"]] for one in carried[name]["spec"]["ports"]}
            assert name not in found, "it would be read twice"
            found[name] = ports[endpoint.get("port") or endpoint["targetPort"]]
    told = settings(pods["Deployment/console"])
    assert found == {**dict.fromkeys((*SERVICES, "auditor"), 8080), "console": int(told["METRICS_PORT"] or 0)}


def test_what_is_switched_off_is_not_watched(rendering: Rendering) -> None:
    (monitor,) = rendering("bare").all("PodMonitor").values()
    assert monitor["spec"]["selector"]["matchExpressions"][0]["values"] == sorted(SERVICES)


def test_no_service_leads_to_the_metrics_of_the_console(each: Rendered) -> None:
    """They name tokens and files without a login, and its Ingress brings the world to every path."""
    for name, one in each.all("Service").items():
        assert one["spec"]["ports"] == [{"name": "http", "port": 8080, "targetPort": "http"}], name
    for one in each.all("Ingress").values():
        for path in one["spec"]["rules"][0]["http"]["paths"]:
            assert path["backend"]["service"]["port"] == {"name": "http"}
    if console := each.containers().get("Deployment/console"):
        ports = {one["name"]: one["containerPort"] for one in console["ports"]}
        told = settings(console)
        assert ports == {"http": int(told["HTTP_PORT"] or 0), "metrics": int(told["METRICS_PORT"] or 0)}
        assert len(set(ports.values())) == 2


def test_a_monitor_is_told_what_values_say(rendering: Rendering) -> None:
    for monitor in rendering("watched").all("ServiceMonitor").values():
        assert monitor["metadata"]["labels"]["release"] == "prometheus"
        assert monitor["spec"]["endpoints"][0].keys() >= {"relabelings", "metricRelabelings"}


def test_further_objects_are_made_as_objects_and_as_templates(rendering: Rendering) -> None:
    found = [one["metadata"]["name"] for one in rendering("watched").objects if one["kind"] == "ConfigMap"]
    assert found == ["of-ours", "bookings-of-ours"]
    with pytest.raises(Refused):
        render("watched", {"extraObjects": ["{{ fail `no` }}"]}, files=values_of("watched"))
