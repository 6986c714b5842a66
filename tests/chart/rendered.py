"""The chart as Helm renders it: objects by kind and name."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from deploy.helm.tools import CHART, tool

Object = dict[str, Any]
SETS = tuple(sorted(file.stem for file in (CHART / "ci").glob("*.yaml") if file.stem != "base"))
"""Value sets of deploy/chart/ci, each laid over deploy/chart/ci/base.yaml."""
MAJORS = ("helm3", "helm4")
RELEASE, NAMESPACE = "bookings", "bookings"
FULL_NAME = "bookings-booking-system"


class Refused(Exception):
    """Helm does not render these values; the message is what it says."""


class Rendered:
    """Objects of one rendering."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.objects: tuple[Object, ...] = tuple(one for one in yaml.safe_load_all(text) if one)

    def all(self, kind: str) -> dict[str, Object]:
        """Objects of a kind by name, without the release's own part of it."""
        return {
            one["metadata"]["name"].removeprefix(f"{FULL_NAME}-"): one for one in self.objects if one["kind"] == kind
        }

    def one(self, kind: str, name: str) -> Object:
        return self.all(kind)[name]

    def pods(self) -> dict[str, Object]:
        """Specs of all pods by name: of Deployments, of Jobs, and of the test."""
        templates = {
            f"{kind}/{name}": one["spec"]["template"]["spec"]
            for kind in ("Deployment", "Job")
            for name, one in self.all(kind).items()
        }
        return templates | {f"Pod/{name}": one["spec"] for name, one in self.all("Pod").items()}

    def containers(self) -> dict[str, Object]:
        """The one container of each pod, by the pod's name."""
        return {name: pod["containers"][0] for name, pod in self.pods().items()}


def settings(container: Object) -> dict[str, str | None]:
    """A container's environment; None for what Kubernetes knows."""
    return {one["name"]: one.get("value") for one in container.get("env", ())}


def values_of(name: str) -> list[Path]:
    """The files of a set, in the order in which they are laid over each other."""
    return [CHART / "ci" / "base.yaml", *([] if name == "base" else [CHART / "ci" / f"{name}.yaml"])]


def helm(major: str, *arguments: str | Path) -> str:
    """What it prints. Raises Refused."""
    done = subprocess.run([tool(major), *arguments], capture_output=True, text=True)
    if done.returncode:
        raise Refused(done.stdout + done.stderr)
    return done.stdout


def notes(name: str) -> str:
    """What is said of a value set when it is installed."""
    chosen = [part for file in values_of(name) for part in ("-f", file)]
    said = helm("helm4", "install", RELEASE, CHART, "--dry-run=client", "--namespace", NAMESPACE, *chosen)
    return said.partition("NOTES:")[2]


def render(
    name: str = "base",
    changed: Mapping[str, object] | None = None,
    *,
    major: str = "helm4",
    chart: Path = CHART,
    files: Sequence[Path] | None = None,
) -> Rendered:
    """A value set with `changed`: values by dotted path, as JSON. Raises Refused."""
    chosen = [part for file in (files if files is not None else values_of(name)) for part in ("-f", file)]
    more = [part for path, value in (changed or {}).items() for part in ("--set-json", f"{path}={json.dumps(value)}")]
    return Rendered(helm(major, "template", RELEASE, chart, "--namespace", NAMESPACE, *chosen, *more))
