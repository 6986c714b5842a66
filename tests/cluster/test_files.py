"""What the cluster is made of, without a cluster: it has what the chart asks for, and its program a name of its own."""

from __future__ import annotations

import json
import re
import string
from pathlib import Path
from typing import Any

import pytest
import yaml
from booking_contracts.rights import SERVICES

from deploy.cluster import build
from deploy.cluster.installation import DEPS, HERE, NAMESPACE, TOKEN, USED, api_tokens, secrets
from deploy.helm.tools import CHART
from deploy.images.__main__ import ORDINARY, OURS
from deploy.local.layout import REPOSITORY

COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "deploy" / "compose.yaml").read_text())["services"]
OF_ANOTHER_CLUSTER = {"postgresql-ca", "kafka-ca"} | {
    f"{user}-kafka" for user in ("topics", *SERVICES, "operators", "console")
}
"""Here nothing is encrypted, and Kafka knows no users."""


def named(values: Any) -> set[str]:
    """Names of all Secrets that values name."""
    if not isinstance(values, dict):
        return set()
    found = {one["name"] for key, one in values.items() if key.endswith("Secret")}
    return found.union(*(named(one) for one in values.values()))


def deps() -> dict[tuple[str, str], dict[str, Any]]:
    """Objects of deploy/cluster/deps.yaml by kind and name."""
    filled_in = dict.fromkeys((*USED, "DATA", "POSTGRES_UID", "KAFKA_UID"), "1")
    text = string.Template((HERE / "deps.yaml").read_text()).substitute(filled_in)
    return {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(text)}


def test_every_secret_that_the_chart_is_told_of_is_there() -> None:
    made = {one["metadata"]["name"] for one in secrets() if one["metadata"]["namespace"] == NAMESPACE}
    assert named(yaml.safe_load((CHART / "ci" / "base.yaml").read_text())) - OF_ANOTHER_CLUSTER <= made


def test_passwords_and_tokens_are_those_of_compose() -> None:
    (passwords,) = [one["stringData"] for one in secrets() if one["metadata"]["namespace"] == DEPS]
    assert passwords == COMPOSE["postgres"]["environment"]
    (there,) = json.loads(re.sub(r"\$\{\w+:-(\w+)\}", r"\1", COMPOSE["booking"]["environment"]["API_TOKENS"]))
    (here,) = json.loads(api_tokens(TOKEN))
    assert here == {**there, "name": here["name"]}


def test_postgresql_is_set_as_compose_has_it() -> None:
    (container,) = deps()["Deployment", "postgres"]["spec"]["template"]["spec"]["containers"]
    assert container["args"] == COMPOSE["postgres"]["command"]


def test_kafka_is_set_as_compose_has_it_but_for_the_host_that_sees_it_there() -> None:
    (container,) = deps()["Deployment", "kafka"]["spec"]["template"]["spec"]["containers"]
    here = {one["name"]: one["value"] for one in container["env"]}
    there = {
        name: ",".join(part for part in value.split(",") if not part.startswith("HOST"))
        for name, value in COMPOSE["kafka"]["environment"].items()
    }
    there["KAFKA_ADVERTISED_LISTENERS"] = there["KAFKA_ADVERTISED_LISTENERS"].replace("kafka:", "kafka.deps:")
    assert here == there


def test_images_are_those_that_are_built() -> None:
    assert set(USED) <= {*ORDINARY, *OURS}


def test_another_source_is_another_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in build.SOURCES:
        (tmp_path / name).write_bytes((build.MODULE / name).read_bytes())
    before = build.program()
    monkeypatch.setattr(build, "MODULE", tmp_path)
    assert build.program() == before
    assert f"v{build.version()}" in before.name
    (tmp_path / "main.go").write_text("package main\n")
    assert build.program() != before
