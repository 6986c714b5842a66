"""Every value set renders with both majors of Helm, into what Kubernetes knows and checks are content with."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from deploy.helm.tools import CHART, tool
from deploy.images.__main__ import OURS
from tests.chart.conftest import Rendering
from tests.chart.rendered import MAJORS, SETS, Rendered, helm, notes, render, values_of

pytestmark = pytest.mark.requirement("chart")

VERSIONS = ("1.30", "1.34", "1.37")
"""Of Kubernetes: the oldest that deploy/chart/Chart.yaml allows, one between, the newest that the validator knows."""
BESIDE = CHART.parent / "helm"


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("major", MAJORS)
def test_helm_has_nothing_to_say_against_it(tools: None, name: str, major: str) -> None:
    chosen = [part for file in values_of(name) for part in ("-f", file)]
    said = helm(major, "lint", "--strict", CHART, *chosen)
    assert "[WARNING]" not in said


@pytest.mark.parametrize("name", SETS)
def test_both_majors_make_the_same(rendering: Rendering, name: str) -> None:
    def key(one: dict[str, object]) -> str:
        return json.dumps(one, sort_keys=True)

    third, fourth = render(name, major="helm3").objects, rendering(name).objects
    assert sorted(third, key=key) == sorted(fourth, key=key)


def test_no_two_objects_have_one_name(each: Rendered) -> None:
    names = [(one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]) for one in each.objects]
    assert len(names) == len(set(names))
    assert all(len(name) <= 63 for _, _, name in names)


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_knows_every_field(rendering: Rendering, version: str, tmp_path: Path) -> None:
    all_of_them = tmp_path / "all.yaml"
    all_of_them.write_text(_of_kubernetes(*(rendering(name) for name in SETS)))
    assert _kubernetes_validate(version, all_of_them) == ""


def test_a_field_that_does_not_exist_is_found(rendering: Rendering, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(_of_kubernetes(rendering("managed")).replace("maxUnavailable: 1", "mostUnavailable: 1"))
    assert "mostUnavailable" in _kubernetes_validate(VERSIONS[-1], broken)


def _of_kubernetes(*rendered: Rendered) -> str:
    """Each object once, without kinds that come from others: test_kafka looks at those."""
    known = ("apps/", "batch/", "policy/", "networking.k8s.io/", "v1")
    found = {json.dumps(one): one for each in rendered for one in each.objects if one["apiVersion"].startswith(known)}
    return yaml.safe_dump_all(found.values())


def _kubernetes_validate(version: str, file: Path) -> str:
    """What it says against a file."""
    command = [str(tool("kubernetes-validate")), "--strict", "--kubernetes-version", version, "--quiet", str(file)]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout + done.stderr if done.returncode else ""


def test_yamllint_is_content(rendering: Rendering) -> None:
    sources = [CHART / "Chart.yaml", CHART / "values.yaml", CHART / "files" / "removed.yaml", *(CHART / "ci").iterdir()]
    done = subprocess.run(
        [tool("yamllint"), "--strict", "-c", BESIDE / "yamllint.yaml", *sources], capture_output=True, text=True
    )
    assert done.stdout == ""


def test_checkov_is_content_but_for_what_is_explained(rendering: Rendering, tmp_path: Path) -> None:
    skipped: dict[str, str] = yaml.safe_load((BESIDE / "checkov.yaml").read_text())
    for name in ("managed", "production"):
        (tmp_path / f"{name}.yaml").write_text(_of_kubernetes(rendering(name)))
    failed = _checkov(tmp_path)
    assert {check: where for check, where in failed.items() if check not in skipped} == {}
    assert skipped.keys() <= failed.keys(), "these checks are content by now: take them off the list"
    assert all(reason for reason in skipped.values())


def _checkov(folder: Path) -> dict[str, list[str]]:
    """Failed checks, each with where."""
    command = [str(tool("checkov")), "--directory", str(folder), "--framework", "kubernetes", "--output", "json"]
    done = subprocess.run([*command, "--skip-download", "--compact", "--quiet"], capture_output=True, text=True)
    found: dict[str, list[str]] = {}
    for check in json.loads(done.stdout)["results"]["failed_checks"]:
        found.setdefault(check["check_id"], []).append(f"{check['check_name']}: {check['resource']}")
    return found


@pytest.mark.parametrize("dockerfile", sorted({one[0] for one in OURS.values()}), ids=lambda path: path.name)
def test_hadolint_is_content(tools: None, dockerfile: Path) -> None:
    done = subprocess.run(
        [tool("hadolint"), "--failure-threshold", "warning", dockerfile], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_notes_say_what_next(tools: None) -> None:
    said = notes("base")
    for wanted in (
        "helm test bookings",
        "Stripe's webhooks have no way in",
        "networkPolicy.clients",
        "set image.digest",
    ):
        assert wanted in said
