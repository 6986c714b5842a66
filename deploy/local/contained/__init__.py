"""PostgreSQL and Kafka of a stack in containers, for tests on a Docker engine of this machine (docs/containers.md).

A container is a process of the stack like any other: what holds it (`__main__.py`, where testcontainers is imported)
runs as long as the container, writes its log, and removes it, with its data, when it is told to stop.
"""

import os
from collections.abc import Callable, Mapping

from deploy.local import kafka, postgres
from deploy.local.environment import python_env, python_module
from deploy.local.layout import REPOSITORY, Layout
from deploy.local.processes import Process

PULL_SECONDS = 600.0
"""For the first start on a machine, which fetches the image."""
ANSWERS: Mapping[str, Callable[[int], bool]] = {"postgres": postgres.answers, "kafka": kafka.answers}
"""The parts that can run in a container."""
ON_THIS_MACHINE = {"TESTCONTAINERS_CONNECTION_MODE": "docker_host", "TESTCONTAINERS_HOST_OVERRIDE": "127.0.0.1"}
"""Ports of containers are this machine's, where every stack has its own, also when this machine is a container."""


def container_name(layout: Layout, name: str) -> str:
    """What the engine calls the container of a part."""
    return f"booking-{name}-{layout.ports[name]}"


def contained(layout: Layout, name: str, fast: bool) -> Process:
    """A part, as a container. KeyError for one that cannot be."""
    port = layout.ports[name]
    return Process(
        name=name,
        command=python_module("deploy.local.contained", name, str(layout.root), *(["--fast"] if fast else [])),
        answers=lambda: ANSWERS[name](port),
        environment={**os.environ, **python_env(), **ON_THIS_MACHINE},
        directory=REPOSITORY,
        ready_seconds=PULL_SECONDS,
    )
