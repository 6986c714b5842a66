"""The chart on a real cluster: it comes up, is asked, is changed and is changed back, and may do nothing more."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from booking_contracts.rights import SERVICES

from deploy.cluster.cluster import NODES, Cluster
from deploy.cluster.installation import ADDRESSES, DEPS, FULL_NAME, RELEASE, install
from deploy.cluster.problems import Failed
from tests.chart.rendered import SETS, render
from tests.cluster.pods import REPLICATED

pytestmark = [pytest.mark.timeout(1800), pytest.mark.requirement("chart")]
CRDS = os.environ.get("CRDS", "")


def objects(cluster: Cluster, kind: str, *more: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(cluster.kubectl("get", kind, *more, "--output", "json"))["items"]
    return found


def pods_of(cluster: Cluster, service: str) -> list[dict[str, Any]]:
    return objects(cluster, "pods", "--selector", f"app.kubernetes.io/component={service}")


def replicas(cluster: Cluster) -> dict[str, int]:
    """Pods that are ready, by service."""
    found = {one["metadata"]["name"]: one["status"].get("readyReplicas", 0) for one in objects(cluster, "deployments")}
    return {service: found[f"{FULL_NAME}-{service}"] for service in SERVICES}


@pytest.mark.parametrize("name", REPLICATED)
def test_services_and_console_are_ready_on_both_nodes(installed: Cluster, name: str) -> None:
    pods = pods_of(installed, name)
    assert sorted(pod["spec"]["nodeName"] for pod in pods) == sorted(NODES)
    assert [pod["status"]["containerStatuses"][0]["restartCount"] for pod in pods] == [0, 0]


def psql(cluster: Cluster, statement: str) -> str:
    """As PostgreSQL's superuser, in booking's database."""
    told = ("psql", "-X", "-At", "-h", "/tmp", "-U", "postgres", "-d", "booking", "-c", statement)
    return cluster.kubectl("-n", DEPS, "exec", "deployment/postgres", "--", *told).strip()


def test_the_jobs_have_done_their_work_and_are_gone(installed: Cluster) -> None:
    assert objects(installed, "jobs") == []
    assert psql(installed, "SELECT count(*) FROM booking") == "0"


def test_helm_says_what_is_next_and_its_test_passes(installed: Cluster, notes: str) -> None:
    assert "helm test bookings" in notes
    assert "Phase:          Succeeded" in installed.helm("test", RELEASE)


def test_metrics_of_the_console_are_at_its_pods_and_not_at_its_service(installed: Cluster) -> None:
    at_pods = [f"http://{pod['status']['podIP']}:8081" for pod in pods_of(installed, "console")]
    for address, status in {ADDRESSES["console"]: "404", **dict.fromkeys(at_pods, "200")}.items():
        asked = ("curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", f"{address}/metrics")
        assert installed.run_inside(*asked) == status, address


def test_other_values_come_by_an_upgrade_and_go_by_a_rollback(installed: Cluster) -> None:
    before = replicas(installed)
    install(installed, "--set", "services.notifications.replicas=3", "--set", "logLevel=DEBUG")
    assert replicas(installed) == {**before, "notifications": 3}
    installed.helm("rollback", RELEASE, "--wait", "--timeout", "5m")
    assert replicas(installed) == before
    assert "Phase:          Succeeded" in installed.helm("test", RELEASE)


def test_a_migration_that_fails_stops_the_upgrade(installed: Cluster) -> None:
    """Every pod stays the one that it was, and the next upgrade goes through."""

    def pods() -> set[str]:
        found = [pod["metadata"] for name in REPLICATED for pod in pods_of(installed, name)]
        return {one["uid"] for one in found if "deletionTimestamp" not in one}

    before = pods()
    psql(installed, "ALTER ROLE booking_owner NOLOGIN")
    try:
        with pytest.raises(Failed, match="hook"):
            install(installed, "--set", "logLevel=DEBUG", "--set", "jobs.backoffLimit=0", "--timeout", "2m")
    finally:
        psql(installed, "ALTER ROLE booking_owner LOGIN")
    assert pods() == before
    install(installed)
    assert pods() == before


def test_what_restricted_pod_security_forbids_does_not_start_beside_it(installed: Cluster) -> None:
    with pytest.raises(Failed, match='violates PodSecurity "restricted:latest"'):
        installed.kubectl("run", "root", "--image=booking-services:dev", "--privileged")


@pytest.fixture(scope="module")
def kinds(cluster: Cluster) -> set[tuple[str, str]]:
    """(apiVersion, kind) that the API server knows; CRDS, a folder, has definitions of operators' kinds."""
    for file in sorted(Path(CRDS).glob("*.yaml")) if CRDS else ():
        cluster.kubectl("apply", "--server-side", "--filename", str(file))
        cluster.kubectl("wait", "--for=condition=Established", "--filename", str(file), "--timeout=60s")
    lines = cluster.kubectl("api-resources", "--no-headers").splitlines()
    return {(words[-3], words[-1]) for words in (line.split() for line in lines)}


@pytest.fixture(scope="module")
def elsewhere(cluster: Cluster) -> str:
    """A namespace with nothing in it and the same Pod Security; and the priority that a variant names."""
    cluster.kubectl("create", "namespace", "variants")
    cluster.kubectl("create", "priorityclass", "important", "--value=1000")
    cluster.kubectl("label", "namespace", "variants", "pod-security.kubernetes.io/enforce=restricted")
    return "variants"


def looked_at(cluster: Cluster, namespace: str, items: list[dict[str, Any]]) -> list[str]:
    """What the API server says of each object, in a dry run with every field looked at. Raises Failed."""
    for one in items:
        one["metadata"]["namespace"] = namespace
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    return cluster.kubectl(
        "create", "--dry-run=server", "--validate=strict", "--filename", "-", input=listed
    ).splitlines()


@pytest.mark.parametrize("name", SETS)
def test_the_api_server_takes_every_variant(
    cluster: Cluster, kinds: set[tuple[str, str]], elsewhere: str, name: str
) -> None:
    """Kinds of operators only where CRDS has their definitions."""
    known = [one for one in render(name).objects if (one["apiVersion"], one["kind"]) in kinds]
    assert {"Deployment", "Service"} <= {one["kind"] for one in known}
    assert len(looked_at(cluster, elsewhere, known)) == len(known)


@pytest.mark.parametrize("name", SETS)
def test_restricted_pod_security_lets_every_pod_of_every_variant_run(
    cluster: Cluster, elsewhere: str, name: str
) -> None:
    """Of a Deployment it only warns; a pod it refuses. Their accounts are made by others."""
    pods: list[dict[str, Any]] = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"variant-{number}"},
            "spec": {key: value for key, value in spec.items() if key != "serviceAccountName"},
        }
        for number, spec in enumerate(render(name).pods().values())
    ]
    assert len(looked_at(cluster, elsewhere, pods)) == len(pods) >= len(SERVICES)


def test_a_field_that_kubernetes_does_not_know_is_found(cluster: Cluster, elsewhere: str) -> None:
    service = render("plain").one("Service", "booking")
    service["spec"]["prots"] = service["spec"].pop("ports")
    with pytest.raises(Failed, match=r'unknown field "(spec\.)?prots"'):
        looked_at(cluster, elsewhere, [service])
