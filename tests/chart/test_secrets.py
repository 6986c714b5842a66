"""A pod whose Secret has changed is replaced by `helm upgrade`, and no other is."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from deploy.helm.tools import CHART
from tests.chart.conftest import Rendering
from tests.chart.rendered import MAJORS, NAMESPACE, RELEASE, Rendered, helm, render, values_of

pytestmark = pytest.mark.requirement("chart")

CHECKSUM = "checksum/secrets"
Versions = Mapping[str, str]
"""resourceVersion by a Secret's name; a Secret that is not here is not there."""


def secrets_of(rendered: Rendered) -> dict[str, set[str]]:
    """By Deployment, the Secrets that its pods have files of."""
    return {
        name: {
            source["secret"]["name"]
            for volume in one["spec"]["template"]["spec"].get("volumes", ())
            for source in volume["projected"]["sources"]
        }
        for name, one in rendered.all("Deployment").items()
    }


def checksums(rendered: Rendered) -> dict[str, str | None]:
    return {
        name: one["spec"]["template"]["metadata"]["annotations"].get(CHECKSUM)
        for name, one in rendered.all("Deployment").items()
    }


@functools.cache
def discovery() -> dict[str, object]:
    """By path, how Kubernetes says which kinds it has: those of the release, and Secrets."""
    kinds: dict[str, set[str]] = {"v1": {"Secret"}}
    for one in render("managed").objects:
        kinds.setdefault(one["apiVersion"], set()).add(one["kind"])
    groups = [
        {
            "name": version.partition("/")[0],
            "versions": [{"groupVersion": version, "version": version.partition("/")[2]}],
        }
        for version in kinds
        if "/" in version
    ]
    return {
        "/version": {"major": "1", "minor": "34", "gitVersion": "v1.34.0"},
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups},
    } | {
        f"/apis/{version}" if "/" in version else "/api/v1": {
            "kind": "APIResourceList",
            "groupVersion": version,
            "resources": [
                {"name": f"{kind.lower()}s", "kind": kind, "namespaced": True, "verbs": ["get"]} for kind in names
            ],
        }
        for version, names in kinds.items()
    }


@contextmanager
def kubernetes(secrets: Versions) -> Iterator[str]:
    """The address of as much of Kubernetes' API as Helm needs to look a Secret up."""
    known = discovery() | {
        f"/api/v1/namespaces/{NAMESPACE}/secrets/{name}": {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": NAMESPACE, "uid": "1", "resourceVersion": version},
        }
        for name, version in secrets.items()
    }
    none = {"apiVersion": "v1", "kind": "Status", "reason": "NotFound", "code": 404}

    class Api(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            self.send_response(200 if path in known else 404)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(known.get(path, none)).encode())

        def log_message(self, *_: object) -> None:
            """Nothing: what Helm asks is no news."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def looked_up(secrets: Versions, *more: str, major: str = "helm4") -> dict[str, str | None]:
    """The checksums of a release into a cluster with these Secrets."""
    files = [part for file in values_of("managed") for part in ("-f", str(file))]
    with kubernetes(secrets) as address:
        asked = (
            "--namespace",
            NAMESPACE,
            "--dry-run=server",
            "--disable-openapi-validation",
            "--kube-apiserver",
            address,
        )
        return checksums(Rendered(helm(major, "template", RELEASE, CHART, *asked, *files, *more)))


def test_a_secret_that_changes_rolls_the_pods_that_read_it_and_no_others(rendering: Rendering) -> None:
    read = secrets_of(rendering("managed"))
    secrets = dict.fromkeys(set().union(*read.values()), "1")
    assert len(secrets) > 10
    before = looked_up(secrets)
    for changed in sorted(secrets):
        after = looked_up({**secrets, changed: "2"})
        rolled = {name for name, checksum in after.items() if checksum != before[name]}
        assert rolled == {name for name, names in read.items() if changed in names}, changed


@pytest.mark.parametrize("major", MAJORS)
def test_a_secret_that_comes_later_rolls_its_pods_too(tools: None, major: str) -> None:
    before, after = looked_up({}, major=major), looked_up({"stripe": "1"}, major=major)
    assert {name for name in before if before[name] != after[name]} == {"payments"}


def test_without_a_cluster_to_look_into_and_where_it_is_not_wanted_nothing_rolls(rendering: Rendering) -> None:
    assert checksums(rendering("managed")) == looked_up({})
    assert all(checksums(rendering("managed")).values())
    left_out = looked_up({"stripe": "1"}, "--set", "pods.rollOnSecretChange=false")
    assert set(left_out.values()) == {None}
    job = rendering("managed").one("Job", "migration")["spec"]["template"]["metadata"]["annotations"]
    assert CHECKSUM not in job, "a Job cannot be changed"
