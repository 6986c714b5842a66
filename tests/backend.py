"""What the tests' PostgreSQL and Kafka run in: processes of this machine, or containers where TEST_BACKEND says so.

`stacks` and `databases` (tests/conftest.py) honour it. A Stack that a test makes itself is always of processes: those
of tests/faults, tests/hostile and tests/bench look at processes, spoil their network or fill their disk.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, MutableMapping
from pathlib import Path

import pytest

from deploy.images import docker
from deploy.images.__main__ import CHOSEN
from deploy.local.contained import ANSWERS

VARIABLE = "TEST_BACKEND"
PROCESSES, CONTAINERS = "processes", "containers"
IMAGES = ("POSTGRES_IMAGE", "KAFKA_IMAGE")


def contained(environment: Mapping[str, str]) -> Collection[str]:
    """The parts of a stack that run in containers. Raises pytest.UsageError for a backend that there is not."""
    chosen = environment.get(VARIABLE) or PROCESSES
    if chosen not in (PROCESSES, CONTAINERS):
        raise pytest.UsageError(f"{VARIABLE}={chosen}: there are {PROCESSES} and {CONTAINERS}")
    return tuple(ANSWERS) if chosen == CONTAINERS else ()


def prepare(environment: MutableMapping[str, str], chosen: Path = CHOSEN) -> None:
    """Where containers are wanted: the images that `make images` found or made, and nothing more from a registry.

    Raises pytest.UsageError where no engine answers: who asks for containers is not told that processes are green.
    """
    if not contained(environment):
        return
    try:
        docker.docker()
    except docker.NoDocker as problem:
        raise pytest.UsageError(f"{VARIABLE}={CONTAINERS}: {problem}") from problem
    for line in chosen.read_text().splitlines() if chosen.exists() else ():
        name, _, image = line.partition("=")
        if name in IMAGES:
            environment.setdefault(name, image)
    # What watches over containers is an image of its own; a stack removes its containers itself.
    environment.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
