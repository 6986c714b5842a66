"""A cluster with the chart on it, for all tests of this folder; only where `make cluster-test` asks for it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from deploy.cluster import build, installation, programs
from deploy.cluster.cluster import Cluster
from deploy.cluster.problems import NoCluster
from deploy.helm.tools import NoTools, tool
from deploy.images import __main__ as images_of_ours
from deploy.images import docker


@pytest.fixture(scope="session")
def possible() -> None:
    """A cluster can run here."""
    if not os.environ.get("CLUSTER"):
        pytest.skip("a cluster is started by `make cluster-test` alone")
    try:
        tool("kubectl")
        docker.docker()
        programs.install()
        build.build()
    except (NoCluster, NoTools, docker.NoDocker) as problem:
        pytest.skip(f"no cluster is tested: {problem}")


@pytest.fixture(scope="session")
def images(possible: None) -> dict[str, str]:
    """Every image by its variable in deploy/compose.yaml."""
    return images_of_ours.build()


@pytest.fixture(scope="session")
def cluster(possible: None, images: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two nodes with the images, and what the services need; no chart yet. It ends with the tests, however they do."""
    started = Cluster(tmp_path_factory.mktemp("cluster"))
    print(f"\nnodes are Ready after {started.start(tied=True):.1f} s; logs are in {started.logs}")
    try:
        installation.load(started, images)
        installation.prepare(started, images)
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="session")
def notes(cluster: Cluster) -> str:
    """What Helm said when it had installed the chart."""
    return installation.install(cluster)


@pytest.fixture(scope="session")
def installed(cluster: Cluster, notes: str) -> Cluster:
    """The cluster with the chart on it, everything ready."""
    return cluster
